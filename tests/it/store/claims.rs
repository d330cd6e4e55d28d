//! Claims on votes, and leases on what only one daemon does at a time.

use std::collections::HashSet;

use curatord::store::Store;
use curatord::votes::change::{Outcome, Plan};
use curatord::votes::status::Status;
use curatord::votes::vote::Vote;
use futures_util::future::join_all;

use super::rows::{apply, at, cast, changes, key, plan, plans, report};
use crate::harness::database::Database;

async fn claim(store: &Store, owner: &str, now: i64, limit: u32) -> Vec<Vote> {
    store
        .claim(owner, at(now), at(now + 30), at(now + 15), limit)
        .await
        .unwrap()
}

fn voters(votes: &[Vote]) -> Vec<&str> {
    votes.iter().map(|vote| vote.key.voter.as_str()).collect()
}

fn due(voter: &str, seconds: i64) -> Plan {
    let mut plan = plan(voter, "a-post");
    plan.ask.due_at = at(seconds);
    plan
}

pub async fn what_is_due_soonest_is_claimed_first(database: &Database) {
    let store = database.store().await;
    let batch = plans([
        due("third", 120),
        due("first", 100),
        due("fourth", 131),
        due("second", 110),
    ]);
    apply(&store, &batch).await;
    assert_eq!(
        voters(&claim(&store, "one", 100, 2).await),
        ["first", "second"]
    );
    assert_eq!(voters(&claim(&store, "one", 100, 9).await), ["third"]);
    assert_eq!(claim(&store, "one", 100, 9).await, []);
    assert_eq!(voters(&claim(&store, "one", 102, 9).await), ["fourth"]);
}

pub async fn a_row_that_cannot_be_read_keeps_no_other_back(database: &Database) {
    let store = database.store().await;
    let batch = plans([due("first", 100), due("second", 110), due("third", 120)]);
    apply(&store, &batch).await;
    for broken in [
        "UPDATE votes SET origin = 'moon' WHERE voter = 'first'",
        "UPDATE votes SET due_at = '1999-01-01 00:00:00.000' WHERE voter = 'second'",
    ] {
        database.execute(broken).await;
    }
    assert_eq!(voters(&claim(&store, "one", 100, 9).await), ["third"]);
    assert_eq!(store.vote(&key("first", "a-post")).await.unwrap(), None);
}

pub async fn what_is_held_is_not_claimed_again_until_the_hold_ends(database: &Database) {
    let store = database.store().await;
    apply(&store, &plans([due("alice", 100)])).await;
    assert_eq!(claim(&store, "one", 100, 9).await.len(), 1);
    assert_eq!(claim(&store, "two", 115, 9).await, []);
    assert_eq!(claim(&store, "two", 116, 9).await.len(), 1);
    assert_eq!(claim(&store, "one", 116, 9).await, []);
}

pub async fn a_claimed_vote_names_the_daemon_that_held_it_before(database: &Database) {
    let store = database.store().await;
    apply(&store, &plans([due("alice", 100)])).await;
    let first = claim(&store, "one", 100, 9).await;
    assert_eq!(first[0].claimed_by, None);
    let second = claim(&store, "two", 200, 9).await;
    assert_eq!(second[0].claimed_by.as_deref(), Some("one"));
    let row = store.vote(&second[0].key).await.unwrap().unwrap();
    assert_eq!(row.claimed_by.as_deref(), Some("two"));
    assert_eq!(row.claimed_until, Some(at(215)));
}

pub async fn what_is_not_queued_is_not_claimed(database: &Database) {
    let store = database.store().await;
    apply(
        &store,
        &plans([due("alice", 100), due("carol", 100), due("dave", 100)]),
    )
    .await;
    let batch = changes([
        report("alice", "a-post", cast(at(110))),
        report("carol", "a-post", Outcome::Skipped("no".to_owned().into())),
    ]);
    apply(&store, &batch).await;
    assert_eq!(voters(&claim(&store, "one", 100, 9).await), ["dave"]);
}

