//! The current state of a post.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::account::Account;
use crate::post::PostId;
use crate::weight::Weight;

/// The current state of a post or comment (`condenser_api.get_content`).
#[derive(Debug, Clone, PartialEq)]
pub struct Content {
    /// Its author and permlink.
    pub post: PostId,
    /// The timestamp of its first block, or on Hive of the block before that. Edits do not change it.
    pub created: DateTime<Utc>,
    /// The time of the last edit, or of the creation; `None` if the node omits it.
    pub last_update: Option<DateTime<Utc>>,
    /// Empty for a post.
    pub parent_author: String,
    /// For a post, its category: a tag, or a community such as `hive-174578`.
    pub parent_permlink: String,
    /// Empty for a comment, as a rule.
    pub title: String,
    /// The whole text, after all edits.
    pub body: String,
    /// Usually JSON, but may be empty or broken.
    pub json_metadata: String,
    /// In thousandths of HBD or SBD.
    pub pending_payout: i64,
    /// In thousandths of HBD or SBD; 0 if the author declined payout.
    pub max_accepted_payout: i64,
    /// Whether the post accepts upvotes.
    pub allow_votes: bool,
    /// All votes on it, with those taken back at weight 0.
    pub votes: StandingVotes,
}

/// The votes on a post by voter. A popular post has thousands, and thousands of voters look them up.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StandingVotes {
    by_voter: HashMap<Account, Weight>,
    upvotes: u32,
}

impl StandingVotes {
    /// Sets the vote of `voter`; weight 0 takes it back.
    pub fn set(&mut self, voter: Account, weight: Weight) {
        let before = self.by_voter.insert(voter, weight);
        let is_up = |weight: Weight| u32::from(weight.hundredths() > 0);
        self.upvotes += is_up(weight);
        self.upvotes -= before.map_or(0, is_up);
    }

    /// The vote of `voter`: 0 if taken back, `None` if `voter` never voted.
    pub fn of(&self, voter: &Account) -> Option<Weight> {
        self.by_voter.get(voter).copied()
    }

    /// The number of upvotes.
    pub fn upvotes(&self) -> u32 {
        self.upvotes
    }

    /// Everyone who ever voted, in no order.
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
    fn the_last_vote_of_a_voter_counts() {
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
