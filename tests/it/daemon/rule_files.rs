//! Rule files that change, go bad or go away while the daemon runs. The watcher has a suite of its own;
//! here it is the votes that tell.

use std::fs;

use curatord::votes::status::Status;
use curatord::votes::vote::Vote;

use crate::harness::{Daemon, Database, Installation, on_each_database, until};

on_each_database! {
    a_bad_file_keeps_its_last_good_rules_and_is_reported_once_for_each_content,
    a_file_that_is_bad_at_the_start_harms_no_other,
    votes_queued_by_a_file_that_went_bad_go_out,
    every_change_of_the_files_is_in_force_for_the_next_block,
}

#[tokio::test]
async fn of_a_folder_that_is_removed_its_rules_are_all_that_is_told() {
    let database = Database::sqlite().await;
    let site = Installation::new(&database).await;
    fs::create_dir(site.rule_file("friends")).unwrap();
    site.rules("friends/a.toml", &rule("a", "10%"));
    let mut command = site.command();
    command.arg("run").env_remove("RUST_LOG");
    let daemon = Daemon::spawn(command, site.folder().join("log"));
    daemon.says("reading blocks").await;
    let gone = answered_by(&daemon, CHANGED, || {
        // All that is to be seen of it is seen in one go.
        daemon.signal("STOP");
        fs::remove_dir_all(site.rule_file("friends")).unwrap();
        daemon.signal("CONT");
    });
    gone.await;
    let log = daemon.stop().await.log;
    assert!(!log.contains("watch"), "{log}");
}

/// Does something and waits until the daemon has said `text` once more.
async fn answered_by(daemon: &Daemon, text: &str, act: impl FnOnce()) {
    let said = || daemon.log().matches(text).count();
    let before = said();
    act();
    let again = async || (said() > before).then_some(());
    until(&format!("the daemon says {text:?} again"), again).await;
}

const CHANGED: &str = "rules in force have changed";

fn rule(name: &str, weight: &str) -> String {
    format!(
        "voters = [\"alice\"]\n[[author]]\nname = \"{name}\"\nauthors = [\"bob\"]\nweight = {weight:?}\n"
    )
}

/// The row that a new post brings, once its block is read.
async fn row_of_next_post(site: &Installation<'_>, permlink: &str) -> Option<Vote> {
    let post = site
        .in_a_block(|sandbox| sandbox.publish("bob", permlink))
        .await;
    site.row("alice", &post).await
}

async fn weight_of_next_post(site: &Installation<'_>, permlink: &str) -> Option<i16> {
    let row = row_of_next_post(site, permlink).await?;
    Some(row.ask().weight.hundredths())
}

async fn a_bad_file_keeps_its_last_good_rules_and_is_reported_once_for_each_content(
    database: &Database,
) {
    let site = Installation::new(database).await;
    site.rules("friends.toml", &rule("a", "10%"));
    site.voter("alice").await;
    let daemon = site.start().await;

    let bad = rule("a", "30%").replace("bob", "not an account");
    site.rules("friends.toml", &bad);
    let errors = site.has_errors("rules", 1).await;
    assert!(errors[0].error.contains("friends.toml"), "{errors:?}");
    assert_eq!((&*errors[0].voter, &*errors[0].permlink), ("", ""));
    assert_eq!(weight_of_next_post(&site, "one").await, Some(1_000));

    // Good, and then bad in the same way: that was told.
    let good = || site.rules("friends.toml", &rule("a", "20%"));
    answered_by(&daemon, CHANGED, good).await;
    assert_eq!(weight_of_next_post(&site, "two").await, Some(2_000));
    let bad_again = || site.rules("friends.toml", &bad);
    answered_by(&daemon, "not an account", bad_again).await;
    site.rules("friends.toml", "[[author");
    let errors = site.has_errors("rules", 2).await;
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert_eq!(weight_of_next_post(&site, "three").await, Some(2_000));

    // Nor is it told again after a restart.
    daemon.stop().await;
    let daemon = site.start().await;
    assert_eq!(site.errors("rules").await.len(), 2);
    daemon.stop().await;
}

