//! Limits, mana, windows and filters at the moment a vote is due.

use super::*;
use crate::chain::block::CommentOptions;

const HOUR: i64 = 3_600_000;

/// The rule `favourites` with more keys.
fn with(keys: &str) -> Play {
    let mut play = Play::new();
    play.daemon.rules = Arc::new(rules(&format!(
        "voters = ['alice', 'amy', 'ann']\n[[author]]\nname = 'favourites'\nauthors = ['bob', 'carol']\n\
         weight = '50%'\ndelay = '5m'\n{keys}\n"
    )));
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
fn skipped(play: &Play) -> String {
    let why = play.ends().into_iter().rev().find_map(|end| match end {
        Outcome::Skipped(why) => Some(why.to_string()),
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
    while play.sent.is_empty() && play.now() < after(2 * HOUR) {
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
        if play.daemon.caster.held.is_empty() {
            let mut again = vote("alice", "post", 0);
            again.next_attempt_at = next.unwrap();
            play.hold(again);
        }
        let until = millis(play.now()) + 10_000;
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
fn options_in_a_block_after_the_look_count() {
    let options = |max_accepted_payout| {
        PostChange::Options(CommentOptions {
            post: key("alice", "post").post,
            max_accepted_payout,
            allow_votes: true,
        })
    };
    for (payout, skips) in [(0, true), (1_000, false)] {
        let mut play = with("");
        play.hold(vote("alice", "post", 5_000));
        // The post is looked at a second before, and is too young to be looked at again.
        play.run_until(4_500);
        assert_eq!(play.looks.len(), 1);
        play.act(|caster, world| caster.posts_changed(vec![options(payout)], world.now));
        play.run_until(10_000);
        assert_eq!(play.sent.is_empty(), skips);
    }
    // Nodes do not tell of it yet.
    let mut play = with("");
    play.act(|caster, world| caster.posts_changed(vec![options(0)], world.now));
    play.hold(vote("alice", "post", 5_000));
    play.run_until(10_000);
    assert_eq!(
        skipped(&play),
        "payout.declined: the author declines payout"
    );
}

#[test]
fn an_edit_in_a_block_after_the_look_makes_the_post_be_looked_at_again() {
    let mut play = with("tags = { none = ['nsfw'] }");
    play.hold(vote("alice", "post", 5_000));
    play.run_until(4_500);
    let mut edited = content("post");
    edited.json_metadata = r#"{"tags": ["nsfw"]}"#.to_owned();
    let post = edited.post.clone();
    play.publish(edited);
    play.act(|caster, world| caster.posts_changed(vec![PostChange::Text(post)], world.now));
    play.run_until(10_000);
    assert_eq!(skipped(&play), "tags.none: it has nsfw");
}
