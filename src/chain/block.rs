//! Blocks and the operations in them that matter to votes.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::account::Account;
use crate::post::PostId;
use crate::weight::Weight;

/// A block of the chain, reduced to what votes depend on.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Counts without gaps; also the first 8 hex digits of `id`.
    pub num: u32,
    /// The block's hash, 40 hex digits.
    pub id: String,
    /// The hash of the block before: different from what we read there, it tells a fork.
    pub previous: String,
    /// When the block was made, to the second: due times count from here.
    pub timestamp: DateTime<Utc>,
    /// In the order of the block; operations that do not matter to votes are left out.
    pub operations: Vec<Operation>,
}

/// An operation and the transaction it came in.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// 40 hex digits; empty where a recording left it out.
    pub trx_id: Arc<str>,
    pub body: OperationBody,
}

/// The operations that matter to votes.
#[derive(Debug, Clone, PartialEq)]
pub enum OperationBody {
    Comment(Comment),
    /// Follows its comment, mostly in the same transaction.
    CommentOptions(CommentOptions),
    DeleteComment(PostId),
    Vote(Vote),
}

/// `comment`: a post, a comment, or an edit of one; the operation alone does not tell which.
#[derive(Debug, Clone, PartialEq)]
pub struct Comment {
    pub post: PostId,
    /// Empty for a post.
    pub parent_author: String,
    /// For a post its category: a tag, or a community such as `hive-174578`.
    pub parent_permlink: String,
    pub title: String,
    /// In an edit it may be a patch that starts with `@@ `.
    pub body: String,
    /// A text that should hold JSON and often does not.
    pub json_metadata: String,
}

impl Comment {
    /// Whether this is a post rather than a comment under one.
    pub fn is_post(&self) -> bool {
        self.parent_author.is_empty()
    }

    /// Whether the body is a patch: then this is certainly an edit.
    pub fn is_patch(&self) -> bool {
        self.body.starts_with("@@ ")
    }
}

/// `comment_options`.
#[derive(Debug, Clone, PartialEq)]
pub struct CommentOptions {
    pub post: PostId,
    /// In thousandths of HBD or SBD; 0 declines payout.
    pub max_accepted_payout: i64,
    /// False refuses upvotes.
    pub allow_votes: bool,
}

/// `vote`.
#[derive(Debug, Clone, PartialEq)]
pub struct Vote {
    pub voter: Account,
    pub post: PostId,
    /// 0 takes a vote back.
    pub weight: Weight,
}
