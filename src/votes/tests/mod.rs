//! For tests: rules as people write them, blocks, and a table in memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::account::Account;
use crate::chain::block::{self, Block, Comment, Operation, OperationBody};
use crate::post::{PostId, VoteKey};
use crate::rules::language;
use crate::rules::rule::RuleId;
use crate::rules::set::RuleSet;
use crate::votes::change::{Batch, Change, Outcome, Report};
use crate::votes::fold::{Context, fold};
use crate::votes::planner::Planner;
use crate::votes::vote::{Status, Vote};
use crate::weight::Weight;

/// The rules of a file `a.toml` whose voter is alice unless a rule says otherwise.
pub fn rules(text: &str) -> RuleSet {
    let text = format!("voters = ['alice']\n{text}");
    let file = language::file::read("a.toml", &text);
    assert!(file.is_good(), "{:?}", file.problems);
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
    pub rows: BTreeMap<VoteKey, Vote>,
    /// Votes due so soon are claimed as they are planned.
    pub horizon: TimeDelta,
}

impl<'r> Table<'r> {
    /// An empty one in which no vote is claimed before somebody does it.
    pub fn new(rules: &'r RuleSet) -> Self {
        Self {
            rules,
            planner: Planner::default(),
            rows: BTreeMap::new(),
            horizon: TimeDelta::days(-1_000),
        }
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
            origin: self.row(permlink).origin,
            event_block: self.row(permlink).event_block,
            key: key("alice", permlink),
            rule: None,
            weight: self.row(permlink).weight,
            attempts,
            at: time(num),
            outcome,
        };
        let batch = Batch {
            changes: vec![Change::Report(report)],
            ..Batch::default()
        };
        self.write(&batch, time(num));
    }

    pub fn write(&mut self, batch: &Batch, now: DateTime<Utc>) {
        // A backend reads the rows that are named, and those that an undo concerns; more does no harm.
        let existing = self.rows.values().cloned().collect();
        let rules = self.rules;
        let position = |rule: &RuleId| rules.position(rule);
        let context = Context {
            owner: "one",
            now,
            claim_before: now + self.horizon,
            claim_until: now + TimeDelta::seconds(15),
            confirm_within: Duration::from_secs(120),
            position: &position,
        };
        let rows = fold(existing, batch, &context);
        for row in rows.new {
            assert_eq!(self.rows.insert(row.key.clone(), row), None);
        }
        for row in rows.changed {
            assert!(self.rows.insert(row.key.clone(), row).is_some());
        }
    }

    /// Alice's vote on a post of bob's.
    pub fn row(&self, permlink: &str) -> &Vote {
        &self.rows[&key("alice", permlink)]
    }

    /// That vote in brief: `queued trail-1 2500 @5`, for a vote of 25 % caused by block 5.
    pub fn brief(&self, permlink: &str) -> String {
        match self.rows.get(&key("alice", permlink)) {
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
    let (status, weight) = (row.status, row.weight.hundredths());
    let rule = row.rule.as_str().trim_start_matches("a.toml:");
    let reason = row.reason.as_deref().map(|reason| format!(" ({reason})"));
    let reason = reason.unwrap_or_default();
    match row.status {
        Status::Skipped if row.rule.as_str().is_empty() => format!("{status} {weight}{reason}"),
        _ => format!("{status} {rule} {weight} @{}{reason}", row.event_block),
    }
}
