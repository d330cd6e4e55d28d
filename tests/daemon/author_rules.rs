//! What `[[author]]` rules make of what people publish.

use chrono::TimeDelta;
use curatord::queue::vote::{Origin, Status};

use crate::harness::{Database, Installation, PATIENCE, on_each_database};

on_each_database! {
    a_new_post_is_voted_on_at_its_weight_and_on_time,
}

/// A request may leave so much after its vote is due on a machine that is busy with other tests.
const LATE_AT_MOST: TimeDelta = TimeDelta::milliseconds(500);

async fn a_new_post_is_voted_on_at_its_weight_and_on_time(database: &Database) {
    let site = Installation::new(database).await;
    site.rules(
        "friends.toml",
        r#"
        voters = ["alice"]
        [[author]]
        name = "favourites"
        authors = ["bob"]
        weight = "12.5%"
        delay = "3s"
        "#,
    );
    site.voter("alice").await;
    let daemon = site.start().await;

    let post = site.sandbox.publish("bob", "a-post");
    let queued = site.row_is("alice", &post, Status::Queued).await;
    let block_time = site
        .sandbox
        .with_chain(|chain| chain.block(queued.event_block).unwrap().timestamp);
    assert_eq!(queued.due_at, block_time + TimeDelta::seconds(3));
    assert_eq!(queued.rule.as_str(), "friends.toml:favourites");
    assert_eq!(queued.origin, Origin::Author);

    let seen = site.sandbox.wait_for_vote("alice", &post, PATIENCE).await;
    let seen = seen.unwrap();
    assert_eq!(seen.weight, 1250);
    let requests = site
        .sandbox
        .signer()
        .endpoint()
        .requests
        .broadcasts("alice", &post);
    assert_eq!(requests.len(), 1);
    let late = requests[0].arrived - queued.due_at;
    assert!(late >= TimeDelta::zero(), "{late} early");
    assert!(late < LATE_AT_MOST, "{late} late");

    let row = site.row_is("alice", &post, Status::Confirmed).await;
    assert_eq!(row.block_num, Some(seen.block));
    assert_eq!(row.attempts, 1);
    assert!(row.trx_id.is_some());
    assert_eq!(row.reason, None);
    daemon.stop().await;
}
