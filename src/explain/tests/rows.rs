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
        author("name = 'art'"),
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

/// The summary about a vote that `f.toml:first` has queued, and for which `f.toml:second` asks too.
fn summary_of(rules: &str) -> String {
    let mut known = known();
    let mut queued = row("f.toml:first", Origin::Author, Status::Queued, None);
    let second = Ask {
        rule: RuleId::from_stored("f.toml:second"),
        ..queued.ask().clone()
    };
    queued.asks.others.push(second);
    // The post was read when it was queued.
    tables(&mut known).read_until = Some(start() + TimeDelta::minutes(1));
    tables(&mut known).votes.insert(account("alice"), queued);
    answer(rules, &known).summary
}

#[test]
fn the_summary_of_a_queued_vote_says_what_its_rule_says_now() {
    let first = author("name = 'first'");
    let second = author("name = 'second'");
    let due = "due 2026-03-01 12:05:00 UTC";
    assert_eq!(
        summary_of(&[&*first, &second].concat()),
        format!(
            "queued: 50%, {due}, by f.toml:first; f.toml:second asks for it too, and has it if that rule drops out"
        )
    );
    let lighter = first.replace("'50%'", "'40%'");
    assert!(summary_of(&lighter).starts_with(&format!("queued: 40%, {due}, by f.toml:first")));
    for (change, why) in [
        ("enabled = false", "enabled: the rule is switched off"),
        (
            "expires = 2026-02-01",
            "expires: the rule is off since 2026-02-01 00:00:00 UTC",
        ),
        ("except = ['bob']", "except: @bob is left out"),
        ("tags = { none = ['nsfw'] }", "tags: tags.none: it has nsfw"),
        (
            "self_votes = true\nwords = { min = 500 }",
            "words: it has 12, fewer than 500",
        ),
    ] {
        let off = author(&format!("name = 'first'\n{change}"));
        let alone = summary_of(&off);
        assert!(
            alone.starts_with("queued by f.toml:first, but no vote: "),
            "{change}: {alone}"
        );
        let key = why.split(':').next().unwrap();
        assert!(alone.contains(key), "{change}: {alone}");
        // The next rule that asks for it has it then.
        let both = summary_of(&[&*off, &second.replace("'50%'", "'30%'")].concat());
        assert!(
            both.starts_with(&format!(
                "queued: 30%, {due}, by f.toml:second; f.toml:first drops out: "
            )),
            "{change}: {both}"
        );
    }
    assert_eq!(
        summary_of(&author("name = 'another'")),
        "queued by f.toml:first, but no vote: the rule no longer votes as this voter"
    );
}

#[test]
fn a_condition_when_due_ends_a_queued_vote_and_gives_it_to_no_other_rule() {
    let window = "max_age = '1h'\nwindow = { from = '18:00', to = '20:00' }";
    let first = author(&format!("name = 'first'\n{window}"));
    let summary = summary_of(&[&*first, &author("name = 'second'")].concat());
    assert!(
        summary.starts_with("queued by f.toml:first, but no vote: window"),
        "{summary}"
    );
}

#[test]
fn a_vote_by_hand_is_told_with_its_own_weight() {
    let mut known = known();
    content(&mut known).votes = [(account("alice"), weight(77))].into_iter().collect();
    for status in [Status::Skipped, Status::DryRun] {
        let by_hand = row(
            "f.toml:author-1",
            Origin::Author,
            status,
            Some("voted by hand"),
        );
        tables(&mut known).votes.insert(account("alice"), by_hand);
        let answer = answer(&author(""), &known);
        assert!(
            answer.summary.contains("voted 77% by other means"),
            "{status}: {}",
            answer.summary
        );
    }
}
