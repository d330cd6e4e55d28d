//! What a vote in a block makes of its row.

use super::context::{Context, ended, free};
use crate::rules::rule::RuleId;
use crate::votes::asks::{Ask, Asks};
use crate::votes::change::Seen;
use crate::votes::reason::Reason;
use crate::votes::status::{Origin, Status};
use crate::votes::vote::Vote;

/// The row that keeps our rules off a post on which the voter has voted.
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

/// A block shows a vote of which there is a row.
pub(super) fn seen_in_block(row: Vote, seen: &Seen, context: &Context<'_>) -> Vote {
    let unconfirmed = match row.status {
        Status::Confirmed => row.block_num.is_none(),
        Status::Cast => true,
        // That our request was refused as identical does not make the person's vote ours.
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
            // It is ours: a request was sent, though its report may not have come yet.
            attempts: row.attempts.max(1),
            // Until the caster says better: limits count by it.
            cast_at: row.cast_at.or(Some(seen.at)),
            ..free(row)
        };
    }
    match row.status {
        // Final; or ours is still on its way, and will be looked for.
        Status::Confirmed | Status::Cast => row,
        _ => {
            let mut row = ended(row, Status::Skipped, Reason::VotedByHand);
            // From now on the row speaks of that vote: the voter's interval counts from it.
            let ask = row.asks.first_mut();
            (ask.block, ask.at) = (seen.block_num, seen.at);
            Vote {
                block_num: Some(seen.block_num),
                ..row
            }
        }
    }
}
