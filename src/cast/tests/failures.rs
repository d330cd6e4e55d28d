//! What is done about an answer that is not "accepted", and about nodes that do not answer.

use super::*;
use crate::queue::transition::VOTED_BY_HAND;

const DUE: i64 = 300_000;

/// A play in which `@alice`'s vote on the post is due, with these answers of the signer in turn.
fn play(answers: impl IntoIterator<Item = Answer>) -> Play {
    let mut play = Play::new();
    play.answers = answers.into_iter().collect();
    play.hold(vote("alice", "post", DUE));
    play
}

fn pauses(play: &Play) -> Vec<i64> {
    let at = play.sent_at();
    at.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

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
    assert_eq!(play.end(), &Outcome::Skipped(VOTED_BY_HAND.to_owned()));
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
    assert!(play.caster.is_empty());
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
    assert_eq!(play.end(), &Outcome::Skipped(VOTED_BY_HAND.to_owned()));
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
    let now = play.now;
    play.caster.hold(vote("alice", "post", DUE), true, now);
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
    let now = play.now;
    play.caster.hold(vote("alice", "post", DUE), true, now);
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
    let now = play.now;
    play.caster.hold(row, true, now);
    play.run_until(DUE + 30_000);
    assert_eq!(play.looked_at().last(), Some(&(DUE + 10_000)));
    assert_eq!(play.sent_at(), [DUE + 10_000]);
}

#[test]
fn a_transaction_that_is_known_already_is_cast() {
    let mut play = play([Answer::Done(Done::Duplicate)]);
    play.run_until(DUE);
    assert!(matches!(play.end(), Outcome::Cast { trx_id: None, .. }));
}

#[test]
fn a_passing_failure_is_tried_again_after_a_second_doubling_to_a_minute() {
    let mut play = play([]);
    play.otherwise = Some(passing());
    play.run_until(DUE + 400_000);
    assert_eq!(
        pauses(&play)[..9],
        [
            1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000
        ]
    );
}

#[test]
fn pauses_are_spread_by_a_fifth() {
    for (chance, first, seventh) in [(0.0, 800, 48_000), (1.0, 1_200, 72_000)] {
        let mut play = play([]);
        play.chance = chance;
        play.otherwise = Some(passing());
        play.run_until(DUE + 400_000);
        let pauses = pauses(&play);
        assert_eq!((pauses[0], pauses[6]), (first, seventh));
    }
}

#[test]
fn the_signers_own_wish_for_a_pause_is_honoured() {
    let mut play = play([passing_after(7), passing_after(200)]);
    play.run_until(DUE + 400_000);
    assert_eq!(pauses(&play), [7_000, 200_000]);
    assert!(matches!(play.end(), Outcome::Cast { .. }));
}

#[test]
fn a_wish_for_a_pause_beyond_the_time_for_retries_ends_the_vote_at_once() {
    let mut play = play([passing_after(900)]);
    play.run_until(DUE);
    let why = play.failure().to_owned();
    for part in [
        "fewer requests (429)",
        "900 s",
        "`casting.retry_for` (600 s)",
    ] {
        assert!(why.contains(part), "{why}");
    }
    play.run_until(DUE + 2_000_000);
    assert_eq!(play.sent_at(), [DUE]);
}

#[test]
fn a_wish_that_ends_with_the_time_for_retries_leaves_one_attempt() {
    let mut play = play([passing_after(600)]);
    play.run_until(DUE + 2_000_000);
    assert_eq!(play.sent_at(), [DUE, DUE + 600_000]);
    assert!(matches!(play.end(), Outcome::Cast { .. }));
}

#[test]
fn the_time_for_retries_left_counts_against_the_signers_wish() {
    let mut play = play([passing_after(400), passing_after(201)]);
    play.run_until(DUE + 2_000_000);
    assert_eq!(play.sent_at(), [DUE, DUE + 400_000]);
    assert!(play.failure().contains("201 s"), "{}", play.failure());
}

