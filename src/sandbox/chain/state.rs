//! Accounts and posts as the chain knows them, and changes to them that can be undone.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};

use super::operation::NO_PAYOUT_LIMIT;
use crate::account::Account;
use crate::post::PostId;

/// Posts are paid this long after their creation.
pub const PAYOUT_AFTER: Duration = Duration::days(7);

/// A manabar is full again after this many seconds.
const REFILL_SECONDS: i64 = 432_000;

/// How much mana there was when it last changed. In micro-VESTS.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Manabar {
    pub current: i64,
    pub updated: DateTime<Utc>,
}

impl Manabar {
    /// What there is at `now`, with a full bar of `max`.
    pub fn at(&self, now: DateTime<Utc>, max: i64) -> i64 {
        let seconds = (now - self.updated).num_seconds().max(0);
        let regained = i128::from(max) * i128::from(seconds) / i128::from(REFILL_SECONDS);
        let total = i128::from(self.current) + regained;
        i64::try_from(total.min(i128::from(max))).unwrap_or(max)
    }
}

/// An account.
#[derive(Debug, Clone, PartialEq)]
pub struct AccountState {
    pub id: u32,
    pub created: DateTime<Utc>,
    /// All of these in micro-VESTS.
    pub vesting_shares: i64,
    pub delegated: i64,
    pub received: i64,
    pub voting: Manabar,
    pub downvote: Manabar,
    pub last_vote: DateTime<Utc>,
    /// False: the account has declined its voting rights.
    pub can_vote: bool,
    /// Resource credits left; a vote takes [`super::vote::CREDITS_OF_A_VOTE`].
    pub credits: i64,
    /// Accounts that may post and vote for this one.
    pub posting: Vec<Account>,
    /// Permlinks of its posts, oldest first; comments left out.
    pub posts: Vec<Arc<str>>,
    pub post_count: u32,
}

impl AccountState {
    /// The full voting bar: the stake that counts, in micro-VESTS.
    pub fn max_mana(&self) -> i64 {
        self.vesting_shares - self.delegated + self.received
    }

    /// The full downvote bar: a quarter of the voting bar.
    pub fn max_downvote_mana(&self) -> i64 {
        self.max_mana() / 4
    }
}

/// A vote that stands on a post; one taken back stands with weight 0.
#[derive(Debug, Clone, PartialEq)]
pub struct StandingVote {
    pub voter: Account,
    /// In hundredths of a percent.
    pub weight: i16,
    pub rshares: i64,
    pub time: DateTime<Utc>,
    pub changes: u8,
    /// The number of the block that holds it; 0 while it is pending.
    pub block: u32,
}

/// A post or a comment.
#[derive(Debug, Clone, PartialEq)]
pub struct PostState {
    pub id: u32,
    /// The timestamp of the block that first held it.
    pub created: DateTime<Utc>,
    pub edited: DateTime<Utc>,
    pub parent: Option<PostId>,
    pub category: String,
    pub title: String,
    pub body: Arc<str>,
    pub json_metadata: String,
    pub max_accepted_payout: i64,
    pub allow_votes: bool,
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
            category: String::new(),
            title: String::new(),
            body: "".into(),
            json_metadata: String::new(),
            max_accepted_payout: NO_PAYOUT_LIMIT,
            allow_votes: true,
            children: 0,
            votes: Vec::new(),
            by_voter: HashMap::new(),
        }
    }

    /// When it pays.
    pub fn cashout(&self) -> DateTime<Utc> {
        self.created + PAYOUT_AFTER
    }

    /// Every vote ever cast on it, in order, those taken back included.
    pub fn votes(&self) -> &[StandingVote] {
        &self.votes
    }

    /// The vote of `voter`, if it ever voted.
    pub fn vote_of(&self, voter: &Account) -> Option<&StandingVote> {
        self.by_voter.get(voter).map(|&index| &self.votes[index])
    }

    /// The sum of its votes, what the chain ranks and pays by.
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

    pub(super) fn vote_of_mut(&mut self, voter: &Account) -> Option<&mut StandingVote> {
        self.by_voter
            .get(voter)
            .map(|&index| &mut self.votes[index])
    }
}

/// Accounts and posts at the head of the chain.
#[derive(Debug, Default)]
pub(super) struct State {
    pub accounts: HashMap<Account, AccountState>,
    pub posts: HashMap<PostId, PostState>,
}

/// Values by name; `None` where there is nothing of that name. Laid over a state it is a change, and
/// with the values from before it is the way back.
#[derive(Debug, Default)]
pub(super) struct Layer {
    pub accounts: HashMap<Account, Option<AccountState>>,
    pub posts: HashMap<PostId, Option<PostState>>,
}

impl State {
    /// Lays the changes over this state. Returns the way back.
    pub fn apply(&mut self, changes: Layer) -> Layer {
        let mut back = Layer::default();
        for (name, value) in changes.accounts {
            let before = match value {
                Some(account) => self.accounts.insert(name.clone(), account),
                None => self.accounts.remove(&name),
            };
            back.accounts.insert(name, before);
        }
        for (name, value) in changes.posts {
            let before = match value {
                Some(post) => self.posts.insert(name.clone(), post),
                None => self.posts.remove(&name),
            };
            back.posts.insert(name, before);
        }
        back
    }
}

/// A state with changes over it that are not in a block yet.
pub(super) struct Draft<'a> {
    pub base: &'a State,
    pub layer: &'a mut Layer,
}

impl Draft<'_> {
    pub fn account(&self, name: &Account) -> Option<&AccountState> {
        match self.layer.accounts.get(name) {
            Some(changed) => changed.as_ref(),
            None => self.base.accounts.get(name),
        }
    }

    pub fn account_mut(&mut self, name: &Account) -> Option<&mut AccountState> {
        if !self.layer.accounts.contains_key(name) {
            let copy = self.base.accounts.get(name)?.clone();
            self.layer.accounts.insert(name.clone(), Some(copy));
        }
        self.layer.accounts.get_mut(name)?.as_mut()
    }

    pub fn post(&self, name: &PostId) -> Option<&PostState> {
        match self.layer.posts.get(name) {
            Some(changed) => changed.as_ref(),
            None => self.base.posts.get(name),
        }
    }

    /// Copies the post on its first change since the last block only, so that thousands of votes on
    /// one post stay cheap.
    pub fn post_mut(&mut self, name: &PostId) -> Option<&mut PostState> {
        if !self.layer.posts.contains_key(name) {
            let copy = self.base.posts.get(name)?.clone();
            self.layer.posts.insert(name.clone(), Some(copy));
        }
        self.layer.posts.get_mut(name)?.as_mut()
    }

    pub fn set_post(&mut self, name: PostId, post: Option<PostState>) {
        self.layer.posts.insert(name, post);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mana_refills_in_five_days_and_no_further() {
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
