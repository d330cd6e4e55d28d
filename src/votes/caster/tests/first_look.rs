//! Whose a vote is: what the first look at its post decides.

use super::*;
use crate::votes::change::Plan;

const HOUR: i64 = 3_600_000;

/// Two trails after @curie, the first for photographs only.
fn two_trails() -> Play {
    let mut play = Play::new();
    play.rules = rules(
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
    );
    play
}

/// As the planner leaves it, which knows nothing of the post.
fn first_trail(due: i64) -> Vote {
    Vote {
        rule: RuleId::new("friends.toml", "photos"),
        weight: percent(10),
        ..trail_vote("alice", "post", due)
    }
}

#[test]
fn the_first_trail_whose_filters_match_has_the_post() {
    let mut play = two_trails();
    play.hold(first_trail(0));
    play.run_until(60_000);
    assert_eq!(play.sent_at(), [20_000]);
    assert_eq!(play.sent[0].weight, percent(40));
    assert_eq!(
        play.reports.last().unwrap().rule,
        Some(RuleId::new("friends.toml", "follow"))
    );
}

#[test]
fn a_trail_whose_filters_match_keeps_the_post() {
    let mut play = two_trails();
    let mut photo = content("post");
    photo.parent_permlink = "macro".to_owned();
    play.publish(photo);
    play.hold(first_trail(0));
    play.run_until(60_000);
    assert_eq!(play.sent_at(), [0]);
    assert_eq!(play.sent[0].weight, percent(10));
}

#[test]
fn a_trail_vote_that_is_not_due_for_long_is_given_to_the_right_rule_at_once() {
    let mut play = two_trails();
    play.plan_for_later(first_trail(10 * HOUR));
    play.run_until(1_000);
    let plan = play.misfit().instead.as_ref().unwrap();
    assert_eq!(plan.rule, RuleId::new("friends.toml", "follow"));
    assert_eq!(plan.weight, percent(40));
    assert_eq!(plan.due_at, after(20_000));
}

#[test]
fn a_trail_vote_that_is_due_soon_is_given_to_the_right_rule_at_once() {
    let mut play = two_trails();
    play.plan(first_trail(10_000));
    play.run_until(1_000);
    let report = play.reports.last().unwrap();
    assert_eq!(report.rule, Some(RuleId::new("friends.toml", "follow")));
    play.run_until(60_000);
    assert_eq!(play.sent_at(), [20_000]);
    assert_eq!(play.sent[0].weight, percent(40));
}

#[test]
fn a_trail_vote_that_is_due_soon_and_has_no_rule_is_skipped_at_once() {
    let mut play = Play::new();
    play.rules = rules(
        "voters = ['alice']
         [[trail]]
         name = 'photos'
         leaders = ['curie']
         weight = '10%'
         delay = '10s'
         tags = { any = ['macro'] }",
    );
    play.plan(first_trail(10_000));
    play.run_until(1_000);
    assert_eq!(play.misfit().status, Status::Skipped);
    assert_eq!(play.misfit().instead, None);
    play.run_until(60_000);
    assert!(play.sent.is_empty());
    assert_eq!(play.ends().len(), 1);
}

#[test]
fn a_trail_vote_that_its_rule_does_not_want_goes_to_what_else_asked_for_it() {
    let mut play = two_trails();
    let rival = Plan {
        key: key("alice", "post"),
        weight: percent(5),
        rule: RuleId::new("friends.toml", "rival"),
        origin: Origin::Trail,
        due_at: after(12_000),
        event_block: 101,
        event_at: after(3_000),
        leader: Some((account("ocd"), percent(100))),
        may_be_edit: false,
        had_vote: false,
    };
    let contended = Vote {
        rivals: vec![rival],
        ..first_trail(10_000)
    };
    play.plan(contended);
    play.run_until(1_000);
    // Which rule comes first is for the table to say; until then nothing goes out.
    assert!(play.misfit().instead.is_some());
    play.run_until(15_000);
    assert!(play.sent.is_empty());
    let told = Vote {
        rule: RuleId::new("friends.toml", "follow"),
        weight: percent(40),
        due_at: after(20_000),
        next_attempt_at: after(20_000),
        ..first_trail(20_000)
    };
    play.plan(told);
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
    play.plan(first_trail(15_000));
    play.run_until(5_000);
    // Edited meanwhile.
    play.publish(content("post"));
    play.run_until(60_000);
    assert!(play.sent.is_empty());
    let ends = play.ends();
    assert!(matches!(ends[..], [Outcome::Skipped(_)]), "{ends:?}");
}

#[test]
fn the_rules_of_another_event_choose_anew() {
    let mut play = two_trails();
    play.plan(first_trail(10_000));
    play.run_until(1_000);
    let anew = Vote {
        event_block: 101,
        event_at: after(3_000),
        ..first_trail(13_000)
    };
    play.run_until(3_000);
    play.plan(anew);
    play.run_until(60_000);
    assert_eq!(play.sent_at(), [23_000]);
    assert_eq!(play.sent[0].weight, percent(40));
}

#[test]
fn a_first_look_that_tells_nothing_is_tried_again() {
    let mut play = two_trails();
    // The node is a block behind, then it is away.
    let post = play.posts.remove(&key("alice", "post").post).unwrap();
    play.plan_for_later(first_trail(10 * HOUR));
    play.run_until(2_000);
    play.publish(post);
    play.nodes_away = Some("no node answers".to_owned());
    play.run_until(5_000);
    assert!(play.ends().is_empty());
    play.nodes_away = None;
    play.run_until(10_000);
    assert!(play.misfit().instead.is_some());
    let looks = play.looks.len();
    play.run_until(60_000);
    assert_eq!(play.looks.len(), looks);
}

#[test]
fn a_post_that_is_not_there_is_not_asked_for_until_its_vote_is_due() {
    let mut play = two_trails();
    play.posts.clear();
    play.plan_for_later(first_trail(10 * HOUR));
    play.run_until(HOUR);
    assert!(play.looks.len() <= 21, "{}", play.looks.len());
}
