use std::time::Duration;

use chrono::TimeDelta;

use super::*;
use crate::votes::tests::{
    Table, account, block, delete, key, patch, post, reply, rule, rules, time, vote,
};
use crate::weight::Weight;

const BOB: &str = "[[author]]\nname = 'bob'\nauthors = ['bob']\nweight = '50%'\ndelay = '5m'\n";
const TRAIL: &str = "[[trail]]\nname = 'trail'\nleaders = ['curie', 'ocd']\nweight = { scale = '50%' }\ndelay = '30s'\n";

/// `alice by bob`, for each ask for a vote.
fn plans(batch: &Batch) -> Vec<String> {
    let plans = batch.changes.iter().filter_map(|change| match change {
        Change::Plan(plan) => Some(plan),
        _ => None,
    });
    plans
        .map(|plan| {
            let rule = plan.ask.rule.as_str().trim_start_matches("a.toml:");
            format!("{} by {rule}", plan.key.voter)
        })
        .collect()
}

fn plans_of(rules_text: &str, bodies: impl IntoIterator<Item = OperationBody>) -> Vec<String> {
    plans(&Planner::default().block(&rules(rules_text), &block(5, bodies)))
}

const NOTHING: [&str; 0] = [];

#[test]
fn a_post_plans_a_vote_that_is_due_after_the_delay() {
    let batch = Planner::default().block(&rules(BOB), &block(5, [post("a")]));
    let plan = Plan {
        key: key("alice", "a"),
        ask: Ask {
            rule: rule("bob"),
            origin: Origin::Author,
            weight: Weight::clamped(5_000),
            due_at: time(5) + TimeDelta::minutes(5),
            block: 5,
            at: time(5),
            leader: None,
        },
        may_be_edit: true,
    };
    assert_eq!(batch.changes, [Change::Plan(plan)]);
    assert_eq!(batch.cursor, None);
}

#[test]
fn a_leaders_vote_plans_a_vote_that_is_due_after_the_delay() {
    let batch = Planner::default().block(
        &rules(TRAIL),
        &block(5, [vote("curie", "a", 0), vote("curie", "a", 60)]),
    );
    let plan = Plan {
        key: key("alice", "a"),
        ask: Ask {
            rule: rule("trail"),
            origin: Origin::Trail,
            weight: Weight::clamped(3_000),
            due_at: time(5) + TimeDelta::seconds(30),
            block: 5,
            at: time(5),
            leader: Some((account("curie"), Weight::clamped(6_000))),
        },
        may_be_edit: false,
    };
    assert_eq!(batch.changes, [Change::Plan(plan)]);
    assert_eq!(batch.leader_votes.len(), 2);
}

#[test]
fn the_first_rule_that_matches_has_the_post_for_each_voter() {
    let text = "\
        [[author]]\nname = 'off'\nenabled = false\nauthors = ['bob']\nweight = '1%'\n\
        [[author]]\nname = 'comments'\nkind = 'comments'\nauthors = ['bob']\nweight = '1%'\n\
        [[author]]\nname = 'others'\nauthors = ['carol']\nweight = '1%'\n\
        [[author]]\nname = 'first'\nauthors = ['bob']\nweight = '1%'\n\
        [[author]]\nname = 'second'\nvoters = ['alice', 'dave']\nauthors = ['bob']\nweight = '1%'\n\
        [[author]]\nname = 'third'\nvoters = ['dave', 'alice']\nauthors = ['bob']\nweight = '1%'\n";
    assert_eq!(
        plans_of(text, [post("a")]),
        [
            "alice by first",
            "alice by second",
            "alice by third",
            "dave by second",
            "dave by third"
        ]
    );
    assert_eq!(plans_of(text, [reply("a")]), ["alice by comments"]);
    let rules = rules(text);
    let mut table = Table::new(&rules);
    table.block(5, [post("a")]);
    let by = |voter| {
        let row = table.rows().remove(&key(voter, "a")).unwrap();
        row.ask().rule.clone()
    };
    assert_eq!((by("alice"), by("dave")), (rule("first"), rule("second")));
}

#[test]
fn the_first_trail_that_follows_has_the_post_for_each_voter() {
    let text = "\
        [[trail]]\nname = 'down'\ndownvotes = 'only'\nleaders = ['curie']\nweight = '1%'\n\
        [[trail]]\nname = 'strong'\nmin_leader_weight = '90%'\nleaders = ['curie']\nweight = '1%'\n\
        [[trail]]\nname = 'carols'\nauthors = ['carol']\nleaders = ['curie']\nweight = '1%'\n\
        [[trail]]\nname = 'never-bob'\nexcept = ['bob']\nleaders = ['curie']\nweight = '1%'\n\
        [[trail]]\nname = 'first'\nleaders = ['ocd', 'curie']\nweight = '1%'\n\
        [[trail]]\nname = 'second'\nvoters = ['alice', 'dave']\nleaders = ['curie']\nweight = '1%'\n";
    assert_eq!(
        plans_of(text, [vote("curie", "a", 50)]),
        ["alice by first", "alice by second", "dave by second"]
    );
    assert_eq!(
        plans_of(text, [vote("curie", "a", 90)]),
        [
            "alice by strong",
            "alice by first",
            "alice by second",
            "dave by second"
        ]
    );
    assert_eq!(plans_of(text, [vote("curie", "a", -50)]), ["alice by down"]);
}

