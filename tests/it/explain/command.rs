//! `curatord explain`.

use curatord::post::PostId;
use curatord::sandbox::NewPost;
use curatord::votes::status::Status;
use serde_json::Value;

use crate::harness::{Database, Installation, on_each_database};

on_each_database! {
    a_post_that_will_be_and_was_voted_on_says_so,
    each_filter_that_skipped_a_post_is_named,
    a_trail_tells_of_its_leaders,
    an_unknown_post_is_a_problem,
    a_voter_that_no_rule_names_is_told_so,
    a_later_moment_can_be_asked_about,
    without_a_node_the_rest_is_told,
}

/// The lines about `post`, one for each rule.
pub async fn explain(site: &Installation<'_>, post: &PostId, more: &[&str]) -> Vec<Value> {
    let post = post.to_string();
    let mut arguments = vec!["explain", post.as_str(), "--format", "json"];
    arguments.extend(more);
    let said = site.run(&arguments).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    let lines = said.out.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

async fn a_post_that_will_be_and_was_voted_on_says_so(database: &Database) {
    let site = Installation::new(database).await;
    site.rules(
        "friends.toml",
        r#"
        voters = ["alice"]
        [[author]]
        name = "soon"
        authors = ["bob"]
        weight = "50%"
        delay = "3s"
        [[author]]
        name = "late"
        authors = ["bob", "carol"]
        weight = "20%"
        delay = "1h"
        "#,
    );
    site.voter("alice").await;
    let daemon = site.start().await;
    let post = site.sandbox.publish("carol", "a-post");
    let row = site.row_is("alice", &post, Status::Queued).await;
    let lines = explain(&site, &post, &[]).await;
    assert_eq!(lines[0]["condition"], "authors");
    assert_eq!(lines[0]["verdict"], "no");
    assert_eq!(lines[1]["verdict"], "queued");
    assert_eq!(lines[1]["weight"], 2_000);
    let due = row
        .ask()
        .due_at
        .format("%Y-%m-%dT%H:%M:%S%.3fZ")
        .to_string();
    assert_eq!(lines[1]["at"], due);

    let post = site.sandbox.publish("bob", "a-post");
    site.row_is("alice", &post, Status::Confirmed).await;
    let lines = explain(&site, &post, &[]).await;
    assert_eq!(lines[0]["verdict"], "voted");
    assert_eq!(lines[1]["condition"], "precedence");
    let said = site.run(&["explain", "@bob/a-post"]).await;
    assert!(said.out.contains("\n@alice: voted 50% at "), "{}", said.out);
    assert!(
        said.out
            .contains("\n  friends.toml:soon  yes  voted: 50% at "),
        "{}",
        said.out
    );
    daemon.stop().await;
}

async fn each_filter_that_skipped_a_post_is_named(database: &Database) {
    let site = Installation::new(database).await;
    let filters = [
        ("enabled", "enabled = false"),
        ("except", "except = ['bob']"),
        ("kind", "kind = 'comments'"),
        ("tags", "tags = { none = ['photo'] }"),
        ("communities", "communities = { any = ['hive-100'] }"),
        ("apps", "apps = { none = ['sandbox'] }"),
        ("text", "text = { none = ['pictures'] }"),
        ("words", "words = { min = 500 }"),
        ("payout", "payout = { declined = false }"),
    ];
    let rule = |(_, filter): &(&str, &str)| {
        format!("[[author]]\nauthors = ['bob']\nweight = '50%'\n{filter}\n")
    };
    let rules: String = filters.iter().map(rule).collect();
    site.rules("friends.toml", &format!("voters = ['alice']\n{rules}"));
    site.voter("alice").await;
    let daemon = site.start().await;
    let post = NewPost {
        declines_payout: true,
        ..NewPost::new("bob", "a-post")
    };
    let post = site.sandbox.publish_post(&post);
    site.next_block_is_read().await;
    let lines = explain(&site, &post, &["--voter", "alice"]).await;
    let decided: Vec<_> = lines
        .iter()
        .map(|line| line["condition"].as_str().unwrap())
        .collect();
    assert_eq!(decided, filters.map(|(key, _)| key));
    assert_eq!(site.row("alice", &post).await, None);
    daemon.stop().await;
}

async fn a_trail_tells_of_its_leaders(database: &Database) {
    let site = Installation::new(database).await;
    site.rules(
        "trails.toml",
        r#"
        voters = ["alice"]
        [[trail]]
        leaders = ["curie", "ocd"]
        weight = "10%"
        agree = 2
        [[trail]]
        leaders = ["curie"]
        weight = { scale = "50%" }
        delay = "1h"
        "#,
    );
    site.voter("alice").await;
    let daemon = site.start().await;
    site.sandbox.add_account("curie");
    let post = site.sandbox.publish("bob", "a-post");
    site.next_block_is_read().await;
    let lines = explain(&site, &post, &[]).await;
    assert_eq!(lines[0]["condition"], "leaders");
    assert_eq!(lines[1]["condition"], "leaders");
    site.sandbox.vote("curie", &post, 8_000).unwrap();
    site.row_is("alice", &post, Status::Queued).await;
    let lines = explain(&site, &post, &[]).await;
    assert_eq!(lines[0]["condition"], "agree");
    assert_eq!(lines[0]["why"], "1 of 2 leaders agree: @curie");
    assert_eq!(lines[1]["verdict"], "queued");
    assert_eq!(lines[1]["weight"], 4_000);
    daemon.stop().await;
}

async fn an_unknown_post_is_a_problem(database: &Database) {
    let site = Installation::new(database).await;
    // An explanation needs a database.
    site.store().await;
    site.rules(
        "friends.toml",
        "voters = ['alice']\n[[author]]\nauthors = ['bob']\nweight = '50%'\n",
    );
    let said = site.run(&["explain", "@bob/no-such-post"]).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(
        said.err
            .contains("no node knows the post @bob/no-such-post"),
        "{said:?}"
    );
    let said = site.run(&["explain", "bob"]).await;
    assert_eq!(said.code, Some(2), "{said:?}");
}

async fn a_voter_that_no_rule_names_is_told_so(database: &Database) {
    let site = Installation::new(database).await;
    // An explanation needs a database.
    site.store().await;
    site.rules(
        "friends.toml",
        "voters = ['alice']\n[[author]]\nauthors = ['bob']\nweight = '50%'\n",
    );
    let post = site.sandbox.publish("bob", "a-post");
    site.sandbox.produce_block();
    let lines = explain(&site, &post, &["--voter", "mallory"]).await;
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["rule"], Value::Null);
    assert_eq!(lines[0]["summary"], "no rule votes as @mallory");
}

