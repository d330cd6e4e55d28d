//! What stands in rules and what the post, the leaders, the limits and the mana say to it.

use super::*;

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
    for name in ["dan", "eve"] {
        content(&mut known).votes.set(account(name), weight(10));
    }
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
        "no limit: limit.per_day: 1 vote was cast already"
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
fn leaders_who_agree_go_on_doing_so_when_another_votes_the_other_way() {
    let rules = trail("agree = 2\ndownvotes = 'follow'").replace("'ocd'", "'ocd', 'dan'");
    let mut known = known();
    tables(&mut known).leader_votes = [("curie", 80, 10), ("ocd", 60, 50), ("dan", -100, 55)]
        .map(|(leader, percent, seconds)| leader_vote(leader, percent, seconds))
        .into();
    assert_eq!(
        one(&rules, &known),
        "votes would vote: 30% at 2026-03-01 12:01:20 UTC"
    );
}

#[test]
fn a_leader_s_vote_that_nobody_read_is_told_of() {
    let mut known = known();
    content(&mut known).votes.set(account("ocd"), weight(20));
    assert_eq!(
        one(&trail(""), &known),
        "no leaders: @ocd voted 20%, but no daemon has read that from the chain so far"
    );
}
