//! Rows of `steem_authorization`, which other programs write too: names in capitals or with `@`,
//! empty columns, and local times.

use std::collections::BTreeMap;

use chrono::offset::LocalResult;
use chrono::{DateTime, Duration, NaiveDateTime, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use secrecy::SecretString;

use crate::account::Account;

/// A row of `steem_authorization`.
#[derive(Debug, Clone)]
pub struct TokenRow {
    pub voter: Account,
    /// Empty if the row has none.
    pub access_token: SecretString,
    /// Empty columns are `None`.
    pub refresh_token: Option<SecretString>,
    /// When the access token expires; `None` if the row does not say.
    pub expires_at: Option<DateTime<Utc>>,
}

/// The result of a refresh.
#[derive(Debug, Clone)]
pub struct NewToken {
    pub access_token: SecretString,
    pub refresh_token: SecretString,
    pub expires_at: DateTime<Utc>,
}

/// What names a row.
#[derive(sqlx::FromRow)]
pub(super) struct Login {
    pub id: i64,
    pub user_login: String,
}

impl Login {
    /// The account; `None` where the text cannot be one.
    pub fn account(&self) -> Option<Account> {
        Account::parse(self.user_login.trim()).ok()
    }
}

/// A row as it is in the table.
#[derive(sqlx::FromRow)]
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
        TokenRow {
            voter,
            access_token: filled(self.access_token).unwrap_or_default().into(),
            refresh_token: filled(self.refresh_token).map(SecretString::from),
            expires_at: self.expires_in.and_then(|text| moment(&text, zone)),
        }
    }
}

/// The id of each account's row and what was read with it: where two rows normalise to one name, of
/// the row written last.
pub(super) fn newest<T>(rows: impl IntoIterator<Item = (Login, T)>) -> BTreeMap<Account, (i64, T)> {
    let mut newest = BTreeMap::new();
    for (login, read) in rows {
        let Some(account) = login.account() else {
            continue;
        };
        if newest.get(&account).is_none_or(|(id, _)| *id < login.id) {
            newest.insert(account, (login.id, read));
        }
    }
    newest
}

/// Reads a local time. A time that occurs twice when daylight saving ends is the earlier one; a time
/// that is skipped when it begins is as long after the change as it says.
pub(super) fn moment(text: &str, zone: Tz) -> Option<DateTime<Utc>> {
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
            let before = local - Duration::hours(4);
            let before = zone.from_local_datetime(&before).earliest()?;
            Some(before.to_utc() + Duration::hours(4))
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
    use super::*;

    #[test]
    fn a_time_that_daylight_saving_has_twice_is_the_earlier() {
        let zone = chrono_tz::Europe::Amsterdam;
        for (text, utc) in [
            ("2026-10-25 02:30:00", "2026-10-25T00:30:00Z"),
            ("2026-03-29 02:30:00", "2026-03-29T01:30:00Z"),
            ("2026-07-01 12:00:00", "2026-07-01T10:00:00Z"),
            ("2026-07-01T12:00:00.250", "2026-07-01T10:00:00.250Z"),
            ("2026-07-01T12:00:00Z", "2026-07-01T12:00:00Z"),
        ] {
            let utc = DateTime::parse_from_rfc3339(utc).unwrap().to_utc();
            assert_eq!(moment(text, zone), Some(utc), "{text}");
        }
        for text in ["", "0000-00-00 00:00:00", "tomorrow"] {
            assert_eq!(moment(text, zone), None, "{text}");
        }
    }

    #[test]
    fn of_two_rows_for_one_account_the_newer_counts() {
        let login = |id, login: &str| {
            let user_login = login.to_owned();
            (Login { id, user_login }, ())
        };
        let rows = newest(vec![
            login(7, "Alice"),
            login(3, "@alice"),
            login(4, "?"),
            login(5, " bob "),
        ]);
        let rows: Vec<_> = rows
            .iter()
            .map(|(name, (id, ()))| (name.as_str(), *id))
            .collect();
        assert_eq!(rows, [("alice", 7), ("bob", 5)]);
    }
}
