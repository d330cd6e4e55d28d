//! JSON-RPC 2.0 over HTTP to one node.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use url::Url;

use crate::address;
use crate::chain::lenient::{self, Integer};
use crate::chain::node_error::{NodeError, NodeFault, excerpt, from_rpc_error};
use crate::http_client::{CONNECT_TIMEOUT, innermost, retry_after};

/// Calls in one batch. Nodes accept at least this many.
pub const BATCH: usize = 50;

/// Calls in flight to a node that rejects batches.
const MAX_CONCURRENT_CALLS: usize = 8;

/// One call.
#[derive(Debug, Clone)]
pub struct Call {
    /// The API and the method, such as `condenser_api.get_block`.
    pub method: &'static str,
    /// The parameters, an array or an object.
    pub params: Value,
}

/// The `result` of an answer, as JSON text.
pub type Answer = Box<RawValue>;

/// The answers to a batch; each call may have failed on its own.
pub type Answers = Vec<Result<Answer, NodeFault>>;

/// One API node. Calls run in parallel.
pub struct Node {
    client: reqwest::Client,
    url: Url,
    name: String,
    max_answer_bytes: usize,
    rejects_batches: AtomicBool,
    /// The methods that it turned out to lack.
    lacks: Mutex<BTreeSet<&'static str>>,
}

/// Shows the name only, since the address may hold a password.
impl fmt::Debug for Node {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Node({})", self.name)
    }
}

impl Node {
    /// A node at `url`, with answers of up to `max_answer_bytes`.
    pub fn new(client: reqwest::Client, url: Url, max_answer_bytes: usize) -> Self {
        Self {
            client,
            name: address::name(&url),
            url,
            max_answer_bytes,
            rejects_batches: AtomicBool::new(false),
            lacks: Mutex::default(),
        }
    }

    /// The node's host, with a port that is not the scheme's own: the rest of its address can hold secrets.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The error of this node with this fault.
    pub fn error(&self, fault: NodeFault) -> NodeError {
        NodeError {
            node: self.name.clone(),
            fault,
        }
    }

    /// Whether the node turned out to lack this method.
    pub fn lacks(&self, method: &'static str) -> bool {
        self.lacking().contains(method)
    }

    /// Remembers that the node lacks this method.
    pub fn remember_lack(&self, method: &'static str) {
        self.lacking().insert(method);
    }

    fn lacking(&self) -> MutexGuard<'_, BTreeSet<&'static str>> {
        self.lacks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes one call and returns its result. `timeout` covers the whole answer.
    ///
    /// # Errors
    /// If the node does not give a JSON-RPC answer with a result in time.
    pub async fn call(&self, call: &Call, timeout: Duration) -> Result<Answer, NodeFault> {
        let request = request(0, call);
        let (status, body) = self.post(&request, timeout).await?;
        match serde_json::from_str::<RawAnswer<'_>>(&body) {
            Ok(answer) => answer.result(call.method, status),
            Err(_) => Err(not_an_answer(status, &body)),
        }
    }

    /// Makes up to [`BATCH`] calls at once, or one by one if the node rejects batches. The answers are in
    /// the order of the calls; each call may have failed on its own.
    ///
    /// # Errors
    /// If the node does not answer the batch as a whole.
    pub async fn batch(&self, calls: &[Call], timeout: Duration) -> Result<Answers, NodeFault> {
        if calls.len() < 2 || self.rejects_batches.load(Ordering::Relaxed) {
            return self.one_by_one(calls, timeout).await;
        }
        let requests = calls.iter().enumerate().map(|(id, call)| request(id, call));
        let (status, body) = self.post(&requests.collect(), timeout).await?;
        if let Ok(answers) = serde_json::from_str::<Vec<RawAnswer<'_>>>(&body) {
            return Ok(in_order(answers, calls, status));
        }
        // Any other answer may be a rejection of batches. If it has another cause, single calls meet it
        // too, and their answers count.
        if status.is_server_error() || status.is_success() && !body.trim_start().starts_with('{') {
            return Err(not_an_answer(status, &body));
        }
        let answers = self.one_by_one(calls, timeout).await?;
        if answers.iter().any(Result::is_ok) {
            tracing::info!(
                node = self.name,
                "the node {} rejects batches: calling one by one",
                self.name
            );
            self.rejects_batches.store(true, Ordering::Relaxed);
        }
        Ok(answers)
    }

    /// Gives up at the first outage, since a node that hangs would hang for each call.
    async fn one_by_one(&self, calls: &[Call], timeout: Duration) -> Result<Answers, NodeFault> {
        // The stream is over indices: over references, the compiler does not prove it `Send`.
        stream::iter(0..calls.len())
            .map(|index| self.call(&calls[index], timeout))
            .buffered(MAX_CONCURRENT_CALLS)
            .map(|answer| match answer {
                Err(fault) if fault.is_outage() => Err(fault),
                answer => Ok(answer),
            })
            .try_collect()
            .await
    }

    /// Sends a request and returns the status and body of any answer.
    ///
    /// A node may close an idle connection just when it is used again. All calls are read-only, so a
    /// broken connection is retried once.
    async fn post(
        &self,
        request: &Value,
        timeout: Duration,
    ) -> Result<(StatusCode, String), NodeFault> {
        let answer = async {
            match self.post_once(request).await {
                Err(NodeFault::ConnectionBroken(_)) => self.post_once(request).await,
                answer => answer,
            }
        };
        let answer = tokio::time::timeout(timeout, answer).await;
        answer.unwrap_or(Err(NodeFault::Timeout(timeout)))
    }

    async fn post_once(&self, request: &Value) -> Result<(StatusCode, String), NodeFault> {
        let request = self.client.post(self.url.clone()).json(request);
        let mut response = request.send().await.map_err(fault_of)?;
        let status = response.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(NodeFault::TooManyRequests(retry_after(response.headers())));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(fault_of)? {
            if bytes.len() + chunk.len() > self.max_answer_bytes {
                return Err(NodeFault::TooLarge(self.max_answer_bytes));
            }
            bytes.extend_from_slice(&chunk);
        }
        // Old posts hold bytes that are not UTF-8. They must not make a whole block unreadable.
        let body = String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        Ok((status, body))
    }
}

