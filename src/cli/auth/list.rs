//! `curatord auth list`: the state of each voter's token. The token itself is not shown.

use std::collections::HashSet;
use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use comfy_table::{Table, presets};
use secrecy::ExposeSecret;
use serde::Serialize;

use crate::account::Account;
use crate::store::TokenRow;

/// State of a token, ordered from worst to best as in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenState {
    /// The voter can vote only after a refresh.
    NoAccessToken,
    /// The signer has refused the refresh token for good: the voter must log in again.
    Dead,
    /// The access token has expired.
    Expired,
    /// The token is valid until it expires; then the voter must log in again.
    NoRefreshToken,
    /// The row does not say when the access token expires.
    UnknownExpiry,
    /// The token is about to be refreshed.
    ExpiresSoon,
    /// It works, and is not refreshed yet.
    Valid,
}

impl TokenState {
    /// The state of `row` at `now`. Tokens are refreshed when less than `refresh_ahead` is left. `refused` says that the
    /// signer has refused the refresh token.
    pub fn of(row: &TokenRow, refused: bool, now: DateTime<Utc>, refresh_ahead: Duration) -> Self {
        let left = row.expires_at.map(|at| at - now);
        let has_access = !row.access_token.expose_secret().is_empty();
        match left {
            _ if refused => Self::Dead,
            _ if !has_access => Self::NoAccessToken,
            Some(left) if left <= TimeDelta::zero() => Self::Expired,
            _ if row.refresh_token.is_none() => Self::NoRefreshToken,
            None => Self::UnknownExpiry,
            Some(left) if left.to_std().is_ok_and(|left| left < refresh_ahead) => Self::ExpiresSoon,
            Some(_) => Self::Valid,
        }
    }
}

impl fmt::Display for TokenState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::NoAccessToken => "no access token",
            Self::Dead => "dead",
            Self::Expired => "expired",
            Self::NoRefreshToken => "no refresh token",
            Self::UnknownExpiry => "unknown expiry",
            Self::ExpiresSoon => "expires soon",
            Self::Valid => "valid",
        })
    }
}

/// One voter in the list.
#[derive(Debug, Serialize)]
pub struct Entry {
    voter: String,
    state: TokenState,
    /// RFC 3339, UTC.
    expires_at: Option<String>,
    /// Negative if the token has expired.
    seconds_left: Option<i64>,
    has_refresh_token: bool,
}

/// The list, worst first, then by name. The signer has refused the refresh tokens of the voters in `refused`.
pub fn entries(
    rows: &[TokenRow],
    refused: &HashSet<Account>,
    now: DateTime<Utc>,
    refresh_ahead: Duration,
) -> Vec<Entry> {
    let mut entries: Vec<Entry> = rows
        .iter()
        .map(|row| Entry {
            voter: row.voter.to_string(),
            state: TokenState::of(row, refused.contains(&row.voter), now, refresh_ahead),
            expires_at: row
                .expires_at
                .map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)),
            seconds_left: row.expires_at.map(|at| (at - now).num_seconds()),
            has_refresh_token: row.refresh_token.is_some(),
        })
        .collect();
    entries.sort_by(|left, right| (left.state, &left.voter).cmp(&(right.state, &right.voter)));
    entries
}

/// Writes the list as a table.
///
/// # Errors
/// `out` cannot be written.
pub fn write_table(entries: &[Entry], out: &mut impl Write) -> io::Result<()> {
    if entries.is_empty() {
        return writeln!(
            out,
            "No voter has a token. Import tokens with `curatord auth import FILE`."
        );
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header([
        "VOTER",
        "STATE",
        "EXPIRES",
        "TIME LEFT",
        "REFRESH TOKEN",
    ]);
    for entry in entries {
        table.add_row([
            entry.voter.clone(),
            entry.state.to_string(),
            entry.expires_at.clone().unwrap_or_else(|| "-".to_owned()),
            entry.seconds_left.map_or("-".to_owned(), time_left),
            match (entry.state, entry.has_refresh_token) {
                (TokenState::Dead, _) => "dead",
                (_, true) => "yes",
                (_, false) => "no",
            }
            .to_owned(),
        ]);
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim())?;
    }
    Ok(())
}

