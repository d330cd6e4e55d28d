//! A post as a node tells of it now.

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
    pub votes: Vec<StandingVote>,
}

/// A vote on a post as a node tells of it.
#[derive(Debug, Clone, PartialEq)]
pub struct StandingVote {
    pub voter: Account,
    /// 0 where the voter took it back.
    pub weight: Weight,
}

impl Content {
    /// The vote of `voter` on this post, if it has ever voted on it.
    pub fn vote_of(&self, voter: &Account) -> Option<Weight> {
        self.votes
            .iter()
            .find(|vote| &vote.voter == voter)
            .map(|vote| vote.weight)
    }
}
