//! Each TOML block passes what it was written for: a rule file passes `check`, a configuration is loaded, tests of rules
//! succeed. The info string says what a block is; without any, it is a rule file.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use chrono::{DateTime, Utc};
use curatord::rules::files::read;
use curatord::rules::language::keys::{self, Kind};
use toml::Table;

use crate::harness::command::folder;

use super::page::{Block, Page, root};

/// Of the examples with dates, none has expired then.
fn now() -> DateTime<Utc> {
    "2026-12-01T00:00:00Z".parse().unwrap()
}

#[test]
fn every_toml_block_works() {
    let mut rule_files = 0;
    for page in Page::all() {
        let blocks = page.blocks();
        for (at, block) in blocks.iter().enumerate() {
            match block.info.strip_prefix("toml") {
                None => {}
                Some("") => {
                    rule_files += 1;
                    assert_eq!(problems(&block.text), [""; 0], "{}", block.place);
                }
                Some(",author") => fragment(Kind::Author, block),
                Some(",trail") => fragment(Kind::Trail, block),
                Some(",configuration") => configuration(block),
                Some(",tests") => tests_of_rules(block),
                Some(",mistake") => mistake(block, &blocks[at + 1]),
                Some(other) => panic!("{}: a block called `toml{other}`", block.place),
            }
        }
    }
    assert!(rule_files > 5, "the blocks are not found");
}

/// What `check` says of a rule file, a line each.
fn problems(text: &str) -> Vec<String> {
    // A folder without any rule would be a finding.
    const OTHER: &str = "[[author]]\nvoters = ['somebody']\nauthors = ['nobody']\nweight = '1%'\n";
    let folder = folder(&[("friends.toml", text), ("other.toml", OTHER)]);
    let read = read::check(folder.path(), now());
    read.problems.iter().map(ToString::to_string).collect()
}

/// Keys of one rule, completed to the smallest file.
fn fragment(kind: Kind, block: &Block) {
    let text = completed(kind, &block.text);
    assert_eq!(problems(&text), [""; 0], "{}", block.place);
}

fn completed(kind: Kind, keys: &str) -> String {
    let given: Table = toml::from_str(keys).unwrap_or_else(|error| panic!("{keys}: {error}"));
    let missing = kind
        .keys()
        .filter(|key| key.required && !given.contains_key(key.name));
    let missing: String = missing
        .map(|key| format!("{} = {}\n", key.name, key.example))
        .collect();
    let voters = match given.contains_key("voters") {
        true => "",
        false => "voters = ['alice']\n",
    };
    format!("{voters}[[{}]]\n{missing}{keys}\n", kind.key())
}

fn configuration(block: &Block) {
    let folder = folder(&[("curatord.toml", &block.text)]);
    let config = curatord::config::load(Some(&folder.path().join("curatord.toml")), []);
    let config = config.unwrap_or_else(|failure| panic!("{}: {failure}", block.place));
    assert_eq!(config.ready_to_run(), Ok(()), "{}", block.place);
}

/// Tests of the example rules.
fn tests_of_rules(block: &Block) {
    let folder = folder(&[("tests/some.toml", &block.text)]);
    let rules = folder.path().join("rules");
    fs::create_dir(&rules).unwrap();
    for entry in fs::read_dir(root().join("rules")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), rules.join(entry.file_name())).unwrap();
    }
    let output = curatord(folder.path(), &["test", "tests/some.toml"]);
    assert!(output.status.success(), "{}: {output:?}", block.place);
}

/// A rule file with mistakes, and what `check` prints about it.
fn mistake(block: &Block, printed: &Block) {
    let folder = folder(&[("friends.toml", &block.text)]);
    let output = curatord(folder.path(), &["check", "friends.toml"]);
    assert_eq!(output.status.code(), Some(1), "{}", block.place);
    let shown = String::from_utf8(output.stdout).unwrap();
    assert_eq!(printed.text, shown, "{}", printed.place);
}

#[test]
fn every_example_in_the_tables_of_keys_is_accepted() {
    let page = Page::read("docs/rules.md");
    let mut examples = 0;
    for (title, kinds) in [
        ("Keys at the top of a file", &[][..]),
        ("Keys of every rule", &[Kind::Author, Kind::Trail]),
        ("Keys of `[[author]]`", &[Kind::Author]),
        ("Keys of `[[trail]]`", &[Kind::Trail]),
    ] {
        for row in page.rows(title) {
            let example = row[3].trim_matches('`');
            if example.is_empty() {
                continue;
            }
            examples += 1;
            let name = row[0].trim_matches('`');
            let name = name.split('.').next().unwrap_or_default();
            assert!(example.starts_with(&format!("{name} = ")), "{example}");
            let whole = match kinds {
                [] => vec![format!("{example}\n")],
                kinds => kinds.iter().map(|kind| completed(*kind, example)).collect(),
            };
            for text in whole {
                let errors = errors(&text);
                assert_eq!(errors, [""; 0], "{text}");
            }
        }
    }
    let keys = keys::BOTH.len() + keys::AUTHOR.len() + keys::TRAIL.len();
    assert!(examples >= keys, "{examples} examples");
}

fn errors(text: &str) -> Vec<String> {
    let folder = folder(&[("friends.toml", text)]);
    let read = read::check(folder.path(), now());
    let errors = read.problems.iter().filter(|problem| problem.is_error());
    errors.map(ToString::to_string).collect()
}

fn curatord(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_curatord"));
    command
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap()
}
