mod agreement;
mod dropping_out;
mod properties;
mod states;

use chrono::TimeDelta;

use self::states::{Make, in_state};
use std::time::Duration;

use super::*;
use crate::rules::set::RuleSet;
use crate::simulate::table::OWNER;
use crate::votes::reason::Reason;
use crate::votes::status::ErrorKind;
use crate::votes::tests::{Table, accepted, delete, post, rules, time, vote};

/// In the order of precedence.
const TRAILS: &str = "[[trail]]\nname = 'first'\nleaders = ['ada']\nweight = '10%'\n\
    [[trail]]\nname = 'second'\nleaders = ['curie', 'ocd']\nweight = { scale = '50%' }\n";
const AUTHOR: &str = "[[author]]\nname = 'bob'\nauthors = ['bob']\nweight = '50%'\n";

#[test]
fn what_happens_to_votes_that_are_not_there_makes_no_rows() {
    let rules = rules(TRAILS);
    let mut table = Table::new(&rules);
    table.block(5, [vote("curie", "a", 0), vote("dave", "a", 50), post("a")]);
    table.undo(6, 4);
    assert!(table.rows().is_empty());
}

#[test]
fn a_vote_due_soon_is_claimed_once_its_block_is_through() {
    let rules = rules(&format!("{TRAILS}delay = '1m'\n"));
    let mut table = Table::new(&rules);
    table.claim_within(TimeDelta::seconds(30));
    table.block(5, [vote("curie", "a", 50), vote("ada", "b", 50)]);
    assert_eq!(table.row("a").claimed_by, None);
    assert_eq!(table.row("b").claimed_by.as_deref(), Some(OWNER));
    assert_eq!(
        table.row("b").claimed_until,
        Some(time(5) + TimeDelta::seconds(15))
    );
    // Taken over by a rule without delay.
    table.block(6, [vote("ada", "a", 50)]);
    assert_eq!(table.row("a").claimed_by.as_deref(), Some(OWNER));
}

#[test]
fn what_happens_in_the_block_of_a_vote_due_at_once_still_counts() {
    let rules = rules(TRAILS);
    for (body, expected) in [
        (
            vote("alice", "a", 25),
            "skipped second 2500 @5 (voted by hand)",
        ),
        (vote("ada", "a", 90), "queued first 1000 @5"),
        (vote("curie", "a", 80), "queued second 4000 @5"),
        (
            vote("curie", "a", 0),
            "withdrawn second 2500 @5 (@curie no longer votes on it)",
        ),
    ] {
        let mut table = Table::new(&rules);
        table.claim_within(TimeDelta::seconds(30));
        table.block(5, [vote("curie", "a", 50), body]);
        assert_eq!(table.brief("a"), expected);
    }
}

#[test]
fn an_earlier_event_that_is_read_again_changes_nothing() {
    let rules = rules(TRAILS);
    let mut table = Table::new(&rules);
    let blocks = [(5, 50), (6, 0), (7, 80)];
    let play = |table: &mut Table<'_>| {
        for (num, percent) in blocks {
            table.block(num, [vote("curie", "a", percent)]);
        }
    };
    play(&mut table);
    assert_eq!(table.brief("a"), "queued second 4000 @7");
    let before = table.rows();
    play(&mut table);
    assert_eq!(table.rows(), before);
}

#[test]
fn an_edit_brings_no_vote_back_and_takes_none_over() {
    let rules = rules(&format!("{AUTHOR}{TRAILS}"));
    for state in ["queued", "failed", "skipped", "withdrawn", "dry run"] {
        let mut table = in_state(&rules, state);
        let before = table.row("a").clone();
        table.block(9, [post("a")]);
        assert_eq!(*table.row("a"), before, "{state}");
    }
}

#[test]
fn a_post_that_is_published_again_is_new_for_votes_that_were_not_cast() {
    let rules = rules(AUTHOR);
    let play = |happens: Make| {
        let mut table = Table::new(&rules);
        table.block(5, [post("a")]);
        happens(&mut table);
        table.block(8, [delete("a")]);
        table.block(9, [post("a")]);
        table.brief("a")
    };
    let anew = "queued bob 5000 @9";
    assert_eq!(play(|_| {}), anew);
    assert_eq!(
        play(|table| table.report(6, "a", 1, Outcome::Failed("no".to_owned().into()))),
        anew
    );
    assert_eq!(
        play(|table| table.report(6, "a", 1, accepted(6))),
        "cast bob 5000 @5"
    );
}

#[test]
fn an_identical_vote_at_the_first_attempt_stays_a_vote_by_hand() {
    let rules = rules(TRAILS);
    let mut table = in_state(&rules, "in flight");
    table.report(6, "a", 1, Outcome::Skipped(Reason::VotedByHand));
    table.block(7, [vote("alice", "a", 25)]);
    assert_eq!(table.brief("a"), "skipped second 2500 @7 (voted by hand)");
}

