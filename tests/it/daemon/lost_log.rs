//! Standard error that takes no text: a full disk, a reader that is gone, one that reads no more.

use std::fs::OpenOptions;
use std::io::{Read, Write, pipe};
use std::process::Stdio;

use curatord::sandbox::faults::Fault;

use crate::harness::command::{curatord, folder};
use crate::harness::{Daemon, Database, Installation, PATIENCE, run, until};

const RULES: &str = r#"
    voters = ["alice"]
    [[author]]
    authors = ["bob"]
    weight = "10%"
"#;

/// A daemon whose log goes to `log`, once it reads blocks.
async fn start(site: &Installation<'_>, log: impl Into<Stdio>, level: &str) -> Daemon {
    let mut command = site.command();
    command.arg("run").env("RUST_LOG", level);
    let daemon = Daemon::spawn_into(command, log);
    let reading = async || site.last_block().await;
    until("the daemon reads blocks", reading).await;
    daemon
}

/// Votes, also after many lines of log, and goes in peace.
async fn works_as_always(site: &Installation<'_>, daemon: Daemon) {
    for permlink in ["a-post", "another"] {
        let post = site.sandbox.publish("bob", permlink);
        assert_eq!(site.cast_weight("alice", &post).await, 1_000);
        site.rules("friends.toml", "nonsense");
        site.has_errors("rules", 1).await;
        site.rules("friends.toml", RULES);
    }
    daemon.stop().await;
}

async fn site(database: &Database) -> Installation<'_> {
    let site = Installation::new(database).await;
    site.rules("friends.toml", RULES);
    site.voter("alice").await;
    site
}

#[tokio::test]
async fn a_log_on_a_full_disk_stops_no_vote() {
    run(Database::sqlite().await, async |database| {
        let site = site(database).await;
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let daemon = start(&site, full, "info").await;
        works_as_always(&site, daemon).await;
    })
    .await;
}

#[tokio::test]
async fn a_log_whose_reader_is_gone_stops_no_vote() {
    run(Database::sqlite().await, async |database| {
        let site = site(database).await;
        let (mut reader, writer) = pipe().unwrap();
        let daemon = start(&site, writer, "info").await;
        reader.read_exact(&mut [0; 8]).unwrap();
        drop(reader);
        works_as_always(&site, daemon).await;
    })
    .await;
}

#[tokio::test]
async fn a_log_whose_reader_reads_no_more_stops_no_vote() {
    run(Database::sqlite().await, async |database| {
        let site = site(database).await;
        let (reader, mut writer) = pipe().unwrap();
        let log = writer.try_clone().unwrap();
        // More than any pipe holds: this waits for the reader as well, until that is dropped.
        let filling = std::thread::spawn(move || writer.write_all(&[b'.'; 4 << 20]));
        let daemon = start(&site, log, "trace").await;
        works_as_always(&site, daemon).await;
        drop(reader);
        assert!(filling.join().unwrap().is_err());
    })
    .await;
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once_also_then() {
    run(Database::sqlite().await, async |database| {
        let site = site(database).await;
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let daemon = start(&site, full, "info").await;
        let signer = site.sandbox.signer().endpoint();
        signer.faults.add(Fault::Hang.on("broadcast"));
        site.sandbox.publish("bob", "a-post");
        let sent = signer.requests.wait_until(PATIENCE, |all| !all.is_empty());
        assert!(sent.await);
        daemon.signal("TERM");
        daemon.signal("INT");
        // After one signal it waits for the answer and ends with 0.
        assert_eq!(daemon.ended().await.code, Some(1));
    })
    .await;
}

/// What commands exit with when standard error is full.
#[test]
fn commands_end_as_always_when_nobody_hears_their_errors() {
    let folder = folder(&[("bad.toml", "nonsense")]);
    for (arguments, exit) in [
        (&["run", "--config", "bad.toml"][..], 1),
        (&["explain", "@bob/x", "--config", "bad.toml"], 1),
        (&["auth", "import", "nowhere.json"], 1),
        (&["test", "bad.toml"], 1),
        (&["test", "nowhere.toml"], 1),
        (&["explain", "@bob/x", "--at", "25:00"], 2),
        (&["replay", "--blocks", "x", "--rules", "bad.toml"], 1),
    ] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let ended = curatord(folder.path(), arguments).stderr(full).status();
        assert_eq!(ended.unwrap().code(), Some(exit), "{arguments:?}");
    }
}
