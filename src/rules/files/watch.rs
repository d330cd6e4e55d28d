//! The task that follows the rules folder: it reloads the rules after file system events, and checks all files every few
//! seconds in case there are no events.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{error, info, warn};

use crate::clock::Clock;
use crate::rules::files::events::Events;
use crate::rules::files::folder::{self, FolderError, Walk};
use crate::rules::files::library::{Change, Library, News, Parse, Reload};
use crate::rules::files::snapshot::{Reader, Snapshot};
use crate::rules::set::RuleSet;
use crate::stop::Stop;

/// Maximum number of reports that wait for the receiver; beyond it the oldest one is only in the log.
const MOST_PENDING: usize = 1_000;

/// Input of the task.
pub struct Watch {
    /// The rules folder, or a link to it; relative to the working directory or absolute.
    pub root: PathBuf,
    /// The time, which decides whether a file has been written to its end.
    pub clock: Clock,
    /// Reads a rule file.
    pub parse: Parse,
    /// How soon changes are acted on.
    pub pace: Pace,
    /// Receives a set after the first check of the folder, and then whenever the rules change. Its initial value is
    /// [`RuleSet::not_read_yet`].
    pub out: watch::Sender<Arc<RuleSet>>,
    /// Gets files with errors.
    pub reports: mpsc::Sender<RulesReport>,
    /// Requests that all files are read again at once.
    pub reload_now: Arc<Notify>,
    /// Ends the task.
    pub stop: Stop,
}

/// Timing of reloads.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Time without events before the files are read.
    pub quiet: Duration,
    /// Maximum time from the first event to reading the files.
    pub longest: Duration,
    /// Interval of checks of all files without an event.
    pub rescan: Duration,
    /// Whether file system events are used.
    pub events: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            quiet: Duration::from_millis(100),
            longest: Duration::from_secs(1),
            rescan: Duration::from_secs(5),
            events: true,
        }
    }
}

/// Report of an invalid file, sent once for each of its contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RulesReport {
    /// When it was read.
    pub at: DateTime<Utc>,
    /// The errors with their positions, and the number of rules that stay in force.
    pub message: String,
    /// Identifies this content of this file: 64 hexadecimal digits.
    pub fingerprint: String,
}

/// Runs until `stop`. It does not wait for file operations that hang.
pub async fn run(job: Watch) {
    let stop = job.stop.clone();
    let mut pending = VecDeque::new();
    let reports = job.reports.clone();
    stop.or(keep(job, &mut pending)).await;
    for report in pending {
        // What does not fit any more is in the log.
        let _ = reports.try_send(report);
    }
}

async fn keep(job: Watch, pending: &mut VecDeque<RulesReport>) {
    let root = std::path::absolute(&job.root).unwrap_or_else(|_| job.root.clone());
    let changed = Arc::new(Notify::new());
    let loader = Arc::new(Mutex::new(Loader {
        root,
        clock: job.clock,
        wants_events: job.pace.events,
        changed: changed.clone(),
        events: None,
        said_no_events: false,
        reader: Reader::default(),
        copies: Vec::new(),
        library: Library::new(job.parse),
        last: None,
    }));
    let mut is_first = true;
    loop {
        let reload = with(&loader, Loader::reload).await.unwrap_or_default();
        for change in &reload.changes {
            log(change);
            if let Some(report) = RulesReport::of(change, job.clock.now()) {
                if pending.len() >= MOST_PENDING {
                    pending.pop_front();
                }
                pending.push_back(report);
            }
        }
        if let Some(set) = reload.set {
            info!(rules = set.rules().len(), "rules in force have changed");
            job.out.send_replace(set);
        } else if is_first {
            job.out.send_modify(|_| ());
        }
        is_first = false;
        wait(&job, &loader, &changed, reload.look_again_at, pending).await;
    }
}

/// Returns when it is time to read the files.
async fn wait(
    job: &Watch,
    loader: &Arc<Mutex<Loader>>,
    changed: &Notify,
    look_again_at: Option<DateTime<Utc>>,
    pending: &mut VecDeque<RulesReport>,
) {
    let mut rescan_at = Instant::now() + job.pace.rescan;
    loop {
        tokio::select! {
            biased;
            () = job.reload_now.notified() => {
                with(loader, |loader| loader.reader.forget()).await;
                return;
            }
            () = changed.notified() => return gather(job.pace, changed).await,
            () = job.clock.sleep_until(look_again_at.unwrap_or_default()), if look_again_at.is_some() => return,
            room = job.reports.reserve(), if !pending.is_empty() => match room {
                Ok(room) => if let Some(report) = pending.pop_front() { room.send(report) },
                Err(_) => pending.clear(),
            },
            () = sleep_until(rescan_at) => {
                if with(loader, Loader::differs).await.unwrap_or(true) {
                    return gather(job.pace, changed).await;
                }
                rescan_at = Instant::now() + job.pace.rescan;
            }
        }
    }
}

