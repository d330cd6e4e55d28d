//! The table of votes in memory: written as a database would write it.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::account::Account;
use crate::post::VoteKey;
use crate::rules::rule::RuleId;
use crate::rules::set::RuleSet;
use crate::votes::change::{Batch, Change};
use crate::votes::fold::{Context, fold};
use crate::votes::limits::LIMITS_LOOK_BACK;
use crate::votes::status::Status;
use crate::votes::vote::{PastVote, Vote};

/// The one daemon that there is.
pub const OWNER: &str = "simulation";
/// Time within which a block must show a vote.
const CONFIRM_WITHIN: Duration = Duration::from_secs(120);
/// How long a claim lasts.
const LEASE: TimeDelta = TimeDelta::seconds(15);

/// All rows of `votes`.
#[derive(Debug)]
pub struct Table {
    rows: HashMap<VoteKey, Vote>,
    /// Queued votes that nobody holds, by the moment of their next attempt.
    free: BTreeSet<(DateTime<Utc>, VoteKey)>,
    /// Votes that went out, as limits count them.
    past: HashMap<(Account, RuleId), Vec<PastVote>>,
    /// A vote due within this time is claimed as it is queued; a negative time claims none.
    horizon: TimeDelta,
}

impl Table {
    /// An empty table.
    pub fn new(horizon: TimeDelta) -> Self {
        Self {
            rows: HashMap::new(),
            free: BTreeSet::new(),
            past: HashMap::new(),
            horizon,
        }
    }

    /// Claims votes due within this time from now on.
    pub fn set_horizon(&mut self, horizon: TimeDelta) {
        self.horizon = horizon;
    }

    /// All rows, in no order.
    pub fn rows(&self) -> &HashMap<VoteKey, Vote> {
        &self.rows
    }

    /// Writes `batch` at `now`. Each row that was written comes back with what it was before.
    pub fn write(
        &mut self,
        batch: &Batch,
        rules: &RuleSet,
        now: DateTime<Utc>,
    ) -> Vec<(Vote, Option<Vote>)> {
        let existing: Vec<Vote> = match batch.undo_above {
            Some(_) => self.rows.values().cloned().collect(),
            None => {
                let keys: BTreeSet<&VoteKey> = batch.changes.iter().map(Change::key).collect();
                let rows = keys.into_iter().filter_map(|key| self.rows.get(key));
                rows.cloned().collect()
            }
        };
        let context = Context {
            owner: OWNER,
            now,
            claim_before: now + self.horizon,
            claim_until: now + LEASE,
            confirm_within: CONFIRM_WITHIN,
            position: &|rule| rules.position(rule),
        };
        let rows = fold(existing, batch, &context);
        let mut written = Vec::new();
        for row in rows.new.into_iter().chain(rows.changed) {
            let before = self.put(row.clone());
            if went_out(&row) && !before.as_ref().is_some_and(went_out) {
                self.count(&row);
            }
            written.push((row, before));
        }
        written
    }

    /// Notes a vote that went out, as limits count it.
    fn count(&mut self, row: &Vote) {
        let Some(at) = row.cast_at else { return };
        let past = self
            .past
            .entry((row.key.voter.clone(), row.ask().rule.clone()));
        let past = past.or_default();
        past.retain(|vote| at - vote.at < LIMITS_LOOK_BACK);
        past.push(PastVote {
            post: row.key.post.clone(),
            at,
        });
    }

    /// Puts a row in its place; returns the one that was there.
    pub fn put(&mut self, row: Vote) -> Option<Vote> {
        let entry = |row: &Vote| (row.next_attempt_at, row.key.clone());
        if let Some(before) = self.rows.get(&row.key) {
            self.free.remove(&entry(before));
        }
        if row.status == Status::Queued && row.claimed_by.is_none() {
            self.free.insert(entry(&row));
        }
        self.rows.insert(row.key.clone(), row)
    }

    /// When the next vote that nobody holds is claimed.
    pub fn next_claim(&self) -> Option<DateTime<Utc>> {
        let (at, _) = self.free.first()?;
        Some(*at - self.horizon + TimeDelta::milliseconds(1))
    }

    /// Claims what is due within the horizon; the rows come back as they were.
    pub fn claim(&mut self, now: DateTime<Utc>) -> Vec<Vote> {
        let mut claimed = Vec::new();
        while let Some((at, key)) = self.free.first().cloned()
            && at < now + self.horizon
        {
            self.free.remove(&(at, key.clone()));
            if let Some(row) = self.rows.get_mut(&key) {
                claimed.push(row.clone());
                row.claimed_by = Some(OWNER.to_owned());
                row.claimed_until = Some(now + LEASE);
            }
        }
        claimed
    }

    /// The votes of `voter` by `rule` that went out within the week before `now`.
    pub fn past(&self, voter: &Account, rule: &RuleId, now: DateTime<Utc>) -> Vec<PastVote> {
        let past = self.past.get(&(voter.clone(), rule.clone()));
        let past = past.into_iter().flatten();
        past.filter(|vote| now - vote.at < LIMITS_LOOK_BACK)
            .cloned()
            .collect()
    }

    /// All rows, in no order.
    pub fn into_rows(self) -> Vec<Vote> {
        self.rows.into_values().collect()
    }
}

/// Whether the vote was cast, or would have been but for a dry run.
fn went_out(row: &Vote) -> bool {
    matches!(
        row.status,
        Status::Cast | Status::Confirmed | Status::DryRun
    )
}
