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
fn both_forms_of_an_accepted_vote_are_done() {
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
fn an_identical_vote_and_a_duplicate_transaction_are_done() {
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
fn temporary_trouble_is_passing() {
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
fn a_rate_limit_is_passing_and_keeps_its_retry_after() {
    let wait = Some(Duration::from_secs(7));
    assert!(
        matches!(judge(429, wait, b"slow down"), Answer::Passing { retry_after, .. } if retry_after == wait)
    );
}

#[test]
fn only_an_invalid_grant_needs_a_new_token() {
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
fn a_vote_that_the_chain_never_accepts_is_final() {
    for text in [
        "o.weight != 0: Vote weight cannot be 0.",
        "voter.can_vote: Voter has declined their voting rights.",
        "comment.allow_votes: Votes are not allowed on the comment.",
        "Comment is actively being rewarded. Cannot vote on comment.",
        "itr->num_changes < STEEM_MAX_VOTE_CHANGES: Voter has used the maximum number of vote changes on this comment.",
        "abs_rshares > STEEM_VOTE_DUST_THRESHOLD: Voting weight is too small, please accumulate more voting power or steem power.",
        "Unable to serialize transaction: weight",
    ] {
        assert!(matches!(chain_says(text), Answer::Final(_)), "{text}");
    }
}

#[test]
fn lacking_mana_and_unknown_posts_have_meanings_of_their_own() {
    let mana = "Account does not have enough mana to vote. voting_mana: 1 required_mana: 2";
    // `curatord vote` shows this text: it has no rule that handles lacking mana.
    let Answer::NoMana(text) = chain_says(mana) else {
        panic!("{:?}", chain_says(mana));
    };
    assert!(text.ends_with("(mana regenerates by 20% a day)"), "{text}");
    for text in [
        "unknown key: ",
        "Comment bob/post-1 doesn't exist",
        "could not find account bob",
    ] {
        assert!(matches!(chain_says(text), Answer::UnknownPost(_)), "{text}");
    }
}

#[test]
fn the_code_decides_if_the_text_is_missing() {
    let with_code = |code: i64| {
        let body = serde_json::json!({
            "error": "server_error", "error_description": "", "response": {"jse_info": {"code": code}}
        });
        judge(500, None, body.to_string().as_bytes())
    };
    assert!(matches!(with_code(4_100_100), Answer::Passing { .. }));
    assert!(matches!(
        with_code(3_030_000),
        Answer::NoAuthority { of_app: false, .. }
    ));
    for expired in [4_030_100, 4_030_200] {
        assert!(matches!(with_code(expired), Answer::Passing { .. }));
    }
    // The chain has looked at the vote and says no.
    assert!(matches!(with_code(10), Answer::Final(_)));
    assert!(matches!(with_code(4), Answer::Unknown(_)));
}

#[test]
fn a_text_that_is_not_known_is_decided_by_the_code() {
    for (code, is_final) in [(10, true), (0, false)] {
        let body = serde_json::json!({
            "error": "server_error", "error_description": "a sentence of next year",
            "response": {"name": "RPCError", "jse_info": {"code": code}}
        });
        let answer = judge(500, None, body.to_string().as_bytes());
        assert_eq!(matches!(answer, Answer::Final(_)), is_final, "{answer:?}");
        assert_eq!(
            matches!(answer, Answer::Unknown(_)),
            !is_final,
            "{answer:?}"
        );
    }
}

#[test]
fn the_exception_counts_if_the_description_is_empty() {
    let body = serde_json::json!({
        "error": "server_error", "error_description": "",
        "response": {"message": "Voter has declined their voting rights.", "jse_info": {"code": 10}}
    });
    let Answer::Final(text) = judge(500, None, body.to_string().as_bytes()) else {
        panic!("not final")
    };
    assert!(text.starts_with("Voter has declined"), "{text}");
}

#[test]
fn sentences_are_found_regardless_of_case() {
    let says = |text: &str| {
        // As SteemConnect answers: no code.
        let body = serde_json::json!({"error": "server_error", "error_description": text});
        judge(500, None, body.to_string().as_bytes())
    };
    for text in [
        "Missing Posting Authority alice",
        "missing posting authority alice",
    ] {
        assert!(
            matches!(says(text), Answer::NoAuthority { of_app: false, .. }),
            "{text}"
        );
    }
    let text = "YOUR CURRENT VOTE ON THIS COMMENT IS IDENTICAL TO THIS VOTE.";
    assert_eq!(says(text), Answer::Done(Done::Identical));
    let text = "account does not have Enough Mana to vote.";
    assert!(matches!(says(text), Answer::NoMana(_)));
    let text = "PLEASE WAIT TO TRANSACT";
    assert!(matches!(says(text), Answer::Passing { .. }));
}

#[test]
fn a_missing_authority_names_the_account_that_must_give_it() {
    let voter = "The app @my.app doesn't have permission to broadcast for @carol";
    let app = "Broadcaster account doesn't have permission to broadcast for @my.app";
    for (said, is_of_app, advice) in [
        (voter, false, "the voter must authorise the application"),
        (app, true, "the account of the application must give"),
    ] {
        let Answer::NoAuthority { of_app, text } = refuses("unauthorized_client", said) else {
            panic!("{said}")
        };
        assert_eq!(of_app, is_of_app, "{said}");
        assert!(text.contains(said) && text.contains(advice), "{text}");
    }
    // The exact text of a node behind HiveSigner.
    let text = r#"Missing Posting Authority alice posting={"weight_threshold":1,"account_auths":[["my.app",1]],"key_auths":[]}"#;
    let answer = chain_says(text);
    assert!(
        matches!(answer, Answer::NoAuthority { of_app: false, .. }),
        "{answer:?}"
    );
}

#[test]
fn a_token_is_refused_in_the_words_of_both_standards() {
    for (status, error) in [
        (400, "invalid_grant"),
        (401, "invalid_grant"),
        (401, "invalid_token"),
        (403, "expired_token"),
    ] {
        let body = serde_json::json!({"error": error, "error_description": "no"});
        let answer = judge(status, None, body.to_string().as_bytes());
        assert_eq!(answer, Answer::Token("no".to_owned()), "{status} {error}");
    }
}

#[test]
fn an_unreadable_answer_is_unknown() {
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
fn an_html_page_is_named_and_not_shown() {
    let Answer::Unknown(text) = judge(502, None, b"<html>secret</html>") else {
        panic!("not unknown")
    };
    assert_eq!(
        text,
        "the signer answered 502: an HTML page from a proxy in front of it"
    );
}

#[test]
fn long_texts_are_cut() {
    let Answer::Unknown(text) = chain_says(&"ä".repeat(5_000)) else {
        panic!("not unknown")
    };
    assert!(text.chars().count() < MAX_TEXT + 60);
}

proptest::proptest! {
    #[test]
    fn no_answer_makes_judge_panic(status in 0u16..=999, body in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        let _ = judge(status, None, &body);
    }
}
