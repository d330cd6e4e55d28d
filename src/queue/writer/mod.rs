//! The one task that writes votes. It writes what is handed over in order and in groups, and passes the resulting rows on
//! to the caster. While the database is unavailable, batches wait here, and the writer announces to the caster what the
//! rows will be, so that votes still go out on time.

mod backlog;
mod claims;
mod handover;
mod known;
mod said;
mod waiting;

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{mpsc, oneshot, watch};

use crate::backoff::Backoff;
use crate::clock::{self, Clock};
use crate::config::Config;
use crate::queue::tally::Tally;
use crate::rules::rule::RuleId;
use crate::rules::set::RuleSet;
use crate::stop::Stop;
use crate::store::{Store, StoreError};
use crate::votes::change::Batch;
use crate::votes::error_entry::ErrorEntry;
use crate::votes::fold::Context;
use crate::votes::handover::Handover;
use crate::votes::status::ErrorKind;
use crate::votes::vote::Vote;

use known::Known;
use said::Said;
use waiting::Waiting;

/// Time before its due moment in which a vote is claimed and held in memory.
pub const HORIZON: TimeDelta = TimeDelta::seconds(30);
/// Time after which a claim that is not renewed expires.
pub const LEASE: TimeDelta = TimeDelta::seconds(15);
/// Time after which a batch that is not written yet is announced to the caster as if it were.
const PATIENCE: TimeDelta = TimeDelta::milliseconds(200);
/// Most changes in one transaction. Larger batches are cut, so that the first votes of a leader with thousands of
/// followers go out while the others are still being written.
const GROUP: usize = 1_000;
/// Most votes held at a time.
const MOST_HELD: usize = 50_000;
/// Number of waiting changes from which no more blocks are read.
const MOST_WAITING: usize = 200_000;
/// Delay before the first retry while the database is unavailable, and the longest one.
const FIRST_RETRY: Duration = Duration::from_millis(250);
const LONGEST_RETRY: Duration = Duration::from_secs(2);
/// Interval between two claims of votes that are due soon.
const CLAIM_EVERY: Duration = Duration::from_secs(1);
/// Interval between two renewals of the claims.
const RENEW_EVERY: Duration = Duration::from_secs(5);

/// What the writer works with.
pub struct Writer {
    /// The tables.
    pub store: Arc<Store>,
    /// The time.
    pub clock: Clock,
    /// This daemon, as the tables name it.
    pub owner: String,
    /// The rules in force.
    pub rules: watch::Receiver<Arc<RuleSet>>,
    /// The configuration, which may change while the task runs.
    pub config: watch::Receiver<Arc<Config>>,
    /// The way to the caster: rows as they are written.
    pub caster: mpsc::Sender<Handover>,
    /// Signalled by the caster at its end, once it has reported every request.
    pub settled: oneshot::Receiver<()>,
    /// Receives rows as they are written; may be slow or gone.
    pub observer: Option<mpsc::Sender<Vote>>,
    /// Counts votes for the daily summary.
    pub tally: Arc<Tally>,
}

/// The sources of batches.
pub struct Inbox {
    /// From the planner: the first to be held up when the database is unavailable for long.
    pub plans: mpsc::Receiver<Batch>,
    /// From all others.
    pub reports: mpsc::Receiver<Batch>,
}

/// The call that the database is working on, one at a time. It may hang, so nothing waits for it alone.
type Working = Pin<Box<dyn Future<Output = Done> + Send>>;

/// The result of such a call.
enum Done {
    Applied(Result<Vec<Vote>, StoreError>),
    /// Votes due soon, claimed at that moment, and votes cast but not seen in a block in time.
    Claimed(DateTime<Utc>, Result<(Vec<Vote>, Vec<Vote>), StoreError>),
    /// All votes that are ours in the table, if they may differ from those held.
    Renewed(Result<Option<Vec<Vote>>, StoreError>),
}

