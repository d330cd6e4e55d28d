//! Rows of `steem_authorization`, which other programs write too: names in capitals or with `@`,
//! empty columns, and local times.

use std::collections::BTreeMap;

use chrono::offset::LocalResult;
use chrono::{DateTime, Duration, NaiveDateTime, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::account::Account;
use crate::moment;

/// A row of `steem_authorization`.
#[derive(Debug, Clone)]
pub struct TokenRow {
    /// The account that votes.
    pub voter: Account,
    /// Empty if the row has none.
    pub access_token: SecretString,
    /// Empty columns are `None`.
    pub refresh_token: Option<SecretString>,
    /// When the access token expires; `None` if the row does not say.
    pub expires_at: Option<DateTime<Utc>>,
}

impl TokenRow {
    /// A mark of the refresh token, under which its refusal is reported once. Does not tell the token.
    pub fn refused_mark(&self) -> Option<String> {
        let token = self.refresh_token.as_ref()?.expose_secret();
        let hash = Sha256::digest(token);
        let mark: String = hash[..8].iter().map(|byte| format!("{byte:02x}")).collect();
        Some(format!("dead:{}:{mark}", self.voter))
    }
}

/// The result of a refresh.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// Authorises votes of the account.
    pub access_token: SecretString,
    /// Brings the next access token.
    pub refresh_token: SecretString,
    /// When the access token expires.
    pub expires_at: DateTime<Utc>,
}

/// A row as it is in the table.
#[derive(Clone, sqlx::FromRow)]
pub(super) struct StoredToken {
    pub id: i64,
    pub access_token: Option<String>,
    pub refresh_token: Option<String>,
    /// Local time as text, so that a row with another value, such as MySQL's zero date, can be read.
    pub expires_in: Option<String>,
}

impl StoredToken {
    /// The row as we use it; `voter` is the account of its login.
    pub fn read(self, voter: Account, zone: Tz) -> TokenRow {
        let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let expires_at = self.expires_in.and_then(|text| local_time(&text, zone));
        let possible = expires_at
            .map(|at| moment::stored("the expiry", at))
            .transpose();
        let expires_at = possible.unwrap_or_else(|error| {
            tracing::warn!(
                "row {} of steem_authorization, of @{voter}: {error}: taken as unknown",
                self.id
            );
            None
        });
        TokenRow {
            voter,
            access_token: filled(self.access_token).unwrap_or_default().into(),
            refresh_token: filled(self.refresh_token).map(SecretString::from),
            expires_at,
        }
    }
}

/// A number for each voter that changes when the voter's row does, and what is wrong with rows.
#[derive(Debug)]
pub struct TokenMarks {
    /// In order of the names.
    pub marks: Vec<(Account, u64)>,
    /// Rows that are left out.
    pub doubts: Vec<RowDoubt>,
}

/// Why a row of `steem_authorization` is left out. Never holds a token.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RowDoubt {
    /// A column holds bytes that are not text.
    #[error(
        "row {id} of steem_authorization (user_login {login:?}) is left out: it holds bytes that are not UTF-8 text; \
         its voter must log in again"
    )]
    Unreadable {
        /// The row.
        id: i64,
        /// The login, as far as it is text.
        login: String,
    },
    /// Two rows are for one account.
    #[error(
        "rows {used} and {unused} of steem_authorization are both for @{voter}: row {used} is used, remove the other"
    )]
    Double {
        /// The account.
        voter: Account,
        /// The row that counts.
        used: i64,
        /// The row that does not.
        unused: i64,
    },
}

/// The id of each account's row and what was read with it, given ids and logins. Of two rows that normalise to one
/// name, the one with exactly that name counts, else the one written last. Logins that cannot be an account are left out.
pub(super) fn by_account<T>(
    rows: impl IntoIterator<Item = (i64, Vec<u8>, T)>,
    doubts: &mut Vec<RowDoubt>,
) -> BTreeMap<Account, (i64, T)> {
    let mut found: BTreeMap<Account, (bool, i64, T)> = BTreeMap::new();
    for (id, login, read) in rows {
        let Ok(login) = String::from_utf8(login) else {
            let login = String::new();
            doubts.push(RowDoubt::Unreadable { id, login });
            continue;
        };
        let Ok(voter) = Account::parse(login.trim()) else {
            continue;
        };
        let is_exact = login == voter.as_str();
        let better = match found.get(&voter) {
            Some((was_exact, known, _)) => {
                let better = (is_exact, id) > (*was_exact, *known);
                let (used, unused) = if better { (id, *known) } else { (*known, id) };
                doubts.push(RowDoubt::Double {
                    voter: voter.clone(),
                    used,
                    unused,
                });
                better
            }
            None => true,
        };
        if better {
            found.insert(voter, (is_exact, id, read));
        }
    }
    let found = found.into_iter();
    found
        .map(|(voter, (_, id, read))| (voter, (id, read)))
        .collect()
}

