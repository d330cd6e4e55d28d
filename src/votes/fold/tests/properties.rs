//! What holds whatever happens in the blocks.

use std::collections::HashSet;

use chrono::TimeDelta;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::select;

use super::*;
use crate::chain::block::OperationBody;
use crate::rules::set::RuleSet;
use crate::votes::tests::{Table, accepted, bobs, delete, post, rules, time, vote};

/// Several rules for the same posts, some with and some without delay.
fn many_rules() -> RuleSet {
    rules(
        "[[trail]]\nname = 'first'\nvoters = ['alice', 'dave']\nleaders = ['ada']\nweight = '10%'\ndelay = '5s'\n\
        [[author]]\nname = 'bob'\nauthors = ['bob']\nweight = '50%'\ndelay = '20s'\n\
        [[trail]]\nname = 'second'\nleaders = ['curie', 'ocd']\n\
        weight = { scale = '50%' }\ndownvotes = 'follow'\n",
    )
}

/// Operations on posts of these names.
fn operation(permlinks: &'static [&'static str]) -> impl Strategy<Value = OperationBody> {
    let permlink = select(permlinks);
    let weight = select(&[0, 0, 25, 40, 50, 80, -50][..]);
    prop_oneof![
        6 => (select(&["ada", "curie", "ocd"][..]), permlink.clone(), weight.clone())
            .prop_map(|(leader, permlink, percent)| vote(leader, permlink, percent)),
        1 => (permlink.clone(), weight).prop_map(|(permlink, percent)| vote("alice", permlink, percent)),
        2 => permlink.clone().prop_map(post),
        1 => permlink.prop_map(delete),
    ]
}

/// A block in which nobody votes twice on a post.
fn bodies(permlinks: &'static [&'static str]) -> impl Strategy<Value = Vec<OperationBody>> {
    vec(operation(permlinks), 0..4).prop_map(|mut bodies| {
        let mut seen = HashSet::new();
        bodies.retain(|body| match body {
            OperationBody::Vote(vote) => seen.insert((vote.voter.clone(), vote.post.clone())),
            _ => true,
        });
        bodies
    })
}

fn horizon() -> impl Strategy<Value = TimeDelta> {
    prop_oneof![Just(TimeDelta::days(-1_000)), Just(TimeDelta::seconds(30))]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        4 => Just(accepted(6)),
        1 => Just(Outcome::Confirmed),
        1 => Just(Outcome::Recast { at: time(7) }),
        1 => Just(Outcome::Failed("no".to_owned().into())),
        1 => Just(Outcome::Skipped("no".to_owned().into())),
        1 => Just(Outcome::Skipped(Reason::VotedByHand)),
        1 => Just(Outcome::Withdrawn("no".to_owned().into())),
        1 => Just(Outcome::DryRun),
        1 => Just(Outcome::Later {
            next_attempt_at: time(20),
            due_at: None,
            reason: None,
            hold: true,
        }),
    ]
}

/// What of a row counts: for what is queued all that will be cast, else how it ended.
fn essence(row: &Vote) -> (Status, Option<String>) {
    let queued = (row.status == Status::Queued).then(|| format!("{:?}", row.ask()));
    (row.status, queued)
}

fn essences(table: &Table<'_>) -> Vec<(VoteKey, (Status, Option<String>))> {
    let rows = table.rows().into_iter();
    rows.map(|(key, row)| (key, essence(&row))).collect()
}

const POSTS: &[&str] = &["a", "b"];

/// As [`bodies`], but every post has one leader who votes on it.
///
/// With two, the later vote of one may bring back what the other has withdrawn, if it is read once more.
fn bodies_with_one_leader(
    permlinks: &'static [&'static str],
) -> impl Strategy<Value = Vec<OperationBody>> {
    bodies(permlinks).prop_map(|mut bodies| {
        bodies.retain(|body| match body {
            OperationBody::Vote(vote) => match &*vote.post.permlink {
                "a" => ["ada", "alice"].contains(&vote.voter.as_str()),
                _ => ["ocd", "alice"].contains(&vote.voter.as_str()),
            },
            _ => true,
        });
        bodies
    })
}

/// Blocks as a chain can have them: no vote on a post that is not there, and none of the posts in them
/// deleted, as they have votes.
fn possible(mut blocks: Vec<Vec<OperationBody>>) -> Vec<Vec<OperationBody>> {
    let mut there: HashSet<_> = POSTS.iter().copied().map(bobs).collect();
    for bodies in &mut blocks {
        bodies.retain(|body| match body {
            OperationBody::Comment(comment) => {
                there.insert(comment.post.clone());
                true
            }
            OperationBody::Vote(vote) => there.contains(&vote.post),
            _ => false,
        });
    }
    blocks
}

/// What a row says of a vote that is over.
fn result(row: &Vote) -> impl PartialEq + std::fmt::Debug + use<> {
    let ask = row.ask();
    (
        (row.status, row.reason.clone(), row.cast_at, row.attempts),
        (row.trx_id.clone(), row.block_num, row.claimed_by.clone()),
        (ask.rule.clone(), ask.origin, ask.weight, ask.block),
    )
}