#[test]
fn authors_do_not_vote_on_their_own_posts_and_leaders_do_not_follow_themselves() {
    let text = "voters = ['bob', 'alice', 'curie']\nauthors = ['bob']\nweight = '1%'\n";
    assert_eq!(
        plans_of(&format!("[[author]]\nname = 'x'\n{text}"), [post("a")]),
        ["alice by x", "curie by x"]
    );
    // Votes of our own voters lead others.
    assert_eq!(
        plans_of(
            &format!("[[trail]]\nname = 'x'\nleaders = ['curie']\n{text}"),
            [vote("curie", "a", 50)]
        ),
        ["alice by x"]
    );
}

#[test]
fn a_comment_operation_on_a_permlink_seen_before_is_an_edit() {
    let rules = rules(&BOB.replace("'bob'\n", "'bob'\nkind = 'all'\n"));
    let mut planner = Planner::default();
    let mut read = |num, bodies: Vec<_>| plans(&planner.block(&rules, &block(num, bodies)));
    assert_eq!(read(5, vec![patch("a")]), NOTHING);
    assert_eq!(read(6, vec![post("a"), post("a")]), ["alice by bob"]);
    assert_eq!(
        read(7, vec![post("a"), patch("a"), post("A")]),
        ["alice by bob"]
    );
    assert_eq!(read(8, vec![reply("c")]), ["alice by bob"]);
    assert_eq!(read(9, vec![reply("c")]), NOTHING);
}

#[test]
fn a_post_that_was_deleted_and_published_again_is_known_to_be_new() {
    let rules = rules(BOB);
    let mut planner = Planner::default();
    planner.block(&rules, &block(5, [post("a"), delete("a")]));
    let batch = planner.block(&rules, &block(6, [post("a")]));
    let Change::Plan(plan) = &batch.changes[0] else {
        panic!("{batch:?}");
    };
    assert!(!plan.may_be_edit);
    assert_eq!(
        planner.block(&rules, &block(7, [post("a")])),
        Batch::default()
    );
}

#[test]
fn votes_of_our_voters_are_seen_whoever_cast_them() {
    let batch = Planner::default().block(
        &rules(BOB),
        &block(
            5,
            [
                vote("alice", "a", -7),
                vote("dave", "a", 7),
                vote("alice", "a", 0),
            ],
        ),
    );
    let seen = |percent: i64| {
        Change::Seen(Seen {
            key: key("alice", "a"),
            weight: Weight::clamped(percent * 100),
            trx_id: "trx-5".to_owned(),
            block_num: 5,
            at: time(5),
        })
    };
    assert_eq!(batch.changes, [seen(-7), seen(0)]);
}

#[test]
fn a_leader_who_changes_a_vote_changes_the_weight_and_not_the_moment() {
    let rules = rules(&format!(
        "{TRAIL}min_leader_weight = '10%'\ndownvotes = 'follow'\n"
    ));
    let mut table = Table::new(&rules);
    table.block(5, [vote("curie", "a", 60)]);
    let due_at = table.row("a").ask().due_at;
    for (num, percent, expected) in [
        (6, 100, "queued trail 5000 @5"),
        (7, -30, "queued trail -1500 @5"),
        (
            8,
            9,
            "withdrawn trail -1500 @5 (@curie no longer votes on it)",
        ),
    ] {
        table.block(num, [vote("curie", "a", percent)]);
        assert_eq!(table.brief("a"), expected);
        assert_eq!(table.row("a").ask().due_at, due_at);
    }
    table.block(9, [vote("curie", "a", 80)]);
    assert_eq!(table.brief("a"), "queued trail 4000 @9");
    assert_eq!(
        table.row("a").ask().due_at,
        time(9) + TimeDelta::seconds(30)
    );
}

#[test]
fn a_vote_is_withdrawn_with_the_last_leader_who_has_one() {
    let rules = rules(TRAIL);
    let mut table = Table::new(&rules);
    table.block(5, [vote("curie", "a", 60)]);
    table.block(6, [vote("ocd", "a", 20)]);
    // The other leader's vote changes nothing while the first one's is followed.
    table.block(7, [vote("ocd", "a", 40)]);
    assert_eq!(table.brief("a"), "queued trail 3000 @5");
    table.block(8, [vote("curie", "a", 0)]);
    assert_eq!(table.brief("a"), "queued trail 2000 @5");
    // From now on it is the other's vote that is followed.
    table.block(9, [vote("ocd", "a", 80)]);
    assert_eq!(table.brief("a"), "queued trail 4000 @5");
    table.block(10, [vote("ocd", "a", 0)]);
    assert_eq!(
        table.brief("a"),
        "withdrawn trail 4000 @5 (@ocd no longer votes on it)"
    );
}

