//! The meaning of the signer's answers to a broadcast.
//!
//! The sentences are those of hivesigner-api, SteemConnect v2, hived and steemd. In a text of the
//! chain, the failed expression precedes the sentence and details follow it, so sentences are matched
//! anywhere in the text.

use std::time::Duration;

use serde::Deserialize;

use crate::diagnostic::visible::visible;
use crate::votes::answer::{Answer, Done};

/// The meaning of a sentence in an answer. See [`Answer`].
#[derive(Clone, Copy)]
enum Meaning {
    Identical,
    Duplicate,
    Passing,
    UnknownPost,
    NoMana,
    Final,
}

/// Sentences with their meaning and a hint for people. The first match counts.
const SENTENCES: &[(&str, Meaning, &str)] = &[
    ("identical to this vote", Meaning::Identical, ""),
    ("already voted in a similar way", Meaning::Identical, ""),
    ("Duplicate transaction", Meaning::Duplicate, ""),
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
    (
        "Please wait to transact",
        Meaning::Passing,
        "the voter is short of resource credits",
    ),
    (
        "enough mana",
        Meaning::NoMana,
        "mana regenerates by 20% a day",
    ),
    (
        "Voting weight is too small",
        Meaning::Final,
        "the voter needs more stake or more weight",
    ),
    ("maximum number of vote changes", Meaning::Final, ""),
    ("Vote weight cannot be 0", Meaning::Final, ""),
    (
        "declined their voting rights",
        Meaning::Final,
        "remove the voter from the rules",
    ),
    (
        "Votes are not allowed on the comment",
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
        Meaning::Final,
        "the voter must authorise the application again",
    ),
    (
        "doesn't have permission to broadcast",
        Meaning::Final,
        "the voter must authorise the application again",
    ),
    ("Unable to serialize transaction", Meaning::Final, ""),
    ("unknown key", Meaning::UnknownPost, ""),
    ("could not find account", Meaning::UnknownPost, ""),
    ("doesn't exist", Meaning::UnknownPost, ""),
    ("does not exist", Meaning::UnknownPost, ""),
];

/// Codes in `response.jse_info.code`, for answers without a text.
const RESOURCE_CREDITS: i64 = 4_100_100;
const MISSING_POSTING_AUTHORITY: i64 = 3_030_000;

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

    /// The description, or the name of the error if there is none.
    fn text(&self) -> &str {
        match self.description() {
            "" => self.error(),
            description => description,
        }
    }
}

fn text_of(value: Option<&serde_json::Value>) -> &str {
    value.and_then(|value| value.as_str()).unwrap_or_default()
}

/// The meaning of an answer to a broadcast, by its HTTP status, `Retry-After` and body.
pub fn judge(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Answer {
    let parsed: Option<Body> = serde_json::from_slice(body).ok();
    let said = parsed
        .as_ref()
        .map(|body| format!("{} {}", body.error(), body.description()))
        .unwrap_or_default();
    match status {
        200..=299 => accepted(parsed.as_ref(), &said),
        401 => unauthorized(parsed.as_ref(), &said),
        429 => Answer::Passing {
            text: "the signer asks for fewer requests (429)".to_owned(),
            retry_after,
        },
        500..=599 => match meaning(&said) {
            Some((meaning, hint)) => conclude(meaning, parsed.as_ref(), hint, retry_after),
            None => server_error(status, parsed.as_ref(), body),
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

fn accepted(body: Option<&Body>, said: &str) -> Answer {
    let Some(body) = body else {
        return Answer::Unknown("the signer's answer cannot be read".to_owned());
    };
    let id = body.result.as_ref().and_then(|result| result.get("id"));
    match id.and_then(serde_json::Value::as_str) {
        Some(id) => Answer::Done(Done::Accepted {
            trx_id: Some(id.to_owned()),
        }),
        // No signer answers a transaction like this.
        None => match meaning(said) {
            Some((meaning, hint)) => conclude(meaning, Some(body), hint, None),
            None => Answer::Unknown("the signer's answer names no transaction".to_owned()),
        },
    }
}

fn unauthorized(body: Option<&Body>, said: &str) -> Answer {
    let Some(body) = body else {
        return Answer::Passing {
            text: "the signer answered 401 without JSON".to_owned(),
            retry_after: None,
        };
    };
    if body.error() == "invalid_grant" {
        return Answer::Token(shorten(body.text()));
    }
    match meaning(said) {
        Some((Meaning::Passing, hint)) => conclude(Meaning::Passing, Some(body), hint, None),
        Some((_, hint)) => conclude(Meaning::Final, Some(body), hint, None),
        None => Answer::Final(format!("the signer refused: {}", shorten(body.text()))),
    }
}

fn server_error(status: u16, body: Option<&Body>, raw: &[u8]) -> Answer {
    match body.and_then(Body::code) {
        Some(RESOURCE_CREDITS) => conclude(
            Meaning::Passing,
            body,
            "the voter is short of resource credits",
            None,
        ),
        Some(MISSING_POSTING_AUTHORITY) => conclude(
            Meaning::Final,
            body,
            "the voter must authorise the application again",
            None,
        ),
        _ => Answer::Unknown(format!(
            "the signer answered {status}: {}",
            excerpt(body, raw)
        )),
    }
}

fn meaning(said: &str) -> Option<(Meaning, &'static str)> {
    SENTENCES
        .iter()
        .find(|(sentence, ..)| said.contains(sentence))
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

/// The start of a text, on one line.
pub(super) fn shorten(text: &str) -> String {
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
