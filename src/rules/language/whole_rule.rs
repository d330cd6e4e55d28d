//! Reads a complete rule: the keys shared by both kinds, and with them those of its kind.

use std::time::Duration;

use crate::account::Account;
use crate::diagnostic::report::Reported;
use crate::rules::language::keys::Kind;
use crate::rules::language::rule_table::{RuleTable, Shared};
use crate::rules::language::{author, expires, filters, limit, lints, percentage, trail, window};
use crate::rules::rule::{BelowMinMana, PostKind, Rule, RuleId};
use crate::toml_reader::duration;
use crate::toml_reader::item::{Item, Wanted};
use crate::weight::Weight;

/// Default of `max_age`: 6 days and 12 hours. Posts pay out after 7 days, and a vote loses its value in the last 12
/// hours before.
const MAX_AGE: Duration = Duration::from_secs((6 * 24 + 12) * 3600);

const KINDS: [(&str, PostKind); 3] = [
    ("posts", PostKind::Posts),
    ("comments", PostKind::Comments),
    ("all", PostKind::All),
];

const BELOW_MIN_MANA: [(&str, BelowMinMana); 2] =
    [("skip", BelowMinMana::Skip), ("wait", BelowMinMana::Wait)];

const NOTE: Wanted = Wanted::new("a text", "\"why this rule is here\"");

/// Reads the rule `id`. `voters` are the default voters of the file.
///
/// # Errors
/// The rule is invalid; every error has been reported.
pub(super) fn read(
    table: &mut RuleTable<'_, '_>,
    id: RuleId,
    voters: &Result<Option<Vec<Account>>, Reported>,
) -> Result<Rule, Reported> {
    let (scope, zone) = (table.scope, table.timezone);
    let filter = |item: &Item<'_>| filters::read(item, scope);
    let week = Duration::ZERO..=duration::WEEK;
    let some_age = Duration::from_secs(1)..=duration::WEEK;
    let voters = table.voters(voters);
    let enabled = table.read("enabled", Item::boolean);
    let delay = table.read("delay", |item| {
        let text = item
            .value
            .as_str()
            .and_then(|text| duration::parse(text).ok());
        match text {
            Some(delay) if delay > duration::WEEK => {
                let help = "posts pay out after 7 days, and no vote counts then: make it shorter";
                Err(item.refuse("`delay` must be at most 7d", help))
            }
            _ => duration::read(item, week),
        }
    });
    let max_age = table.read("max_age", |item| duration::read(item, some_age));
    let limit = table.read("limit", limit::read);
    let min_mana = table.read("min_mana", |item| percentage::read(item, 0..=10_000));
    let below_min_mana = table.read("below_min_mana", |item| item.choice(&BELOW_MIN_MANA));
    let window = table.read("window", |item| window::read(item, zone));
    let post_kind = table.read("kind", |item| item.choice(&KINDS));
    let tags = table.read("tags", filter);
    let communities = table.read("communities", filter);
    let apps = table.read("apps", filter);
    let text = table.read("text", filter);
    let words = table.read("words", limit::range);
    let payout = table.read("payout", limit::payout);
    let max_votes = table.read("max_votes", |item| item.integer(0..=u32::MAX));
    let expires = table.read("expires", |item| expires::read(item, zone));
    let self_votes = table.read("self_votes", Item::boolean);
    let note = table.read("note", |item| item.text(NOTE));
    let shared = Shared {
        voters,
        has_delay: matches!(delay, Ok(Some(_))),
        delay: delay.map(Option::unwrap_or_default),
        max_age: max_age.map(|age| age.unwrap_or(MAX_AGE)),
        kind: post_kind.map(Option::unwrap_or_default),
        narrows: matches!(&tags, Ok(Some(tags)) if !tags.any.is_empty() || !tags.all.is_empty())
            || matches!(&communities, Ok(Some(communities)) if !communities.any.is_empty()),
    };
    let trigger = match table.kind {
        Kind::Author => author::read(table, &shared),
        Kind::Trail => trail::read(table, &shared),
    };
    note?;
    let rule = Rule {
        id,
        voters: shared.voters?,
        enabled: enabled?.unwrap_or(true),
        delay: shared.delay?,
        max_age: shared.max_age?,
        limit: limit?.unwrap_or_default(),
        min_mana: min_mana?.map(|value| Weight::clamped(value.into())),
        below_min_mana: below_min_mana?.unwrap_or_default(),
        window: window?,
        kind: shared.kind?,
        tags: tags?.unwrap_or_default(),
        communities: communities?.unwrap_or_default(),
        apps: apps?.unwrap_or_default(),
        text: text?.unwrap_or_default(),
        words: words?.unwrap_or_default(),
        payout: payout?.unwrap_or_default(),
        max_votes: max_votes?,
        expires: expires?,
        self_votes: self_votes?.unwrap_or(false),
        trigger: trigger?,
    };
    lints::warn(&rule, table);
    Ok(rule)
}