fn request(id: usize, call: &Call) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": call.method, "params": call.params})
}

#[derive(Deserialize)]
struct RawAnswer<'a> {
    id: Option<Integer>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'a RawValue>,
    error: Option<RawError>,
}

/// Keeps `null` as a result: it means that a block does not exist yet.
fn present<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

#[derive(Deserialize)]
struct RawError {
    code: Option<Integer>,
    #[serde(default, deserialize_with = "lenient::text")]
    message: String,
}

impl RawAnswer<'_> {
    fn result(self, method: &'static str, status: StatusCode) -> Result<Answer, NodeFault> {
        match (self.error, self.result) {
            (Some(error), _) => {
                let code = error.code.map_or(0, |Integer(code)| code);
                Err(from_rpc_error(method, code, &error.message))
            }
            (None, Some(result)) if status.is_success() => Ok(result.to_owned()),
            (None, _) if !status.is_success() => Err(status_fault(status, "")),
            (None, _) => Err(NodeFault::Unreadable {
                method,
                why: "it has neither a result nor an error".to_owned(),
            }),
        }
    }
}

/// Sorts the answers to a batch, which come in any order, into the order of the calls.
fn in_order(answers: Vec<RawAnswer<'_>>, calls: &[Call], status: StatusCode) -> Answers {
    let missing = |call: &Call| {
        Err(NodeFault::Unreadable {
            method: call.method,
            why: "it is missing in the batch".to_owned(),
        })
    };
    let mut ordered: Vec<_> = calls.iter().map(missing).collect();
    for answer in answers {
        let index = answer.id.and_then(|Integer(id)| usize::try_from(id).ok());
        let Some(index) = index.filter(|index| *index < calls.len()) else {
            continue;
        };
        ordered[index] = answer.result(calls[index].method, status);
    }
    ordered
}

fn not_an_answer(status: StatusCode, body: &str) -> NodeFault {
    match status.is_success() {
        true if body.trim().is_empty() => NodeFault::Empty,
        true => NodeFault::NotJson(excerpt(body)),
        false => status_fault(status, body),
    }
}

fn status_fault(status: StatusCode, body: &str) -> NodeFault {
    let reason = status.canonical_reason().unwrap_or("no text");
    NodeFault::Status {
        status: status.as_u16(),
        excerpt: match excerpt(body) {
            empty if empty.is_empty() => reason.to_owned(),
            excerpt => excerpt,
        },
    }
}

fn fault_of(error: reqwest::Error) -> NodeFault {
    if error.is_timeout() {
        return NodeFault::Timeout(CONNECT_TIMEOUT);
    }
    // The message of the error holds the address with its secrets; the reason is in its sources.
    let was_connecting = error.is_connect();
    let error = error.without_url();
    let reason = excerpt(&innermost(&error).to_string());
    if was_connecting {
        NodeFault::Unreachable(reason)
    } else {
        NodeFault::ConnectionBroken(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_node_has_no_secrets() {
        for (url, name) in [
            ("https://api.hive.blog", "api.hive.blog"),
            (
                "https://me:secret@node.example:8443/secret/?key=secret#secret",
                "node.example:8443",
            ),
        ] {
            let node = Node::new(
                crate::http_client::builder().build().unwrap(),
                Url::parse(url).unwrap(),
                1,
            );
            assert_eq!(node.name(), name);
            assert!(!format!("{node:?}").contains("secret"));
        }
    }

    #[test]
    fn answers_to_a_batch_are_put_in_order() {
        let call = |method| Call {
            method,
            params: json!([]),
        };
        let calls = [call("a"), call("b"), call("c"), call("d")];
        let text = r#"[{"id": 2, "result": 20}, {"id": "0", "result": null}, {"id": 99, "result": 1},
            {"result": 1}, {"id": 1, "error": {"code": -32601, "message": "no"}}]"#;
        let answers = in_order(serde_json::from_str(text).unwrap(), &calls, StatusCode::OK);
        let texts: Vec<_> = answers
            .iter()
            .map(|answer| match answer {
                Ok(raw) => raw.get().to_owned(),
                Err(fault) => fault.to_string(),
            })
            .collect();
        assert_eq!(texts[..3], ["null", "does not know the method `b`", "20"]);
        assert!(texts[3].contains("missing in the batch"), "{}", texts[3]);
    }
}