impl Writer {
    /// Writes until `stop`, then writes what is left and gives back the claims.
    pub async fn run(self, mut inbox: Inbox, stop: Stop) {
        let mut run = Run {
            writer: self,
            stop: stop.clone(),
            waiting: VecDeque::new(),
            changes_waiting: 0,
            known: Known::default(),
            away_since: None,
            not_before: DateTime::UNIX_EPOCH,
            backoff: Backoff::new(FIRST_RETRY, LONGEST_RETRY),
            renew_next: false,
            errors_taken: 0,
            said: Said::default(),
        };
        let mut working: Option<Working> = None;
        let mut claim = clock::every(CLAIM_EVERY);
        // Votes that the previous daemon has just sent are in no block yet: a look at the chain too soon would miss them.
        claim.reset();
        let mut renew = clock::every(RENEW_EVERY);
        loop {
            let now = run.writer.clock.now();
            if working.is_none() && run.not_before <= now {
                working = run.begin(now);
            }
            run.announce(now).await;
            let wake = run.next_wake(working.is_some());
            let room = run.changes_waiting < MOST_WAITING;
            let idle = working.is_none() && run.away_since.is_none();
            tokio::select! {
                biased;
                () = stop.requested() => break,
                done = wait_for(&mut working) => {
                    working = None;
                    run.take_in(done).await;
                }
                Some(batch) = inbox.reports.recv() => run.take(batch),
                Some(batch) = inbox.plans.recv(), if room => run.take(batch),
                _ = renew.tick(), if idle => working = Some(run.renew()),
                _ = claim.tick(), if idle && run.waiting.is_empty() => working = Some(run.claim()),
                () = run.writer.clock.sleep_until(wake.unwrap_or_default()), if wake.is_some() => {}
            }
        }
        inbox.plans.close();
        inbox.reports.close();
        while let Some(batch) = inbox.plans.recv().await {
            run.take(batch);
        }
        while let Some(batch) = inbox.reports.recv().await {
            run.take(batch);
        }
        run.finish(working).await;
    }
}

/// Waits for the call in progress; for ever if there is none.
async fn wait_for(working: &mut Option<Working>) -> Done {
    match working {
        Some(working) => working.await,
        None => std::future::pending().await,
    }
}

struct Run {
    writer: Writer,
    stop: Stop,
    waiting: VecDeque<Waiting>,
    changes_waiting: usize,
    known: Known,
    away_since: Option<DateTime<Utc>>,
    not_before: DateTime<Utc>,
    /// Delays between attempts while it is unavailable.
    backoff: Backoff,
    /// Entries for `error_log` so far.
    errors_taken: u64,
    /// Whether the claims must be renewed before anything else.
    renew_next: bool,
    /// What the log has said about votes that wait.
    said: Said,
}

impl Run {
    fn take(&mut self, mut batch: Batch) {
        // A batch is written again when the answer to its commit was lost.
        for entry in &mut batch.errors {
            self.errors_taken += 1;
            entry.write_once(&self.writer.owner, self.errors_taken);
        }
        self.changes_waiting += batch.changes.len();
        let since = self.writer.clock.now();
        for batch in batch.into_groups(GROUP) {
            self.waiting.push_back(Waiting {
                batch: Arc::new(batch),
                since,
                announced: None,
                alone: false,
            });
        }
    }

    fn next_wake(&self, working: bool) -> Option<DateTime<Utc>> {
        let patience = self
            .waiting
            .iter()
            .find(|waiting| waiting.announced.is_none())
            .map(|waiting| waiting.since + PATIENCE);
        let to_do = self.renew_next || self.away_since.is_some() || !self.waiting.is_empty();
        let retry = (!working && to_do).then_some(self.not_before);
        patience.into_iter().chain(retry).min()
    }

    /// Starts to write the batch in front. While the database is unavailable and no batch waits, checks whether it is
    /// back.
    fn begin(&mut self, now: DateTime<Utc>) -> Option<Working> {
        let probe = self.waiting.is_empty() && self.away_since.is_some();
        if std::mem::take(&mut self.renew_next) || probe {
            return Some(self.renew());
        }
        self.gather();
        let front = self.waiting.front()?;
        let (batch, at) = (front.batch.clone(), front.announced.unwrap_or(now));
        let (store, owner) = (self.writer.store.clone(), self.writer.owner.clone());
        let rules = self.writer.rules.borrow().clone();
        let confirm_within = self.writer.config.borrow().casting.confirm_within;
        Some(Box::pin(async move {
            let position = |id: &_| rules.position(id);
            let context = context(&owner, at, now, confirm_within, &position);
            Done::Applied(store.apply(&batch, &context).await)
        }))
    }