/// Waits until the events have ended, or go on for too long. The first has just come.
async fn gather(pace: Pace, changed: &Notify) {
    let latest = Instant::now() + pace.longest;
    loop {
        let quiet = (Instant::now() + pace.quiet).min(latest);
        if timeout_at(quiet, changed.notified()).await.is_err() {
            return;
        }
    }
}

/// Does `work`, which touches files, on a thread that may block. `None` if it panicked.
async fn with<T: Send + 'static>(
    loader: &Arc<Mutex<Loader>>,
    work: impl FnOnce(&mut Loader) -> T + Send + 'static,
) -> Option<T> {
    let loader = loader.clone();
    let done = tokio::task::spawn_blocking(move || {
        work(&mut loader.lock().unwrap_or_else(PoisonError::into_inner))
    });
    match done.await {
        Ok(done) => Some(done),
        Err(error) => {
            error!(%error, "reading the rules folder failed: the rules stay as they are until the next attempt");
            None
        }
    }
}

/// What is needed to look at the folder. Its methods wait for the disk.
struct Loader {
    root: PathBuf,
    clock: Clock,
    wants_events: bool,
    changed: Arc<Notify>,
    events: Option<Events>,
    said_no_events: bool,
    reader: Reader,
    /// Copies of rule files that have been named in the log.
    copies: Vec<String>,
    library: Library,
    /// What [`Library`] was given last.
    last: Option<Snapshot>,
}

impl Loader {
    fn reload(&mut self) -> Reload {
        let snapshot = self.look();
        let reload = self.library.update(&snapshot, self.clock.now());
        self.last = Some(snapshot);
        reload
    }

    /// Whether the folder holds something else than at the last [`Loader::reload`].
    fn differs(&mut self) -> bool {
        let snapshot = self.look();
        self.last.as_ref() != Some(&snapshot)
    }

    fn look(&mut self) -> Snapshot {
        // Folders are listed after they are watched, so that nothing happens in between unseen. A
        // folder that appears in between takes another round.
        let mut walk = folder::walk(&self.root);
        for _ in 0..3 {
            if !self.follow(&walk) {
                break;
            }
            walk = folder::walk(&self.root);
        }
        let walk = walk?;
        for copy in walk
            .copies
            .iter()
            .filter(|copy| !self.copies.contains(copy))
        {
            warn!(file = %copy, "{copy}: {} ({})", folder::COPY, folder::COPY_HELP);
        }
        self.copies = walk.copies;
        Ok(self.reader.read(&walk.files, self.clock.now()))
    }

    /// Says whether any folder is watched that was not before.
    fn follow(&mut self, walk: &Result<Walk, FolderError>) -> bool {
        if !self.wants_events {
            return false;
        }
        // Taken out while it works: one that breaks off is not used again.
        let events = match self.events.take() {
            Some(events) => Ok(events),
            None => Events::new(self.changed.clone()),
        };
        match events {
            Ok(mut events) => {
                let any_new = match walk {
                    Ok(walk) => events.follow(&self.root, walk),
                    Err(_) => events.follow(&self.root, &Walk::default()),
                };
                self.events = Some(events);
                any_new
            }
            Err(error) => {
                if !self.said_no_events {
                    warn!(
                        %error,
                        "the system reports no file changes: changes of rules are noticed after a few seconds; \
                         if a limit was reached, raise fs.inotify.max_user_instances"
                    );
                    self.said_no_events = true;
                }
                false
            }
        }
    }
}

impl RulesReport {
    fn of(change: &Change, at: DateTime<Utc>) -> Option<Self> {
        match &change.news {
            News::Bad(bad) if bad.first_time => Some(Self {
                at,
                message: format!("{}{}", bad.errors.join("; "), remains(bad.kept)),
                fingerprint: bad.fingerprint.clone(),
            }),
            _ => None,
        }
    }
}

fn log(change: &Change) {
    let file = change.file.as_str();
    match &change.news {
        News::Good { rules, warnings } => {
            let plural = if *rules == 1 { "" } else { "s" };
            info!(file, rules, "{file} read: {rules} rule{plural}");
            for warning in warnings {
                warn!(file, "{warning}");
            }
        }
        News::Removed => info!(file, "{file} was removed with its rules"),
        News::Bad(bad) => {
            for error in &bad.errors {
                error!(file, "{error}{}", remains(bad.kept));
            }
        }
    }
}

/// What a bad file leaves in force, as the end of a sentence about it.
fn remains(kept: usize) -> String {
    match kept {
        0 => String::new(),
        1 => " (its last good rule stays in force)".to_owned(),
        _ => format!(" (its last {kept} good rules stay in force)"),
    }
}
