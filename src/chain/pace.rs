//! When to ask for the next block.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::backoff::Backoff;
use crate::clock::Clock;

/// A block needs this long from its witness to a node, at most.
const MAX_GRACE: Duration = Duration::from_millis(200);

const MAX_POLL: Duration = Duration::from_millis(500);
const MIN_POLL: Duration = Duration::from_millis(10);

/// Longest delay between two attempts while no node answers: a block read late is a vote cast late.
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// The rhythm of one chain.
#[derive(Debug, Clone)]
pub(crate) struct Pace {
    /// Between two blocks.
    pub interval: Duration,
    /// Between two requests for a block that is expected.
    pub poll: Duration,
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

    /// How long from now until the block after one with this timestamp can be expected. Never longer
    /// than from one block to the next, however wrong the computer's clock is.
    pub fn until_block_after(&self, timestamp: DateTime<Utc>) -> Duration {
        let from_block_to_block = self.interval + self.grace;
        let since = self.clock.now() - timestamp;
        match since.to_std() {
            Ok(since) => from_block_to_block.saturating_sub(since),
            Err(_) => from_block_to_block,
        }
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
    async fn polling_is_every_half_second_or_a_quarter_of_the_interval() {
        for (interval, poll) in [(3000, 500), (1000, 250), (100, 25), (0, 10)] {
            assert_eq!(
                pace(interval).poll,
                Duration::from_millis(poll),
                "{interval}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_block_is_expected_an_interval_after_the_timestamp_of_the_last() {
        let pace = pace(3000);
        for (age_ms, wait_ms) in [
            (0, 3200),
            (1000, 2200),
            (3200, 0),
            (60_000, 0),
            // Our clock is behind.
            (-40_000, 3200),
        ] {
            let timestamp = START - chrono::Duration::milliseconds(age_ms);
            let wait = pace.until_block_after(timestamp);
            assert_eq!(wait, Duration::from_millis(wait_ms), "{age_ms}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_after_failures_doubles_up_to_five_seconds() {
        let mut backoff = pace(3000).backoff();
        for seconds in [1.0, 2.0, 4.0, 5.0, 5.0] {
            let wait = backoff.next(fastrand::f64()).as_secs_f64();
            assert!((0.8..=1.2).contains(&(wait / seconds)), "{seconds}: {wait}");
        }
    }
}
