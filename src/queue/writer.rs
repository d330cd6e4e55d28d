//! The one task that writes votes: what is handed over in order, in groups, and what it makes of the rows
//! goes on to the caster. While the database is away everything waits here, and the caster is told what
//! the rows will be, so that votes go out on time all the same.

use std::collections::{HashMap, HashSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::Config;
use crate::post::VoteKey;
use crate::queue::change::{Batch, Change};
use crate::queue::error_entry::{ErrorEntry, ErrorKind};
use crate::queue::store::{Store, StoreError};
use crate::queue::transition::{self, Context, attempted};
use crate::queue::vote::{Origin, Status, Vote};
use crate::rules::rule::RuleId;
use crate::rules::set::RuleSet;

/// Votes due within this time are claimed and held in memory.
pub const HORIZON: TimeDelta = TimeDelta::seconds(30);
/// A claim that is not renewed ends after this.
pub const LEASE: TimeDelta = TimeDelta::seconds(15);
/// A batch that the database has not taken after this is announced to the caster as if it had.
const PATIENCE: TimeDelta = TimeDelta::milliseconds(200);
/// Small batches are written together up to so many changes, and larger ones are cut: the first votes of a
/// leader with thousands of followers go out while the others are still being written.
const GROUP: usize = 1_000;
/// More votes than this are not held at a time.
const MOST_HELD: usize = 50_000;
/// With so many changes waiting for the database, no more blocks are read.
const MOST_WAITING: usize = 200_000;
/// Between two attempts to reach a database that is away.
const RETRY: TimeDelta = TimeDelta::milliseconds(500);
/// So often at the very end.
const LAST_TRIES: u32 = 8;

/// What the caster is told.
#[derive(Debug)]
pub enum Handover {
    /// Votes that are ours to cast; with each, whether a daemon before us may have tried.
    Hold(Vec<(Vote, bool)>),
    /// Rows that changed; those that are held change with them.
    Amend(Vec<Vote>),
    /// Votes on new posts: are they posts, or edits of old ones?
    Check(Vec<Vote>),
    /// Votes that were cast and not seen in a block in time: are they on the chain?
    Confirm(Vec<Vote>),
}

impl Handover {
    fn is_empty(&self) -> bool {
        match self {
            Self::Hold(votes) => votes.is_empty(),
            Self::Amend(votes) | Self::Check(votes) | Self::Confirm(votes) => votes.is_empty(),
        }
    }
}

/// What the writer works with.
pub struct Writer {
    pub store: Arc<Store>,
    pub clock: Clock,
    pub owner: String,
    pub rules: watch::Receiver<Arc<RuleSet>>,
    /// May change while it runs.
    pub config: watch::Receiver<Arc<Config>>,
    pub caster: mpsc::Sender<Handover>,
    /// Rows as they are written, for who wants to watch; may be slow, may be gone.
    pub observer: Option<mpsc::Sender<Vote>>,
}

/// Where batches come from and when there is routine work.
pub struct Inbox {
    /// From the planner: comes first to wait when the database is away for long.
    pub plans: mpsc::Receiver<Batch>,
    /// From everybody else.
    pub reports: mpsc::Receiver<Batch>,
    /// Time to claim what is due soon.
    pub claim: mpsc::Receiver<()>,
    /// Time to renew what is claimed.
    pub renew: mpsc::Receiver<()>,
}

struct Waiting {
    batch: Arc<Batch>,
    since: DateTime<Utc>,
    /// The caster was told what it will make of the rows.
    announced: bool,
}

impl Waiting {
    /// Whether new votes are in it.
    fn plans(&self) -> bool {
        let is_plan = |change: &Change| matches!(change, Change::Plan(_));
        self.batch.changes.iter().any(is_plan)
    }
}

/// What the database is busy with: one thing at a time. It may hang, and nobody waits for it then.
type Working = Pin<Box<dyn Future<Output = Done> + Send>>;

/// What came of it.
enum Done {
    Applied(Result<Vec<Vote>, StoreError>),
    /// What is due soon, claimed at that moment, and what was cast but not seen in a block in time.
    Claimed(DateTime<Utc>, Result<(Vec<Vote>, Vec<Vote>), StoreError>),
    /// Everything that the table says is ours, if that may not be what we hold.
    Renewed(Result<Option<Vec<Vote>>, StoreError>),
}

impl Writer {
    /// Writes until `cancel`, then what is left, then gives back what is claimed.
    pub async fn run(self, mut inbox: Inbox, cancel: CancellationToken) {
        let mut run = Run {
            writer: self,
            waiting: VecDeque::new(),
            changes_waiting: 0,
            held: HashMap::new(),
            away_since: None,
            not_before: DateTime::UNIX_EPOCH,
            renew_next: false,
        };
        let mut working: Option<Working> = None;
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
                done = wait_for(&mut working) => {
                    working = None;
                    run.take_in(done).await;
                }
                Some(batch) = inbox.reports.recv() => run.take(batch),
                Some(batch) = inbox.plans.recv(), if room => run.take(batch),
                Some(()) = inbox.renew.recv(), if idle => working = Some(run.renew()),
                Some(()) = inbox.claim.recv(), if idle && run.waiting.is_empty() => working = Some(run.claim()),
                () = run.writer.clock.sleep_until(wake.unwrap_or_default()), if wake.is_some() => {}
                () = cancel.cancelled() => break,
            }
        }
        if working.is_some() {
            let done = wait_for(&mut working).await;
            run.take_in(done).await;
        }
        inbox.plans.close();
        inbox.reports.close();
        while let Some(batch) = inbox.plans.recv().await {
            run.take(batch);
        }
        while let Some(batch) = inbox.reports.recv().await {
            run.take(batch);
        }
        run.finish().await;
    }
}

