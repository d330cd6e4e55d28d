//! Who has a vote once the first look at its post shows that the rule which took it does not want it.

use super::*;
use crate::rules::set::RuleSet;
use crate::votes::change::Misfit;
use crate::votes::tests::{Table, bobs, key, post, rule, rules, time, vote};
use crate::weight::Weight;
use chrono::TimeDelta;

fn all() -> RuleSet {
    rules(
        "[[trail]]\nname = 'art'\nleaders = ['ada', 'bea']\nweight = '10%'\ntags = { any = ['art'] }\n\
        [[trail]]\nname = 'curated'\nleaders = ['curie']\nweight = { scale = '50%' }\ndelay = '30s'\n\
        [[author]]\nname = 'bob'\nauthors = ['bob']\nweight = '50%'\ndelay = '1h'\n\
        [[trail]]\nname = 'last'\nleaders = ['ada', 'zoe']\nweight = '5%'\ndelay = '9s'\n",
    )
}

/// The first look, at the time of block `num`, shows that the rule does not want it.
fn unfit(table: &mut Table<'_>, num: u32, instead: Option<Plan>) {
    let misfit = Misfit {
        instead,
        ..misfit(table.row("a"))
    };
    table.report(num, "a", 0, Outcome::Unfit(Box::new(misfit)));
}

fn misfit(row: &Vote) -> Misfit {
    Misfit {
        cause: row.cause(),
        status: Status::Skipped,
        why: "tags: none of the wanted".to_owned(),
        instead: None,
    }
}

#[test]
fn a_vote_that_was_taken_over_goes_back_whole() {
    let rules = all();
    let mut table = Table::new(&rules);
    table.block(5, [post("a")]);
    let before = table.row("a").clone();
    table.block(9, [vote("ada", "a", 80)]);
    assert_eq!(table.brief("a"), "queued art 1000 @9");
    unfit(&mut table, 9, None);
    let after = table.row("a").clone();
    let before = Vote {
        updated_at: time(9),
        ..before
    };
    assert_eq!(after, before);
}

#[test]
fn a_vote_that_nothing_else_asked_for_is_skipped() {
    let rules = all();
    let mut table = Table::new(&rules);
    table.block(9, [vote("bea", "a", 80)]);
    unfit(&mut table, 9, None);
    assert_eq!(
        table.brief("a"),
        "skipped art 1000 @9 (tags: none of the wanted)"
    );
}

#[test]
fn what_asks_before_the_first_look_is_not_forgotten() {
    let rules = all();
    let mut table = Table::new(&rules);
    table.block(9, [vote("bea", "a", 80), vote("curie", "a", 60)]);
    assert_eq!(table.brief("a"), "queued art 1000 @9");
    unfit(&mut table, 10, None);
    assert_eq!(table.brief("a"), "queued curated 3000 @9");
    assert_eq!(table.row("a").due_at, time(19));
    assert_eq!(table.row("a").leader, Some(Account::from_chain("curie")));
}

#[test]
fn a_vote_that_is_due_at_once_keeps_what_else_asks_for_it() {
    let rules = all();
    let mut table = Table::new(&rules);
    table.horizon = TimeDelta::seconds(30);
    table.block(9, [vote("bea", "a", 80)]);
    table.block(10, [vote("curie", "a", 60)]);
    assert_eq!(table.brief("a"), "queued art 1000 @9");
    unfit(&mut table, 10, None);
    assert_eq!(table.brief("a"), "queued curated 3000 @10");
    assert_eq!(
        table.row("a").claimed_by.as_deref(),
        None,
        "it is not due soon"
    );
}

#[test]
fn what_lost_a_vote_to_a_rule_that_wants_it_does_not_get_it_back_from_the_next() {
    let rules = all();
    let mut table = Table::new(&rules);
    table.block(5, [post("a")]);
    table.block(6, [vote("curie", "a", 60)]);
    // By now it was looked at for `curated`.
    table.block(90, [vote("bea", "a", 80)]);
    table.block(91, [vote("curie", "a", 0)]);
    unfit(&mut table, 91, None);
    assert_eq!(
        table.brief("a"),
        "skipped art 1000 @90 (tags: none of the wanted)"
    );
}

