//! What can happen to votes, and what is written together with them. A [`Batch`] is written whole or not at all; a
//! large one is cut first, see [`Batch::into_groups`].

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
    /// What a trail follows on a post has changed.
    Follow(Follow),
    /// A block holds a vote by one of our voters, whoever cast it.
    Seen(Seen),
    /// What became of a vote that the caster held.
    Report(Report),
}

impl Change {
    /// The vote that it concerns.
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
    /// Whether the event is a comment operation that may turn out to be an edit: such a plan does not bring back a vote
    /// that was decided before.
    pub may_be_edit: bool,
}

/// A leader changed or took back the vote that a queued vote of a trail follows.
#[derive(Debug, Clone, PartialEq)]
pub struct Follow {
    /// The vote.
    pub key: VoteKey,
    /// The rule.
    pub rule: RuleId,
    /// Which queued votes of the rule it concerns.
    pub follows: FollowedBy,
    /// The block in which that happened: votes caused by a later block stay as they are.
    pub event_block: u32,
    /// What the vote follows from now on; `None` withdraws it.
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
    /// Its weight; 0 if it takes a vote back.
    pub weight: Weight,
    /// The id of the transaction.
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
    /// The ask that had the vote. If another one has it by now, only attempts and accepted requests count.
    pub cause: Cause,
    /// The weight that was cast, or would have been.
    pub weight: Weight,
    /// All requests sent for it so far.
    pub attempts: u32,
    /// The moment of the report.
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
        /// The id of the transaction, if the signer returned it.
        trx_id: Option<String>,
        /// When the request left.
        cast_at: DateTime<Utc>,
        /// When to look for it on the chain, unless a block shows it before.
        check_at: DateTime<Utc>,
    },
    /// The post holds it.
    Confirmed,
    /// It waits until `next_attempt_at`. With `hold` the caster keeps it; otherwise any daemon may claim it then. If the
    /// row has ended, only the number of attempts changes.
    Later {
        /// No attempt before then.
        next_attempt_at: DateTime<Utc>,
        /// When it is due, if that moved.
        due_at: Option<DateTime<Utc>>,
        /// Why it waits.
        reason: Option<Reason>,
        /// Whether the caster keeps it.
        hold: bool,
    },
    /// It was cast, but neither a block nor the post shows it: it is cast again.
    Recast {
        /// When it is cast again.
        at: DateTime<Utc>,
    },
    /// These asks drop out: the post does not suit them, or their rule is gone.
    Unsuited(Vec<Unsuited>),
    /// Refused for good, or tried until the time for retries was over.
    Failed(Reason),
    /// Declined by a rule or a person.
    Skipped(Reason),
    /// Its cause is gone.
    Withdrawn(Reason),
    /// It would have been cast without `--dry-run`.
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

/// A leader's vote, kept so that trails survive a restart.
#[derive(Debug, Clone, PartialEq)]
pub struct LeaderVote {
    /// The account that is followed.
    pub leader: Account,
    /// The post or comment.
    pub post: PostId,
    /// Its weight; 0 if it takes the vote back.
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
    /// Number and id of recent blocks that could still be undone, oldest first, including this one: enough to find the
    /// common ancestor after a fork.
    pub recent: Vec<(u32, String)>,
}

/// The last run of a rule with `schedule`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleRun {
    /// The rule.
    pub rule: RuleId,
    /// Expression and time zone at that time: a rule whose schedule changed has missed no run.
    pub schedule: String,
    /// The time of the last run, or when the rule was first seen.
    pub last_run_at: DateTime<Utc>,
}

/// What is written in one transaction, in this order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch {
    /// The number of a block above which all blocks were undone.
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
    /// Cuts the batch into groups with at most `size` changes each, to be written in this order. The cursor and leaders'
    /// votes come with the last, so that a block is read again if a crash prevents some groups from being written.
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

    /// Whether it holds at most one change or row, so that it is useless to cut it further.
    pub fn is_single(&self) -> bool {
        let rows = self.changes.len() + self.leader_votes.len() + self.errors.len();
        let schedules = self.schedule_runs.len() + self.schedules_gone.len();
        let others = [self.undo_above.is_some(), self.cursor.is_some()];
        rows + schedules + others.into_iter().filter(|is_there| *is_there).count() <= 1
    }

    /// Cuts the batch into batches with one change or row each, in the order in which they are written.
    pub fn into_parts(self) -> Vec<Self> {
        let none = Self::default;
        let undo = self.undo_above.map(|above| Self {
            undo_above: Some(above),
            ..none()
        });
        let changes = self.changes.into_iter().map(|change| Self {
            changes: vec![change],
            ..none()
        });
        let leader_votes = self.leader_votes.into_iter().map(|vote| Self {
            leader_votes: vec![vote],
            ..none()
        });
        let errors = self.errors.into_iter().map(|entry| Self {
            errors: vec![entry],
            ..none()
        });
        let runs = self.schedule_runs.into_iter().map(|run| Self {
            schedule_runs: vec![run],
            ..none()
        });
        let gone = self.schedules_gone.into_iter().map(|rule| Self {
            schedules_gone: vec![rule],
            ..none()
        });
        let cursor = self.cursor.map(|cursor| Self {
            cursor: Some(cursor),
            ..none()
        });
        let parts = undo.into_iter().chain(changes).chain(leader_votes);
        parts
            .chain(errors)
            .chain(runs)
            .chain(gone)
            .chain(cursor)
            .collect()
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
