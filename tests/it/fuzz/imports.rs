//! Files of tokens, as `curatord auth import` reads them.

use chrono::{DateTime, TimeDelta, Utc};
use curatord::cli::auth::import;
use fastrand::Rng;
use serde_json::{Value, json};

use super::json::mutated;
use super::{assert_lines_harmless, fuzz, pick};

const ACCESS: &str = "eyJhbGciOiJIUzI1NiJ9.QUNDRVNT";
const REFRESH: &str = "eyJhbGciOiJIUzI1NiJ9.UkVGUkVTSA";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_714_564_900, 0).unwrap()
}

fn entry(rng: &mut Rng) -> Value {
    let voter = *pick(rng, &["alice", "bob", " @Carol ", "x", "bob"]);
    match rng.u8(..5) {
        0 => {
            json!({ "error": "invalid_grant", "error_description": "The code or secret is not valid" })
        }
        1 => json!({
            "voter": voter, "access_token": ACCESS, "refresh_token": REFRESH, "expires_at": "2026-07-01T12:00:00Z",
        }),
        2 => json!({ "voter": voter, "access_token": ACCESS }),
        _ => json!({
            "access_token": ACCESS, "refresh_token": REFRESH, "username": voter,
            "expires_in": *pick(rng, &[604_800, 0, -1, i64::MAX]), "token_type": "bearer", "scope": "vote,offline",
        }),
    }
}

fn file(rng: &mut Rng) -> Vec<u8> {
    let entries: Vec<_> = (0..rng.usize(1..5)).map(|_| entry(rng)).collect();
    if rng.bool() {
        return mutated(Value::Array(entries), rng);
    }
    let each = entries.into_iter().map(|entry| {
        let mut line = mutated(entry, rng);
        line.push(b'\n');
        line
    });
    each.collect::<Vec<_>>().concat()
}

/// No piece of a token is shown.
fn assert_no_token(text: &str) {
    for token in [ACCESS, REFRESH] {
        let pieces = token.as_bytes()[20..].windows(6);
        for piece in pieces.map(|piece| std::str::from_utf8(piece).unwrap()) {
            assert!(!text.contains(piece), "{piece} in {text}");
        }
    }
}

#[test]
fn imports_of_any_content_are_read_without_showing_a_token() {
    fuzz(file, |bytes| {
        // The rest is refused when the file is read.
        let Ok(text) = std::str::from_utf8(&bytes) else {
            return;
        };
        match import::read(text, now()) {
            Ok(import) => {
                for refusal in import.refusals {
                    assert_lines_harmless(&refusal);
                    assert_no_token(&refusal);
                }
                for row in import.rows {
                    assert!(
                        row.expires_at
                            .is_none_or(|at| at - now() < TimeDelta::days(3_660))
                    );
                    assert_no_token(&format!("{row:?}"));
                }
            }
            Err(error) => {
                assert_lines_harmless(&error.to_string());
                assert_no_token(&format!("{error} {error:?}"));
            }
        }
    });
}