pub async fn renewing_holds_only_what_the_owner_holds(database: &Database) {
    let store = database.store().await;
    apply(
        &store,
        &plans([due("alice", 100), due("carol", 101), due("dave", 102)]),
    )
    .await;
    claim(&store, "one", 100, 2).await;
    claim(&store, "two", 100, 1).await;
    assert_eq!(store.renew("one", at(500)).await.unwrap(), 2);
    assert_eq!(store.renew("nobody", at(500)).await.unwrap(), 0);
    assert_eq!(voters(&claim(&store, "three", 200, 9).await), ["dave"]);
}

pub async fn what_an_owner_holds_can_be_read(database: &Database) {
    let store = database.store().await;
    apply(
        &store,
        &plans([due("alice", 100), due("carol", 101), due("dave", 102)]),
    )
    .await;
    claim(&store, "one", 100, 2).await;
    claim(&store, "two", 100, 1).await;
    apply(&store, &changes([report("alice", "a-post", cast(at(110)))])).await;
    assert_eq!(voters(&store.held("one").await.unwrap()), ["carol"]);
    assert_eq!(store.held("nobody").await.unwrap(), []);
}

pub async fn released_votes_are_free_at_once(database: &Database) {
    let store = database.store().await;
    apply(
        &store,
        &plans([due("alice", 100), due("carol", 101), due("dave", 102)]),
    )
    .await;
    claim(&store, "one", 100, 2).await;
    claim(&store, "two", 100, 1).await;
    assert_eq!(store.release("one").await.unwrap(), 2);
    let again = claim(&store, "three", 100, 9).await;
    assert_eq!(voters(&again), ["alice", "carol"]);
    assert_eq!(again[0].claimed_by, None);
}

pub async fn cast_votes_are_looked_for_by_one_at_a_time(database: &Database) {
    let store = database.store().await;
    apply(
        &store,
        &plans([due("alice", 100), due("carol", 100), due("dave", 100)]),
    )
    .await;
    let batch = changes([
        report("alice", "a-post", cast(at(230))),
        report("carol", "a-post", cast(at(220))),
    ]);
    apply(&store, &batch).await;
    let look = async |now, limit| {
        store
            .claim_unconfirmed(at(now), at(now + 15), limit)
            .await
            .unwrap()
    };
    assert_eq!(look(219, 9).await, []);
    assert_eq!(voters(&look(230, 1).await), ["carol"]);
    let second = look(230, 9).await;
    assert_eq!(voters(&second), ["alice"]);
    assert_eq!(
        (second[0].status, second[0].next_attempt_at),
        (Status::Cast, at(230))
    );
    assert_eq!(look(244, 9).await, []);
    assert_eq!(look(245, 9).await.len(), 2);
}

/// Ten claimers race for fifty rows, each with its own connection.
pub async fn many_who_claim_at_once_take_different_votes(database: &Database) {
    let store = database.store().await;
    let batch = plans((0..50).map(|voter| due(&format!("voter-{voter}"), 100 + voter)));
    apply(&store, &batch).await;
    let stores = join_all((0..10).map(|_| database.store())).await;
    let race = stores.iter().enumerate().map(async |(owner, store)| {
        let owner = format!("owner-{owner}");
        let mut taken: Vec<(String, Vote)> = Vec::new();
        loop {
            let votes = store
                .claim(&owner, at(0), at(1_000), at(15), 3)
                .await
                .unwrap();
            if votes.is_empty() {
                return taken;
            }
            taken.extend(votes.into_iter().map(|vote| (owner.clone(), vote)));
        }
    });
    let taken = join_all(race).await.concat();
    let keys: HashSet<_> = taken.iter().map(|(_, vote)| &vote.key).collect();
    // A row that another one looks at just then is skipped and may be left over, but never doubled.
    assert_eq!(keys.len(), taken.len());
    let rest = store
        .claim("last", at(0), at(1_000), at(15), 50)
        .await
        .unwrap();
    assert_eq!(taken.len() + rest.len(), 50);
    for (owner, vote) in &taken {
        let row = store.vote(&vote.key).await.unwrap().unwrap();
        assert_eq!(row.claimed_by.as_ref(), Some(owner));
    }
}

