//! The cursor and the votes of leaders.

use curatord::votes::change::{Batch, Cursor, LeaderVote};

use super::rows::{apply, at, leader_vote};
use crate::harness::database::Database;

fn cursor(block_num: u32) -> Cursor {
    Cursor {
        block_num,
        block_id: format!("{block_num:040x}"),
        block_time: at(i64::from(block_num)),
        recent: (block_num.saturating_sub(2_000)..=block_num)
            .map(|num| (num, format!("{num:040x}")))
            .collect(),
    }
}

fn leaders(votes: Vec<LeaderVote>) -> Batch {
    Batch {
        leader_votes: votes,
        ..Batch::default()
    }
}

pub async fn a_new_database_has_no_cursor(database: &Database) {
    let store = database.store().await;
    assert_eq!(store.cursor().await.unwrap(), None);
    assert_eq!(store.leader_votes().await.unwrap(), []);
    store.ping().await.unwrap();
}

pub async fn an_error_names_the_call_and_not_its_statement(database: &Database) {
    let store = database.store().await;
    database.execute("DROP TABLE chain_cursor").await;
    let error = store.cursor().await.unwrap_err().to_string();
    assert!(error.contains("read the cursor"), "{error}");
    assert!(!error.contains("SELECT"), "{error}");
}

pub async fn the_cursor_comes_back_as_it_was_written(database: &Database) {
    let store = database.store().await;
    for block in [90_000_000, u32::MAX, 5] {
        let batch = Batch {
            cursor: Some(cursor(block)),
            ..Batch::default()
        };
        apply(&store, &batch).await;
        apply(&store, &Batch::default()).await;
        assert_eq!(store.cursor().await.unwrap(), Some(cursor(block)));
    }
    assert_eq!(
        database.number("SELECT COUNT(*) FROM chain_cursor").await,
        1
    );
}

pub async fn leaders_votes_are_kept_by_block(database: &Database) {
    let store = database.store().await;
    let first = leader_vote("curie", "a-post", 10_000, 10);
    let again = leader_vote("curie", "a-post", 0, 12);
    let other = leader_vote("curie", "A-post", -5, 11);
    let doubled = leader_vote("dana", "a-post", 1, 13);
    let last = leader_vote("dana", "a-post", 2, 13);
    apply(
        &store,
        &leaders(vec![again.clone(), first.clone(), doubled]),
    )
    .await;
    apply(
        &store,
        &leaders(vec![other.clone(), first.clone(), last.clone()]),
    )
    .await;
    assert_eq!(
        store.leader_votes().await.unwrap(),
        [first, other, again, last]
    );
}

pub async fn undone_blocks_take_leaders_votes_along(database: &Database) {
    let store = database.store().await;
    let first = leader_vote("curie", "a-post", 10_000, 10);
    let undone = leader_vote("curie", "a-post", 0, 11);
    let instead = leader_vote("curie", "a-post", 500, 11);
    apply(&store, &leaders(vec![first.clone(), undone])).await;
    let fork = Batch {
        undo_above: Some(10),
        ..leaders(vec![instead.clone()])
    };
    apply(&store, &fork).await;
    assert_eq!(store.leader_votes().await.unwrap(), [first, instead]);
}

pub async fn old_leaders_votes_are_forgotten(database: &Database) {
    let store = database.store().await;
    let votes: Vec<_> = (10..13)
        .map(|block| leader_vote("curie", "a-post", 1, block))
        .collect();
    apply(&store, &leaders(votes.clone())).await;
    assert_eq!(store.prune_leader_votes(at(12)).await.unwrap(), 2);
    assert_eq!(store.leader_votes().await.unwrap(), votes[2..]);
}