/// The end of what the database is busy with; never, if there is nothing.
async fn wait_for(working: &mut Option<Working>) -> Done {
    match working {
        Some(working) => working.await,
        None => std::future::pending().await,
    }
}

struct Run {
    writer: Writer,
    waiting: VecDeque<Waiting>,
    changes_waiting: usize,
    /// The rows that the caster knows of, as they are or as they were announced.
    held: HashMap<VoteKey, Vote>,
    away_since: Option<DateTime<Utc>>,
    not_before: DateTime<Utc>,
    /// Before anything else what we hold is to be renewed.
    renew_next: bool,
}

impl Run {
    fn take(&mut self, batch: Batch) {
        self.changes_waiting += batch.changes.len();
        let since = self.writer.clock.now();
        for batch in batch.into_groups(GROUP) {
            self.waiting.push_back(Waiting {
                batch: Arc::new(batch),
                since,
                announced: false,
            });
        }
    }

    fn next_wake(&self, working: bool) -> Option<DateTime<Utc>> {
        let patience = self
            .waiting
            .iter()
            .find(|waiting| !waiting.announced)
            .map(|waiting| waiting.since + PATIENCE);
        let to_do = self.renew_next || self.away_since.is_some() || !self.waiting.is_empty();
        let retry = (!working && to_do).then_some(self.not_before);
        patience.into_iter().chain(retry).min()
    }

    /// Starts to write what waits in front. While the database is away and nothing waits, it is asked
    /// whether it is back.
    fn begin(&mut self, now: DateTime<Utc>) -> Option<Working> {
        let probe = self.waiting.is_empty() && self.away_since.is_some();
        if std::mem::take(&mut self.renew_next) || probe {
            return Some(self.renew());
        }
        self.gather();
        let batch = self.waiting.front()?.batch.clone();
        let (store, owner) = (self.writer.store.clone(), self.writer.owner.clone());
        let rules = self.writer.rules.borrow().clone();
        let confirm_within = self.writer.config.borrow().casting.confirm_within;
        Some(Box::pin(async move {
            let position = |id: &_| rules.position(id);
            let context = context(&owner, now, confirm_within, &position);
            Done::Applied(store.apply(&batch, &context).await)
        }))
    }