#[test]
fn a_vote_cast_while_another_daemon_read_its_block_is_ours_when_the_report_comes() {
    let rules = rules(TRAILS);
    let report = Report::of(in_state(&rules, "queued").row("a"), accepted(6), time(9));
    let cast = |trx_id: &str| {
        let mut report = report.clone();
        if let Outcome::Cast { trx_id: id, .. } = &mut report.outcome {
            *id = Some(trx_id.to_owned());
        }
        report
    };
    for (percent, trx_id, status) in [
        (25, "trx-7", Status::Confirmed),
        // Another transaction, or another weight: the person's own vote.
        (25, "other", Status::Skipped),
        (77, "trx-7", Status::Skipped),
    ] {
        let mut table = Table::new(&rules);
        table.block(7, [vote("alice", "a", percent)]);
        table.write_report(cast(trx_id), time(9));
        assert_eq!(table.row("a").status, status, "{percent} {trx_id}");
    }
}

#[test]
fn the_order_of_the_files_counts_when_the_event_comes() {
    let old = rules(TRAILS);
    let mut table = in_state(&old, "queued");
    let (first, second) = TRAILS.split_at(TRAILS.rfind("[[trail]]").unwrap());
    let swapped = rules(&format!("{second}{first}"));
    table.rules = &swapped;
    table.block(9, [vote("ada", "a", 90)]);
    assert_eq!(table.brief("a"), "queued second 2500 @5");
}

#[test]
fn a_rule_that_is_gone_stands_behind_every_other() {
    let old = rules(TRAILS);
    let mut table = in_state(&old, "queued");
    let new = rules(&TRAILS.replace("'second'", "'renamed'"));
    table.rules = &new;
    table.block(9, [vote("ocd", "a", 80)]);
    assert_eq!(table.brief("a"), "queued renamed 4000 @9");
}

#[test]
fn a_vote_whose_cause_was_undone_is_queued_again_by_the_new_branch() {
    let rules = rules(&format!("{AUTHOR}{TRAILS}"));
    for body in [post("a"), vote("curie", "a", 50)] {
        let mut table = Table::new(&rules);
        table.block(6, [body.clone()]);
        let before = table.brief("a");
        table.undo(7, 4);
        assert!(table.brief("a").starts_with("withdrawn"));
        // In an earlier block than before, and again.
        table.block(5, [body]);
        assert_eq!(table.brief("a"), before.replace("@6", "@5"));
        assert_eq!(table.row("a").ask().due_at, time(5));
    }
}

#[test]
fn a_confirmed_vote_whose_block_was_undone_is_cast_until_it_is_seen_again() {
    let rules = rules(TRAILS);
    let mut table = in_state(&rules, "confirmed");
    table.undo(9, 7);
    let row = table.row("a");
    assert_eq!((row.status, row.block_num), (Status::Cast, None));
    assert_eq!(row.next_attempt_at, time(9) + TimeDelta::minutes(2));
    table.block(8, [vote("alice", "a", 25)]);
    assert_eq!(table.row("a").block_num, Some(8));
    // Its block was not among those undone.
    let before = table.row("a").clone();
    table.undo(9, 8);
    assert_eq!(*table.row("a"), before);
}

#[test]
fn a_vote_found_on_the_post_gets_its_block_when_that_is_read() {
    let rules = rules(TRAILS);
    let mut table = in_state(&rules, "cast");
    table.report(7, "a", 1, Outcome::Confirmed);
    assert_eq!(table.row("a").block_num, None);
    table.block(8, [vote("alice", "a", 25)]);
    let row = table.row("a");
    assert_eq!((row.status, row.block_num), (Status::Confirmed, Some(8)));
    assert_eq!(row.trx_id.as_deref(), Some("trx-8"));
}

#[test]
fn a_vote_that_failed_for_good_is_one_error() {
    let rules = rules(TRAILS);
    let table = in_state(&rules, "queued");
    let row = table.row("a");
    let report = Report {
        attempts: 3,
        ..Report::of(row, Outcome::Failed("no mana".to_owned().into()), time(9))
    };
    let batch = Batch {
        changes: vec![Change::Report(report.clone()), Change::Report(report)],
        ..Batch::default()
    };
    let context = Context {
        owner: "one",
        now: time(9),
        claim_before: time(0),
        claim_until: time(0),
        confirm_within: Duration::ZERO,
        position: &|_| None,
    };
    let rows = fold(table.rows().into_values().collect(), &batch, &context);
    let [error] = &rows.errors[..] else {
        panic!("{:?}", rows.errors);
    };
    assert_eq!(error.kind, ErrorKind::Trail);
    assert_eq!(
        (error.voter.as_str(), error.error.as_str()),
        ("alice", "no mana")
    );
    let again = fold(rows.changed, &batch, &context);
    assert_eq!(again, Rows::default());
}
