//! Micro-forks: the newest blocks are replaced by others.

use curatord::network::ChainKind;
use curatord::post::PostId;
use curatord::sandbox::SandboxConfig;
use curatord::sandbox::chain::operation::Operation;
use curatord::sandbox::faults::Fault;
use curatord::votes::status::Status;

use super::rule;
use crate::harness::{Daemon, Database, Installation, run};

/// A chain whose blocks come when the test says so, with a rule and a daemon.
async fn site<'a>(database: &'a Database, delay: &str) -> (Installation<'a>, Daemon) {
    let config = SandboxConfig {
        irreversible_lag: 20,
        ..SandboxConfig::manual(ChainKind::Hive)
    };
    let mut site = Installation::with(database, config).await;
    site.set("network.block_interval", "200ms");
    site.set("casting.confirm_within", "2s");
    site.voters(&["alice"]).await;
    site.rules("rules.toml", &rule(&["alice"], delay));
    for _ in 0..3 {
        site.sandbox.produce_block();
    }
    let daemon = site.start().await;
    (site, daemon)
}

fn is_post(operation: &Operation, post: &PostId) -> bool {
    matches!(operation, Operation::Comment(comment) if comment.post == *post)
}

fn is_vote(operation: &Operation) -> bool {
    matches!(operation, Operation::Vote(_))
}

/// Makes blocks until the vote stands in one.
async fn goes_into_a_block(site: &Installation<'_>, post: &PostId, requests: usize) {
    crate::harness::until("the vote is broadcast", async || {
        (site.broadcasts("alice", post).len() >= requests).then_some(())
    })
    .await;
    site.row_is("alice", post, Status::Cast).await;
    site.sandbox.produce_block();
    site.row_is("alice", post, Status::Confirmed).await;
}

#[tokio::test]
async fn a_vote_whose_post_was_dropped_is_withdrawn() {
    for depth in [1, 3] {
        run(Database::sqlite().await, async |database| {
            let (site, daemon) = site(database, "4s").await;
            let post = site
                .in_a_block(|sandbox| sandbox.publish("bob", "a-post"))
                .await;
            for _ in 1..depth {
                site.in_a_block(|_| ()).await;
            }
            site.row_is("alice", &post, Status::Queued).await;
            assert_eq!(
                site.sandbox
                    .fork(depth, |operation| !is_post(operation, &post)),
                depth
            );
            site.sandbox.produce_block();
            let row = site.row_is("alice", &post, Status::Withdrawn).await;
            assert!(row.reason.unwrap().to_string().contains("undone by a fork"));
            // The moment it was due passes: a later post has its vote.
            let later = site
                .in_a_block(|sandbox| sandbox.publish("bob", "a-later-post"))
                .await;
            goes_into_a_block(&site, &later, 1).await;
            assert!(site.broadcasts("alice", &post).is_empty());
            daemon.stop().await;
        })
        .await;
    }
}

#[tokio::test]
async fn a_vote_whose_post_is_in_the_new_branch_too_is_cast_once() {
    for depth in [1, 2, 3] {
        run(Database::sqlite().await, async |database| {
            let (site, daemon) = site(database, "3s").await;
            let post = site
                .in_a_block(|sandbox| sandbox.publish("bob", "a-post"))
                .await;
            for _ in 1..depth {
                site.in_a_block(|_| ()).await;
            }
            site.row_is("alice", &post, Status::Queued).await;
            assert_eq!(site.sandbox.fork(depth, |_| true), depth);
            site.sandbox.produce_block();
            site.reads_up_to_now().await;
            goes_into_a_block(&site, &post, 1).await;
            assert_eq!(site.broadcasts("alice", &post).len(), 1);
            assert_eq!(site.votes_in_blocks("alice", &post), [5000]);
            daemon.stop().await;
        })
        .await;
    }
}

#[tokio::test]
async fn a_post_that_comes_again_after_the_fork_is_voted_on() {
    run(Database::sqlite().await, async |database| {
        let (site, daemon) = site(database, "2s").await;
        let post = site
            .in_a_block(|sandbox| sandbox.publish("bob", "a-post"))
            .await;
        site.row_is("alice", &post, Status::Queued).await;
        site.sandbox.fork(1, |_| false);
        site.sandbox.produce_block();
        site.row_is("alice", &post, Status::Withdrawn).await;
        let again = site
            .in_a_block(|sandbox| sandbox.publish("bob", "a-post"))
            .await;
        assert_eq!(again, post);
        goes_into_a_block(&site, &post, 1).await;
        assert_eq!(site.votes_in_blocks("alice", &post), [5000]);
        daemon.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_confirmed_vote_that_was_dropped_is_looked_for_and_cast_again() {
    run(Database::sqlite().await, async |database| {
        let (site, daemon) = site(database, "1s").await;
        let post = site
            .in_a_block(|sandbox| sandbox.publish("bob", "a-post"))
            .await;
        goes_into_a_block(&site, &post, 1).await;
        assert_eq!(site.sandbox.fork(1, |operation| !is_vote(operation)), 1);
        site.sandbox.produce_block();
        let row = site.row_is("alice", &post, Status::Cast).await;
        assert_eq!(row.block_num, None);
        assert!(site.votes_in_blocks("alice", &post).is_empty());
        goes_into_a_block(&site, &post, 2).await;
        assert_eq!(site.votes_in_blocks("alice", &post), [5000]);
        assert_eq!(site.broadcasts("alice", &post).len(), 2);
        assert_eq!(site.errors("vote").await, []);
        daemon.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_confirmed_vote_that_is_in_the_new_branch_too_is_confirmed_again() {
    run(Database::sqlite().await, async |database| {
        let (site, daemon) = site(database, "1s").await;
        let post = site
            .in_a_block(|sandbox| sandbox.publish("bob", "a-post"))
            .await;
        goes_into_a_block(&site, &post, 1).await;
        assert_eq!(site.sandbox.fork(2, |_| true), 2);
        site.in_a_block(|_| ()).await;
        let head = site.sandbox.with_chain(|chain| chain.head().num);
        let again = |row: &curatord::votes::vote::Vote| {
            row.status == Status::Confirmed && row.block_num.is_some_and(|num| num <= head)
        };
        site.row_where("alice", &post, "is confirmed", again).await;
        // The time in which it must be confirmed passes: a later vote, which the signer loses, is cast again.
        let faults = &site.sandbox.signer().endpoint().faults;
        faults.add(Fault::Swallowed.on("broadcast").times(1));
        let later = site
            .in_a_block(|sandbox| sandbox.publish("bob", "a-later-post"))
            .await;
        goes_into_a_block(&site, &later, 2).await;
        site.row_is("alice", &post, Status::Confirmed).await;
        assert_eq!(site.broadcasts("alice", &post).len(), 1);
        daemon.stop().await;
    })
    .await;
}