pub async fn planning_claiming_renewing_and_reporting_at_once_all_succeed(database: &Database) {
    let stores = join_all((0..4).map(|_| database.store())).await;
    let names: Vec<String> = (0..100).map(|voter| format!("voter-{voter}")).collect();
    let forth = plans(names.iter().map(|voter| due(voter, 100)));
    let reports = changes(names.iter().rev().map(|voter| {
        let later = Outcome::Later {
            next_attempt_at: at(90),
            due_at: None,
            reason: None,
            hold: true,
        };
        report(voter, "a-post", later)
    }));
    let race = stores.iter().enumerate().map(async |(owner, store)| {
        let owner = format!("owner-{owner}");
        for round in 0..10 {
            apply(store, &forth).await;
            claim(store, &owner, 100 + 16 * round, 30).await;
            store.renew(&owner, at(115 + 16 * round)).await.unwrap();
            apply(store, &reports).await;
            store.release(&owner).await.unwrap();
        }
    });
    join_all(race).await;
    assert_eq!(database.number("SELECT COUNT(*) FROM votes").await, 100);
}

pub async fn a_lease_has_one_holder(database: &Database) {
    let store = database.store().await;
    let take = async |owner, now| {
        store
            .acquire_lease("chain", owner, at(now), at(now + 15))
            .await
            .unwrap()
    };
    assert!(take("one", 0).await);
    assert!(!take("two", 5).await);
    assert!(take("one", 5).await, "its holder renews it");
    assert!(take("one", 5).await, "also without a change");
    assert!(!take("two", 19).await);
    assert!(take("two", 20).await, "it ran out");
    assert!(!take("one", 20).await);
    assert!(
        store
            .acquire_lease("refresh", "one", at(20), at(35))
            .await
            .unwrap()
    );
}

pub async fn a_lease_given_up_is_free(database: &Database) {
    let store = database.store().await;
    assert!(
        store
            .acquire_lease("chain", "one", at(0), at(15))
            .await
            .unwrap()
    );
    store.release_lease("chain", "two").await.unwrap();
    assert!(
        !store
            .acquire_lease("chain", "two", at(1), at(15))
            .await
            .unwrap()
    );
    store.release_lease("chain", "one").await.unwrap();
    assert!(
        store
            .acquire_lease("chain", "two", at(1), at(15))
            .await
            .unwrap()
    );
}

pub async fn many_who_want_a_lease_at_once_do_not_both_get_it(database: &Database) {
    let stores = join_all((0..6).map(|_| database.store())).await;
    let race = stores.iter().enumerate().map(async |(owner, store)| {
        let owner = format!("owner-{owner}");
        store
            .acquire_lease("chain", &owner, at(0), at(15))
            .await
            .unwrap()
    });
    let got: Vec<_> = join_all(race)
        .await
        .into_iter()
        .filter(|got| *got)
        .collect();
    assert_eq!(got.len(), 1);
}

#[tokio::test]
async fn a_restarted_daemon_takes_its_predecessors_votes_at_once() {
    let database = Database::sqlite().await;
    let store = database.store().await;
    apply(&store, &plans([due("alice", 100)])).await;
    claim(&store, "one", 100, 9).await;
    assert!(
        store
            .acquire_lease("chain", "one", at(100), at(115))
            .await
            .unwrap()
    );
    assert_eq!(claim(&store, "two", 101, 9).await, []);
    assert_eq!(store.free_all_claims().await.unwrap(), 1);
    let taken = claim(&store, "two", 101, 9).await;
    assert_eq!(taken[0].key, key("alice", "a-post"));
    assert_eq!(
        taken[0].claimed_by.as_deref(),
        Some("one"),
        "it may have cast it"
    );
    assert!(
        store
            .acquire_lease("chain", "two", at(101), at(116))
            .await
            .unwrap()
    );
}
