//! A row of the `votes` table: queue and history in one.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::account::Account;
use crate::post::{PostId, VoteKey};
use crate::rules::rule::RuleId;
use crate::votes::asks::{Ask, Asks};
use crate::votes::reason::Reason;
use crate::votes::status::Status;

/// A vote that waits, was sent, or never will be. Times are UTC to the millisecond.
#[derive(Debug, Clone, PartialEq)]
pub struct Vote {
    /// The vote.
    pub key: VoteKey,
    /// The asks for it. Once it is not queued any more, only the ask that had it is kept.
    pub asks: Asks,
    /// Its status.
    pub status: Status,
    /// Why it waits, was skipped or withdrawn, or failed.
    pub reason: Option<Reason>,
    /// When the accepted request was sent.
    pub cast_at: Option<DateTime<Utc>>,
    /// Requests sent.
    pub attempts: u32,
    /// Queued: no attempt before then. Cast: when to look for it on the chain.
    pub next_attempt_at: DateTime<Utc>,
    /// The daemon that holds it.
    pub claimed_by: Option<String>,
    /// When that claim ends unless it is renewed.
    pub claimed_until: Option<DateTime<Utc>>,
    /// The id of the transaction, if the signer returned it.
    pub trx_id: Option<String>,
    /// The block that holds the vote.
    pub block_num: Option<u32>,
    /// How often it was cast again because no block held it: at most 3.
    pub recasts: u32,
    /// When it was first asked for.
    pub created_at: DateTime<Utc>,
    /// When the row was last written.
    pub updated_at: DateTime<Utc>,
}

impl Vote {
    /// A queued vote that is first asked for at `now`.
    pub fn queued(key: VoteKey, asks: Asks, now: DateTime<Utc>) -> Self {
        Self {
            key,
            status: Status::Queued,
            reason: None,
            cast_at: None,
            attempts: 0,
            next_attempt_at: asks.first.due_at,
            asks,
            claimed_by: None,
            claimed_until: None,
            trx_id: None,
            block_num: None,
            recasts: 0,
            created_at: now,
            updated_at: now,
        }
    }

    /// The ask that has the vote.
    pub fn ask(&self) -> &Ask {
        &self.asks.first
    }

    /// Whether a request for it may have been sent by `now`: one was recorded, or it is due and a daemon holds it, or held
    /// it when it died.
    pub fn attempted(&self, now: DateTime<Utc>) -> bool {
        self.attempts > 0 || (self.claimed_by.is_some() && self.next_attempt_at <= now)
    }

    /// Whether the daemon `owner` holds it.
    pub fn is_held_by(&self, owner: &str) -> bool {
        self.claimed_by.as_deref() == Some(owner)
    }

    /// The row, claimed by `owner` until a moment.
    pub fn held(self, owner: &str, until: DateTime<Utc>) -> Self {
        Self {
            claimed_by: Some(owner.to_owned()),
            claimed_until: Some(until),
            ..self
        }
    }

    /// The row, claimed by nobody.
    pub fn free(self) -> Self {
        Self {
            claimed_by: None,
            claimed_until: None,
            ..self
        }
    }

    /// Whether the voter voted by other means.
    pub fn is_by_hand(&self) -> bool {
        self.reason == Some(Reason::VotedByHand)
    }
}

/// Votes that were sent, by voter and rule.
pub type PastVotes = HashMap<(Account, RuleId), Vec<PastVote>>;

/// A vote that was sent, as limits count it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastVote {
    /// The post that was voted on.
    pub post: PostId,
    /// When its request was sent.
    pub at: DateTime<Utc>,
}
