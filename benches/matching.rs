//! What it costs to hold a block against the rules, beside reading the block at all: the same blocks with
//! few rules and with very many that do not match.
//!
//! ```sh
//! cargo bench --bench matching
//! ```

#![allow(clippy::print_stdout, reason = "a bench tells what it measured")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use curatord::chain::block::Block;
use curatord::clock::Clock;
use curatord::rules::language;
use curatord::rules::set::RuleSet;
use curatord::votes::planner::Planner;

const BLOCKS: u32 = 500;
const POSTS: u32 = 20;
const VOTES: u32 = 60;
/// Operations that no rule speaks of.
const OTHERS: u32 = 120;
const ROUNDS: u32 = 5;

fn main() {
    let now = Clock::system().now();
    let texts: Vec<String> = (1..=BLOCKS).map(block).collect();
    let operations = f64::from(BLOCKS * (POSTS + VOTES + OTHERS));
    let bytes: usize = texts.iter().map(String::len).sum();
    println!(
        "{BLOCKS} blocks, {operations} operations, {} MB of JSON",
        bytes / 1_000_000
    );

    let parsing = fastest(|| {
        for text in &texts {
            black_box(serde_json::from_str::<serde_json::Value>(text).is_ok());
        }
    });
    println!(
        "{:<34} {:>9.0} operations a second",
        "bare JSON parsing",
        operations / parsing.as_secs_f64()
    );
    let reading = fastest(|| {
        for text in &texts {
            black_box(Block::from_json(text, now).is_ok());
        }
    });
    println!(
        "{:<34} {:>9.0} operations a second",
        "reading blocks",
        operations / reading.as_secs_f64()
    );

    let blocks: Vec<Block> = texts
        .iter()
        .filter_map(|text| Block::from_json(text, now).ok())
        .collect();
    assert_eq!(blocks.len(), texts.len(), "every block can be read");
    for count in [100, 10_000, 100_000] {
        let rules = rules(count);
        let mut planned = 0;
        let matching = fastest(|| {
            let mut planner = Planner::default();
            planned = blocks
                .iter()
                .map(|block| planner.block(&rules, block).changes.len())
                .sum();
        });
        println!(
            "{:<34} {:>9.0} operations a second, {:.1}% of bare JSON parsing, {planned} votes planned",
            format!("matching against {count} rules"),
            operations / matching.as_secs_f64(),
            100.0 * matching.as_secs_f64() / parsing.as_secs_f64(),
        );
    }
}

/// The fastest of a few rounds.
fn fastest(mut work: impl FnMut()) -> Duration {
    let rounds = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        work();
        start.elapsed()
    });
    rounds.min().unwrap_or_default()
}

/// One rule that matches now and then, and `count` that never do.
fn rules(count: usize) -> RuleSet {
    let mut text =
        "voters = ['alice']\n[[author]]\nauthors = ['author-7']\nweight = '50%'\n".to_owned();
    for number in 0..count / 2 {
        text += &format!("[[author]]\nauthors = ['nobody-{number:06}']\nweight = '50%'\n");
        text += &format!("[[trail]]\nleaders = ['leader-{number:06}']\nweight = '50%'\n");
    }
    let read = language::file::read("many.toml", &text);
    assert!(read.is_valid(), "{:?}", read.problems.first());
    RuleSet::new(read.rules.into_iter().map(Arc::new).collect())
}

/// A block as `condenser_api` tells of it.
fn block(num: u32) -> String {
    let mut operations = Vec::new();
    for number in 0..POSTS {
        let author = format!("author-{}", (num + number) % 1_000);
        operations.push(serde_json::json!(["comment", {
            "parent_author": "", "parent_permlink": "photography", "author": author,
            "permlink": format!("post-{num}-{number}"), "title": "A walk by the sea",
            "body": "Light and water on a quiet morning. ".repeat(40),
            "json_metadata": r#"{"tags":["photography","sea"],"app":"peakd/2026.1"}"#,
        }]));
    }
    for number in 0..VOTES {
        operations.push(serde_json::json!(["vote", {
            "voter": format!("voter-{number}"), "author": format!("author-{number}"),
            "permlink": format!("post-{num}-{number}"), "weight": 5_000,
        }]));
    }
    for number in 0..OTHERS {
        operations.push(serde_json::json!(["custom_json", {
            "required_auths": [], "required_posting_auths": [format!("player-{number}")],
            "id": "a-game", "json": "{\"move\": [1, 2, 3, 4, 5, 6, 7, 8]}",
        }]));
    }
    let transactions: Vec<_> = operations
        .chunks(4)
        .map(|operations| serde_json::json!({"operations": operations, "signatures": []}))
        .collect();
    let ids: Vec<_> = (0..transactions.len())
        .map(|number| format!("{num:08x}{number:032x}"))
        .collect();
    serde_json::json!({
        "block_id": format!("{num:08x}{:032x}", 7), "previous": format!("{:08x}{:032x}", num - 1, 7),
        "timestamp": "2026-03-01T12:00:00", "transactions": transactions, "transaction_ids": ids,
    })
    .to_string()
}
