//! The keys that `[[author]]` has for itself.

use toml::de::DeValue;

use crate::diagnostic::report::{Report, Reported};
use crate::rules::language::lists::Scope;
use crate::rules::language::rule_table::{RuleTable, Shared};
use crate::rules::language::{accounts, percentage, schedule};
use crate::rules::rule::{AuthorRule, Authors, PostKind, Trigger};
use crate::toml_reader::duration::Written;
use crate::toml_reader::item::Item;
use crate::weight::Weight;

/// Reads what only an author rule has, and holds it against what it shares with trails.
pub(super) fn read(table: &mut RuleTable<'_, '_>, shared: &Shared) -> Result<Trigger, Reported> {
    let weight = match table.read("weight", weight) {
        Ok(None) => Err(table.lacks("weight", "\"50%\"")),
        Ok(Some(weight)) => Ok(weight),
        Err(reported) => Err(reported),
    };
    let scope = table.scope;
    let authors = match table.read("authors", |item, report| authors(item, scope, report)) {
        Ok(None) => Err(table.lacks("authors", "[\"bob\", \"carol\"]")),
        Ok(Some(authors)) => Ok(authors),
        Err(reported) => Err(reported),
    };
    let except = table.read("except", |item, report| accounts::read(item, scope, report));
    let zone = table.timezone;
    let schedule = table.read("schedule", |item, report| {
        schedule::read(item, zone, report)
    });
    let delay = match (&schedule, &shared.delay, &shared.max_age) {
        (Ok(Some(_)), _, _) if shared.has_delay => Err(table.refuse_together(
            "delay",
            "a rule with `schedule` has no `delay`",
            "take `delay` out: the schedule alone says when to vote",
        )),
        (_, Ok(delay), Ok(max_age)) if delay >= max_age => {
            let (delay, max_age) = (Written(*delay), Written(*max_age));
            let message = format!("`delay` ({delay}) must be below `max_age` ({max_age})");
            let help = "by then every post is too old: make `delay` shorter or `max_age` longer";
            let key = if shared.has_delay { "delay" } else { "max_age" };
            Err(table.refuse_together(key, &message, help))
        }
        _ => Ok(()),
    };
    let scheduled = match (&schedule, &shared.kind) {
        (Ok(Some(_)), Ok(PostKind::Comments | PostKind::All)) => Err(table.refuse_together(
            "kind",
            "a rule with `schedule` votes on posts only",
            "take `kind` out",
        )),
        _ => Ok(()),
    };
    let anyone = match (&authors, &schedule) {
        (Ok(Authors::Anyone), Ok(Some(_))) => Err(table.refuse_together(
            "authors",
            "`authors = \"*\"` cannot stand with `schedule`",
            "name the authors",
        )),
        (Ok(Authors::Anyone), _) if !shared.narrows => Err(table.refuse_together(
            "authors",
            "`authors = \"*\"` needs something that narrows it",
            "add `tags.any`, `tags.all` or `communities.any`",
        )),
        _ => Ok(()),
    };
    delay?;
    scheduled?;
    anyone?;
    Ok(Trigger::Author(AuthorRule {
        authors: authors?,
        except: except?.unwrap_or_default().into_iter().collect(),
        weight: weight?,
        schedule: schedule?,
    }))
}

fn weight(item: &Item<'_>, report: &mut Report<'_>) -> Result<Weight, Reported> {
    if item.value.is_table() {
        let message = "`weight` is a table only in `[[trail]]`: an author rule has no leader";
        return Err(item.refuse(message, item.write("\"50%\""), report));
    }
    let value = percentage::read(item, -10_000..=10_000, report)?;
    if value == 0 {
        return Err(refuse_zero(item, report));
    }
    Ok(Weight::clamped(value.into()))
}

/// A weight of 0 is no vote.
pub(super) fn refuse_zero(item: &Item<'_>, report: &mut Report<'_>) -> Reported {
    let help = "0% is no vote; write `enabled = false` to switch the rule off";
    item.refuse("`weight` cannot be 0%", help, report)
}

fn authors(
    item: &Item<'_>,
    scope: &Scope<'_>,
    report: &mut Report<'_>,
) -> Result<Authors, Reported> {
    match item.value {
        DeValue::String(text) if text == "*" => Ok(Authors::Anyone),
        _ => accounts::read(item, scope, report).map(Authors::Listed),
    }
}
