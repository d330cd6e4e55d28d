//! Which ask has a vote when the one that had it drops out.

use super::*;
use crate::account::Account;
use crate::votes::asks::Cause;
use crate::votes::change::Unsuited;
use crate::votes::tests::bobs;
use crate::weight::Weight;

fn all() -> RuleSet {
    rules(
        "[[trail]]\nname = 'art'\nleaders = ['ada', 'bea']\nweight = '10%'\ntags = { any = ['art'] }\n\
        [[trail]]\nname = 'curated'\nleaders = ['curie']\nweight = { scale = '50%' }\ndelay = '30s'\n\
        [[author]]\nname = 'bob'\nauthors = ['bob']\nweight = '50%'\ndelay = '1h'\n\
        [[trail]]\nname = 'last'\nleaders = ['ada', 'zoe']\nweight = '5%'\ndelay = '9s'\n",
    )
}

/// The first look, at the time of block `num`, shows that the post does not suit the ask that has the vote.
fn drop_out(table: &mut Table<'_>, num: u32) {
    let cause = table.row("a").ask().cause();
    drop_cause(table, num, 0, cause);
}

fn drop_cause(table: &mut Table<'_>, num: u32, attempts: u32, cause: Cause) {
    let unsuited = Unsuited {
        cause,
        status: Status::Skipped,
        reason: "tags: none of the wanted".to_owned().into(),
    };
    table.report(num, "a", attempts, Outcome::Unsuited(vec![unsuited]));
}

#[test]
fn a_vote_that_was_taken_over_goes_back_whole() {
    let rules = all();
    let mut table = Table::new(&rules);
    table.block(5, [post("a")]);
    let before = table.row("a").clone();
    table.block(9, [vote("ada", "a", 80)]);
    assert_eq!(table.brief("a"), "queued art 1000 @9");
    drop_out(&mut table, 9);
    let mut after = table.row("a").clone();
    after.asks.others.clear();
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
    drop_out(&mut table, 9);
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
    drop_out(&mut table, 10);
    assert_eq!(table.brief("a"), "queued curated 3000 @9");
    assert_eq!(table.row("a").ask().due_at, time(19));
    let (leader, _) = table.row("a").ask().leader.clone().unwrap();
    assert_eq!(leader, Account::from_chain("curie"));
}

#[test]
fn a_vote_that_is_due_at_once_keeps_what_else_asks_for_it() {
    let rules = all();
    let mut table = Table::new(&rules);
    table.claim_within(TimeDelta::seconds(30));
    table.block(9, [vote("bea", "a", 80)]);
    table.block(10, [vote("curie", "a", 60)]);
    assert_eq!(table.brief("a"), "queued art 1000 @9");
    drop_out(&mut table, 10);
    assert_eq!(table.brief("a"), "queued curated 3000 @10");
    assert_eq!(
        table.row("a").claimed_by.as_deref(),
        None,
        "it is not due soon"
    );
}

#[test]
fn what_asked_before_is_remembered_however_long_ago_that_was() {
    let rules = all();
    let mut table = Table::new(&rules);
    table.block(5, [post("a")]);
    table.block(6, [vote("curie", "a", 60)]);
    table.block(900, [vote("bea", "a", 80)]);
    table.block(901, [vote("curie", "a", 0)]);
    assert_eq!(table.brief("a"), "queued art 1000 @900");
    drop_out(&mut table, 901);
    assert_eq!(table.brief("a"), "queued bob 5000 @5");
}

#[test]
fn of_two_leaders_in_one_block_the_first_is_followed_where_an_earlier_rule_drops_out() {
    let rules = rules(
        "[[trail]]\nname = 'art'\nleaders = ['ada']\nweight = '10%'\ntags = { any = ['art'] }\n\
        [[trail]]\nname = 'both'\nleaders = ['ada', 'curie']\nweight = { scale = '50%' }\ndelay = '1h'\n",
    );
    for (votes, wanted) in [
        ([("curie", 60), ("ada", 80)], "queued both 3000 @9"),
        ([("ada", 80), ("curie", 60)], "queued both 4000 @9"),
    ] {
        let mut table = Table::new(&rules);
        table.block(9, votes.map(|(leader, percent)| vote(leader, "a", percent)));
        assert_eq!(table.brief("a"), "queued art 1000 @9");
        drop_out(&mut table, 9);
        assert_eq!(table.brief("a"), wanted, "{votes:?}");
    }
}