/// Writes the list as one JSON object per line.
///
/// # Errors
/// `out` cannot be written.
pub fn write_json(entries: &[Entry], out: &mut impl Write) -> io::Result<()> {
    for entry in entries {
        serde_json::to_writer(&mut *out, entry)?;
        writeln!(out)?;
    }
    Ok(())
}

/// Formats a duration in its two largest units: `6d 23h`, `5m 10s`, `2h 0m ago`.
fn time_left(seconds: i64) -> String {
    let left = seconds.unsigned_abs();
    let (days, hours, minutes) = (left / 86_400, left / 3_600 % 24, left / 60 % 60);
    let text = match (days, hours, minutes) {
        (0, 0, 0) => format!("{left}s"),
        (0, 0, _) => format!("{minutes}m {}s", left % 60),
        (0, _, _) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    };
    if seconds < 0 { text + " ago" } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;
    const AHEAD: Duration = Duration::from_secs(56 * 3_600);

    fn row(voter: &str, access: &str, refresh: Option<&str>, seconds: Option<i64>) -> TokenRow {
        TokenRow {
            voter: Account::from_chain(voter),
            access_token: access.into(),
            refresh_token: refresh.map(Into::into),
            expires_at: seconds.map(|seconds| NOW + TimeDelta::seconds(seconds)),
        }
    }

    fn rows() -> Vec<TokenRow> {
        vec![
            row("valid", "s3cret", Some("s3cret"), Some(604_800)),
            row("edge", "s3cret", Some("s3cret"), Some(56 * 3_600)),
            row("soon", "s3cret", Some("s3cret"), Some(56 * 3_600 - 1)),
            row("over", "s3cret", Some("s3cret"), Some(0)),
            row("blank", "", Some("s3cret"), None),
            row("alone", "s3cret", None, Some(604_800)),
            row("unclear", "s3cret", Some("s3cret"), None),
            row("old", "s3cret", None, Some(-7_260)),
            row("dead", "s3cret", Some("s3cret"), Some(604_800)),
        ]
    }

    fn refused() -> HashSet<Account> {
        [Account::from_chain("dead")].into()
    }

    #[test]
    fn the_list_shows_the_state_of_each_token_worst_first() {
        let mut out = Vec::new();
        write_table(&entries(&rows(), &refused(), NOW, AHEAD), &mut out).unwrap();
        let lines = String::from_utf8(out).unwrap();
        let lines: Vec<String> = lines
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(
            lines,
            [
                "VOTER STATE EXPIRES TIME LEFT REFRESH TOKEN",
                "blank no access token - - yes",
                "dead dead 1970-01-08T00:00:00Z 7d 0h dead",
                "old expired 1969-12-31T21:59:00Z 2h 1m ago no",
                "over expired 1970-01-01T00:00:00Z 0s yes",
                "alone no refresh token 1970-01-08T00:00:00Z 7d 0h no",
                "unclear unknown expiry - - yes",
                "soon expires soon 1970-01-03T07:59:59Z 2d 7h yes",
                "edge valid 1970-01-03T08:00:00Z 2d 8h yes",
                "valid valid 1970-01-08T00:00:00Z 7d 0h yes",
            ]
        );
    }

    #[test]
    fn json_is_one_object_per_line_and_contains_no_token() {
        let mut out = Vec::new();
        write_json(&entries(&rows(), &refused(), NOW, AHEAD), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(!text.contains("s3cret"));
        assert_eq!(text.lines().count(), rows().len());
        assert_eq!(
            text.lines().nth(6),
            Some(
                r#"{"voter":"soon","state":"expires_soon","expires_at":"1970-01-03T07:59:59Z","seconds_left":201599,"has_refresh_token":true}"#
            )
        );
    }

    #[test]
    fn an_empty_list_says_what_to_do() {
        let mut out = Vec::new();
        write_table(&[], &mut out).unwrap();
        assert!(String::from_utf8(out).unwrap().contains("auth import"));
    }
}
