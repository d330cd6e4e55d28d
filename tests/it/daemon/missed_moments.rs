//! What happened and what became due while the daemon was down is made up.

use chrono::TimeDelta;
use curatord::clock::Clock;
use curatord::network::ChainKind;
use curatord::sandbox::SandboxConfig;
use curatord::votes::status::Status;

use crate::harness::{Database, Installation, on_each_database};

on_each_database! {
    what_became_due_while_it_was_down_goes_out_at_once_oldest_first,
    a_vote_that_was_queued_goes_out_when_it_is_back,
}

async fn what_became_due_while_it_was_down_goes_out_at_once_oldest_first(database: &Database) {
    let now = Clock::system().now();
    let mut config = SandboxConfig::manual(ChainKind::Hive);
    config.first_time = Some(now - TimeDelta::hours(2));
    let mut site = Installation::with(database, config).await;
    site.set("network.block_interval", "200ms");
    // One at a time, so that their order shows.
    site.set("signer.max_in_flight", "1");
    site.rules(
        "friends.toml",
        r#"
        [[author]]
        voters = ["alice"]
        authors = ["bob"]
        weight = "10%"
        delay = "5m"
        max_age = "1h"
        [[trail]]
        voters = ["erica"]
        leaders = ["curie"]
        weight = "10%"
        max_age = "1h"
        "#,
    );
    site.voters(&["alice", "erica"]).await;
    let daemon = site.start().await;
    daemon.stop().await;

    let publish_at = |minutes, permlink| {
        let post = site.sandbox.publish("bob", permlink);
        site.sandbox
            .produce_block_at(now - TimeDelta::minutes(minutes));
        post
    };
    let too_old = publish_at(90, "too-old");
    let oldest = publish_at(50, "oldest");
    let middle = publish_at(40, "middle");
    let newest = publish_at(30, "newest");
    // The leader's vote is new, the post is not.
    site.sandbox.vote("curie", &too_old, 10_000).unwrap();
    site.sandbox.vote("curie", &middle, 10_000).unwrap();
    site.sandbox.produce_block_at(now - TimeDelta::minutes(20));

    let daemon = site.start().await;
    for voter in ["alice", "erica"] {
        let row = site.row_is(voter, &too_old, Status::Skipped).await;
        assert!(row.reason.unwrap().to_string().contains("max_age"));
        assert_eq!(site.broadcasts(voter, &too_old).len(), 0);
    }
    let votes = [
        ("alice", &oldest),
        ("alice", &middle),
        ("alice", &newest),
        ("erica", &middle),
    ];
    let mut arrivals = Vec::new();
    for (voter, post) in votes {
        site.row_is(voter, post, Status::Cast).await;
        let requests = site.broadcasts(voter, post);
        assert_eq!(requests.len(), 1);
        arrivals.push(requests[0].arrived);
    }
    assert!(arrivals.is_sorted(), "{arrivals:?}");
    site.sandbox.produce_block();
    for (voter, post) in votes {
        site.row_is(voter, post, Status::Confirmed).await;
    }
    daemon.stop().await;
}

async fn a_vote_that_was_queued_goes_out_when_it_is_back(database: &Database) {
    let site = Installation::new(database).await;
    site.rules(
        "friends.toml",
        "voters = [\"alice\"]\n[[author]]\nauthors = [\"bob\"]\nweight = \"10%\"\ndelay = \"2s\"\n",
    );
    site.voter("alice").await;
    let daemon = site.start().await;
    let post = site.sandbox.publish("bob", "a-post");
    let row = site.row_is("alice", &post, Status::Queued).await;
    let ended = daemon.stop().await;
    assert_eq!(site.broadcasts("alice", &post).len(), 0, "{}", ended.log);
    let row_now = site.row("alice", &post).await.unwrap();
    assert_eq!(row_now.status, Status::Queued);
    assert_eq!(row_now.claimed_by, None);

    site.is_now(row.ask().due_at).await;
    let daemon = site.start().await;
    assert_eq!(site.cast_weight("alice", &post).await, 1_000);
    let row_now = site.row_is("alice", &post, Status::Confirmed).await;
    assert_eq!(row_now.ask().due_at, row.ask().due_at);
    assert_eq!(site.broadcasts("alice", &post).len(), 1);
    daemon.stop().await;
}
