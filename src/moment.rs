//! Moments that others name: what can be true. Nodes, signers, tables and files may hold any date, and sums with the
//! ends of the calendar overflow, so each moment is checked where it is read.

use chrono::{DateTime, TimeDelta, Utc};

/// Start of 2016, the year in which the chain began, in seconds since 1970.
const EARLIEST: i64 = 1_451_606_400;
/// Start of 2200, in seconds since 1970: the limit for what is planned ahead, such as votes in the table.
const END: i64 = 7_258_118_400;
/// A moment of the chain may be this far ahead of the clock, which may be slow or in another time zone.
const AHEAD: TimeDelta = TimeDelta::days(1);
/// A token may live this long.
pub const LONGEST_LIFE: TimeDelta = TimeDelta::days(3_653);

/// A moment that cannot be true.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{whose} cannot be {}: it is {problem}", moment.to_rfc3339())]
pub struct Impossible {
    whose: &'static str,
    moment: DateTime<Utc>,
    problem: &'static str,
}

/// `moment`, if it can be the time of something that happened: not before 2016, and not more than a day after `now`.
///
/// # Errors
/// When it cannot; `whose` names it there.
pub fn past(
    whose: &'static str,
    moment: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, Impossible> {
    let problem = "more than a day ahead of the clock";
    within(whose, moment, moment - now <= AHEAD, problem)
}

/// `moment`, if a token can expire then: not before 2016, and not more than ten years after `now`.
///
/// # Errors
/// When it cannot; `whose` names it there.
pub fn expiry(
    whose: &'static str,
    moment: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<DateTime<Utc>, Impossible> {
    let problem = "more than ten years ahead of the clock";
    within(whose, moment, moment - now <= LONGEST_LIFE, problem)
}

/// `moment`, if it can be one of a table, which holds what is planned as well: from 2016 to 2199.
///
/// # Errors
/// When it cannot; `whose` names it there.
pub fn stored(whose: &'static str, moment: DateTime<Utc>) -> Result<DateTime<Utc>, Impossible> {
    within(whose, moment, moment.timestamp() < END, "after 2199")
}

fn within(
    whose: &'static str,
    moment: DateTime<Utc>,
    early_enough: bool,
    problem: &'static str,
) -> Result<DateTime<Utc>, Impossible> {
    let problem = match moment.timestamp() < EARLIEST {
        true => "before 2016",
        false if early_enough => return Ok(moment),
        false => problem,
    };
    Err(Impossible {
        whose,
        moment,
        problem,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn what_happened_lies_between_2016_and_a_day_ahead_of_the_clock() {
        let now = utc("2026-06-01T12:00:00Z");
        for fine in ["2016-01-01T00:00:00Z", "2026-06-02T12:00:00Z"] {
            assert_eq!(past("it", utc(fine), now), Ok(utc(fine)));
        }
        for (moment, problem) in [
            ("2015-12-31T23:59:59Z", "before 2016"),
            (
                "2026-06-02T12:00:00.001Z",
                "more than a day ahead of the clock",
            ),
            (
                "+262142-12-31T23:59:59Z",
                "more than a day ahead of the clock",
            ),
            ("-262143-01-01T00:00:00Z", "before 2016"),
        ] {
            let error = past("the timestamp", utc(moment), now).unwrap_err();
            let error = error.to_string();
            assert!(error.starts_with("the timestamp cannot be "), "{error}");
            assert!(error.ends_with(problem), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_moment_makes_a_check_panic(moment in any::<i64>(), now in any::<i64>()) {
            let read = DateTime::from_timestamp_millis;
            if let (Some(moment), Some(now)) = (read(moment), read(now)) {
                let _ = (past("it", moment, now), expiry("it", moment, now), stored("it", moment));
            }
            for end in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
                for now in [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC] {
                    let _ = (past("it", end, now), expiry("it", end, now), stored("it", end));
                }
            }
        }
    }
}
