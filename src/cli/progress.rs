//! How far something long has come, on standard error.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use tokio::time::Instant;

/// What is done sooner tells nothing.
const SILENT: Duration = Duration::from_millis(500);
/// How often a terminal is written to.
const REDRAW: Duration = Duration::from_millis(100);
/// How often a line is logged where there is no terminal.
const TELL: Duration = Duration::from_secs(30);
/// In characters.
const BAR: usize = 30;

/// A bar on a terminal; a line now and then elsewhere. The bar goes away when this is dropped.
#[derive(Debug)]
pub struct Progress {
    total: usize,
    is_terminal: bool,
    next: Instant,
    drawn: bool,
}

impl Progress {
    /// Nothing of `total` blocks is done yet.
    pub fn of(total: usize) -> Self {
        let is_terminal = io::stderr().is_terminal();
        let first = if is_terminal { SILENT } else { TELL };
        Self {
            total,
            is_terminal,
            next: Instant::now() + first,
            drawn: false,
        }
    }

    /// So many of them are done.
    pub fn set(&mut self, done: usize) {
        let now = Instant::now();
        if now < self.next {
            return;
        }
        if !self.is_terminal {
            self.next = now + TELL;
            tracing::info!("{done} of {} blocks", self.total);
            return;
        }
        self.next = now + REDRAW;
        self.drawn = true;
        // Nobody is hurt if it cannot be shown.
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
    fn the_bar_fills_and_never_overflows() {
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
