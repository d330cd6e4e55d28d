//! What a vote in a block makes of its row.

use super::context::{Context, ended};
use crate::rules::rule::RuleId;
use crate::votes::asks::{Ask, Asks};
use crate::votes::change::Seen;
use crate::votes::reason::Reason;
use crate::votes::status::{Origin, Status};
use crate::votes::vote::Vote;

/// The row that keeps our rules from voting on a post on which the voter has voted.
pub(super) fn by_hand(seen: &Seen, context: &Context<'_>) -> Vote {
    let ask = Ask {
        rule: RuleId::from_stored(""),
        origin: Origin::Hand,
        weight: seen.weight,
        due_at: seen.at,
        block: seen.block_num,
        at: seen.at,
        leader: None,
    };
    Vote {
        status: Status::Skipped,
        reason: Some(Reason::VotedByHand),
        trx_id: Some(seen.trx_id.clone()),
        block_num: Some(seen.block_num),
        ..Vote::queued(seen.key.clone(), Asks::new(ask), context.now)
    }
}

/// The row of a vote that a block shows.
pub(super) fn seen_in_block(row: Vote, seen: &Seen, context: &Context<'_>) -> Vote {
    let unconfirmed = match row.status {
        Status::Confirmed => row.block_num.is_none(),
        Status::Cast => true,
        // A request of ours that was refused as identical does not make the person's vote ours.
        Status::Skipped if row.is_by_hand() => row.cast_at.is_some(),
        // The request may have reached the chain although its answer never reached us.
        _ => row.attempted(context.now),
    };
    if row.ask().weight == seen.weight && unconfirmed {
        let trx_id = Some(seen.trx_id.clone()).filter(|id| !id.is_empty());
        return Vote {
            status: Status::Confirmed,
            reason: None,
            trx_id: trx_id.or(row.trx_id.clone()),
            block_num: Some(seen.block_num),
            // It is ours: a request was sent, although its report may not have come yet.
            attempts: row.attempts.max(1),
            // Limits count by it until the caster's report replaces it.
            cast_at: row.cast_at.or(Some(seen.at)),
            ..row.free()
        };
    }
    match row.status {
        // Final; or ours is still on its way, and will be looked for.
        Status::Confirmed | Status::Cast => row,
        status => {
            // What a dry run would have done stays on record.
            let status = match status {
                Status::DryRun => status,
                _ => Status::Skipped,
            };
            let mut row = ended(row, status, Reason::VotedByHand);
            // From now on the row describes that vote: the voter's interval counts from it.
            let ask = &mut row.asks.first;
            (ask.block, ask.at) = (seen.block_num, seen.at);
            // With our weight it may be ours: the report of a daemon that was cut off for a while can still come.
            let may_be_ours = row.ask().weight == seen.weight && !seen.trx_id.is_empty();
            Vote {
                block_num: Some(seen.block_num),
                trx_id: may_be_ours.then(|| seen.trx_id.clone()),
                ..row
            }
        }
    }
}
