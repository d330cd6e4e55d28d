//! `curatord vote`.

use std::time::Duration;

use chrono::{SecondsFormat, TimeDelta};
use curatord::clock::Clock;
use curatord::post::PostId;
use curatord::votes::change::Batch;
use curatord::votes::fold::Context;
use curatord::votes::status::{Origin, Status};

use crate::harness::command::Said;
use crate::harness::{Database, Installation, on_each_database};

on_each_database! {
    a_vote_without_a_moment_goes_out_now,
    a_vote_for_later_goes_out_then,
    without_a_daemon_a_vote_waits_for_one,
    a_vote_by_hand_takes_the_place_of_one_that_a_rule_queued,
    what_was_cast_cannot_be_asked_for_again,
    what_was_skipped_can_be_asked_for_by_hand,
    a_fork_takes_back_no_vote_by_hand,
    wrong_usage_queues_nothing,
    a_vote_on_what_is_not_there_is_queued_only_by_force,
    a_post_is_looked_up_where_a_node_answers,
}

/// The daemon looks for votes of accounts that some rule votes as.
const RULES: &str = "voters = ['alice']\n[[author]]\nauthors = ['dave']\nweight = '10%'\n";

async fn vote(site: &Installation<'_>, post: &PostId, more: &[&str]) -> Said {
    let post = post.to_string();
    let mut arguments = vec!["vote", post.as_str(), "--voter", "alice"];
    arguments.extend(more);
    site.run(&arguments).await
}

/// A post in a block, whether or not a daemon runs.
fn published(site: &Installation<'_>) -> PostId {
    let post = site.sandbox.publish("bob", "a-post");
    site.sandbox.produce_block();
    post
}

async fn a_vote_without_a_moment_goes_out_now(database: &Database) {
    let site = Installation::new(database).await;
    site.rules("friends.toml", RULES);
    site.voter("alice").await;
    let daemon = site.start().await;
    let post = site.sandbox.publish("bob", "a-post");
    site.next_block_is_read().await;

    let asked = Clock::system().now();
    let said = vote(&site, &post, &["--weight", "12.5%"]).await;
    let queued = Clock::system().now();
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(said.out, "queued: @alice votes 12.5% on @bob/a-post, now\n");
    assert_eq!(site.cast_weight("alice", &post).await, 1_250);
    let row = site.row_is("alice", &post, Status::Confirmed).await;
    assert!((asked..=queued).contains(&row.ask().due_at), "{row:?}");
    assert_eq!(
        (row.ask().origin, row.ask().rule.as_str()),
        (Origin::Hand, "")
    );
    daemon.stop().await;
}

