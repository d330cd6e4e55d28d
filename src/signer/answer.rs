//! The meaning of the signer's answers to a broadcast.
//!
//! The sentences are those of hivesigner-api, SteemConnect v2, hived and steemd. In a text of the
//! chain, the failed expression precedes the sentence and details follow it, so sentences are matched
//! anywhere in the text.

use std::time::Duration;

use serde::Deserialize;

use crate::visible::visible;
use crate::votes::answer::{Answer, Done};

/// The meaning of a sentence in an answer. See [`Answer`].
#[derive(Clone, Copy)]
enum Meaning {
    Identical,
    Duplicate,
    Passing,
    UnknownPost,
    NoMana,
    NoAuthority { of_app: bool },
    Final,
}

/// Sentences in lower case, with their meaning and a hint for people. The first match counts.
const SENTENCES: &[(&str, Meaning, &str)] = &[
    ("identical to this vote", Meaning::Identical, ""),
    ("already voted in a similar way", Meaning::Identical, ""),
    ("duplicate transaction", Meaning::Duplicate, ""),
    ("is_known_transaction", Meaning::Duplicate, ""),
    (
        "failed to load",
        Meaning::Passing,
        "the signer's node seems to be in trouble",
    ),
    (
        "only vote once every",
        Meaning::Passing,
        "raise network.vote_interval if this happens often",
    ),
    ("expiration exception", Meaning::Passing, ""),
    ("trx.expiration", Meaning::Passing, ""),
    (
        "please wait to transact",
        Meaning::Passing,
        "the voter is short of resource credits",
    ),
    (
        "enough mana",
        Meaning::NoMana,
        "mana regenerates by 20% a day",
    ),
    (
        "voting weight is too small",
        Meaning::Final,
        "the voter needs more stake or more weight",
    ),
    ("maximum number of vote changes", Meaning::Final, ""),
    ("vote weight cannot be 0", Meaning::Final, ""),
    (
        "declined their voting rights",
        Meaning::Final,
        "remove the voter from the rules",
    ),
    (
        "votes are not allowed on the comment",
        Meaning::Final,
        "the author disabled votes",
    ),
    (
        "actively being rewarded",
        Meaning::Final,
        "the post is being paid out",
    ),
    (
        "posting authority",
        Meaning::NoAuthority { of_app: false },
        VOTER_MUST_AUTHORISE,
    ),
    (
        "broadcaster account doesn't have permission",
        Meaning::NoAuthority { of_app: true },
        APP_MUST_AUTHORISE,
    ),
    (
        "doesn't have permission to broadcast",
        Meaning::NoAuthority { of_app: false },
        VOTER_MUST_AUTHORISE,
    ),
    ("unable to serialize transaction", Meaning::Final, ""),
    ("unknown key", Meaning::UnknownPost, ""),
    ("could not find account", Meaning::UnknownPost, ""),
    ("doesn't exist", Meaning::UnknownPost, ""),
    ("does not exist", Meaning::UnknownPost, ""),
];

const VOTER_MUST_AUTHORISE: &str = "the voter must authorise the application again";
const APP_MUST_AUTHORISE: &str = "the account of the application must give the account of the signer its posting authority; \
     the voter need not do anything";

/// Codes in `response.jse_info.code`, for answers whose text is missing or not known, with their meaning and a hint.
const CODES: &[(i64, Meaning, &str)] = &[
    (
        4_100_100,
        Meaning::Passing,
        "the voter is short of resource credits",
    ),
    (
        3_030_000,
        Meaning::NoAuthority { of_app: false },
        VOTER_MUST_AUTHORISE,
    ),
    (4_030_100, Meaning::Passing, "the transaction expired"),
    (
        4_030_200,
        Meaning::Passing,
        "the transaction refers to a block that the node does not know",
    ),
    // A failed assertion: the chain has looked at the vote and refuses it.
    (10, Meaning::Final, "the chain refused the vote"),
];

/// Values of `error` that are about the token: of both signers, of RFC 6749 and of RFC 6750.
const TOKEN_ERRORS: [&str; 3] = ["invalid_grant", "invalid_token", "expired_token"];

/// Longest text of an answer in our messages, in characters.
const MAX_TEXT: usize = 600;

#[derive(Deserialize, Default)]
struct Body {
    result: Option<serde_json::Value>,
    error: Option<serde_json::Value>,
    #[serde(default)]
    error_description: Option<serde_json::Value>,
    response: Option<serde_json::Value>,
}

impl Body {
    fn error(&self) -> &str {
        text_of(self.error.as_ref())
    }

    fn description(&self) -> &str {
        text_of(self.error_description.as_ref())
    }

    fn code(&self) -> Option<i64> {
        self.response.as_ref()?["jse_info"]["code"].as_i64()
    }

    /// What the answer says, without the exception of the chain.
    fn said(&self) -> String {
        format!("{} {}", self.error(), self.description())
    }

    /// The exception of the chain, which may hold the sentence if the description does not.
    fn exception(&self) -> String {
        let response = self.response.as_ref();
        response.map_or_else(String::new, ToString::to_string)
    }

    /// The description, else the message of the chain, else the name of the error.
    fn text(&self) -> &str {
        let response = self.response.as_ref();
        let message = text_of(response.and_then(|response| response.get("message")));
        let texts = [self.description(), message, self.error()];
        texts
            .into_iter()
            .find(|text| !text.is_empty())
            .unwrap_or_default()
    }
}

