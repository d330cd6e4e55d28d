//! The state of accounts and posts, and changes to it that can be undone.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};

use super::operation::NO_PAYOUT_LIMIT;
use crate::account::Account;
use crate::post::PostId;

/// Time from the creation of a post to its payout.
pub const PAYOUT_AFTER: Duration = Duration::days(7);

/// Time in which a manabar refills, in seconds: 5 days.
const REFILL_SECONDS: i64 = 432_000;

/// The state of a manabar at its last change.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Manabar {
    /// In micro-VESTS.
    pub current: i64,
    /// When it last changed.
    pub updated: DateTime<Utc>,
}

impl Manabar {
    /// The mana at `now`, in micro-VESTS, in a bar that holds up to `max`.
    pub fn at(&self, now: DateTime<Utc>, max: i64) -> i64 {
        let seconds = (now - self.updated).num_seconds().max(0);
        let regained = i128::from(max) * i128::from(seconds) / i128::from(REFILL_SECONDS);
        let total = i128::from(self.current) + regained;
        i64::try_from(total.min(i128::from(max))).unwrap_or(max)
    }
}

/// An account.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AccountState {
    /// Its number on the chain.
    pub id: u32,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// The stake in micro-VESTS, which is also the size of the voting bar.
    pub vesting_shares: i64,
    /// Mana that votes draw on.
    pub voting: Manabar,
    /// Mana that downvotes draw on first.
    pub downvote: Manabar,
    /// When it last voted.
    pub last_vote: DateTime<Utc>,
    /// False if the account has declined its voting rights.
    pub can_vote: bool,
    /// Remaining resource credits. A vote costs [`super::vote::CREDITS_OF_A_VOTE`].
    pub credits: i64,
    /// The accounts with posting authority for this one.
    pub posting: Vec<Account>,
    /// The permlinks of its posts without comments, oldest first.
    pub posts: Vec<Arc<str>>,
    /// The number of its posts and comments.
    pub post_count: u32,
    /// In thousandths of HIVE or STEEM.
    pub coins: i64,
    /// In thousandths of HBD or SBD.
    pub dollars: i64,
    /// What it can claim.
    pub rewards: Rewards,
    /// A text that should hold JSON.
    pub json_metadata: String,
    /// A text that should hold JSON. Posting authority is enough to change it.
    pub posting_json_metadata: String,
    /// Whom it follows, and how: `blog` or `ignore`.
    pub following: BTreeMap<Account, String>,
    /// What it has reblogged and when, newest last.
    pub reblogs: Vec<(DateTime<Utc>, PostId)>,
}

/// Rewards that an account has not claimed yet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rewards {
    /// In thousandths of HIVE or STEEM.
    pub coins: i64,
    /// In thousandths of HBD or SBD.
    pub dollars: i64,
    /// In micro-VESTS.
    pub vests: i64,
}

/// A vote on a post, with weight 0 if taken back.
#[derive(Debug, Clone, PartialEq)]
pub struct StandingVote {
    /// Who votes.
    pub voter: Account,
    /// In hundredths of a percent.
    pub weight: i16,
    /// The value of the vote in micro-VESTS, negative for a downvote.
    pub rshares: i64,
    /// When it was cast or last changed.
    pub time: DateTime<Utc>,
    /// How often it was changed.
    pub changes: u8,
    /// The number of its block.
    pub block: u32,
}

/// A post or a comment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PostState {
    /// Its number on the chain.
    pub id: u32,
    /// The timestamp of its first block.
    pub created: DateTime<Utc>,
    /// The timestamp of the block with the last edit, else of the first.
    pub edited: DateTime<Utc>,
    /// What it comments on; `None` for a post.
    pub parent: Option<PostId>,
    /// Its tag or community.
    pub category: String,
    /// As last edited.
    pub title: String,
    /// As last edited.
    pub body: Arc<str>,
    /// As last edited; a text that should hold JSON.
    pub json_metadata: String,
    /// In thousandths of HBD or SBD; 0 declines payout.
    pub max_accepted_payout: i64,
    /// False refuses upvotes.
    pub allow_votes: bool,
    /// Comments below it.
    pub children: u32,
    votes: Vec<StandingVote>,
    by_voter: HashMap<Account, usize>,
}

