//! What changes in the asks of a vote make of its row: a new ask, a leader who changes a vote, a fork, a post that does
//! not suit.

use super::context::{Context, ended, hold_if_soon};
use crate::votes::asks::{Ask, Asks};
use crate::votes::change::{Follow, FollowedBy, Plan, Unsuited};
use crate::votes::reason::Reason;
use crate::votes::status::{Origin, Status};
use crate::votes::vote::Vote;

/// A rule or a person asks for a vote that has a row.
pub(super) fn planned(row: Vote, plan: &Plan, context: &Context<'_>) -> Vote {
    let by_person = plan.ask.origin == Origin::Hand;
    let starts_over = match row.status {
        // A person may also change what was asked for by hand.
        Status::Queued if by_person || is_new_post(plan, row.ask()) => !row.attempted(context.now),
        Status::Queued => return added(row, plan, context),
        Status::Cast | Status::Confirmed => false,
        _ if row.is_by_hand() => false,
        _ if by_person => true,
        Status::Withdrawn if row.reason == Some(Reason::Undone) => plan.ask.block > row.ask().block,
        _ => is_newer(&plan.ask, &row) && !plan.may_be_edit,
    };
    if !starts_over {
        return row;
    }
    Vote {
        created_at: row.created_at,
        ..Vote::queued(row.key, Asks::new(plan.ask.clone()), context.now)
    }
}

/// Another ask for a vote that is queued.
fn added(mut row: Vote, plan: &Plan, context: &Context<'_>) -> Vote {
    // An earlier ask shows that the post existed before.
    let is_edit = plan.may_be_edit && row.asks.iter().any(|ask| ask.block < plan.ask.block);
    if is_edit || row.attempts > 0 {
        return row;
    }
    let (before, sent) = (row.ask().cause(), row.attempted(context.now));
    row.asks.add(plan.ask.clone(), sent, context.position);
    if row.ask().cause() == before {
        row
    } else {
        begun_again(row, context)
    }
}

/// What a trail follows has changed.
pub(super) fn followed(mut row: Vote, change: &Follow, context: &Context<'_>) -> Vote {
    if row.status != Status::Queued {
        return row;
    }
    let first_changes = concerns(change, row.ask());
    if first_changes && row.attempted(context.now) {
        return row;
    }
    if let Some(now) = &change.now {
        row.asks.update(
            |ask| concerns(change, ask),
            |ask| {
                ask.leader = Some((now.leader.clone(), now.leader_weight));
                ask.weight = now.weight;
            },
        );
        // Another daemon that holds the vote has the old weight in memory: it must lose the vote.
        return match first_changes {
            true => hold_if_soon(row, context),
            false => row,
        };
    }
    let reason = match &change.follows {
        FollowedBy::Leader(leader) => Reason::LeaderLeft(leader.clone()),
        FollowedBy::Agreement { .. } => Reason::AgreementEnded,
    };
    let end = (Status::Withdrawn, reason);
    without(row, |ask| concerns(change, ask), context, end)
}

/// Whether `change` concerns a vote that `ask` follows.
fn concerns(change: &Follow, ask: &Ask) -> bool {
    let Some((leader, weight)) = &ask.leader else {
        return false;
    };
    let is_followed = match &change.follows {
        FollowedBy::Leader(was) => leader == was,
        FollowedBy::Agreement { upvotes } => (weight.hundredths() > 0) == *upvotes,
    };
    is_followed && ask.rule == change.rule && ask.block <= change.event_block
}

/// The blocks above `above` were undone.
pub(super) fn undone(row: Vote, above: u32, context: &Context<'_>) -> Vote {
    match row.status {
        Status::Queued if row.ask().block > above && row.attempted(context.now) => row,
        Status::Queued => {
            // A schedule or a person asks regardless of blocks.
            let by_a_block = |ask: &Ask| matches!(ask.origin, Origin::Author | Origin::Trail);
            let undone = |ask: &Ask| ask.block > above && by_a_block(ask);
            let mut row = without(row, undone, context, (Status::Withdrawn, Reason::Undone));
            if row.status == Status::Withdrawn {
                // The new branch may hold the same event in a block of the same number: it must count as newer.
                row.asks.first.block = above;
            }
            row
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

/// The post does not suit some of the asks, or their rules are gone.
pub(super) fn unsuited(row: Vote, dropped: &[Unsuited], context: &Context<'_>) -> Vote {
    let find = |ask: &Ask| {
        let cause = ask.cause();
        dropped.iter().find(move |unsuited| unsuited.cause == cause)
    };
    let why = |ask: &Ask| find(ask).map(|unsuited| (unsuited.status, unsuited.reason.clone()));
    match why(row.ask()) {
        // No other ask gets a vote that was sent.
        Some((status, reason)) if row.attempts > 0 => ended(row, status, reason),
        // Another daemon may be sending it.
        Some(_) if row.attempted(context.now) && !row.is_held_by(context.owner) => row,
        first => {
            // Where `first` is `None` the first ask stays, and no row ends this way.
            let end = first.unwrap_or((Status::Skipped, Reason::Told(String::new())));
            without(row, |ask| find(ask).is_some(), context, end)
        }
    }
}

/// The row without the asks that `drops` names; it ends with this status and reason if no ask remains.
fn without(
    row: Vote,
    drops: impl Fn(&Ask) -> bool,
    context: &Context<'_>,
    (status, reason): (Status, Reason),
) -> Vote {
    match row.asks.clone().retain(|ask| !drops(ask), context.position) {
        Some(asks) if asks.first == row.asks.first => Vote { asks, ..row },
        Some(asks) => begun_again(Vote { asks, ..row }, context),
        None => ended(row, status, reason),
    }
}

/// The row of a vote that another ask has got.
fn begun_again(row: Vote, context: &Context<'_>) -> Vote {
    Vote {
        created_at: row.created_at,
        ..Vote::queued(row.key, row.asks, context.now)
    }
}

/// Whether `ask` has a newer cause than the row. The time of a schedule after the end of the row is newer even without a
/// block since then, as in a recording or while the chain produces none.
fn is_newer(ask: &Ask, row: &Vote) -> bool {
    let later_time = ask.origin == Origin::Schedule
        && ask.block == row.ask().block
        && ask.due_at > row.updated_at;
    ask.block > row.ask().block || later_time
}

/// Whether the post of the row was deleted and published again.
fn is_new_post(plan: &Plan, had: &Ask) -> bool {
    plan.ask.origin == Origin::Author
        && had.origin == Origin::Author
        && plan.ask.block > had.block
        && !plan.may_be_edit
}
