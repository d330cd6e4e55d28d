//! Limits, mana, windows and filters at the moment a vote is due.

use super::*;
use crate::queue::change::Plan;

const HOUR: i64 = 3_600_000;

/// The rule `favourites` with more keys.
fn with(keys: &str) -> Play {
    let mut play = Play::new();
    play.rules = rules(&format!(
        "voters = ['alice', 'amy', 'ann']\n[[author]]\nname = 'favourites'\nauthors = ['bob', 'carol']\n\
         weight = '50%'\ndelay = '5m'\n{keys}\n"
    ));
    play
}

fn favourites() -> RuleId {
    RuleId::new("friends.toml", "favourites")
}

/// `voter` voted by the rule on `permlink` of @bob at that time.
fn voted(play: &mut Play, voter: &str, permlink: &str, at: i64) {
    let past = PastVote {
        post: key(voter, permlink).post,
        at: after(at),
    };
    let past_votes = play.past.get_or_insert_default();
    past_votes
        .entry((account(voter), favourites()))
        .or_default()
        .push(past);
}

/// `voter` has this part of its mana, in hundredths of a percent, at zero.
fn has_mana(play: &mut Play, voter: &str, hundredths: i64) {
    let bar = |mana| Manabar {
        mana,
        updated: start(),
    };
    let state = AccountState {
        account: account(voter),
        max: 10_000_000,
        voting: bar(hundredths * 1_000),
        downvote: bar(0),
    };
    play.mana.insert(account(voter), state);
}

/// Why the last vote that was skipped was.
fn skipped(play: &Play) -> &str {
    let why = play.ends().into_iter().rev().find_map(|end| match end {
        Outcome::Skipped(why) => Some(why),
        _ => None,
    });
    why.expect("none is skipped")
}

#[test]
fn a_limit_counts_the_votes_of_the_table() {
    let mut play = with("limit = { per_day = 2 }");
    voted(&mut play, "alice", "one", -1_000);
    voted(&mut play, "alice", "two", -2_000);
    play.hold(vote("alice", "post", 300_000));
    play.run_until(400_000);
    assert_eq!(skipped(&play), "limit.per_day: 2 votes were cast already");
    assert_eq!(play.sent, []);
}

#[test]
fn votes_older_than_the_limit_looks_back_do_not_count() {
    let mut play = with("limit = { per_day = 1 }");
    voted(&mut play, "alice", "one", 300_000 - 24 * HOUR);
    play.hold(vote("alice", "post", 300_000));
    play.run_until(400_000);
    assert_eq!(play.sent_at(), [300_000]);
}

#[test]
fn a_limit_counts_votes_that_are_on_their_way() {
    let mut play = with("limit = { per_day = 1 }");
    play.publish(content("other"));
    play.otherwise = None;
    play.hold(vote("alice", "post", 300_000));
    play.hold(vote("alice", "other", 300_001));
    play.run_until(300_100);
    assert_eq!(play.sent_at(), [300_000]);
    assert_eq!(skipped(&play), "limit.per_day: 1 vote was cast already");
}

#[test]
fn a_vote_that_was_refused_does_not_count() {
    let mut play = with("limit = { per_day = 1 }");
    play.publish(content("other"));
    play.answers.push_back(Answer::Final("no".to_owned()));
    play.hold(vote("alice", "post", 300_000));
    play.hold(vote("alice", "other", 310_000));
    play.run_until(400_000);
    assert_eq!(play.sent_at(), [300_000, 310_000]);
}

#[test]
fn one_question_to_the_table_serves_all_votes_due_together() {
    let mut play = with("limit = { per_day = 5 }");
    for voter in ["alice", "amy", "ann"] {
        play.hold(vote(voter, "post", 300_000));
    }
    play.run_until(400_000);
    assert_eq!(play.counts.len(), 1);
    assert_eq!(play.counts[0].1.len(), 3);
    assert_eq!(play.sent_at(), [300_000; 3]);
}

#[test]
fn with_the_table_away_limits_count_what_is_known() {
    let mut play = with("limit = { per_day = 1 }");
    play.publish(content("other"));
    play.past = None;
    play.hold(vote("alice", "post", 300_000));
    play.hold(vote("alice", "other", 301_000));
    play.run_until(400_000);
    assert_eq!(play.sent_at(), [300_000]);
}

#[test]
fn a_voter_below_its_mana_does_not_vote() {
    let mut play = with("min_mana = '85%'");
    has_mana(&mut play, "alice", 8_490);
    has_mana(&mut play, "amy", 8_500);
    play.hold(vote("alice", "post", 0));
    play.hold(vote("amy", "post", 0));
    play.run_until(1_000);
    assert_eq!(play.sent.len(), 1);
    assert_eq!(play.sent[0].key.voter, account("amy"));
    assert_eq!(play.weighs.len(), 1);
}

