//! Delays between attempts that fail.

use std::time::Duration;

/// The delay before each next attempt: `first`, then twice as long after every failure, up to `longest`.
///
/// Each delay varies by ±20 %, so that clients that failed together do not come back together. The caller
/// supplies the chance, which keeps this type pure: `fastrand::f64()` in the daemon, 0.5 in a test for the
/// exact delay.
///
/// ```
/// use std::time::Duration;
/// use curatord::backoff::Backoff;
///
/// let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
/// assert_eq!(backoff.next(0.5), Duration::from_secs(1));
/// assert_eq!(backoff.next(0.0), Duration::from_millis(1_600)); // 2 s - 20 %
/// assert_eq!(backoff.next(1.0), Duration::from_millis(4_800)); // 4 s + 20 %
/// assert_eq!(backoff.failures(), 3);
/// backoff.reset(); // after a success
/// assert_eq!(backoff.next(0.5), Duration::from_secs(1));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    /// A backoff that starts with a delay of `first` and never exceeds `longest` by more than 20 %.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest,
            failures: 0,
        }
    }

    /// Counts one more failure and returns the delay before the next attempt. `chance` is 0 to 1.
    pub fn next(&mut self, chance: f64) -> Duration {
        let factor = 2_u32.saturating_pow(self.failures);
        self.failures = self.failures.saturating_add(1);
        self.first
            .saturating_mul(factor)
            .min(self.longest)
            .mul_f64(0.8 + 0.4 * chance.clamp(0.0, 1.0))
    }

    /// Failures since the start or the last [`Self::reset`].
    pub const fn failures(&self) -> u32 {
        self.failures
    }

    /// Starts over with the first delay.
    pub const fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn a_second_to_a_minute() -> Backoff {
        Backoff::new(Duration::from_secs(1), Duration::from_secs(60))
    }

    #[test]
    fn delays_double_up_to_the_longest() {
        let mut backoff = a_second_to_a_minute();
        let delays: Vec<u64> = (0..9).map(|_| backoff.next(0.5).as_secs()).collect();
        assert_eq!(delays, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(backoff.failures(), 9);
    }

    #[test]
    fn chance_varies_a_delay_by_a_fifth() {
        for (chance, millis) in [
            (-1.0, 800),
            (0.0, 800),
            (0.5, 1_000),
            (1.0, 1_200),
            (9.0, 1_200),
        ] {
            let delay = a_second_to_a_minute().next(chance);
            assert_eq!(delay, Duration::from_millis(millis), "{chance}");
        }
    }

    #[test]
    fn a_reset_starts_over() {
        let mut backoff = a_second_to_a_minute();
        backoff.next(0.5);
        backoff.next(0.5);
        backoff.reset();
        assert_eq!(backoff, a_second_to_a_minute());
    }

    #[test]
    fn countless_failures_and_immense_delays_do_not_overflow() {
        let mut backoff = Backoff {
            failures: u32::MAX,
            ..a_second_to_a_minute()
        };
        assert_eq!(backoff.next(0.5), Duration::from_secs(60));
        assert_eq!(backoff.failures(), u32::MAX);
        let mut immense = Backoff::new(Duration::MAX, Duration::from_secs(5));
        assert_eq!(immense.next(0.5), Duration::from_secs(5));
        assert_eq!(immense.next(0.5), Duration::from_secs(5));
    }
}
