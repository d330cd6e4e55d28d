//! What can happen to votes, and to what is written beside them. A [`Batch`] is written whole or not
//! at all; a large one is cut before, see [`Batch::into_groups`].

use chrono::{DateTime, Utc};

use crate::account::Account;
use crate::post::{PostId, VoteKey};
use crate::rules::rule::RuleId;
use crate::votes::asks::{Ask, Cause};
use crate::votes::error_entry::ErrorEntry;
use crate::votes::reason::Reason;
use crate::votes::status::Status;
use crate::votes::vote::Vote;
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

/// A rule or a person asks for a vote.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The vote.
    pub key: VoteKey,
    /// What asks for it.
    pub ask: Ask,
    /// The event is a comment operation, which may turn out to be an edit: it does not bring back a vote that
    /// was decided before.
    pub may_be_edit: bool,
}

/// What a queued vote of a trail follows was changed or taken back.
#[derive(Debug, Clone, PartialEq)]
pub struct Follow {
    /// The vote.
    pub key: VoteKey,
    /// The rule.
    pub rule: RuleId,
    /// Which queued votes of the rule are concerned.
    pub follows: FollowedBy,
    /// The block in which that happened: a vote that a later one caused is not touched.
    pub event_block: u32,
    /// What to follow from now on; `None` withdraws.
    pub now: Option<Followed>,
}

/// Whom a queued vote of a trail follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FollowedBy {
    /// This leader's vote.
    Leader(Account),
    /// Any of the leaders whose agreement on upvotes, or else on downvotes, has ended.
    Agreement {
        /// Agreement on an upvote, or else on a downvote.
        upvotes: bool,
    },
}

/// The vote that a trail follows.
#[derive(Debug, Clone, PartialEq)]
pub struct Followed {
    /// The account that is followed.
    pub leader: Account,
    /// The weight of the leader's vote.
    pub leader_weight: Weight,
    /// Ours.
    pub weight: Weight,
}

/// A vote in a block.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// The vote.
    pub key: VoteKey,
    /// 0 where it takes a vote back.
    pub weight: Weight,
    /// The id of the transaction, where the signer tells it.
    pub trx_id: String,
    /// The number of the block.
    pub block_num: u32,
    /// The block's timestamp.
    pub at: DateTime<Utc>,
}

/// What the caster reports about a vote.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The vote.
    pub key: VoteKey,
    /// What asked for it. If something else has the vote by now, only attempts and accepted requests count.
    pub cause: Cause,
    /// The weight that was cast, or would have been.
    pub weight: Weight,
    /// All requests sent for it so far.
    pub attempts: u32,
    /// When.
    pub at: DateTime<Utc>,
    /// What became of it.
    pub outcome: Outcome,
}

impl Report {
    /// A report about `vote` as it stands.
    pub fn of(vote: &Vote, outcome: Outcome, at: DateTime<Utc>) -> Self {
        Self {
            key: vote.key.clone(),
            cause: vote.ask().cause(),
            weight: vote.ask().weight,
            attempts: vote.attempts,
            at,
            outcome,
        }
    }
}

/// What became of a vote.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The signer accepted it; unless a block shows it before, look for it at `check_at`.
    Cast {
        /// The id of the transaction, where the signer tells it.
        trx_id: Option<String>,
        /// When the request left.
        cast_at: DateTime<Utc>,
        /// When to look for it on the chain, unless a block shows it before.
        check_at: DateTime<Utc>,
    },
    /// It stands on the post.
    Confirmed,
    /// It waits until `next_attempt_at`; `due_at` is set where the moment it is due moved. With `hold` the
    /// caster goes on holding it; else it is free for whoever claims it then. Of a row that is over, only the
    /// number of attempts changes.
    Later {
        /// No attempt before then.
        next_attempt_at: DateTime<Utc>,
        /// When it is due.
        due_at: Option<DateTime<Utc>>,
        /// Why.
        reason: Option<Reason>,
        /// Whether the caster goes on holding it.
        hold: bool,
    },
    /// It was cast, but no block and not the post shows it: cast it again at `at`.
    Recast {
        /// When.
        at: DateTime<Utc>,
    },
    /// These asks drop out: the post does not suit them, or their rule is gone.
    Unsuited(Vec<Unsuited>),
    /// Refused for good, or tried until the time for retries was over.
    Failed(Reason),
    /// A rule or a person said no.
    Skipped(Reason),
    /// Its cause is gone.
    Withdrawn(Reason),
    /// It would have been cast but for `--dry-run`.
    DryRun,
}

