//! The only source of the current time.

use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use tokio::time::{Instant, Interval, MissedTickBehavior};

/// A source of the current time, passed to every part that needs it. Cheap to copy.
#[derive(Debug, Clone, Copy)]
pub struct Clock(Source);

#[derive(Debug, Clone, Copy)]
enum Source {
    System,
    /// Follows tokio's timers, which a test can pause and advance.
    Tokio {
        at_start: DateTime<Utc>,
        start: Instant,
    },
}

/// Longest single sleep by the system clock. Shorter sleeps notice a corrected clock sooner.
const MAX_SLEEP: Duration = Duration::from_secs(1);

impl Clock {
    /// The system clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that shows `at_start` now and follows tokio's timers. With paused timers, days pass in
    /// milliseconds.
    pub fn starting_at(at_start: DateTime<Utc>) -> Self {
        Self(Source::Tokio {
            at_start,
            start: Instant::now(),
        })
    }

    /// The current time in UTC, truncated to milliseconds, the precision of the tables.
    pub fn now(&self) -> DateTime<Utc> {
        self.exact().trunc_subsecs(3)
    }

    /// The current time in UTC with the full precision of the source, for measurements.
    #[expect(clippy::disallowed_methods, reason = "the only caller")]
    pub fn exact(&self) -> DateTime<Utc> {
        match self.0 {
            Source::System => Utc::now(),
            Source::Tokio { at_start, start } => at_start + start.elapsed(),
        }
    }

    /// Sleeps until `moment`, with a precision of about two milliseconds. Returns immediately if it
    /// has passed.
    pub async fn sleep_until(&self, moment: DateTime<Utc>) {
        while let Ok(left) = (moment - self.exact()).to_std() {
            if left.is_zero() {
                return;
            }
            let sleep = match self.0 {
                Source::System => left.min(MAX_SLEEP),
                Source::Tokio { .. } => left,
            };
            tokio::time::sleep(sleep).await;
        }
    }
}

/// Ticks at once and then every `period`, by a clock that nobody can set. After a late tick the next one comes a whole
/// `period` later.
pub fn every(period: Duration) -> Interval {
    let mut interval = tokio::time::interval(period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
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
