//! The sandbox over HTTP, with its faults.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Response};
use serde_json::{Value, json};

use super::faults::{Answer, Fault};
use super::{NewPost, Sandbox, SandboxConfig};
use crate::network::ChainKind;
use crate::post::PostId;

const SOON: Duration = Duration::from_secs(5);

fn client() -> Client {
    // Fails if another test has installed one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().unwrap()
}

/// A sandbox with manual blocks, the access token of alice and a post by bob in a block.
async fn sandbox() -> (Sandbox, String, PostId) {
    let sandbox = Sandbox::start(SandboxConfig::manual(ChainKind::Hive))
        .await
        .unwrap();
    let token = sandbox.add_voter("alice").access;
    let post = sandbox.publish("bob", "post");
    sandbox.produce_block();
    (sandbox, token, post)
}

async fn broadcast(sandbox: &Sandbox, token: &str, post: &PostId) -> reqwest::Result<Response> {
    let vote = json!({"voter": "alice", "author": post.author.as_str(), "permlink": &*post.permlink, "weight": 5000});
    client()
        .post(format!("{}/api/broadcast", sandbox.signer_url()))
        .header("authorization", token)
        .json(&json!({"operations": [["vote", vote]]}))
        .timeout(SOON)
        .send()
        .await
}

async fn rpc(url: &str, body: &Value) -> reqwest::Result<Value> {
    let request = client().post(url).json(body).timeout(SOON);
    request.send().await?.json().await
}

fn head_request() -> Value {
    json!({"jsonrpc": "2.0", "id": 1, "method": "condenser_api.get_dynamic_global_properties", "params": []})
}

fn block_request(id: u32, num: u32) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "condenser_api.get_block", "params": [num]})
}

