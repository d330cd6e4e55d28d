//! A row of `error_log`: what a person should look at.

use chrono::{DateTime, Utc};

use crate::post::VoteKey;
use crate::visible::one_line;
use crate::votes::status::{ErrorKind, Origin};
use crate::votes::vote::Vote;
use crate::weight::Weight;

/// Something that went wrong, for manual review. Never holds a secret.
#[derive(Debug, Clone, PartialEq)]
pub struct ErrorEntry {
    /// The column `type`.
    pub kind: ErrorKind,
    /// The voter. Empty where the entry concerns none, as `author` and `permlink` are.
    pub voter: String,
    /// The author of the post.
    pub author: String,
    /// The permlink of the post.
    pub permlink: String,
    /// The weight of the vote, if it is about one.
    pub weight: Option<Weight>,
    /// What happened, to what, and what to do, in one line.
    pub error: String,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// Makes the entry be reported once: one whose fingerprint was written before, even before a restart, is dropped.
    /// At most 64 characters of ASCII.
    pub fingerprint: Option<String>,
}

impl ErrorEntry {
    /// An entry that concerns no single vote.
    pub fn new(kind: ErrorKind, error: impl Into<String>, at: DateTime<Utc>) -> Self {
        Self {
            kind,
            voter: String::new(),
            author: String::new(),
            permlink: String::new(),
            weight: None,
            error: one_line(&error.into()).into_owned(),
            at,
            fingerprint: None,
        }
    }

    /// Gives it a fingerprint if it has none, for the entry with this number of the daemon `owner`: it is written once
    /// although its batch may be given twice.
    pub fn write_once(&mut self, owner: &str, number: u64) {
        let make = || format!("once:{owner}:{number}");
        self.fingerprint.get_or_insert_with(make);
    }

    /// A vote that failed for good.
    pub fn of_vote(vote: &Vote, error: impl Into<String>, at: DateTime<Utc>) -> Self {
        let kind = match vote.ask().origin {
            Origin::Author => ErrorKind::Vote,
            Origin::Trail => ErrorKind::Trail,
            Origin::Schedule => ErrorKind::Schedule,
            Origin::Hand => ErrorKind::Hand,
        };
        let VoteKey { voter, post } = &vote.key;
        Self {
            voter: voter.as_str().to_owned(),
            author: post.author.as_str().to_owned(),
            permlink: post.permlink.to_string(),
            weight: Some(vote.ask().weight),
            ..Self::new(kind, error, at)
        }
    }
}
