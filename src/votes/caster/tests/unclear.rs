//! Requests of which nobody knows whether they reached the chain.

use super::*;
use crate::votes::caster::tests::failures::{DUE, play};

#[test]
fn after_an_unclear_answer_the_chain_is_looked_at_after_ten_seconds_and_only_then() {
    let mut play = play([unknown()]);
    play.run_until(DUE);
    play.looks.clear();
    play.run_until(DUE + 9_999);
    assert_eq!((play.looked_at(), play.sent.len()), (vec![], 1));
    play.run_until(DUE + 60_000);
    assert_eq!(play.looked_at(), [DUE + 10_000]);
    assert_eq!(play.sent_at(), [DUE, DUE + 10_000]);
    assert!(matches!(play.end(), Outcome::Cast { .. }));
}

#[test]
fn a_vote_that_landed_after_an_unclear_answer_is_confirmed_and_not_sent_again() {
    let mut play = play([unknown()]);
    play.run_until(DUE + 5_000);
    play.stands(&key("alice", "post"), percent(50));
    play.run_until(DUE + 60_000);
    assert_eq!(play.sent.len(), 1);
    assert_eq!(play.end(), &Outcome::Confirmed);
}

#[test]
fn every_unclear_answer_is_followed_by_a_look_before_the_next_attempt() {
    let mut play = play([unknown(), unknown(), unknown()]);
    play.run_until(DUE + 100_000);
    assert_eq!(
        play.sent_at(),
        [DUE, DUE + 10_000, DUE + 20_000, DUE + 30_000]
    );
    assert_eq!(
        play.looked_at(),
        [DUE - 1_000, DUE + 10_000, DUE + 20_000, DUE + 30_000]
    );
}

#[test]
fn what_somebody_else_looks_up_in_between_does_not_stand_for_the_look_after_an_unclear_answer() {
    let mut play = play([unknown()]);
    play.hold(vote("amy", "post", DUE + 9_000));
    play.run_until(DUE + 9_500);
    assert!(play.looked_at().contains(&(DUE + 8_000)));
    play.looks.clear();
    play.run_until(DUE + 60_000);
    assert_eq!(play.looked_at(), [DUE + 10_000]);
}

#[test]
fn another_weight_on_the_post_after_an_unclear_answer_is_a_persons() {
    let mut play = play([unknown()]);
    play.run_until(DUE + 5_000);
    play.stands(&key("alice", "post"), percent(10));
    play.run_until(DUE + 60_000);
    assert_eq!(play.end(), &Outcome::Skipped(Reason::VotedByHand));
}

#[test]
fn unclear_answers_end_with_the_time_for_retries() {
    let mut play = play([]);
    play.otherwise = Some(unknown());
    play.run_until(DUE + 599_000);
    assert!(play.ends().is_empty());
    play.run_until(DUE + 700_000);
    assert!(play.failure().contains("600 s"), "{}", play.failure());
    assert!(play.failure().contains("did not answer within 10 s"));
    assert!(play.daemon.caster.held.is_empty());
    // The last look came after the last request.
    assert!(play.looked_at().last() >= play.sent_at().last());
}

#[test]
fn while_no_node_answers_an_unclear_vote_is_neither_sent_again_nor_given_up() {
    let mut play = play([unknown()]);
    play.run_until(DUE);
    play.nodes_away = Some("no node answers".to_owned());
    play.run_until(DUE + 1_000_000);
    assert_eq!(play.sent.len(), 1);
    assert!(play.ends().is_empty());
    play.nodes_away = None;
    play.stands(&key("alice", "post"), percent(50));
    play.run_until(DUE + 1_200_000);
    assert_eq!(play.end(), &Outcome::Confirmed);
}

#[test]
fn an_identical_vote_at_the_very_first_attempt_was_cast_by_hand() {
    let mut play = play([Answer::Done(Done::Identical)]);
    play.run_until(DUE);
    assert_eq!(play.end(), &Outcome::Skipped(Reason::VotedByHand));
}

