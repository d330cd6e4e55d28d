//! The log, on standard error.
//!
//! A full disk, a reader that is gone or one that reads no more must neither stop nor delay a vote. So a thread of its
//! own writes the lines, and those that cannot be written are lost.

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing_subscriber::EnvFilter;

/// Lines that may wait for a slow reader: a few megabytes.
const MOST_WAITING: usize = 16_384;
/// How long the end of the program waits for the last lines: the daemon has promised to be gone soon.
const LAST_LINES: Duration = Duration::from_millis(400);

/// The file watcher warns of a folder that is gone before its watch, which is how folders go.
const OF_NO_INTEREST: &str = "notify=error";

static LOG: Log = Log::new();

/// Lines on their way to standard error.
struct Log {
    state: Mutex<State>,
    /// A line came, or was written.
    changed: Condvar,
}

struct State {
    waiting: VecDeque<Vec<u8>>,
    /// Whether a line is being written.
    is_writing: bool,
    /// Since the last line that was written.
    lost: usize,
}

/// Has everything that is logged from now on go to standard error. `RUST_LOG` says how much; else `usual`.
///
/// # Errors
/// When the system gives no thread, or a log was started before.
pub fn start(usual: &str) -> anyhow::Result<()> {
    let filter = filter(std::env::var("RUST_LOG").ok().as_deref(), usual);
    std::thread::Builder::new()
        .name("log".to_owned())
        .spawn(|| LOG.write_to(|line| io::stderr().write_all(line)))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| Lines)
        .log_internal_errors(false)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .try_init()
        .map_err(|error| anyhow::anyhow!(error))
}

/// What `told` says, where it says something that can be read; else `usual`.
fn filter(told: Option<&str>, usual: &str) -> EnvFilter {
    let told = told.filter(|told| !told.trim().is_empty());
    told.and_then(|told| EnvFilter::try_new(told).ok())
        .unwrap_or_else(|| EnvFilter::new(format!("{usual},{OF_NO_INTEREST}")))
}

/// Waits until everything logged so far is written, for a moment at most. Says whether it is.
pub fn flush() -> bool {
    LOG.flush(LAST_LINES)
}

/// What the log is written through: takes everything, at once.
struct Lines;

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        LOG.take(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    const fn new() -> Self {
        let state = State {
            waiting: VecDeque::new(),
            is_writing: false,
            lost: 0,
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, line: &[u8]) {
        let mut state = self.lock();
        if state.waiting.len() < MOST_WAITING {
            state.waiting.push_back(line.to_owned());
            self.changed.notify_all();
        } else {
            state.lost += 1;
        }
    }

    /// Gives one line after the other to `write`, for ever.
    fn write_to(&self, mut write: impl FnMut(&[u8]) -> io::Result<()>) {
        loop {
            self.write_next(&mut write);
        }
    }

    /// Waits for a line and gives it to `write`.
    fn write_next(&self, write: &mut impl FnMut(&[u8]) -> io::Result<()>) {
        let nothing = |state: &mut State| state.waiting.is_empty();
        let waited = self.changed.wait_while(self.lock(), nothing);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        let Some(line) = state.waiting.pop_front() else {
            return;
        };
        state.is_writing = true;
        let lost = std::mem::take(&mut state.lost);
        drop(state);
        let told = match lost {
            0 => Ok(()),
            _ => write(gap(lost).as_bytes()),
        };
        let unwritten = match told {
            Err(_) => lost + 1,
            Ok(()) => usize::from(write(&line).is_err()),
        };
        let mut state = self.lock();
        state.lost += unwritten;
        state.is_writing = false;
        self.changed.notify_all();
    }

    fn flush(&self, longest: Duration) -> bool {
        let under_way = |state: &mut State| state.is_writing || !state.waiting.is_empty();
        let waited = self
            .changed
            .wait_timeout_while(self.lock(), longest, under_way);
        let (_state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        !timeout.timed_out()
    }
}

/// Stands where lines are missing.
fn gap(lost: usize) -> String {
    let lines = super::counted(lost, "line");
    format!("({lines} of the log could not be written here, and went lost)\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is written when each line is taken or refused as `takes` says.
    fn written(log: &Log, takes: &[bool]) -> String {
        let mut out = Vec::new();
        for takes in takes {
            log.write_next(&mut |line| {
                if *takes {
                    out.extend_from_slice(line);
                    return Ok(());
                }
                Err(io::ErrorKind::StorageFull.into())
            });
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_empty_wish_for_a_level_is_none() {
        let level = |told| filter(told, "info").to_string();
        assert_eq!(level(Some("debug")), "debug");
        for told in [None, Some(""), Some(" "), Some("=,=")] {
            assert_eq!(level(told), "notify=error,info", "{told:?}");
        }
    }

    #[test]
    fn lines_that_cannot_be_written_are_counted_and_the_next_follow() {
        let log = Log::new();
        for line in ["a\n", "b\n", "c\n", "d\n"] {
            log.take(line.as_bytes());
        }
        assert!(!log.flush(Duration::ZERO));
        assert_eq!(
            written(&log, &[true, false, false, true]),
            "a\n(2 lines of the log could not be written here, and went lost)\nd\n"
        );
        assert!(log.flush(Duration::ZERO));
    }

    #[test]
    fn a_reader_that_reads_no_more_costs_lines_and_no_time() {
        let log = Log::new();
        for _ in 0..MOST_WAITING + 7 {
            log.take(b".");
        }
        let text = written(&log, &[true, true]);
        assert!(text.starts_with("(7 lines"), "{text}");
        assert!(text.ends_with("lost)\n.."), "{text}");
    }
}
