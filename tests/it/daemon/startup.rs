//! Starting: what it waits for, and what ends it.

use std::fs;

use curatord::votes::status::Status;
use secrecy::ExposeSecret;
use url::Url;

use crate::harness::command::curatord;
use crate::harness::proxy::{Proxy, Wire};
use crate::harness::{Database, Installation, on_each_database, run, until};

on_each_database! {
    a_node_that_cannot_be_reached_is_waited_for,
    a_signer_that_cannot_be_reached_is_waited_for,
    a_missing_folder_of_rules_ends_it,
    an_empty_folder_of_rules_is_told_of_and_waited_for,
    a_dry_run_casts_nothing_and_is_never_taken_for_a_real_one,
    a_dry_run_needs_neither_application_nor_tokens_and_keeps_what_it_would_have_done,
}

const RULES: &str = r#"
    voters = ["alice"]
    [[author]]
    authors = ["bob"]
    weight = "10%"
"#;

async fn a_node_that_cannot_be_reached_is_waited_for(database: &Database) {
    let site = Installation::new(database).await;
    site.rules("friends.toml", RULES);
    site.voter("alice").await;
    let node = site.sandbox.node(0).endpoint();
    node.stop();
    let daemon = site.spawn(&[]);
    site.has_errors("chain", 1).await;
    node.start().await.unwrap();
    until("blocks are read", async || site.last_block().await).await;
    let post = site.sandbox.publish("bob", "a-post");
    site.row_is("alice", &post, Status::Confirmed).await;
    assert_eq!(site.errors("chain").await.len(), 1);
    daemon.stop().await;
}

async fn a_signer_that_cannot_be_reached_is_waited_for(database: &Database) {
    let site = Installation::new(database).await;
    site.rules("friends.toml", RULES);
    site.voter("alice").await;
    let signer = site.sandbox.signer().endpoint();
    signer.stop();
    let daemon = site.start().await;
    let post = site.sandbox.publish("bob", "a-post");
    let row = site
        .row_where("alice", &post, "waits", |row| row.reason.is_some())
        .await;
    assert_eq!(row.status, Status::Queued);
    signer.start().await.unwrap();
    site.row_is("alice", &post, Status::Confirmed).await;
    daemon.stop().await;
}

async fn a_missing_folder_of_rules_ends_it(database: &Database) {
    let site = Installation::new(database).await;
    fs::remove_dir(site.folder().join("rules")).unwrap();
    let ended = site.spawn(&[]).ended().await;
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.log.contains("there is no folder of rules"),
        "{}",
        ended.log
    );
    fs::write(site.folder().join("rules"), "").unwrap();
    let ended = site.spawn(&[]).ended().await;
    assert!(ended.log.contains("rules is a file"), "{}", ended.log);
}

async fn an_empty_folder_of_rules_is_told_of_and_waited_for(database: &Database) {
    let site = Installation::new(database).await;
    site.voter("alice").await;
    let daemon = site.start().await;
    daemon.says("WARN there are no rules").await;
    site.rules("friends.toml", RULES);
    daemon.says("friends.toml read").await;
    let mut number = 0;
    let voted = async || {
        number += 1;
        let post = site.sandbox.publish("bob", &format!("post-{number}"));
        site.next_block_is_read().await;
        site.row("alice", &post).await
    };
    until("the rules are in force", voted).await;
    daemon.stop().await;
}

async fn a_dry_run_casts_nothing_and_is_never_taken_for_a_real_one(database: &Database) {
    let site = Installation::new(database).await;
    site.rules("friends.toml", RULES);
    site.voter("alice").await;
    let daemon = site.start_with(&["--dry-run"]).await;
    let post = site.sandbox.publish("bob", "a-post");
    let row = site.row_is("alice", &post, Status::DryRun).await;
    assert_eq!((row.attempts, row.ask().weight.hundredths()), (0, 1_000));
    assert_eq!((row.trx_id, row.block_num), (None, None));
    daemon.stop().await;

    let daemon = site.start().await;
    let real = site.sandbox.publish("bob", "another-post");
    site.row_is("alice", &real, Status::Confirmed).await;
    assert_eq!(
        site.row("alice", &post).await.unwrap().status,
        Status::DryRun
    );
    assert_eq!(site.broadcasts("alice", &post).len(), 0);
    daemon.stop().await;
}

