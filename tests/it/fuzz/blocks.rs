//! Blocks in both shapes, read and played.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use curatord::chain::block::Block;
use curatord::chain::recording::parse_recording;
use curatord::network::ChainKind;
use curatord::rules::set::RuleSet;
use curatord::simulate::mana::Start;
use curatord::simulate::replay::Replay;
use curatord::weight::Weight;
use fastrand::Rng;
use serde_json::{Value, json};

use super::json::mutated;
use super::{assert_harmless, fuzz, pick};

/// Every filter, and both kinds of rules.
const RULES: &str = r##"
voters = ["alice", "dave"]
[[author]]
authors = "*"
weight = "50%"
delay = "5m"
tags = { any = ["art", "photo"], none = ["nsfw"] }
apps = { none = ["spam"] }
words = { min = 1, max = 10 }
text = { any = ["walk"], none = ["#ad"] }
payout = { declined = true, max = 10 }
max_votes = 3
limit = { per_day = 2, per_author_per_week = 3 }
min_mana = "80%"
below_min_mana = "wait"
window = { from = "22:00", to = "08:00", timezone = "Europe/Amsterdam" }
[[author]]
authors = ["bob"]
weight = "-10%"
kind = "all"
communities = { none = ["hive-1"] }
[[author]]
authors = ["carol"]
weight = "100%"
schedule = { cron = "*/5 * * * *" }
[[trail]]
leaders = ["bob", "carol"]
weight = { scale = "50%", offset = "1%", min = "0.5%", max = "40%" }
downvotes = "follow"
min_leader_weight = "1%"
agree = 2
[[trail]]
leaders = ["alice", "erin"]
weight = "1%"
self_votes = true
"##;

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_714_564_900, 0).unwrap()
}

fn account(rng: &mut Rng) -> &'static str {
    const NAMES: [&str; 8] = [
        "alice",
        "bob",
        "carol",
        "dave",
        "erin",
        "x",
        "hive-174578",
        "Not An Account",
    ];
    pick::<&str>(rng, &NAMES)
}

fn metadata(rng: &mut Rng) -> String {
    let tags = ["art", "nsfw", "# photo", "", "é"];
    let value = json!({
        "tags": [pick(rng, &tags), pick(rng, &tags)],
        "app": pick(rng, &["peakd/2024.1", "spam", ""]),
        "description": "a walk",
    });
    match rng.u8(..6) {
        0 => String::new(),
        1 => "{\"tags\":[\"art\"],\"tags\":[\"nsfw\"]}".to_owned(),
        2 => Value::String(value.to_string()).to_string(),
        3 => String::from_utf8_lossy(&mutated(value, rng)).into_owned(),
        _ => value.to_string(),
    }
}

/// An operation and its name.
fn operation(rng: &mut Rng) -> (&'static str, Value) {
    let permlink = *pick(rng, &["a-walk", "re-a-walk", "P_ost", "é", ""]);
    match rng.u8(..8) {
        0..=2 => (
            "comment",
            json!({
                "parent_author": *pick(rng, &["", "", "bob"]), "parent_permlink": *pick(rng, &["art", "hive-1", "a-walk"]),
                "author": account(rng), "permlink": permlink, "title": "A walk", "body": "by the sea",
                "json_metadata": metadata(rng),
            }),
        ),
        3..=4 => (
            "vote",
            json!({
                "voter": account(rng), "author": account(rng), "permlink": permlink,
                "weight": *pick(rng, &[10_000, 0, -10_000, 1, 5_000]),
            }),
        ),
        5 => (
            "comment_options",
            json!({
                "author": account(rng), "permlink": permlink, "percent_hbd": 10_000, "allow_votes": rng.bool(),
                "allow_curation_rewards": true, "extensions": [],
                "max_accepted_payout": *pick(rng, &["0.000 HBD", "1000000.000 HBD"]),
            }),
        ),
        6 => (
            "delete_comment",
            json!({ "author": account(rng), "permlink": permlink }),
        ),
        _ => (
            "custom_json",
            json!({ "required_auths": [], "id": "follow", "json": metadata(rng) }),
        ),
    }
}

