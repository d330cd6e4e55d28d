//! What an answer of the signer means: the one place that judges it.
//!
//! The texts are those of hivesigner-api, SteemConnect v2, hived and steemd. The chain's texts come with
//! the failed expression in front and details behind, so a sentence is looked for anywhere in the text.

use std::time::Duration;

use serde::Deserialize;

/// What came of a broadcast, by what there is to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The vote is on its way or already there.
    Done(Done),
    /// Nobody knows whether it reached the chain: look there before anything else.
    Unknown(String),
    /// It did not reach the chain, for a cause that passes: try again.
    Passing {
        text: String,
        retry_after: Option<Duration>,
    },
    /// The access token was refused: refresh it once, then try again.
    Token(String),
    /// The signer's node does not know the post, which may be a matter of seconds.
    UnknownPost(String),
    /// The voter's mana does not suffice.
    NoMana(String),
    /// Trying again would bring the same.
    Final(String),
}

/// How a vote came to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Done {
    /// Taken by a node; not in a block yet.
    Accepted { trx_id: Option<String> },
    /// The same vote stands on the post already.
    Identical,
    /// This very transaction is known already.
    Duplicate,
}

/// What a sentence in an answer means.
#[derive(Clone, Copy)]
enum Meaning {
    Identical,
    Duplicate,
    Passing,
    UnknownPost,
    NoMana,
    Final,
}

/// A sentence, what it means, and what a person can do about it. The first that is found counts.
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
        "the voter's mana flows back, 20% a day",
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
        "take the voter out of the rules",
    ),
    (
        "Votes are not allowed on the comment",
        Meaning::Final,
        "the author switched votes off",
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

/// Codes in `response.jse_info.code`, for texts that do not reach us.
const RESOURCE_CREDITS: i64 = 4_100_100;
const MISSING_POSTING_AUTHORITY: i64 = 3_030_000;

/// Texts of others are cut to so many characters.
const LONGEST_TEXT: usize = 600;

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
        self.error
            .as_ref()
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
    }

    fn description(&self) -> &str {
        self.error_description
            .as_ref()
            .and_then(serde_json::Value::as_str)
            .unwrap_or_default()
    }

    fn code(&self) -> Option<i64> {
        self.response
            .as_ref()?
            .get("jse_info")?
            .get("code")?
            .as_i64()
    }

    /// What the answer says for people: the description, else the error's name.
    fn text(&self) -> &str {
        if self.description().is_empty() {
            self.error()
        } else {
            self.description()
        }
    }
}

/// Judges an answer by its status, its `Retry-After` and its body.
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
        // The request was turned away before anything could be done with it. Should the cause be ours, it
        // ends with `casting.retry_for`; should it be a proxy's mood, no vote is lost.
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
        // Nothing that a signer says of a transaction.
        None => match meaning(said) {
            Some((meaning, hint)) => conclude(meaning, Some(body), hint, None),
            None => Answer::Unknown("the signer's answer names no transaction".to_owned()),
        },
    }
}

