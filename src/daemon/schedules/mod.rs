//! Fixed times: at each time of a rule's `schedule`, looks up the newest posts of its authors and plans votes on them.
//! Of several daemons on one database, the one that holds the lease does this.
//!
//! This module computes the moments, and an alarm wakes the task for each. Votes are due at the time to the
//! millisecond: posts are looked up a second ahead (more for many authors), so that the votes already wait in the
//! caster at that time. The newest post is the newest at the look-up.

mod look_up;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Interval;

use crate::chain::nodes::Nodes;
use crate::clock::{self, Clock};
use crate::config::Config;
use crate::daemon::lease::{Lease, RENEW_EVERY};
use crate::daemon::scheduler::Alarm;
use crate::daemon::schedules::look_up::{Found, LookUp};
use crate::moment;
use crate::post::VoteKey;
use crate::rules::set::RuleSet;
use crate::stop::{Stop, result_of};
use crate::store::{Store, StoreError};
use crate::votes::change::{Batch, ScheduleRun};
use crate::votes::error_entry::ErrorEntry;
use crate::votes::schedules::agenda::{Agenda, LONGEST_LEAD, Run};
use crate::votes::status::ErrorKind;

/// Name of the lease of the one daemon that runs schedules.
pub const SCHEDULES_LEASE: &str = "schedules";
/// Time after which a planned vote is certain to be in the table.
const ON_ITS_WAY: TimeDelta = TimeDelta::minutes(1);
/// Delay before the first retry of a look-up that failed; doubled each time.
const RETRY: TimeDelta = TimeDelta::seconds(1);
const LONGEST_RETRY: TimeDelta = TimeDelta::seconds(30);

/// What the task that runs schedules works with.
pub struct Schedules {
    /// The right to run schedules.
    pub lease: Lease,
    /// The tables.
    pub store: Arc<Store>,
    /// The nodes of the chain.
    pub nodes: Nodes,
    /// The time.
    pub clock: Clock,
    /// The configuration, which may change while the task runs.
    pub config: watch::Receiver<Arc<Config>>,
    /// The rules in force.
    pub rules: watch::Receiver<Arc<RuleSet>>,
    /// Whether to do everything but broadcast.
    pub dry_run: bool,
    /// The way to the writer.
    pub plans: mpsc::Sender<Batch>,
    /// Wakes for look-ups.
    pub alarm: Alarm,
}

impl Schedules {
    /// Runs schedules while this daemon holds the lease, until `stop`.
    pub async fn run(mut self, stop: Stop) {
        // Stops even while the writer accepts nothing: the next start makes up for a run that is not stored.
        stop.or(self.run_in_turn()).await;
        self.lease.give_back(&stop).await;
    }

    async fn run_in_turn(&mut self) {
        let mut renew = clock::every(RENEW_EVERY);
        loop {
            renew.tick().await;
            match self.take_over().await {
                Ok(Some(runner)) => self.run_until_lost(runner, &mut renew).await,
                Ok(None) => {}
                Err(error) => error.log("schedules wait for the database"),
            }
        }
    }

    /// Continues where the previous daemon stopped; `None` while another holds the lease.
    async fn take_over(&mut self) -> Result<Option<Runner>, StoreError> {
        if !self.lease.hold().await? {
            return Ok(None);
        }
        let mut runs = self.store.schedule_runs().await?;
        let now = self.clock.now();
        runs.retain(|run| is_plausible(run, now));
        Ok(Some(Runner::new(Agenda::new(runs))))
    }

    async fn run_until_lost(&mut self, mut runner: Runner, renew: &mut Interval) {
        self.rules.mark_changed();
        let mut looking: JoinSet<Found> = JoinSet::new();
        loop {
            let now = self.clock.now();
            // One look-up at a time: the next one must know what this one plans.
            let idle = looking.is_empty();
            if idle && let Some(attempts) = runner.due(now) {
                looking.spawn(self.look_up(attempts, runner.planned(now)).run());
                continue;
            }
            let wake = runner.next_wake().filter(|_| idle);
            let batch = tokio::select! {
                biased;
                Some(found) = looking.join_next() => {
                    let found = result_of(found).unwrap_or_default();
                    runner.take(found, self.config.borrow().casting.retry_for, self.clock.now())
                }
                Ok(()) = self.rules.changed() => {
                    let rules = self.rules.borrow_and_update().clone();
                    runner.update(&rules, self.clock.now())
                }
                _ = renew.tick() => match self.lease.hold().await {
                    Ok(false) => return tracing::warn!("another daemon has taken over running schedules"),
                    // While the database is unavailable, this daemon keeps the lease.
                    Ok(true) | Err(_) => Batch::default(),
                },
                () = self.alarm.reach(wake.unwrap_or_default()), if wake.is_some() => Batch::default(),
            };
            if batch != Batch::default() && self.plans.send(batch).await.is_err() {
                tracing::debug!("the writer has stopped");
            }
        }
    }

    fn look_up(&self, attempts: Vec<Attempt>, planned: Vec<VoteKey>) -> LookUp {
        LookUp {
            store: self.store.clone(),
            nodes: self.nodes.clone(),
            rules: self.rules.borrow().clone(),
            dry_run: self.dry_run,
            attempts,
            planned: planned.into_iter().collect(),
        }
    }
}

