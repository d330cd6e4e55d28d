//! Blocks and their operations that concern votes.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::account::Account;
use crate::chain::lenient;
use crate::post::PostId;
use crate::weight::Weight;

/// A block of the chain, reduced to what concerns votes.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The block number, without gaps; also the first 8 hex digits of `id`.
    pub num: u32,
    /// The block's hash, 40 hex digits.
    pub id: String,
    /// The hash of the previous block. A hash other than that of the block read before tells a fork.
    pub previous: String,
    /// When the block was produced, in whole seconds. Due times count from here.
    pub timestamp: DateTime<Utc>,
    /// The operations that concern votes, in the order of the block.
    pub operations: Vec<Operation>,
}

/// An operation with the id of its transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// 40 hex digits; empty if a recording omits it.
    pub trx_id: Arc<str>,
    /// What it does.
    pub body: OperationBody,
}

/// The operations that concern votes.
#[derive(Debug, Clone, PartialEq)]
pub enum OperationBody {
    /// Publishes or edits a post or comment.
    Comment(Comment),
    /// Usually in the same transaction as its comment.
    CommentOptions(CommentOptions),
    /// Deletes a post or comment.
    DeleteComment(PostId),
    /// Casts, changes or takes back a vote.
    Vote(Vote),
}

/// `comment`: a new post or comment, or an edit of one. The operation alone does not tell which.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Comment {
    /// Its author and permlink.
    #[serde(flatten)]
    pub post: PostId,
    /// Empty for a post.
    #[serde(default, deserialize_with = "lenient::text")]
    pub parent_author: String,
    /// For a post, its category: a tag, or a community such as `hive-174578`.
    #[serde(default, deserialize_with = "lenient::text")]
    pub parent_permlink: String,
    /// Empty for a comment, as a rule.
    #[serde(default, deserialize_with = "lenient::text")]
    pub title: String,
    /// The text; in an edit, possibly a patch that starts with `@@ `.
    #[serde(default, deserialize_with = "lenient::text")]
    pub body: String,
    /// Usually JSON, but may be empty or broken.
    #[serde(default, deserialize_with = "lenient::text")]
    pub json_metadata: String,
}

impl Comment {
    /// Whether this is a post, not a comment on one.
    pub fn is_post(&self) -> bool {
        self.parent_author.is_empty()
    }

    /// Whether the body is a patch, which only an edit has.
    pub fn is_patch(&self) -> bool {
        self.body.starts_with("@@ ")
    }
}

/// `comment_options`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct CommentOptions {
    /// The post or comment that the options are for.
    #[serde(flatten)]
    pub post: PostId,
    /// In thousandths of HBD or SBD; 0 declines payout.
    #[serde(deserialize_with = "lenient::thousandths")]
    pub max_accepted_payout: i64,
    /// Whether the post accepts upvotes.
    #[serde(default = "allowed")]
    pub allow_votes: bool,
}

fn allowed() -> bool {
    true
}

/// `vote`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Vote {
    /// Who votes.
    pub voter: Account,
    /// The post or comment voted on.
    #[serde(flatten)]
    pub post: PostId,
    /// 0 takes a vote back. The chain refuses weights out of range.
    #[serde(deserialize_with = "lenient::weight")]
    pub weight: Weight,
}