#[test]
fn of_two_leaders_in_one_block_the_first_is_followed_where_an_earlier_rule_drops_out() {
    let rules = rules(
        "[[trail]]\nname = 'art'\nleaders = ['ada']\nweight = '10%'\ntags = { any = ['art'] }\n\
        [[trail]]\nname = 'both'\nleaders = ['ada', 'curie']\nweight = { scale = '50%' }\ndelay = '1h'\n",
    );
    let both = |row: &Vote| Plan {
        key: row.key.clone(),
        weight: Weight::clamped(4_000),
        rule: rule("both"),
        origin: Origin::Trail,
        due_at: row.event_at + TimeDelta::hours(1),
        event_block: row.event_block,
        event_at: row.event_at,
        leader: row.leader.clone().zip(row.leader_weight),
        may_be_edit: false,
        had_vote: false,
    };
    for (votes, wanted) in [
        ([("curie", 60), ("ada", 80)], "queued both 3000 @9"),
        ([("ada", 80), ("curie", 60)], "queued both 4000 @9"),
    ] {
        let mut table = Table::new(&rules);
        table.block(9, votes.map(|(leader, percent)| vote(leader, "a", percent)));
        assert_eq!(table.brief("a"), "queued art 1000 @9");
        let instead = both(table.row("a"));
        unfit(&mut table, 9, Some(instead));
        assert_eq!(table.brief("a"), wanted, "{votes:?}");
    }
}

#[test]
fn of_all_that_asked_the_rule_that_comes_first_has_it() {
    let rules = all();
    let mut table = Table::new(&rules);
    table.block(5, [post("a"), vote("zoe", "a", 100)]);
    table.block(6, [vote("bea", "a", 80), vote("curie", "a", 60)]);
    unfit(&mut table, 6, None);
    assert_eq!(table.brief("a"), "queued curated 3000 @6");
    unfit(&mut table, 7, None);
    assert_eq!(table.brief("a"), "queued bob 5000 @5");
    unfit(&mut table, 8, None);
    assert_eq!(table.brief("a"), "queued last 500 @5");
    unfit(&mut table, 9, None);
    assert_eq!(
        table.brief("a"),
        "skipped last 500 @5 (tags: none of the wanted)"
    );
}

/// What the caster proposes: the leader's vote speaks to the rule `last` too.
fn instead() -> Option<Plan> {
    Some(Plan {
        key: key("alice", "a"),
        weight: Weight::clamped(500),
        rule: rule("last"),
        origin: Origin::Trail,
        due_at: time(12),
        event_block: 9,
        event_at: time(9),
        leader: Some((Account::from_chain("ada"), Weight::clamped(8_000))),
        may_be_edit: false,
        had_vote: false,
    })
}

#[test]
fn another_rule_after_the_same_leader_has_it_where_no_earlier_one_asked() {
    let rules = all();
    let mut table = Table::new(&rules);
    table.block(9, [vote("ada", "a", 80)]);
    unfit(&mut table, 9, instead());
    assert_eq!(table.brief("a"), "queued last 500 @9");
    assert_eq!(table.row("a").due_at, time(12));

    let mut table = Table::new(&rules);
    table.block(5, [post("a")]);
    table.block(9, [vote("ada", "a", 80)]);
    unfit(&mut table, 9, instead());
    assert_eq!(table.brief("a"), "queued bob 5000 @5");
}

#[test]
fn a_rule_that_declines_when_due_asks_no_other() {
    let rules = all();
    let mut table = Table::new(&rules);
    table.block(5, [post("a")]);
    table.block(9, [vote("ada", "a", 80)]);
    table.report(9, "a", 0, Outcome::Skipped("limit.per_day".to_owned()));
    assert_eq!(table.brief("a"), "skipped art 1000 @9 (limit.per_day)");
    assert_eq!(table.row("a").rivals, []);
}