/// Whether the rule can have run then. A clock that was ahead for a while must not suppress runs until that moment: such
/// a rule counts as first seen now.
fn is_plausible(run: &ScheduleRun, now: DateTime<Utc>) -> bool {
    let at = run.last_run_at;
    let is_plausible = moment::past("last_run_at", at, now).is_ok() && at - now <= LONGEST_LEAD;
    if !is_plausible {
        let (rule, at) = (&run.rule, at.format("%F %T UTC"));
        tracing::warn!(
            "the last run of {rule}, stored as {at}, is implausible: no missed run is made up for"
        );
    }
    is_plausible
}

/// A run that is in progress.
#[derive(Debug, Clone, PartialEq)]
struct Attempt {
    run: Run,
    /// When its votes were due, or those of the earlier run that failed.
    since: DateTime<Utc>,
    tries: u32,
    not_before: DateTime<Utc>,
    /// Whether votes on posts of some of its authors are planned, and the run is stored with them.
    stored: bool,
}

/// Decides what to look up and what to write, and does neither.
#[derive(Debug)]
struct Runner {
    agenda: Agenda,
    /// Attempts to repeat.
    failed: Vec<Attempt>,
    /// Votes that may not be in the table yet, and when they were planned.
    planned: HashMap<VoteKey, DateTime<Utc>>,
}

impl Runner {
    fn new(agenda: Agenda) -> Self {
        Self {
            agenda,
            failed: Vec::new(),
            planned: HashMap::new(),
        }
    }

    /// Takes in changed rules; returns what to write.
    fn update(&mut self, rules: &RuleSet, now: DateTime<Utc>) -> Batch {
        let batch = self.agenda.update(rules, now);
        let agenda = &self.agenda;
        self.failed
            .retain(|attempt| agenda.has(&attempt.run.rule, &attempt.run.schedule));
        batch
    }

    fn next_wake(&self) -> Option<DateTime<Utc>> {
        let again = self.failed.iter().map(|attempt| attempt.not_before);
        again.chain(self.agenda.next_wake()).min()
    }

    /// The runs to look up together now.
    fn due(&mut self, now: DateTime<Utc>) -> Option<Vec<Attempt>> {
        let mut attempts = Vec::new();
        for run in self.agenda.due(now) {
            // Several times of one rule that failed are made up for by one run.
            let before = self.failed.iter().position(|old| old.run.rule == run.rule);
            let before = before.map(|index| self.failed.swap_remove(index));
            attempts.push(Attempt {
                since: before.map_or(run.due, |old| old.since),
                run,
                tries: 0,
                not_before: now,
                stored: false,
            });
        }
        let ready = |attempt: &mut Attempt| attempt.not_before <= now;
        attempts.extend(self.failed.extract_if(.., ready));
        (!attempts.is_empty()).then_some(attempts)
    }

    /// Votes that were planned recently.
    fn planned(&mut self, now: DateTime<Utc>) -> Vec<VoteKey> {
        self.planned.retain(|_, at| now - *at < ON_ITS_WAY);
        self.planned.keys().cloned().collect()
    }

    /// Takes in the result of a look-up; returns what to write.
    fn take(&mut self, found: Found, retry_for: std::time::Duration, now: DateTime<Utc>) -> Batch {
        let Found { mut batch, failed } = found;
        let planned = batch.changes.iter().map(|change| change.key().clone());
        self.planned.extend(planned.map(|key| (key, now)));
        let retry_for = TimeDelta::from_std(retry_for).unwrap_or(TimeDelta::MAX);
        for (attempt, why) in failed {
            if now - attempt.since < retry_for {
                let pause = RETRY.checked_mul(1 << attempt.tries.min(5));
                self.failed.push(Attempt {
                    tries: attempt.tries + 1,
                    not_before: now + pause.unwrap_or(LONGEST_RETRY).min(LONGEST_RETRY),
                    ..attempt
                });
                continue;
            }
            batch.errors.push(given_up(&attempt, &why, now));
            if !attempt.stored {
                batch.schedule_runs.push(attempt.run.done());
            }
        }
        // The schedule may have changed or gone meanwhile.
        let agenda = &self.agenda;
        batch
            .schedule_runs
            .retain(|run| agenda.has(&run.rule, &run.schedule));
        self.failed
            .retain(|attempt| agenda.has(&attempt.run.rule, &attempt.run.schedule));
        batch
    }
}

fn given_up(attempt: &Attempt, why: &str, now: DateTime<Utc>) -> ErrorEntry {
    let Run {
        rule, due, authors, ..
    } = &attempt.run;
    let names: Vec<_> = authors.iter().map(|author| format!("@{author}")).collect();
    let names = names.join(", ");
    let due = due.format("%F %T UTC");
    let text = format!(
        "{rule} did not vote at {due}: the newest posts of {names} could not be looked up: {why}"
    );
    tracing::warn!("{text}");
    let author = match &authors[..] {
        [author] => author.as_str().to_owned(),
        _ => String::new(),
    };
    ErrorEntry {
        author,
        ..ErrorEntry::new(ErrorKind::Schedule, text, now)
    }
}
