//! The structure of the project: who may use whom, and how long things may be. Each failure names file
//! and line.

mod graph;
mod imports;
mod source;

use std::fs;
use std::path::Path;

use graph::Graph;
use imports::imports;
use source::{all_sources, closing, sources};

/// Fails with one line for each finding.
fn assert_none(rule: &str, findings: &[String]) {
    assert!(
        findings.is_empty(),
        "{rule}\n{} findings:\n{}",
        findings.len(),
        findings.join("\n")
    );
}

/// `path` is `module` or something in it.
fn is_in(path: &str, module: &str) -> bool {
    let rest = path.strip_prefix(module);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// What decides about votes is pure: it gets what it decides on, and returns what is to be done.
#[test]
fn votes_decide_without_input_output_or_time() {
    let modules = [
        "store", "signer", "queue", "cast", "daemon", "sandbox", "config", "cli",
    ];
    let modules = modules.map(|module| format!("crate::{module}"));
    let mut findings = Vec::new();
    for source in sources("src/votes") {
        for import in imports(&source) {
            if modules.iter().any(|module| is_in(&import.path, module)) {
                findings.push(format!("{}: {}", source.place(import.at), import.path));
            }
        }
        for word in ["tokio", "reqwest", "sqlx", "async"] {
            findings.extend(
                source
                    .words(word)
                    .map(|at| format!("{}: {word}", source.place(at))),
            );
        }
    }
    assert_none("src/votes may not use any of this", &findings);
}

#[test]
fn only_the_command_line_and_benches_use_the_daemon() {
    let mut findings = Vec::new();
    for source in all_sources() {
        if source.path.starts_with("src/cli/") || source.path.starts_with("src/daemon/") {
            continue;
        }
        for import in imports(&source) {
            if is_in(&import.path, "crate::daemon") {
                findings.push(format!("{}: {}", source.place(import.at), import.path));
            }
        }
    }
    assert_none("crate::daemon is for src/cli and benches", &findings);
}

fn cycles_in(folder: &str) {
    let sources = sources(&format!("src/{folder}"));
    assert_none(
        "files may not use each other in a circle",
        &Graph::of(&sources).cycles(),
    );
}

#[test]
fn files_of_votes_use_each_other_in_one_direction() {
    cycles_in("votes");
}

#[test]
fn files_of_cast_use_each_other_in_one_direction() {
    cycles_in("cast");
}

#[test]
fn files_of_queue_use_each_other_in_one_direction() {
    cycles_in("queue");
}

#[test]
fn files_of_store_use_each_other_in_one_direction() {
    cycles_in("store");
}

/// A function of a source file.
struct Function {
    /// `src/votes/asks.rs:12: winner`.
    place: String,
    name: String,
    lines: usize,
    /// How deep braces are nested in its body, which counts as 0.
    nesting: usize,
}

fn functions() -> Vec<Function> {
    let mut functions = Vec::new();
    for source in all_sources() {
        for at in source.words("fn") {
            let code = &source.code[at..];
            let name: String = code[2..]
                .trim_start()
                .chars()
                .take_while(|letter| source::is_word(*letter))
                .collect();
            // A type such as `fn(u32)` has no name, a declaration no body.
            let Some(open) = body(code).filter(|_| !name.is_empty()) else {
                continue;
            };
            let end = closing(code, open);
            let (mut depth, mut nesting) = (0_usize, 0);
            for letter in code[open + 1..end - 1].chars() {
                match letter {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                nesting = nesting.max(depth);
            }
            functions.push(Function {
                place: format!("{}: {name}", source.place(at)),
                name,
                lines: code[..end].lines().count(),
                nesting,
            });
        }
    }
    functions
}

/// The brace that opens the body of the function at the beginning of `code`.
fn body(code: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, letter) in code.char_indices() {
        match letter {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '{' if depth == 0 => return Some(at),
            ';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// Functions that only wire the parts of the program together, and may be longer.
const WIRING: [(&str, &str); 1] = [("src/daemon/mod.rs", "wire")];

#[test]
fn functions_have_at_most_80_lines() {
    let is_wiring = |function: &Function| {
        let is = |(path, name): &(&str, &str)| {
            function.place.starts_with(path) && function.name == *name
        };
        WIRING.iter().any(is)
    };
    let long = functions()
        .into_iter()
        .filter(|function| function.lines > 80 && !is_wiring(function));
    let findings: Vec<_> = long
        .map(|function| format!("{}: {} lines", function.place, function.lines))
        .collect();
    assert_none("a function has at most 80 lines", &findings);
}

#[test]
fn braces_in_functions_are_nested_at_most_6_deep() {
    let deep = functions()
        .into_iter()
        .filter(|function| function.nesting > 6);
    let findings: Vec<_> = deep
        .map(|function| format!("{}: {} levels", function.place, function.nesting))
        .collect();
    assert_none("braces are nested at most 6 deep", &findings);
}

#[test]
fn half_of_the_files_have_at_most_120_lines_of_code() {
    let mut lines: Vec<_> = all_sources()
        .iter()
        .map(source::Source::code_lines)
        .collect();
    lines.sort_unstable();
    let median = lines[lines.len() / 2];
    assert!(median <= 120, "the median file has {median} lines of code");
}

/// The text of every Rust file below `folder`.
fn texts(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn each_invariant_of_the_map_names_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = String::new();
    texts(&root.join("src"), &mut all);
    texts(&root.join("tests"), &mut all);
    let map = fs::read_to_string(root.join("src/lib.rs")).unwrap();
    let rows = map.split("# Invariants").nth(1).unwrap().lines();
    let names = rows.filter_map(|row| row.strip_suffix("` |")?.rsplit_once("| `"));
    let names: Vec<&str> = names.map(|(_, name)| name).collect();
    assert!(names.len() >= 12, "{names:?}");
    let missing = names
        .into_iter()
        .filter(|name| !all.contains(&format!("fn {name}(")));
    let missing: Vec<_> = missing.map(str::to_owned).collect();
    assert_none("the map in src/lib.rs names tests", &missing);
}
