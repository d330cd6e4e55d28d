//! The time of a token's refresh.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::account::Account;

/// Life of an access token if the signer does not state it: 7 days, as on both signers.
pub const USUAL_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);

/// The time to refresh the token of `voter`: `ahead` of `expires_at`, but at most half of its `life`.
/// By voter, it is up to a tenth of that earlier, so that tokens issued together are refreshed one after
/// another. A token without an expiry is refreshed at once.
pub fn refresh_at(
    voter: &Account,
    expires_at: Option<DateTime<Utc>>,
    life: Option<Duration>,
    ahead: Duration,
) -> DateTime<Utc> {
    let Some(expires_at) = expires_at else {
        return DateTime::UNIX_EPOCH;
    };
    let ahead = ahead.min(life.unwrap_or(USUAL_LIFE) / 2);
    let mut hasher = DefaultHasher::new();
    voter.hash(&mut hasher);
    let share = (hasher.finish() % 1_000) as f64 / 1_000.0;
    let before = ahead.mul_f64(1.0 + share / 10.0);
    // The expiry comes from the signer or from another program's row.
    let before = TimeDelta::from_std(before).unwrap_or(TimeDelta::MAX);
    expires_at
        .checked_sub_signed(before)
        .unwrap_or(DateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn an_expiry_at_the_beginning_of_time_does_not_overflow() {
        let expiry = Some(DateTime::<Utc>::MIN_UTC);
        let moment = refresh_at(&Account::from_chain("alice"), expiry, None, HOUR);
        assert_eq!(moment, DateTime::UNIX_EPOCH);
    }

    fn at(expires_in: Duration, life: Option<Duration>, ahead: Duration) -> DateTime<Utc> {
        refresh_at(
            &Account::from_chain("alice"),
            Some(DateTime::UNIX_EPOCH + expires_in),
            life,
            ahead,
        )
    }

    #[test]
    fn a_token_is_refreshed_ahead_of_its_expiry() {
        let moment = at(168 * HOUR, None, 56 * HOUR);
        assert!(moment <= DateTime::UNIX_EPOCH + 112 * HOUR, "{moment}");
        assert!(moment > DateTime::UNIX_EPOCH + 106 * HOUR, "{moment}");
    }

    #[test]
    fn a_short_lived_token_is_refreshed_after_about_half_its_life() {
        let moment = at(HOUR, Some(HOUR), 56 * HOUR);
        assert!(moment <= DateTime::UNIX_EPOCH + HOUR / 2, "{moment}");
        assert!(
            moment >= DateTime::UNIX_EPOCH + HOUR / 2 - HOUR / 20,
            "{moment}"
        );
    }

    #[test]
    fn tokens_issued_together_are_refreshed_apart() {
        let expiry = DateTime::UNIX_EPOCH + 168 * HOUR;
        let mut moments: Vec<_> = (0..1_000)
            .map(|n| {
                refresh_at(
                    &Account::from_chain(&format!("voter-{n}")),
                    Some(expiry),
                    None,
                    56 * HOUR,
                )
            })
            .collect();
        moments.sort();
        let busiest = moments.iter().map(|from| {
            moments
                .iter()
                .filter(|moment| *moment >= from && **moment < *from + TimeDelta::seconds(1))
                .count()
        });
        assert!(busiest.max() < Some(20));
    }
}