impl PostState {
    /// A post without votes.
    pub fn new(id: u32, created: DateTime<Utc>, parent: Option<PostId>) -> Self {
        Self {
            id,
            created,
            edited: created,
            parent,
            max_accepted_payout: NO_PAYOUT_LIMIT,
            allow_votes: true,
            ..Self::default()
        }
    }

    /// The time of the payout.
    pub fn cashout(&self) -> DateTime<Utc> {
        self.created + PAYOUT_AFTER
    }

    /// All votes on it, in order of first cast, with those taken back.
    pub fn votes(&self) -> &[StandingVote] {
        &self.votes
    }

    /// The vote of `voter`; `None` if `voter` never voted.
    pub fn vote_of(&self, voter: &Account) -> Option<&StandingVote> {
        self.by_voter.get(voter).map(|&index| &self.votes[index])
    }

    /// The sum of the values of its votes, which determines the payout.
    pub fn net_rshares(&self) -> i64 {
        self.votes.iter().map(|vote| vote.rshares).sum()
    }

    pub(super) fn set_vote(&mut self, vote: StandingVote) {
        match self.by_voter.get(&vote.voter) {
            Some(&index) => self.votes[index] = vote,
            None => {
                self.by_voter.insert(vote.voter.clone(), self.votes.len());
                self.votes.push(vote);
            }
        }
    }
}

/// Values by name: those at the head of the chain, and changes to them that are not in a block yet.
#[derive(Debug)]
pub(super) struct Table<K, V> {
    head: HashMap<K, V>,
    pub pending: Changes<K, V>,
}

/// New values by name, with `None` for a removed one.
pub(super) type Changes<K, V> = HashMap<K, Option<V>>;

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self {
            head: HashMap::new(),
            pending: HashMap::new(),
        }
    }
}

impl<K: Clone + Eq + Hash, V: Clone> Table<K, V> {
    /// The value at the head of the chain.
    pub fn at_head(&self, name: &K) -> Option<&V> {
        self.head.get(name)
    }

    /// All names at the head of the chain.
    pub fn names_at_head(&self) -> impl Iterator<Item = &K> {
        self.head.keys()
    }

    /// The value with its pending changes.
    pub fn get(&self, name: &K) -> Option<&V> {
        match self.pending.get(name) {
            Some(changed) => changed.as_ref(),
            None => self.head.get(name),
        }
    }

    /// A value to change in the next block. It is copied only at its first change since the last
    /// block, so that thousands of votes on one post stay cheap.
    pub fn get_mut(&mut self, name: &K) -> Option<&mut V> {
        if !self.pending.contains_key(name) {
            let copy = self.head.get(name)?.clone();
            self.pending.insert(name.clone(), Some(copy));
        }
        self.pending.get_mut(name)?.as_mut()
    }

    /// Sets a value at the head of the chain.
    pub fn set_at_head(&mut self, name: K, value: V) {
        self.head.insert(name, value);
    }

    /// Alters a value at the head of the chain and its pending copy, if they exist.
    pub fn alter(&mut self, name: &K, change: impl Fn(&mut V)) {
        let pending = self.pending.get_mut(name).and_then(Option::as_mut);
        pending
            .into_iter()
            .chain(self.head.get_mut(name))
            .for_each(change);
    }

    /// Applies changes to the head of the chain. Returns the changes that undo them.
    pub fn apply(&mut self, changes: Changes<K, V>) -> Changes<K, V> {
        let swap = |(name, value): (K, Option<V>)| {
            let before = match value {
                Some(value) => self.head.insert(name.clone(), value),
                None => self.head.remove(&name),
            };
            (name, before)
        };
        changes.into_iter().map(swap).collect()
    }
}

/// The changes that undo a block.
#[derive(Debug)]
pub(super) struct Undo {
    pub accounts: Changes<Account, AccountState>,
    pub posts: Changes<PostId, PostState>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mana_refills_in_five_days_up_to_the_maximum() {
        let start = DateTime::UNIX_EPOCH;
        let bar = Manabar {
            current: 500,
            updated: start,
        };
        assert_eq!(bar.at(start, 1000), 500);
        assert_eq!(bar.at(start + Duration::days(1), 1000), 700);
        assert_eq!(bar.at(start + Duration::days(9), 1000), 1000);
    }
}
