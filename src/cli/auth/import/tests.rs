//! Tests of parsing tokens, and of the errors.

use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::ExposeSecret;

use crate::cli::auth::import::{Import, ImportError, read, text_of};
use crate::store::TokenRow;

/// 2026-06-01T00:00:00Z
const NOW: DateTime<Utc> = DateTime::from_timestamp(1_780_272_000, 0).unwrap();

fn problems(text: &str) -> Vec<String> {
    match read(text, NOW) {
        Err(ImportError::Entries(problems)) => problems.iter().map(ToString::to_string).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn entries_become_rows_in_order() {
    let rows = read(
        r#"[
            {"voter": "@Alice", "access_token": " aaa.\n", "refresh_token": "rrr", "expires_in": 604800},
            {"voter": "bob", "access_token": "bbb", "expires_at": "2026-06-02T01:00:00+01:00"},
            {"voter": "carol", "access_token": "ccc", "refresh_token": null, "expires_in": null}
        ]"#,
        NOW,
    )
    .unwrap()
    .rows;
    let row = |place: usize| {
        let row: &TokenRow = &rows[place];
        let refresh = row.refresh_token.as_ref().map(ExposeSecret::expose_secret);
        (
            row.voter.as_str(),
            row.access_token.expose_secret(),
            refresh,
            row.expires_at,
        )
    };
    let days = |days| Some(NOW + TimeDelta::days(days));
    assert_eq!(row(0), ("alice", "aaa.", Some("rrr"), days(7)));
    assert_eq!(row(1), ("bob", "bbb", None, days(1)));
    // Without an expiry, tokens have their usual life.
    assert_eq!(row(2), ("carol", "ccc", None, days(7)));
    assert_eq!(rows.len(), 3);
    assert!(read("[]", NOW).unwrap().rows.is_empty());
}

#[test]
fn an_expiry_that_cannot_be_true_is_refused() {
    for (at, why) in [
        ("2015-12-31T23:59:59Z", "before 2016"),
        ("+262142-12-31T23:59:59Z", "`expires_at` is not a time"),
        (
            "9999-12-31T23:59:59Z",
            "more than ten years ahead of the clock",
        ),
    ] {
        let entry = format!(r#"[{{"voter": "alice", "access_token": "a", "expires_at": "{at}"}}]"#);
        let told = problems(&entry);
        assert!(told.len() == 1 && told[0].contains(why), "{told:?}");
    }
}

#[test]
fn answers_of_the_signer_are_read_as_they_came() {
    let answer =
        r#"{"access_token":"aa","refresh_token":"bb","expires_in":604800,"username":"alice"}"#;
    let another = r#"{"access_token":"cc","expires_in":"1","token_type":"bearer","username":"bob","voter":"Bob"}"#;
    for text in [
        format!("[{answer}, {another}]"),
        format!("{answer}\n{another}\n"),
        format!("[{answer}]{another}"),
    ] {
        let rows = read(&text, NOW).unwrap().rows;
        let voters: Vec<&str> = rows.iter().map(|row| row.voter.as_str()).collect();
        assert_eq!(voters, ["alice", "bob"], "{text}");
        assert_eq!(rows[1].expires_at, Some(NOW + TimeDelta::seconds(1)));
    }
    assert_eq!(read(answer, NOW).unwrap().rows.len(), 1);
    assert_eq!(
        problems(&another.replace("Bob", "carol")),
        ["entry 1 (carol): `voter` and `username` are different accounts: remove one of them"]
    );
    for text in ["", " \n", "5", "\"alice\""] {
        assert!(
            matches!(read(text, NOW), Err(ImportError::NoEntries)),
            "{text}"
        );
    }
}

#[test]
fn a_refusal_of_the_signer_is_told_and_the_other_entries_are_imported() {
    let refused =
        r#"{"error":"invalid_grant","error_description":"The code or secret is not valid"}"#;
    let good = r#"{"access_token":"aa","expires_in":604800,"username":"alice"}"#;
    for text in [format!("[{refused}, {good}]"), format!("{good}{refused}")] {
        let Import { rows, refusals } = read(&text, NOW).unwrap();
        assert_eq!(rows.len(), 1);
        assert!(
            refusals[0].ends_with("The code or secret is not valid"),
            "{refusals:?}"
        );
    }
    let Import { refusals, .. } = read(r#"{"error":"server_error\u001b[2J"}"#, NOW).unwrap();
    assert_eq!(
        refusals,
        ["entry 1: the signer refused to give a token: server_error [2J"]
    );
}

#[test]
fn all_problems_of_all_entries_are_reported() {
    let problems = problems(
        r#"[
            {"voter": "alice", "access_token": "a", "expires_in": 1},
            {"voter": "al", "refresh_token": 5, "expires_in": "1h"},
            {"user": "bob", "access_token": "b b", "expires_at": "2026-07-01 12:00"},
            "carol",
            {"voter": "ALICE", "access_token": "a", "expires_in": 1, "expires_at": 2},
            {"voter": "dan", "access_token": "", "expires_in": 1782900000}
        ]"#,
    );
    assert_eq!(
        problems,
        [
            "entry 2 (al): `voter` is not the name of an account: an account name has 3 to 16 characters",
            "entry 2 (al): `access_token` is missing",
            "entry 2 (al): `refresh_token` is not a string",
            "entry 2 (al): `expires_in` is not a whole number of seconds from now, such as 604800",
            "entry 3: unknown key `user`: the keys are `voter`, `access_token`, `refresh_token`, `expires_at`, `expires_in`",
            "entry 3: `voter` is missing",
            "entry 3: `access_token` contains characters that are not allowed in a token: copy it again",
            "entry 3: `expires_at` is not a time: write it as \"2026-07-01T12:00:00Z\"",
            "entry 4: expected an object in braces",
            "entry 5 (ALICE): `expires_at` and `expires_in` are both given: keep one",
            "entry 5 (ALICE): entry 1 has the same voter: keep one of them",
            "entry 6 (dan): `access_token` is missing",
            "entry 6 (dan): `expires_in` is more than ten years: write seconds from now, or a time as `expires_at`",
        ]
    );
}

#[test]
fn the_cause_of_an_error_is_displayed_once() {
    for error in [
        text_of(Path::new("/nowhere/tokens.json")).unwrap_err(),
        read("[{]", NOW).unwrap_err(),
    ] {
        let cause = std::error::Error::source(&error).unwrap().to_string();
        let message = format!("{:#}", anyhow::Error::from(error));
        assert_eq!(message.matches(&cause).count(), 1, "{message}");
    }
}

#[test]
fn no_error_shows_a_token() {
    for text in [
        r#"[{"voter": "alice", "access_token": "s3cret s3cret", "refresh_token": ["s3cret"]}]"#,
        r#"[{"voter": "alice", "access_token": "s3cret" "s3cret"}]"#,
        r#"[{"voter": "alice", "access_token": s3cret}]"#,
        r#"{"access_token": "s3cret"}"#,
    ] {
        let error = read(text, NOW).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