#[test]
fn of_all_that_asked_the_rule_that_comes_first_has_it() {
    let rules = all();
    let mut table = Table::new(&rules);
    table.block(5, [post("a"), vote("zoe", "a", 100)]);
    table.block(6, [vote("bea", "a", 80), vote("curie", "a", 60)]);
    drop_out(&mut table, 6);
    assert_eq!(table.brief("a"), "queued curated 3000 @6");
    drop_out(&mut table, 7);
    assert_eq!(table.brief("a"), "queued bob 5000 @5");
    drop_out(&mut table, 8);
    assert_eq!(table.brief("a"), "queued last 500 @5");
    drop_out(&mut table, 9);
    assert_eq!(
        table.brief("a"),
        "skipped last 500 @5 (tags: none of the wanted)"
    );
}

#[test]
fn another_rule_after_the_same_leader_has_it_where_no_earlier_one_asked() {
    let rules = all();
    let mut table = Table::new(&rules);
    table.block(9, [vote("ada", "a", 80)]);
    drop_out(&mut table, 9);
    assert_eq!(table.brief("a"), "queued last 500 @9");
    assert_eq!(table.row("a").ask().due_at, time(12));

    let mut table = Table::new(&rules);
    table.block(5, [post("a")]);
    table.block(9, [vote("ada", "a", 80)]);
    drop_out(&mut table, 9);
    assert_eq!(table.brief("a"), "queued bob 5000 @5");
}

#[test]
fn a_rule_that_declines_when_due_asks_no_other() {
    let rules = all();
    let mut table = Table::new(&rules);
    table.block(5, [post("a")]);
    table.block(9, [vote("ada", "a", 80)]);
    table.report(
        9,
        "a",
        0,
        Outcome::Skipped("limit.per_day".to_owned().into()),
    );
    assert_eq!(table.brief("a"), "skipped art 1000 @9 (limit.per_day)");
    assert_eq!(table.row("a").asks.others, []);
}

#[test]
fn what_asks_after_the_first_look_stands_behind() {
    let rules = all();
    let mut table = Table::new(&rules);
    table.block(9, [vote("bea", "a", 80)]);
    table.block(9 + 20, [vote("curie", "a", 60)]);
    assert_eq!(table.brief("a"), "queued art 1000 @9");
    table.block(9 + 21, [vote("bea", "a", 0)]);
    assert_eq!(table.brief("a"), "queued curated 3000 @29");
}

#[test]
fn a_vote_that_was_sent_is_nobody_elses() {
    let rules = all();
    let mut table = Table::new(&rules);
    table.block(5, [post("a")]);
    table.block(9, [vote("ada", "a", 80)]);
    let cause = table.row("a").ask().cause();
    drop_cause(&mut table, 9, 1, cause);
    assert_eq!(
        table.brief("a"),
        "skipped art 1000 @9 (tags: none of the wanted)"
    );
}

#[test]
fn what_is_said_of_one_ask_does_not_touch_the_next() {
    let rules = all();
    let mut table = Table::new(&rules);
    table.block(5, [post("a")]);
    table.block(9, [vote("ada", "a", 80)]);
    let late = table.row("a").ask().cause();
    drop_out(&mut table, 9);
    drop_cause(&mut table, 10, 0, late);
    assert_eq!(table.brief("a"), "queued bob 5000 @5");
}

