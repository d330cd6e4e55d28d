//! SQLite's files: a disk that is full for a while, what a clean stop leaves, and addresses that are mistyped.

use std::path::Path;

use curatord::sandbox::faults::{Answer, Fault};
use curatord::votes::status::Status;
use secrecy::ExposeSecret;

use super::rule;
use crate::harness::{Daemon, Database, Installation, PATIENCE, run, until};

/// A daemon that survives a limit on the size of its files.
async fn start_limited(site: &Installation<'_>) -> Daemon {
    let mut command = site.command_of(Path::new("/bin/sh"));
    let script = "trap '' XFSZ; exec \"$0\" run";
    command.args(["-c", script, env!("CARGO_BIN_EXE_curatord")]);
    site.start_command(command).await
}

#[tokio::test]
async fn a_disk_that_is_full_for_a_while_loses_nothing() {
    run(Database::sqlite().await, async |database| {
        let site = Installation::new(database).await;
        site.voters(&["alice", "refused"]).await;
        site.rules("rules.toml", &rule(&["alice", "refused"], "400ms"));
        let no = Answer::chain_says("Voter has declined their voting rights.");
        let faults = &site.sandbox.signer().endpoint().faults;
        faults.add(Fault::Answer(no).on("broadcast").for_voter("refused"));
        let daemon = start_limited(&site).await;
        for outage in 1..=2 {
            daemon.limit_files("1");
            let posts = [1, 2].map(|post| format!("{outage}-{post}"));
            let posts = posts.map(|permlink| site.sandbox.publish("bob", &permlink));
            for post in &posts {
                assert_eq!(site.cast_weight("alice", post).await, 5000);
            }
            let head = site.sandbox.with_chain(|chain| chain.head().num);
            assert!(site.sandbox.wait_for_block(head + 10, PATIENCE).await);
            assert_eq!(site.row("alice", &posts[0]).await, None, "it was not full");
            daemon.limit_files("unlimited");
            for post in &posts {
                let row = site.row_is("alice", post, Status::Confirmed).await;
                assert_eq!((row.attempts, &row.claimed_by), (1, &None));
                site.row_is("refused", post, Status::Failed).await;
                assert_eq!(site.broadcasts("alice", post).len(), 1);
            }
            let errors = site.has_errors("database", outage).await;
            assert_eq!(errors.len(), outage, "{errors:?}");
            assert_eq!(site.has_errors("vote", 2 * outage).await.len(), 2 * outage);
        }
        daemon.stop().await;
    })
    .await;
}

/// What lies beside the file of the database.
fn beside(database: &Database) -> Vec<String> {
    let files = std::fs::read_dir(database.folder()).unwrap();
    let name = |file: std::io::Result<std::fs::DirEntry>| file.unwrap().file_name();
    let names = files.map(|file| name(file).into_string().unwrap());
    let mut names: Vec<_> = names.filter(|name| !name.ends_with(".lock")).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_clean_stop_leaves_everything_in_the_one_file() {
    run(Database::sqlite().await, async |database| {
        let site = Installation::new(database).await;
        site.voters(&["alice"]).await;
        assert_eq!(beside(database), ["curatord.db"], "after a command");
        site.rules("rules.toml", &rule(&["alice"], "0s"));
        let daemon = site.spawn(&[]);
        let mut number = 0;
        until("the daemon votes", async || {
            number += 1;
            let post = site.sandbox.publish("bob", &format!("post-{number}"));
            let head = site.sandbox.with_chain(|chain| chain.head().num);
            site.sandbox.wait_for_block(head + 3, PATIENCE).await;
            (!site.votes_in_blocks("alice", &post).is_empty()).then_some(())
        })
        .await;
        daemon.stop().await;
        assert_eq!(beside(database), ["curatord.db"], "after the daemon");
    })
    .await;
}

#[tokio::test]
async fn commands_that_only_read_make_no_database_of_a_mistyped_address() {
    run(Database::sqlite().await, async |database| {
        let mut site = Installation::new(database).await;
        site.rules("rules.toml", &rule(&["alice"], "0s"));
        let url = database
            .url
            .expose_secret()
            .replace("curatord.db", "mistyped.db");
        site.set("database.url", &url);
        let commands: [&[&str]; 3] = [
            &["auth", "list"],
            &["explain", "@bob/a-post"],
            &["vote", "@bob/a-post", "--voter", "alice", "--weight", "50%"],
        ];
        for command in commands {
            let said = site.run(command).await;
            assert_eq!(said.code, Some(1), "{command:?}: {}", said.err);
            assert!(said.err.contains("there is no database"), "{}", said.err);
            assert!(said.err.contains("mistyped.db"), "{}", said.err);
            assert!(
                beside(database).is_empty(),
                "{command:?}: {:?}",
                beside(database)
            );
        }
        // Neither is an empty file a database.
        std::fs::write(database.folder().join("mistyped.db"), "").unwrap();
        let said = site.run(&["auth", "list"]).await;
        assert_eq!(said.code, Some(1), "{}", said.err);
        assert!(said.err.contains("there is no database"), "{}", said.err);
    })
    .await;
}
