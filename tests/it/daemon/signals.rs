//! Signals, and what becomes of what was under way.

use std::fs;
use std::time::Duration;

use chrono::TimeDelta;
use curatord::sandbox::Sandbox;
use curatord::sandbox::faults::Fault;
use curatord::votes::status::Status;
use curatord::votes::vote::Vote;

use crate::harness::{Database, Installation, PATIENCE, on_each_database, run, until};

on_each_database! {
    sigterm_awaits_the_answer_under_way_and_gives_back_what_waits,
    sigint_ends_it_in_peace,
    sighup_reads_the_configuration_again,
}

#[tokio::test]
async fn a_setting_that_is_put_back_needs_no_restart() {
    run(Database::sqlite().await, put_back).await;
}

async fn put_back(database: &Database) {
    let site = Installation::new(database).await;
    let daemon = site.start().await;
    let file = site.folder().join("curatord.toml");
    let before = fs::read_to_string(&file).unwrap();
    let changed = before.replace("block_interval = \"200ms\"", "block_interval = \"2s\"");
    assert_ne!(changed, before);
    for (text, times) in [(&changed, 1), (&changed, 2), (&before, 2), (&changed, 3)] {
        fs::write(&file, text).unwrap();
        let reads = |log: &str| log.matches("configuration reloaded").count();
        let so_far = reads(&daemon.log());
        daemon.signal("HUP");
        let read = async || (reads(&daemon.log()) > so_far).then_some(());
        until("the configuration is read", read).await;
        let warnings = daemon
            .log()
            .matches("to apply the changes of: network.block_interval")
            .count();
        assert_eq!(warnings, times, "{}", daemon.log());
    }
    daemon.stop().await;
}

/// One author's posts are voted on at once, another's in an hour.
const RULES: &str = r#"
    voters = ["alice"]
    [[author]]
    authors = ["bob"]
    weight = "10%"
    [[author]]
    authors = ["carol"]
    weight = "10%"
    delay = "20s"
"#;

async fn sigterm_awaits_the_answer_under_way_and_gives_back_what_waits(database: &Database) {
    let site = Installation::new(database).await;
    site.rules("friends.toml", RULES);
    site.voter("alice").await;
    let daemon = site.start().await;
    let signer = site.sandbox.signer().endpoint();
    let slow = Fault::Delay(Duration::from_millis(1_500));
    signer.faults.add(slow.on("broadcast"));
    site.sandbox.pause_blocks(true);
    let publish = |sandbox: &Sandbox| {
        (
            sandbox.publish("carol", "later"),
            sandbox.publish("bob", "now"),
        )
    };
    let (later, now) = site.in_a_block(publish).await;
    let claimed = |row: &Vote| row.claimed_by.is_some();
    site.row_where("alice", &later, "is held", claimed).await;
    assert!(
        signer
            .requests
            .wait_until(PATIENCE, |requests| !requests.is_empty())
            .await
    );

    let ended = daemon.stop().await;
    assert!(ended.log.contains("stopping"));
    let row = site.row("alice", &now).await.unwrap();
    assert_eq!((row.status, row.attempts), (Status::Cast, 1));
    assert!(row.cast_at.is_some() && row.trx_id.is_some());
    let row = site.row("alice", &later).await.unwrap();
    assert_eq!((row.status, row.claimed_by), (Status::Queued, None));
    assert_eq!(site.broadcasts("alice", &now).len(), 1);
}

async fn sigint_ends_it_in_peace(database: &Database) {
    let site = Installation::new(database).await;
    let daemon = site.start().await;
    daemon.signal("INT");
    let ended = daemon.ended().await;
    assert_eq!(ended.code, Some(0), "{}", ended.log);
}

#[tokio::test]
async fn an_answer_that_never_comes_is_awaited_for_ten_seconds_at_most() {
    run(Database::sqlite().await, never_answered).await;
}

async fn never_answered(database: &Database) {
    let mut site = Installation::new(database).await;
    site.set("signer.timeout", "1m");
    site.rules("friends.toml", RULES);
    site.voter("alice").await;
    let daemon = site.start().await;
    let signer = site.sandbox.signer().endpoint();
    signer.faults.add(Fault::Hang.on("broadcast").times(1));
    let post = site.sandbox.publish("bob", "a-post");
    assert!(
        signer
            .requests
            .wait_until(PATIENCE, |requests| !requests.is_empty())
            .await
    );
    // This waits for 30 s, and the daemon's request may take a minute.
    daemon.stop().await;
    let row = site.row("alice", &post).await.unwrap();
    assert_eq!((row.status, row.attempts), (Status::Queued, 1));
    assert_eq!(row.claimed_by, None);
    // Nobody knows what came of it: the next daemon asks the chain, when it had time to get there.
    assert!(row.next_attempt_at > row.ask().due_at + TimeDelta::seconds(10));
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    run(Database::sqlite().await, second_signal).await;
}

async fn second_signal(database: &Database) {
    let site = Installation::new(database).await;
    site.rules("friends.toml", RULES);
    site.voter("alice").await;
    let daemon = site.start().await;
    let signer = site.sandbox.signer().endpoint();
    signer.faults.add(Fault::Hang.on("broadcast"));
    site.sandbox.publish("bob", "a-post");
    assert!(
        signer
            .requests
            .wait_until(PATIENCE, |requests| !requests.is_empty())
            .await
    );
    daemon.signal("TERM");
    daemon.says("stopping").await;
    daemon.signal("TERM");
    // After one signal it waits for the answer and ends with 0.
    let ended = daemon.ended().await;
    assert_eq!(ended.code, Some(1), "{}", ended.log);
}

async fn sighup_reads_the_configuration_again(database: &Database) {
    let site = Installation::new(database).await;
    site.rules("friends.toml", &RULES.replace("alice", "tokenless"));
    let daemon = site.start().await;
    let post = site.sandbox.publish("bob", "a-post");
    site.row_where("tokenless", &post, "waits", |row| row.reason.is_some())
        .await;

    let file = site.folder().join("curatord.toml");
    let toml = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{toml}\n[casting]\nretry_for = \"1s\"\n")).unwrap();
    daemon.signal("HUP");
    site.row_is("tokenless", &post, Status::Failed).await;

    // A configuration with a mistake changes nothing and ends nothing.
    fs::write(&file, "rules = 1").unwrap();
    daemon.signal("HUP");
    daemon.says("configuration not reloaded").await;
    let again = site.sandbox.publish("bob", "another-post");
    site.row_is("tokenless", &again, Status::Failed).await;
    daemon.stop().await;
}
