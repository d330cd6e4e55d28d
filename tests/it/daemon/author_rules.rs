//! What `[[author]]` rules make of what people publish.

use std::time::Duration;

use chrono::TimeDelta;
use curatord::clock::Clock;
use curatord::network::ChainKind;
use curatord::sandbox::SandboxConfig;
use curatord::votes::status::{Origin, Status};

use crate::harness::{Database, Installation, PATIENCE, on_each_database, until};

on_each_database! {
    a_new_post_is_voted_on_at_its_weight_and_not_before_it_is_due,
    an_edit_of_a_post_seen_before_is_not_a_post,
    an_edit_of_a_post_older_than_the_daemon_is_not_a_post,
    comments_are_voted_on_only_where_the_kind_says_so,
    accounts_that_the_rule_excepts_or_does_not_name_are_left_alone,
    a_voter_does_not_vote_on_its_own_posts,
}

async fn a_new_post_is_voted_on_at_its_weight_and_not_before_it_is_due(database: &Database) {
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
        .with_chain(|chain| chain.block(queued.ask().block).unwrap().timestamp);
    assert_eq!(queued.ask().due_at, block_time + TimeDelta::seconds(3));
    assert_eq!(queued.ask().rule.as_str(), "friends.toml:favourites");
    assert_eq!(queued.ask().origin, Origin::Author);

    let seen = site.sandbox.wait_for_vote("alice", &post, PATIENCE).await;
    let seen = seen.unwrap();
    assert_eq!(seen.weight, 1250);
    let requests = site.broadcasts("alice", &post);
    assert_eq!(requests.len(), 1);
    assert!(requests[0].arrived >= queued.ask().due_at, "{requests:?}");

    let row = site.row_is("alice", &post, Status::Confirmed).await;
    assert_eq!(row.block_num, Some(seen.block));
    assert_eq!(row.attempts, 1);
    assert!(row.trx_id.is_some());
    assert_eq!(row.reason, None);
    daemon.stop().await;
}

async fn an_edit_of_a_post_seen_before_is_not_a_post(database: &Database) {
    let site = Installation::new(database).await;
    let rule = |author: &str| {
        format!("voters = [\"alice\"]\n[[author]]\nauthors = [{author:?}]\nweight = \"10%\"\n")
    };
    site.rules("friends.toml", &rule("carol"));
    site.voter("alice").await;
    let daemon = site.start().await;
    let post = site.sandbox.publish("bob", "seen-without-a-rule");
    site.next_block_is_read().await;

    // From now on there is a rule for the author; a second post shows that it is in force.
    site.rules("friends.toml", &rule("bob"));
    let mut number = 0;
    until("the rule is in force", async || {
        number += 1;
        let post = site.sandbox.publish("bob", &format!("post-{number}"));
        site.next_block_is_read().await;
        site.row("alice", &post).await
    })
    .await;
    site.sandbox.edit(&post, "Better words.");
    site.next_block_is_read().await;
    assert_eq!(site.row("alice", &post).await, None);
    daemon.stop().await;
}

async fn an_edit_of_a_post_older_than_the_daemon_is_not_a_post(database: &Database) {
    let now = Clock::system().now();
    let mut config = SandboxConfig::every(ChainKind::Hive, Duration::from_millis(200));
    config.first_time = Some(now - TimeDelta::hours(2));
    let site = Installation::with(database, config).await;
    let old = site.sandbox.publish("bob", "an-old-post");
    site.sandbox.produce_block_at(now - TimeDelta::hours(1));
    // The daemon begins with this one.
    site.sandbox.produce_block();
    site.rules(
        "friends.toml",
        "voters = [\"alice\"]\n[[author]]\nauthors = [\"bob\"]\nweight = \"10%\"\n",
    );
    site.voter("alice").await;
    let daemon = site.start().await;
    site.sandbox.edit(&old, "Better words.");
    let row = site.row_is("alice", &old, Status::Withdrawn).await;
    assert!(row.reason.unwrap().to_string().contains("edit"));
    assert_eq!(site.broadcasts("alice", &old).len(), 0);
    daemon.stop().await;
}

async fn comments_are_voted_on_only_where_the_kind_says_so(database: &Database) {
    let site = Installation::new(database).await;
    site.rules(
        "friends.toml",
        r#"
        [[author]]
        voters = ["alice"]
        authors = ["bob"]
        weight = "10%"
        [[author]]
        voters = ["carla"]
        authors = ["bob"]
        weight = "10%"
        kind = "comments"
        [[author]]
        voters = ["erica"]
        authors = ["bob"]
        weight = "10%"
        kind = "all"
        "#,
    );
    site.voters(&["alice", "carla", "erica"]).await;
    let daemon = site.start().await;
    let post = site.sandbox.publish("bob", "a-post");
    site.next_block_is_read().await;
    let comment = site.sandbox.comment(&post, "bob", "a-comment").unwrap();
    site.next_block_is_read().await;
    for (voter, on_post, on_comment) in [
        ("alice", true, false),
        ("carla", false, true),
        ("erica", true, true),
    ] {
        for (target, wanted) in [(&post, on_post), (&comment, on_comment)] {
            if wanted {
                site.row_is(voter, target, Status::Confirmed).await;
            } else {
                assert_eq!(site.row(voter, target).await, None, "{voter} on {target}");
            }
        }
    }
    daemon.stop().await;
}

async fn accounts_that_the_rule_excepts_or_does_not_name_are_left_alone(database: &Database) {
    let site = Installation::new(database).await;
    site.rules(
        "friends.toml",
        r#"
        voters = ["alice"]
        [[author]]
        authors = ["@Bob", "carol"]
        except = ["carol"]
        weight = "10%"
        "#,
    );
    site.voter("alice").await;
    let daemon = site.start().await;
    let excepted = site.sandbox.publish("carol", "a-post");
    let unknown = site.sandbox.publish("dave", "a-post");
    let named = site.sandbox.publish("bob", "a-post");
    site.row_is("alice", &named, Status::Confirmed).await;
    assert_eq!(site.row("alice", &excepted).await, None);
    assert_eq!(site.row("alice", &unknown).await, None);
    daemon.stop().await;
}

async fn a_voter_does_not_vote_on_its_own_posts(database: &Database) {
    let site = Installation::new(database).await;
    site.rules(
        "friends.toml",
        r#"
        voters = ["alice", "bob"]
        [[author]]
        authors = ["alice"]
        weight = "10%"
        "#,
    );
    site.voters(&["alice", "bob"]).await;
    let daemon = site.start().await;
    let post = site.sandbox.publish("alice", "a-post");
    site.row_is("bob", &post, Status::Confirmed).await;
    assert_eq!(site.row("alice", &post).await, None);
    daemon.stop().await;
}
