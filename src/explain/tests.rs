//! Each condition that can decide, one by one: rules and facts in, the line that people read out.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::account::Account;
use crate::chain::content::{Content, StandingVote};
use crate::chain::mana::{AccountState, Manabar};
use crate::explain::known::{Known, Tables};
use crate::explain::{Answer, Says, explain};
use crate::post::{PostId, VoteKey};
use crate::queue::change::LeaderVote;
use crate::queue::vote::{Origin, PastVote, Status, Vote};
use crate::rules::language;
use crate::rules::rule::RuleId;
use crate::rules::set::RuleSet;
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
        votes: Vec::new(),
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
    Vote {
        key: VoteKey {
            voter: account("alice"),
            post: PostId::new(account("bob"), "garden"),
        },
        weight: weight(50),
        rule: RuleId::from_stored(rule),
        origin,
        status,
        reason: reason.map(str::to_owned),
        due_at,
        cast_at: matches!(status, Status::Cast | Status::Confirmed).then_some(due_at),
        attempts: 0,
        next_attempt_at: due_at,
        claimed_by: None,
        claimed_until: None,
        trx_id: None,
        block_num: None,
        event_block: 100,
        event_at: start(),
        leader: None,
        leader_weight: None,
        recasts: 0,
        created_at: start(),
        updated_at: due_at,
    }
}

