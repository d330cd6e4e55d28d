//! What asks for a vote, and which of several that ask has it.
//!
//! A trail is planned before its post is known. While its vote waits for the first look at the post, whatever
//! else asks for the same vote is remembered as a rival: should the trail turn out not to want the post, it
//! never had it, and the vote goes to whom it would have belonged without.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Context, UNDONE, attempted, ended, is_by_hand};
use crate::rules::rule::RuleId;
use crate::votes::change::{Misfit, Plan};
use crate::votes::vote::{Origin, Status, Vote};

/// So long after a row was written its post may not have been looked at yet.
const FIRST_LOOK_WITHIN: TimeDelta = TimeDelta::seconds(60);
/// So long after a row was written its post was looked at, and no fork undoes what took it over before: 64 blocks
/// at most.
const SETTLED_AFTER: TimeDelta = TimeDelta::minutes(4);
/// More rivals than this are not remembered.
const MOST_RIVALS: usize = 16;

/// The row of a vote that nothing has asked for before.
pub(super) fn planned(plan: &Plan, context: &Context<'_>) -> Vote {
    Vote {
        key: plan.key.clone(),
        weight: plan.weight,
        rule: plan.rule.clone(),
        origin: plan.origin,
        status: Status::Queued,
        reason: None,
        due_at: plan.due_at,
        cast_at: None,
        attempts: 0,
        next_attempt_at: plan.due_at,
        claimed_by: None,
        claimed_until: None,
        trx_id: None,
        block_num: None,
        event_block: plan.event_block,
        event_at: plan.event_at,
        leader: plan.leader.as_ref().map(|(leader, _)| leader.clone()),
        leader_weight: plan.leader.as_ref().map(|(_, weight)| *weight),
        rivals: Vec::new(),
        recasts: 0,
        created_at: context.now,
        updated_at: context.now,
    }
}

/// What `plan` makes of a row that is there.
pub(super) fn plan_again(row: Vote, plan: &Plan, context: &Context<'_>) -> Vote {
    let by_person = plan.origin == Origin::Hand;
    let takes_over = match row.status {
        // A person may also think again about what was asked for by hand.
        Status::Queued if by_person => !attempted(&row, context.now),
        Status::Queued if is_new_post(plan, &row) => !attempted(&row, context.now),
        Status::Queued => return contend(row, plan, context),
        Status::Cast | Status::Confirmed => false,
        Status::Skipped if is_by_hand(&row) => false,
        Status::Failed | Status::Skipped | Status::Withdrawn | Status::DryRun if by_person => true,
        Status::Withdrawn if row.reason.as_deref() == Some(UNDONE) => {
            plan.event_block > row.event_block
        }
        Status::Failed | Status::Skipped | Status::Withdrawn | Status::DryRun => {
            is_newer(plan, &row) && !plan.may_be_edit
        }
    };
    if takes_over {
        Vote {
            created_at: row.created_at,
            ..planned(plan, context)
        }
    } else {
        row
    }
}

/// Two rules ask for one vote that is still queued: the one that comes first has it, and the other may be asked
/// should that one turn out not to want it.
fn contend(row: Vote, plan: &Plan, context: &Context<'_>) -> Vote {
    // Where a vote is queued already the post was there before: what may be an edit is one.
    if plan.event_block < row.event_block || plan.may_be_edit || is_its_own(plan, &row) {
        return row;
    }
    let age = context.now - row.updated_at;
    if comes_earlier(plan, &row, context) && !attempted(&row, context.now) {
        // Had the first look at its post not found it its rule's, it would not have the vote any more: what it took
        // that from has lost it for good.
        let mut rivals = match age >= SETTLED_AFTER {
            true => Vec::new(),
            false => row.rivals.clone(),
        };
        // What had the vote comes before what asked for it then and never had it.
        rivals.truncate(MOST_RIVALS - 1);
        let place = rivals.partition_point(|rival| rival.event_block < row.event_block);
        rivals.insert(place, as_plan(&row));
        return Vote {
            created_at: row.created_at,
            rivals,
            ..planned(plan, context)
        };
    }
    let looked_at = age >= FIRST_LOOK_WITHIN || row.attempts > 0;
    if looked_at || row.origin == Origin::Hand {
        return row;
    }
    let mut row = row;
    remember(&mut row.rivals, plan.clone());
    row
}

fn remember(rivals: &mut Vec<Plan>, plan: Plan) {
    let is_known = rivals.iter().any(|rival| {
        rival.rule == plan.rule
            && rival.event_block == plan.event_block
            && rival.leader == plan.leader
    });
    if !is_known && rivals.len() < MOST_RIVALS {
        rivals.push(Plan {
            had_vote: false,
            ..plan
        });
    }
}

