//! The keys that only `[[author]]` has.

use toml::de::DeValue;

use crate::diagnostic::report::Reported;
use crate::rules::language::lists::Scope;
use crate::rules::language::rule_table::{RuleTable, Shared};
use crate::rules::language::{accounts, percentage, schedule};
use crate::rules::rule::{AuthorRule, Authors, PostKind, Trigger};
use crate::toml_reader::duration::Written;
use crate::toml_reader::item::{Item, Wanted, quoted};
use crate::weight::Weight;

/// Reads the keys of an author rule, and checks them against the keys shared with trails.
///
/// # Errors
/// A key is missing or invalid; every error has been reported.
pub(super) fn read(table: &mut RuleTable<'_, '_>, shared: &Shared) -> Result<Trigger, Reported> {
    let scope = table.scope;
    let weight = table.table.require("weight", "\"50%\"", weight);
    let authors = (table.table).require("authors", "[\"bob\", \"carol\"]", |item| {
        authors(item, scope)
    });
    let except = table.accounts("except");
    let zone = table.timezone;
    let schedule = table.read("schedule", |item| schedule::read(item, zone));
    let delay = match (&schedule, &shared.delay, &shared.max_age) {
        (Ok(Some(_)), _, _) if shared.has_delay => Err(table.refuse_together(
            "delay",
            "a rule with `schedule` has no `delay`",
            "remove `delay`: only the schedule determines when to vote",
        )),
        (_, Ok(delay), Ok(max_age)) if delay >= max_age => {
            let (delay, max_age) = (Written(*delay), Written(*max_age));
            let message = format!("`delay` ({delay}) must be below `max_age` ({max_age})");
            let help =
                "every post is too old after the delay: make `delay` shorter or `max_age` longer";
            let key = if shared.has_delay { "delay" } else { "max_age" };
            Err(table.refuse_together(key, &message, help))
        }
        _ => Ok(()),
    };
    let scheduled = match (&schedule, &shared.kind) {
        (Ok(Some(_)), Ok(PostKind::Comments | PostKind::All)) => Err(table.refuse_together(
            "kind",
            "a rule with `schedule` votes on posts only",
            "remove `kind`",
        )),
        _ => Ok(()),
    };
    let anyone = match (&authors, &schedule) {
        (Ok(Authors::Anyone), Ok(Some(_))) => Err(table.refuse_together(
            "authors",
            "`authors = \"*\"` cannot be used with `schedule`",
            "name the authors",
        )),
        (Ok(Authors::Anyone), _) if !shared.narrows => Err(table.refuse_together(
            "authors",
            "`authors = \"*\"` needs a filter",
            "`tags.any`, `tags.all` or `communities.any` must be there, as in `tags = { any = [\"photography\"] }`",
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

fn weight(item: &Item<'_>) -> Result<Weight, Reported> {
    if item.value.is_table() {
        let message = "`weight` can be a table only in `[[trail]]`: an author rule has no leader";
        let scale = (item.value.as_table())
            .and_then(|table| table.get("scale"))
            .and_then(|scale| scale.get_ref().as_str());
        let scale = scale.filter(|text| {
            percentage::parse(text).is_ok_and(|value| (1..=10_000).contains(&value))
        });
        let help = match scale {
            Some(scale) => item.write(quoted(scale)),
            None => item.such_as(Wanted::new("a percentage", "\"50%\"")),
        };
        return Err(item.refuse(message, help));
    }
    if percentage::number(item.value) == Some(0.0) {
        return Err(refuse_zero(item));
    }
    let value = percentage::read(item, -10_000..=10_000)?;
    if value == 0 {
        return Err(refuse_zero(item));
    }
    Ok(Weight::clamped(value.into()))
}

/// Reports a weight of 0.
pub(super) fn refuse_zero(item: &Item<'_>) -> Reported {
    let help = "keep the weight that the rule has when it is on: `enabled = false` switches it off";
    item.refuse("`weight` cannot be 0%", help)
}

fn authors(item: &Item<'_>, scope: &Scope<'_>) -> Result<Authors, Reported> {
    match item.value {
        DeValue::String(text) if text == "*" => Ok(Authors::Anyone),
        _ => accounts::read(item, scope).map(Authors::Listed),
    }
}
