//! Each condition that can decide, one by one: rules and facts in, the line that people read out.

mod conditions;
mod rows;
mod schedule;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::account::Account;
use crate::chain::content::{Content, StandingVotes};
use crate::chain::mana::{AccountState, Manabar};
use crate::explain::known::{Known, Tables};
use crate::explain::schedule::Choices;
use crate::explain::{Answer, Says, explain};
use crate::post::{PostId, VoteKey};
use crate::rules::language;
use crate::rules::rule::RuleId;
use crate::rules::set::RuleSet;
use crate::votes::asks::{Ask, Asks};
use crate::votes::change::LeaderVote;
use crate::votes::reason::Reason;
use crate::votes::status::{Origin, Status};
use crate::votes::vote::{PastVote, Vote};
use crate::weight::Weight;

/// The block with the post.
fn start() -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn account(name: &str) -> Account {
    Account::from_chain(name)
}

fn weight(percent: i64) -> Weight {
    Weight::from_hundredths(100 * percent).unwrap()
}

/// A minute after @bob published a post with 12 words; @alice has a token and full mana.
fn known() -> Known {
    let content = Content {
        post: PostId::new(account("bob"), "garden"),
        created: start(),
        last_update: Some(start()),
        parent_author: String::new(),
        parent_permlink: "photo".to_owned(),
        title: "My Garden".to_owned(),
        body: "one two three four five six seven eight nine ten eleven twelve".to_owned(),
        json_metadata: r#"{"tags":["photo","nsfw"],"app":"peakd/1"}"#.to_owned(),
        pending_payout: 2_500,
        max_accepted_payout: 1_000_000_000,
        allow_votes: true,
        votes: StandingVotes::default(),
    };
    Known {
        now: start() + TimeDelta::minutes(1),
        post: content.post.clone(),
        content: Ok(Some(content)),
        tables: Ok(Tables {
            with_token: HashSet::from([account("alice")]),
            read_until: Some(start() - TimeDelta::seconds(3)),
            ..Tables::default()
        }),
        mana: Ok(mana(10_000)),
        choices: Ok(Choices::default()),
    }
}

fn mana(hundredths: i64) -> HashMap<Account, AccountState> {
    let bar = |mana| Manabar {
        mana,
        updated: start() + TimeDelta::minutes(1),
    };
    let state = AccountState {
        account: account("alice"),
        max: 1_000_000,
        voting: bar(hundredths * 100),
        downvote: bar(250_000),
    };
    HashMap::from([(account("alice"), state)])
}

fn tables(known: &mut Known) -> &mut Tables {
    known.tables.as_mut().unwrap()
}

fn content(known: &mut Known) -> &mut Content {
    known.content.as_mut().unwrap().as_mut().unwrap()
}

fn leader_vote(leader: &str, percent: i64, seconds: i64) -> LeaderVote {
    LeaderVote {
        leader: account(leader),
        post: PostId::new(account("bob"), "garden"),
        weight: weight(percent),
        block_num: 100 + u32::try_from(seconds).unwrap(),
        at: start() + TimeDelta::seconds(seconds),
    }
}

fn row(rule: &str, origin: Origin, status: Status, reason: Option<&str>) -> Vote {
    let due_at = start() + TimeDelta::minutes(5);
    let key = VoteKey {
        voter: account("alice"),
        post: PostId::new(account("bob"), "garden"),
    };
    let ask = Ask {
        rule: RuleId::from_stored(rule),
        origin,
        weight: weight(50),
        due_at,
        block: 100,
        at: start(),
        leader: None,
    };
    Vote {
        status,
        reason: reason.map(|text| Reason::from_stored(text.to_owned())),
        cast_at: matches!(status, Status::Cast | Status::Confirmed).then_some(due_at),
        created_at: start(),
        ..Vote::queued(key, Asks::new(ask), due_at)
    }
}

fn answer(rules: &str, known: &Known) -> Answer {
    let read = language::file::read("f.toml", &format!("voters = ['alice']\n{rules}"));
    assert!(read.is_valid(), "{:?}", read.problems);
    let rules = RuleSet::new(read.rules.into_iter().map(Arc::new).collect());
    explain(&rules, Some(&account("alice")), known).remove(0)
}

/// `no tags: tags.none: it has nsfw`, for each rule.
fn decisions(rules: &str, known: &Known) -> Vec<String> {
    let decisions = answer(rules, known).decisions.into_iter();
    decisions
        .map(|decision| {
            let word = match decision.says {
                Says::Votes { .. } => "votes",
                Says::Queued { .. } => "queued",
                Says::Voted { .. } => "voted",
                Says::No => "no",
                Says::Unknown => "?",
            };
            format!("{word} {}: {}", decision.condition, decision.why)
        })
        .collect()
}

/// An author rule for @bob with 50 % after 5 minutes, and `more` keys.
fn author(more: &str) -> String {
    format!("[[author]]\nauthors = ['bob']\nweight = '50%'\ndelay = '5m'\n{more}\n")
}

fn trail(more: &str) -> String {
    format!(
        "[[trail]]\nleaders = ['curie', 'ocd']\nweight = {{ scale = '50%' }}\ndelay = '30s'\n{more}\n"
    )
}

fn one(rules: &str, known: &Known) -> String {
    decisions(rules, known).remove(0)
}
