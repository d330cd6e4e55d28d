//! How many votes are on their way at a time, and which goes first.

use super::*;

const DUE: i64 = 300_000;

fn limits(max_in_flight: usize, requests_per_second: f64, interval: u64) -> Settings {
    Settings {
        limits: Limits {
            max_in_flight,
            requests_per_second,
            vote_interval: Duration::from_secs(interval),
        },
        ..settings()
    }
}

/// A play with `count` votes of `voter`, one a post; the later posts are due earlier, by a second each.
fn play_of(settings: Settings, voters: &[&str], count: usize) -> Play {
    let mut play = Play::with(settings);
    for number in 0..count {
        let permlink = format!("post-{number:02}");
        play.publish(content(&permlink));
        for voter in voters {
            let due = DUE - 1_000 * number as i64;
            play.hold(vote(voter, &permlink, due));
        }
    }
    play
}

fn order(play: &Play) -> Vec<String> {
    let permlinks = play
        .sent
        .iter()
        .map(|sent| sent.key.post.permlink.to_string());
    permlinks.collect()
}

#[test]
fn no_more_requests_than_allowed_are_on_their_way() {
    let mut play = play_of(limits(5, 0.0, 0), &["alice", "amy", "ann"], 4);
    play.otherwise = None;
    play.run_until(DUE + 5_000);
    assert_eq!(play.sent.len(), 5);
    let first = play.sent[0].key.clone();
    play.answer(&first, accepted());
    play.run_until(DUE + 6_000);
    assert_eq!(play.sent.len(), 6);
}

#[test]
fn a_voter_has_four_votes_on_their_way_and_others_do_not_wait_for_it() {
    let mut play = play_of(limits(32, 0.0, 0), &["alice"], 6);
    play.otherwise = None;
    play.hold(vote("amy", "post", DUE));
    play.run_until(DUE);
    let of = |play: &Play, name: &str| {
        let sent = play.sent.iter();
        sent.filter(|sent| sent.key.voter.as_str() == name).count()
    };
    assert_eq!((of(&play, "alice"), of(&play, "amy")), (4, 1));
    let first = play.sent[0].key.clone();
    play.answer(&first, passing());
    play.run_until(DUE);
    assert_eq!(of(&play, "alice"), 5);
}

#[test]
fn with_an_interval_a_voter_has_one_vote_on_its_way() {
    let mut play = play_of(limits(32, 0.0, 3), &["alice", "amy"], 3);
    play.otherwise = None;
    play.run_until(DUE + 60_000);
    assert_eq!(play.sent.len(), 2);
}

#[test]
fn the_oldest_due_goes_first() {
    for settings in [limits(1, 0.0, 0), limits(32, 0.0, 3), limits(32, 2.0, 0)] {
        let mut play = play_of(settings, &["alice"], 9);
        // All are due by now.
        play.daemon.set_now(after(DUE + 10_000));
        play.answer_takes = TimeDelta::milliseconds(400);
        play.run_until(DUE + 60_000);
        let expected: Vec<_> = (0..9)
            .rev()
            .map(|number| format!("post-{number:02}"))
            .collect();
        assert_eq!(order(&play), expected, "{:?}", settings.limits);
    }
}

#[test]
fn the_interval_counts_from_the_votes_that_were_accepted() {
    let mut play = play_of(limits(32, 0.0, 3), &["alice"], 3);
    play.daemon.set_now(after(DUE));
    play.answer_takes = TimeDelta::milliseconds(200);
    play.run_until(DUE + 30_000);
    assert_eq!(play.sent_at(), [DUE, DUE + 3_200, DUE + 6_400]);
}

#[test]
fn a_vote_that_was_refused_starts_no_interval() {
    let mut play = play_of(limits(32, 0.0, 3), &["alice"], 2);
    play.daemon.set_now(after(DUE));
    play.answers = [Answer::Final(
        "Votes are not allowed on the comment.".to_owned(),
    )]
    .into();
    play.run_until(DUE + 30_000);
    assert_eq!(play.sent_at(), [DUE, DUE]);
}

/// A row of `@alice` on another post that a block has shown.
fn in_a_block(status: Status, at: i64) -> Vote {
    let mut row = Vote {
        status,
        block_num: Some(200),
        cast_at: (status == Status::Confirmed).then_some(after(at)),
        claimed_by: None,
        ..vote("alice", "other", at)
    };
    row.asks.first.at = after(at);
    row
}

#[test]
fn the_interval_counts_from_votes_in_blocks_too_whoever_cast_them() {
    for status in [Status::Skipped, Status::Confirmed] {
        let mut play = Play::with(limits(32, 0.0, 3));
        play.hold(vote("alice", "post", DUE));
        play.amend(in_a_block(status, DUE - 1_000));
        play.run_until(DUE + 10_000);
        assert_eq!(play.sent_at(), [DUE + 2_000], "{status}");
    }
}

#[test]
fn without_an_interval_votes_in_blocks_delay_nothing() {
    let mut play = Play::new();
    play.hold(vote("alice", "post", DUE));
    play.amend(in_a_block(Status::Skipped, DUE));
    play.run_until(DUE);
    assert_eq!(play.sent_at(), [DUE]);
}

#[test]
fn requests_per_second_are_kept_to() {
    let mut play = play_of(limits(32, 4.0, 0), &["alice", "amy"], 4);
    play.daemon.set_now(after(DUE));
    play.run_until(DUE + 10_000);
    let at: Vec<i64> = (0..8).map(|number| DUE + number * 250).collect();
    assert_eq!(play.sent_at(), at);
}

#[test]
fn a_lane_is_free_again_after_every_kind_of_answer() {
    for answer in [
        accepted(),
        unknown(),
        passing(),
        Answer::Final("no".to_owned()),
        Answer::NoMana("no".to_owned()),
        Answer::UnknownPost("no".to_owned()),
        Answer::Token("no".to_owned()),
        Answer::Done(Done::Identical),
        Answer::Done(Done::Duplicate),
    ] {
        let mut play = Play::new();
        play.answers = [answer.clone()].into();
        play.hold(vote("alice", "post", DUE));
        play.run_until(DUE);
        assert_eq!(play.daemon.caster.in_flight(), 0, "{answer:?}");
    }
}
