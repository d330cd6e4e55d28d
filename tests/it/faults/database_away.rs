//! A database that goes away while the daemon runs: votes whose tokens are known go on, and what happened
//! is written when it is back.

use chrono::TimeDelta;
use curatord::sandbox::faults::{Answer, Fault};
use curatord::votes::status::Status;

use super::{assert_not_early, rule};
use crate::harness::proxy::{Proxy, Wire};
use crate::harness::{Database, Installation, PATIENCE, run, until};

/// An installation whose daemons reach the database through a wire that can be cut.
async fn site(database: &Database) -> (Installation<'_>, Proxy) {
    let (proxy, url) = Proxy::before(database).await;
    let mut site = Installation::new(database).await;
    site.set("database.url", url.as_str());
    (site, proxy)
}

async fn votes_go_on_while_the_database_is(wire: Wire) {
    run(Database::mysql().await, async |database| {
        let (site, proxy) = site(database).await;
        site.voters(&["alice", "amy", "refused"]).await;
        site.rules("rules.toml", &rule(&["alice", "amy", "refused"], "2s"));
        let no = Answer::chain_says("Voter has declined their voting rights.");
        let faults = &site.sandbox.signer().endpoint().faults;
        faults.add(Fault::Answer(no).on("broadcast").for_voter("refused"));
        let mut daemon = site.start().await;

        // One post is read before the database goes away, and for longer than any patience with it there
        // is a new one with every fifth block, which is a second.
        let mut posts = vec![site.sandbox.publish("bob", "before")];
        site.row_is("alice", &posts[0], Status::Queued).await;
        proxy.set(wire);
        for second in 0..12 {
            posts.push(site.sandbox.publish("bob", &format!("second-{second}")));
            let head = site.sandbox.with_chain(|chain| chain.head().num);
            assert!(site.sandbox.wait_for_block(head + 5, PATIENCE).await);
        }
        for post in &posts {
            for voter in ["alice", "amy"] {
                assert_eq!(site.cast_weight(voter, post).await, 5000);
            }
        }
        let late = posts.last().unwrap();
        assert_eq!(site.row("alice", late).await, None, "it was not away");
        assert!(daemon.is_running());

        proxy.set(Wire::Whole);
        for post in &posts {
            for voter in ["alice", "amy"] {
                let row = site.row_is(voter, post, Status::Confirmed).await;
                assert_not_early(&site, voter, post, row.ask().due_at);
                assert_eq!(site.broadcasts(voter, post).len(), 1);
                assert_eq!((row.attempts, &row.claimed_by), (1, &None));
                let cast_at = row.cast_at.expect("the moment it was cast is known");
                assert!(cast_at >= row.ask().due_at, "{voter} on {post}: {cast_at}");
            }
            site.row_is("refused", post, Status::Failed).await;
            assert_eq!(site.broadcasts("refused", post).len(), 1);
        }
        let errors = site.has_errors("database", 1).await;
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].error.contains("was away for"), "{errors:?}");
        let failed = site.has_errors("vote", posts.len()).await;
        assert_eq!(failed.len(), posts.len());

        // And on it goes.
        let after = site.sandbox.publish("bob", "after");
        let row = site.row_is("alice", &after, Status::Confirmed).await;
        assert_not_early(&site, "alice", &after, row.ask().due_at);
        assert_eq!(site.errors("database").await.len(), 1);
        daemon.stop().await;
    })
    .await;
}

#[tokio::test]
async fn votes_go_on_while_the_database_is_gone() {
    votes_go_on_while_the_database_is(Wire::Cut).await;
}

#[tokio::test]
async fn votes_go_on_while_the_database_hangs() {
    votes_go_on_while_the_database_is(Wire::Silent).await;
}

#[tokio::test]
async fn every_outage_is_told_once() {
    run(Database::mysql().await, async |database| {
        let (site, proxy) = site(database).await;
        site.voters(&["alice"]).await;
        let daemon = site.start().await;
        for outage in 1..=2 {
            proxy.set(Wire::Cut);
            let away = "the database is away";
            until("the outage is noticed", async || {
                (daemon.log().matches(away).count() == outage).then_some(())
            })
            .await;
            proxy.set(Wire::Whole);
            assert_eq!(site.has_errors("database", outage).await.len(), outage);
        }
        daemon.stop().await;
    })
    .await;
}

