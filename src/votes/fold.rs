//! The state machine of a vote: what each change makes of a row. Pure, and the same for every
//! database: a backend reads the rows that a batch names, asks [`fold`], and writes what comes back.
//!
//! ```text
//!                 plan                  report: cast            seen in a block
//!   (no row) ───────────▶ queued ─────────────────────▶ cast ───────────────────▶ confirmed
//!       │                 │    ▲                         │  ▲                          │
//!       │ seen            │    └───── report: recast ────┘  └───── block undone ───────┘
//!       ▼                 ▼
//!    skipped ◀── skipped, failed, withdrawn, dry_run ──▶ queued   (plan of a newer block)
//!  (voted by hand: for good)
//! ```

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::account::Account;
use crate::post::VoteKey;
use crate::rules::rule::RuleId;
use crate::votes::change::{Batch, Change, Follow, FollowedBy, Outcome, Plan, Report, Seen};
use crate::votes::error_entry::ErrorEntry;
use crate::votes::vote::{Origin, Status, Vote};
use crate::weight::Weight;

mod plan;
mod report;

pub use plan::next_in_line;
use plan::{first_of, plan_again, planned};
use report::reported;

/// The reason of a vote that a person cast; such a row never votes again.
pub const VOTED_BY_HAND: &str = "voted by hand";
/// The reason of a vote whose cause was in a block that a fork undid.
pub const UNDONE: &str = "the block that caused it was undone by a fork";

/// What a transition depends on beside the row and the change.
pub struct Context<'a> {
    /// This daemon.
    pub owner: &'a str,
    pub now: DateTime<Utc>,
    /// A vote due before then is claimed for `owner` as it is queued.
    pub claim_before: DateTime<Utc>,
    /// When such a claim ends unless it is renewed.
    pub claim_until: DateTime<Utc>,
    /// How long after it was cast a vote must be in a block.
    pub confirm_within: Duration,
    /// The place of a rule in the order of precedence; `None` where it is gone.
    pub position: &'a (dyn Fn(&RuleId) -> Option<u32> + Sync),
}

/// Rows to write after a batch.
#[derive(Debug, Default, PartialEq)]
pub struct Rows {
    pub new: Vec<Vote>,
    pub changed: Vec<Vote>,
    /// Votes that failed for good by this batch.
    pub errors: Vec<ErrorEntry>,
}

/// What `batch` makes of the `existing` rows: every row it names, and with `undo_above` every queued
/// row caused by a block above and every confirmed one in such a block. A key without a row in
/// `existing` has none in the table. Rows that stay as they are come back in neither list.
pub fn fold(existing: Vec<Vote>, batch: &Batch, context: &Context<'_>) -> Rows {
    let mut rows: BTreeMap<VoteKey, Row> = BTreeMap::new();
    for vote in existing {
        let now = batch
            .undo_above
            .map_or(vote.clone(), |above| undo(vote.clone(), above, context));
        rows.insert(
            vote.key.clone(),
            Row {
                planned: now.status == Status::Queued && now.event_block != vote.event_block,
                before: Some(vote),
                now,
            },
        );
    }
    for change in &batch.changes {
        match rows.entry(change.key().clone()) {
            Entry::Occupied(mut entry) => entry.get_mut().take(change, context),
            Entry::Vacant(entry) => {
                if let Some(now) = first_row(change, context) {
                    entry.insert(Row {
                        before: None,
                        now,
                        planned: true,
                    });
                }
            }
        }
    }
    let mut written = Rows::default();
    for mut row in rows.into_values() {
        row.hold(context);
        let Row {
            before, mut now, ..
        } = row;
        if !matches!(now.status, Status::Queued | Status::Withdrawn) {
            now.rivals.clear();
        }
        if before.as_ref() == Some(&now) {
            continue;
        }
        now.updated_at = context.now;
        if now.status == Status::Failed
            && before
                .as_ref()
                .is_none_or(|vote| vote.status != Status::Failed)
        {
            let reason = now.reason.clone().unwrap_or_default();
            written
                .errors
                .push(ErrorEntry::of_vote(&now, reason, context.now));
        }
        match before {
            Some(_) => written.changed.push(now),
            None => written.new.push(now),
        }
    }
    written
}

struct Row {
    before: Option<Vote>,
    now: Vote,
    /// Planned in this batch and not held yet: until it is, nobody can have sent it.
    planned: bool,
}

