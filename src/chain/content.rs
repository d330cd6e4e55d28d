//! A post as a node tells of it now.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::account::Account;
use crate::post::PostId;
use crate::weight::Weight;

/// A post or comment as a node has it at the moment of asking (`condenser_api.get_content`).
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    pub post: PostId,
    /// The timestamp of the block that first held it: an edit does not change it.
    pub created: DateTime<Utc>,
    /// When it was last edited, or created; `None` where the node does not say.
    pub last_update: Option<DateTime<Utc>>,
    /// Empty for a post.
    pub parent_author: String,
    pub parent_permlink: String,
    pub title: String,
    pub body: String,
    /// A text that should hold JSON and often does not.
    pub json_metadata: String,
    /// In thousandths of HBD or SBD.
    pub pending_payout: i64,
    /// In thousandths of HBD or SBD; 0 where payout was declined.
    pub max_accepted_payout: i64,
    /// False: upvotes are refused.
    pub allow_votes: bool,
    /// Every vote that stands on it, taken-back ones (weight 0) included.
    pub votes: StandingVotes,
}

/// The votes on a post, found by their voters: a popular post has thousands, and thousands of ours ask.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StandingVotes {
    by_voter: HashMap<Account, Weight>,
    upvotes: u32,
}

impl StandingVotes {
    /// `voter` has voted with `weight` now; 0 takes a vote back.
    pub fn set(&mut self, voter: Account, weight: Weight) {
        let before = self.by_voter.insert(voter, weight);
        let is_up = |weight: Weight| u32::from(weight.hundredths() > 0);
        self.upvotes += is_up(weight);
        self.upvotes -= before.map_or(0, is_up);
    }

    /// The vote of `voter`, 0 where it was taken back; `None` if it has never voted.
    pub fn of(&self, voter: &Account) -> Option<Weight> {
        self.by_voter.get(voter).copied()
    }

    /// Upvotes that stand.
    pub fn upvotes(&self) -> u32 {
        self.upvotes
    }

    /// Who has ever voted.
    pub fn voters(&self) -> impl Iterator<Item = &Account> {
        self.by_voter.keys()
    }
}

impl FromIterator<(Account, Weight)> for StandingVotes {
    fn from_iter<T: IntoIterator<Item = (Account, Weight)>>(votes: T) -> Self {
        let mut standing = Self::default();
        for (voter, weight) in votes {
            standing.set(voter, weight);
        }
        standing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_vote_of_a_voter_stands() {
        let vote =
            |voter, percent: i64| (Account::from_chain(voter), Weight::clamped(percent * 100));
        let votes = [
            vote("alice", 50),
            vote("amy", -10),
            vote("ann", 0),
            vote("alice", 0),
            vote("amy", 5),
        ];
        let standing: StandingVotes = votes.into_iter().collect();
        assert_eq!(standing.upvotes(), 1);
        let of = |voter| {
            standing
                .of(&Account::from_chain(voter))
                .map(Weight::hundredths)
        };
        assert_eq!(
            [of("alice"), of("amy"), of("dan")],
            [Some(0), Some(500), None]
        );
        assert_eq!(standing.voters().count(), 3);
    }
}
