//! The sandbox as libraries of others see it, which are written for the real servers.
//!
//! `tests/run` installs them from npm and PyPI and names their folder in `CURATORD_TEST_CLIENTS`. A test
//! whose library is not there says so and passes.

mod consent;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use curatord::account::Account;
use curatord::network::ChainKind;
use curatord::post::PostId;
use curatord::sandbox::chain::operation::Operation;
use curatord::sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::harness::PATIENCE;

/// A script of this folder with the libraries that it needs; `None`, with a word about it, where they
/// are not installed.
fn script(name: &str) -> Option<Command> {
    let folder = PathBuf::from(std::env::var_os("CURATORD_TEST_CLIENTS").unwrap_or_default());
    let libraries = folder.join(if name.ends_with(".cjs") {
        "node"
    } else {
        "python"
    });
    if !libraries.join("installed").exists() {
        eprintln!("skipped: the libraries for {name} are not installed; see `tests/run`");
        return None;
    }
    let mut command = if name.ends_with(".cjs") {
        let mut node = Command::new("node");
        node.env("NODE_PATH", libraries.join("node_modules"));
        node
    } else {
        let mut python = Command::new(libraries.join("bin/python"));
        python.args(["-W", "ignore"]);
        python
    };
    command
        .arg(
            Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("tests/it/clients")
                .join(name),
        )
        .stdin(Stdio::null())
        .kill_on_drop(true);
    Some(command)
}

/// What a script prints: one line of JSON.
async fn output(mut command: Command) -> Value {
    let output = tokio::time::timeout(PATIENCE, command.output());
    let output = output.await.expect("the script ends").unwrap();
    let [out, err] =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(output.status.success(), "{out}\n{err}");
    let line = out.lines().last().unwrap_or_default();
    serde_json::from_str(line).unwrap_or_else(|_| panic!("{out}\n{err}"))
}

/// A library reads the properties of the chain, a block, a stream of five blocks, an account and a post.
async fn reads(call: &str) {
    let mut words = call.split(' ');
    let Some(mut script) = words.next().and_then(script) else {
        return;
    };
    let config = SandboxConfig::every(ChainKind::Hive, Duration::from_millis(250));
    let sandbox = Sandbox::start(config).await.unwrap();
    let post = sandbox.publish("bob", "a-post");
    sandbox.add_account("alice");
    sandbox.submit(vec![follow("alice", "bob")]).unwrap();
    let is_there = |chain: &curatord::sandbox::chain::Chain| chain.post(&post).map(drop);
    sandbox.wait_for(PATIENCE, is_there).await.unwrap();
    sandbox.vote("alice", &post, 5000).unwrap();
    let vote = sandbox
        .wait_for_vote("alice", &post, PATIENCE)
        .await
        .unwrap();

    script.args(words);
    script.args([
        &sandbox.node_url(),
        &vote.block.to_string(),
        "bob",
        "a-post",
    ]);
    let read = output(script).await;

    let head = read["head"].as_u64().unwrap();
    assert!(head >= u64::from(vote.block), "{read}");
    let stream: Vec<String> = serde_json::from_value(read["stream"].clone()).unwrap();
    let [block, stream_is] = sandbox.with_chain(|chain| {
        let id = |num: u32| json!(chain.block(num).unwrap().id);
        let first = u32::from_str_radix(&stream[0][..8], 16).unwrap();
        let numbers = first..first + 5;
        assert!(u64::from(first) >= head, "{read}");
        [id(vote.block), numbers.map(id).collect()]
    });
    assert_eq!(read["stream"], stream_is);
    assert_eq!(read["block"], block);
    assert_eq!(read["operations"], json!(["vote"]));
    assert_eq!(read["account"], "bob");
    assert_eq!(read["mana"].as_f64(), Some(100.0));
    assert_eq!(read["followers"], json!(["alice"]));
    assert_eq!(read["history"], json!(["comment", "vote"]));
    assert_eq!(read["post"], json!(["bob", "a-post", "a post"]));
    assert_eq!(read["votes"], json!([["alice", 5000]]));
    assert!(
        read["also"]
            .as_array()
            .unwrap()
            .iter()
            .all(|right| *right == true),
        "{read}"
    );
    sandbox.shutdown().await;
}

fn follow(follower: &str, following: &str) -> Operation {
    let json = json!(["follow", {"follower": follower, "following": following, "what": ["blog"]}]);
    Operation::Other {
        name: "custom_json".to_owned(),
        value: json!({
            "required_auths": [],
            "required_posting_auths": [follower],
            "id": "follow",
            "json": json.to_string(),
        }),
    }
}

#[tokio::test]
async fn dhive_reads_the_chain() {
    reads("dhive.cjs").await;
}

#[tokio::test]
async fn hive_js_reads_the_chain() {
    reads("hive_js.cjs").await;
}

#[tokio::test]
async fn beem_reads_the_chain() {
    reads("read_with_beem.py beem").await;
}

#[tokio::test]
async fn hive_nectar_reads_the_chain() {
    reads("read_with_beem.py nectar").await;
}

#[tokio::test]
async fn lighthive_reads_the_chain() {
    reads("read_with_lighthive.py").await;
}

#[tokio::test]
async fn the_hivesigner_sdk_reads_votes_publishes_and_refreshes() {
    let Some(mut script) = script("hivesigner.cjs") else {
        return;
    };
    let sandbox = Sandbox::start(SandboxConfig::manual(ChainKind::Hive))
        .await
        .unwrap();
    let tokens = sandbox.add_voter("alice");
    let post = sandbox.publish("bob", "a-post");
    sandbox.produce_block();
    script
        .args([&sandbox.signer_url(), "alice", "bob", "a-post"])
        .env("ACCESS_TOKEN", &tokens.access)
        .env("REFRESH_TOKEN", &tokens.refresh)
        .env("CLIENT_SECRET", sandbox.client_secret());
    let done = output(script).await;
    sandbox.produce_block();

    assert_eq!(done["me"], json!(["alice", "alice", true]));
    assert_eq!(done["refreshed"], json!(["alice", 604_800, "alice"]));
    assert_eq!(done["refusal"], "unauthorized_client");
    assert_eq!(done["memoDecoded"], "a memo in plain text");
    let ids = done["ids"].as_array().unwrap();
    assert!(
        ids.iter()
            .all(|id| id.as_str().is_some_and(|id| id.len() == 40)),
        "{done}"
    );
    assert_eq!(sandbox.vote_on("alice", &post).unwrap().weight, 5000);
    sandbox.with_chain(|chain| {
        let comment = PostId::new(Account::from_chain("alice"), "re-a-post");
        assert_eq!(&*chain.post(&comment).unwrap().body, "Well said.");
        let alice = chain.account(&comment.author).unwrap();
        assert_eq!(alice.following[&post.author], "blog");
        assert_eq!(alice.rewards.coins, 0);
    });
    sandbox.shutdown().await;
}