#[test]
fn an_identical_vote_after_an_attempt_is_ours() {
    let mut play = play([unknown(), Answer::Done(Done::Identical)]);
    play.run_until(DUE + 20_000);
    assert_eq!(play.end(), &Outcome::Confirmed);
}

#[test]
fn an_identical_vote_is_ours_when_a_daemon_before_us_may_have_cast_it() {
    let mut play = Play::new();
    play.answers = [Answer::Done(Done::Identical)].into();
    let now = play.now();
    play.daemon
        .caster
        .hold(vote("alice", "post", DUE), true, now);
    play.run_until(DUE + 20_000);
    assert_eq!(play.end(), &Outcome::Confirmed);
}

#[test]
fn the_same_weight_on_the_post_after_any_attempt_is_ours() {
    let mut play = play([passing_after(7)]);
    play.run_until(DUE);
    play.stands(&key("alice", "post"), percent(50));
    play.run_until(DUE + 20_000);
    assert_eq!(play.end(), &Outcome::Confirmed);
}

#[test]
fn a_vote_that_a_daemon_before_us_cast_is_found_on_the_post() {
    let mut play = Play::new();
    play.stands(&key("alice", "post"), percent(50));
    let now = play.now();
    play.daemon
        .caster
        .hold(vote("alice", "post", DUE), true, now);
    play.run_until(DUE + 20_000);
    assert_eq!((play.sent.len(), play.end()), (0, &Outcome::Confirmed));
}

#[test]
fn a_restart_does_not_look_earlier_than_the_row_says() {
    let mut play = Play::new();
    let row = Vote {
        attempts: 1,
        next_attempt_at: after(DUE + 10_000),
        ..vote("alice", "post", DUE)
    };
    play.run_until(DUE + 1_000);
    let now = play.now();
    play.daemon.caster.hold(row, true, now);
    play.run_until(DUE + 30_000);
    assert_eq!(play.looked_at().last(), Some(&(DUE + 10_000)));
    assert_eq!(play.sent_at(), [DUE + 10_000]);
}

/// A row that was cast and not seen in a block in time.
fn unconfirmed(recasts: u32) -> Vote {
    Vote {
        status: Status::Cast,
        attempts: recasts + 1,
        recasts,
        cast_at: Some(after(DUE)),
        ..vote("alice", "post", DUE)
    }
}

#[test]
fn a_vote_in_no_block_but_on_the_post_is_confirmed() {
    let mut play = Play::new();
    play.stands(&key("alice", "post"), percent(50));
    play.daemon.caster.confirm(vec![unconfirmed(0)]);
    play.run_until(1_000);
    assert_eq!(play.end(), &Outcome::Confirmed);
}

#[test]
fn a_vote_in_no_block_and_not_on_the_post_is_cast_again_three_times_at_most() {
    for recasts in 0..=2 {
        let mut play = Play::new();
        play.daemon.caster.confirm(vec![unconfirmed(recasts)]);
        play.run_until(1_000);
        assert!(matches!(play.end(), Outcome::Recast { .. }), "{recasts}");
    }
    let mut play = Play::new();
    play.daemon.caster.confirm(vec![unconfirmed(3)]);
    play.run_until(1_000);
    assert!(play.failure().contains("4 times"), "{}", play.failure());
}

#[test]
fn a_vote_in_no_block_is_asked_about_later_when_no_node_answers() {
    let mut play = Play::new();
    play.nodes_away = Some("no node answers".to_owned());
    play.daemon.caster.confirm(vec![unconfirmed(0)]);
    play.run_until(1_000);
    assert!(play.reports.is_empty());
    play.nodes_away = None;
    play.daemon.caster.confirm(vec![unconfirmed(0)]);
    play.run_until(2_000);
    assert_eq!(play.ends().len(), 1);
}
