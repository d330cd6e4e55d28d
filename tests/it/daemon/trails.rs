//! What `[[trail]]` rules make of leaders' votes.

use curatord::votes::status::{Origin, Status};
use curatord::votes::vote::Vote;

use crate::harness::{Database, Installation, on_each_database};

on_each_database! {
    the_weight_is_fixed_or_made_from_the_leaders,
    downvotes_are_ignored_followed_or_all_that_is_followed,
    only_what_the_rule_wants_to_follow_is_followed,
    a_leader_who_takes_the_vote_back_withdraws_ours,
    another_leader_keeps_a_withdrawn_vote_alive,
    a_leader_who_changes_the_vote_changes_our_weight_but_not_our_moment,
    a_leader_who_is_a_voter_does_not_follow_itself,
}

async fn the_weight_is_fixed_or_made_from_the_leaders(database: &Database) {
    let site = Installation::new(database).await;
    site.rules(
        "trail.toml",
        r#"
        voters = ["alice"]
        [[trail]]
        name = "fixed"
        leaders = ["fixed"]
        weight = "30%"
        [[trail]]
        leaders = ["scaled"]
        weight = { scale = "50%" }
        [[trail]]
        leaders = ["doubled"]
        weight = { scale = "200%" }
        [[trail]]
        leaders = ["shaped"]
        weight = { scale = "50%", offset = "10%", min = "20%", max = "40%" }
        "#,
    );
    site.voter("alice").await;
    let daemon = site.start().await;
    let cases = [
        ("fixed", 10_000, 3_000),
        ("fixed", 100, 3_000),
        ("scaled", 3_333, 1_667),
        ("doubled", 8_000, 10_000),
        ("shaped", 4_000, 3_000),
        ("shaped", 10_000, 4_000),
        ("shaped", 500, 2_000),
    ];
    let posts: Vec<_> = (0..cases.len())
        .map(|number| site.sandbox.publish("bob", &format!("post-{number}")))
        .collect();
    site.next_block_is_read().await;
    for ((leader, weight, _), post) in cases.iter().zip(&posts) {
        site.sandbox.vote(leader, post, *weight).unwrap();
    }
    for ((leader, weight, ours), post) in cases.iter().zip(&posts) {
        let cast = site.cast_weight("alice", post).await;
        assert_eq!(cast, *ours, "{leader} voted with {weight}");
    }
    let row = site.row_is("alice", &posts[0], Status::Confirmed).await;
    assert_eq!(row.ask().origin, Origin::Trail);
    assert_eq!(row.ask().rule.as_str(), "trail.toml:fixed");
    daemon.stop().await;
}

async fn downvotes_are_ignored_followed_or_all_that_is_followed(database: &Database) {
    let site = Installation::new(database).await;
    site.rules(
        "trail.toml",
        r#"
        voters = ["alice"]
        [[trail]]
        leaders = ["ups"]
        weight = "20%"
        [[trail]]
        leaders = ["both"]
        weight = "20%"
        downvotes = "follow"
        [[trail]]
        leaders = ["downs"]
        weight = { scale = "50%", min = "20%" }
        downvotes = "only"
        "#,
    );
    site.voter("alice").await;
    let daemon = site.start().await;
    let cases = [
        ("ups", 5_000, Some(2_000)),
        ("ups", -5_000, None),
        ("both", 5_000, Some(2_000)),
        ("both", -5_000, Some(-2_000)),
        ("downs", 5_000, None),
        ("downs", -5_000, Some(-2_500)),
        ("downs", -1_000, Some(-2_000)),
    ];
    let posts: Vec<_> = (0..cases.len())
        .map(|number| site.sandbox.publish("bob", &format!("post-{number}")))
        .collect();
    site.next_block_is_read().await;
    for ((leader, weight, _), post) in cases.iter().zip(&posts) {
        site.sandbox.vote(leader, post, *weight).unwrap();
    }
    site.next_block_is_read().await;
    for ((leader, weight, ours), post) in cases.iter().zip(&posts) {
        match ours {
            Some(ours) => {
                let cast = site.cast_weight("alice", post).await;
                assert_eq!(cast, *ours, "{leader} voted with {weight}");
            }
            None => {
                let row = site.row("alice", post).await;
                assert_eq!(row, None, "{leader} voted with {weight}");
            }
        }
    }
    daemon.stop().await;
}

async fn only_what_the_rule_wants_to_follow_is_followed(database: &Database) {
    let site = Installation::new(database).await;
    site.rules(
        "trail.toml",
        r#"
        voters = ["alice"]
        [[trail]]
        leaders = ["strong"]
        weight = "20%"
        min_leader_weight = "50%"
        [[trail]]
        leaders = ["choosy"]
        weight = "20%"
        authors = ["bob", "carol"]
        except = ["carol"]
        "#,
    );
    site.voter("alice").await;
    let daemon = site.start().await;
    let cases = [
        ("strong", 5_000, "bob", true),
        ("strong", 4_999, "bob", false),
        ("choosy", 5_000, "bob", true),
        ("choosy", 5_000, "carol", false),
        ("choosy", 5_000, "dave", false),
        ("nobody", 5_000, "bob", false),
    ];
    let posts: Vec<_> = (0..)
        .zip(cases)
        .map(|(number, (_, _, author, _))| site.sandbox.publish(author, &format!("post-{number}")))
        .collect();
    site.next_block_is_read().await;
    for ((leader, weight, ..), post) in cases.iter().zip(&posts) {
        site.sandbox.vote(leader, post, *weight).unwrap();
    }
    site.next_block_is_read().await;
    for (case @ (.., followed), post) in cases.iter().zip(&posts) {
        if *followed {
            assert_eq!(site.cast_weight("alice", post).await, 2_000, "{case:?}");
        } else {
            assert_eq!(site.row("alice", post).await, None, "{case:?}");
        }
    }
    daemon.stop().await;
}

