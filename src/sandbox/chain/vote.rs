//! The rules about votes, of Hive since hard fork 28 and of Steem.

use chrono::{DateTime, Utc};

use super::Chain;
use super::operation::Vote;
use super::refusal::Refusal;
use super::state::{AccountState, Manabar, StandingVote};
use crate::network::ChainKind;

/// Resource credits that a vote costs.
pub const CREDITS_OF_A_VOTE: i64 = 123_456_789;

/// Dust threshold of votes, in micro-VESTS. It is also deducted from the value of each vote.
const DUST: i64 = 50_000_000;

/// Most changes of one vote, on Steem only.
const MAX_CHANGES: u8 = 5;

/// Shortest interval between two votes of one voter in seconds, on Steem only.
const INTERVAL_SECONDS: i64 = 3;

impl Chain {
    /// Casts a vote in the next block, by the rules at the time of the head block.
    pub(super) fn cast(&mut self, vote: &Vote) -> Result<(), Refusal> {
        let (now, is_steem) = (self.head().timestamp, self.kind == ChainKind::Steem);
        if vote.weight.unsigned_abs() > 10_000 {
            return Err(Refusal::WeightOutOfRange);
        }
        let Some(post) = self.posts.get(&vote.post) else {
            return Err(Refusal::UnknownPost(vote.post.clone()));
        };
        let Some(voter) = self.accounts.get_mut(&vote.voter) else {
            return Err(Refusal::UnknownAccount(vote.voter.clone()));
        };
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
            if is_steem {
                self.record(vote, 0);
            }
            return Ok(());
        }
        if is_steem && (now - voter.last_vote).num_seconds() < INTERVAL_SECONDS {
            return Err(Refusal::TooSoon);
        }
        match post.vote_of(&vote.voter) {
            None if vote.weight == 0 => return Err(Refusal::ZeroWeight),
            Some(standing) if is_steem && standing.changes >= MAX_CHANGES => {
                return Err(Refusal::TooManyChanges);
            }
            Some(standing) if standing.weight == vote.weight => return Err(Refusal::IdenticalVote),
            _ => {}
        }
        let used = spend_mana(voter, self.kind, now, vote.weight)?;
        let worth = (used - DUST).max(0);
        self.record(vote, if vote.weight < 0 { -worth } else { worth });
        Ok(())
    }

    fn record(&mut self, vote: &Vote, rshares: i64) {
        let head = self.head();
        let (time, block) = (head.timestamp, head.num + 1);
        let Some(post) = self.posts.get_mut(&vote.post) else {
            return;
        };
        let changes = post
            .vote_of(&vote.voter)
            .map_or(0, |standing| standing.changes.saturating_add(1));
        post.set_vote(StandingVote {
            voter: vote.voter.clone(),
            weight: vote.weight,
            rshares,
            time,
            changes,
            block,
        });
    }
}

/// Deducts the cost of a vote from the bars of the voter. Returns the cost in micro-VESTS.
fn spend_mana(
    voter: &mut AccountState,
    kind: ChainKind,
    now: DateTime<Utc>,
    weight: i16,
) -> Result<i64, Refusal> {
    let max = voter.vesting_shares;
    let voting = voter.voting.at(now, max);
    let downvote = voter.downvote.at(now, max / 4);
    // A vote at full weight costs 2 % of this, rounded up.
    let base = match kind {
        ChainKind::Hive => max,
        ChainKind::Steem if weight < 0 => voting.max(downvote.saturating_mul(4)),
        ChainKind::Steem => voting,
    };
    let full = i128::from(base) * i128::from(weight.unsigned_abs()) * 2;
    let required = i64::try_from((full + 999_999) / 1_000_000).unwrap_or(i64::MAX);
    let from_downvote = if weight < 0 {
        required.min(downvote)
    } else {
        0
    };
    if weight < 0 && voting.saturating_add(downvote) <= required {
        return Err(Refusal::NotEnoughDownvoteMana {
            voting,
            downvote,
            required,
        });
    }
    if weight >= 0 && voting < required {
        return Err(Refusal::NotEnoughMana { voting, required });
    }
    if kind == ChainKind::Steem && weight != 0 && required <= DUST {
        return Err(Refusal::TooSmall);
    }
    let bar = |current| Manabar {
        current,
        updated: now,
    };
    voter.voting = bar(voting - (required - from_downvote));
    voter.downvote = bar(downvote - from_downvote);
    voter.last_vote = now;
    Ok(required)
}
