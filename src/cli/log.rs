//! The log, on standard error.
//!
//! A full disk, a reader that is gone or one that reads no more must neither stop nor delay a vote. So a thread of its
//! own writes the lines, and lines that cannot be written are lost.

mod fields;
mod filter;

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};

use crate::cli::WrongUsage;
use crate::cli::log::fields::Fields;

/// Lines that may wait for a slow reader: a few megabytes.
const MOST_WAITING: usize = 16_384;
/// Time that the end of the program waits for the last lines: the daemon has promised to stop soon.
const LAST_LINES: Duration = Duration::from_millis(400);
/// Time between two looks at whether the last lines are written.
const POLL: Duration = Duration::from_millis(1);

static LOG: OnceLock<Log> = OnceLock::new();

/// Sends everything that is logged from now on to standard error. `RUST_LOG` says what is logged, in addition to `usual` or,
/// with a level of its own, instead.
///
/// # Errors
/// `RUST_LOG` cannot be read as levels, or a log was started before.
pub fn start(usual: &str) -> anyhow::Result<()> {
    let given = std::env::var_os("RUST_LOG").unwrap_or_default();
    let filter = filter::filter(&given.to_string_lossy(), usual)
        .map_err(|why| WrongUsage(format!("RUST_LOG: {why}")))?;
    let lines = LOG.get_or_init(|| Log::to(io::stderr())).lines.clone();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .fmt_fields(Fields)
        .with_writer(move || lines.clone())
        .log_internal_errors(false)
        .with_ansi(io::stderr().is_terminal())
        .with_target(false)
        .try_init()
        .map_err(|error| anyhow::anyhow!(error))
}

/// Waits until everything logged so far is written, for a moment at most. Returns whether it is.
pub fn flush() -> bool {
    LOG.get().is_none_or(|log| log.flush(LAST_LINES))
}

/// Lines on their way to a writer.
struct Log {
    lines: Lines,
    _worker: WorkerGuard,
}

/// Takes every line at once.
#[derive(Clone)]
struct Lines {
    queue: NonBlocking,
    counts: Arc<Counts>,
}

/// What became of the lines so far.
#[derive(Default)]
struct Counts {
    taken: AtomicUsize,
    /// Written, or refused by the writer.
    done: AtomicUsize,
    /// Lines that found the queue full.
    dropped: OnceLock<ErrorCounter>,
}

impl Log {
    fn to(out: impl Write + Send + 'static) -> Self {
        let counts = Arc::<Counts>::default();
        let writer = Writer {
            out,
            counts: Arc::clone(&counts),
            refused: 0,
            dropped_before: 0,
        };
        let (queue, worker) = NonBlockingBuilder::default()
            .lossy(true)
            .buffered_lines_limit(MOST_WAITING)
            .thread_name("log")
            .finish(writer);
        counts.dropped.get_or_init(|| queue.error_counter());
        Self {
            lines: Lines { queue, counts },
            _worker: worker,
        }
    }

    fn flush(&self, longest: Duration) -> bool {
        let counts = &self.lines.counts;
        let (taken, dropped) = (counts.taken.load(Ordering::SeqCst), counts.dropped());
        let (queued, end) = (taken.saturating_sub(dropped), Instant::now() + longest);
        while counts.done.load(Ordering::SeqCst) < queued {
            if Instant::now() >= end {
                return false;
            }
            thread::sleep(POLL);
        }
        true
    }
}

impl Counts {
    fn dropped(&self) -> usize {
        self.dropped.get().map_or(0, ErrorCounter::dropped_lines)
    }
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.counts.taken.fetch_add(1, Ordering::SeqCst);
        self.queue.write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes lines, and says where some are missing.
struct Writer<W> {
    out: W,
    counts: Arc<Counts>,
    /// Lines that `out` did not take since it took the last one.
    refused: usize,
    /// Dropped lines that were reported.
    dropped_before: usize,
}

impl<W: Write> Writer<W> {
    /// Reports the lines that were lost since the last report.
    fn report_lost(&mut self) -> io::Result<()> {
        let dropped = self.counts.dropped();
        let lost = self.refused + dropped - self.dropped_before;
        if lost > 0 {
            let were = if lost == 1 { "was" } else { "were" };
            let line = format!("({} {were} lost)\n", super::counted(lost, "log line"));
            self.out.write_all(line.as_bytes())?;
            self.refused = 0;
            self.dropped_before = dropped;
        }
        Ok(())
    }
}

impl<W: Write> Write for Writer<W> {
    /// Never fails: the queue would write the rest of a line again.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let written = self.report_lost().and_then(|()| self.out.write_all(line));
        if written.is_err() {
            self.refused += 1;
        }
        self.counts.done.fetch_add(1, Ordering::SeqCst);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::mpsc;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    /// Takes or refuses each text, or waits, as `answers` say.
    struct Script {
        written: Arc<Mutex<Vec<u8>>>,
        answers: Box<dyn FnMut() -> bool + Send>,
    }

    impl Write for Script {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            if !(self.answers)() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.written.lock().unwrap().extend_from_slice(text);
            Ok(text.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn log(answers: impl FnMut() -> bool + Send + 'static) -> (Log, Arc<Mutex<Vec<u8>>>) {
        let written = Arc::<Mutex<Vec<u8>>>::default();
        let script = Script {
            written: Arc::clone(&written),
            answers: Box::new(answers),
        };
        (Log::to(script), written)
    }

    fn text(written: &Mutex<Vec<u8>>) -> String {
        String::from_utf8(written.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn lines_that_cannot_be_written_are_counted_and_the_next_follow() {
        let (go, wait) = mpsc::sync_channel::<()>(1);
        // The line, the line, the report, the report, the line.
        let mut takes = [true, false, false, true, true].into_iter();
        let (log, written) = log(move || {
            wait.recv().ok();
            takes.next().unwrap_or(true)
        });
        for line in ["a\n", "b\n", "c\n", "d\n"] {
            log.lines.clone().write_all(line.as_bytes()).unwrap();
        }
        assert!(!log.flush(Duration::ZERO));
        drop(go);
        assert!(log.flush(PATIENCE));
        assert_eq!(text(&written), "a\n(2 log lines were lost)\nd\n");
    }

    #[test]
    fn a_reader_that_reads_no_more_costs_lines_and_no_time() {
        let (go, wait) = mpsc::sync_channel::<()>(1);
        let (writes, is_writing) = mpsc::sync_channel(16);
        let (log, written) = log(move || {
            writes.try_send(()).ok();
            wait.recv().ok();
            true
        });
        let mut lines = log.lines.clone();
        lines.write_all(b".").unwrap();
        is_writing.recv_timeout(PATIENCE).unwrap();
        for _ in 0..MOST_WAITING + 7 {
            lines.write_all(b".").unwrap();
        }
        assert!(!log.flush(Duration::ZERO));
        drop(go);
        assert!(log.flush(PATIENCE));
        let text = text(&written);
        assert!(
            text.starts_with(".(7 log lines were lost)\n.."),
            "{}",
            &text[..60]
        );
        assert_eq!(
            text.len(),
            "(7 log lines were lost)\n".len() + 1 + MOST_WAITING
        );
    }
}
