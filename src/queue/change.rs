//! What can happen to votes, and to what is written beside them. A [`Batch`] is written whole or not
//! at all.

use chrono::{DateTime, Utc};

use crate::account::Account;
use crate::post::{PostId, VoteKey};
use crate::queue::error_entry::ErrorEntry;
use crate::queue::vote::Origin;
use crate::rules::rule::RuleId;
use crate::weight::Weight;

/// One thing that happened to one vote.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A rule, or a person by hand, asks for a vote.
    Plan(Plan),
    /// What a trail follows on a post is different now.
    Follow(Follow),
    /// A vote by one of our voters stands in a block, whoever cast it.
    Seen(Seen),
    /// What came of a vote that the caster held.
    Report(Report),
}

impl Change {
    /// The vote it happened to.
    pub fn key(&self) -> &VoteKey {
        match self {
            Self::Plan(plan) => &plan.key,
            Self::Follow(follow) => &follow.key,
            Self::Seen(seen) => &seen.key,
            Self::Report(report) => &report.key,
        }
    }
}

/// A vote that is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub key: VoteKey,
    pub weight: Weight,
    pub rule: RuleId,
    pub origin: Origin,
    pub due_at: DateTime<Utc>,
    /// The block with the post or the leader's vote, and its timestamp. For a schedule the newest block
    /// that was read, and when the post was published.
    pub event_block: u32,
    pub event_at: DateTime<Utc>,
    /// Whose vote is followed, and its weight.
    pub leader: Option<(Account, Weight)>,
    /// The event is a comment operation, which may turn out to be an edit of a post: it brings no vote
    /// back that was decided before.
    pub may_be_edit: bool,
}

/// What a queued vote of a trail follows was changed or taken back.
#[derive(Debug, Clone, PartialEq)]
pub struct Follow {
    pub key: VoteKey,
    pub rule: RuleId,
    /// Only a queued vote that follows this leader is concerned; `None` for whomever it follows.
    pub leader_was: Option<Account>,
    /// The block in which that happened: a vote that a later one caused is not touched.
    pub event_block: u32,
    /// What to follow from now on; `None` withdraws.
    pub now: Option<Followed>,
}

/// The vote that a trail follows.
#[derive(Debug, Clone, PartialEq)]
pub struct Followed {
    pub leader: Account,
    pub leader_weight: Weight,
    /// Ours.
    pub weight: Weight,
}

/// A vote in a block.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    pub key: VoteKey,
    /// 0 where it takes a vote back.
    pub weight: Weight,
    pub trx_id: String,
    pub block_num: u32,
    /// The block's timestamp.
    pub at: DateTime<Utc>,
}

/// What the caster says of a vote it held.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pub key: VoteKey,
    /// The rule that has the vote from now on, where the first one turned out not to match the post.
    pub rule: Option<RuleId>,
    /// The weight that was cast, or would have been.
    pub weight: Weight,
    /// Requests sent for it in all.
    pub attempts: u32,
    pub at: DateTime<Utc>,
    pub outcome: Outcome,
}

/// What came of a vote.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The signer took it; unless a block shows it before, look for it at `check_at`.
    Cast {
        trx_id: Option<String>,
        cast_at: DateTime<Utc>,
        check_at: DateTime<Utc>,
    },
    /// It stands on the post.
    Confirmed,
    /// It waits until `next_attempt_at`; `due_at` is set where the moment it is due moved. With `hold` the
    /// caster goes on holding it; else it is free for whoever claims it then. Of a row that is over, only the
    /// number of attempts changes.
    Later {
        next_attempt_at: DateTime<Utc>,
        due_at: Option<DateTime<Utc>>,
        reason: Option<String>,
        hold: bool,
    },
    /// It was cast, but is in no block and not on the post: cast it again at `at`.
    Recast {
        at: DateTime<Utc>,
    },
    Failed(String),
    Skipped(String),
    Withdrawn(String),
    DryRun,
}

/// A leader's vote, kept so that trails can be followed over a restart.
#[derive(Debug, Clone, PartialEq)]
pub struct LeaderVote {
    pub leader: Account,
    pub post: PostId,
    /// 0 where it takes the vote back.
    pub weight: Weight,
    pub block_num: u32,
    /// The block's timestamp.
    pub at: DateTime<Utc>,
}

/// How far the chain has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    pub block_num: u32,
    pub block_id: String,
    pub block_time: DateTime<Utc>,
    /// Number and id of recent blocks that could still be undone, oldest first, this one included:
    /// enough to find the common ancestor after a fork.
    pub recent: Vec<(u32, String)>,
}

/// How far the times of a rule with `schedule` have been taken care of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleRun {
    pub rule: RuleId,
    /// Expression and time zone, as they were then: of another schedule nothing was missed.
    pub schedule: String,
    /// The last time that was run, or when the rule was first seen.
    pub last_run_at: DateTime<Utc>,
}

/// What is written in one transaction, in this order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// The blocks above this one were undone.
    pub undo_above: Option<u32>,
    pub changes: Vec<Change>,
    pub leader_votes: Vec<LeaderVote>,
    pub errors: Vec<ErrorEntry>,
    pub schedule_runs: Vec<ScheduleRun>,
    /// Rules that have no schedule any more.
    pub schedules_gone: Vec<RuleId>,
    pub cursor: Option<Cursor>,
}
