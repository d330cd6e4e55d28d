//! Rules, rows and posts that change while a vote waits.

use super::*;

const DUE: i64 = 300_000;

fn withdrawn(play: &Play) -> String {
    match play.end() {
        Outcome::Withdrawn(why) => why.to_string(),
        Outcome::Unsuited(dropped) => {
            assert_eq!(dropped[0].status, Status::Withdrawn);
            dropped[0].reason.to_string()
        }
        other => panic!("not withdrawn: {other:?}"),
    }
}

#[test]
fn the_weight_is_that_of_the_rule_as_it_is_when_the_vote_is_due() {
    let mut play = Play::new();
    play.hold(vote("alice", "post", DUE));
    play.hold(trail_vote("amy", "post", DUE));
    play.run_until(DUE - 500);
    play.daemon.rules = Arc::new(rules(&RULES.replace("50%", "12.5%")));
    play.run_until(DUE);
    let weights: Vec<_> = play
        .sent
        .iter()
        .map(|sent| sent.weight.hundredths())
        .collect();
    assert_eq!(weights, [1250, 1000]);
    assert_eq!(play.reports[0].weight.hundredths(), 1250);
}

#[test]
fn a_rule_that_does_not_want_the_vote_any_more_withdraws_it() {
    for (change, to, why) in [
        ("name = 'favourites'", "name = 'renamed'", "is gone"),
        (
            "weight = '50%'",
            "weight = '50%'\nenabled = false",
            "switched off",
        ),
        (
            "voters = ['alice', ",
            "voters = [",
            "no longer votes as @alice",
        ),
        ("authors = ['bob', ", "authors = [", "no longer covers @bob"),
    ] {
        let mut play = Play::new();
        play.hold(vote("alice", "post", DUE));
        play.run_until(DUE - 10);
        let text = RULES.replacen(change, to, 1);
        assert_ne!(text, RULES, "{change}");
        play.daemon.rules = Arc::new(rules(&text));
        play.run_until(DUE);
        assert_eq!(play.sent, [], "{to}");
        assert!(withdrawn(&play).contains(why), "{}", withdrawn(&play));
    }
}

#[test]
fn a_trail_that_follows_somebody_else_now_withdraws_its_vote() {
    let mut play = Play::new();
    play.hold(trail_vote("alice", "post", DUE));
    play.daemon.rules = Arc::new(rules(&RULES.replace("curie", "other")));
    play.run_until(DUE);
    assert!(withdrawn(&play).contains("no longer follows @curie"));
}

#[test]
fn a_trail_that_would_not_follow_such_a_vote_any_more_withdraws_its_own() {
    let mut play = Play::new();
    play.hold(trail_vote("alice", "post", DUE));
    let text = RULES.replace(
        "leaders = ['curie']",
        "leaders = ['curie']\nmin_leader_weight = '90%'",
    );
    play.daemon.rules = Arc::new(rules(&text));
    play.run_until(DUE);
    assert!(withdrawn(&play).contains("no longer follows such a vote"));
}

#[test]
fn a_rule_that_comes_back_before_the_vote_is_due_has_harmed_nothing() {
    let mut play = Play::new();
    play.hold(vote("alice", "post", DUE));
    play.daemon.rules = Arc::new(rules(""));
    play.run_until(DUE - 100);
    play.daemon.rules = Arc::new(rules(RULES));
    play.run_until(DUE);
    assert_eq!(play.sent_at(), [DUE]);
}

#[test]
fn a_vote_of_a_file_that_cannot_be_read_stays_queued_until_it_can_however_long_that_takes() {
    let mut play = Play::new();
    play.hold(vote("alice", "post", DUE));
    play.daemon.rules = Arc::new(rules("").with_unreadable(vec!["friends.toml".to_owned()]));
    play.run_until(DUE + 7_200_000);
    assert!(play.ends().is_empty());
    assert_eq!(play.daemon.caster.held.len(), 1);
    play.daemon.rules = Arc::new(rules(RULES));
    play.run_until(DUE + 7_260_000);
    assert_eq!(play.sent.len(), 1);
    assert!(matches!(play.end(), Outcome::Cast { .. }));
}

#[test]
fn a_vote_that_waits_for_its_file_goes_out_once_the_file_is_mended_and_no_other_does() {
    let mut play = Play::new();
    play.publish(content("later"));
    play.hold(vote("alice", "post", DUE));
    play.hold(vote("alice", "later", DUE + 20_000));
    play.daemon.rules = Arc::new(rules("").with_unreadable(vec!["friends.toml".to_owned()]));
    play.run_until(DUE + 1_000);
    play.act(Caster::rules_changed);
    play.run_until(DUE + 2_000);
    assert!(play.sent.is_empty());
    play.daemon.rules = Arc::new(rules(RULES));
    play.act(Caster::rules_changed);
    play.run_until(DUE + 2_200);
    assert_eq!(play.sent.len(), 1);
    play.act(Caster::rules_changed);
    play.run_until(DUE + 21_000);
    assert_eq!(play.sent_at().last(), Some(&(DUE + 20_000)));
}

