//! Random, mostly broken input for everything that reads what others wrote. It is structure-aware: valid input is
//! generated and then changed at keys, values and types, because random bytes end in the parser.
//!
//! Each target runs for `CURATORD_FUZZ_SECONDS` (1 unless set; `.ci/run` sets 30). A failure names its seed, and
//! `CURATORD_FUZZ_SEED` begins with that one.

mod answers;
mod blocks;
mod foreign_files;
mod imports;
mod json;
mod rule_files;
mod toml_text;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use fastrand::Rng;
use tokio_util::sync::CancellationToken;

/// Time after which one input counts as a hang, on however busy a machine.
const HANG: Duration = Duration::from_secs(30);
/// Most memory that a target may use, in KiB. Its inputs are a few hundred kB at most.
const MOST_MEMORY: u64 = 400 << 10;
/// Inputs between two looks at the memory.
const LOOK_EVERY: u64 = 256;

/// Runs `check` on one input after the other, each made from its own random numbers.
fn fuzz<T: AsRef<[u8]>>(mut make: impl FnMut(&mut Rng) -> T, mut check: impl FnMut(T)) {
    let seconds = number("CURATORD_FUZZ_SECONDS").unwrap_or(1);
    let first = number("CURATORD_FUZZ_SEED").unwrap_or_else(|| fastrand::u64(..));
    let end = Instant::now() + Duration::from_secs(seconds);
    let running = Arc::new(Mutex::new((first, Instant::now(), Vec::new())));
    let done = watch_for_hangs(Arc::clone(&running));
    let mut count = 0;
    while count == 0 || Instant::now() < end {
        let seed = first.wrapping_add(count);
        let input = make(&mut Rng::with_seed(seed));
        let bytes = input.as_ref().to_vec();
        *running.lock().unwrap() = (seed, Instant::now(), bytes);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(input))) {
            let (_, _, bytes) = &*running.lock().unwrap();
            eprintln!("CURATORD_FUZZ_SEED={seed} fails with\n{}", shown(bytes));
            resume_unwind(panic);
        }
        count += 1;
        if count.is_multiple_of(LOOK_EVERY) {
            assert_little_memory(seed);
        }
    }
    assert_little_memory(first);
    done.cancel();
    eprintln!("{count} inputs in {seconds} s from CURATORD_FUZZ_SEED={first}");
}

/// Ends the process with the seed and the input when one input takes too long.
fn watch_for_hangs(running: Arc<Mutex<(u64, Instant, Vec<u8>)>>) -> CancellationToken {
    let done = CancellationToken::new();
    let stop = done.clone();
    std::thread::spawn(move || {
        while !stop.is_cancelled() {
            std::thread::sleep(Duration::from_millis(200));
            let (seed, began, bytes) = &*running.lock().unwrap();
            if began.elapsed() > HANG {
                let input = shown(bytes);
                eprintln!("CURATORD_FUZZ_SEED={seed} hangs with\n{input}");
                std::process::exit(1);
            }
        }
    });
    done
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// The beginning of an input, escaped.
fn shown(bytes: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(bytes).chars().take(4_000).collect();
    text.escape_debug()
        .to_string()
        .replace("\\n", "\n")
        .replace("\\\"", "\"")
}

/// Looks at the peak of the process, which with nextest is that of the target.
fn assert_little_memory(seed: u64) {
    let is_alone =
        std::env::var("NEXTEST_EXECUTION_MODE").is_ok_and(|mode| mode == "process-per-test");
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    let peak = peak.unwrap_or_default();
    assert!(
        !is_alone || peak < MOST_MEMORY,
        "{peak} KiB of memory were used up to CURATORD_FUZZ_SEED={seed}"
    );
}

/// Asserts that people can be shown `text`: nothing in it controls a terminal, forges a line or turns its direction.
fn assert_harmless(text: &str) {
    let is_harmful = |c: &char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}')
    };
    if let Some(found) = text.chars().find(is_harmful) {
        panic!("{found:?} in a message: {text:?}");
    }
}

/// The same for a text of several lines.
fn assert_lines_harmless(text: &str) {
    text.lines().for_each(assert_harmless);
}

/// A character that no message may pass on, or one that is awkward in another way.
fn odd_character(rng: &mut Rng) -> char {
    const ODD: [char; 22] = [
        '\0', '\u{1b}', '\r', '\n', '\t', '\u{7f}', '\u{9b}', '\u{85}', '\u{202e}', '\u{2066}',
        '\u{2028}', '\u{200b}', '\u{feff}', '\u{61c}', '"', '\'', '\\', '=', '[', '}', 'é', '👩',
    ];
    ODD[rng.usize(..ODD.len())]
}

/// One of `items`.
fn pick<'a, T>(rng: &mut Rng, items: &'a [T]) -> &'a T {
    &items[rng.usize(..items.len())]
}
