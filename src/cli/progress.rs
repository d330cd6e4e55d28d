//! Progress of a long operation, on standard error.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use tokio::time::Instant;

/// Time before the bar is shown: shorter operations show none.
const SHOW_AFTER: Duration = Duration::from_millis(500);
/// Interval between updates of the bar.
const REDRAW: Duration = Duration::from_millis(100);
/// Interval between log lines if standard error is not a terminal.
const LOG_EVERY: Duration = Duration::from_secs(30);
/// Width of the bar in characters.
const BAR: usize = 30;

/// A progress bar on a terminal, or log lines elsewhere. The bar is removed on drop.
#[derive(Debug)]
pub struct Progress {
    total: usize,
    is_terminal: bool,
    next: Instant,
    drawn: bool,
}

impl Progress {
    /// Starts with none of `total` blocks done.
    pub fn of(total: usize) -> Self {
        let is_terminal = io::stderr().is_terminal();
        let first = if is_terminal { SHOW_AFTER } else { LOG_EVERY };
        Self {
            total,
            is_terminal,
            next: Instant::now() + first,
            drawn: false,
        }
    }

    /// Sets the number of blocks that are done.
    pub fn set(&mut self, done: usize) {
        let now = Instant::now();
        if now < self.next {
            return;
        }
        if !self.is_terminal {
            self.next = now + LOG_EVERY;
            tracing::info!("{done} of {} blocks", self.total);
            return;
        }
        self.next = now + REDRAW;
        self.drawn = true;
        // An error only hides the bar.
        let _ = write!(io::stderr(), "\r{}\x1b[K", line(done, self.total));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.drawn {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

/// `[=======>            ]  35%  7000 of 20000 blocks`.
fn line(done: usize, total: usize) -> String {
    let done = done.min(total);
    let part = |whole: usize| done * whole / total.max(1);
    let bar = match part(BAR) {
        BAR => "=".repeat(BAR),
        full => format!("{}>", "=".repeat(full)),
    };
    format!("[{bar:BAR$}] {:3}%  {done} of {total} blocks", part(100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills_and_does_not_overflow() {
        let lines = [0, 50, 100, 200].map(|done| line(done, 100));
        assert_eq!(
            lines,
            [
                "[>                             ]   0%  0 of 100 blocks",
                "[===============>              ]  50%  50 of 100 blocks",
                "[==============================] 100%  100 of 100 blocks",
                "[==============================] 100%  100 of 100 blocks",
            ]
        );
    }
}
