//! From text to a tree, with what is no TOML reported.

use std::ops::Range;

use toml::de::DeTable;

use crate::diagnostic::Finding;
use crate::diagnostic::report::Report;

/// Parses the text of `report`. What is no TOML is reported; the tree holds what could be read.
pub fn parse<'t>(report: &mut Report<'t>) -> DeTable<'t> {
    let text = report.text();
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        report.damage(explain(text, span, error.message()));
    }
    table.into_inner()
}

/// Says in our words what the parser says in its own.
fn explain(text: &str, span: Range<usize>, said: &str) -> Finding {
    let found = text.get(span.clone()).unwrap_or("");
    if said == "duplicate key" {
        return Finding::at(span, format!("`{found}` is given twice"))
            .help("a key stands only once in a table: take one of the two out");
    }
    if let Some((key, value)) = unquoted_value(text, &span) {
        return Finding::at(span, format!("not TOML: {said}"))
            .help(format!("texts stand in quotes: write `{key} = \"{value}\"`"));
    }
    Finding::at(span, format!("not TOML: {said}"))
}

/// `weight` and `50%` where the place is in the value of the line `weight = 50%`, the most frequent
/// slip of all.
fn unquoted_value<'t>(text: &'t str, span: &Range<usize>) -> Option<(&'t str, &'t str)> {
    let start = text.get(..span.start)?.rfind('\n').map_or(0, |newline| newline + 1);
    let line = text[start..].lines().next()?;
    let (key, value) = line.split_once('=')?;
    let value = value.split('#').next()?.trim();
    let is_plain = |character: char| character.is_alphanumeric() || " %.-+_@:/*".contains(character);
    let is_key = |character: char| character.is_alphanumeric() || "_-.".contains(character);
    let key = key.trim();
    (!value.is_empty()
        && value.chars().all(is_plain)
        && !key.is_empty()
        && key.chars().all(is_key)
        && span.start >= start + line.find('=')?)
    .then_some((key, value))
}