#[test]
fn a_file_that_breaks_between_two_attempts_does_not_use_up_the_time_for_retries() {
    let mut play = Play::new();
    play.answers = [passing()].into();
    play.hold(vote("alice", "post", DUE));
    play.run_until(DUE);
    play.daemon.rules = Arc::new(rules("").with_unreadable(vec!["friends.toml".to_owned()]));
    play.run_until(DUE + 7_200_000);
    play.daemon.rules = Arc::new(rules(RULES));
    play.run_until(DUE + 7_260_000);
    assert!(matches!(play.end(), Outcome::Cast { .. }));
}

#[test]
fn a_vote_of_a_file_that_stays_bad_is_withdrawn_when_the_post_is_paid_out() {
    let mut play = Play::new();
    play.hold(vote("alice", "post", DUE));
    play.daemon.rules = Arc::new(rules("").with_unreadable(vec!["friends.toml".to_owned()]));
    play.daemon.set_now(after(7 * 86_400_000));
    play.run_until(7 * 86_400_000 + 20_000);
    assert!(withdrawn(&play).contains("is gone"));
}

#[test]
fn a_changed_row_changes_what_is_cast_but_not_when() {
    let mut play = Play::new();
    play.hold(trail_vote("alice", "post", DUE));
    play.run_until(DUE - 2_000);
    let ask = Ask {
        weight: percent(10),
        leader: Some((account("curie"), percent(20))),
        ..trail_ask(DUE)
    };
    let row = vote_of("alice", "post", ask);
    play.amend(row);
    play.run_until(DUE);
    assert_eq!(
        (play.sent_at(), play.sent[0].weight),
        (vec![DUE], percent(10))
    );
}

#[test]
fn a_row_that_is_due_at_another_moment_goes_out_then() {
    for due in [DUE - 60_000, DUE + 60_000] {
        let mut play = Play::new();
        play.hold(vote("alice", "post", DUE));
        play.run_until(DUE - 100_000);
        play.amend(vote("alice", "post", due));
        play.run_until(DUE + 100_000);
        assert_eq!(play.sent_at(), [due]);
    }
}

#[test]
fn a_row_that_is_over_or_somebody_elses_is_let_go() {
    for (status, claimed_by) in [
        (Status::Withdrawn, None),
        (Status::Skipped, None),
        (Status::Confirmed, None),
        (Status::Queued, None),
        (Status::Queued, Some("other-daemon".to_owned())),
    ] {
        let mut play = Play::new();
        play.hold_only(vote("alice", "post", DUE));
        play.run_until(DUE - 500);
        let row = Vote {
            status,
            claimed_by,
            ..vote("alice", "post", DUE)
        };
        play.amend_only(row);
        play.run_until(DUE + 60_000);
        assert_eq!(play.sent, [], "{status}");
        assert!(play.reports.is_empty() && play.daemon.caster.held.is_empty());
    }
}

fn over(status: Status) -> Vote {
    Vote {
        status,
        claimed_by: None,
        ..vote("alice", "post", DUE)
    }
}

#[test]
fn a_vote_on_its_way_is_not_touched_and_its_answer_is_reported() {
    let mut play = Play::new();
    play.otherwise = None;
    play.hold(vote("alice", "post", DUE));
    play.run_until(DUE);
    play.amend(over(Status::Withdrawn));
    play.run_until(DUE + 1_000);
    play.answer(&key("alice", "post"), accepted());
    assert!(matches!(play.end(), Outcome::Cast { .. }));
}

#[test]
fn a_vote_that_a_block_shows_before_its_unclear_answer_is_settled() {
    for answer in [unknown(), passing(), Answer::Token("no".to_owned())] {
        let mut play = Play::new();
        play.otherwise = None;
        play.hold(vote("alice", "post", DUE));
        play.run_until(DUE);
        play.amend(over(Status::Confirmed));
        play.answer(&key("alice", "post"), answer);
        play.run_until(DUE + 100_000);
        assert_eq!(play.sent.len(), 1);
        assert!(play.ends().is_empty() && play.daemon.caster.held.is_empty());
        let attempts: Vec<_> = play.reports.iter().map(|report| report.attempts).collect();
        assert_eq!(attempts, [1], "the request is counted");
    }
}

#[test]
fn a_vote_that_another_daemon_has_now_is_left_to_it() {
    let mut play = Play::new();
    play.otherwise = None;
    play.hold(vote("alice", "post", DUE));
    play.run_until(DUE);
    let row = Vote {
        claimed_by: Some("other-daemon".to_owned()),
        ..vote("alice", "post", DUE)
    };
    play.amend(row);
    play.answer(&key("alice", "post"), passing());
    play.run_until(DUE + 100_000);
    assert_eq!(play.sent.len(), 1);
    assert!(play.reports.is_empty() && play.daemon.caster.held.is_empty());
}