#[test]
fn a_leader_who_is_not_followed_any_more_does_not_keep_a_vote() {
    let rules = rules(TRAIL);
    let mut table = Table::new(&rules);
    table.block(5, [vote("curie", "a", 60), vote("ocd", "a", 20)]);
    table.block(6, [vote("ocd", "a", -20)]);
    table.block(7, [vote("curie", "a", 0)]);
    assert_eq!(table.row("a").status.as_str(), "withdrawn");
}

#[test]
fn leaders_are_followed_over_a_restart() {
    let rules = rules(TRAIL);
    let mut table = Table::new(&rules);
    let first = table
        .planner
        .block(&rules, &block(5, [vote("curie", "a", 60)]));
    let second = table
        .planner
        .block(&rules, &block(6, [vote("ocd", "a", 20)]));
    table.write(&first, time(5));
    table.write(&second, time(6));
    // As a table gives them: in any order.
    table.planner = Planner::new([second.leader_votes, first.leader_votes].concat());
    table.block(7, [vote("curie", "a", 0)]);
    assert_eq!(table.brief("a"), "queued trail 1000 @5");
}

#[test]
fn what_undone_blocks_told_is_forgotten() {
    let rules = rules(&format!("{BOB}{TRAIL}"));
    let mut planner = Planner::default();
    planner.block(
        &rules,
        &block(5, [post("a"), delete("b"), vote("curie", "b", 60)]),
    );
    let six = [
        post("c"),
        delete("a"),
        post("a"),
        post("b"),
        vote("curie", "b", 0),
    ];
    planner.block(&rules, &block(6, six));
    planner.undo(5);
    let batch = planner.block(
        &rules,
        &block(6, [post("a"), post("b"), post("c"), vote("curie", "b", 80)]),
    );
    // As if it were the first time: an edit, a post published again, a post, and a change from 60 %.
    assert_eq!(
        plans(&batch),
        ["alice by bob", "alice by bob", "alice by trail"]
    );
    let may_be_edit = batch.changes.iter().filter_map(|change| match change {
        Change::Plan(plan) => Some((&*plan.key.post.permlink, plan.may_be_edit)),
        _ => None,
    });
    assert_eq!(
        may_be_edit.collect::<Vec<_>>(),
        [("b", false), ("c", true), ("b", false)]
    );
    assert!(matches!(&batch.changes[2], Change::Follow(follow) if follow.now.is_some()));
}

#[test]
fn reading_blocks_again_tells_the_same_again() {
    let rules = rules(&format!("{BOB}{TRAIL}"));
    let blocks = [
        block(5, [post("a"), vote("curie", "b", 60)]),
        block(6, [vote("ocd", "b", 20), delete("a")]),
        block(7, [post("a"), vote("curie", "b", 0)]),
    ];
    let mut planner = Planner::default();
    let first: Vec<_> = blocks
        .iter()
        .map(|block| planner.block(&rules, block))
        .collect();
    let again: Vec<_> = blocks
        .iter()
        .map(|block| planner.block(&rules, block))
        .collect();
    assert_eq!(first, again);
    // Likewise after a restart, which leaves only the leaders' votes.
    let votes = first.iter().flat_map(|batch| batch.leader_votes.clone());
    let mut planner = Planner::new(votes.collect());
    let after_restart = planner.block(&rules, &blocks[0]);
    assert_eq!(after_restart, first[0]);
}

#[test]
fn what_is_paid_out_is_forgotten() {
    let rules = rules(&format!("{BOB}{TRAIL}"));
    let mut planner = Planner::default();
    planner.block(
        &rules,
        &block(5, [post("a"), delete("b"), vote("curie", "c", 60)]),
    );
    let blocks_in = |time: Duration| (time.as_secs() / 3) as u32;
    let week = blocks_in(Duration::from_secs(7 * 86_400));
    planner.block(&rules, &block(week, []));
    let sizes = |planner: &Planner| [planner.fates.len(), planner.leader_votes.len()];
    assert_eq!(sizes(&planner), [2, 1]);
    planner.block(
        &rules,
        &block(week + blocks_in(Duration::from_secs(3_600)), []),
    );
    assert_eq!(sizes(&planner), [0, 0]);
}

#[test]
fn posts_of_others_and_operations_of_no_account_of_ours_change_nothing() {
    let rules = rules(TRAIL);
    let batch = Planner::default().block(&rules, &block(5, [post("a"), vote("dave", "a", 50)]));
    assert_eq!(batch, Batch::default());
}
