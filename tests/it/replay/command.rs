//! Input, output and exit status of the command.

use serde_json::{Value, json};

use super::recording::{Operation, Shape, block, post, printed, replay};
use crate::harness::command::folder;

const RULES: &str = "voters = ['alice']\n[[author]]\nname = 'friends'\nauthors = ['bob', 'carol']\nweight = '50%'\ndelay = '1500ms'\n";

fn blocks(from: u32, to: u32) -> Vec<Value> {
    (from..=to)
        .map(|num| posts(num, &[post("bob", &format!("no-{num}"))]))
        .collect()
}

fn posts(num: u32, operations: &[Operation]) -> Value {
    block(num, operations, Shape::Condenser)
}

fn stderr(output: &std::process::Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn json_is_one_object_per_line_by_due_time_then_block() {
    // The second block has the time of the first, and its post is first in alphabetical order.
    let mut second = posts(101, &[post("bob", "a"), post("carol", "c")]);
    second["timestamp"] = json!("2024-05-01T12:00:00");
    let text = json!([second, posts(100, &[post("bob", "b")])]).to_string();
    let folder = folder(&[("rules/a.toml", RULES), ("blocks.json", &text)]);
    let output = replay(
        folder.path(),
        &["--blocks", "blocks.json", "--format", "json"],
    );
    assert_eq!(
        printed(&output),
        r#"{"voter":"alice","author":"bob","permlink":"b","weight":5000,"due":"2024-05-01T12:00:01.500Z","rule":"a.toml:friends","block":100}
{"voter":"alice","author":"bob","permlink":"a","weight":5000,"due":"2024-05-01T12:00:01.500Z","rule":"a.toml:friends","block":101}
{"voter":"alice","author":"carol","permlink":"c","weight":5000,"due":"2024-05-01T12:00:01.500Z","rule":"a.toml:friends","block":101}
"#
    );
    assert_eq!(stderr(&output), "");
}

#[test]
fn the_table_lists_votes_and_their_number() {
    let text =
        json!({"jsonrpc": "2.0", "id": 1, "result": {"blocks": blocks(100, 101)}}).to_string();
    let folder = folder(&[
        ("rules/sub/a.toml", RULES),
        ("blocks.json", &text),
        ("none.json", "{}"),
    ]);
    let output = replay(folder.path(), &["--blocks", "blocks.json"]);
    assert_eq!(
        printed(&output),
        "\
DUE (UTC)                VOTER  WEIGHT  POST         RULE                BLOCK
2024-05-01 12:00:01.500  alice  50%     @bob/no-100  sub/a.toml:friends  100
2024-05-01 12:00:04.500  alice  50%     @bob/no-101  sub/a.toml:friends  101

2 votes over 2 blocks, 100 to 101

DAY (UTC)   RULE                VOTES
2024-05-01  sub/a.toml:friends      2

DAY (UTC)   VOTER  LOWEST MANA  AT DAY END
2024-05-01  alice          98%         98%
"
    );
}

#[test]
fn files_in_any_form_and_order_are_combined() {
    let lines: String = blocks(103, 105)
        .iter()
        .map(|block| format!("{block}\n"))
        .collect();
    let answer = json!({"result": posts(100, &[post("bob", "no-100")])}).to_string();
    let again = json!(blocks(104, 106)).to_string();
    let files = [
        ("rules/a.toml", RULES),
        ("lines", &lines),
        ("answer", &answer),
        ("again", &again),
    ];
    let folder = folder(&files);
    let output = replay(
        folder.path(),
        &[
            "--format", "json", "--blocks", "lines", "again", "answer", "lines",
        ],
    );
    let numbers: Vec<u64> = printed(&output)
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["block"]
                .as_u64()
                .unwrap()
        })
        .collect();
    assert_eq!(numbers, [100, 103, 104, 105, 106]);
    assert_eq!(
        stderr(&output),
        "warning: blocks 101 to 102 are missing: their operations are not replayed\n"
    );
}

#[test]
fn rules_come_from_the_option_or_else_from_the_configuration() {
    let text = json!(blocks(100, 100)).to_string();
    let files = [
        ("other/b.toml", RULES),
        (
            "curatord.toml",
            "rules = 'other'\n[network]\nkind = 'bitcoin'\n",
        ),
        ("bad.toml", "rules = 7\n"),
        ("blocks.json", &text),
    ];
    let folder = folder(&files);
    let rule = |arguments: &[&str]| {
        let arguments = [&["--format", "json", "--blocks", "blocks.json"], arguments].concat();
        let output = replay(folder.path(), &arguments);
        let line = printed(&output).lines().next().map(str::to_owned);
        serde_json::from_str::<Value>(&line.unwrap()).unwrap()["rule"].clone()
    };
    // Other errors in the configuration do not matter.
    assert_eq!(rule(&[]), "b.toml:friends");
    assert_eq!(rule(&["--rules", "other"]), "b.toml:friends");
    assert_eq!(
        rule(&["--rules", "other/b.toml", "--config", "bad.toml"]),
        "b.toml:friends"
    );
}

#[test]
fn unusable_input_exits_with_1_and_its_position() {
    let text = json!(blocks(100, 100)).to_string();
    let files = [
        ("rules/a.toml", RULES),
        (
            "bad/a.toml",
            "[[author]]\nvoters = ['alice']\nauthors = ['bob']\nweight = 50\n",
        ),
        ("blocks.json", &text),
        ("broken.json", "[\n  {\"x\": }]"),
        ("empty.json", "[]"),
    ];
    let folder = folder(&files);
    for (arguments, message) in [
        (
            &["--blocks", "broken.json"][..],
            "error: broken.json:2:9: this is not JSON: expected value\n",
        ),
        (
            &["--blocks", "blocks.json", "missing.json"],
            "error: missing.json: cannot be read: No such file",
        ),
        (
            &["--blocks", "empty.json"],
            "error: the files of --blocks contain no blocks\n",
        ),
        (
            &["--blocks", "blocks.json", "--rules", "bad"],
            "bad/a.toml:4:10: error: ",
        ),
        (
            &["--blocks", "blocks.json", "--rules", "missing"],
            "error: missing does not exist: ",
        ),
    ] {
        let output = replay(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert!(stderr(&output).starts_with(message), "{}", stderr(&output));
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    let folder = folder(&[("rules/a.toml", RULES), ("blocks.json", "[]")]);
    for arguments in [
        &[][..],
        &["--blocks"],
        &["--from", "1"],
        &["--to", "1"],
        &["--from", "2", "--to", "1"],
        &["--from", "0", "--to", "1"],
        &["--blocks", "blocks.json", "--from", "1", "--to", "2"],
        &["--blocks", "blocks.json", "--format", "xml"],
    ] {
        let output = replay(folder.path(), arguments);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{arguments:?}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn no_rules_and_no_votes_exit_with_0() {
    let text = json!(blocks(100, 100)).to_string();
    let folder = folder(&[("rules/readme.txt", ""), ("blocks.json", &text)]);
    let output = replay(folder.path(), &["--blocks", "blocks.json"]);
    assert_eq!(printed(&output), "0 votes over block 100\n");
    assert_eq!(stderr(&output), "warning: there are no rules in rules\n");
}