#[test]
fn a_vote_that_is_ours_again_before_its_answer_is_not_forgotten() {
    for again in [Caster::amend_of_us as fn(&mut Caster), Caster::hold_anew] {
        let mut play = Play::new();
        play.otherwise = None;
        play.hold_only(vote("alice", "post", DUE));
        play.run_until(DUE);
        // A fork takes the post away and brings it back.
        play.amend_only(over(Status::Withdrawn));
        again(&mut play.daemon.caster);
        play.otherwise = Some(accepted());
        play.answer(&key("alice", "post"), unknown());
        play.run_until(DUE + 20_000);
        assert_eq!(play.sent.len(), 2);
        assert!(matches!(play.end(), Outcome::Cast { .. }));
    }
}

impl Caster {
    fn amend_of_us(&mut self) {
        self.amend(vote("alice", "post", DUE), US);
    }

    fn hold_anew(&mut self) {
        self.hold(vote("alice", "post", DUE), true, start());
    }
}

/// The post as it is when it was published long before the block that made us vote.
fn edited(permlink: &str) -> Content {
    Content {
        created: after(-86_400_000),
        last_update: Some(start()),
        ..content(permlink)
    }
}

#[test]
fn a_vote_on_an_edit_is_withdrawn_as_soon_as_a_node_tells() {
    let mut play = Play::new();
    play.publish(edited("old"));
    play.plan_for_later(vote("alice", "old", DUE));
    play.plan_for_later(vote("amy", "old", DUE));
    play.run_until(1_000);
    assert_eq!(play.looks.len(), 1);
    assert_eq!(play.ends().len(), 2);
    for end in play.ends() {
        let Outcome::Unsuited(dropped) = end else {
            panic!("{end:?}")
        };
        assert_eq!(dropped[0].status, Status::Withdrawn);
        assert_eq!(
            dropped[0].reason.to_string(),
            "an edit, not a post: published 2026-02-28 12:00:00"
        );
    }
}

#[test]
fn a_vote_on_an_edit_that_is_due_soon_does_not_keep_the_post_from_others_until_then() {
    let mut play = Play::new();
    play.publish(edited("old"));
    play.plan(vote("alice", "old", 20_000));
    play.run_until(1_000);
    assert!(withdrawn(&play).contains("an edit"));
    play.run_until(60_000);
    assert!(play.sent.is_empty());
    assert_eq!(play.ends().len(), 1);
}

#[test]
fn a_vote_on_an_edit_is_withdrawn_when_due_if_no_node_could_tell_before() {
    let mut play = Play::new();
    play.publish(edited("old"));
    play.nodes_away = Some("no node answers".to_owned());
    play.plan_for_later(vote("alice", "old", 60_000));
    play.hold(vote("alice", "old", 60_000));
    play.run_until(59_500);
    play.nodes_away = None;
    play.run_until(60_000);
    assert_eq!(play.sent, []);
    assert!(withdrawn(&play).contains("an edit"));
}

#[test]
fn a_trail_votes_on_old_posts_too() {
    let mut play = Play::new();
    play.publish(edited("old"));
    play.hold(trail_vote("alice", "old", DUE));
    play.run_until(DUE);
    assert_eq!(play.sent.len(), 1);
}

#[test]
fn a_post_that_is_published_anew_moves_the_moment_of_the_vote() {
    let mut play = Play::new();
    play.hold(vote("alice", "post", DUE));
    play.run_until(DUE - 20_000);
    let created = after(DUE - 30_000);
    play.publish(Content {
        created,
        last_update: Some(created),
        ..content("post")
    });
    play.run_until(DUE);
    assert_eq!(play.sent, []);
    let Outcome::Later { due_at, hold, .. } = &play.reports[0].outcome else {
        panic!("{:?}", play.reports)
    };
    // Five minutes after it was published; that is far, so the vote is given back.
    let due = DUE - 30_000 + 300_000;
    assert_eq!((*due_at, *hold), (Some(after(due)), false));
    assert!(play.daemon.caster.held.is_empty());
    play.hold(vote("alice", "post", due));
    play.run_until(due);
    assert_eq!(play.sent_at(), [due]);
}

#[test]
fn a_vote_that_was_cast_is_not_sent_again_for_a_rule_that_took_it_over_in_that_moment() {
    let mut play = Play::new();
    play.hold_only(vote("alice", "post", DUE));
    play.run_until(DUE);
    assert!(matches!(play.end(), Outcome::Cast { .. }));
    // Written before what the signer said.
    let ask = Ask {
        block: 101,
        ..trail_ask(DUE + 1_000)
    };
    let now = play.now();
    let row = vote_of("alice", "post", ask);
    play.daemon.caster.plan(vec![row], US, now);
    play.run_until(DUE + 60_000);
    assert_eq!(play.sent.len(), 1);
    play.amend_only(over(Status::Cast));
    // Cast anew, should no block show it.
    play.hold_only(vote("alice", "post", DUE + 120_000));
    play.run_until(DUE + 120_000);
    assert_eq!(play.sent.len(), 2);
}
