//! Failover.

use std::time::Duration;

use curatord::account::Account;
use curatord::chain::nodes::{NodeLimits, NodesError};
use curatord::chain::notice::NodeNotice;
use curatord::network::ChainKind;
use curatord::post::PostId;
use serde_json::json;
use tokio::sync::mpsc::Receiver;
use tokio::time::Instant;

use super::fake_node::{Behaviour, FakeNode, impatient, limits, nodes, nodes_of, nodes_with};

pub fn drain(notices: &mut Receiver<NodeNotice>) -> Vec<NodeNotice> {
    std::iter::from_fn(|| notices.try_recv().ok()).collect()
}

fn texts(error: &NodesError) -> String {
    error.to_string()
}

#[tokio::test]
async fn the_next_node_answers_if_the_first_fails_in_any_way() {
    for (behaviour, words) in [
        (
            Behaviour::Html502,
            "HTTP 502: <html> <head><title>502 Bad Gateway",
        ),
        (Behaviour::HtmlOk, "not JSON: <html>"),
        (Behaviour::EmptyBody, "empty answer"),
        (Behaviour::Huge, "more than 0 MiB"),
        (Behaviour::WrongTypes, "cannot be read"),
        (Behaviour::Hanging, "no answer within 0.5 s"),
        (Behaviour::Truncated, "broke off"),
        (Behaviour::RateLimited(Some(7)), "HTTP 429"),
        (Behaviour::RateLimited(None), "HTTP 429"),
        (Behaviour::InternalError, "Internal Error (code -32603)"),
    ] {
        let (bad, good) = (FakeNode::new().await, FakeNode::new().await);
        bad.set(behaviour);
        let limits = if behaviour == Behaviour::Hanging {
            impatient()
        } else {
            limits()
        };
        let (nodes, mut notices) = nodes_with(&[&bad, &good], limits);
        assert_eq!(nodes.head().await.unwrap().num, 1000, "{behaviour:?}");
        let notices = drain(&mut notices);
        let [NodeNotice::Down { node, fault }] = notices.as_slice() else {
            panic!("{behaviour:?}: {notices:?}");
        };
        assert_eq!(*node, bad.name());
        assert!(fault.contains(words), "{behaviour:?}: {fault}");
        bad.asked();
        nodes.block(1000).await.unwrap().unwrap();
        assert!(bad.asked().is_empty(), "{behaviour:?}: it cools down");
    }
}

#[tokio::test]
async fn a_broken_connection_is_retried_once() {
    let node = FakeNode::new().await;
    let (nodes, mut notices) = nodes(&[&node]);
    node.script().truncate_next = 1;
    assert!(nodes.block(1000).await.unwrap().is_some());
    assert_eq!(drain(&mut notices), []);
    node.script().truncate_next = 2;
    assert!(nodes.block(1000).await.is_err());
}

#[tokio::test]
async fn a_hanging_node_without_batches_fails_after_one_timeout() {
    let node = FakeNode::new().await;
    node.script().takes_batches = false;
    let (nodes, _notices) = nodes_of(ChainKind::Steem, &[&node], impatient());
    nodes.blocks(951, 50).await.unwrap();
    node.set(Behaviour::Hanging);
    node.asked();
    nodes.blocks(951, 50).await.unwrap_err();
    let asked = node.asked();
    assert!(asked.len() < 10, "{asked:?}");
}

