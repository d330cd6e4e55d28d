//! Handwritten recordings, and replaying them.

use std::path::Path;
use std::process::Output;

use crate::harness::command::{curatord, folder};
use serde_json::{Value, json};

/// Time of block 100: noon. No block is missing.
const FIRST: u32 = 100;

/// The two formats of blocks.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    Condenser,
    BlockApi,
}

/// An operation with its name.
pub struct Operation(&'static str, Value);

/// A new post.
pub fn post(author: &str, permlink: &str) -> Operation {
    comment_operation(author, permlink, "", "photos", "hello")
}

/// A comment on `@bob/a`.
pub fn comment(author: &str, permlink: &str) -> Operation {
    comment_operation(author, permlink, "bob", "a", "hello")
}

/// An edit of a post, as a patch.
pub fn patch(author: &str, permlink: &str) -> Operation {
    comment_operation(
        author,
        permlink,
        "",
        "photos",
        "@@ -1,5 +1,6 @@\n hello\n+!\n",
    )
}

fn comment_operation(
    author: &str,
    permlink: &str,
    parent_author: &str,
    parent_permlink: &str,
    body: &str,
) -> Operation {
    let value = json!({
        "parent_author": parent_author, "parent_permlink": parent_permlink,
        "author": author, "permlink": permlink,
        "title": "A title", "body": body, "json_metadata": "{\"tags\":[\"photos\"]}",
    });
    Operation("comment", value)
}

/// A post with this body and metadata.
pub fn post_with(author: &str, permlink: &str, body: &str, metadata: Value) -> Operation {
    let Operation(name, mut value) = comment_operation(author, permlink, "", "photos", body);
    value["json_metadata"] = metadata.to_string().into();
    Operation(name, value)
}

/// Options of a post that decline payout.
pub fn decline(author: &str, permlink: &str) -> Operation {
    let value = json!({
        "author": author, "permlink": permlink, "max_accepted_payout": "0.000 HBD",
        "percent_hbd": 10000, "allow_votes": true, "allow_curation_rewards": true, "extensions": [],
    });
    Operation("comment_options", value)
}

/// A vote; weight 0 retracts it.
pub fn vote(voter: &str, author: &str, permlink: &str, weight: i32) -> Operation {
    let value = json!({"voter": voter, "author": author, "permlink": permlink, "weight": weight});
    Operation("vote", value)
}

/// The deletion of a post.
pub fn delete(author: &str, permlink: &str) -> Operation {
    let value = json!({"author": author, "permlink": permlink});
    Operation("delete_comment", value)
}

/// The block `num`, with these operations after an unknown one.
pub fn block(num: u32, operations: &[Operation], shape: Shape) -> Value {
    let seconds = (num - FIRST) * 3;
    let (day, clock) = (1 + seconds / 86_400, seconds % 86_400 + 43_200);
    let (day, clock) = (day + clock / 86_400, clock % 86_400);
    let timestamp = format!(
        "2024-05-{day:02}T{:02}:{:02}:{:02}",
        clock / 3_600,
        clock / 60 % 60,
        clock % 60
    );
    let unknown = Operation("brand_new", json!({"amount": {"nai": "@@000000021"}}));
    let operations: Vec<Value> = [&unknown]
        .into_iter()
        .chain(operations)
        .map(|Operation(name, value)| match shape {
            Shape::Condenser => json!([name, value]),
            Shape::BlockApi => json!({"type": format!("{name}_operation"), "value": value}),
        })
        .collect();
    json!({
        "block_id": format!("{num:08x}{:032x}", 7),
        "previous": format!("{:08x}{:032x}", num - 1, 7),
        "timestamp": timestamp,
        "transactions": [{"operations": operations, "extensions": []}],
        "transaction_ids": [format!("{num:040x}")],
    })
}

/// Runs `curatord replay` in `folder`.
pub fn replay(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = curatord(folder, &["replay"]);
    command.args(arguments).output().unwrap()
}

/// Standard output of a successful command.
pub fn printed(output: &Output) -> &str {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    std::str::from_utf8(&output.stdout).unwrap()
}

/// The votes that `rules` cast for `blocks`, which are equal in both formats:
/// `alice @bob/a 5000 05-01 12:05:00.000 author-1 100`.
pub fn votes(rules: &str, blocks: &[(u32, &[Operation])]) -> Vec<String> {
    let [condenser, block_api] = [Shape::Condenser, Shape::BlockApi].map(|shape| {
        let blocks: Vec<_> = blocks
            .iter()
            .map(|(num, operations)| block(*num, operations, shape))
            .collect();
        let blocks = Value::from(blocks).to_string();
        let folder = folder(&[("rules/a.toml", rules), ("blocks.json", &blocks)]);
        let output = replay(
            folder.path(),
            &["--format", "json", "--blocks", "blocks.json"],
        );
        printed(&output).lines().map(brief).collect::<Vec<_>>()
    });
    assert_eq!(condenser, block_api);
    condenser
}

/// A short form of a line of JSON, with all fields that can differ.
fn brief(line: &str) -> String {
    let vote: Value = serde_json::from_str(line).unwrap();
    let text = |key: &str| vote[key].as_str().unwrap();
    let due = text("due").strip_prefix("2024-").unwrap();
    let due = due.strip_suffix('Z').unwrap().replace('T', " ");
    format!(
        "{} @{}/{} {} {due} {} {}",
        text("voter"),
        text("author"),
        text("permlink"),
        vote["weight"],
        text("rule").strip_prefix("a.toml:").unwrap(),
        vote["block"]
    )
}