impl Row {
    fn take(&mut self, change: &Change, context: &Context<'_>) {
        let after = step(self.now.clone(), change, context);
        self.planned = match change {
            // A rival that is remembered takes the vote from nobody.
            Change::Plan(_) => {
                let is_same = after.status == self.now.status && after.cause() == self.now.cause();
                self.planned || !is_same
            }
            Change::Follow(_) | Change::Seen(_) => self.planned,
            Change::Report(Report {
                outcome: Outcome::Unfit(_),
                ..
            }) => after.status == Status::Queued && after.cause() != self.now.cause(),
            // Whoever reports knows of the vote, and says who holds it.
            Change::Report(_) => false,
        };
        self.now = after;
    }

    /// Claims a vote that was planned and is due soon.
    fn hold(&mut self, context: &Context<'_>) {
        if self.planned && self.now.status == Status::Queued {
            self.now = hold_if_soon(self.now.clone(), context);
        }
        self.planned = false;
    }
}

/// The row that a change makes where there is none.
fn first_row(change: &Change, context: &Context<'_>) -> Option<Vote> {
    match change {
        Change::Plan(plan) => Some(planned(plan, context)),
        Change::Seen(seen) => Some(by_hand(seen, context)),
        Change::Follow(_) | Change::Report(_) => None,
    }
}

/// What one change makes of a row.
fn step(row: Vote, change: &Change, context: &Context<'_>) -> Vote {
    match change {
        Change::Plan(plan) => plan_again(row, plan, context),
        Change::Follow(change) => follow(row, change, context),
        Change::Seen(seen) => seen_in_block(row, seen, context),
        Change::Report(report) => reported(row, report, context),
    }
}

/// The row that keeps our rules off a post on which the voter has voted.
fn by_hand(seen: &Seen, context: &Context<'_>) -> Vote {
    Vote {
        key: seen.key.clone(),
        weight: seen.weight,
        rule: RuleId::from_stored(""),
        origin: Origin::Hand,
        status: Status::Skipped,
        reason: Some(VOTED_BY_HAND.to_owned()),
        due_at: seen.at,
        cast_at: None,
        attempts: 0,
        next_attempt_at: seen.at,
        claimed_by: None,
        claimed_until: None,
        trx_id: Some(seen.trx_id.clone()),
        block_num: Some(seen.block_num),
        event_block: seen.block_num,
        event_at: seen.at,
        leader: None,
        leader_weight: None,
        rivals: Vec::new(),
        recasts: 0,
        created_at: context.now,
        updated_at: context.now,
    }
}

fn follow(mut row: Vote, change: &Follow, context: &Context<'_>) -> Vote {
    row.rivals.retain_mut(|rival| {
        let leader = rival
            .leader
            .as_ref()
            .map(|(leader, weight)| (leader, *weight));
        let follows = concerns(change, &rival.rule, leader, rival.event_block);
        if let (true, Some(now)) = (follows, &change.now) {
            rival.leader = Some((now.leader.clone(), now.leader_weight));
            rival.weight = now.weight;
        }
        !follows || change.now.is_some()
    });
    let leader = row.leader.as_ref().zip(row.leader_weight);
    let ours = row.status == Status::Queued
        && concerns(change, &row.rule, leader, row.event_block)
        && !attempted(&row, context.now);
    if !ours {
        return row;
    }
    match &change.now {
        Some(followed) => {
            let changed = Vote {
                leader: Some(followed.leader.clone()),
                leader_weight: Some(followed.leader_weight),
                weight: followed.weight,
                ..row
            };
            // Should another daemon hold it, it has the old weight in memory: it must lose it.
            hold_if_soon(changed, context)
        }
        None => {
            let why = match &change.follows {
                FollowedBy::Leader(leader) => format!("@{leader} no longer votes on it"),
                FollowedBy::Agreement { .. } => "too few of the leaders agree any more".to_owned(),
            };
            // If its post was not looked at yet, it may turn out never to have been the rule's.
            let rivals = row.rivals.clone();
            Vote {
                rivals,
                ..ended(row, Status::Withdrawn, why)
            }
        }
    }
}

