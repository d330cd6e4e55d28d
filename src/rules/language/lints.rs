//! Warnings for valid rules that have no effect, or with a key that has no effect.

use crate::rules::language::rule_table::RuleTable;
use crate::rules::rule::{Authors, PostKind, Rule, Trigger, Words};
use crate::toml_reader::duration::Written;
use crate::toml_reader::item::quoted;

/// Reports the parts of `rule`, read from `table`, that have no effect.
pub(super) fn warn(rule: &Rule, table: &mut RuleTable<'_, '_>) {
    if rule.min_mana.is_none() && table.table.take("below_min_mana").is_some() {
        let message = "`below_min_mana` does nothing without `min_mana`";
        let help = "add `min_mana = \"80%\"`, or remove it";
        table.warn("below_min_mana", message, help);
    }
    let mut warnings: Vec<Warning> = too_late(rule)
        .or_else(|| communities_of_comments(rule))
        .into_iter()
        .collect();
    // A list in a file that was not read may hold other authors.
    if !table.scope.missed_any() {
        warnings.extend(no_author_left(rule));
    }
    for (key, words) in [
        ("tags", &rule.tags),
        ("communities", &rule.communities),
        ("apps", &rule.apps),
    ] {
        let help = "no post can match: this rule never votes";
        let contradiction = contradiction(key, words);
        warnings.extend(contradiction.map(|contradiction| (key, contradiction, help)));
    }
    if let Some(name) = not_a_community(&rule.communities) {
        let message = format!("{} is not a community", quoted(name));
        let help =
            "a community is named by its account, such as \"hive-174578\"; for a tag, use `tags`";
        warnings.push(("communities", message, help));
    }
    for (key, message, help) in warnings {
        table.warn(key, message, help);
    }
}

/// The key that is the cause, the message, and the help.
type Warning = (&'static str, String, &'static str);

/// Every post is too old when a trail votes on it. In an author rule this is an error.
fn too_late(rule: &Rule) -> Option<Warning> {
    if !matches!(rule.trigger, Trigger::Trail(_)) || rule.delay < rule.max_age {
        return None;
    }
    let (delay, max_age) = (Written(rule.delay), Written(rule.max_age));
    let message = format!("`delay` ({delay}) is not below `max_age` ({max_age})");
    let help = "by then every post is too old, and this rule never votes: make `delay` shorter or `max_age` longer";
    Some(("delay", message, help))
}

/// No comment can match.
fn communities_of_comments(rule: &Rule) -> Option<Warning> {
    let required = !rule.communities.any.is_empty() || !rule.communities.all.is_empty();
    (required && rule.kind == PostKind::Comments).then(|| {
        let message = "only posts are in a community, and this rule votes on comments";
        let help = "this rule never votes: remove `communities` or `kind`";
        ("communities", message.to_owned(), help)
    })
}

/// No author is left to vote on.
fn no_author_left(rule: &Rule) -> Option<Warning> {
    let (authors, except): (Vec<_>, _) = match &rule.trigger {
        Trigger::Author(author) => match &author.authors {
            Authors::Listed(authors) => (authors.iter().collect(), &author.except),
            Authors::Anyone => return None,
        },
        Trigger::Trail(trail) => (trail.authors.as_ref()?.iter().collect(), &trail.except),
    };
    if authors.iter().all(|author| except.contains(*author)) {
        let message = "every author of this rule is in `except`".to_owned();
        let help = "this rule never votes: remove some of them from `except`";
        return Some(("except", message, help));
    }
    match (&authors[..], &rule.voters[..]) {
        ([author], [voter]) if *author == voter && !rule.self_votes => Some((
            "authors",
            "the only author is the only voter, and voters do not vote on their own posts"
                .to_owned(),
            "to vote on own posts, add `self_votes = true`",
        )),
        _ => None,
    }
}

/// The first word that does not have the form `hive-174578`.
fn not_a_community(words: &Words) -> Option<&str> {
    let is_community = |word: &str| {
        word.strip_prefix("hive-").is_some_and(|number| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    let words = [&words.any, &words.all, &words.none].into_iter().flatten();
    words.map(String::as_str).find(|word| !is_community(word))
}

/// No post can match `words`.
fn contradiction(key: &str, words: &Words) -> Option<String> {
    let none = |word: &&String| words.none.contains(word);
    if let Some(word) = words.all.iter().find(none) {
        return Some(format!("`{word}` is both in `all` and in `none`"));
    }
    if !words.any.is_empty() && words.any.iter().all(|word| none(&word)) {
        return Some("all words of `any` are also in `none`".to_owned());
    }
    // A post is in one community, and published with one application.
    (key != "tags" && words.all.len() > 1)
        .then(|| format!("`{key}.all` has several values, and a post has only one: write `any`"))
}
