//! The facts about one post and its voters that `explain` starts from.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};

use crate::account::Account;
use crate::chain::content::Content;
use crate::chain::mana::AccountState;
use crate::explain::schedule::Choices;
use crate::post::PostId;
use crate::rules::rule::RuleId;
use crate::votes::change::LeaderVote;
use crate::votes::vote::{PastVote, Vote};
use crate::weight::Weight;

/// A fact, or why it is not known.
pub type Told<T> = Result<T, String>;

/// What is known about a post, and about the votes on it so far.
#[derive(Debug)]
pub struct Known {
    /// The moment that the explanation is for.
    pub now: DateTime<Utc>,
    /// The post that is explained.
    pub post: PostId,
    /// The content of the post; `Ok(None)` if no node knows it.
    pub content: Told<Option<Content>>,
    /// Rows of the database.
    pub tables: Told<Tables>,
    /// Mana of the voters that exist on the chain.
    pub mana: Told<HashMap<Account, AccountState>>,
    /// The posts that schedules choose when they run next.
    pub choices: Told<Choices>,
}

/// Rows of the database.
#[derive(Debug, Default)]
pub struct Tables {
    /// The votes on this post.
    pub votes: HashMap<Account, Vote>,
    /// Votes of leaders on this post, in the order of the blocks.
    pub leader_votes: Vec<LeaderVote>,
    /// Votes cast in the last 168 hours by rules with a limit.
    pub past: HashMap<(Account, RuleId), Vec<PastVote>>,
    /// Voters with a token.
    pub with_token: HashSet<Account>,
    /// The timestamp of the last block that was read.
    pub read_until: Option<DateTime<Utc>>,
}

impl Known {
    /// The content of the post, if a node knows it.
    pub fn content(&self) -> Option<&Content> {
        self.content.as_ref().ok()?.as_ref()
    }

    /// The vote of `voter` on the post; 0 if it was taken back.
    pub fn standing(&self, voter: &Account) -> Option<Weight> {
        self.content()?.votes.of(voter)
    }

    /// The row of `voter` for this post.
    pub fn row(&self, voter: &Account) -> Option<&Vote> {
        self.tables.as_ref().ok()?.votes.get(voter)
    }
}
