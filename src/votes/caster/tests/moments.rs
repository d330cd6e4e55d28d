//! When a vote goes out, and when its post is looked at before.

use super::*;

const DUE: i64 = 300_000;

#[test]
fn a_vote_goes_out_when_due_with_its_rules_weight_and_its_voters_token() {
    let mut play = Play::new();
    play.hold(vote("alice", "post", DUE));
    play.run_until(DUE - 1);
    assert_eq!(play.sent, []);
    play.run_until(DUE);
    let sent = Sent {
        at: DUE,
        key: key("alice", "post"),
        weight: percent(50),
        token: "token-of-alice".to_owned(),
    };
    assert_eq!(play.sent, [sent]);
    let [report] = &play.reports[..] else {
        panic!("{:?}", play.reports)
    };
    assert_eq!((report.attempts, report.weight), (1, percent(50)));
    let cast = Outcome::Cast {
        trx_id: Some("5ea1".to_owned()),
        cast_at: after(DUE),
        check_at: after(DUE + 120_000),
    };
    assert_eq!(report.outcome, cast);
    assert!(play.daemon.caster.held.is_empty());
}

#[test]
fn the_post_is_looked_at_ahead_so_that_the_request_leaves_on_time() {
    let mut play = Play::new();
    play.look_takes = TimeDelta::milliseconds(900);
    play.hold(vote("alice", "post", DUE));
    play.run_until(DUE);
    assert_eq!(play.looked_at(), [DUE - 1_000]);
    assert_eq!(play.sent_at(), [DUE]);
}

#[test]
fn a_node_that_takes_its_time_is_waited_for() {
    let mut play = Play::new();
    play.look_takes = TimeDelta::milliseconds(2_500);
    play.hold(vote("alice", "post", DUE));
    play.run_until(DUE + 10_000);
    assert_eq!(play.looked_at(), [DUE - 1_000]);
    assert_eq!(play.sent_at(), [DUE + 1_500]);
}

#[test]
fn votes_due_together_share_one_look_up() {
    let mut play = Play::new();
    play.publish(content("other"));
    for voter in ["alice", "amy", "ann"] {
        play.hold(vote(voter, "post", DUE));
        play.hold(vote(voter, "other", DUE + 240));
    }
    play.run_until(DUE + 1_000);
    assert_eq!(play.looks.len(), 1, "{:?}", play.looks);
    assert_eq!(play.looks[0].1.len(), 2);
    assert_eq!(play.sent.len(), 6);
}

#[test]
fn a_post_of_less_than_ten_seconds_is_looked_at_once() {
    let mut play = Play::new();
    let early = vote("alice", "post", 9_000);
    play.run_until(1_500);
    play.plan_for_later(early.clone());
    play.hold(early);
    play.run_until(9_000);
    assert_eq!(play.looked_at(), [1_500]);
    assert_eq!(play.sent_at(), [9_000]);
}

#[test]
fn a_post_of_more_than_ten_seconds_is_looked_at_again_when_due() {
    let mut play = Play::new();
    let later = vote("alice", "post", 20_000);
    play.run_until(1_500);
    play.plan_for_later(later.clone());
    play.hold(later);
    play.run_until(20_000);
    assert_eq!(play.looked_at(), [1_500, 19_000]);
    assert_eq!(play.sent_at(), [20_000]);
}

#[test]
fn a_vote_that_is_due_already_goes_out_as_soon_as_its_post_was_seen() {
    let mut play = Play::new();
    play.look_takes = TimeDelta::milliseconds(80);
    play.run_until(400_000);
    play.hold(vote("alice", "post", DUE));
    play.run_until(410_000);
    assert_eq!(play.sent_at(), [400_080]);
}

#[test]
fn a_vote_that_a_person_cast_is_left_alone() {
    for weight in [50, 10, -100, 0] {
        let mut play = Play::new();
        play.stands(&key("alice", "post"), percent(weight));
        play.hold(vote("alice", "post", DUE));
        play.run_until(DUE);
        assert_eq!(play.sent, [], "{weight}");
        assert_eq!(play.end(), &Outcome::Skipped(Reason::VotedByHand));
    }
}

