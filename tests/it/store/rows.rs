//! Rows and batches for the cases.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use curatord::account::Account;
use curatord::post::{PostId, VoteKey};
use curatord::rules::rule::RuleId;
use curatord::store::Store;
use curatord::votes::asks::Ask;
use curatord::votes::change::{Batch, Change, LeaderVote, Outcome, Plan, Report, Seen};
use curatord::votes::fold::Context;
use curatord::votes::status::Origin;
use curatord::votes::vote::Vote;
use curatord::weight::Weight;

/// The moment this number of seconds after one that all cases share.
pub fn at(seconds: i64) -> DateTime<Utc> {
    let start = "2026-03-01T12:00:00.250Z".parse::<DateTime<Utc>>().unwrap();
    start + TimeDelta::seconds(seconds)
}

pub fn name(text: &str) -> Account {
    Account::from_chain(text)
}

pub fn post(permlink: &str) -> PostId {
    PostId::new(name("bob"), permlink)
}

pub fn key(voter: &str, permlink: &str) -> VoteKey {
    VoteKey {
        voter: name(voter),
        post: post(permlink),
    }
}

fn ask() -> Ask {
    Ask {
        rule: RuleId::new("friends.toml", "favourites"),
        origin: Origin::Author,
        weight: Weight::clamped(5_000),
        due_at: at(100),
        block: 1_000,
        at: at(0),
        leader: None,
    }
}

/// A vote due at `at(100)` because of block 1000.
pub fn plan(voter: &str, permlink: &str) -> Plan {
    Plan {
        key: key(voter, permlink),
        ask: ask(),
        may_be_edit: false,
    }
}

pub fn seen(voter: &str, permlink: &str, block_num: u32) -> Seen {
    Seen {
        key: key(voter, permlink),
        weight: Weight::clamped(5_000),
        trx_id: format!("{block_num:040x}"),
        block_num,
        at: at(101),
    }
}

/// The outcome of a vote that was planned by [`plan`].
pub fn report(voter: &str, permlink: &str, outcome: Outcome) -> Change {
    Change::Report(Report {
        key: key(voter, permlink),
        cause: ask().cause(),
        weight: Weight::clamped(5_000),
        attempts: 1,
        at: at(100),
        outcome,
    })
}

pub fn cast(check_at: DateTime<Utc>) -> Outcome {
    Outcome::Cast {
        trx_id: Some("ab".repeat(20)),
        cast_at: at(100),
        check_at,
    }
}

pub fn leader_vote(leader: &str, permlink: &str, hundredths: i64, block_num: u32) -> LeaderVote {
    LeaderVote {
        leader: name(leader),
        post: post(permlink),
        weight: Weight::clamped(hundredths),
        block_num,
        at: at(i64::from(block_num)),
    }
}

pub fn changes(changes: impl IntoIterator<Item = Change>) -> Batch {
    Batch {
        changes: changes.into_iter().collect(),
        ..Batch::default()
    }
}

pub fn plans(plans: impl IntoIterator<Item = Plan>) -> Batch {
    changes(plans.into_iter().map(Change::Plan))
}

/// The context of a daemon that claims nothing when it plans.
pub fn context(owner: &str) -> Context<'_> {
    Context {
        owner,
        now: at(1),
        claim_before: DateTime::UNIX_EPOCH,
        claim_until: at(15),
        confirm_within: Duration::from_secs(120),
        position: &|_| Some(0),
    }
}

/// Applies a batch as the daemon "one".
pub async fn apply(store: &Store, batch: &Batch) -> Vec<Vote> {
    store.apply(batch, &context("one")).await.unwrap()
}
