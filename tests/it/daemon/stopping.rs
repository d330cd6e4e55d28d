//! SIGTERM ends a healthy daemon with status 0 within 12 s, whatever hangs around it.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use curatord::sandbox::faults::Fault;
use curatord::votes::status::Status;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::Instant;

use crate::harness::proxy::{Proxy, Wire};
use crate::harness::{Daemon, Database, Installation, PATIENCE, run};

const STOPS_WITHIN: Duration = Duration::from_secs(12);

const RULES: &str = "voters = ['alice']\n[[author]]\nauthors = ['bob']\nweight = '50%'\n";

/// Stops the daemon as the system does, and returns what it said.
async fn stops_in_time(daemon: Daemon) -> String {
    let start = Instant::now();
    let ended = daemon.stop().await;
    assert!(start.elapsed() < STOPS_WITHIN, "{:?}", start.elapsed());
    ended.log
}

/// Makes opening a file hang, as on a disk in a network that is gone, for 45 s or until it is dropped: by a lease on the
/// file, which only a system call takes.
struct HungFile {
    _holder: Child,
}

impl HungFile {
    async fn new(path: &Path) -> Self {
        let script = "open(my $file, '+<', $ARGV[0]) or die; $SIG{IO} = 'IGNORE'; \
                      fcntl($file, 1024, 1) or die; $| = 1; print \"held\\n\"; sleep 60";
        let mut holder = Command::new("perl")
            .args(["-e", script])
            .arg(path)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let out = holder.stdout.take().unwrap();
        let line = BufReader::new(out).lines().next_line().await.unwrap();
        assert_eq!(line.as_deref(), Some("held"));
        Self { _holder: holder }
    }
}

#[tokio::test]
async fn a_rules_folder_that_hangs_at_the_start_holds_up_no_stop() {
    run(Database::sqlite().await, async |database| {
        let site = Installation::new(database).await;
        site.rules("friends.toml", RULES);
        let _hung = HungFile::new(&site.rule_file("friends.toml")).await;
        let daemon = site.spawn(&[]);
        daemon.says("starting").await;
        // Time to come to the rules: nothing tells that it has.
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert_eq!(site.last_block().await, None);
        stops_in_time(daemon).await;
    })
    .await;
}

#[tokio::test]
async fn a_rules_folder_that_hangs_later_stops_no_votes_and_holds_up_no_stop() {
    run(Database::sqlite().await, async |database| {
        let site = Installation::new(database).await;
        site.rules("friends.toml", RULES);
        site.voter("alice").await;
        let daemon = site.start().await;
        let outside = site.folder().join("late.toml");
        std::fs::write(&outside, RULES).unwrap();
        let _hung = HungFile::new(&outside).await;
        std::fs::rename(&outside, site.rule_file("late.toml")).unwrap();
        daemon.signal("HUP");
        daemon.says("configuration reloaded").await;
        let post = site.sandbox.publish("bob", "a-post");
        site.row_is("alice", &post, Status::Confirmed).await;
        stops_in_time(daemon).await;
    })
    .await;
}

#[tokio::test]
async fn nodes_that_hang_hold_up_no_stop() {
    run(Database::sqlite().await, async |database| {
        let site = Installation::new(database).await;
        site.rules("friends.toml", RULES);
        site.voter("alice").await;
        let daemon = site.start().await;
        let node = site.sandbox.node(0).endpoint();
        node.faults.add(Fault::Hang);
        let asked = node.requests.all().len() + 1;
        let asks = |requests: &[_]| requests.len() >= asked;
        assert!(node.requests.wait_until(PATIENCE, asks).await);
        stops_in_time(daemon).await;
    })
    .await;
}

