//! Votes that people cast themselves are never changed.

use curatord::votes::status::Status;
use curatord::votes::vote::Vote;

use crate::harness::{Database, Installation, on_each_database};

on_each_database! {
    a_vote_by_hand_before_ours_is_due_stays_as_it_is,
    a_vote_by_hand_that_was_taken_back_means_no_too,
    a_vote_by_hand_found_on_the_post_when_ours_is_due_stays_as_it_is,
}

const RULES: &str = r#"
    voters = ["alice"]
    [[author]]
    authors = ["bob"]
    weight = "10%"
    delay = "3s"
    [[trail]]
    leaders = ["curie"]
    weight = "10%"
"#;

fn is_by_hand(row: &Vote) -> bool {
    row.status == Status::Skipped && row.is_by_hand()
}

async fn a_vote_by_hand_before_ours_is_due_stays_as_it_is(database: &Database) {
    let site = Installation::new(database).await;
    site.rules("friends.toml", RULES);
    site.voter("alice").await;
    let daemon = site.start().await;
    let post = site.sandbox.publish("bob", "a-post");
    site.row_is("alice", &post, Status::Queued).await;
    site.sandbox.vote("alice", &post, 4_200).unwrap();
    site.row_where("alice", &post, "is skipped", is_by_hand)
        .await;

    // The vote on a later post goes out, so this one's moment has passed.
    let later = site.sandbox.publish("bob", "a-later-post");
    site.row_is("alice", &later, Status::Confirmed).await;
    // Nor does another rule have it then.
    site.sandbox.vote("curie", &post, 10_000).unwrap();
    site.next_block_is_read().await;
    site.next_block_is_read().await;
    assert_eq!(site.votes_in_blocks("alice", &post), [4_200]);
    assert_eq!(site.broadcasts("alice", &post).len(), 0);
    assert!(is_by_hand(&site.row("alice", &post).await.unwrap()));
    daemon.stop().await;
}

async fn a_vote_by_hand_that_was_taken_back_means_no_too(database: &Database) {
    let site = Installation::new(database).await;
    site.rules("friends.toml", RULES);
    site.voter("alice").await;
    let daemon = site.start().await;
    let post = site.sandbox.publish("bob", "a-post");
    site.next_block_is_read().await;
    site.sandbox.vote("alice", &post, 4_200).unwrap();
    site.next_block_is_read().await;
    site.sandbox.vote("alice", &post, 0).unwrap();
    site.row_where("alice", &post, "is skipped", is_by_hand)
        .await;

    let later = site.sandbox.publish("bob", "a-later-post");
    site.row_is("alice", &later, Status::Confirmed).await;
    assert_eq!(site.votes_in_blocks("alice", &post), [4_200, 0]);
    assert_eq!(site.broadcasts("alice", &post).len(), 0);
    assert!(is_by_hand(&site.row("alice", &post).await.unwrap()));
    daemon.stop().await;
}

async fn a_vote_by_hand_found_on_the_post_when_ours_is_due_stays_as_it_is(database: &Database) {
    let site = Installation::new(database).await;
    site.rules("friends.toml", RULES);
    // The daemon never sees the block of this vote.
    let post = site.sandbox.publish("bob", "a-post");
    site.sandbox.produce_block();
    site.sandbox.vote("alice", &post, 4_200).unwrap();
    site.sandbox.produce_block();
    site.sandbox.produce_block();
    site.voter("alice").await;
    let daemon = site.start().await;
    site.sandbox.vote("curie", &post, 10_000).unwrap();
    site.row_where("alice", &post, "is skipped", is_by_hand)
        .await;
    assert_eq!(site.broadcasts("alice", &post).len(), 0);
    assert_eq!(site.votes_in_blocks("alice", &post), [4_200]);
    daemon.stop().await;
}