#[test]
fn what_asks_after_the_first_look_has_no_claim() {
    let rules = all();
    let mut table = Table::new(&rules);
    table.block(9, [vote("bea", "a", 80)]);
    table.block(9 + 20, [vote("curie", "a", 60)]);
    assert_eq!(table.row("a").rivals, []);
}

#[test]
fn a_vote_that_was_sent_is_nobody_elses() {
    let rules = all();
    let mut table = Table::new(&rules);
    table.block(5, [post("a")]);
    table.block(9, [vote("ada", "a", 80)]);
    let misfit = misfit(table.row("a"));
    table.report(9, "a", 1, Outcome::Unfit(Box::new(misfit)));
    assert_eq!(
        table.brief("a"),
        "skipped art 1000 @9 (tags: none of the wanted)"
    );
}

#[test]
fn what_is_said_of_one_cause_does_not_touch_the_next() {
    let rules = all();
    let mut table = Table::new(&rules);
    table.block(5, [post("a")]);
    table.block(9, [vote("ada", "a", 80)]);
    let late = misfit(table.row("a"));
    unfit(&mut table, 9, None);
    table.report(10, "a", 0, Outcome::Unfit(Box::new(late)));
    assert_eq!(table.brief("a"), "queued bob 5000 @5");
}

#[test]
fn a_leaders_withdrawal_before_the_first_look_costs_nobody_elses_vote() {
    let rules = all();
    let mut table = Table::new(&rules);
    table.block(5, [post("a")]);
    table.block(9, [vote("ada", "a", 80)]);
    let misfit = misfit(table.row("a"));
    table.block(10, [vote("ada", "a", 0)]);
    assert_eq!(
        table.brief("a"),
        "withdrawn art 1000 @9 (@ada no longer votes on it)"
    );
    table.report(10, "a", 0, Outcome::Unfit(Box::new(misfit.clone())));
    assert_eq!(table.brief("a"), "queued bob 5000 @5");

    // What nobody else asked for stays withdrawn.
    let mut table = Table::new(&rules);
    table.block(9, [vote("ada", "a", 80)]);
    table.block(10, [vote("ada", "a", 0)]);
    let misfit = Misfit {
        instead: instead(),
        ..misfit
    };
    table.report(10, "a", 0, Outcome::Unfit(Box::new(misfit)));
    assert_eq!(
        table.brief("a"),
        "withdrawn art 1000 @9 (@ada no longer votes on it)"
    );
}

#[test]
fn a_leader_who_changes_the_vote_changes_it_for_whom_it_speaks_to_as_well() {
    let rules = all();
    let mut table = Table::new(&rules);
    table.block(9, [vote("bea", "a", 80), vote("curie", "a", 60)]);
    table.block(10, [vote("curie", "a", 20)]);
    unfit(&mut table, 10, None);
    assert_eq!(table.brief("a"), "queued curated 1000 @9");

    let mut table = Table::new(&rules);
    table.block(9, [vote("bea", "a", 80), vote("curie", "a", 60)]);
    table.block(10, [vote("curie", "a", 0)]);
    unfit(&mut table, 10, None);
    assert_eq!(
        table.brief("a"),
        "skipped art 1000 @9 (tags: none of the wanted)"
    );
}

#[test]
fn a_block_that_is_undone_gives_the_vote_back_to_whom_it_took_it_from() {
    let rules = all();
    let mut table = Table::new(&rules);
    table.block(5, [post("a")]);
    table.block(9, [vote("ada", "a", 80)]);
    table.undo(10, 8);
    assert_eq!(table.brief("a"), "queued bob 5000 @5");
    // The new branch may have it after all.
    table.block(9, [vote("ada", "a", 80)]);
    assert_eq!(table.brief("a"), "queued art 1000 @9");
    table.undo(10, 4);
    assert_eq!(
        table.brief("a"),
        format!("withdrawn art 1000 @4 ({UNDONE})")
    );
}