#[test]
fn with_an_unclear_answer_before_it_a_wish_that_is_too_long_ends_with_a_look_at_the_chain() {
    for landed in [true, false] {
        let mut play = play([unknown(), passing_after(900)]);
        play.run_until(DUE + 20_000);
        assert!(play.ends().is_empty());
        if landed {
            play.stands(&key("alice", "post"), percent(50));
        }
        play.run_until(DUE + 2_000_000);
        assert_eq!(play.sent_at(), [DUE, DUE + 10_000]);
        match landed {
            true => assert_eq!(play.end(), &Outcome::Confirmed),
            false => assert!(play.failure().contains("900 s"), "{}", play.failure()),
        }
        assert_eq!(play.looked_at().last(), Some(&(DUE + 601_000)));
    }
}

#[test]
fn a_wish_shorter_than_the_pause_does_not_shorten_it() {
    let mut play = play([passing(), passing_after(1), passing_after(0)]);
    play.run_until(DUE + 400_000);
    assert_eq!(pauses(&play), [1_000, 2_000, 4_000]);
}

#[test]
fn a_passing_failure_is_final_once_the_time_for_retries_is_over() {
    let mut play = play([]);
    play.otherwise = Some(passing());
    play.run_until(DUE + 599_999);
    assert!(play.ends().is_empty());
    play.run_until(DUE + 700_000);
    assert!(play.failure().contains("fewer requests (429)"));
    // One attempt at the very end.
    assert_eq!(play.sent_at().last(), Some(&(DUE + 600_000)));
}

#[test]
fn long_pauses_do_not_make_the_time_for_retries_begin_anew() {
    let mut play = play([]);
    play.otherwise = Some(passing_after(120));
    play.run_until(DUE + 2_000_000);
    assert!(play.failure().contains("600 s"));
    assert_eq!(play.sent_at().last(), Some(&(DUE + 600_000)));
}

#[test]
fn the_time_for_retries_begins_with_the_first_attempt_where_that_is_later() {
    let mut play = Play::new();
    play.otherwise = Some(passing());
    play.run_until(5_000_000);
    play.hold(vote("alice", "post", DUE));
    play.run_until(5_599_000);
    assert!(play.ends().is_empty());
    play.run_until(5_700_000);
    assert!(play.failure().contains("600 s"));
}

#[test]
fn a_failure_that_passes_in_time_is_no_failure() {
    let mut play = play([passing(), passing(), passing()]);
    play.run_until(DUE + 60_000);
    assert!(matches!(play.end(), Outcome::Cast { .. }));
    assert_eq!(play.reports.last().unwrap().attempts, 4);
}

#[test]
fn a_waiting_vote_is_written_down_with_its_next_attempt_and_the_cause() {
    let mut play = play([passing()]);
    play.run_until(DUE);
    let [report] = &play.reports[..] else {
        panic!("{:?}", play.reports)
    };
    let Outcome::Later {
        next_attempt_at,
        due_at,
        reason,
        hold,
    } = &report.outcome
    else {
        panic!("{report:?}")
    };
    assert_eq!(*next_attempt_at, after(DUE + 1_000));
    assert_eq!(*due_at, None, "the moment it is due did not move");
    assert!(reason.as_ref().unwrap().contains("429"));
    assert!(*hold);
    assert_eq!(report.attempts, 1);
}

#[test]
fn final_answers_end_the_vote_at_once_with_the_signers_words() {
    for answer in [
        Answer::Final("Voter has declined their voting rights.".to_owned()),
        Answer::NoMana("Account does not have enough mana to vote.".to_owned()),
    ] {
        let (Answer::Final(text) | Answer::NoMana(text)) = answer.clone() else {
            unreachable!()
        };
        let mut play = play([answer]);
        play.run_until(DUE + 60_000);
        assert_eq!((play.failure(), play.sent.len()), (&*text, 1));
    }
}

