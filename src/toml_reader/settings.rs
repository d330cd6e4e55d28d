//! Recognises the configuration, which may hold secrets, where rules or tests are expected.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::diagnostic::report::{Report, Values};
use crate::diagnostic::{Finding, Problem};
use crate::toml_reader::secrets;

/// The tables of `curatord.toml`.
pub const SECTIONS: [&str; 6] = ["database", "network", "signer", "tokens", "casting", "http"];

/// The keys of `curatord.toml`, without those that other files have too.
pub const KEYS: [&str; 18] = [
    "url",
    "url_file",
    "nodes",
    "follow",
    "vote_interval",
    "block_interval",
    "start",
    "client_id",
    "client_secret",
    "client_secret_file",
    "max_in_flight",
    "requests_per_second",
    "timeout",
    "refresh_ahead",
    "retry_for",
    "confirm_within",
    "listen",
    "password",
];

/// The header below which a key of `curatord.toml` stands, if only one section has it.
pub fn section_of(key: &str) -> Option<&'static str> {
    Some(match key {
        "nodes" | "follow" | "vote_interval" | "block_interval" | "start" => "[network]",
        "client_id"
        | "client_secret"
        | "client_secret_file"
        | "max_in_flight"
        | "requests_per_second"
        | "timeout" => "[signer]",
        "refresh_ahead" => "[tokens]",
        "retry_for" | "confirm_within" => "[casting]",
        "listen" => "[http]",
        _ => return None,
    })
}

/// Reads `text` with `read`, which reports its problems. If it has problems and looks like the configuration, or a
/// secret may stand in it, its lines are never drawn.
pub fn read_guarded<T>(
    path: &str,
    text: &str,
    read: impl Fn(&Report<'_>) -> T,
) -> (T, Vec<Problem>) {
    let read = |values| {
        let report = Report::with(text, values);
        let value = read(&report);
        (value, report.into_problems(path))
    };
    let (value, problems) = read(Values::Shown);
    if problems.is_empty() {
        return (value, problems);
    }
    if problems.iter().any(Problem::is_error)
        && let Some((key, place)) = find(text)
    {
        let report = Report::with(text, Values::Hidden);
        let message = format!("`{key}` belongs in curatord.toml, not here");
        let help = "this looks like curatord.toml: check that with `curatord check --config FILE`";
        report.error(Finding::at(place, message).help(help));
        return (value, report.into_problems(path));
    }
    match secrets::may_be_drawn(text) {
        true => (value, problems),
        false => read(Values::Hidden),
    }
}

/// The first key or table of the configuration in `text`, with its place.
fn find(text: &str) -> Option<(&'static str, Range<usize>)> {
    match DeTable::parse(text) {
        Ok(root) => in_tree(root.get_ref(), &[&SECTIONS, &KEYS]),
        Err(_) => in_lines(text),
    }
}

fn known(word: &str, among: &[&[&'static str]]) -> Option<&'static str> {
    let mut all = among.iter().flat_map(|names| names.iter());
    all.find(|name| **name == word).copied()
}

fn in_tree(table: &DeTable<'_>, among: &[&[&'static str]]) -> Option<(&'static str, Range<usize>)> {
    let found = table.iter().filter_map(|(key, value)| {
        let word = &**key.get_ref();
        if let Some(name) = known(word, among) {
            return Some((name, key.span()));
        }
        // People choose the names of lists.
        if word == "lists" {
            return None;
        }
        in_value(value.get_ref())
    });
    found.min_by_key(|(_, place)| place.start)
}

fn in_value(value: &DeValue<'_>) -> Option<(&'static str, Range<usize>)> {
    match value {
        DeValue::Table(table) => in_tree(table, &[&KEYS]),
        DeValue::Array(items) => items.iter().find_map(|item| in_value(item.get_ref())),
        _ => None,
    }
}

/// Looks at the beginnings of lines, for a text that is not TOML.
fn in_lines(text: &str) -> Option<(&'static str, Range<usize>)> {
    let mut in_lists = false;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let begin = start;
        start += line.len();
        let words = words_of_key(line);
        if line.trim_start().starts_with('[') {
            in_lists = words.first().is_some_and(|(_, word)| *word == "lists");
        }
        // People choose the names of lists.
        if in_lists {
            continue;
        }
        for (at, word) in words {
            if let Some(name) = known(word, &[&SECTIONS, &KEYS]) {
                return Some((name, begin + at..begin + at + word.len()));
            }
        }
    }
    None
}

/// The words that a line begins with, up to its value, where they look like a key or a header.
fn words_of_key(line: &str) -> Vec<(usize, &str)> {
    let end = line.find(['=', ':', ',', '#', '{']).unwrap_or(line.len());
    let (head, rest) = line.split_at(end);
    // Such lines are members of a list.
    let is_quoted = head.trim_start().starts_with(['"', '\'']);
    if rest.starts_with(',') || (is_quoted && !rest.starts_with('=')) {
        return Vec::new();
    }
    let mut at = 0;
    let mut words = Vec::new();
    for word in head.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
        words.push((at, word));
        let separator = head[at + word.len()..].chars().next();
        at += word.len() + separator.map_or(0, char::len_utf8);
    }
    words.retain(|(_, word)| !word.is_empty());
    words
}