fn text_of(value: Option<&serde_json::Value>) -> &str {
    value.and_then(|value| value.as_str()).unwrap_or_default()
}

/// The meaning of an answer to a broadcast, by its HTTP status, `Retry-After` and body.
pub fn judge(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Answer {
    let parsed: Option<Body> = serde_json::from_slice(body).ok();
    let error = parsed.as_ref().map_or("", Body::error);
    match status {
        200..=299 => accepted(parsed.as_ref()),
        401 => unauthorized(parsed.as_ref()),
        // RFC 6749 answers this with 400.
        400 | 403 if TOKEN_ERRORS.contains(&error) => unauthorized(parsed.as_ref()),
        429 => Answer::Passing {
            text: "the signer asks for fewer requests (429)".to_owned(),
            retry_after,
        },
        500..=599 => match parsed.as_ref().and_then(meaning) {
            Some((meaning, hint)) => conclude(meaning, parsed.as_ref(), hint, retry_after),
            None => Answer::Unknown(format!(
                "the signer answered {status}: {}",
                excerpt(parsed.as_ref(), body)
            )),
        },
        // The request was rejected before it took effect. A retry is safe: it helps if a proxy was the
        // cause, and ends with `casting.retry_for` if we were.
        _ => {
            let hint = if (300..=499).contains(&status) {
                "; is signer.url right?"
            } else {
                ""
            };
            let text = format!(
                "the signer answered {status}: {}{hint}",
                excerpt(parsed.as_ref(), body)
            );
            Answer::Passing { text, retry_after }
        }
    }
}

fn accepted(body: Option<&Body>) -> Answer {
    let Some(body) = body else {
        return Answer::Unknown("the signer's answer cannot be read".to_owned());
    };
    let id = body.result.as_ref().and_then(|result| result.get("id"));
    match id.and_then(serde_json::Value::as_str) {
        Some(id) => Answer::Done(Done::Accepted {
            trx_id: Some(id.to_owned()),
        }),
        // No signer answers a transaction like this.
        None => match meaning(body) {
            Some((meaning, hint)) => conclude(meaning, Some(body), hint, None),
            None => Answer::Unknown("the signer's answer names no transaction".to_owned()),
        },
    }
}

fn unauthorized(body: Option<&Body>) -> Answer {
    let Some(body) = body else {
        return Answer::Passing {
            text: "the signer answered 401 without JSON".to_owned(),
            retry_after: None,
        };
    };
    if TOKEN_ERRORS.contains(&body.error()) {
        return Answer::Token(shorten(body.text()));
    }
    match meaning(body) {
        Some((meaning @ (Meaning::Passing | Meaning::NoAuthority { .. }), hint)) => {
            conclude(meaning, Some(body), hint, None)
        }
        Some((_, hint)) => conclude(Meaning::Final, Some(body), hint, None),
        None => Answer::Final(format!("the signer refused: {}", shorten(body.text()))),
    }
}

/// The meaning of what an answer says: of its text, else of the exception behind it, else of its code.
fn meaning(body: &Body) -> Option<(Meaning, &'static str)> {
    let by_code = || {
        let code = body.code()?;
        let known = CODES.iter().find(|(known, ..)| *known == code);
        known.map(|(_, meaning, hint)| (*meaning, *hint))
    };
    meaning_of(&body.said())
        .or_else(|| meaning_of(&body.exception()))
        .or_else(by_code)
}

fn meaning_of(text: &str) -> Option<(Meaning, &'static str)> {
    let text = text.to_lowercase();
    SENTENCES
        .iter()
        .find(|(sentence, ..)| text.contains(sentence))
        .map(|(_, meaning, hint)| (*meaning, *hint))
}

fn conclude(
    meaning: Meaning,
    body: Option<&Body>,
    hint: &str,
    retry_after: Option<Duration>,
) -> Answer {
    let mut text = shorten(body.map(Body::text).unwrap_or_default());
    if !hint.is_empty() {
        text = format!("{text} ({hint})");
    }
    match meaning {
        Meaning::Identical => Answer::Done(Done::Identical),
        Meaning::Duplicate => Answer::Done(Done::Duplicate),
        Meaning::Passing => Answer::Passing { text, retry_after },
        Meaning::UnknownPost => Answer::UnknownPost(text),
        Meaning::NoMana => Answer::NoMana(text),
        Meaning::NoAuthority { of_app } => Answer::NoAuthority { of_app, text },
        Meaning::Final => Answer::Final(text),
    }
}

/// An excerpt of an answer for messages. An HTML page is named, not shown.
pub(super) fn excerpt_of(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.is_empty() {
        "nothing".to_owned()
    } else if text.starts_with('<') {
        "an HTML page from a proxy in front of it".to_owned()
    } else {
        shorten(text)
    }
}

fn excerpt(body: Option<&Body>, raw: &[u8]) -> String {
    match body.map(Body::text) {
        Some(text) if !text.is_empty() => shorten(text),
        _ => excerpt_of(raw),
    }
}

/// The text without control characters, cut to a length that people can read.
pub fn shorten(text: &str) -> String {
    let mut short: String = text
        .chars()
        .take(MAX_TEXT)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(MAX_TEXT).is_some() {
        short.push('…');
    }
    visible(&short).into_owned()
}

#[cfg(test)]
mod tests;
