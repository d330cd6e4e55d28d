//! The keys of posts and votes.

use std::fmt;
use std::sync::Arc;

use chrono::TimeDelta;
use serde::Deserialize;

use crate::account::Account;
use crate::visible::one_line;

/// Age at which a post pays out; votes after that do nothing.
pub const PAYOUT_AFTER: TimeDelta = TimeDelta::days(7);

/// The key of a post or comment, `@author/permlink`. Cheap to clone. Permlinks compare byte by byte.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
pub struct PostId {
    /// Who published it.
    pub author: Account,
    /// Up to 255 bytes. Old permlinks may hold any character, new ones hold `a-z`, `0-9` and `-`.
    pub permlink: Arc<str>,
}

impl PostId {
    /// A key with the permlink as the chain has it.
    pub fn new(author: Account, permlink: &str) -> Self {
        Self {
            author,
            permlink: permlink.into(),
        }
    }
}

impl fmt::Display for PostId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "@{}/{}", self.author, one_line(&self.permlink))
    }
}

impl fmt::Debug for PostId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// The key of a vote, as in the `votes` table: a voter has one vote on each post.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VoteKey {
    /// Who votes.
    pub voter: Account,
    /// The post or comment voted on.
    pub post: PostId,
}

impl fmt::Display for VoteKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "@{} on {}", self.voter, self.post)
    }
}