    /// Makes one batch of the small ones in front. An undo must come first in its batch; and nothing is added
    /// to votes that the caster was told of, since it may have sent them when the rest happens.
    fn gather(&mut self) {
        let Some(mut first) = self.waiting.pop_front() else {
            return;
        };
        while let Some(next) = self.waiting.front() {
            let size = first.batch.changes.len() + next.batch.changes.len();
            if size > GROUP
                || next.batch.undo_above.is_some()
                || next.announced != first.announced
                || (first.announced && first.plans())
            {
                break;
            }
            let Some(next) = self.waiting.pop_front() else {
                break;
            };
            let into = Arc::make_mut(&mut first.batch);
            let next = Arc::unwrap_or_clone(next.batch);
            into.changes.extend(next.changes);
            into.leader_votes.extend(next.leader_votes);
            into.errors.extend(next.errors);
            into.cursor = next.cursor.or(into.cursor.take());
        }
        self.waiting.push_front(first);
    }

    /// Tells the caster what will become of the rows, where the database takes its time.
    async fn announce(&mut self, now: DateTime<Utc>) {
        let away = self.away_since.is_some();
        let mut rows = Vec::new();
        for waiting in &mut self.waiting {
            if waiting.announced || !(away || now - waiting.since >= PATIENCE) {
                continue;
            }
            waiting.announced = true;
            let keys = waiting.batch.changes.iter().map(|change| change.key());
            let existing: Vec<Vote> = match waiting.batch.undo_above {
                Some(_) => self.held.values().cloned().collect(),
                None => {
                    let mut keys: Vec<_> = keys.collect();
                    keys.sort();
                    keys.dedup();
                    keys.into_iter()
                        .filter_map(|key| self.held.get(key))
                        .cloned()
                        .collect()
                }
            };
            let rules = self.writer.rules.borrow().clone();
            let position = |id: &_| rules.position(id);
            let confirm_within = self.writer.config.borrow().casting.confirm_within;
            let context = context(&self.writer.owner, now, confirm_within, &position);
            let folded = transition::fold(existing, &waiting.batch, &context);
            rows.extend(folded.new.into_iter().chain(folded.changed));
        }
        if !rows.is_empty() {
            self.hand_over(rows, true).await;
        }
    }

    async fn take_in(&mut self, done: Done) {
        match done {
            Done::Applied(result) => self.applied(result).await,
            Done::Claimed(at, result) => self.claimed(at, result).await,
            Done::Renewed(result) => self.renewed(result).await,
        }
    }

    /// What became of the batch in front.
    async fn applied(&mut self, result: Result<Vec<Vote>, StoreError>) {
        match result {
            Ok(rows) => {
                if let Some(done) = self.waiting.pop_front() {
                    self.changes_waiting -= done.batch.changes.len();
                }
                self.hand_over(rows, false).await;
                // Before anybody takes what we hold for abandoned.
                self.renew_next = self.back();
            }
            Err(StoreError::Unavailable(error)) => self.away(&error),
            Err(error) => self.split(&error),
        }
    }

    /// One bad row must not hold up all others: they are written one by one, and it is left out.
    fn split(&mut self, error: &StoreError) {
        let Some(Waiting {
            batch,
            since,
            announced,
        }) = self.waiting.pop_front()
        else {
            return;
        };
        let batch = Arc::unwrap_or_clone(batch);
        if batch.changes.len() + batch.errors.len() + batch.leader_votes.len() <= 1
            && batch.undo_above.is_none()
        {
            self.changes_waiting -= batch.changes.len();
            let what = batch.changes.first().map(|change| change.key().to_string());
            tracing::error!(%error, vote = what, "the database refused a row: it was left out");
            return;
        }
        let rest = Batch {
            undo_above: batch.undo_above,
            cursor: batch.cursor,
            ..Batch::default()
        };
        let changes = batch.changes.into_iter().map(|change| Batch {
            changes: vec![change],
            ..Batch::default()
        });
        let votes = batch.leader_votes.into_iter().map(|vote| Batch {
            leader_votes: vec![vote],
            ..Batch::default()
        });
        let errors = batch.errors.into_iter().map(|entry| Batch {
            errors: vec![entry],
            ..Batch::default()
        });
        let undo = rest.undo_above.map(|above| Batch {
            undo_above: Some(above),
            ..Batch::default()
        });
        let cursor = Batch {
            undo_above: None,
            ..rest
        };
        let parts: Vec<Batch> = undo
            .into_iter()
            .chain(changes)
            .chain(votes)
            .chain(errors)
            .chain([cursor])
            .collect();
        for part in parts.into_iter().rev() {
            self.waiting.push_front(Waiting {
                batch: Arc::new(part),
                since,
                announced,
            });
        }
    }