    async fn take_in(&mut self, done: Done) {
        match done {
            Done::Applied(result) => self.applied(result).await,
            Done::Claimed(at, result) => self.claimed(at, result).await,
            Done::Renewed(result) => self.renewed(result).await,
        }
    }

    /// Takes in the result for the batch in front.
    async fn applied(&mut self, result: Result<Vec<Vote>, StoreError>) {
        match result {
            Ok(rows) => {
                if let Some(done) = self.waiting.pop_front() {
                    self.changes_waiting -= done.batch.changes.len();
                }
                self.hand_over(rows, false).await;
                // Before another daemon takes the claims for abandoned.
                self.renew_next = self.back();
            }
            Err(StoreError::Row(error)) => self.split(&error),
            // Whatever it is: a right, a table or a password may be back soon, and nothing is lost until then.
            Err(error) => self.away(&error),
        }
    }

    fn away(&mut self, error: &StoreError) {
        let now = self.writer.clock.now();
        self.not_before = now + self.backoff.next(fastrand::f64());
        if self.away_since.is_none() {
            self.away_since = Some(now);
            tracing::warn!(
                "the database is away: votes go on, what happens is written when it is back ({error})"
            );
        }
    }

    /// Notes that the database answered; returns whether it had been unavailable.
    fn back(&mut self) -> bool {
        self.backoff.reset();
        let Some(since) = self.away_since.take() else {
            return false;
        };
        let now = self.writer.clock.now();
        let text = format!(
            "the database was away for {} s, from {} to {}",
            (now - since).num_seconds(),
            since.format("%F %T UTC"),
            now.format("%F %T UTC"),
        );
        tracing::info!("{text}");
        let entry = ErrorEntry::new(ErrorKind::Database, text, now);
        self.take(Batch {
            errors: vec![entry],
            ..Batch::default()
        });
        true
    }

    /// Waits for the call in progress, writes what is left and gives back the claims, until it must give up: a database
    /// that hangs does not keep the daemon from ending.
    async fn finish(&mut self, working: Option<Working>) {
        let stop = self.stop.clone();
        let all = stop.or_give_up(self.write_the_rest(working)).await;
        if !self.waiting.is_empty() {
            tracing::error!(
                changes = self.changes_waiting,
                "the database stayed away: the next start looks on the chain for what was not written"
            );
        }
        match all {
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                tracing::warn!(%error, "the claims on queued votes expire by themselves");
            }
            None => tracing::warn!(
                "the claims on queued votes expire by themselves: the database did not answer in time"
            ),
        }
    }

    async fn write_the_rest(&mut self, working: Option<Working>) -> Result<u64, StoreError> {
        if let Some(working) = working {
            let done = working.await;
            self.take_in(done).await;
        }
        while !self.waiting.is_empty() {
            if let Some(working) = self.begin(self.writer.clock.now()) {
                let done = working.await;
                self.take_in(done).await;
            }
            if self.away_since.is_some() {
                self.writer.clock.sleep_until(self.not_before).await;
            }
        }
        // A vote that a failed caster may have sent keeps its claim, which tells the next daemon to look for it on the
        // chain.
        match self.writer.settled.try_recv() {
            Ok(()) => self.writer.store.release(&self.writer.owner).await,
            Err(_) => Ok(0),
        }
    }
}

/// The context of a batch that happens `at` a moment and is written `now`.
fn context<'a>(
    owner: &'a str,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
    confirm_within: Duration,
    position: &'a (dyn Fn(&RuleId) -> Option<u32> + Sync),
) -> Context<'a> {
    Context {
        owner,
        now: at,
        claim_before: at + HORIZON,
        claim_until: now + LEASE,
        confirm_within,
        position,
    }
}