async fn a_later_moment_can_be_asked_about(database: &Database) {
    let site = Installation::new(database).await;
    site.rules(
        "friends.toml",
        "voters = ['alice']\n[[author]]\nauthors = ['bob']\nweight = '50%'\nmax_age = '1d'\n",
    );
    site.voter("alice").await;
    let post = site.sandbox.publish("bob", "a-post");
    site.sandbox.produce_block();
    // No daemon has run: nothing was missed.
    let lines = explain(&site, &post, &[]).await;
    assert_eq!(lines[0]["verdict"], "would_vote");
    let later = curatord::clock::Clock::system().now() + chrono::TimeDelta::days(2);
    let later = later.format("%F %R").to_string();
    let lines = explain(&site, &post, &["--at", &later]).await;
    assert_eq!(lines[0]["condition"], "max_age");
}

async fn without_a_node_the_rest_is_told(database: &Database) {
    let mut site = Installation::new(database).await;
    // An explanation needs a database.
    site.store().await;
    site.rules(
        "friends.toml",
        "voters = ['alice']\n[[author]]\nauthors = ['bob']\nweight = '50%'\n[[author]]\nauthors = ['bob']\nweight = '5%'\nenabled = false\n",
    );
    site.set("network.nodes", "http://127.0.0.1:9");
    let post = PostId::new(site.sandbox.add_account("bob"), "a-post");
    let lines = explain(&site, &post, &[]).await;
    assert_eq!(lines[0]["verdict"], "unknown");
    assert_eq!(lines[0]["condition"], "post");
    assert_eq!(lines[1]["condition"], "enabled");

    // What the daemon would log about its nodes is not for people who ask about a post.
    let mut command = tokio::process::Command::from(site.command());
    command
        .env_remove("RUST_LOG")
        .args(["explain", "@bob/a-post"]);
    let output = command.output().await.unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("127.0.0.1:9 cannot be reached"), "{said}");
}
