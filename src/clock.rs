//! The one place that asks what time it is.

use std::time::Duration;

use chrono::{DateTime, Timelike, Utc};
use tokio::time::Instant;

/// Where the time comes from. Every part that needs the time is given one.
#[derive(Debug, Clone, Copy)]
pub struct Clock(Source);

#[derive(Debug, Clone, Copy)]
enum Source {
    System,
    /// Runs with tokio's timers, which a test can pause and advance.
    Tokio {
        at_start: DateTime<Utc>,
        start: Instant,
    },
}

/// A sleep is cut into pieces of this length, so that a corrected system clock is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

impl Clock {
    /// The computer's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that shows `at_start` now and goes on with tokio's timers: with them paused, days pass
    /// in milliseconds.
    pub fn starting_at(at_start: DateTime<Utc>) -> Self {
        Self(Source::Tokio {
            at_start,
            start: Instant::now(),
        })
    }

    /// Now, in UTC, to the millisecond as the tables keep it.
    pub fn now(&self) -> DateTime<Utc> {
        let now = self.exact();
        let below = now.nanosecond() % 1_000_000;
        now - chrono::Duration::nanoseconds(i64::from(below))
    }

    /// Now, as finely as the source has it: for measuring, not for tables.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where everybody else asks"
    )]
    pub fn exact(&self) -> DateTime<Utc> {
        match self.0 {
            Source::System => Utc::now(),
            Source::Tokio { at_start, start } => at_start + start.elapsed(),
        }
    }

    /// Returns at `moment` or at most two milliseconds later; at once if it has passed.
    pub async fn sleep_until(&self, moment: DateTime<Utc>) {
        while let Ok(left) = (moment - self.exact()).to_std() {
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(LONGEST_SLEEP)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn days_pass_in_a_paused_runtime() {
        let start = DateTime::UNIX_EPOCH;
        let clock = Clock::starting_at(start);
        clock.sleep_until(start + chrono::Duration::days(3)).await;
        assert_eq!(clock.now(), start + chrono::Duration::days(3));
        clock.sleep_until(start).await;
    }
}