/// An ask that drops out of a vote.
#[derive(Debug, Clone, PartialEq)]
pub struct Unsuited {
    /// The ask that drops out.
    pub cause: Cause,
    /// How the vote ends if nothing else asks for it.
    pub status: Status,
    /// Why.
    pub reason: Reason,
}

/// A leader's vote, kept so that trails can be followed over a restart.
#[derive(Debug, Clone, PartialEq)]
pub struct LeaderVote {
    /// The account that is followed.
    pub leader: Account,
    /// The post or comment.
    pub post: PostId,
    /// 0 where it takes the vote back.
    pub weight: Weight,
    /// The number of the block.
    pub block_num: u32,
    /// The block's timestamp.
    pub at: DateTime<Utc>,
}

/// How far the chain has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The number of the block.
    pub block_num: u32,
    /// The id of the block.
    pub block_id: String,
    /// The timestamp of the block.
    pub block_time: DateTime<Utc>,
    /// Number and id of recent blocks that could still be undone, oldest first, this one included:
    /// enough to find the common ancestor after a fork.
    pub recent: Vec<(u32, String)>,
}

/// How far the times of a rule with `schedule` have been taken care of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleRun {
    /// The rule.
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
    /// What happened to votes, in that order.
    pub changes: Vec<Change>,
    /// Votes of leaders to keep.
    pub leader_votes: Vec<LeaderVote>,
    /// Rows for `error_log`.
    pub errors: Vec<ErrorEntry>,
    /// Schedules that have run.
    pub schedule_runs: Vec<ScheduleRun>,
    /// Rules that have no schedule any more.
    pub schedules_gone: Vec<RuleId>,
    /// How far the chain has been read.
    pub cursor: Option<Cursor>,
}

impl Batch {
    /// Cuts what is too much for one transaction into such with at most `size` changes each. They are to be
    /// written in this order. Cursor and leaders' votes come with the last, so that a block of which a crash
    /// let only some groups be written is read again.
    pub fn into_groups(mut self, size: usize) -> Vec<Self> {
        let mut groups = Vec::new();
        while self.changes.len() > size {
            let rest = self.changes.split_off(size);
            groups.push(Self {
                undo_above: self.undo_above.take(),
                changes: std::mem::replace(&mut self.changes, rest),
                ..Self::default()
            });
        }
        groups.push(self);
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(number: usize) -> Change {
        Change::Seen(Seen {
            key: VoteKey {
                voter: Account::from_chain(&format!("voter{number}")),
                post: PostId::new(Account::from_chain("bob"), "a-post"),
            },
            weight: Weight::FULL,
            trx_id: String::new(),
            block_num: 7,
            at: DateTime::UNIX_EPOCH,
        })
    }

    #[test]
    fn a_large_batch_is_undone_first_and_moves_the_cursor_last() {
        let changes: Vec<Change> = (0..25).map(seen).collect();
        let cursor = Cursor {
            block_num: 7,
            block_id: "7".to_owned(),
            block_time: DateTime::UNIX_EPOCH,
            recent: Vec::new(),
        };
        let batch = Batch {
            undo_above: Some(6),
            changes: changes.clone(),
            cursor: Some(cursor),
            ..Batch::default()
        };
        let groups = batch.into_groups(10);
        let sizes: Vec<usize> = groups.iter().map(|group| group.changes.len()).collect();
        assert_eq!(sizes, [10, 10, 5]);
        let undone: Vec<_> = groups.iter().map(|group| group.undo_above).collect();
        assert_eq!(undone, [Some(6), None, None]);
        let moved: Vec<_> = groups.iter().map(|group| group.cursor.is_some()).collect();
        assert_eq!(moved, [false, false, true]);
        let all: Vec<Change> = groups.into_iter().flat_map(|group| group.changes).collect();
        assert_eq!(all, changes);
    }

    #[test]
    fn a_small_batch_stays_whole() {
        for batch in [
            Batch::default(),
            Batch {
                changes: (0..10).map(seen).collect(),
                ..Batch::default()
            },
        ] {
            assert_eq!(batch.clone().into_groups(10), [batch]);
        }
    }
}