    fn away(&mut self, error: &str) {
        let now = self.writer.clock.now();
        self.not_before = now + RETRY;
        if self.away_since.is_none() {
            self.away_since = Some(now);
            tracing::warn!(
                "the database is away: votes go on, what happens is written when it is back ({error})"
            );
        }
    }

    /// The database answered: whether it had been away.
    fn back(&mut self) -> bool {
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

    fn renew(&self) -> Working {
        let (store, owner) = (self.writer.store.clone(), self.writer.owner.clone());
        let until = self.writer.clock.now() + LEASE;
        // Until everything is written, what we hold and what the table says differ.
        let expected = self.waiting.is_empty().then_some(self.held.len() as u64);
        Box::pin(async move {
            let renewed = match store.renew(&owner, until).await {
                Ok(count) if expected.is_some_and(|expected| expected != count) => {
                    store.held(&owner).await.map(Some)
                }
                Ok(_) => Ok(None),
                Err(error) => Err(error),
            };
            Done::Renewed(renewed)
        })
    }

    async fn renewed(&mut self, result: Result<Option<Vec<Vote>>, StoreError>) {
        match result {
            Ok(ours) => {
                self.back();
                if let Some(ours) = ours.filter(|_| self.waiting.is_empty()) {
                    self.reconcile(ours).await;
                }
            }
            Err(StoreError::Unavailable(error)) => self.away(&error),
            Err(error) => tracing::error!(%error, "the hold on the votes was not renewed"),
        }
    }

    /// Holds exactly what the table says is ours. Another daemon on the same database, the one that reads
    /// the chain, took votes from us: their cause is gone or has changed. Or the answer to a claim got lost.
    async fn reconcile(&mut self, ours: Vec<Vote>) {
        let still: HashSet<&VoteKey> = ours.iter().map(|row| &row.key).collect();
        let lost: Vec<VoteKey> = self
            .held
            .keys()
            .filter(|key| !still.contains(key))
            .cloned()
            .collect();
        let mut rows = Vec::new();
        for key in lost {
            rows.extend(self.held.remove(&key).map(|row| Vote {
                claimed_by: None,
                claimed_until: None,
                ..row
            }));
        }
        self.tell(Handover::Amend(rows)).await;
        self.hold(ours, self.writer.clock.now()).await;
    }

    /// Claims what is due soon, and what was cast but not seen in a block in time.
    fn claim(&self) -> Working {
        let (store, owner) = (self.writer.store.clone(), self.writer.owner.clone());
        let now = self.writer.clock.now();
        let room = MOST_HELD.saturating_sub(self.held.len()) as u32;
        Box::pin(async move {
            let claimed = async {
                let due = store
                    .claim(&owner, now, now + HORIZON, now + LEASE, room)
                    .await?;
                let unconfirmed = store
                    .claim_unconfirmed(now, now + TimeDelta::minutes(1), 1_000)
                    .await?;
                Ok((due, unconfirmed))
            };
            Done::Claimed(now, claimed.await)
        })
    }

    async fn claimed(
        &mut self,
        at: DateTime<Utc>,
        result: Result<(Vec<Vote>, Vec<Vote>), StoreError>,
    ) {
        match result {
            Ok((due, unconfirmed)) => {
                self.hold(due, at).await;
                self.tell(Handover::Confirm(unconfirmed)).await;
            }
            Err(StoreError::Unavailable(error)) => self.away(&error),
            Err(error) => tracing::error!(%error, "no votes were claimed"),
        }
    }

    /// Hands rows over that are ours since `at`, unless they are held already.
    async fn hold(&mut self, rows: Vec<Vote>, at: DateTime<Utc>) {
        let mut hold = Vec::new();
        for row in rows {
            if self.held.contains_key(&row.key) {
                continue;
            }
            let tried = attempted(&row, at);
            let row = Vote {
                claimed_by: Some(self.writer.owner.clone()),
                claimed_until: Some(at + LEASE),
                ..row
            };
            self.held.insert(row.key.clone(), row.clone());
            hold.push((row, tried));
        }
        self.tell(Handover::Hold(hold)).await;
    }

    /// Passes on how rows are now.
    async fn hand_over(&mut self, rows: Vec<Vote>, only_announced: bool) {
        let (mut hold, mut amend, mut check) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            if !only_announced {
                tell_of(&row);
                if let Some(observer) = &self.writer.observer {
                    // Whoever watches and is too slow misses some.
                    let _ = observer.try_send(row.clone());
                }
            }
            let ours = row.status == Status::Queued
                && row.claimed_by.as_deref() == Some(&*self.writer.owner);
            let known = self.held.contains_key(&row.key);
            if ours || only_announced {
                self.held.insert(row.key.clone(), row.clone());
            } else {
                self.held.remove(&row.key);
            }
            if ours && !known {
                let tried = row.attempts > 0;
                hold.push((row, tried));
            } else {
                if row.status == Status::Queued
                    && row.attempts == 0
                    && row.origin == Origin::Author
                    && !known
                {
                    check.push(row.clone());
                }
                amend.push(row);
            }
        }
        self.tell(Handover::Hold(hold)).await;
        self.tell(Handover::Amend(amend)).await;
        self.tell(Handover::Check(check)).await;
    }