/// Whether `change` speaks of a vote by `rule` that follows this leader's vote since `event_block`.
fn concerns(
    change: &Follow,
    rule: &RuleId,
    leader: Option<(&Account, Weight)>,
    event_block: u32,
) -> bool {
    let Some((leader, weight)) = leader else {
        return false;
    };
    let is_concerned = match &change.follows {
        FollowedBy::Leader(was) => leader == was,
        FollowedBy::Agreement { upvotes } => (weight.hundredths() > 0) == *upvotes,
    };
    is_concerned && rule == &change.rule && event_block <= change.event_block
}

fn seen_in_block(row: Vote, seen: &Seen, context: &Context<'_>) -> Vote {
    let same = row.weight == seen.weight;
    let unconfirmed = match row.status {
        Status::Confirmed => row.block_num.is_none(),
        Status::Cast => true,
        // That our request was refused as identical does not make the person's vote ours.
        Status::Skipped if is_by_hand(&row) => row.cast_at.is_some(),
        // The request may have reached the chain although its answer never reached us.
        _ => attempted(&row, context.now),
    };
    if same && unconfirmed {
        return Vote {
            status: Status::Confirmed,
            reason: None,
            trx_id: Some(seen.trx_id.clone())
                .filter(|id| !id.is_empty())
                .or(row.trx_id),
            block_num: Some(seen.block_num),
            // Until the caster says better: limits count by it.
            cast_at: row.cast_at.or(Some(seen.at)),
            claimed_by: None,
            claimed_until: None,
            ..row
        };
    }
    match row.status {
        // Final; or ours is still on its way, and will be looked for.
        Status::Confirmed | Status::Cast => row,
        // From then on the row speaks of that vote: the voter's interval counts from it.
        _ => Vote {
            block_num: Some(seen.block_num),
            event_block: seen.block_num,
            event_at: seen.at,
            ..ended(row, Status::Skipped, VOTED_BY_HAND.to_owned())
        },
    }
}

/// What the undoing of all blocks above `above` makes of a row.
fn undo(row: Vote, above: u32, context: &Context<'_>) -> Vote {
    match row.status {
        // A time of day, or a person, asks for a vote whatever the blocks hold.
        Status::Queued if matches!(row.origin, Origin::Schedule | Origin::Hand) => row,
        Status::Queued if row.event_block > above && !attempted(&row, context.now) => {
            // What it took the vote from stands.
            let stands = |plan: &&Plan| plan.event_block <= above;
            let mut plans: Vec<Plan> = row.rivals.iter().filter(stands).cloned().collect();
            plans.sort_by_key(|plan| plan.event_block);
            if let Some(before) = first_of(&row, &plans, context) {
                return before;
            }
            // The new branch may hold the same event in a block of the same number: it must count as newer.
            ended(
                Vote {
                    event_block: above,
                    ..row
                },
                Status::Withdrawn,
                UNDONE.to_owned(),
            )
        }
        Status::Confirmed if row.block_num.is_some_and(|num| num > above) => Vote {
            status: Status::Cast,
            block_num: None,
            next_attempt_at: context.now + context.confirm_within,
            ..row
        },
        _ => row,
    }
}

/// Whether a request for the vote may have left by `now`: one was recorded, or a daemon holds it, or
/// held it when it died, and its moment has come.
pub fn attempted(row: &Vote, now: DateTime<Utc>) -> bool {
    row.attempts > 0 || (row.claimed_by.is_some() && row.next_attempt_at <= now)
}

fn is_by_hand(row: &Vote) -> bool {
    row.reason.as_deref() == Some(VOTED_BY_HAND)
}

fn ended(row: Vote, status: Status, reason: String) -> Vote {
    Vote {
        status,
        reason: Some(reason),
        claimed_by: None,
        claimed_until: None,
        rivals: Vec::new(),
        ..row
    }
}

fn hold_if_soon(row: Vote, context: &Context<'_>) -> Vote {
    if row.next_attempt_at < context.claim_before {
        held(row, context)
    } else {
        free(row)
    }
}

fn held(row: Vote, context: &Context<'_>) -> Vote {
    Vote {
        claimed_by: Some(context.owner.to_owned()),
        claimed_until: Some(context.claim_until),
        ..row
    }
}

fn free(row: Vote) -> Vote {
    Vote {
        claimed_by: None,
        claimed_until: None,
        ..row
    }
}

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod rivals;
#[cfg(test)]
mod tests;