#[tokio::test]
async fn a_vote_goes_through_the_signer_into_a_block_of_the_node() {
    let (sandbox, token, post) = sandbox().await;
    let answer: Value = broadcast(&sandbox, &token, &post)
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let num = sandbox.produce_block();
    let seen = sandbox.wait_for_vote("alice", &post, SOON).await.unwrap();
    assert_eq!((seen.weight, seen.block), (5000, num));
    let block = rpc(&sandbox.node_url(), &block_request(1, num))
        .await
        .unwrap();
    assert_eq!(
        block["result"]["transaction_ids"][0],
        answer["result"]["id"]
    );
    let requests = &sandbox.signer().endpoint().requests;
    let [request] = requests.broadcasts("alice", &post).try_into().unwrap();
    assert_eq!(request.vote, Some((post, 5000)));
    assert_eq!(requests.in_flight(), 0);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_wait_for_a_vote_ends_with_its_block_or_after_its_timeout() {
    let (sandbox, token, post) = sandbox().await;
    let sandbox = Arc::new(sandbox);
    broadcast(&sandbox, &token, &post).await.unwrap();
    let wait = sandbox.wait_for_vote("alice", &post, SOON);
    let (seen, _) = tokio::join!(wait, async { sandbox.produce_block() });
    assert!(seen.is_some());
    let never = sandbox.wait_for_vote("carol", &post, Duration::from_millis(10));
    assert_eq!(never.await, None);
}

#[tokio::test]
async fn blocks_are_produced_at_the_interval() {
    let config = SandboxConfig::every(ChainKind::Hive, Duration::from_millis(20));
    let sandbox = Sandbox::start(config).await.unwrap();
    let first = sandbox.with_chain(|chain| chain.head().num);
    assert!(sandbox.wait_for_block(first + 5, SOON).await);
    sandbox.pause_blocks(true);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_cut_request_takes_effect_only_if_the_fault_says_so() {
    for (fault, landed) in [(Fault::Cut, false), (Fault::DoneThenCut, true)] {
        let (sandbox, token, post) = sandbox().await;
        let faults = &sandbox.signer().endpoint().faults;
        faults.add(fault.on("broadcast").for_voter("alice").times(1));
        let error = broadcast(&sandbox, &token, &post).await.unwrap_err();
        assert!(!error.is_timeout() && !error.is_connect(), "{error:?}");
        sandbox.produce_block();
        assert_eq!(sandbox.vote_on("alice", &post).is_some(), landed);
        sandbox.shutdown().await;
    }
}

#[tokio::test]
async fn a_vote_can_land_after_its_client_has_given_up() {
    let (sandbox, token, post) = sandbox().await;
    let late = Fault::LandsLate(Duration::from_millis(300));
    let endpoint = sandbox.signer().endpoint();
    endpoint.faults.add(late.times(1));
    let limit = Duration::from_secs(10);
    tokio::select! {
        answer = broadcast(&sandbox, &token, &post) => panic!("answered: {answer:?}"),
        arrived = endpoint.requests.wait_until(limit, |requests| !requests.is_empty()) => assert!(arrived),
    }
    sandbox.produce_block();
    assert_eq!(sandbox.vote_on("alice", &post), None);
    let landed = async {
        while sandbox.with_chain(|chain| chain.pending()) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(limit, landed)
        .await
        .expect("the vote lands");
    sandbox.produce_block();
    assert!(sandbox.vote_on("alice", &post).is_some());
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_swallowed_vote_has_an_id_and_never_lands() {
    let (sandbox, token, post) = sandbox().await;
    sandbox
        .signer()
        .endpoint()
        .faults
        .add(Fault::Swallowed.times(1));
    let answer = broadcast(&sandbox, &token, &post).await.unwrap();
    assert_eq!(answer.status(), 200);
    sandbox.produce_block();
    assert_eq!(sandbox.vote_on("alice", &post), None);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn the_answer_of_a_fault_is_sent_as_it_is() {
    let (sandbox, token, post) = sandbox().await;
    let faults = &sandbox.signer().endpoint().faults;
    faults.add(Fault::Answer(Answer::too_many_requests(Some(7))).times(1));
    faults.add(Fault::Answer(Answer::proxy_page(520)).times(1));
    faults.add(Fault::FailedToLoad.times(1));
    let limited = broadcast(&sandbox, &token, &post).await.unwrap();
    assert_eq!(limited.status(), 429);
    assert_eq!(limited.headers()["retry-after"], "7");
    let page = broadcast(&sandbox, &token, &post).await.unwrap();
    assert_eq!(page.status().as_u16(), 520);
    assert!(page.text().await.unwrap().starts_with("<html>"));
    let failed: Value = broadcast(&sandbox, &token, &post)
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        failed["error_description"],
        "The app @sandbox.app or user @alice account failed to load"
    );
    assert_eq!(
        broadcast(&sandbox, &token, &post).await.unwrap().status(),
        200
    );
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_signer_that_dies_cuts_all_requests_in_flight_and_restarts() {
    let (sandbox, token, post) = sandbox().await;
    let endpoint = sandbox.signer().endpoint();
    endpoint.faults.add(Fault::Hang.times(1));
    let crash = async {
        endpoint
            .requests
            .wait_until(SOON, |requests| requests.len() == 1)
            .await;
        let no_operations = client()
            .post(format!("{}/api/broadcast", sandbox.signer_url()))
            .header("authorization", &token)
            .json(&json!({}));
        no_operations.send().await.unwrap_err();
    };
    let (hanging, ()) = tokio::join!(broadcast(&sandbox, &token, &post), crash);
    assert!(!hanging.unwrap_err().is_timeout());
    assert_eq!(endpoint.requests.most_in_flight(), 2);
    assert_eq!(
        broadcast(&sandbox, &token, &post).await.unwrap().status(),
        200
    );
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_stopped_node_refuses_connections_and_another_goes_on() {
    let config = SandboxConfig::manual(ChainKind::Hive).with_nodes(2);
    let sandbox = Sandbox::start(config).await.unwrap();
    let urls = sandbox.node_urls();
    sandbox.node(0).endpoint().stop();
    assert!(
        rpc(&urls[0], &head_request())
            .await
            .unwrap_err()
            .is_connect()
    );
    rpc(&urls[1], &head_request()).await.unwrap();
    sandbox.node(0).endpoint().start().await.unwrap();
    rpc(&urls[0], &head_request()).await.unwrap();
    sandbox.shutdown().await;
}

#[tokio::test]
async fn batches_can_be_answered_in_reverse_or_refused() {
    let (sandbox, _, _) = sandbox().await;
    let num = sandbox.with_chain(|chain| chain.head().num);
    let batch = json!([block_request(1, num), block_request(2, num - 1)]);
    let ids = |answers: &Value| (answers[0]["id"].clone(), answers[1]["id"].clone());
    let straight = rpc(&sandbox.node_url(), &batch).await.unwrap();
    assert_eq!(ids(&straight), (json!(1), json!(2)));
    sandbox
        .node(0)
        .switch(|switches| switches.reverses_batches = true);
    let reversed = rpc(&sandbox.node_url(), &batch).await.unwrap();
    assert_eq!(ids(&reversed), (json!(2), json!(1)));
    sandbox
        .node(0)
        .switch(|switches| switches.refuses_batches = true);
    let refused = rpc(&sandbox.node_url(), &batch).await.unwrap();
    assert_eq!(refused["error"]["code"], -32600);
    let requests = &sandbox.node(0).endpoint().requests;
    assert_eq!(requests.count("condenser_api.get_block"), 4);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_fault_of_one_method_does_not_affect_others() {
    let (sandbox, _, _) = sandbox().await;
    let node = sandbox.node(0).endpoint();
    node.faults
        .add(Fault::Answer(Answer::empty()).on("condenser_api.get_block"));
    let num = sandbox.with_chain(|chain| chain.head().num);
    assert!(
        rpc(&node.url(), &block_request(1, num))
            .await
            .unwrap_err()
            .is_decode()
    );
    rpc(&node.url(), &head_request()).await.unwrap();
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_post_can_decline_payout_and_be_edited_and_deleted() {
    let (sandbox, _, post) = sandbox().await;
    let mut declining = NewPost::new("carol", "for-free");
    declining.declines_payout = true;
    let declining = sandbox.publish_post(&declining);
    sandbox.edit(&post, "Better words.");
    sandbox.produce_block();
    sandbox.with_chain(|chain| {
        assert_eq!(chain.post(&declining).unwrap().max_accepted_payout, 0);
        assert_eq!(&*chain.post(&post).unwrap().body, "Better words.");
    });
    sandbox.delete(&post).unwrap();
    sandbox.produce_block();
    let content = json!({"jsonrpc": "2.0", "id": 1, "method": "condenser_api.get_content", "params": ["bob", "post"]});
    let content = rpc(&sandbox.node_url(), &content).await.unwrap();
    assert_eq!(content["result"]["author"], "");
    sandbox.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_closed_after_five_seconds_and_a_busy_one_stays_open() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let (sandbox, _, _) = sandbox().await;
    let address = sandbox.signer_url().replace("http://", "");
    sandbox
        .signer()
        .endpoint()
        .faults
        .add(Fault::Delay(Duration::from_secs(6)).on("me"));
    let mut idle = tokio::net::TcpStream::connect(&address).await.unwrap();
    let mut busy = tokio::net::TcpStream::connect(&address).await.unwrap();
    busy.write_all(b"GET /api/me HTTP/1.1\r\nhost: sandbox\r\n\r\n")
        .await
        .unwrap();
    let start = tokio::time::Instant::now();
    let mut buffer = [0; 512];
    assert_eq!(idle.read(&mut buffer).await.unwrap(), 0);
    let closed_after = start.elapsed();
    assert!((4..6).contains(&closed_after.as_secs()), "{closed_after:?}");
    let length = busy.read(&mut buffer).await.unwrap();
    assert!(buffer[..length].starts_with(b"HTTP/1.1 401"), "{length}");
    sandbox.shutdown().await;
}
