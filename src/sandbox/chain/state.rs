//! The state of accounts and posts, and changes to it that can be undone.

use std::collections::HashMap;
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
#[derive(Debug, Clone, Copy, PartialEq)]
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
#[derive(Debug, Clone, PartialEq)]
pub struct AccountState {
    /// Its number on the chain.
    pub id: u32,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// In micro-VESTS, like `delegated` and `received`.
    pub vesting_shares: i64,
    /// Lent to others.
    pub delegated: i64,
    /// Lent by others.
    pub received: i64,
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
}

impl AccountState {
    /// The size of the voting bar, which is the effective stake, in micro-VESTS.
    pub fn max_mana(&self) -> i64 {
        self.vesting_shares - self.delegated + self.received
    }

    /// The size of the downvote bar, a quarter of the voting bar, in micro-VESTS.
    pub fn max_downvote_mana(&self) -> i64 {
        self.max_mana() / 4
    }
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
    /// The number of its block; 0 while pending.
    pub block: u32,
}

/// A post or a comment.
#[derive(Debug, Clone, PartialEq)]
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

    pub(super) fn vote_of_mut(&mut self, voter: &Account) -> Option<&mut StandingVote> {
        self.by_voter
            .get(voter)
            .map(|&index| &mut self.votes[index])
    }
}

/// The accounts and posts at the head of the chain.
#[derive(Debug, Default)]
pub(super) struct State {
    pub accounts: HashMap<Account, AccountState>,
    pub posts: HashMap<PostId, PostState>,
}

/// Changes to a state: the new values by name, with `None` for a removed one.
#[derive(Debug, Default)]
pub(super) struct Layer {
    pub accounts: HashMap<Account, Option<AccountState>>,
    pub posts: HashMap<PostId, Option<PostState>>,
}

impl State {
    /// Applies changes. Returns the changes that undo them.
    pub fn apply(&mut self, changes: Layer) -> Layer {
        let mut undo = Layer::default();
        for (name, value) in changes.accounts {
            let before = match value {
                Some(account) => self.accounts.insert(name.clone(), account),
                None => self.accounts.remove(&name),
            };
            undo.accounts.insert(name, before);
        }
        for (name, value) in changes.posts {
            let before = match value {
                Some(post) => self.posts.insert(name.clone(), post),
                None => self.posts.remove(&name),
            };
            undo.posts.insert(name, before);
        }
        undo
    }
}

/// A state with changes that are not in a block yet.
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

    /// Copies the post only at its first change since the last block, so that thousands of votes on one
    /// post stay cheap.
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