#[test]
fn an_unknown_post_is_waited_for_during_its_first_minute() {
    let mut play = Play::new();
    let unknown_post = Answer::UnknownPost("Comment bob/post doesn't exist".to_owned());
    play.answers = vec![unknown_post.clone(); 3].into();
    play.hold(vote("alice", "post", 20_000));
    play.run_until(58_000);
    assert_eq!(play.sent_at(), [20_000, 21_000, 22_000, 23_000]);
    assert!(matches!(play.end(), Outcome::Cast { .. }));

    let mut play = Play::new();
    play.otherwise = Some(unknown_post);
    play.hold(vote("alice", "post", 20_000));
    play.run_until(59_000);
    assert!(play.ends().is_empty());
    play.run_until(70_000);
    assert!(play.failure().contains("doesn't exist"));
}

#[test]
fn an_unknown_post_is_final_after_its_first_minute() {
    let mut play = play([Answer::UnknownPost(
        "Comment bob/post doesn't exist".to_owned(),
    )]);
    play.run_until(DUE);
    assert!(play.failure().contains("doesn't exist"));
}

#[test]
fn a_post_that_no_node_knows_is_waited_for_during_its_first_minute_and_then_not() {
    let mut play = Play::new();
    play.hold(vote("alice", "late", 5_000));
    play.run_until(30_000);
    assert_eq!(play.sent, []);
    play.publish(content("late"));
    play.run_until(32_000);
    assert_eq!(play.sent.len(), 1);

    let mut play = Play::new();
    play.hold(vote("alice", "never", 5_000));
    play.run_until(62_000);
    assert_eq!(play.failure(), "the post @bob/never does not exist");
}

#[test]
fn while_no_node_answers_votes_wait_as_for_a_passing_failure() {
    let mut play = play([]);
    play.nodes_away = Some("no node answers".to_owned());
    play.run_until(DUE + 20_000);
    play.looks.retain(|(at, _)| *at >= DUE);
    assert_eq!(
        play.looked_at(),
        [DUE, DUE + 1_000, DUE + 3_000, DUE + 7_000, DUE + 15_000]
    );
    assert_eq!(play.sent, []);
    play.nodes_away = None;
    play.run_until(DUE + 31_000);
    assert_eq!(play.sent_at(), [DUE + 31_000]);
}

#[test]
fn nodes_that_stay_away_end_the_vote_with_the_time_for_retries() {
    let mut play = play([]);
    play.nodes_away = Some("no node answers".to_owned());
    play.run_until(DUE + 700_000);
    assert!(play.failure().contains("no node answers"));
    assert_eq!(play.reports.last().unwrap().attempts, 0);
}

#[test]
fn a_look_ahead_that_fails_costs_nothing_when_the_node_is_back_in_time() {
    let mut play = play([]);
    play.nodes_away = Some("no node answers".to_owned());
    play.run_until(DUE - 500);
    assert_eq!(play.looked_at(), [DUE - 1_000]);
    play.nodes_away = None;
    play.run_until(DUE);
    assert_eq!(play.sent_at(), [DUE]);
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
    play.caster.confirm(vec![unconfirmed(0)]);
    play.run_until(1_000);
    assert_eq!(play.end(), &Outcome::Confirmed);
}

#[test]
fn a_vote_in_no_block_and_not_on_the_post_is_cast_again_three_times_at_most() {
    for recasts in 0..=2 {
        let mut play = Play::new();
        play.caster.confirm(vec![unconfirmed(recasts)]);
        play.run_until(1_000);
        assert!(matches!(play.end(), Outcome::Recast { .. }), "{recasts}");
    }
    let mut play = Play::new();
    play.caster.confirm(vec![unconfirmed(3)]);
    play.run_until(1_000);
    assert!(play.failure().contains("4 times"), "{}", play.failure());
}

#[test]
fn a_vote_in_no_block_is_asked_about_later_when_no_node_answers() {
    let mut play = Play::new();
    play.nodes_away = Some("no node answers".to_owned());
    play.caster.confirm(vec![unconfirmed(0)]);
    play.run_until(1_000);
    assert!(play.reports.is_empty());
    play.nodes_away = None;
    play.caster.confirm(vec![unconfirmed(0)]);
    play.run_until(2_000);
    assert_eq!(play.ends().len(), 1);
}