#[test]
fn the_age_that_counts_is_that_of_the_moment_when_the_vote_would_go_out() {
    let text = RULES.replace("delay = '5m'", "delay = '5m'\nmax_age = '10m'");
    let mut play = Play::new();
    play.daemon.rules = Arc::new(rules(&text));
    play.nodes_away = Some("no node answers".to_owned());
    play.hold(vote("alice", "post", DUE));
    play.run_until(540_000);
    play.nodes_away = None;
    play.run_until(700_000);
    assert_eq!(play.sent.len(), 1, "ten minutes were not over");

    let mut play = Play::new();
    play.daemon.rules = Arc::new(rules(&text));
    play.nodes_away = Some("no node answers".to_owned());
    play.hold(vote("alice", "post", DUE));
    play.run_until(601_000);
    play.nodes_away = None;
    play.run_until(700_000);
    assert_eq!(play.sent, []);
    let Outcome::Skipped(why) = play.end() else {
        panic!("{:?}", play.end())
    };
    assert_eq!(why.condition(), Some("max_age"), "{why}");
}

#[test]
fn a_dry_run_does_everything_but_send() {
    let mut play = Play::with(Settings {
        dry_run: true,
        ..settings()
    });
    play.hold(vote("alice", "post", DUE));
    play.stands(&key("amy", "post"), percent(50));
    play.hold(vote("amy", "post", DUE));
    play.run_until(DUE);
    assert_eq!(play.sent, []);
    let mut ends = play.ends();
    ends.sort_by_key(|end| matches!(end, Outcome::Skipped(_)));
    let by_hand = Outcome::Skipped(Reason::VotedByHand);
    assert_eq!(ends, [&Outcome::DryRun, &by_hand]);
}

#[test]
fn nothing_goes_out_after_the_stop_and_what_is_unanswered_is_looked_for_later() {
    let mut play = Play::new();
    play.otherwise = None;
    play.publish(content("other"));
    play.hold(vote("alice", "post", DUE));
    play.hold(vote("alice", "other", DUE + 1_000));
    play.run_until(DUE + 500);
    play.daemon.caster.stop();
    play.run_until(DUE + 5_000);
    assert_eq!(play.sent.len(), 1);
    assert_eq!(play.daemon.caster.in_flight(), 1);
    let unanswered = play.act(Caster::abandon);
    let [report] = &unanswered[..] else {
        panic!("{unanswered:?}")
    };
    assert_eq!((&report.key, report.attempts), (&key("alice", "post"), 1));
    let Outcome::Later {
        next_attempt_at,
        hold,
        ..
    } = report.outcome
    else {
        panic!("{report:?}")
    };
    // The vote may land seconds after nobody waits for the answer any more.
    assert!(next_attempt_at >= after(DUE + 15_000), "{next_attempt_at}");
    assert!(!hold);
}

#[test]
fn the_answer_that_comes_after_the_stop_is_reported() {
    let mut play = Play::new();
    play.otherwise = None;
    play.hold(vote("alice", "post", DUE));
    play.run_until(DUE);
    play.daemon.caster.stop();
    play.answer(&key("alice", "post"), accepted());
    assert!(matches!(play.end(), Outcome::Cast { .. }));
    assert_eq!(play.daemon.caster.in_flight(), 0);
}

#[test]
fn a_vote_claimed_twice_is_cast_once() {
    let mut play = Play::new();
    play.answer_takes = TimeDelta::seconds(2);
    play.hold(vote("alice", "post", DUE));
    play.hold(vote("alice", "post", DUE));
    play.run_until(DUE + 1_000);
    play.hold(vote("alice", "post", DUE));
    play.run_until(DUE + 60_000);
    assert_eq!(play.sent.len(), 1);
}
