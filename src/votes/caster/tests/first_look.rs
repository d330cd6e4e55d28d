//! Whose a vote is: what the first look at its post decides.

use super::*;

const HOUR: i64 = 3_600_000;

/// Two trails after @curie, the first for photographs only.
fn two_trails() -> Play {
    let mut play = Play::new();
    play.daemon.rules = Arc::new(rules(
        "voters = ['alice', 'amy', 'ann']
        [[trail]]
        name = 'photos'
        leaders = ['curie']
        weight = '10%'
        tags = { any = ['macro'] }
        [[trail]]
        name = 'follow'
        leaders = ['curie']
        weight = { scale = '50%' }
        delay = '20s'",
    ));
    play
}

/// What `photos` asks for, due at that time.
fn photos(due: i64) -> Ask {
    Ask {
        rule: RuleId::new("friends.toml", "photos"),
        weight: percent(10),
        ..trail_ask(due)
    }
}

/// As the planner leaves it, which knows nothing of the post: both trails ask, the second 20 s later.
fn both_trails(due: i64) -> Vote {
    let asks = Asks {
        first: photos(due),
        others: vec![trail_ask(20_000)],
    };
    Vote {
        claimed_by: Some(US.to_owned()),
        ..Vote::queued(key("alice", "post"), asks, start())
    }
}

fn follow() -> RuleId {
    RuleId::new("friends.toml", "follow")
}

#[test]
fn the_first_trail_whose_filters_match_has_the_post() {
    let mut play = two_trails();
    play.hold(both_trails(0));
    play.run_until(60_000);
    assert_eq!(play.sent_at(), [20_000]);
    assert_eq!(play.sent[0].weight, percent(40));
    assert_eq!(play.reports.last().unwrap().cause.rule, follow());
}

#[test]
fn a_trail_whose_filters_match_keeps_the_post() {
    let mut play = two_trails();
    let mut photo = content("post");
    photo.parent_permlink = "macro".to_owned();
    play.publish(photo);
    play.hold(both_trails(0));
    play.run_until(60_000);
    assert_eq!(play.sent_at(), [0]);
    assert_eq!(play.sent[0].weight, percent(10));
}

#[test]
fn a_trail_vote_that_is_not_due_for_long_is_given_to_the_right_rule_at_once() {
    let mut play = two_trails();
    play.plan_for_later(both_trails(10 * HOUR));
    play.run_until(1_000);
    assert_eq!(play.dropped()[0].cause, photos(0).cause());
    let ask = play.row("post").ask();
    assert_eq!((&ask.rule, ask.weight), (&follow(), percent(40)));
    assert_eq!(ask.due_at, after(20_000));
}

#[test]
fn a_trail_vote_that_is_due_soon_is_given_to_the_right_rule_at_once() {
    let mut play = two_trails();
    play.plan(both_trails(10_000));
    play.run_until(1_000);
    assert_eq!(play.row("post").ask().rule, follow());
    play.run_until(60_000);
    assert_eq!(play.sent_at(), [20_000]);
    assert_eq!(play.sent[0].weight, percent(40));
}

#[test]
fn a_trail_vote_that_is_due_soon_and_has_no_rule_is_skipped_at_once() {
    let mut play = Play::new();
    play.daemon.rules = Arc::new(rules(
        "voters = ['alice']
         [[trail]]
         name = 'photos'
         leaders = ['curie']
         weight = '10%'
         delay = '10s'
         tags = { any = ['macro'] }",
    ));
    play.plan(vote_of("alice", "post", photos(10_000)));
    play.run_until(1_000);
    assert_eq!(play.dropped()[0].status, Status::Skipped);
    assert_eq!(play.row("post").status, Status::Skipped);
    play.run_until(60_000);
    assert!(play.sent.is_empty());
    assert_eq!(play.ends().len(), 1);
}

