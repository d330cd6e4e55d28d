//! Causes that keep many votes back: a missing posting authority and mana that is used up.

use super::*;
use crate::votes::caster::tests::failures::DUE;

const MINUTE: i64 = 60_000;

fn no_authority(of_app: bool) -> Answer {
    Answer::NoAuthority {
        of_app,
        text: "The app @my.app doesn't have permission to broadcast for @alice".to_owned(),
    }
}

fn no_mana() -> Answer {
    Answer::NoMana("Account does not have enough mana to vote.".to_owned())
}

/// Votes of `voters` on as many posts of their own, each due a second after the one before.
fn play(voters: &[&str], permlinks: &[&str]) -> Play {
    let mut play = Play::new();
    for (number, permlink) in (0..).zip(permlinks) {
        play.publish(content(permlink));
        for voter in voters {
            play.hold(vote(voter, permlink, DUE + 1_000 * number));
        }
    }
    play
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

fn rows_and_lines(play: &Play) -> (usize, usize) {
    let rows = play.notices.iter().filter(|notice| notice.error.is_some());
    (rows.count(), play.notices.len())
}

#[test]
fn votes_without_an_authority_wait_and_go_out_once_it_is_back() {
    for of_app in [false, true] {
        let mut play = play(&["alice"], &["one", "two", "three"]);
        play.otherwise = Some(no_authority(of_app));
        play.run_until(DUE + 5 * MINUTE);
        assert!(play.ends().is_empty(), "{:?}", play.ends());
        assert_eq!(rows_and_lines(&play), (1, 1));
        // One request at a time tries it, with growing pauses.
        assert!(play.sent.len() < 12, "{:?}", play.sent_at());
        play.otherwise = Some(accepted());
        play.run_until(DUE + 6 * MINUTE + 30_000);
        assert_eq!(play.ends().len(), 3);
        assert_eq!(rows_and_lines(&play), (1, 2));
        assert!(play.notices[1].text.contains("is back"));
    }
}

#[test]
fn an_authority_that_stays_away_fails_the_votes_with_one_row() {
    let mut play = play(&["alice"], &["one", "two"]);
    play.otherwise = Some(no_authority(false));
    play.run_until(DUE + 15 * MINUTE);
    let ends = play.ends();
    assert_eq!(ends.len(), 2);
    for end in ends {
        let Outcome::Failed(why) = end else {
            panic!("{end:?}")
        };
        assert!(why.is_reported());
        assert!(why.to_string().contains("doesn't have permission"), "{why}");
    }
    assert_eq!(rows_and_lines(&play), (1, 1));
}

#[test]
fn an_authority_of_one_voter_keeps_no_other_voter_back() {
    let mut play = play(&["alice", "amy"], &["one"]);
    play.answers = [no_authority(false)].into();
    play.run_until(DUE);
    assert_eq!(play.ends().len(), 1);
    play.run_until(DUE + 2_000);
    assert_eq!(play.ends().len(), 2);
}

#[test]
fn refusals_of_votes_in_flight_together_are_one_cause() {
    let mut play = play(&["alice", "amy", "ann"], &["one"]);
    play.answer_takes = TimeDelta::milliseconds(100);
    play.answers = [no_authority(true), no_authority(true), no_authority(true)].into();
    play.run_until(DUE + 5_000);
    assert_eq!(rows_and_lines(&play), (1, 2));
    assert_eq!(play.ends().len(), 3);
    assert_eq!(
        play.sent_at(),
        [DUE, DUE, DUE, DUE + 1_100, DUE + 1_200, DUE + 1_200]
    );
}

#[test]
fn after_a_refusal_for_mana_votes_that_cannot_be_paid_are_skipped_without_a_request() {
    let mut play = play(&["alice"], &["one", "two", "three", "four"]);
    has_mana(&mut play, "alice", 10);
    play.answers = [no_mana()].into();
    play.run_until(DUE + MINUTE);
    assert_eq!(play.sent_at(), [DUE]);
    let ends = play.ends();
    assert!(matches!(ends[0], Outcome::Failed(_)));
    for end in &ends[1..] {
        let Outcome::Skipped(why) = end else {
            panic!("{end:?}")
        };
        // A vote of 50 % costs 1 %, and the refill brings what lacks by 13:04:48.
        assert_eq!(why.to_string(), "not enough mana until 13:05");
    }
    assert_eq!(rows_and_lines(&play), (1, 1));
    assert_eq!(play.weighs.len(), 1, "the bar is carried forward");
}

#[test]
fn votes_that_the_mana_pays_for_go_out_and_end_the_episode() {
    let mut play = play(&["alice"], &["one"]);
    has_mana(&mut play, "alice", 10);
    play.answers = [no_mana()].into();
    play.run_until(DUE + MINUTE);
    // Power comes from elsewhere.
    has_mana(&mut play, "alice", 5_000);
    play.publish(content("later"));
    play.hold(vote("alice", "later", DUE + 10 * MINUTE));
    play.run_until(DUE + 11 * MINUTE);
    assert_eq!(play.sent_at(), [DUE, DUE + 10 * MINUTE]);
    assert_eq!(rows_and_lines(&play), (1, 2));
    assert!(play.notices[1].text.contains("has enough mana again"));
}

#[test]
fn where_the_node_and_the_refusal_differ_the_refusal_counts_for_minutes() {
    let mut play = play(&["alice"], &["one", "two", "three"]);
    has_mana(&mut play, "alice", 10_000);
    play.answers = [no_mana()].into();
    play.run_until(DUE + MINUTE);
    assert_eq!(play.sent_at(), [DUE]);
    assert_eq!(play.ends().len(), 3);
}

#[test]
fn a_small_vote_goes_out_while_a_large_one_is_not_paid_for() {
    let text = "voters = ['alice']\n[[author]]\nname = 'favourites'\nauthors = ['bob']\nweight = '50%'\n\
                [[trail]]\nname = 'follow'\nleaders = ['curie']\nweight = { scale = '10%' }\n";
    let mut play = play(&["alice"], &["one"]);
    play.daemon.rules = Arc::new(rules(text));
    has_mana(&mut play, "alice", 50);
    play.answers = [no_mana()].into();
    play.publish(content("small"));
    play.hold(trail_vote("alice", "small", DUE + MINUTE));
    play.run_until(DUE + 2 * MINUTE);
    assert_eq!(play.sent_at(), [DUE, DUE + MINUTE]);
    assert_eq!(play.notices.len(), 1, "the episode goes on");
}

#[test]
fn a_vote_that_waits_for_mana_ends_when_the_post_is_too_old() {
    let mut play = Play::new();
    play.daemon.rules = Arc::new(rules(
        "voters = ['alice']\n[[author]]\nname = 'favourites'\nauthors = ['bob']\nweight = '50%'\n\
         delay = '5m'\nmax_age = '7m'\nmin_mana = '85%'\nbelow_min_mana = 'wait'\n",
    ));
    has_mana(&mut play, "alice", 10);
    play.hold(vote("alice", "post", DUE));
    play.run_until(7 * MINUTE);
    assert!(play.ends().is_empty());
    assert!(
        play.row("post")
            .reason
            .as_ref()
            .unwrap()
            .to_string()
            .starts_with("min_mana:")
    );
    play.run_until(7 * MINUTE + 10);
    let Outcome::Skipped(why) = play.end() else {
        panic!("{:?}", play.end())
    };
    assert!(why.to_string().starts_with("max_age"), "{why}");
}
