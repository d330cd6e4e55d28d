//! A row of the `votes` table: queue and history in one.

use chrono::{DateTime, Utc};

use crate::account::Account;
use crate::post::{PostId, VoteKey};
use crate::rules::rule::RuleId;
use crate::votes::change::Plan;
use crate::weight::Weight;

/// A vote that is to go out, or went out, or never will. Times are UTC to the millisecond.
#[derive(Debug, Clone, PartialEq)]
pub struct Vote {
    pub key: VoteKey,
    pub weight: Weight,
    /// Empty for a vote that a person cast.
    pub rule: RuleId,
    pub origin: Origin,
    pub status: Status,
    /// Why it was skipped, withdrawn or failed, for people.
    pub reason: Option<String>,
    /// When it must go out.
    pub due_at: DateTime<Utc>,
    /// When the request that was accepted left.
    pub cast_at: Option<DateTime<Utc>>,
    /// Requests sent.
    pub attempts: u32,
    /// Queued: not before then. Cast: look for it on the chain then.
    pub next_attempt_at: DateTime<Utc>,
    /// The daemon that holds it.
    pub claimed_by: Option<String>,
    /// When that daemon's hold ends unless it is renewed.
    pub claimed_until: Option<DateTime<Utc>>,
    pub trx_id: Option<String>,
    /// The block that holds the vote.
    pub block_num: Option<u32>,
    /// The block with the post or the leader's vote that made us vote; for a vote by a schedule the newest
    /// block then.
    pub event_block: u32,
    /// The timestamp of that block; for a vote by a schedule that of the block with the post.
    pub event_at: DateTime<Utc>,
    /// Whose vote is followed, for a vote by a trail.
    pub leader: Option<Account>,
    /// The weight of the leader's vote, from which ours is made anew when it is due.
    pub leader_weight: Option<Weight>,
    /// What else asked for the vote while it was queued, in that order: one of them has it should the rule turn out
    /// not to want the post.
    pub rivals: Vec<Plan>,
    /// How often a vote that no block held was cast anew: at most 3.
    pub recasts: u32,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// What asks for a vote: where this changes, the post is to be looked at anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    pub origin: Origin,
    pub event_block: u32,
    pub leader: Option<Account>,
    pub rule: RuleId,
}

impl Vote {
    /// What asks for it.
    pub fn cause(&self) -> Cause {
        Cause {
            origin: self.origin,
            event_block: self.event_block,
            leader: self.leader.clone(),
            rule: self.rule.clone(),
        }
    }
}

/// A vote that went out, or is on its way, as limits count it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastVote {
    pub post: PostId,
    /// When its request left.
    pub at: DateTime<Utc>,
}

/// Where a vote stands. [`crate::votes::fold`] shows the ways from one to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Waits until it is due, or to be tried again.
    Queued,
    /// Accepted by the signer; not seen in a block yet.
    Cast,
    /// Seen in a block.
    Confirmed,
    /// Refused for good, or tried until its time was over.
    Failed,
    /// A rule or a person said no.
    Skipped,
    /// What caused it is gone: its rule, its leader's vote, its block.
    Withdrawn,
    /// Would have been cast but for `--dry-run`.
    DryRun,
}

/// What asked for a vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    Author,
    Trail,
    Schedule,
    Hand,
}

/// A text that is none of the words a column may hold.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a {1} of a vote")]
pub struct UnknownWord(String, &'static str);

macro_rules! words {
    ($type:ident, $what:literal, $($variant:ident = $word:literal),+) => {
        impl $type {
            /// The word in the table.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::str::FromStr for $type {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(UnknownWord(text.to_owned(), $what)),
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.pad(self.as_str())
            }
        }
    };
}

words!(
    Status,
    "status",
    Queued = "queued",
    Cast = "cast",
    Confirmed = "confirmed",
    Failed = "failed",
    Skipped = "skipped",
    Withdrawn = "withdrawn",
    DryRun = "dry_run"
);
words!(
    Origin,
    "origin",
    Author = "author",
    Trail = "trail",
    Schedule = "schedule",
    Hand = "hand"
);