#[test]
fn a_trail_vote_whose_post_does_not_suit_it_goes_to_what_else_asks_for_it() {
    let mut play = two_trails();
    let rival = Ask {
        rule: RuleId::new("friends.toml", "rival"),
        weight: percent(5),
        due_at: after(12_000),
        block: 101,
        at: after(3_000),
        leader: Some((account("ocd"), percent(100))),
        ..trail_ask(0)
    };
    // The rule `rival` is gone: it stands behind every other.
    let asks = Asks {
        first: photos(10_000),
        others: vec![rival, trail_ask(20_000)],
    };
    play.plan(Vote {
        claimed_by: Some(US.to_owned()),
        ..Vote::queued(key("alice", "post"), asks, start())
    });
    play.run_until(15_000);
    assert!(play.sent.is_empty());
    play.run_until(60_000);
    assert_eq!(play.sent_at(), [20_000]);
    assert_eq!(play.sent[0].weight, percent(40));
}

#[test]
fn a_rule_that_is_gone_when_due_leaves_the_vote_to_what_else_asks_for_it() {
    let mut play = two_trails();
    let mut photo = content("post");
    photo.parent_permlink = "macro".to_owned();
    play.publish(photo);
    play.plan(both_trails(15_000));
    play.run_until(5_000);
    play.daemon.rules = Arc::new(rules(RULES));
    play.run_until(60_000);
    assert_eq!(play.sent_at(), [20_000]);
    assert_eq!(play.sent[0].weight, percent(40));
}

#[test]
fn a_trail_that_has_the_post_and_declines_when_due_asks_no_other() {
    let mut play = two_trails();
    let mut photo = content("post");
    photo.parent_permlink = "macro".to_owned();
    play.publish(photo);
    play.plan(both_trails(15_000));
    play.run_until(5_000);
    // Edited meanwhile.
    play.publish(content("post"));
    play.run_until(60_000);
    assert!(play.sent.is_empty());
    let ends = play.ends();
    assert!(matches!(ends[..], [Outcome::Skipped(_)]), "{ends:?}");
}

#[test]
fn the_rules_of_another_event_choose_again() {
    let mut play = two_trails();
    play.plan(both_trails(10_000));
    play.run_until(1_000);
    play.run_until(3_000);
    // Another vote of the leader, in a later block.
    let later = |ask: Ask, due| Ask {
        block: 101,
        at: after(3_000),
        due_at: after(due),
        ..ask
    };
    let asks = Asks {
        first: later(photos(0), 13_000),
        others: vec![later(trail_ask(0), 23_000)],
    };
    play.plan(Vote {
        claimed_by: Some(US.to_owned()),
        ..Vote::queued(key("alice", "post"), asks, start())
    });
    play.run_until(60_000);
    assert_eq!(play.sent_at(), [23_000]);
    assert_eq!(play.sent[0].weight, percent(40));
}

#[test]
fn a_first_look_that_tells_nothing_is_tried_again() {
    let mut play = two_trails();
    // The node is a block behind, then it is away.
    let post = play.posts.remove(&key("alice", "post").post).unwrap();
    let asks = Asks {
        first: photos(10 * HOUR),
        others: vec![trail_ask(10 * HOUR)],
    };
    play.plan_for_later(Vote::queued(key("alice", "post"), asks, start()));
    play.run_until(2_000);
    play.publish(post);
    play.nodes_away = Some("no node answers".to_owned());
    play.run_until(5_000);
    assert!(play.ends().is_empty());
    play.nodes_away = None;
    play.run_until(10_000);
    assert_eq!(play.dropped().len(), 1);
    let looks = play.looks.len();
    play.run_until(60_000);
    assert_eq!(play.looks.len(), looks);
}

#[test]
fn a_post_that_is_not_there_is_not_asked_for_until_its_vote_is_due() {
    let mut play = two_trails();
    play.posts.clear();
    play.plan_for_later(both_trails(10 * HOUR));
    play.run_until(HOUR);
    assert!(play.looks.len() <= 21, "{}", play.looks.len());
}