#[tokio::test]
async fn a_fan_out_is_stopped_in_the_middle_and_what_was_accepted_is_written() {
    run(Database::sqlite().await, async |database| {
        let mut site = Installation::new(database).await;
        site.set("signer.max_in_flight", "8");
        let voters: Vec<String> = (100..300).map(|number| format!("voter-{number}")).collect();
        let voters: Vec<&str> = voters.iter().map(String::as_str).collect();
        let rules = RULES.replace("['alice']", &format!("{voters:?}"));
        site.rules("friends.toml", &rules);
        site.voters(&voters).await;
        let daemon = site.start().await;
        let signer = site.sandbox.signer().endpoint();
        signer
            .faults
            .add(Fault::Delay(Duration::from_millis(200)).on("broadcast"));
        let post = site.sandbox.publish("bob", "a-post");
        let some = |requests: &[_]| requests.len() >= 20;
        assert!(signer.requests.wait_until(PATIENCE, some).await);
        let log = stops_in_time(daemon).await;

        let asked = signer.requests.all().len();
        assert!(asked < voters.len(), "all were sent: {log}");
        let mut accepted = 0;
        for voter in &voters {
            let row = site.row(voter, &post).await.unwrap();
            let sent = site.broadcasts(voter, &post).len();
            let is_accepted = matches!(row.status, Status::Cast | Status::Confirmed);
            assert_eq!(
                (is_accepted, row.attempts as usize),
                (sent == 1, sent),
                "{row:#?}"
            );
            assert_eq!(row.claimed_by, None, "{row:#?}");
            accepted += sent;
        }
        assert_eq!(accepted, asked);
    })
    .await;
}

/// An installation whose daemons reach the database through a wire that can be cut.
async fn with_wire(database: &Database) -> (Installation<'_>, Proxy) {
    let (proxy, url) = Proxy::before(database).await;
    let mut site = Installation::new(database).await;
    site.set("database.url", url.as_str());
    (site, proxy)
}

#[tokio::test]
async fn a_database_that_hangs_from_the_start_holds_up_no_stop() {
    run(Database::mysql().await, async |database| {
        let (site, proxy) = with_wire(database).await;
        site.rules("friends.toml", RULES);
        proxy.set(Wire::Silent);
        let daemon = site.spawn(&[]);
        daemon.says("starting").await;
        stops_in_time(daemon).await;
    })
    .await;
}

#[tokio::test]
async fn database_signer_and_nodes_that_hang_together_hold_up_no_stop_and_no_vote_is_lost() {
    run(Database::mysql().await, async |database| {
        let (mut site, proxy) = with_wire(database).await;
        site.set("signer.timeout", "1m");
        site.rules("friends.toml", RULES);
        site.voter("alice").await;
        let daemon = site.start().await;
        let signer = site.sandbox.signer().endpoint();
        signer
            .faults
            .add(Fault::DoneThenHang.on("broadcast").times(1));
        let post = site.sandbox.publish("bob", "a-post");
        let asked = |requests: &[_]| !requests.is_empty();
        assert!(signer.requests.wait_until(PATIENCE, asked).await);
        proxy.set(Wire::Silent);
        site.sandbox.node(0).endpoint().faults.add(Fault::Hang);
        let log = stops_in_time(daemon).await;
        assert!(log.contains("the database stayed away"), "{log}");

        proxy.set(Wire::Whole);
        site.sandbox.node(0).endpoint().faults.clear();
        let daemon = site.start().await;
        let row = site.row_is("alice", &post, Status::Confirmed).await;
        assert_eq!(site.votes_in_blocks("alice", &post), [5000], "{row:#?}");
        daemon.stop().await;
    })
    .await;
}

#[tokio::test]
async fn sigterm_is_handled_while_a_reload_hangs() {
    run(Database::sqlite().await, async |database| {
        let site = Installation::new(database).await;
        site.rules("friends.toml", RULES);
        let daemon = site.start().await;
        let _hung = HungFile::new(&site.folder().join("curatord.toml")).await;
        daemon.signal("HUP");
        daemon.signal("TERM");
        let ended = daemon.ended().await;
        assert_eq!(ended.code, Some(0), "{}", ended.log);
    })
    .await;
}
