//! Nodes in trouble: the next one is asked, votes go on, and people are told once.

use std::time::Duration;

use chrono::TimeDelta;
use curatord::clock::Clock;
use curatord::network::ChainKind;
use curatord::sandbox::SandboxConfig;
use curatord::sandbox::faults::{Answer, Fault};
use curatord::sandbox::requests::Request;
use curatord::votes::status::Status;

use super::{assert_not_early, rule};
use crate::harness::{Database, Installation, PATIENCE, run};

fn two_nodes() -> SandboxConfig {
    SandboxConfig::every(ChainKind::Hive, Duration::from_millis(200)).with_nodes(2)
}

/// Lets the first node fail from now on, and expects that votes go out all the same, with one row for
/// people.
async fn votes_go_on_when_the_first_node(delay: &str, fails: Fault) {
    run(Database::sqlite().await, async |database| {
        let site = Installation::with(database, two_nodes()).await;
        site.voters(&["alice"]).await;
        site.rules("rules.toml", &rule(&["alice"], delay));
        let daemon = site.start().await;
        site.sandbox.node(0).endpoint().faults.add(fails);
        for name in ["first", "second"] {
            let post = site.sandbox.publish("bob", name);
            let row = site.row_is("alice", &post, Status::Confirmed).await;
            assert_not_early(&site, "alice", &post, row.ask().due_at);
        }
        let errors = site.errors("chain").await;
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert_eq!(site.errors("vote").await, []);
        daemon.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_node_behind_a_proxy_in_trouble_is_left_for_the_next() {
    votes_go_on_when_the_first_node("1s", Fault::Answer(Answer::proxy_page(502))).await;
}

#[tokio::test]
async fn a_node_that_cuts_connections_is_left_for_the_next() {
    votes_go_on_when_the_first_node("1s", Fault::Cut).await;
}

#[tokio::test]
async fn a_node_that_limits_our_rate_is_left_for_the_next() {
    votes_go_on_when_the_first_node("1s", Fault::Answer(Answer::too_many_requests(None))).await;
}

#[tokio::test]
async fn a_node_that_answers_nonsense_is_left_for_the_next() {
    votes_go_on_when_the_first_node("1s", Fault::Answer(Answer::wrong_types())).await;
}

#[tokio::test]
async fn a_node_that_hangs_is_left_for_the_next() {
    votes_go_on_when_the_first_node("1s", Fault::Hang).await;
}

#[tokio::test]
async fn while_a_node_hangs_and_is_not_left_yet_votes_leave_in_time() {
    run(Database::sqlite().await, async |database| {
        let config = SandboxConfig::every(ChainKind::Hive, Duration::from_secs(1)).with_nodes(2);
        let site = Installation::with(database, config).await;
        site.voters(&["alice"]).await;
        site.rules("rules.toml", &watching_rule());
        let daemon = site.start().await;
        let hanging = Clock::system().now();
        site.sandbox.node(0).endpoint().faults.add(Fault::Hang);
        let post = site.sandbox.publish("bob", "a-post");
        let row = site.row_is("alice", &post, Status::Cast).await;
        assert_not_early(&site, "alice", &post, row.ask().due_at);
        // A node that hangs is left after ten seconds.
        let arrived = site.broadcasts("alice", &post)[0].arrived;
        assert!(arrived < hanging + TimeDelta::seconds(10), "{arrived}");
        daemon.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_node_that_lags_is_left_for_the_next() {
    run(Database::sqlite().await, async |database| {
        let mut config = two_nodes();
        config.first_time = Some(Clock::system().now() - TimeDelta::minutes(3));
        let site = Installation::with(database, config).await;
        site.voters(&["alice"]).await;
        site.rules("rules.toml", &rule(&["alice"], "3s"));
        let daemon = site.start().await;
        site.sandbox
            .node(0)
            .switch(|node| node.lag = Duration::from_secs(60));
        let post = site.sandbox.publish("bob", "a-post");
        let row = site.row_is("alice", &post, Status::Confirmed).await;
        assert_not_early(&site, "alice", &post, row.ask().due_at);
        let errors = site.has_errors("chain", 1).await;
        assert_eq!(errors.len(), 1, "{errors:?}");
        daemon.stop().await;
    })
    .await;
}

/// A rule that must see the post when its vote is due, however young that is.
fn watching_rule() -> String {
    rule(&["alice"], "4s") + "max_votes = 100\n"
}

#[tokio::test]
async fn a_young_post_that_was_seen_before_the_nodes_went_is_voted_on_in_time() {
    run(Database::sqlite().await, async |database| {
        let site = Installation::with(database, two_nodes()).await;
        site.voters(&["alice"]).await;
        site.rules("rules.toml", &rule(&["alice"], "4s"));
        let daemon = site.start().await;
        let post = site.sandbox.publish("bob", "a-post");
        site.row_is("alice", &post, Status::Queued).await;
        let row = site.row("alice", &post).await.unwrap();
        let is_look = |request: &Request| request.method.ends_with("get_content");
        let looked = |requests: &[Request]| requests.iter().any(is_look);
        let asked = &site.sandbox.node(0).endpoint().requests;
        assert!(asked.wait_until(PATIENCE, looked).await);
        site.next_block_is_read().await;
        for node in 0..2 {
            site.sandbox.node(node).endpoint().stop();
        }
        site.row_is("alice", &post, Status::Cast).await;
        assert_not_early(&site, "alice", &post, row.ask().due_at);
        daemon.stop().await;
    })
    .await;
}

#[tokio::test]
async fn without_any_node_votes_wait_and_go_out_when_one_is_back() {
    run(Database::sqlite().await, async |database| {
        let site = Installation::with(database, two_nodes()).await;
        site.voters(&["alice"]).await;
        site.rules("rules.toml", &watching_rule());
        let mut daemon = site.start().await;
        let post = site.sandbox.publish("bob", "a-post");
        site.row_is("alice", &post, Status::Queued).await;
        for node in 0..2 {
            site.sandbox.node(node).endpoint().stop();
        }
        let row = site
            .row_where("alice", &post, "waits for a node", |row| {
                row.reason.is_some()
            })
            .await;
        assert!(row.reason.unwrap().to_string().contains("no node answered"));
        assert_eq!((row.status, row.attempts), (Status::Queued, 0));
        assert!(site.broadcasts("alice", &post).is_empty());
        site.sandbox.node(1).endpoint().start().await.unwrap();
        site.row_is("alice", &post, Status::Confirmed).await;
        assert_eq!(site.votes_in_blocks("alice", &post), [5000]);
        let errors = site.errors("chain").await;
        assert_eq!(errors.len(), 2, "one for each node: {errors:?}");
        assert_eq!(site.errors("vote").await, []);
        assert!(daemon.is_running());
        daemon.stop().await;
    })
    .await;
}

#[tokio::test]
async fn nodes_that_stay_away_fail_the_vote_in_the_end() {
    run(Database::sqlite().await, async |database| {
        let mut site = Installation::new(database).await;
        site.set("casting.retry_for", "3s");
        site.voters(&["alice"]).await;
        site.rules("rules.toml", &watching_rule());
        let daemon = site.start().await;
        let post = site.sandbox.publish("bob", "a-post");
        site.row_is("alice", &post, Status::Queued).await;
        site.sandbox.node(0).endpoint().stop();
        let row = site.row_is("alice", &post, Status::Failed).await;
        assert!(row.reason.unwrap().to_string().contains("no node answered"));
        assert_eq!(row.attempts, 0);
        assert_eq!(site.has_errors("vote", 1).await.len(), 1);
        let errors = site.errors("chain").await;
        assert_eq!(errors.len(), 1, "{errors:?}");
        daemon.stop().await;
    })
    .await;
}

#[tokio::test]
async fn blocks_that_were_missed_are_read_also_where_ranges_and_batches_are_refused() {
    run(Database::sqlite().await, async |database| {
        let site = Installation::new(database).await;
        let voters = ["alice", "amy", "ann"];
        site.voters(&voters).await;
        site.rules("rules.toml", &rule(&voters, "1s"));
        site.start().await.stop().await;
        site.sandbox.node(0).switch(|node| {
            node.has_block_range = false;
            node.refuses_batches = true;
        });
        let posts = ["first", "second", "third"].map(|name| {
            let post = site.sandbox.publish("bob", name);
            for _ in 0..20 {
                site.sandbox.produce_block();
            }
            post
        });
        let daemon = site.start().await;
        for voter in voters {
            for post in &posts {
                site.row_is(voter, post, Status::Confirmed).await;
                assert_eq!(site.votes_in_blocks(voter, post), [5000]);
            }
        }
        assert_eq!(site.errors("chain").await, []);
        daemon.stop().await;
    })
    .await;
}
