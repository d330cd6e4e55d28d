//! What `explain` goes by: everything that could be found out about one post and its voters.

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

/// What somebody told, or why it is not known.
pub type Told<T> = Result<T, String>;

/// What is known of a post, and of what was done about it so far.
#[derive(Debug)]
pub struct Known {
    /// The moment that the explanation is for.
    pub now: DateTime<Utc>,
    /// The post that is explained.
    pub post: PostId,
    /// The post as a node has it; `None` within where no node knows it.
    pub content: Told<Option<Content>>,
    /// What the table holds: none of it is known without the database.
    pub tables: Told<Tables>,
    /// Of the voters that have an account.
    pub mana: Told<HashMap<Account, AccountState>>,
    /// What schedules vote on when they strike next.
    pub choices: Told<Choices>,
}

/// What the tables hold.
#[derive(Debug, Default)]
pub struct Tables {
    /// The rows of this post.
    pub votes: HashMap<Account, Vote>,
    /// Votes of leaders on this post, in the order of the blocks.
    pub leader_votes: Vec<LeaderVote>,
    /// Votes that went out in the last week, where a rule limits them.
    pub past: HashMap<(Account, RuleId), Vec<PastVote>>,
    /// Voters with a token.
    pub with_token: HashSet<Account>,
    /// The timestamp of the last block that was read.
    pub read_until: Option<DateTime<Utc>>,
}

impl Known {
    /// The post, where a node has it.
    pub fn content(&self) -> Option<&Content> {
        self.content.as_ref().ok()?.as_ref()
    }

    /// The vote of `voter` on the post, 0 where it was taken back.
    pub fn standing(&self, voter: &Account) -> Option<Weight> {
        self.content()?.votes.of(voter)
    }

    /// The row of `voter` for this post.
    pub fn row(&self, voter: &Account) -> Option<&Vote> {
        self.tables.as_ref().ok()?.votes.get(voter)
    }
}