fn block(num: u32, rng: &mut Rng) -> Value {
    let is_block_api = rng.bool();
    let time = now() + chrono::Duration::seconds(i64::from(num) * 3 - 300);
    let mut transactions = Vec::new();
    for _ in 0..rng.usize(0..4) {
        let operations = (0..rng.usize(1..4)).map(|_| match (operation(rng), is_block_api) {
            ((name, mut value), true) => {
                if let Some(amount) = value.get_mut("max_accepted_payout") {
                    *amount = json!({"amount": "0", "precision": 3, "nai": "@@000000013"});
                }
                json!({ "type": format!("{name}_operation"), "value": value })
            }
            ((name, value), false) => json!([name, value]),
        });
        let operations: Vec<_> = operations.collect();
        transactions
            .push(json!({ "ref_block_num": 1, "operations": operations, "extensions": [] }));
    }
    let ids = (0..transactions.len()).map(|index| format!("{num:08x}{index:032x}"));
    let ids: Vec<_> = ids.collect();
    json!({
        "previous": format!("{:08x}{:032x}", num - 1, 0),
        "timestamp": time.format("%Y-%m-%dT%H:%M:%S").to_string(),
        "witness": "erin",
        "transactions": transactions,
        "block_id": format!("{num:08x}{:032x}", 0),
        "transaction_ids": ids,
    })
}

/// One to a few blocks, each on a line.
fn recording(rng: &mut Rng) -> Vec<u8> {
    let mut text = Vec::new();
    for num in 1..=rng.u32(1..6) {
        let block = block(num, rng);
        let wrapped = match rng.u8(..6) {
            0 => json!({ "jsonrpc": "2.0", "id": 1, "result": block }),
            1 => json!({ "blocks": [block] }),
            2 => json!([block]),
            _ => block,
        };
        text.extend(match rng.u8(..3) {
            0 => wrapped.to_string().into_bytes(),
            _ => mutated(wrapped, rng),
        });
        text.push(b'\n');
    }
    text
}

fn play(rules: &Arc<RuleSet>, blocks: &mut Vec<Block>) {
    blocks.sort_by_key(|block| block.num);
    blocks.dedup_by_key(|block| block.num);
    let start = Start {
        kind: ChainKind::Hive,
        mana: Weight::from_hundredths(10_000).unwrap(),
        mana_of: HashMap::new(),
    };
    let mut replay = Replay::new(rules, start);
    for block in &*blocks {
        replay.block(block);
    }
    for row in replay.finish().rows {
        assert_harmless(&format!(
            "{} {} {}",
            row.key.voter,
            row.key.post,
            row.ask().rule
        ));
    }
}

#[test]
fn blocks_of_any_content_are_read_and_played() {
    let checked = curatord::rules::language::file::read("a.toml", RULES);
    assert!(checked.is_valid(), "{:?}", checked.problems);
    let rules = checked.rules.into_iter().map(Arc::new).collect();
    let rules = Arc::new(RuleSet::new(rules));
    fuzz(recording, |bytes| {
        // As a node's answer is read.
        let text = String::from_utf8_lossy(&bytes);
        let mut blocks: Vec<_> = text
            .lines()
            .filter_map(|line| match Block::from_json(line, now()) {
                Ok(block) => Some(block),
                Err(error) => {
                    assert_harmless(&error.to_string());
                    None
                }
            })
            .collect();
        for block in &blocks {
            assert!(block.timestamp <= now() + chrono::Duration::days(1));
        }
        play(&rules, &mut blocks);
        match parse_recording(&text, now()) {
            Ok(mut blocks) => play(&rules, &mut blocks),
            Err(error) => assert_harmless(&error.to_string()),
        }
    });
}