async fn a_file_that_is_bad_at_the_start_harms_no_other(database: &Database) {
    let site = Installation::new(database).await;
    site.rules("a.toml", "voters = [\"alice\"]\n[[author]]\n");
    site.rules("b.toml", &rule("a", "10%"));
    site.voter("alice").await;
    let daemon = site.start().await;
    let row = row_of_next_post(&site, "one").await.unwrap();
    assert_eq!(row.ask().rule.as_str(), "b.toml:a");
    assert_eq!(site.has_errors("rules", 1).await.len(), 1);
    daemon.stop().await;
}

async fn votes_queued_by_a_file_that_went_bad_go_out(database: &Database) {
    let site = Installation::new(database).await;
    let slow = format!("{}delay = \"3s\"\n", rule("a", "10%"));
    site.rules("friends.toml", &slow);
    site.voter("alice").await;
    let daemon = site.start().await;
    let post = site.sandbox.publish("bob", "a-post");
    site.row_is("alice", &post, Status::Queued).await;
    site.rules("friends.toml", "weight =");
    site.has_errors("rules", 1).await;
    assert_eq!(
        site.row_is("alice", &post, Status::Confirmed)
            .await
            .ask()
            .weight
            .hundredths(),
        1_000
    );
    daemon.stop().await;
}

async fn every_change_of_the_files_is_in_force_for_the_next_block(database: &Database) {
    let site = Installation::new(database).await;
    site.voter("alice").await;
    let daemon = site.start().await;
    let file = site.rule_file("friends.toml");
    assert_eq!(weight_of_next_post(&site, "no-rules-yet").await, None);

    let add = || site.rules("friends.toml", &rule("a", "10%"));
    answered_by(&daemon, CHANGED, add).await;
    assert_eq!(weight_of_next_post(&site, "added").await, Some(1_000));

    let save = || site.rules("friends.toml", &rule("a", "11%"));
    answered_by(&daemon, CHANGED, save).await;
    assert_eq!(weight_of_next_post(&site, "saved").await, Some(1_100));

    // As editors do it.
    let aside = site.rule_file(".friends.toml.tmp");
    let replace = || {
        fs::write(&aside, rule("a", "12%")).unwrap();
        fs::rename(&aside, &file).unwrap();
    };
    answered_by(&daemon, CHANGED, replace).await;
    assert_eq!(weight_of_next_post(&site, "replaced").await, Some(1_200));

    let rename = || fs::rename(&file, site.rule_file("others.toml")).unwrap();
    answered_by(&daemon, CHANGED, rename).await;
    let row = row_of_next_post(&site, "renamed").await.unwrap();
    assert_eq!(row.ask().rule.as_str(), "others.toml:a");

    let remove = || fs::remove_file(site.rule_file("others.toml")).unwrap();
    answered_by(&daemon, CHANGED, remove).await;
    assert_eq!(weight_of_next_post(&site, "removed").await, None);

    // As Kubernetes does it: a folder that is a link, swapped in one move.
    for (version, weight, hundredths) in [("v1", "13%", 1_300), ("v2", "14%", 1_400)] {
        let swap = || {
            let folder = site.folder().join(version);
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("linked.toml"), rule("a", weight)).unwrap();
            let link = site.folder().join("next");
            std::os::unix::fs::symlink(&folder, &link).unwrap();
            fs::rename(&link, site.rule_file("data")).unwrap();
        };
        answered_by(&daemon, CHANGED, swap).await;
        let row = row_of_next_post(&site, version).await.unwrap();
        assert_eq!(row.ask().rule.as_str(), "data/linked.toml:a");
        assert_eq!(row.ask().weight.hundredths(), hundredths);
    }
    daemon.stop().await;
}
