//! What was queued or cast before, what other rules have, and what nobody tells.

use super::*;
use crate::votes::asks::{Ask, Asks};

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
fn a_queued_vote_that_another_rule_asks_for_too_says_which() {
    let rules = [
        trail("name = 'art'\ntags = { any = ['art'] }"),
        author("name = 'second'"),
        author("name = 'third'"),
    ]
    .concat();
    let summary = |others: &[&str], status| {
        let mut known = known();
        let mut queued = row("f.toml:art", Origin::Trail, status, None);
        let others = others.iter().map(|rule| other(rule, &queued)).collect();
        queued.asks = Asks {
            first: queued.ask().clone(),
            others,
        };
        tables(&mut known).votes.insert(account("alice"), queued);
        answer(&rules, &known).summary
    };
    let alone = "queued: 50%, due 2026-03-01 12:05:00 UTC, by f.toml:art";
    assert_eq!(summary(&[], Status::Queued), alone);
    for (others, next) in [
        (&["f.toml:second"][..], "second"),
        (&["f.toml:third", "f.toml:second"], "second"),
        (&["f.toml:gone", "f.toml:third"], "third"),
    ] {
        let wanted =
            format!("{alone}; f.toml:{next} asks for it too, and has it if that rule drops out");
        assert_eq!(summary(others, Status::Queued), wanted, "{others:?}");
    }
    assert_eq!(summary(&["f.toml:gone"], Status::Queued), alone);
    // What is over is nobody's any more.
    assert_eq!(
        summary(&["f.toml:second"], Status::Withdrawn),
        "withdrawn, by f.toml:art: no reason was noted"
    );
}

/// What `rule` asks for.
fn other(rule: &str, row: &Vote) -> Ask {
    Ask {
        rule: RuleId::from_stored(rule),
        origin: Origin::Author,
        ..row.ask().clone()
    }
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
    content(&mut on_the_post)
        .votes
        .set(account("alice"), weight(30));
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
        "no queue: the post of 2026-03-01 12:00:00 UTC was read when the rule was not in force, or did not match it"
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
    assert_eq!(answer.says, Says::No);
}

#[test]
fn a_vote_by_hand_of_a_voter_that_no_rule_names_is_told() {
    let says = |status, reason| {
        let mut known = known();
        let row = row("", Origin::Hand, status, reason);
        tables(&mut known).votes.insert(account("alice"), row);
        answer("", &known).says
    };
    let weight = Weight::clamped(5_000);
    assert!(
        matches!(says(Status::Queued, None), Says::Queued { weight: told, .. } if told == weight)
    );
    assert!(
        matches!(says(Status::Confirmed, None), Says::Voted { weight: told, .. } if told == weight)
    );
    let by_hand = says(Status::Skipped, Some("voted by hand"));
    assert_eq!(by_hand, Says::Voted { weight, at: None });
    assert_eq!(says(Status::Failed, Some("no token")), Says::No);
}