proptest! {
    /// One daemon casts the vote, another one sends the same and is told that it is identical, and the block is read.
    #[test]
    fn cast_seen_and_identical_come_to_the_same_row_in_any_order(
        state in select(&["queued", "in flight", "tried"][..]),
        trx_id in select(vec![None, Some("trx-9".to_owned())]),
        order in Just(vec![0, 1, 2, 0, 1, 2]).prop_shuffle(),
    ) {
        let rules = rules(TRAILS);
        let of = |row: &Vote, outcome| Report { attempts: 1, ..Report::of(row, outcome, time(10)) };
        let cast = Outcome::Cast { trx_id, cast_at: time(8), check_at: time(40) };
        let play = |order: &[i32]| {
            let mut table = in_state(&rules, state);
            let reports = [cast.clone(), Outcome::Skipped(Reason::VotedByHand)];
            let [cast, identical] = reports.map(|outcome| of(table.row("a"), outcome));
            for number in order {
                match number {
                    0 => table.write_report(cast.clone(), time(10)),
                    1 => table.write_report(identical.clone(), time(10)),
                    _ => table.block(9, [vote("alice", "a", 25)]),
                }
            }
            table.row("a").clone()
        };
        let (straight, row) = (play(&[0, 2, 1]), play(&order));
        prop_assert_eq!(straight.status, Status::Confirmed);
        prop_assert_eq!(result(&row), result(&straight));
    }

    #[test]
    fn a_batch_that_is_written_twice_does_what_it_does_once(
        blocks in vec(bodies_with_one_leader(POSTS), 1..10).prop_map(possible),
        group in 1_usize..4,
        horizon in horizon(),
    ) {
        let rules = many_rules();
        let mut table = Table::new(&rules);
        table.claim_within(horizon);
        for (index, group) in blocks.chunks(group).enumerate() {
            let mut batch = Batch::default();
            let mut num = 0;
            for (offset, bodies) in group.iter().enumerate() {
                num = (index * 4 + offset + 1) as u32;
                let block = crate::votes::tests::block(num, bodies.clone());
                batch.changes.extend(table.planner.block(&rules, &block).changes);
            }
            table.write(&batch, time(num));
            let once = essences(&table);
            table.write(&batch, time(num));
            prop_assert_eq!(essences(&table), once);
        }
    }

    #[test]
    fn a_confirmed_vote_stays_as_it_is(
        blocks in vec((bodies(POSTS), select(POSTS), outcome()), 1..20),
    ) {
        let rules = many_rules();
        let mut table = Table::new(&rules);
        for (num, (bodies, permlink, outcome)) in (1..).zip(blocks) {
            let before = table.rows();
            table.block(num, bodies);
            if table.brief(permlink) != "nothing" {
                table.report(num, permlink, 1, outcome);
            }
            for (key, before) in before {
                if before.status == Status::Confirmed {
                    let row = table.rows().remove(&key).unwrap();
                    prop_assert_eq!(row.status, Status::Confirmed);
                    let (now, then) = (row.ask(), before.ask());
                    prop_assert_eq!((now.weight, &now.rule), (then.weight, &then.rule));
                    prop_assert!(before.block_num.is_none() || row.block_num == before.block_num);
                }
            }
        }
    }

    /// After a fork the transactions of the dropped branch come back in the new one, a little later and among
    /// others.
    #[test]
    fn a_fork_leaves_what_reading_only_its_new_branch_leaves(
        base in vec(bodies_with_one_leader(POSTS), 0..5).prop_map(possible),
        dropped in vec(bodies_with_one_leader(&["a", "b", "new"]), 1..4).prop_map(possible),
        others in vec(vec(operation(&["c"]), 0..2), 12),
    ) {
        let rules = many_rules();
        let new_branch: Vec<Vec<OperationBody>> = dropped
            .iter()
            .flatten()
            .zip(others)
            .map(|(body, mut block)| {
                block.push(body.clone());
                block
            })
            .collect();
        let read = |table: &mut Table<'_>, from: u32, blocks: &[Vec<OperationBody>]| {
            for (num, bodies) in (from..).zip(blocks) {
                table.block(num, bodies.clone());
            }
        };
        let known: Vec<_> = POSTS.iter().copied().map(post).collect();
        let base = [vec![known], base].concat();
        let above = base.len() as u32;
        let mut forked = Table::new(&rules);
        read(&mut forked, 1, &base);
        read(&mut forked, above + 1, &dropped);
        forked.undo(above + 4, above);
        read(&mut forked, above + 1, &new_branch);
        let mut straight = Table::new(&rules);
        read(&mut straight, 1, &base);
        read(&mut straight, above + 1, &new_branch);
        prop_assert_eq!(essences(&forked), essences(&straight));
    }
}