fn unauthorized(body: Option<&Body>, said: &str) -> Answer {
    let Some(body) = body else {
        return Answer::Passing {
            text: "the signer answered 401 with a page instead of an answer".to_owned(),
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

/// A few words of an answer for people; of a page only that it is one.
pub(super) fn excerpt_of(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.is_empty() {
        "nothing".to_owned()
    } else if text.starts_with('<') {
        "a page of HTML, from a proxy in front of it".to_owned()
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

fn shorten(text: &str) -> String {
    let mut short: String = text
        .chars()
        .take(LONGEST_TEXT)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if text.chars().nth(LONGEST_TEXT).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain_says(text: &str) -> Answer {
        let body =
            serde_json::json!({"error": "server_error", "error_description": text, "response": {}});
        judge(500, None, body.to_string().as_bytes())
    }

    fn refuses(error: &str, text: &str) -> Answer {
        let body = serde_json::json!({"error": error, "error_description": text});
        judge(401, None, body.to_string().as_bytes())
    }

    #[test]
    fn both_shapes_of_an_accepted_vote_are_done() {
        for body in [
            r#"{"result":{"id":"054fba33e8f72e29cb5fd1fbaaa69913b1750183"}}"#,
            r#"{"result":{"id":"054fba33e8f72e29cb5fd1fbaaa69913b1750183","block_num":7,"trx_num":1,"expired":false,"operations":[]}}"#,
        ] {
            let trx_id = Some("054fba33e8f72e29cb5fd1fbaaa69913b1750183".to_owned());
            assert_eq!(
                judge(200, None, body.as_bytes()),
                Answer::Done(Done::Accepted { trx_id })
            );
        }
    }

    #[test]
    fn a_vote_that_stands_already_is_done() {
        for text in [
            "itr->get_vote_percent() != o.weight && \"Your current vote on this comment is identical to this vote.\": Your current vote on this comment is identical to this vote. category=chain subject_type=voting subject=alice",
            "itr->vote_percent != o.weight: You have already voted in a similar way.",
        ] {
            assert_eq!(chain_says(text), Answer::Done(Done::Identical));
        }
        let text = "!is_known_transaction( trx_id ): Duplicate transaction check failed trx_id=e5a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3";
        assert_eq!(chain_says(text), Answer::Done(Done::Duplicate));
    }

    #[test]
    fn trouble_of_the_signers_node_passes() {
        let answer = refuses(
            "unauthorized_client",
            "The app @my.app or user @alice account failed to load",
        );
        assert!(matches!(answer, Answer::Passing { .. }), "{answer:?}");
        for text in [
            "( now - auth.last_vote_time ).to_seconds() >= 3: Can only vote once every 3 seconds."
                .to_owned(),
            "STEEM_MIN_VOTE_INTERVAL_SEC: Can only vote once every 3 seconds.".to_owned(),
            "Account: alice has 12 RC, needs 34 RC. Please wait to transact, or power up HIVE."
                .to_owned(),
            "transaction expiration exception".to_owned(),
        ] {
            assert!(
                matches!(chain_says(&text), Answer::Passing { .. }),
                "{text}"
            );
        }
    }

    #[test]
    fn too_many_requests_passes_after_the_time_the_signer_names() {
        let wait = Some(Duration::from_secs(7));
        assert!(
            matches!(judge(429, wait, b"slow down"), Answer::Passing { retry_after, .. } if retry_after == wait)
        );
    }

    #[test]
    fn only_an_invalid_grant_asks_for_a_new_token() {
        for text in [
            "The token has invalid role",
            "The access_token has been revoked",
        ] {
            assert_eq!(
                refuses("invalid_grant", text),
                Answer::Token(text.to_owned())
            );
        }
        for (error, text) in [
            (
                "unauthorized_client",
                "The app @my.app doesn't have permission to broadcast for @carol",
            ),
            (
                "unauthorized_client",
                "Broadcaster account doesn't have permission to broadcast for @my.app",
            ),
            (
                "unauthorized_client",
                "This access_token allow you to broadcast transaction only for the account @alice",
            ),
            (
                "invalid_scope",
                "The access_token scope does not allow the following operation(s): vote",
            ),
            (
                "unauthorized_access",
                "The IP ::ffff:127.0.0.1 is not authorized",
            ),
        ] {
            assert!(
                matches!(refuses(error, text), Answer::Final(said) if said.contains(text)),
                "{text}"
            );
        }
    }

    #[test]
    fn what_the_chain_will_never_take_is_final() {
        for text in [
            "o.weight != 0: Vote weight cannot be 0.",
            "voter.can_vote: Voter has declined their voting rights.",
            "comment.allow_votes: Votes are not allowed on the comment.",
            "Comment is actively being rewarded. Cannot vote on comment.",
            "itr->num_changes < STEEM_MAX_VOTE_CHANGES: Voter has used the maximum number of vote changes on this comment.",
            "abs_rshares > STEEM_VOTE_DUST_THRESHOLD: Voting weight is too small, please accumulate more voting power or steem power.",
            "missing required posting authority:Missing Posting Authority alice",
            "Unable to serialize transaction: weight",
        ] {
            assert!(matches!(chain_says(text), Answer::Final(_)), "{text}");
        }
    }

    #[test]
    fn mana_and_unknown_posts_are_told_apart_from_the_rest() {
        let mana = "Account does not have enough mana to vote. voting_mana: 1 required_mana: 2";
        // Votes by hand have no rule that could say something.
        let Answer::NoMana(text) = chain_says(mana) else {
            panic!("{:?}", chain_says(mana));
        };
        assert!(
            text.ends_with("(the voter's mana flows back, 20% a day)"),
            "{text}"
        );
        for text in [
            "unknown key: ",
            "Comment bob/post-1 doesn't exist",
            "could not find account bob",
        ] {
            assert!(matches!(chain_says(text), Answer::UnknownPost(_)), "{text}");
        }
    }

    #[test]
    fn codes_speak_where_the_text_is_lost() {
        let with_code = |code: i64| {
            let body = serde_json::json!({
                "error": "server_error", "error_description": "", "response": {"jse_info": {"code": code}}
            });
            judge(500, None, body.to_string().as_bytes())
        };
        assert!(matches!(
            with_code(RESOURCE_CREDITS),
            Answer::Passing { .. }
        ));
        assert!(matches!(
            with_code(MISSING_POSTING_AUTHORITY),
            Answer::Final(_)
        ));
        assert!(matches!(with_code(10), Answer::Unknown(_)));
    }

    #[test]
    fn what_nobody_can_read_is_unknown() {
        for (status, body) in [
            (200, &b""[..]),
            (200, b"<html>"),
            (200, br#"{"result":null}"#),
            (200, br#"{"result":[1,"two",null]}"#),
            (200, br#"{"result":{"id":17}}"#),
            (200, b"[1,2"),
            (500, b""),
            (
                500,
                br#"{"error":"server_error","error_description":"[ECONNRESET] tried 2 times"}"#,
            ),
            (
                500,
                br#"{"error":"server_error","error_description":{"a":1}}"#,
            ),
            (502, b"<html><body>Bad gateway</body></html>"),
            (520, b"<!DOCTYPE html>"),
        ] {
            assert!(
                matches!(judge(status, None, body), Answer::Unknown(_)),
                "{status} {body:?}"
            );
        }
    }

    #[test]
    fn a_page_is_called_a_page_and_not_shown() {
        let Answer::Unknown(text) = judge(502, None, b"<html>secret</html>") else {
            panic!("not unknown")
        };
        assert_eq!(
            text,
            "the signer answered 502: a page of HTML, from a proxy in front of it"
        );
    }

    #[test]
    fn long_texts_are_cut() {
        let Answer::Unknown(text) = chain_says(&"ä".repeat(5_000)) else {
            panic!("not unknown")
        };
        assert!(text.chars().count() < LONGEST_TEXT + 60);
    }

    proptest::proptest! {
        #[test]
        fn no_answer_breaks_the_judge(status in 0u16..=999, body in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let _ = judge(status, None, &body);
        }
    }
}