    async fn tell(&self, handover: Handover) {
        if !handover.is_empty() && self.writer.caster.send(handover).await.is_err() {
            tracing::debug!("the caster has stopped");
        }
    }

    /// Writes what is left, if the database is there, and gives back what is claimed.
    async fn finish(&mut self) {
        let mut tries = 0;
        while !self.waiting.is_empty() && tries < LAST_TRIES {
            if let Some(working) = self.begin(self.writer.clock.now()) {
                let done = working.await;
                self.take_in(done).await;
            }
            if self.away_since.is_some() {
                tries += 1;
                tokio::time::sleep(RETRY.to_std().unwrap_or_default()).await;
            }
        }
        if !self.waiting.is_empty() {
            tracing::error!(
                changes = self.changes_waiting,
                "the database stayed away: what was not written is found on the chain at the next start"
            );
        }
        if let Err(error) = self.writer.store.release(&self.writer.owner).await {
            tracing::warn!(%error, "the hold on queued votes runs out by itself");
        }
    }
}

/// One line for people about what became of a vote.
fn tell_of(row: &Vote) {
    let Vote {
        key,
        weight,
        rule,
        due_at,
        ..
    } = row;
    let (voter, post, rule) = (key.voter.as_str(), key.post.to_string(), rule.as_str());
    let reason = row.reason.as_deref().unwrap_or("no reason is known");
    match row.status {
        Status::Queued if row.attempts == 0 && row.reason.is_none() => {
            tracing::info!(voter, post, rule, due_at = %due_at.format("%F %T%.3f"), "queued: {weight} for {key}");
        }
        Status::Queued => tracing::info!(
            voter,
            post,
            rule,
            attempts = row.attempts,
            "waits: {key}: {reason}"
        ),
        Status::Cast => {
            let late_ms = row.cast_at.map_or(0, |at| (at - due_at).num_milliseconds());
            tracing::info!(voter, post, rule, late_ms, "cast: {weight} for {key}");
        }
        Status::Confirmed => {
            tracing::debug!(voter, post, rule, block = row.block_num, "confirmed: {key}")
        }
        Status::DryRun => tracing::info!(
            voter,
            post,
            rule,
            "dry run: {weight} for {key} would have been cast"
        ),
        Status::Failed => tracing::warn!(
            voter,
            post,
            rule,
            attempts = row.attempts,
            "failed: {key}: {reason}"
        ),
        Status::Skipped => tracing::info!(voter, post, rule, "skipped: {key}: {reason}"),
        Status::Withdrawn => tracing::info!(voter, post, rule, "withdrawn: {key}: {reason}"),
    }
}

fn context<'a>(
    owner: &'a str,
    now: DateTime<Utc>,
    confirm_within: Duration,
    position: &'a (dyn Fn(&RuleId) -> Option<u32> + Sync),
) -> Context<'a> {
    Context {
        owner,
        now,
        claim_before: now + HORIZON,
        claim_until: now + LEASE,
        confirm_within,
        position,
    }
}
