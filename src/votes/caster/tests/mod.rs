//! Plays the caster against a simulated signer, node and clock: days pass in milliseconds, and every
//! request, look-up and report is noted with its moment.

mod changes;
mod conditions;
mod episodes;
mod failures;
mod first_look;
mod moments;
mod pacing;
mod play;
mod random;
mod tokens;
mod unclear;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};

use self::play::{Play, Sent};
use super::*;
use crate::account::Account;
use crate::chain::content::{Content, StandingVotes};
use crate::chain::mana::{AccountState, Manabar};
use crate::network::ChainKind;
use crate::post::{PostId, VoteKey};
use crate::rules::language;
use crate::rules::rule::RuleId;
use crate::rules::set::RuleSet;
use crate::simulate::table::OWNER;
use crate::votes::answer::{Answer, Done};
use crate::votes::asks::{Ask, Asks};
use crate::votes::caster::lane::Limits;
use crate::votes::change::{Outcome, Report, Unsuited};
use crate::votes::status::{Origin, Status};
use crate::votes::vote::{PastVote, Vote};
use crate::weight::Weight;

/// This daemon, as the simulated table names it.
const US: &str = OWNER;
const RULES: &str = "
    voters = ['alice', 'amy', 'ann']
    [[author]]
    name = 'favourites'
    authors = ['bob', 'carol']
    weight = '50%'
    delay = '5m'
    [[trail]]
    name = 'follow'
    leaders = ['curie']
    weight = { scale = '50%' }
";

/// The timestamp of the block with the posts: the zero of all times below.
fn start() -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn millis(at: DateTime<Utc>) -> i64 {
    (at - start()).num_milliseconds()
}

/// So many milliseconds after the block with the posts.
fn after(millis: i64) -> DateTime<Utc> {
    start() + TimeDelta::milliseconds(millis)
}

fn account(name: &str) -> Account {
    Account::parse(name).unwrap()
}

/// The vote of `voter` on `@bob/permlink`.
fn key(voter: &str, permlink: &str) -> VoteKey {
    VoteKey {
        voter: account(voter),
        post: PostId::new(account("bob"), permlink),
    }
}

fn percent(whole: i64) -> Weight {
    Weight::from_hundredths(whole * 100).unwrap()
}

/// What the rule `favourites` asks for.
fn ask(due: i64) -> Ask {
    Ask {
        rule: RuleId::new("friends.toml", "favourites"),
        origin: Origin::Author,
        weight: percent(50),
        due_at: after(due),
        block: 100,
        at: start(),
        leader: None,
    }
}

/// What the rule `follow` asks for after a vote of `@curie` at 80 %.
fn trail_ask(due: i64) -> Ask {
    Ask {
        rule: RuleId::new("friends.toml", "follow"),
        origin: Origin::Trail,
        weight: percent(40),
        leader: Some((account("curie"), percent(80))),
        ..ask(due)
    }
}

/// A vote that only `ask` asks for, claimed by us.
fn vote_of(voter: &str, permlink: &str, ask: Ask) -> Vote {
    Vote {
        claimed_by: Some(US.to_owned()),
        ..Vote::queued(key(voter, permlink), Asks::new(ask), start())
    }
}

/// A vote by the rule `favourites`, claimed by us.
fn vote(voter: &str, permlink: &str, due: i64) -> Vote {
    vote_of(voter, permlink, ask(due))
}

/// A vote by the rule `follow` after a vote of `@curie` at 80 %.
fn trail_vote(voter: &str, permlink: &str, due: i64) -> Vote {
    vote_of(voter, permlink, trail_ask(due))
}

/// `@bob/permlink` as it was published at zero.
fn content(permlink: &str) -> Content {
    Content {
        post: PostId::new(account("bob"), permlink),
        created: start(),
        last_update: Some(start()),
        parent_author: String::new(),
        parent_permlink: "photo".to_owned(),
        title: String::new(),
        body: String::new(),
        json_metadata: String::new(),
        pending_payout: 0,
        max_accepted_payout: 1_000_000_000,
        allow_votes: true,
        votes: StandingVotes::default(),
    }
}

fn rules(text: &str) -> RuleSet {
    let read = language::file::read("friends.toml", text);
    assert!(read.is_valid(), "{:?}", read.problems);
    RuleSet::new(read.rules.into_iter().map(Arc::new).collect())
}

fn settings() -> Settings {
    Settings {
        kind: ChainKind::Hive,
        dry_run: false,
        limits: Limits {
            max_in_flight: 32,
            requests_per_second: 0.0,
            vote_interval: Duration::ZERO,
        },
        retry_for: Duration::from_secs(600),
        confirm_within: Duration::from_secs(120),
        looks: Looks::LIVE,
    }
}

fn accepted() -> Answer {
    Answer::Done(Done::Accepted {
        trx_id: Some("5ea1".to_owned()),
    })
}

fn unknown() -> Answer {
    Answer::Unknown("the signer did not answer within 10 s".to_owned())
}

fn passing() -> Answer {
    Answer::Passing {
        text: "the signer asks for fewer requests (429)".to_owned(),
        retry_after: None,
    }
}

fn passing_after(seconds: u64) -> Answer {
    Answer::Passing {
        text: "the signer asks for fewer requests (429)".to_owned(),
        retry_after: Some(Duration::from_secs(seconds)),
    }
}