#[test]
fn mana_is_carried_forward_over_our_own_votes() {
    let mut play = with("min_mana = '85%'");
    play.publish(content("other"));
    // A vote of 50 % costs 1 %.
    has_mana(&mut play, "alice", 8_550);
    play.hold(vote("alice", "post", 0));
    play.hold(vote("alice", "other", 1_000));
    play.run_until(2_000);
    assert_eq!(play.sent_at(), [0]);
    assert_eq!(
        skipped(&play),
        "min_mana: the voter has 84.50%, less than 85%"
    );
    assert_eq!(play.weighs.len(), 1);
}

#[test]
fn a_vote_waits_for_mana_where_the_rule_says_so() {
    let mut play = with("min_mana = '85%'\nbelow_min_mana = 'wait'\nmax_age = '1d'");
    // 20 % a day: 0.1 % takes 432 s.
    has_mana(&mut play, "alice", 8_490);
    play.hold(vote("alice", "post", 0));
    play.run_until(431_000);
    assert_eq!(play.sent, []);
    // Beyond five minutes it is given back, to be claimed again; here it is still held.
    while play.sent.is_empty() && play.now < after(2 * HOUR) {
        let next = play
            .reports
            .iter()
            .rev()
            .find_map(|report| match &report.outcome {
                Outcome::Later {
                    next_attempt_at,
                    hold: false,
                    ..
                } => Some(*next_attempt_at),
                _ => None,
            });
        if play.caster.is_empty() {
            let mut again = vote("alice", "post", 0);
            again.next_attempt_at = next.unwrap();
            play.hold(again);
        }
        let until = millis(play.now) + 10_000;
        play.run_until(until);
    }
    assert!(
        (432_000..445_000).contains(&play.sent_at()[0]),
        "{:?}",
        play.sent_at()
    );
}

#[test]
fn a_vote_outside_the_window_moves_to_its_opening() {
    // Zero is noon.
    let mut play = with("window = { from = '18:00', to = '20:00' }");
    play.hold(vote("alice", "post", 300_000));
    play.run_until(400_000);
    let Outcome::Later {
        due_at,
        hold: false,
        ..
    } = &play.reports[0].outcome
    else {
        panic!("{:?}", play.reports)
    };
    assert_eq!(*due_at, Some(after(6 * HOUR)));
}

#[test]
fn a_window_that_opens_too_late_skips_at_once() {
    let mut play = with("window = { from = '18:00', to = '20:00' }\nmax_age = '2h'");
    play.hold(vote("alice", "post", 300_000));
    play.run_until(400_000);
    assert_eq!(
        skipped(&play),
        "window: it opens 2026-03-01 18:00:00, too late for max_age"
    );
}

#[test]
fn what_changed_about_the_post_counts() {
    let mut play = with("max_votes = 1\npayout = { max = 5 }");
    play.publish(Content {
        pending_payout: 5_001,
        ..content("rich")
    });
    let mut popular = content("popular");
    for voter in ["dave", "erin"] {
        popular.votes.set(account(voter), percent(1));
    }
    popular.votes.set(account("mallory"), percent(-1));
    play.publish(popular);
    play.hold(vote("alice", "rich", 5_000));
    play.run_until(6_000);
    assert_eq!(
        skipped(&play),
        "payout.max: its pending payout is 5.001, more than 5.000"
    );
    play.reports.clear();
    play.hold(vote("alice", "popular", 7_000));
    play.run_until(8_000);
    assert_eq!(skipped(&play), "max_votes: it has 2 upvotes, more than 1");
}

#[test]
fn a_post_edited_into_what_the_rule_does_not_want_is_skipped() {
    let mut play = with("tags = { none = ['nsfw'] }");
    let mut edited = content("post");
    edited.json_metadata = r#"{"tags": ["NSFW"]}"#.to_owned();
    play.publish(edited);
    play.hold(vote("alice", "post", 300_000));
    play.run_until(400_000);
    assert_eq!(skipped(&play), "tags.none: it has nsfw");
}

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
fn an_attempt_that_came_to_nothing_does_not_count_against_the_next() {
    let mut play = with("limit = { per_day = 1 }");
    play.answers.extend([unknown()]);
    play.hold(vote("alice", "post", 5_000));
    play.run_until(60_000);
    assert_eq!(play.sent_at(), [5_000, 15_000]);
    assert!(matches!(play.end(), Outcome::Cast { .. }));
}

#[test]
fn a_vote_that_failed_after_an_unclear_answer_leaves_its_place_to_others() {
    let mut play = with("limit = { per_day = 1 }");
    let refused = Answer::Final("no authority".to_owned());
    play.answers.extend([unknown(), refused]);
    play.hold(vote("alice", "post", 5_000));
    play.run_until(20_000);
    assert!(matches!(play.end(), Outcome::Failed(_)));
    play.publish(content("other"));
    play.hold(vote("alice", "other", 21_000));
    play.run_until(30_000);
    assert_eq!(play.sent.len(), 3);
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
