//! The rules about votes, of Hive since hard fork 28 and of Steem.

use chrono::{DateTime, Utc};

use super::operation::Vote;
use super::refusal::Refusal;
use super::state::{Draft, Manabar, StandingVote};
use crate::network::ChainKind;

/// Resource credits that a vote costs.
pub const CREDITS_OF_A_VOTE: i64 = 123_456_789;

/// Dust threshold of votes, in micro-VESTS. It is also deducted from the value of each vote.
const DUST: i64 = 50_000_000;

/// Most changes of one vote, on Steem only.
const MAX_CHANGES: u8 = 5;

/// Shortest interval between two votes of one voter in seconds, on Steem only.
const INTERVAL_SECONDS: i64 = 3;

/// Casts a vote or returns the refusal. `now` is the time of the head block.
pub(super) fn cast(
    draft: &mut Draft<'_>,
    kind: ChainKind,
    now: DateTime<Utc>,
    vote: &Vote,
) -> Result<(), Refusal> {
    if vote.weight.unsigned_abs() > 10_000 {
        return Err(Refusal::WeightOutOfRange);
    }
    let post = draft
        .post(&vote.post)
        .ok_or_else(|| Refusal::UnknownPost(vote.post.clone()))?;
    let voter = draft
        .account(&vote.voter)
        .ok_or_else(|| Refusal::UnknownAccount(vote.voter.clone()))?;
    if voter.credits < CREDITS_OF_A_VOTE {
        return Err(Refusal::NotEnoughCredits {
            required: CREDITS_OF_A_VOTE,
        });
    }
    if !voter.can_vote {
        return Err(Refusal::VotingRightsDeclined);
    }
    if vote.weight > 0 && !post.allow_votes {
        return Err(Refusal::VotesNotAllowed);
    }
    if now >= post.cashout() {
        if kind == ChainKind::Steem {
            record(draft, now, vote, 0);
        }
        return Ok(());
    }
    let standing = post.vote_of(&vote.voter);
    if kind == ChainKind::Steem && (now - voter.last_vote).num_seconds() < INTERVAL_SECONDS {
        return Err(Refusal::TooSoon);
    }
    match standing {
        None if vote.weight == 0 => return Err(Refusal::ZeroWeight),
        Some(standing) if kind == ChainKind::Steem && standing.changes >= MAX_CHANGES => {
            return Err(Refusal::TooManyChanges);
        }
        Some(standing) if standing.weight == vote.weight => return Err(Refusal::IdenticalVote),
        _ => {}
    }
    let used = spend_mana(draft, kind, now, vote)?;
    let worth = (used - DUST).max(0);
    let rshares = if vote.weight < 0 { -worth } else { worth };
    record(draft, now, vote, rshares);
    Ok(())
}

/// Deducts the cost of a vote from the bars of the voter. Returns the cost in micro-VESTS.
fn spend_mana(
    draft: &mut Draft<'_>,
    kind: ChainKind,
    now: DateTime<Utc>,
    vote: &Vote,
) -> Result<i64, Refusal> {
    let Some(voter) = draft.account(&vote.voter) else {
        return Err(Refusal::UnknownAccount(vote.voter.clone()));
    };
    let max = voter.max_mana();
    let voting = voter.voting.at(now, max);
    let downvote = voter.downvote.at(now, voter.max_downvote_mana());
    // A vote at full weight costs 2 % of this, rounded up.
    let base = match kind {
        ChainKind::Hive => max,
        ChainKind::Steem if vote.weight < 0 => voting.max(downvote.saturating_mul(4)),
        ChainKind::Steem => voting,
    };
    let full = i128::from(base) * i128::from(vote.weight.unsigned_abs()) * 2;
    let used = i64::try_from((full + 999_999) / 1_000_000).unwrap_or(i64::MAX);
    let (voting_left, downvote_left) = if vote.weight < 0 {
        if voting.saturating_add(downvote) <= used {
            return Err(Refusal::NotEnoughDownvoteMana {
                voting,
                downvote,
                required: used,
            });
        }
        let from_downvote = used.min(downvote);
        (voting - (used - from_downvote), downvote - from_downvote)
    } else {
        if voting < used {
            return Err(Refusal::NotEnoughMana {
                voting,
                required: used,
            });
        }
        (voting - used, downvote)
    };
    if kind == ChainKind::Steem && vote.weight != 0 && used <= DUST {
        return Err(Refusal::TooSmall);
    }
    if let Some(voter) = draft.account_mut(&vote.voter) {
        let bar = |current| Manabar {
            current,
            updated: now,
        };
        voter.voting = bar(voting_left);
        voter.downvote = bar(downvote_left);
        voter.last_vote = now;
    }
    Ok(used)
}

fn record(draft: &mut Draft<'_>, now: DateTime<Utc>, vote: &Vote, rshares: i64) {
    let Some(post) = draft.post_mut(&vote.post) else {
        return;
    };
    let changes = post
        .vote_of(&vote.voter)
        .map_or(0, |standing| standing.changes.saturating_add(1));
    post.set_vote(StandingVote {
        voter: vote.voter.clone(),
        weight: vote.weight,
        rshares,
        time: now,
        changes,
        block: 0,
    });
}
