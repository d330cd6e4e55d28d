//! Faults of nodes.

use std::time::Duration;

use crate::visible::{one_line, visible};

/// The fault of one node.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{node} {}", one_line(&.fault.to_string()))]
pub struct NodeError {
    /// The node's host, with a port that is not the scheme's own.
    pub node: String,
    /// What it did instead.
    pub fault: NodeFault,
}

/// A wrong or missing answer of a node. The message completes a sentence that starts with its name.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NodeFault {
    /// No answer within this time.
    #[error("gave no answer within {} s", .0.as_secs_f32())]
    Timeout(Duration),
    /// No connection, with the error of the system.
    #[error("cannot be reached ({0}): check its address and the network")]
    Unreachable(String),
    /// The connection broke while it answered.
    #[error("broke off the connection ({0})")]
    ConnectionBroken(String),
    /// With the `Retry-After` of the answer, if it has one.
    #[error(
        "limits our rate (HTTP 429): add nodes under `network.nodes`, or use one without limits"
    )]
    TooManyRequests(Option<Duration>),
    /// An HTTP status that is not a success.
    #[error("answered HTTP {status}: {excerpt}")]
    Status {
        /// The HTTP status code.
        status: u16,
        /// The beginning of the body, in one line.
        excerpt: String,
    },
    /// An answer without a body.
    #[error("gave an empty answer")]
    Empty,
    /// A body of more than this many bytes.
    #[error("gave an answer of more than {} MiB", .0 >> 20)]
    TooLarge(usize),
    /// The answer is not JSON.
    #[error("gave an answer that is not JSON: {0}")]
    NotJson(String),
    /// The answer to a method is not what it should be.
    #[error("gave an answer to `{method}` that cannot be read: {}", one_line(.why))]
    Unreadable {
        /// The method that was called.
        method: &'static str,
        /// What is wrong with the answer.
        why: String,
    },
    /// It does not know this method.
    #[error("does not know the method `{0}`")]
    MethodNotFound(&'static str),
    /// A JSON-RPC error.
    #[error("refused `{method}`: {message} (code {code})")]
    Refused {
        /// The method that was called.
        method: &'static str,
        /// The error's code.
        code: i64,
        /// The error's message.
        message: String,
    },
    /// The node has not received the block yet.
    #[error("does not have the block yet")]
    BlockNotFound,
    /// Its head is this far behind the clock.
    #[error("is {} s behind", .0.as_secs())]
    Behind(Duration),
}

impl NodeFault {
    /// Whether the node itself is in trouble and is to be passed over for a while. A node that lacks a
    /// method, or refuses one request as invalid, can still answer others.
    pub fn is_outage(&self) -> bool {
        match self {
            Self::MethodNotFound(_) | Self::BlockNotFound => false,
            Self::Refused { code, message, .. } => {
                *code != INVALID_PARAMS && !message.starts_with("Assert Exception")
            }
            _ => true,
        }
    }

    /// Whether the node says that the post or its author does not exist.
    pub(crate) fn is_post_not_found(&self) -> bool {
        let Self::Refused { message, .. } = self else {
            return false;
        };
        ["does not exist", "doesn't exist", "was deleted"]
            .iter()
            .any(|words| message.contains(words))
    }
}

/// Error codes of JSON-RPC 2.0, section 5.1.
const INVALID_PARAMS: i64 = -32_602;
const METHOD_NOT_FOUND: i64 = -32_601;

/// The fault in a JSON-RPC error object.
pub(crate) fn from_rpc_error(method: &'static str, code: i64, message: &str) -> NodeFault {
    // hived uses codes of its own; only the text says that it lacks a plugin or method.
    let unknown = [
        "Could not find API",
        "Could not find method",
        "Method not found",
    ];
    if code == METHOD_NOT_FOUND || unknown.iter().any(|words| message.contains(words)) {
        return NodeFault::MethodNotFound(method);
    }
    NodeFault::Refused {
        method,
        code,
        message: excerpt(message),
    }
}

/// The start of an answer, up to 160 characters on one line, for messages.
pub(crate) fn excerpt(text: &str) -> String {
    const MAX: usize = 160;
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(
            word.chars()
                .filter(|character| !character.is_control())
                .take(MAX),
        );
        if line.chars().count() > MAX {
            let cut: String = line.chars().take(MAX).collect();
            line = format!("{cut}…");
            break;
        }
    }
    visible(&line).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_method_is_recognised_by_code_or_text() {
        for (code, message) in [
            (-32_601, "whatever"),
            (
                -32_003,
                "Assert Exception:api_itr != data._registered_apis.end(): Could not find API block_api",
            ),
            (-32_000, "Could not find method get_block_range"),
        ] {
            let fault = from_rpc_error("m", code, message);
            assert_eq!(fault, NodeFault::MethodNotFound("m"), "{message}");
        }
    }

    #[test]
    fn the_refusal_of_one_request_is_not_an_outage() {
        for (code, message, outage) in [
            (-32_602, "Invalid parameters", false),
            (-32_003, "Assert Exception:false: bad permlink", false),
            (-32_603, "Internal Error", true),
            (1100, "Bad or missing upstream response", true),
        ] {
            assert_eq!(
                from_rpc_error("m", code, message).is_outage(),
                outage,
                "{message}"
            );
        }
    }

    #[test]
    fn an_excerpt_is_short_and_on_one_line() {
        assert_eq!(
            excerpt(" <html>\n\t<b>502\u{7}</b> \n"),
            "<html> <b>502</b>"
        );
        assert_eq!(excerpt(&"ä".repeat(1000)).chars().count(), 160);
        assert_eq!(excerpt(&"ab ".repeat(1000)).chars().count(), 161);
    }
}
