//! Rules that are well written and do nothing, or do nothing with one of their keys: warned of.

use crate::diagnostic::Finding;
use crate::rules::language::rule_table::RuleTable;
use crate::rules::rule::{Authors, PostKind, Rule, Trigger, Words};
use crate::toml_reader::duration::Written;

/// Warns of what in `rule`, which `table` says, has no effect.
pub(super) fn warn(rule: &Rule, table: &mut RuleTable<'_, '_>) {
    if rule.min_mana.is_none()
        && let Some(item) = table.table.take("below_min_mana")
    {
        let finding = Finding::at(
            item.span,
            "`below_min_mana` does nothing without `min_mana`",
        );
        let help = "add `min_mana = \"80%\"`, or take it out";
        table.report.warning(finding.help(help));
    }
    if let Some((key, message, help)) = comes_too_late(rule).or_else(|| asks_of_comments(rule)) {
        let span = table.table.take(key).map(|item| item.span);
        let span = span.unwrap_or_else(|| table.table.header.clone());
        table.report.warning(Finding::at(span, message).help(help));
    }
    // Members of lists that nobody has read may be among those that are left.
    if !table.scope.missed_any()
        && let Some((key, message, help)) = nobody_left(rule)
    {
        let span = table.table.take(key).map(|item| item.span);
        let span = span.unwrap_or_else(|| table.table.header.clone());
        table.report.warning(Finding::at(span, message).help(help));
    }
    for (key, words) in [
        ("tags", &rule.tags),
        ("communities", &rule.communities),
        ("apps", &rule.apps),
    ] {
        let Some(contradiction) = contradiction(key, words) else {
            continue;
        };
        let Some(item) = table.table.take(key) else {
            continue;
        };
        let finding = Finding::at(item.span, contradiction);
        let help = "no post can match: this rule never votes";
        table.report.warning(finding.help(help));
    }
}

/// Why every post is too old when a trail comes to vote on it, with the key to blame. For author rules that is an
/// error.
fn comes_too_late(rule: &Rule) -> Option<(&'static str, String, &'static str)> {
    if !matches!(rule.trigger, Trigger::Trail(_)) || rule.delay < rule.max_age {
        return None;
    }
    let (delay, max_age) = (Written(rule.delay), Written(rule.max_age));
    let message = format!("`delay` ({delay}) is not below `max_age` ({max_age})");
    let help = "by then every post is too old, and this rule never votes: make `delay` shorter or `max_age` longer";
    Some(("delay", message, help))
}

/// Why no comment can match, with the key to blame.
fn asks_of_comments(rule: &Rule) -> Option<(&'static str, String, &'static str)> {
    let asks = !rule.communities.any.is_empty() || !rule.communities.all.is_empty();
    (asks && rule.kind == PostKind::Comments).then(|| {
        let message = "only posts are in a community, and this rule votes on comments";
        let help = "it never votes: take `communities` or `kind` out";
        ("communities", message.to_owned(), help)
    })
}

/// Why there is no author on whom anybody votes, with the key to blame.
fn nobody_left(rule: &Rule) -> Option<(&'static str, &'static str, &'static str)> {
    let (authors, except): (Vec<_>, _) = match &rule.trigger {
        Trigger::Author(author) => match &author.authors {
            Authors::Listed(authors) => (authors.iter().collect(), &author.except),
            Authors::Anyone => return None,
        },
        Trigger::Trail(trail) => (trail.authors.as_ref()?.iter().collect(), &trail.except),
    };
    if authors.iter().all(|author| except.contains(*author)) {
        let message = "every author of this rule is in `except`";
        return Some(("except", message, "it never votes: take some of them out"));
    }
    match (&authors[..], &rule.voters[..]) {
        ([author], [voter]) if *author == voter && !rule.self_votes => Some((
            "authors",
            "the only author is the only voter, and voters do not vote on their own posts",
            "if this one should, add `self_votes = true`",
        )),
        _ => None,
    }
}

/// Why no post can match.
fn contradiction(key: &str, words: &Words) -> Option<String> {
    let none = |word: &&String| words.none.contains(word);
    if let Some(word) = words.all.iter().find(none) {
        return Some(format!("`{word}` is both in `all` and in `none`"));
    }
    if !words.any.is_empty() && words.any.iter().all(|word| none(&word)) {
        return Some("all words of `any` are in `none`, too".to_owned());
    }
    // A post is in one community, and published with one application.
    (key != "tags" && words.all.len() > 1)
        .then(|| format!("`{key}` asks for more than one at a time in `all`: write `any`"))
}
