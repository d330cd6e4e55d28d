//! Input, output and exit status of the command.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::harness::command::{curatord, folder};

const RULES: &str = "[[author]]\nname = 'friends'\nvoters = ['alice']\nauthors = ['bob']\nweight = '50%'\ndelay = '5m'\nlimit = { per_day = 1 }\n";
const POSTS: &str = "
[[test.post]]
author = 'bob'
permlink = 'a'
at = 2026-03-01T12:00:00Z
[[test.post]]
author = 'bob'
permlink = 'b'
at = 2026-03-01T12:00:03Z
";

/// Runs `curatord test` in `folder`.
pub fn curatord_test(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = curatord(folder, &["test"]);
    command.args(arguments).output().unwrap()
}

pub fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn expect(post: &str, weight: &str, due: &str) -> String {
    format!(
        "[[test.expect]]\nvoter = 'alice'\npost = '@bob/{post}'\nweight = '{weight}'\ndue = 2026-03-01T{due}Z\n"
    )
}

#[test]
fn a_difference_is_shown_side_by_side() {
    let good = format!("{POSTS}{}", expect("a", "50%", "12:05:00"));
    let bad = format!(
        "{POSTS}{}{}{}",
        expect("b", "50%", "12:05:03"),
        expect("never-published", "12.5%", "12:00:00"),
        expect("a", "40%", "12:05:00"),
    );
    let file = format!(
        "rules = 'rules'\n[[test]]\nname = 'good'\n{good}[[test]]\nname = 'bad'\n{bad}[[test]]\nname = 'nothing'\n{POSTS}"
    );
    let folder = folder(&[("rules/a.toml", RULES), ("test.toml", &file)]);
    let output = curatord_test(folder.path(), &["test.toml"]);
    assert_eq!(
        stdout(&output),
        "\
ok      test.toml: good
FAILED  test.toml: bad
        EXPECTED                                             | WOULD BE CAST
        alice 50% @bob/b 2026-03-01 12:05:03                 | no vote: limit.per_day: 1 vote was cast already
        alice 12.5% @bob/never-published 2026-03-01 12:00:00 | no vote: no rule asks for one
        alice 40% @bob/a 2026-03-01 12:05:00                 | alice 50% @bob/a 2026-03-01 12:05:00
FAILED  test.toml: nothing
        EXPECTED | WOULD BE CAST
        no vote  | alice 50% @bob/a 2026-03-01 12:05:00 a.toml:friends
3 tests, 2 failed
"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn errors_are_shown_with_their_positions_and_other_files_run() {
    let good = format!(
        "rules = 'rules/a.toml'\n[[test]]\nname = 'good'\n{POSTS}{}",
        expect("a", "50%", "12:05:00")
    );
    let bad = "\
rules = 'rules'
[[test]]
name = 'x'
mana = { alice = 80 }
[[test.post]]
autor = 'bob'
permlink = 'a'
at = 'noon'
[[test.expect]]
voter = 'alice'
post = 'bob'
weight = '50%'
due = 2026-03-01T12:00:00Z
";
    let folder = folder(&[
        ("rules/a.toml", RULES),
        ("bad.toml", bad),
        ("good.toml", &good),
    ]);
    let output = curatord_test(folder.path(), &["bad.toml", "good.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        stdout(&output),
        "ok      good.toml: good\n1 test, 1 file not run\n"
    );
    let errors = String::from_utf8_lossy(&output.stderr);
    for problem in [
        "bad.toml:4:18: error: `alice` must be a percentage in quotes",
        "bad.toml:5:1: error: this `[[test.post]]` has no `author`",
        "bad.toml:6:1: error: unknown key `autor` in `[[test.post]]`",
        "did you mean `author`?",
        "bad.toml:8:6: error: `at` must be a date",
        "bad.toml:11:8: error: \"bob\" is not a post",
    ] {
        assert!(errors.contains(problem), "{problem}\n{errors}");
    }
}

#[test]
fn a_file_without_rules_key_tests_the_rules_in_its_folder() {
    let file = format!(
        "[[test]]\nname = 'x'\n{POSTS}{}",
        expect("a", "50%", "12:05:00")
    );
    let folder = folder(&[
        ("rules/a.toml", RULES),
        ("rules/a.test", &file),
        ("rules/.hidden.toml", &file),
        ("rules/b.toml", &file),
    ]);
    // A test file that could be a rule file must name its rules.
    let output = curatord_test(folder.path(), &["rules/b.toml"]);
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        errors.contains(
            "rules/b.toml: error: `rules` is missing: a test file with a name that ends in .toml must name the rules that it tests"
        ),
        "{errors}"
    );

    fs::remove_file(folder.path().join("rules/b.toml")).unwrap();
    for name in ["a.test", ".hidden.toml"] {
        let output = curatord_test(&folder.path().join("rules"), &[name]);
        assert_eq!(
            stdout(&output),
            format!("ok      {name}: x\n1 test, all ok\n")
        );
        assert_eq!(output.status.code(), Some(0));
    }
}

#[test]
fn blocks_can_come_from_a_recording() {
    let operation =
        r#"["vote", {"voter": "curie", "author": "bob", "permlink": "a", "weight": 6000}]"#;
    let block = format!(
        r#"{{"block_id": "00000064aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "previous": "", "timestamp": "2026-03-01T12:00:00",
            "transactions": [{{"operations": [{operation}]}}], "transaction_ids": [""]}}"#
    );
    let rules = "[[trail]]\nvoters = ['alice']\nleaders = ['curie']\nweight = { scale = '50%' }\n";
    let test = |more: &str| {
        format!(
            "rules = 'rules'\n[[test]]\nname = 'x'\nblocks = 'blocks.json'\n{more}{}",
            expect("a", "30%", "12:00:00")
        )
    };
    let folder = folder(&[
        ("rules/a.toml", rules),
        ("blocks.json", &block),
        ("test.toml", &test("")),
        ("both.toml", &test(POSTS)),
    ]);
    let output = curatord_test(folder.path(), &["test.toml"]);
    assert_eq!(stdout(&output), "ok      test.toml: x\n1 test, all ok\n");
    let output = curatord_test(folder.path(), &["both.toml"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        errors.contains("both.toml:4:1: error: a test has either"),
        "{errors}"
    );
}

#[test]
fn rules_with_errors_are_not_tested() {
    let file = "rules = 'rules'\n[[test]]\nname = 'x'\n";
    let folder = folder(&[("rules/a.toml", "[[author]]\n"), ("test.toml", file)]);
    let output = curatord_test(folder.path(), &["test.toml"]);
    assert_eq!(stdout(&output), "0 tests, 1 file not run\n");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_missing_file_is_reported_and_the_others_run() {
    let file = "rules = 'rules'\n[[test]]\nname = 'x'\n";
    let folder = folder(&[("rules/a.toml", ""), ("test.toml", file)]);
    let output = curatord_test(folder.path(), &["missing.toml", "test.toml"]);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(errors.trim(), "missing.toml: error: there is no such file");
    assert_eq!(
        stdout(&output),
        "ok      test.toml: x\n1 test, 1 file not run\n"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn wrong_usage_exits_with_2() {
    let folder = folder(&[]);
    for arguments in [&[][..], &["--what"]] {
        let output = curatord_test(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}
