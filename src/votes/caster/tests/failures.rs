//! What is done about an answer that is not "accepted", and about nodes that do not answer.

use super::*;

pub(super) const DUE: i64 = 300_000;

/// A play in which `@alice`'s vote on the post is due, with these answers of the signer in turn.
pub(super) fn play(answers: impl IntoIterator<Item = Answer>) -> Play {
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
    assert!(reason.as_ref().unwrap().to_string().contains("429"));
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
        assert_eq!((play.failure(), play.sent.len()), (text, 1));
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