/// A trail whose votes wait for half a minute, so that a test can change their cause meanwhile.
const SLOW_TRAIL: &str = r#"
    voters = ["alice"]
    [[trail]]
    leaders = ["curie", "marie"]
    weight = { scale = "50%" }
    delay = "30s"
"#;

async fn a_leader_who_takes_the_vote_back_withdraws_ours(database: &Database) {
    let site = Installation::new(database).await;
    site.rules("trail.toml", SLOW_TRAIL);
    site.voter("alice").await;
    let daemon = site.start().await;
    let post = site.sandbox.publish("bob", "a-post");
    site.next_block_is_read().await;
    site.sandbox.vote("curie", &post, 10_000).unwrap();
    site.row_is("alice", &post, Status::Queued).await;
    site.sandbox.vote("curie", &post, 0).unwrap();
    let row = site.row_is("alice", &post, Status::Withdrawn).await;
    assert!(row.reason.unwrap().to_string().contains("@curie"));
    assert_eq!(row.attempts, 0);
    daemon.stop().await;
}

async fn another_leader_keeps_a_withdrawn_vote_alive(database: &Database) {
    let site = Installation::new(database).await;
    site.rules("trail.toml", SLOW_TRAIL);
    site.voter("alice").await;
    let daemon = site.start().await;
    let post = site.sandbox.publish("bob", "a-post");
    site.next_block_is_read().await;
    site.sandbox.vote("curie", &post, 10_000).unwrap();
    let first = site.row_is("alice", &post, Status::Queued).await;
    assert_eq!(first.ask().weight.hundredths(), 5_000);
    site.sandbox.vote("marie", &post, 2_000).unwrap();
    site.next_block_is_read().await;
    site.sandbox.vote("curie", &post, 0).unwrap();
    let changed = |row: &Vote| row.ask().weight.hundredths() == 1_000;
    let row = site
        .row_where("alice", &post, "has marie's weight", changed)
        .await;
    assert_eq!(row.status, Status::Queued);
    assert_eq!(row.ask().due_at, first.ask().due_at);
    daemon.stop().await;
}

async fn a_leader_who_changes_the_vote_changes_our_weight_but_not_our_moment(database: &Database) {
    let site = Installation::new(database).await;
    site.rules("trail.toml", &SLOW_TRAIL.replace("30s", "4s"));
    site.voter("alice").await;
    let daemon = site.start().await;
    let post = site.sandbox.publish("bob", "a-post");
    site.next_block_is_read().await;
    site.sandbox.vote("curie", &post, 10_000).unwrap();
    let first = site.row_is("alice", &post, Status::Queued).await;
    site.sandbox.vote("curie", &post, 4_000).unwrap();
    let changed = |row: &Vote| row.ask().weight.hundredths() == 2_000;
    let row = site
        .row_where("alice", &post, "has the new weight", changed)
        .await;
    assert_eq!(row.ask().due_at, first.ask().due_at);
    assert_eq!(site.cast_weight("alice", &post).await, 2_000);
    let arrived = site.broadcasts("alice", &post)[0].arrived;
    assert!(arrived >= first.ask().due_at);

    // Once it is cast the leader changes nothing any more.
    site.row_is("alice", &post, Status::Confirmed).await;
    site.sandbox.vote("curie", &post, 0).unwrap();
    site.next_block_is_read().await;
    let row = site.row("alice", &post).await.unwrap();
    assert_eq!(
        (row.status, row.ask().weight.hundredths()),
        (Status::Confirmed, 2_000)
    );
    assert_eq!(site.votes_in_blocks("alice", &post), [2_000]);
    daemon.stop().await;
}

async fn a_leader_who_is_a_voter_does_not_follow_itself(database: &Database) {
    let site = Installation::new(database).await;
    site.rules(
        "trail.toml",
        r#"
        voters = ["alice", "curie"]
        [[trail]]
        leaders = ["curie"]
        weight = { scale = "50%" }
        "#,
    );
    site.voters(&["alice", "curie"]).await;
    let daemon = site.start().await;
    let post = site.sandbox.publish("bob", "a-post");
    site.next_block_is_read().await;
    site.sandbox.vote("curie", &post, 10_000).unwrap();
    assert_eq!(site.cast_weight("alice", &post).await, 5_000);
    assert_eq!(site.broadcasts("curie", &post).len(), 0);
    assert_eq!(site.votes_in_blocks("curie", &post), [10_000]);
    daemon.stop().await;
}
