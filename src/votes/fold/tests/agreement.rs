//! `agree`: leaders who vote up and leaders who vote down do not agree, and each agreement lasts by itself.

use crate::rules::set::RuleSet;
use crate::votes::tests::{Table, rules, vote};

fn two_of_four() -> RuleSet {
    rules(
        "[[trail]]\nname = 'duo'\nleaders = ['ada', 'bea', 'curie', 'dan']\nweight = { scale = '50%' }\n\
        delay = '1h'\nagree = 2\ndownvotes = 'follow'\n",
    )
}

/// What becomes of alice's vote after these votes, one a block from block 1 on.
fn after(votes: &[(&str, i64)]) -> String {
    let rules = two_of_four();
    let mut table = Table::new(&rules);
    for (num, (leader, percent)) in (1..).zip(votes) {
        table.block(num, [vote(leader, "a", *percent)]);
    }
    table.brief("a")
}

#[test]
fn a_downvote_between_upvotes_ends_no_agreement_on_upvotes() {
    let votes = [("ada", 100), ("bea", 60), ("curie", -100)];
    assert_eq!(after(&votes), "queued duo 3000 @2");
    let votes = [("ada", 100), ("bea", 60), ("curie", 80), ("ada", -100)];
    assert_eq!(after(&votes), "queued duo 3000 @2");
}

#[test]
fn a_leader_who_leaves_ends_the_agreement_whoever_disagreed_before() {
    let votes = [("ada", 100), ("bea", 60), ("curie", -100)];
    let after = |leaves| after(&[&votes[..], &[leaves]].concat());
    for leaves in ["ada", "bea"] {
        assert_eq!(
            after((leaves, 0)),
            "withdrawn duo 3000 @2 (too few of the leaders agree any more)",
            "{leaves}"
        );
    }
    // Now there are two who vote down.
    assert_eq!(after(("ada", -20)), "queued duo -1000 @4");
    assert_eq!(after(("bea", -20)), "queued duo -1000 @4");
}

#[test]
fn the_last_leaders_new_weight_counts_whoever_disagreed_before() {
    let votes = [("ada", 100), ("bea", 60), ("curie", -100), ("bea", 20)];
    assert_eq!(after(&votes), "queued duo 1000 @2");
}

#[test]
fn the_end_of_an_agreement_on_downvotes_leaves_the_upvote_alone() {
    let votes = [
        ("ada", 100),
        ("bea", 60),
        ("curie", -100),
        ("dan", -40),
        ("dan", 0),
    ];
    assert_eq!(after(&votes), "queued duo 3000 @2");
}

#[test]
fn of_the_leaders_who_still_agree_the_latest_ones_weight_counts() {
    let votes = [("ada", 100), ("bea", 60), ("curie", 20), ("bea", 0)];
    assert_eq!(after(&votes), "queued duo 1000 @2");
}