async fn a_vote_for_later_goes_out_then(database: &Database) {
    let site = Installation::new(database).await;
    site.voter("alice").await;
    let daemon = site.start().await;
    let post = site.sandbox.publish("bob", "a-post");
    site.next_block_is_read().await;
    let at = Clock::system().now() + TimeDelta::seconds(4);
    let text = at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let said = vote(&site, &post, &["--weight", "-10%", "--at", &text]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(site.cast_weight("alice", &post).await, -1_000);
    assert!(site.broadcasts("alice", &post)[0].arrived >= at);
    daemon.stop().await;
}

async fn without_a_daemon_a_vote_waits_for_one(database: &Database) {
    let site = Installation::new(database).await;
    site.voter("alice").await;
    let post = published(&site);
    let said = vote(&site, &post, &["--weight", "50%"]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("No daemon is running"), "{said:?}");
    // It can be thought over.
    let said = vote(&site, &post, &["--weight", "40%"]).await;
    assert!(
        said.out.contains("replaces a vote of 50% queued by hand"),
        "{said:?}"
    );
    let row = site.row("alice", &post).await.unwrap();
    assert_eq!(
        (row.status, row.ask().weight.hundredths()),
        (Status::Queued, 4_000)
    );
    let daemon = site.start().await;
    assert_eq!(site.cast_weight("alice", &post).await, 4_000);
    daemon.stop().await;
}

async fn a_vote_by_hand_takes_the_place_of_one_that_a_rule_queued(database: &Database) {
    let site = Installation::new(database).await;
    site.rules(
        "friends.toml",
        "voters = ['alice']\n[[author]]\nauthors = ['bob']\nweight = '10%'\ndelay = '20s'\n",
    );
    site.voter("alice").await;
    let daemon = site.start().await;
    let post = site.sandbox.publish("bob", "a-post");
    // So soon due that the daemon holds it.
    let held = |row: &curatord::votes::vote::Vote| row.claimed_by.is_some();
    site.row_where("alice", &post, "is held", held).await;
    let said = vote(&site, &post, &["--weight", "70%"]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(
        said.out
            .contains("a vote of 10% queued by friends.toml:author-1"),
        "{said:?}"
    );
    assert_eq!(site.cast_weight("alice", &post).await, 7_000);
    let row = site.row_is("alice", &post, Status::Confirmed).await;
    assert_eq!(
        (row.ask().origin, row.ask().rule.as_str()),
        (Origin::Hand, "")
    );
    assert!(row.cast_at.unwrap() - row.created_at < TimeDelta::seconds(10));
    daemon.stop().await;
}

async fn what_was_cast_cannot_be_asked_for_again(database: &Database) {
    let site = Installation::new(database).await;
    site.rules("friends.toml", RULES);
    site.voter("alice").await;
    let daemon = site.start().await;
    let post = site.sandbox.publish("bob", "a-post");
    site.next_block_is_read().await;
    vote(&site, &post, &["--weight", "50%"]).await;
    site.row_is("alice", &post, Status::Confirmed).await;
    let again = vote(&site, &post, &["--weight", "60%"]).await;
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(
        again.err.contains("a vote of 50% is already on the chain"),
        "{again:?}"
    );

    let other = site.sandbox.publish("bob", "another-post");
    site.next_block_is_read().await;
    site.sandbox.vote("alice", &other, 3_000).unwrap();
    site.row_is("alice", &other, Status::Skipped).await;
    let again = vote(&site, &other, &["--weight", "60%"]).await;
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(
        again.err.contains("already voted with another application"),
        "{again:?}"
    );
    daemon.stop().await;
}

async fn what_was_skipped_can_be_asked_for_by_hand(database: &Database) {
    let site = Installation::new(database).await;
    site.rules(
        "friends.toml",
        "voters = ['alice']\n[[author]]\nauthors = ['bob']\nweight = '10%'\nmin_mana = '90%'\n",
    );
    site.voter("alice").await;
    let alice = site.sandbox.add_account("alice");
    site.sandbox
        .with_chain(|chain| chain.set_mana(&alice, 5_000));
    let daemon = site.start().await;
    let post = site.sandbox.publish("bob", "a-post");
    site.row_is("alice", &post, Status::Skipped).await;
    let said = vote(&site, &post, &["--weight", "70%"]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(site.cast_weight("alice", &post).await, 7_000);
    daemon.stop().await;
}

async fn a_fork_takes_back_no_vote_by_hand(database: &Database) {
    let site = Installation::new(database).await;
    // A vote by hand needs a database.
    site.store().await;
    site.sandbox.add_account("alice");
    let post = published(&site);
    let said = vote(&site, &post, &["--weight", "50%", "--at", "2099-01-01"]).await;
    assert_eq!(said.code, Some(2), "{said:?}");
    let tomorrow = Clock::system().now() + TimeDelta::days(1);
    let at = tomorrow.format("%F %R").to_string();
    let said = vote(&site, &post, &["--weight", "50%", "--at", &at]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    database.execute("UPDATE votes SET event_block = 100").await;
    let undone = Batch {
        undo_above: Some(50),
        ..Batch::default()
    };
    let now = Clock::system().now();
    let context = Context {
        owner: "this-daemon",
        now,
        claim_before: now,
        claim_until: now,
        confirm_within: Duration::from_secs(60),
        position: &|_| None,
    };
    site.store().await.apply(&undone, &context).await.unwrap();
    let row = site.row("alice", &post).await.unwrap();
    assert_eq!(
        (row.status, row.ask().origin),
        (Status::Queued, Origin::Hand)
    );
}

async fn wrong_usage_queues_nothing(database: &Database) {
    let site = Installation::new(database).await;
    let post = PostId::new(site.sandbox.add_account("bob"), "a-post");
    for (more, why) in [
        (&["--weight", "0%"][..], "the weight cannot be 0%"),
        (&["--weight", "50"], "has no `%`"),
        (
            &["--weight", "50%", "--at", "2020-01-01 10:00"],
            "this time has passed",
        ),
        (
            &["--weight", "50%", "--at", "soon"],
            "write \"2026-11-22 18:00\"",
        ),
        (
            &["--weight", "50%", "--timezone", "Mars"],
            "Europe/Amsterdam",
        ),
    ] {
        let said = vote(&site, &post, more).await;
        assert_eq!(said.code, Some(2), "{said:?}");
        assert!(said.err.contains(why), "{said:?}");
    }
    let said = site
        .run(&["vote", "bob", "--voter", "alice", "--weight", "5%"])
        .await;
    assert_eq!(said.code, Some(2), "{said:?}");
    assert_eq!(site.row("alice", &post).await, None);
}

async fn a_vote_on_what_is_not_there_is_queued_only_by_force(database: &Database) {
    let site = Installation::new(database).await;
    site.voter("alice").await;
    let there = published(&site);
    let not_there = PostId::new(there.author.clone(), "nosuch");
    let said = vote(&site, &not_there, &["--weight", "50%"]).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.err.contains("no node knows the post @bob/nosuch"),
        "{said:?}"
    );
    assert!(said.err.contains("--force"), "{said:?}");
    let nobody = ["vote", "@bob/a-post", "--voter", "nobody", "--weight", "5%"];
    let said = site.run(&nobody).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.err.contains("no node knows the account @nobody"),
        "{said:?}"
    );
    assert_eq!(database.number("SELECT COUNT(*) FROM votes").await, 0);

    let said = vote(&site, &not_there, &["--weight", "50%", "--force"]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    let row = site.row("alice", &not_there).await.unwrap();
    assert_eq!(row.status, Status::Queued);
    let copied = "https://peakd.com/hive-1/%40bob/a-post";
    let said = site
        .run(&["vote", copied, "--voter", "alice", "--weight", "5%"])
        .await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(site.row("alice", &there).await.is_some());
}

async fn a_post_is_looked_up_where_a_node_answers(database: &Database) {
    let mut site = Installation::new(database).await;
    site.voter("alice").await;
    let post = PostId::new(site.sandbox.add_account("bob"), "a-post");
    site.set("network.nodes", "http://127.0.0.1:9");
    let said = vote(&site, &post, &["--weight", "50%"]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(
        said.err
            .contains("warning: @bob/a-post could not be looked up"),
        "{said:?}"
    );
    assert!(site.row("alice", &post).await.is_some());
}