async fn a_dry_run_needs_neither_application_nor_tokens_and_keeps_what_it_would_have_done(
    database: &Database,
) {
    let mut site = Installation::new(database).await;
    site.rules("friends.toml", RULES);
    let toml = site.folder().join("curatord.toml");
    let text = fs::read_to_string(&toml).unwrap();
    let of_application = |line: &&str| !line.starts_with("client_");
    let without: Vec<_> = text.lines().filter(of_application).collect();
    fs::write(&toml, without.join("\n")).unwrap();
    site.set("signer.url", "http://127.0.0.1:9");
    let real = site.spawn(&[]).ended().await;
    assert_eq!(real.code, Some(1));

    site.sandbox.add_account("alice");
    let daemon = site.start_with(&["--dry-run"]).await;
    let post = site.sandbox.publish("bob", "a-post");
    site.row_is("alice", &post, Status::DryRun).await;
    // The voter votes, with another weight and with the same.
    for weight in [2_500, 1_000] {
        site.sandbox.vote("alice", &post, weight).unwrap();
        let noted = |row: &curatord::votes::vote::Vote| row.reason.is_some();
        let row = site.row_where("alice", &post, "says why", noted).await;
        assert_eq!(row.status, Status::DryRun);
        assert_eq!(row.reason.unwrap().to_string(), "voted by hand");
    }
    site.next_block_is_read().await;
    let row = site.row("alice", &post).await.unwrap();
    assert_eq!(row.status, Status::DryRun);
    let said = site.run(&["explain", &post.to_string()]).await;
    assert!(
        said.out.contains("a dry run would have voted 10%"),
        "{said:?}"
    );
    assert!(said.out.contains("voted 10% by other means"), "{said:?}");
    daemon.stop().await;
}

#[tokio::test]
async fn a_second_daemon_on_one_sqlite_file_ends_with_exit_1() {
    run(Database::sqlite().await, second_on_sqlite).await;
}

async fn second_on_sqlite(database: &Database) {
    let site = Installation::new(database).await;
    site.rules("friends.toml", RULES);
    site.voter("alice").await;
    let first = site.start().await;
    let second = site.spawn(&[]).ended().await;
    assert_eq!(second.code, Some(1));
    let told = second.log.lines().last().unwrap();
    let whole = "error: the database cannot be used: another curatord runs on ";
    assert!(told.starts_with(whole), "{told}");
    let post = site.sandbox.publish("bob", "a-post");
    site.row_is("alice", &post, Status::Confirmed).await;
    first.stop().await;
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_is_waited_for() {
    run(Database::mysql().await, database_away).await;
}

async fn database_away(database: &Database) {
    let mut site = Installation::new(database).await;
    site.rules("friends.toml", RULES);
    site.voter("alice").await;
    let (proxy, url) = Proxy::before(database).await;
    proxy.set(Wire::Cut);
    site.set("database.url", url.as_str());
    let daemon = site.spawn(&[]);
    daemon.says("waiting for the database").await;
    proxy.set(Wire::Whole);
    until("blocks are read", async || site.last_block().await).await;
    let post = site.sandbox.publish("bob", "a-post");
    site.row_is("alice", &post, Status::Confirmed).await;
    daemon.stop().await;
}

#[tokio::test]
async fn a_wrong_password_ends_it_with_exit_1_and_is_not_shown() {
    run(Database::mysql().await, wrong_password).await;
}

async fn wrong_password(database: &Database) {
    let mut site = Installation::new(database).await;
    let mut url = Url::parse(database.url.expose_secret()).unwrap();
    url.set_password(Some("not-the-password")).unwrap();
    site.set("database.url", url.as_str());
    let ended = site.spawn(&[]).ended().await;
    assert_eq!(ended.code, Some(1));
    let told = ended.log.lines().last().unwrap();
    assert!(
        told.starts_with("error: the database cannot be used: ")
            && told.contains(": Access denied"),
        "{told}"
    );
    assert!(told.ends_with(": check [database] url"), "{told}");
    assert!(!ended.log.contains("not-the-password"), "{}", ended.log);
}

#[test]
fn there_is_no_block_0_to_begin_with() {
    let mut command = curatord(&std::env::temp_dir(), &["run", "--from-block", "0"]);
    let ended = command.output().unwrap();
    let told = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(2), "{told}");
    assert!(told.contains("'--from-block <N>'"), "{told}");
}