/// Reads a local time. Of a time that daylight saving time repeats, the earlier one counts; a time that it skips is
/// moved forward by the length of the gap.
pub(super) fn local_time(text: &str, zone: Tz) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.to_utc());
    }
    let local = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())?;
    match zone.from_local_datetime(&local) {
        LocalResult::Single(moment) | LocalResult::Ambiguous(moment, _) => Some(moment.to_utc()),
        LocalResult::None => {
            // No zone moves its clock by more than a few hours.
            let before = local.checked_sub_signed(Duration::hours(4))?;
            let before = zone.from_local_datetime(&before).earliest()?;
            before.to_utc().checked_add_signed(Duration::hours(4))
        }
    }
}

/// A moment as local time, in whole seconds.
pub(super) fn local(moment: DateTime<Utc>, zone: Tz) -> NaiveDateTime {
    let local = moment.with_timezone(&zone).naive_local();
    local.with_nanosecond(0).unwrap_or(local)
}

#[cfg(test)]
mod tests {
    use chrono_tz::TZ_VARIANTS;
    use proptest::prelude::{any, proptest};

    use super::*;

    #[test]
    fn a_time_that_daylight_saving_time_repeats_is_the_earlier_one() {
        let zone = chrono_tz::Europe::Amsterdam;
        for (text, utc) in [
            ("2026-10-25 02:30:00", "2026-10-25T00:30:00Z"),
            ("2026-03-29 02:30:00", "2026-03-29T01:30:00Z"),
            ("2026-07-01 12:00:00", "2026-07-01T10:00:00Z"),
            ("2026-07-01T12:00:00.250", "2026-07-01T10:00:00.250Z"),
            ("2026-07-01T12:00:00Z", "2026-07-01T12:00:00Z"),
        ] {
            let utc = DateTime::parse_from_rfc3339(utc).unwrap().to_utc();
            assert_eq!(local_time(text, zone), Some(utc), "{text}");
        }
        for text in ["", "0000-00-00 00:00:00", "tomorrow"] {
            assert_eq!(local_time(text, zone), None, "{text}");
        }
    }

    #[test]
    fn an_expiry_that_cannot_be_true_is_unknown() {
        for (text, is_known) in [
            ("2026-06-08 12:00:00", true),
            ("-262143-01-01 00:00:00", false),
            ("+262142-12-31 23:59:59", false),
            ("2200-01-02T00:00:00Z", false),
            ("1999-12-31 23:59:59", false),
        ] {
            let row = StoredToken {
                id: 1,
                access_token: Some("token".to_owned()),
                refresh_token: None,
                expires_in: Some(text.to_owned()),
            };
            for zone in [Tz::UTC, Tz::Pacific__Kiritimati, Tz::America__Adak] {
                let row = row.clone().read(Account::from_chain("alice"), zone);
                assert_eq!(row.expires_at.is_some(), is_known, "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_moment_makes_a_row_panic(millis in any::<i64>(), text in any::<String>(), zone in 0..TZ_VARIANTS.len()) {
            let zone = TZ_VARIANTS[zone];
            let _ = local_time(&text, zone);
            let ends = [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC];
            for moment in DateTime::from_timestamp_millis(millis).into_iter().chain(ends) {
                let _ = local_time(&moment.naive_utc().to_string(), zone);
                let _ = local_time(&moment.to_rfc3339(), zone);
            }
        }
    }

    fn used(rows: &[(i64, &str)]) -> (Vec<(String, i64)>, Vec<String>) {
        let mut doubts = Vec::new();
        let rows = rows
            .iter()
            .map(|(id, login)| (*id, login.as_bytes().to_vec(), ()));
        let used = by_account(rows, &mut doubts);
        let used = used.iter().map(|(name, (id, ()))| (name.to_string(), *id));
        (
            used.collect(),
            doubts.iter().map(ToString::to_string).collect(),
        )
    }

    #[test]
    fn of_two_rows_for_one_account_the_newer_counts() {
        let (rows, _) = used(&[(7, "Alice"), (3, "@alice"), (4, "?"), (5, " bob ")]);
        assert_eq!(rows, [("alice".to_owned(), 7), ("bob".to_owned(), 5)]);
    }

    #[test]
    fn of_two_rows_for_one_account_an_exact_name_counts_and_both_are_named() {
        for rows in [
            [(3, "alice"), (7, " ALICE ")],
            [(7, " ALICE "), (3, "alice")],
        ] {
            let (rows, doubts) = used(&rows);
            assert_eq!(rows, [("alice".to_owned(), 3)]);
            let text = "rows 3 and 7 of steem_authorization are both for @alice: row 3 is used, remove the other";
            assert_eq!(doubts, [text]);
        }
    }

    #[test]
    fn the_mark_of_a_refresh_token_changes_with_it_and_does_not_tell_it() {
        let mark = |token: &str| {
            let row = TokenRow {
                voter: Account::from_chain("a234567890123456"),
                access_token: "access".into(),
                refresh_token: Some(token.into()),
                expires_at: None,
            };
            row.refused_mark().unwrap()
        };
        assert_ne!(mark("one"), mark("two"));
        assert!(mark("s3cret").len() <= 64 && !mark("s3cret").contains("s3cret"));
    }
}