/// What asked for the vote of `row`.
fn as_plan(row: &Vote) -> Plan {
    Plan {
        key: row.key.clone(),
        weight: row.weight,
        rule: row.rule.clone(),
        origin: row.origin,
        due_at: row.due_at,
        event_block: row.event_block,
        event_at: row.event_at,
        leader: row.leader.clone().zip(row.leader_weight),
        may_be_edit: false,
        had_vote: true,
    }
}

/// What becomes of a vote that was never its rule's.
pub(super) fn unfit(row: Vote, misfit: &Misfit, context: &Context<'_>) -> Vote {
    if row.cause() != misfit.cause {
        return row;
    }
    let mut plans = row.rivals.clone();
    plans.sort_by_key(|plan| plan.event_block);
    // A vote that its leader has withdrawn meanwhile speaks to no rule any more.
    let instead = misfit.instead.as_ref();
    if let Some(instead) = instead.filter(|_| row.status == Status::Queued) {
        // Of one block, what had the vote asked before; what asks for it since comes after.
        let is_before = |plan: &Plan| {
            plan.event_block < row.event_block
                || (plan.event_block == row.event_block && plan.had_vote)
        };
        let place = plans.iter().rposition(is_before).map_or(0, |last| last + 1);
        plans.insert(place, instead.clone());
    }
    match (first_of(&row, &plans, context), row.status) {
        (Some(vote), _) if row.attempts == 0 => vote,
        (_, Status::Queued) => ended(row, misfit.status, misfit.why.clone()),
        _ => row,
    }
}

/// The row as these plans, in the order of their events, would have made it.
pub(super) fn first_of(row: &Vote, plans: &[Plan], context: &Context<'_>) -> Option<Vote> {
    let (first, others) = plans.split_first()?;
    let first = Vote {
        created_at: row.created_at,
        ..planned(first, context)
    };
    let again = |row, plan| plan_again(row, plan, context);
    Some(others.iter().fold(first, again))
}

/// Which other rule has the vote of `row` should the first look at its post show that its own does not want it, of
/// those that ask for it so far; `None` where that look is over by `now`. `position` is a rule's place in the order
/// of precedence; `None` where it is gone.
pub fn next_in_line(
    row: &Vote,
    now: DateTime<Utc>,
    position: &(dyn Fn(&RuleId) -> Option<u32> + Sync),
) -> Option<RuleId> {
    let context = Context {
        owner: "",
        now: row.updated_at,
        claim_before: row.updated_at,
        claim_until: row.updated_at,
        confirm_within: Duration::ZERO,
        position,
    };
    if now - row.updated_at >= FIRST_LOOK_WITHIN {
        return None;
    }
    let other = |plan: &&Plan| plan.rule != row.rule && position(&plan.rule).is_some();
    let mut plans: Vec<Plan> = row.rivals.iter().filter(other).cloned().collect();
    plans.sort_by_key(|plan| plan.event_block);
    first_of(row, &plans, &context).map(|vote| vote.rule)
}

/// Whether `plan` comes of something newer than what made the row. An hour that strikes after the row has ended
/// is newer, though there may have been no block since: in a recording, or while the chain stands still.
fn is_newer(plan: &Plan, row: &Vote) -> bool {
    let struck_later = plan.origin == Origin::Schedule
        && plan.event_block == row.event_block
        && plan.due_at > row.updated_at;
    plan.event_block > row.event_block || struck_later
}

/// Whether the rule that has the vote asks once more, after the same leader.
fn is_its_own(plan: &Plan, row: &Vote) -> bool {
    let leader = plan.leader.as_ref().map(|(leader, _)| leader);
    plan.rule == row.rule && leader == row.leader.as_ref()
}

/// A rule that is gone has no place in the order any more: whatever asks now comes before it.
fn comes_earlier(plan: &Plan, row: &Vote, context: &Context<'_>) -> bool {
    if plan.rule == row.rule {
        return false;
    }
    match (
        (context.position)(&plan.rule),
        (context.position)(&row.rule),
    ) {
        (Some(plan), Some(row)) => plan < row,
        (Some(_), None) => row.origin != Origin::Hand,
        (None, _) => false,
    }
}

/// Whether the post that the row is for was deleted and published again.
fn is_new_post(plan: &Plan, row: &Vote) -> bool {
    plan.origin == Origin::Author
        && row.origin == Origin::Author
        && plan.event_block > row.event_block
        && !plan.may_be_edit
}
