//! How long this machine let nobody run: a test that looks how late something was must not fail for that.

use std::sync::Once;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use chrono::TimeDelta;

/// A thread that sleeps so long…
const NAP: Duration = Duration::from_millis(10);
/// …is woken so late at most on a machine that is merely busy.
const BUSY: Duration = Duration::from_millis(30);

static STOOD_STILL_MS: AtomicI64 = AtomicI64::new(0);

/// Watches from now on, for as long as the test runs.
pub fn watch() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        std::thread::spawn(|| {
            loop {
                let start = Instant::now();
                std::thread::sleep(NAP);
                let late = start.elapsed().saturating_sub(NAP);
                if late > BUSY {
                    let late = i64::try_from(late.as_millis()).unwrap();
                    STOOD_STILL_MS.fetch_add(late, Relaxed);
                }
            }
        });
    });
}

/// For how long in all nobody ran since the test began.
pub fn in_all() -> TimeDelta {
    TimeDelta::milliseconds(STOOD_STILL_MS.load(Relaxed))
}