#[test]
fn blocks_that_are_read_again_change_nothing() {
    let rules = all();
    let mut table = Table::new(&rules);
    let read = |table: &mut Table<'_>| {
        table.block(5, [post("a")]);
        table.block(9, [vote("ada", "a", 80), vote("curie", "a", 60)]);
    };
    read(&mut table);
    let once = table.row("a").rivals.clone();
    read(&mut table);
    assert_eq!(table.row("a").rivals, once);
    unfit(&mut table, 9, None);
    assert_eq!(table.brief("a"), "queued curated 3000 @9");
    assert_eq!(table.row("a").key.post, bobs("a"));
}

#[test]
fn what_the_caster_said_of_a_vote_is_not_said_of_the_one_that_took_its_place() {
    let rules = all();
    let mut table = Table::new(&rules);
    table.block(5, [post("a")]);
    let of_before = |outcome| Report {
        key: key("alice", "a"),
        origin: Origin::Author,
        event_block: 5,
        rule: None,
        weight: Weight::clamped(5_000),
        attempts: 0,
        at: time(9),
        outcome,
    };
    table.block(9, [vote("ada", "a", 80)]);
    let tell = |table: &mut Table<'_>, outcome| {
        let changes = vec![Change::Report(of_before(outcome))];
        let batch = Batch {
            changes,
            ..Batch::default()
        };
        table.write(&batch, time(9));
    };
    tell(&mut table, Outcome::Skipped("limit.per_day".to_owned()));
    tell(&mut table, Outcome::Failed("no token".to_owned()));
    assert_eq!(table.brief("a"), "queued art 1000 @9");
    // What the signer took is the one vote that there can be.
    tell(&mut table, crate::votes::tests::accepted(9));
    assert_eq!(table.row("a").status, Status::Cast);
    assert_eq!(table.row("a").weight, Weight::clamped(5_000));
}

#[test]
fn a_trail_whose_leaders_agree_has_what_an_earlier_one_after_the_same_leader_does_not_want() {
    let rules = rules(
        "[[trail]]\nname = 'art'\nleaders = ['ada']\nweight = '10%'\ntags = { any = ['art'] }\n\
        [[trail]]\nname = 'duo'\nleaders = ['ada', 'bea']\nweight = '20%'\nagree = 2\n",
    );
    let mut table = Table::new(&rules);
    table.block(5, [vote("bea", "a", 100)]);
    table.block(9, [vote("ada", "a", 80)]);
    assert_eq!(table.brief("a"), "queued art 1000 @9");
    unfit(&mut table, 9, None);
    assert_eq!(table.brief("a"), "queued duo 2000 @9");
}

#[test]
fn however_many_ask_the_rule_that_had_the_vote_is_remembered() {
    let leaders: Vec<String> = (0..30).map(|number| format!("leader{number}")).collect();
    let rules = rules(&format!(
        "[[trail]]\nname = 'art'\nleaders = ['ada']\nweight = '10%'\ntags = {{ any = ['art'] }}\n\
        [[trail]]\nname = 'many'\nleaders = {leaders:?}\nweight = '20%'\ndelay = '1h'\n"
    ));
    let mut table = Table::new(&rules);
    table.block(5, leaders.iter().map(|leader| vote(leader, "a", 50)));
    assert_eq!(table.row("a").rivals.len(), 16);
    table.block(6, [vote("ada", "a", 80)]);
    assert_eq!(table.row("a").rivals.len(), 16);
    table.block(6, [vote("ada", "a", 80)]);
    let first = Some(Account::from_chain("leader0"));
    unfit(&mut table, 6, None);
    assert_eq!(table.brief("a"), "queued many 2000 @5");
    assert_eq!(table.row("a").leader, first);
}