#[tokio::test]
async fn every_call_fails_cleanly_on_every_kind_of_bad_answer() {
    for behaviour in [
        Behaviour::Html502,
        Behaviour::HtmlOk,
        Behaviour::EmptyBody,
        Behaviour::Huge,
        Behaviour::WrongTypes,
        Behaviour::Truncated,
        Behaviour::InternalError,
    ] {
        let bad = FakeNode::new().await;
        bad.script()
            .answers
            .insert("bridge.get_account_posts", json!([]));
        bad.script()
            .answers
            .insert("condenser_api.get_accounts", json!([]));
        bad.set(behaviour);
        let (nodes, _notices) = nodes(&[&bad]);
        let bob = Account::from_chain("bob");
        let posts = [PostId::new(bob.clone(), "a"), PostId::new(bob.clone(), "b")];
        assert!(nodes.head().await.is_err(), "{behaviour:?}");
        assert!(nodes.block(1000).await.is_err(), "{behaviour:?}");
        assert!(nodes.blocks(990, 10).await.is_err(), "{behaviour:?}");
        assert!(nodes.contents(&posts).await.is_err(), "{behaviour:?}");
        assert!(
            nodes.accounts(std::slice::from_ref(&bob)).await.is_err(),
            "{behaviour:?}"
        );
        assert!(nodes.newest_posts(&bob, 20).await.is_err(), "{behaviour:?}");
        bad.set(Behaviour::Normal);
        assert!(nodes.contents(&posts).await.is_ok(), "{behaviour:?}");
    }
}

#[tokio::test]
async fn if_all_nodes_fail_the_error_lists_each_and_the_outage_is_reported_once() {
    let (one, two) = (FakeNode::new().await, FakeNode::new().await);
    one.set(Behaviour::Html502);
    two.set(Behaviour::EmptyBody);
    let (nodes, mut notices) = nodes(&[&one, &two]);
    for _ in 0..3 {
        let error = texts(&nodes.block(1000).await.unwrap_err());
        for part in [one.name(), "502", two.name(), "empty"] {
            assert!(error.contains(part), "{error}");
        }
    }
    let is_down = |notices: &[NodeNotice], fake: &FakeNode| {
        let of_fake = |notice: &NodeNotice| matches!(notice, NodeNotice::Down { node, .. } if *node == fake.name());
        notices.iter().any(of_fake)
    };
    let so_far = drain(&mut notices);
    assert_eq!(so_far.len(), 3, "{so_far:?}");
    assert!(is_down(&so_far, &one) && is_down(&so_far, &two));
    assert!(matches!(so_far[2], NodeNotice::AllDown { .. }));
    two.set(Behaviour::Normal);
    nodes.block(1000).await.unwrap();
    assert_eq!(
        drain(&mut notices),
        [NodeNotice::AnyUp {
            node: two.name().to_owned()
        }]
    );
}

#[tokio::test]
async fn the_first_node_is_tried_again_after_its_rest_and_a_hanging_one_costs_little_then() {
    let (first, second) = (FakeNode::new().await, FakeNode::new().await);
    first.set(Behaviour::Html502);
    let (cooldown, timeout) = (Duration::from_millis(200), Duration::from_secs(10));
    let (nodes, mut notices) = nodes_with(
        &[&first, &second],
        NodeLimits {
            cooldown,
            timeout,
            ..limits()
        },
    );
    nodes.block(1000).await.unwrap();
    first.set(Behaviour::Hanging);
    tokio::time::sleep(cooldown).await;
    let before = Instant::now();
    nodes.block(1000).await.unwrap();
    // It is given a fifth of the timeout.
    assert!(before.elapsed() < timeout);
    first.set(Behaviour::Normal);
    first.asked();
    tokio::time::sleep(cooldown).await;
    nodes.block(1000).await.unwrap();
    assert_eq!(first.asked().len(), 1);
    assert_eq!(drain(&mut notices).len(), 1, "one outage");
    tokio::time::sleep(cooldown).await;
    nodes.block(1000).await.unwrap();
    assert_eq!(
        drain(&mut notices),
        [NodeNotice::Up {
            node: first.name().to_owned()
        }]
    );
}

/// Limits with hedging after 20 ms.
fn hedging() -> NodeLimits {
    NodeLimits {
        hedge_after: Duration::from_millis(20),
        timeout: Duration::from_secs(4),
        ..limits()
    }
}

