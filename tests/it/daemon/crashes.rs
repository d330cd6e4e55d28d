//! `kill -9`: nothing is lost, and nothing is cast twice.

use std::time::Duration;

use chrono::TimeDelta;
use curatord::clock::Clock;
use curatord::sandbox::faults::Fault;
use curatord::sandbox::requests::Request;
use curatord::votes::status::Status;
use curatord::votes::vote::Vote;

use crate::harness::{Database, Installation, PATIENCE, on_each_database, run};

on_each_database! {
    a_daemon_killed_with_votes_at_every_stage_finishes_each_once,
}

/// An answer that comes so late comes after the daemon was killed, and after its successor has begun.
const LATE: Duration = Duration::from_secs(3);

/// On MySQL the successor waits for the leases of the killed one to run out, 15 s.
async fn a_daemon_killed_with_votes_at_every_stage_finishes_each_once(database: &Database) {
    let site = Installation::new(database).await;
    let rule = |voter: &str, delay: &str| {
        format!(
            "[[author]]\nvoters = [{voter:?}]\nauthors = [\"bob\"]\nweight = \"10%\"\ndelay = {delay:?}\n"
        )
    };
    let rules = [
        rule("not-due", "4s"),
        rule("unheard", "0s"),
        rule("unanswered", "0s"),
        rule("landing", "0s"),
        rule("cast", "0s"),
    ];
    site.rules("friends.toml", &rules.concat());
    let voters = ["not-due", "unheard", "unanswered", "landing", "cast"];
    site.voters(&voters).await;
    let signer = site.sandbox.signer().endpoint();
    for (voter, fault) in [
        ("unheard", Fault::Hang),
        ("unanswered", Fault::DoneThenHang),
        ("landing", Fault::LandsLate(LATE)),
    ] {
        signer
            .faults
            .add(fault.on("broadcast").for_voter(voter).times(1));
    }
    let daemon = site.start().await;

    // No block shows the votes before the daemon is dead.
    site.sandbox.pause_blocks(true);
    let post = site
        .in_a_block(|sandbox| sandbox.publish("bob", "a-post"))
        .await;
    let four = |requests: &[Request]| requests.len() >= 4;
    assert!(signer.requests.wait_until(PATIENCE, four).await);
    site.row_is("cast", &post, Status::Cast).await;
    let row = site.row("not-due", &post).await.unwrap();
    assert_eq!((row.status, row.attempts), (Status::Queued, 0));
    daemon.kill();
    site.sandbox.pause_blocks(false);

    let daemon = site.start().await;
    for voter in voters {
        let confirmed = |row: &Vote| row.status == Status::Confirmed && row.block_num.is_some();
        let row = site
            .row_where(voter, &post, "is confirmed", confirmed)
            .await;
        assert_eq!(row.ask().weight.hundredths(), 1_000);
    }
    let landed = site.broadcasts("landing", &post)[0].arrived + LATE + TimeDelta::milliseconds(500);
    site.is_now(landed).await;
    for (voter, most) in [
        ("not-due", 1),
        ("unheard", 2),
        ("unanswered", 1),
        ("landing", 2),
        ("cast", 1),
    ] {
        assert_eq!(site.votes_in_blocks(voter, &post), [1_000], "{voter}");
        assert!(site.broadcasts(voter, &post).len() <= most, "{voter}");
        assert_eq!(
            site.row(voter, &post).await.unwrap().status,
            Status::Confirmed
        );
    }
    assert_eq!(site.errors("vote").await, []);
    daemon.stop().await;
}

#[tokio::test]
async fn a_daemon_that_stood_still_takes_up_its_work_again() {
    let database = Database::sqlite().await;
    let site = Installation::new(&database).await;
    site.rules(
        "friends.toml",
        "voters = [\"alice\"]\n[[author]]\nauthors = [\"dave\"]\nweight = \"10%\"\n",
    );
    site.voter("alice").await;
    let daemon = site.start().await;
    let post = site.sandbox.publish("bob", "a-post");
    site.next_block_is_read().await;
    // Longer than the time between two looks at the queue.
    daemon.signal("STOP");
    site.is_now(Clock::system().now() + TimeDelta::seconds(3))
        .await;
    daemon.signal("CONT");
    let mut vote = tokio::process::Command::from(site.command());
    vote.args(["vote", &post.to_string(), "--voter", "alice"]);
    vote.args(["--weight", "10%"]);
    assert!(vote.status().await.unwrap().success());
    site.row_is("alice", &post, Status::Confirmed).await;
    daemon.stop().await;
}

#[tokio::test]
async fn a_daemon_killed_again_and_again_casts_every_vote_once() {
    run(Database::sqlite().await, killed_again_and_again).await;
}

async fn killed_again_and_again(database: &Database) {
    let site = Installation::new(database).await;
    site.rules(
        "friends.toml",
        "voters = [\"alice\", \"erica\"]\n[[author]]\nauthors = [\"bob\"]\nweight = \"10%\"\ndelay = \"1s\"\n",
    );
    site.voters(&["alice", "erica"]).await;
    site.start().await.stop().await;
    let mut posts = Vec::new();
    for (round, millis) in [30, 60, 90, 130, 180, 250, 350, 500, 800]
        .into_iter()
        .enumerate()
    {
        let daemon = site.spawn(&[]);
        for number in 0..3 {
            posts.push(
                site.sandbox
                    .publish("bob", &format!("post-{round}-{number}")),
            );
        }
        // The moment of the kill is what this is about.
        tokio::time::sleep(Duration::from_millis(millis)).await;
        daemon.kill();
    }
    let daemon = site.start().await;
    for post in &posts {
        for voter in ["alice", "erica"] {
            site.row_is(voter, post, Status::Confirmed).await;
            assert_eq!(
                site.votes_in_blocks(voter, post),
                [1_000],
                "{voter} on {post}"
            );
        }
    }
    assert_eq!(site.errors("vote").await, []);
    daemon.stop().await;
}
