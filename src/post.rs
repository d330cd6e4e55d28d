//! What names a post, and what names a vote.

use std::fmt;
use std::sync::Arc;

use crate::account::Account;

/// The name of a post or comment: `@author/permlink`. Cheap to clone; permlinks compare byte by byte.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PostId {
    pub author: Account,
    /// Up to 256 bytes; old ones may hold any character.
    pub permlink: Arc<str>,
}

impl PostId {
    /// Names a post as a block has it.
    pub fn new(author: Account, permlink: &str) -> Self {
        Self {
            author,
            permlink: permlink.into(),
        }
    }
}

impl fmt::Display for PostId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "@{}/{}", self.author, self.permlink)
    }
}

impl fmt::Debug for PostId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// One voter has one vote on one post: the key of the `votes` table.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VoteKey {
    pub voter: Account,
    pub post: PostId,
}

impl fmt::Display for VoteKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "@{} on {}", self.voter, self.post)
    }
}