fn answer(rules: &str, known: &Known) -> Answer {
    let read = language::file::read("f.toml", &format!("voters = ['alice']\n{rules}"));
    assert!(read.is_good(), "{:?}", read.problems);
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

#[test]
fn each_condition_of_the_post_is_named_with_its_value() {
    for (more, wanted) in [
        ("", "votes would vote: 50% at 2026-03-01 12:05:00 UTC"),
        ("enabled = false", "no enabled: the rule is switched off"),
        (
            "expires = 2026-03-01",
            "no expires: the rule is off since 2026-03-01 00:00:00 UTC",
        ),
        (
            "expires = 2026-03-01T12:04:00Z",
            "no expires: the rule is off when the vote is due, 2026-03-01 12:05:00 UTC",
        ),
        ("except = ['bob']", "no except: @bob is left out"),
        (
            "kind = 'comments'",
            "no kind: it is a post, and the rule speaks of comments",
        ),
        (
            "tags = { none = ['nsfw'] }",
            "no tags: tags.none: it has nsfw",
        ),
        (
            "tags = { all = ['photo', 'art'] }",
            "no tags: tags.all: it lacks art",
        ),
        (
            "communities = { any = ['hive-1'] }",
            "no communities: communities.any: it has none of hive-1",
        ),
        (
            "apps = { none = ['peakd'] }",
            "no apps: apps.none: it has peakd",
        ),
        (
            "text = { any = ['kitchen'] }",
            "no text: text.any: it has none of kitchen",
        ),
        (
            "words = { min = 100 }",
            "no words: words.min: it has 12, fewer than 100",
        ),
        (
            "payout = { max = 2 }",
            "no payout: payout.max: its pending payout is 2.500, more than 2.000",
        ),
        (
            "window = { from = '18:00', to = '20:00' }",
            "votes would vote: 50% at 2026-03-01 18:00:00 UTC",
        ),
        (
            "max_age = '1h'\nwindow = { from = '18:00', to = '20:00' }",
            "no window: window: it opens 2026-03-01 18:00:00, too late for max_age",
        ),
    ] {
        assert_eq!(one(&author(more), &known()), wanted, "{more}");
    }
}

#[test]
fn an_author_that_the_rule_does_not_name_decides() {
    let rule = "[[author]]\nauthors = ['carol', 'dave']\nweight = '50%'\n";
    assert_eq!(
        one(rule, &known()),
        "no authors: @bob is none of @carol, @dave"
    );
}

#[test]
fn a_voter_s_own_post_decides() {
    let mut known = known();
    known.post = PostId::new(account("alice"), "garden");
    let rule = "[[author]]\nauthors = ['alice']\nweight = '50%'\n";
    assert_eq!(
        one(rule, &known),
        "no self_votes: it is the voter's own post"
    );
}

#[test]
fn too_many_votes_decide() {
    let mut known = known();
    content(&mut known).votes = ["dan", "eve"]
        .map(|name| StandingVote {
            voter: account(name),
            weight: weight(10),
        })
        .into();
    assert_eq!(
        one(&author("max_votes = 1"), &known),
        "no max_votes: max_votes: it has 2 upvotes, more than 1"
    );
}

#[test]
fn a_post_that_is_too_old_by_then_decides() {
    let mut known = known();
    tables(&mut known).read_until = None;
    known.now = start() + TimeDelta::days(7);
    assert_eq!(
        one(&author(""), &known),
        "no max_age: max_age: the post is older, published 2026-03-01 12:00:00"
    );
}

#[test]
fn a_limit_decides() {
    let mut known = known();
    let past = PastVote {
        post: PostId::new(account("carol"), "p"),
        at: start() - TimeDelta::hours(1),
    };
    let pair = (account("alice"), RuleId::from_stored("f.toml:author-1"));
    tables(&mut known).past.insert(pair, vec![past]);
    let rule = author("limit = { per_day = 1 }");
    assert_eq!(
        one(&rule, &known),
        "no limit: limit.per_day: 1 votes were cast already"
    );
    // A day later there is room again.
    tables(&mut known).read_until = None;
    known.now = start() + TimeDelta::hours(24);
    assert!(one(&rule, &known).starts_with("votes"));
}

#[test]
fn too_little_mana_decides_or_defers() {
    let mut known = known();
    known.mana = Ok(mana(8_000));
    let skips = one(&author("min_mana = '90%'"), &known);
    assert!(
        skips.starts_with("no min_mana: min_mana: the voter has 80.0"),
        "{skips}"
    );
    // 20 % refill in a day: 10 % in 12 hours, from the minute at which the mana was 80 %; rounded up.
    assert_eq!(
        one(&author("min_mana = '90%'\nbelow_min_mana = 'wait'"), &known),
        "votes would vote: 50% at 2026-03-02 00:01:01 UTC"
    );
    let late = "min_mana = '90%'\nbelow_min_mana = 'wait'\nmax_age = '6h'";
    let late = one(&author(late), &known);
    assert!(late.starts_with("no max_age: "), "{late}");
    known.mana = Err("no node answers".to_owned());
    assert_eq!(
        one(&author("min_mana = '90%'"), &known),
        "? min_mana: no node answers"
    );
}

#[test]
fn a_voter_without_a_token_does_not_vote() {
    let mut known = known();
    tables(&mut known).with_token.clear();
    assert!(one(&author(""), &known).starts_with("no token: "));
}

#[test]
fn the_votes_of_leaders_decide() {
    let after = |votes: &[(&str, i64, i64)], more: &str| {
        let mut known = known();
        tables(&mut known).leader_votes = votes
            .iter()
            .map(|(leader, percent, seconds)| leader_vote(leader, *percent, *seconds))
            .collect();
        one(&trail(more), &known)
    };
    for (votes, more, wanted) in [
        (
            &[][..],
            "",
            "no leaders: none of them has voted on it: @curie, @ocd",
        ),
        (
            &[("curie", 80, 10)],
            "",
            "votes would vote: 40% at 2026-03-01 12:01:00 UTC",
        ),
        (
            &[("curie", 80, 50)],
            "",
            "votes would vote: 40% at 2026-03-01 12:01:20 UTC",
        ),
        (
            &[("curie", 80, 10), ("curie", 0, 20)],
            "",
            "no leaders: @curie took its vote back",
        ),
        (
            &[("curie", -80, 10)],
            "",
            "no downvotes: @curie voted -80%, which the rule does not follow",
        ),
        (
            &[("curie", 5, 10)],
            "min_leader_weight = '10%'",
            "no min_leader_weight: @curie voted 5%, less than 10%",
        ),
        (
            &[("curie", 80, 10)],
            "agree = 2",
            "no agree: 1 of 2 leaders agree: @curie",
        ),
        (
            &[("curie", 80, 10), ("ocd", 60, 50)],
            "agree = 2",
            "votes would vote: 30% at 2026-03-01 12:01:20 UTC",
        ),
    ] {
        assert_eq!(after(votes, more), wanted, "{votes:?} {more}");
    }
}

#[test]
fn a_leader_s_vote_that_nobody_read_is_told_of() {
    let mut known = known();
    content(&mut known).votes.push(StandingVote {
        voter: account("ocd"),
        weight: weight(20),
    });
    assert_eq!(
        one(&trail(""), &known),
        "no leaders: @ocd voted 20%, but no daemon has read that from the chain so far"
    );
}

#[test]
fn the_first_rule_that_matches_has_the_post() {
    let rules = [
        author("tags = { none = ['nsfw'] }"),
        author("name = 'second'"),
        author("name = 'third'"),
    ];
    assert_eq!(
        decisions(&rules.concat(), &known()),
        [
            "no tags: tags.none: it has nsfw",
            "votes would vote: 50% at 2026-03-01 12:05:00 UTC",
            "no precedence: f.toml:second has the post: comes first",
        ]
    );
    // Whoever has queued it has it, and declining it gives it to nobody else.
    let mut known = known();
    let skipped = row(
        "f.toml:second",
        Origin::Author,
        Status::Skipped,
        Some("limit.per_day: 3"),
    );
    tables(&mut known).votes.insert(account("alice"), skipped);
    assert_eq!(
        decisions(&rules.concat()[..], &known)[1..],
        [
            "no skipped: limit.per_day: 3",
            "no precedence: f.toml:second has the post: skipped",
        ]
    );
}

#[test]
fn a_row_says_what_became_of_the_vote() {
    for (status, reason, decision, summary) in [
        (
            Status::Queued,
            None,
            "queued queue: 50%, due 2026-03-01 12:05:00 UTC",
            "queued: 50%, due 2026-03-01 12:05:00 UTC, by f.toml:author-1",
        ),
        (
            Status::Cast,
            None,
            "voted voted: 50% at 2026-03-01 12:05:00 UTC",
            "voted 50% at 2026-03-01 12:05:00 UTC, by f.toml:author-1; no block has shown it yet",
        ),
        (
            Status::Confirmed,
            None,
            "voted voted: 50% at 2026-03-01 12:05:00 UTC",
            "voted 50% at 2026-03-01 12:05:00 UTC, by f.toml:author-1",
        ),
        (
            Status::Withdrawn,
            Some("the rule is gone"),
            "no withdrawn: the rule is gone",
            "withdrawn, by f.toml:author-1: the rule is gone",
        ),
        (
            Status::Skipped,
            Some("voted by hand"),
            "no by hand: the voter voted 50% by other means",
            "voted 50% by other means: rules leave it alone",
        ),
    ] {
        let mut known = known();
        let row = row("f.toml:author-1", Origin::Author, status, reason);
        tables(&mut known).votes.insert(account("alice"), row);
        assert_eq!(one(&author(""), &known), decision);
        assert_eq!(answer(&author(""), &known).summary, summary);
    }
}

#[test]
fn a_queued_vote_is_held_against_the_rule_as_it_is_now() {
    let mut known = known();
    let queued = row("f.toml:author-1", Origin::Author, Status::Queued, None);
    tables(&mut known).votes.insert(account("alice"), queued);
    assert_eq!(
        one(&author("tags = { none = ['nsfw'] }"), &known),
        "no tags: tags.none: it has nsfw"
    );
}

#[test]
fn people_come_first() {
    let mut by_hand = known();
    let queued = row("", Origin::Hand, Status::Queued, None);
    tables(&mut by_hand).votes.insert(account("alice"), queued);
    assert_eq!(
        one(&author(""), &by_hand),
        "no by hand: a vote of 50% was asked for: queued"
    );
    let mut on_the_post = known();
    content(&mut on_the_post).votes.push(StandingVote {
        voter: account("alice"),
        weight: weight(30),
    });
    assert_eq!(
        one(&author(""), &on_the_post),
        "no by hand: the voter voted 30% by other means"
    );
}

#[test]
fn a_block_that_was_read_without_the_rule_is_not_read_again() {
    let mut known = known();
    tables(&mut known).read_until = Some(known.now);
    assert_eq!(
        one(&author(""), &known),
        "no queue: the post of 2026-03-01 12:00:00 UTC was read without this rule, or before the first start"
    );
}

#[test]
fn what_nobody_tells_is_not_guessed() {
    let mut no_node = known();
    no_node.content = Err("no node answers".to_owned());
    assert_eq!(one(&author(""), &no_node), "? post: no node answers");
    // What is known decides all the same.
    assert_eq!(
        one(&author("enabled = false"), &no_node),
        "no enabled: the rule is switched off"
    );
    assert!(one(&trail(""), &no_node).starts_with("no leaders: none"));
    let mut no_database = known();
    no_database.tables = Err("the database is away".to_owned());
    assert_eq!(
        one(&trail(""), &no_database),
        "? leaders: the database is away"
    );
    assert!(one(&author(""), &no_database).starts_with("votes"));
    let mut no_post = known();
    no_post.content = Ok(None);
    assert_eq!(one(&author(""), &no_post), "no post: no node knows it");
}

#[test]
fn a_voter_that_no_rule_names_is_told_so() {
    let answer = answer("", &known());
    assert_eq!(answer.decisions, []);
    assert_eq!(answer.summary, "no rule votes as @alice");
}