#[tokio::test]
async fn killed_while_the_database_is_away_it_loses_no_vote_and_doubles_none() {
    run(Database::mysql().await, async |database| {
        let (site, proxy) = site(database).await;
        site.voters(&["alice"]).await;
        site.rules("rules.toml", &rule(&["alice"], "3s"));
        let daemon = site.start().await;
        let queued = site.sandbox.publish("bob", "queued");
        site.row_is("alice", &queued, Status::Queued).await;
        proxy.set(Wire::Cut);
        let cast = site.sandbox.publish("bob", "cast");
        for post in [&queued, &cast] {
            site.cast_weight("alice", post).await;
        }
        let not_cast = site.sandbox.publish("bob", "not-cast");
        let head = site.sandbox.with_chain(|chain| chain.head().num);
        site.sandbox.wait_for_block(head + 3, PATIENCE).await;
        daemon.kill();

        proxy.set(Wire::Whole);
        let daemon = site.start().await;
        let over = async |post| {
            let over = |row: &curatord::votes::vote::Vote| {
                matches!(row.status, Status::Confirmed | Status::Skipped)
            };
            site.row_where("alice", post, "is over", over).await
        };
        assert_eq!(over(&queued).await.status, Status::Confirmed);
        over(&cast).await;
        assert_eq!(over(&not_cast).await.status, Status::Confirmed);
        for post in [&queued, &cast, &not_cast] {
            assert_eq!(site.votes_in_blocks("alice", post), [5000], "{post}");
        }
        assert_eq!(site.errors("vote").await, []);
        daemon.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_daemon_whose_database_hangs_ends_in_peace_and_before_the_system_loses_patience() {
    run(Database::mysql().await, async |database| {
        let (site, proxy) = site(database).await;
        site.voters(&["alice"]).await;
        site.rules("rules.toml", &rule(&["alice"], "2s"));
        let daemon = site.start().await;
        let post = site.sandbox.publish("bob", "a-post");
        site.row_is("alice", &post, Status::Queued).await;
        proxy.set(Wire::Silent);
        site.cast_weight("alice", &post).await;
        // The system has the same patience with it as this: 30 s.
        let ended = daemon.stop().await;
        assert!(ended.log.contains("the database stayed away"));

        proxy.set(Wire::Whole);
        let daemon = site.start().await;
        site.row_is("alice", &post, Status::Confirmed).await;
        assert_eq!(site.votes_in_blocks("alice", &post), [5000]);
        daemon.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_database_that_is_away_at_the_start_is_waited_for() {
    run(Database::mysql().await, async |database| {
        let (site, proxy) = site(database).await;
        site.voters(&["alice"]).await;
        site.rules("rules.toml", &rule(&["alice"], "1s"));
        proxy.set(Wire::Cut);
        let mut daemon = site.spawn(&[]);
        daemon.says("waiting for the database").await;
        assert!(daemon.is_running());
        proxy.set(Wire::Whole);
        until("the daemon reads blocks", async || site.last_block().await).await;
        let post = site.sandbox.publish("bob", "a-post");
        site.row_is("alice", &post, Status::Confirmed).await;
        daemon.stop().await;
    })
    .await;
}

/// Two rules of different files: the earlier has its vote queued for later than daemons claim ahead.
const FAVOURITES: &str =
    "voters = ['alice']\n[[author]]\nauthors = ['bob']\nweight = '50%'\ndelay = '40s'\n";
const TRAIL: &str =
    "voters = ['alice', 'amy']\n[[trail]]\nleaders = ['curie']\nweight = '10%'\ndelay = '4s'\n";

#[tokio::test]
async fn while_the_database_hangs_a_later_rule_takes_no_vote_that_is_queued() {
    run(Database::mysql().await, async |database| {
        let (site, proxy) = site(database).await;
        site.voters(&["alice", "amy"]).await;
        site.rules("1.toml", FAVOURITES);
        site.rules("2.toml", TRAIL);
        let daemon = site.start().await;
        let post = site.sandbox.publish("bob", "a-post");
        site.row_is("alice", &post, Status::Queued).await;
        proxy.set(Wire::Silent);
        site.sandbox.vote("curie", &post, 10_000).unwrap();
        // The trail goes on for whom nothing else asks.
        assert_eq!(site.cast_weight("amy", &post).await, 1000);
        proxy.set(Wire::Whole);
        site.row_is("amy", &post, Status::Confirmed).await;
        let row = site.row("alice", &post).await.unwrap();
        assert_eq!(row.ask().rule.as_str(), "1.toml:author-1");
        assert_eq!(row.status, Status::Queued);
        assert!(site.broadcasts("alice", &post).is_empty());
        daemon.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_vote_that_its_leader_took_back_while_the_database_was_away_is_withdrawn() {
    run(Database::mysql().await, async |database| {
        let (site, proxy) = site(database).await;
        site.voters(&["alice", "amy"]).await;
        site.rules("2.toml", TRAIL);
        let daemon = site.start().await;
        let post = site.sandbox.publish("bob", "a-post");
        site.next_block_is_read().await;
        site.sandbox.vote("curie", &post, 10_000).unwrap();
        let row = site.row_is("alice", &post, Status::Queued).await;
        proxy.set(Wire::Silent);
        site.sandbox.vote("curie", &post, 0).unwrap();
        // The moment at which it would have been due passes.
        site.is_now(row.ask().due_at + TimeDelta::seconds(2)).await;
        proxy.set(Wire::Whole);
        let row = site.row_is("alice", &post, Status::Withdrawn).await;
        assert!(row.reason.unwrap().to_string().contains("@curie"));
        assert!(site.broadcasts("alice", &post).is_empty());
        daemon.stop().await;
    })
    .await;
}
