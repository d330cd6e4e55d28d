//! When to ask for the next block.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::backoff::Backoff;
use crate::clock::Clock;

/// Longest time that a block takes from its witness to a node.
const MAX_GRACE: Duration = Duration::from_millis(200);

/// Longest pause between two requests for an expected block.
const MAX_POLL: Duration = Duration::from_millis(500);
/// Shortest pause between two requests for an expected block.
const MIN_POLL: Duration = Duration::from_millis(10);

/// Longest delay between two attempts while no node answers. A block read late delays its votes.
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// The times at which one chain is polled.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    /// Time between two blocks.
    pub interval: Duration,
    /// Pause between two requests for an expected block.
    pub poll: Duration,
    /// Time that a block takes to reach a node.
    grace: Duration,
    clock: Clock,
}

impl Pace {
    pub fn new(interval: Duration, clock: Clock) -> Self {
        Self {
            interval,
            poll: (interval / 4).clamp(MIN_POLL, MAX_POLL),
            grace: (interval / 10).min(MAX_GRACE),
            clock,
        }
    }

    /// Time until the block after the one with this timestamp is expected. At most one interval and the
    /// grace, also if the system clock is wrong.
    pub fn until_block_after(&self, timestamp: DateTime<Utc>) -> Duration {
        let since = (self.clock.now() - timestamp).to_std();
        (self.interval + self.grace).saturating_sub(since.unwrap_or_default())
    }

    /// The delays between attempts while no node answers.
    pub fn backoff(&self) -> Backoff {
        Backoff::new(self.poll * 2, MAX_BACKOFF)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn pace(interval_ms: u64) -> Pace {
        Pace::new(
            Duration::from_millis(interval_ms),
            Clock::starting_at(START),
        )
    }

    #[tokio::test(start_paused = true)]
    async fn the_poll_is_a_quarter_of_the_interval_up_to_half_a_second() {
        for (interval, poll) in [(3000, 500), (1000, 250), (100, 25), (0, 10)] {
            assert_eq!(
                pace(interval).poll,
                Duration::from_millis(poll),
                "{interval}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_block_is_expected_one_interval_after_the_last() {
        let pace = pace(3000);
        for (age_ms, wait_ms) in [
            (0, 3200),
            (1000, 2200),
            (3200, 0),
            (60_000, 0),
            // The system clock is slow.
            (-40_000, 3200),
        ] {
            let timestamp = START - chrono::Duration::milliseconds(age_ms);
            let wait = pace.until_block_after(timestamp);
            assert_eq!(wait, Duration::from_millis(wait_ms), "{age_ms}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_delay_after_failures_doubles_up_to_five_seconds() {
        let mut backoff = pace(3000).backoff();
        for seconds in [1.0, 2.0, 4.0, 5.0, 5.0] {
            let wait = backoff.next(fastrand::f64()).as_secs_f64();
            assert!((0.8..=1.2).contains(&(wait / seconds)), "{seconds}: {wait}");
        }
    }
}