#[test]
fn a_leaders_withdrawal_costs_nobody_elses_vote() {
    let rules = all();
    let mut table = Table::new(&rules);
    table.block(5, [post("a")]);
    table.block(9, [vote("ada", "a", 80)]);
    table.block(10, [vote("ada", "a", 0)]);
    assert_eq!(table.brief("a"), "queued bob 5000 @5");

    // What nobody else asks for is withdrawn.
    let mut table = Table::new(&rules);
    table.block(9, [vote("bea", "a", 80)]);
    let late = table.row("a").ask().cause();
    table.block(10, [vote("bea", "a", 0)]);
    let withdrawn = "withdrawn art 1000 @9 (@bea no longer votes on it)";
    assert_eq!(table.brief("a"), withdrawn);
    drop_cause(&mut table, 10, 0, late);
    assert_eq!(table.brief("a"), withdrawn);
}

#[test]
fn a_leader_who_changes_the_vote_changes_it_for_whom_it_speaks_to_as_well() {
    let rules = all();
    let mut table = Table::new(&rules);
    table.block(9, [vote("bea", "a", 80), vote("curie", "a", 60)]);
    table.block(10, [vote("curie", "a", 20)]);
    drop_out(&mut table, 10);
    assert_eq!(table.brief("a"), "queued curated 1000 @9");

    let mut table = Table::new(&rules);
    table.block(9, [vote("bea", "a", 80), vote("curie", "a", 60)]);
    table.block(10, [vote("curie", "a", 0)]);
    drop_out(&mut table, 10);
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
        "withdrawn art 1000 @4 (the block that caused it was undone by a fork)"
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
    let once = table.row("a").asks.clone();
    read(&mut table);
    assert_eq!(table.row("a").asks, once);
    drop_out(&mut table, 9);
    assert_eq!(table.brief("a"), "queued curated 3000 @9");
    assert_eq!(table.row("a").key.post, bobs("a"));
}

#[test]
fn what_the_caster_said_of_a_vote_is_not_said_of_the_one_that_took_its_place() {
    let rules = all();
    let mut table = Table::new(&rules);
    table.block(5, [post("a")]);
    let before = table.row("a").clone();
    table.block(9, [vote("ada", "a", 80)]);
    let tell = |table: &mut Table<'_>, attempts, outcome| {
        let report = Report {
            attempts,
            ..Report::of(&before, outcome, time(9))
        };
        table.write_report(report, time(9));
    };
    let no = |why: &str| Reason::Told(why.to_owned());
    tell(&mut table, 0, Outcome::Skipped(no("limit.per_day")));
    tell(&mut table, 0, Outcome::Failed(no("no token")));
    assert_eq!(table.brief("a"), "queued art 1000 @9");
    // What the signer accepted is the one vote that there can be.
    tell(&mut table, 1, accepted(9));
    assert_eq!(table.row("a").status, Status::Cast);
    assert_eq!(table.row("a").ask().weight, Weight::clamped(5_000));
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
    drop_out(&mut table, 9);
    assert_eq!(table.brief("a"), "queued duo 2000 @9");
}

#[test]
fn a_rule_asks_once_however_many_leaders_it_follows() {
    let leaders: Vec<String> = (0..30).map(|number| format!("leader{number}")).collect();
    let rules = rules(&format!(
        "[[trail]]\nname = 'art'\nleaders = ['ada']\nweight = '10%'\ntags = {{ any = ['art'] }}\n\
        [[trail]]\nname = 'many'\nleaders = {leaders:?}\nweight = '20%'\ndelay = '1h'\n"
    ));
    let mut table = Table::new(&rules);
    table.block(5, leaders.iter().map(|leader| vote(leader, "a", 50)));
    assert_eq!(table.row("a").asks.others, []);
    table.block(6, [vote("ada", "a", 80)]);
    table.block(6, [vote("ada", "a", 80)]);
    assert_eq!(table.row("a").asks.others.len(), 1);
    drop_out(&mut table, 6);
    assert_eq!(table.brief("a"), "queued many 2000 @5");
    let leader = table.row("a").ask().leader.as_ref().unwrap();
    assert_eq!(leader.0, Account::from_chain("leader0"));
}
