//! Help that says what to write: the file with that in it is valid.

use std::fs;
use std::ops::Range;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use crate::diagnostic::{PlainProblem, Problem};
use crate::rules::language::file;

/// The invalid rule files of the tests: name and text.
fn bad_files() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules/bad");
    let files = fs::read_dir(folder).unwrap().map(|entry| {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(path).unwrap())
    });
    let mut files: Vec<_> = files.collect();
    files.sort();
    files
}

/// One of the ways that a help offers.
#[derive(Debug)]
enum Way {
    /// This line in place of the key and its value, or of the line if it is not TOML.
    Write(String),
    /// These items in place of one item of a list.
    Items(String),
    /// One more entry in the table.
    Add(String),
}

fn ways(help: &str) -> Vec<Way> {
    let code = help.split('`').skip(1).step_by(2);
    let code = code.filter(|code| code.contains(" = ") || code.starts_with(['[', '#']));
    let code = code.map(str::to_owned);
    if help.starts_with("add ") {
        return code.take(1).map(Way::Add).collect();
    }
    match help.strip_prefix("write ") {
        Some(items) if items.starts_with('"') => vec![Way::Items(items.to_owned())],
        Some(_) => {
            // What comes after a semicolon is about another key.
            let first = help.split("`; ").next().unwrap();
            let count = first.matches('`').count().div_ceil(2);
            code.take(count).map(Way::Write).collect()
        }
        None => Vec::new(),
    }
}

/// The place of the entry or item at `offset`: the innermost that begins there, or whose value holds it.
fn place_in(value: &DeValue<'_>, offset: usize, items: bool) -> Option<Range<usize>> {
    match value {
        DeValue::Table(table) => in_table(table, offset, items),
        DeValue::Array(array) => array.iter().find_map(|item| {
            let is_it = items && item.span().start == offset;
            is_it
                .then(|| item.span())
                .or_else(|| place_in(item.get_ref(), offset, items))
        }),
        _ => None,
    }
}

fn in_table(table: &DeTable<'_>, offset: usize, items: bool) -> Option<Range<usize>> {
    table.iter().find_map(|(key, value)| {
        let whole = key.span().start..value.span().end;
        let inner = place_in(value.get_ref(), offset, items);
        inner.or_else(|| {
            let is_inline = key.span().start < value.span().start;
            (!items && is_inline && whole.contains(&offset)).then_some(whole)
        })
    })
}

fn apply(text: &str, problem: &PlainProblem, way: &Way) -> String {
    let position = problem.position.unwrap();
    let line_start = text.split_inclusive('\n').take(position.line - 1);
    let line_start = line_start.map(str::len).sum::<usize>();
    let line = text[line_start..].split('\n').next().unwrap();
    let column = line.char_indices().nth(position.column - 1);
    let offset = line_start + column.map_or(line.len(), |(at, _)| at);
    let (place, written) = match way {
        Way::Add(entry) if text[offset..].starts_with('{') => {
            let end = offset + text[offset..].find('}').unwrap();
            let comma = if text[offset + 1..end].trim().is_empty() {
                ""
            } else {
                ", "
            };
            (end..end, format!("{comma}{entry}"))
        }
        Way::Add(entry) => {
            let end = line_start + line.len();
            (end..end, format!("\n{entry}"))
        }
        Way::Items(items) => {
            let root = DeTable::parse(text).unwrap();
            let place = in_table(root.get_ref(), offset, true).expect("an item");
            (place, items.clone())
        }
        Way::Write(entry) => {
            let root = DeTable::parse(text);
            let place = root.ok().filter(|_| !entry.starts_with('['));
            let place = place.and_then(|root| in_table(root.get_ref(), offset, false));
            (
                place.unwrap_or(line_start..line_start + line.len()),
                entry.clone(),
            )
        }
    };
    let mut fixed = text.to_owned();
    fixed.replace_range(place, &written);
    fixed
}

fn errors(text: &str) -> Vec<Problem> {
    let problems = file::read("a.toml", text).problems.into_iter();
    problems.filter(Problem::is_error).collect()
}

#[test]
fn every_line_that_a_help_says_to_write_makes_its_error_go_away() {
    let (mut tried, mut failed) = (0, String::new());
    for (name, text) in bad_files() {
        let before = errors(&text);
        let syntax = DeTable::parse(&text).is_err();
        for problem in &before {
            let help = problem.plain.help.as_deref().unwrap_or_default();
            for way in ways(help) {
                let fixed = apply(&text, &problem.plain, &way);
                let after = errors(&fixed);
                tried += 1;
                // A file that is TOML again can have errors that were not looked for before.
                let is_better = match syntax {
                    true => {
                        let line = |problem: &Problem| problem.plain.position.unwrap().line;
                        !after.iter().any(|other| line(other) == line(problem))
                    }
                    false => after.len() < before.len(),
                };
                if !is_better {
                    failed += &format!("{name}: {problem}\n{way:?}\n{fixed}\n{after:?}\n\n");
                }
            }
        }
    }
    assert_eq!(failed, "");
    assert!(tried > 120, "{tried}");
}
