//! For tests: rules as people write them, blocks, and a table in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::account::Account;
use crate::chain::block::{self, Block, Comment, Operation, OperationBody};
use crate::post::{PostId, VoteKey};
use crate::rules::language;
use crate::rules::rule::RuleId;
use crate::rules::set::RuleSet;
use crate::simulate;
use crate::votes::change::{Batch, Change, Outcome, Report};
use crate::votes::planner::Planner;
use crate::votes::status::Status;
use crate::votes::vote::Vote;
use crate::weight::Weight;

/// The rules of a file `a.toml` whose voter is alice unless a rule says otherwise.
pub fn rules(text: &str) -> RuleSet {
    let text = format!("voters = ['alice']\n{text}");
    let file = language::file::read("a.toml", &text);
    assert!(file.is_valid(), "{:?}", file.problems);
    RuleSet::new(file.rules.into_iter().map(Arc::new).collect())
}

/// The id of the rule `name` in such a file.
pub fn rule(name: &str) -> RuleId {
    RuleId::new("a.toml", name)
}

/// The timestamp of block `num`.
pub fn time(num: u32) -> DateTime<Utc> {
    let start = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
    start + TimeDelta::seconds(3 * i64::from(num))
}

pub fn account(name: &str) -> Account {
    Account::from_chain(name)
}

/// `@bob/permlink`.
pub fn bobs(permlink: &str) -> PostId {
    PostId::new(account("bob"), permlink)
}

pub fn key(voter: &str, permlink: &str) -> VoteKey {
    VoteKey {
        voter: account(voter),
        post: bobs(permlink),
    }
}

/// Bob publishes, or edits with the whole text.
pub fn post(permlink: &str) -> OperationBody {
    OperationBody::Comment(comment(permlink))
}

/// Bob edits with a patch.
pub fn patch(permlink: &str) -> OperationBody {
    OperationBody::Comment(Comment {
        body: "@@ -1 +1 @@".to_owned(),
        ..comment(permlink)
    })
}

/// Bob comments.
pub fn reply(permlink: &str) -> OperationBody {
    OperationBody::Comment(Comment {
        parent_author: "carol".to_owned(),
        ..comment(permlink)
    })
}

fn comment(permlink: &str) -> Comment {
    Comment {
        post: bobs(permlink),
        parent_author: String::new(),
        parent_permlink: "photos".to_owned(),
        title: String::new(),
        body: "hello".to_owned(),
        json_metadata: String::new(),
    }
}

pub fn delete(permlink: &str) -> OperationBody {
    OperationBody::DeleteComment(bobs(permlink))
}

/// Somebody votes on a post of bob's, in percent.
pub fn vote(voter: &str, permlink: &str, percent: i64) -> OperationBody {
    OperationBody::Vote(block::Vote {
        voter: account(voter),
        post: bobs(permlink),
        weight: Weight::clamped(percent * 100),
    })
}

pub fn block(num: u32, bodies: impl IntoIterator<Item = OperationBody>) -> Block {
    let operation = |body| Operation {
        trx_id: format!("trx-{num}").into(),
        body,
    };
    Block {
        num,
        id: format!("{num:08x}"),
        previous: format!("{:08x}", num - 1),
        timestamp: time(num),
        operations: bodies.into_iter().map(operation).collect(),
    }
}

/// What the `votes` table holds, and who writes it.
pub struct Table<'r> {
    pub rules: &'r RuleSet,
    pub planner: Planner,
    table: simulate::table::Table,
}

impl<'r> Table<'r> {
    /// An empty one in which no vote is claimed before somebody does it.
    pub fn new(rules: &'r RuleSet) -> Self {
        Self {
            rules,
            planner: Planner::default(),
            table: simulate::table::Table::new(TimeDelta::days(-1_000)),
        }
    }

    /// Votes due so soon are claimed as they are planned.
    pub fn claim_within(&mut self, horizon: TimeDelta) {
        self.table.set_horizon(horizon);
    }

    /// The daemon has read block `num`.
    pub fn block(&mut self, num: u32, bodies: impl IntoIterator<Item = OperationBody>) {
        let batch = self.planner.block(self.rules, &block(num, bodies));
        self.write(&batch, time(num));
    }

    /// At the time of block `num` the blocks above `above` were undone.
    pub fn undo(&mut self, num: u32, above: u32) {
        self.planner.undo(above);
        let batch = Batch {
            undo_above: Some(above),
            ..Batch::default()
        };
        self.write(&batch, time(num));
    }

    /// What came of alice's vote on a post of bob's, at the time of block `num`, after so many requests.
    pub fn report(&mut self, num: u32, permlink: &str, attempts: u32, outcome: Outcome) {
        let report = Report {
            attempts,
            ..Report::of(self.row(permlink), outcome, time(num))
        };
        self.write_report(report, time(num));
    }

    pub fn write_report(&mut self, report: Report, now: DateTime<Utc>) {
        let batch = Batch {
            changes: vec![Change::Report(report)],
            ..Batch::default()
        };
        self.write(&batch, now);
    }

    pub fn write(&mut self, batch: &Batch, now: DateTime<Utc>) {
        self.table.write(batch, self.rules, now);
    }

    pub fn rows(&self) -> BTreeMap<VoteKey, Vote> {
        let rows = self.table.rows().iter();
        rows.map(|(key, row)| (key.clone(), row.clone())).collect()
    }

    /// Alice's vote on a post of bob's.
    pub fn row(&self, permlink: &str) -> &Vote {
        &self.table.rows()[&key("alice", permlink)]
    }

    /// That vote in brief: `queued trail-1 2500 @5`, for a vote of 25 % caused by block 5.
    pub fn brief(&self, permlink: &str) -> String {
        match self.table.rows().get(&key("alice", permlink)) {
            Some(row) => brief(row),
            None => "nothing".to_owned(),
        }
    }
}

/// The signer accepted it at block `num`.
pub fn accepted(num: u32) -> Outcome {
    Outcome::Cast {
        trx_id: Some("ours".to_owned()),
        cast_at: time(num),
        check_at: time(num) + TimeDelta::minutes(2),
    }
}

fn brief(row: &Vote) -> String {
    let (status, ask) = (row.status, row.ask());
    let weight = ask.weight.hundredths();
    let rule = ask.rule.as_str().trim_start_matches("a.toml:");
    let reason = row.reason.as_ref().map(|reason| format!(" ({reason})"));
    let reason = reason.unwrap_or_default();
    match row.status {
        Status::Skipped if rule.is_empty() => format!("{status} {weight}{reason}"),
        _ => format!("{status} {rule} {weight} @{}{reason}", ask.block),
    }
}