#[tokio::test]
async fn a_hanging_node_delays_no_call_and_cools_down_after_its_timeout() {
    let (hanging, healthy) = (FakeNode::new().await, FakeNode::new().await);
    hanging.set(Behaviour::Hanging);
    let (nodes, mut notices) = nodes_with(&[&hanging, &healthy], hedging());
    let bob = Account::from_chain("bob");
    assert_eq!(nodes.head().await.unwrap().num, 1000);
    assert!(nodes.block(1000).await.unwrap().is_some());
    let posts = [PostId::new(bob.clone(), "a")];
    assert_eq!(nodes.contents(&posts).await.unwrap(), [None]);
    assert_eq!(drain(&mut notices), [], "its time is not over");
    assert_eq!(hanging.asked().len(), 3);
    let notice = notices.recv().await.unwrap();
    assert!(matches!(&notice, NodeNotice::Down { node, .. } if *node == hanging.name()));
    nodes.block(1000).await.unwrap();
    assert_eq!(hanging.asked(), [""; 0], "it cools down");
}

#[tokio::test]
async fn a_slow_node_that_answers_does_not_cool_down() {
    let (slow, quick) = (FakeNode::new().await, FakeNode::new().await);
    slow.set(Behaviour::Slow(Duration::from_millis(300)));
    let limits = NodeLimits {
        hedge_after: hedging().hedge_after,
        ..limits()
    };
    let (nodes, mut notices) = nodes_with(&[&slow, &quick], limits);
    for _ in 0..10 {
        nodes.head().await.unwrap();
        assert!(nodes.block(1000).await.unwrap().is_some());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert_eq!(drain(&mut notices), []);
    assert_eq!(slow.asked().len(), 20, "it is asked first");
}

#[tokio::test]
async fn a_lagging_node_cools_down_unless_all_lag() {
    let (lagging, fresh) = (FakeNode::new().await, FakeNode::new().await);
    lagging.script().forget_above(980);
    let (nodes, mut notices) = nodes(&[&lagging, &fresh]);
    assert_eq!(nodes.head().await.unwrap().num, 1000);
    let notices_so_far = drain(&mut notices);
    assert!(
        matches!(&notices_so_far[..], [NodeNotice::Down { fault, .. }] if fault == "is 60 s behind"),
        "{notices_so_far:?}"
    );
    lagging.asked();
    nodes.block(1000).await.unwrap().unwrap();
    assert!(lagging.asked().is_empty());

    // The chain stands still, or our clock is wrong: no node is at fault.
    let (one, two) = (FakeNode::new().await, FakeNode::new().await);
    for node in [&one, &two] {
        node.script().late = chrono::Duration::hours(-1);
    }
    two.script().grow(1);
    let (nodes, mut notices) = super::fake_node::nodes(&[&one, &two]);
    assert_eq!(nodes.head().await.unwrap().num, 1001);
    assert_eq!(drain(&mut notices), []);
}

#[tokio::test]
async fn a_rate_limited_node_is_not_asked_before_its_limit_ends() {
    let node = FakeNode::new().await;
    node.set(Behaviour::RateLimited(Some(30)));
    let (nodes, _notices) = nodes(&[&node]);
    nodes.block(1000).await.unwrap_err();
    node.set(Behaviour::Normal);
    node.asked();
    let error = nodes.block(1000).await.unwrap_err();
    assert!(node.asked().is_empty());
    let wait = error.retry_after().unwrap();
    assert!(
        wait > Duration::from_secs(25) && wait <= Duration::from_secs(30),
        "{wait:?}"
    );
}

#[tokio::test]
async fn a_slow_call_does_not_delay_others() {
    let node = FakeNode::new().await;
    let (nodes, _notices) = nodes(&[&node]);
    node.set(Behaviour::Hanging);
    let slow = nodes.block(1000);
    let fast = async {
        while node.script().asked.is_empty() {
            tokio::task::yield_now().await;
        }
        node.set(Behaviour::Normal);
        nodes.head().await
    };
    tokio::select! {
        slow = slow => panic!("the hanging node answered: {slow:?}"),
        head = fast => assert_eq!(head.unwrap().num, 1000),
    }
}
