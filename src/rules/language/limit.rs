//! Reads `limit`, `words` and `payout`: tables of numbers.

use std::fmt::Display;
use std::num::NonZeroU32;

use toml::de::DeValue;

use crate::diagnostic::Finding;
use crate::diagnostic::report::Reported;
use crate::rules::rule::{Limit, Payout, Range};
use crate::toml_reader::item::{Item, Wanted};
use crate::toml_reader::table::Table;

/// Reads `limit = { per_day = 2 }`.
pub(super) fn read(item: &Item<'_>) -> Result<Limit, Reported> {
    let ways = |value: &str| {
        [("per_day", "24 hours"), ("per_week", "7 days")].map(|(key, meaning)| {
            (
                format!("{{ {key} = {value} }}"),
                format!("{value} in {meaning}"),
            )
        })
    };
    refuse_bare(item, 1, ways)?;
    let keys = [
        "per_day",
        "per_week",
        "per_author_per_day",
        "per_author_per_week",
    ];
    let mut table = Table::filled(item, "{ per_day = 2 }")?.with_keys(&keys, |_| None);
    let mut count = |key| {
        let count = table.read(key, |item| match item.value {
            DeValue::Integer(digits) if digits.as_str() == "0" => {
                let message = format!("`{}` must be at least 1", item.key);
                let help =
                    "a rule without `limit` has no limit; `enabled = false` switches a rule off";
                Err(item.refuse(message, help))
            }
            _ => item.integer(1..=u32::MAX),
        });
        count.map(|count| count.and_then(NonZeroU32::new))
    };
    let per_day = count("per_day");
    let per_week = count("per_week");
    let per_author_per_day = count("per_author_per_day");
    let per_author_per_week = count("per_author_per_week");
    table.refuse_the_rest();
    Ok(Limit {
        per_day: per_day?,
        per_week: per_week?,
        per_author_per_day: per_author_per_day?,
        per_author_per_week: per_author_per_week?,
    })
}

/// Reads `words = { min = 300 }`.
pub(super) fn range(item: &Item<'_>) -> Result<Range, Reported> {
    let ways = |value: &str| {
        [("min", "at least"), ("max", "at most")].map(|(key, meaning)| {
            (
                format!("{{ {key} = {value} }}"),
                format!("{meaning} {value} words"),
            )
        })
    };
    refuse_bare(item, 0, ways)?;
    let mut table = Table::filled(item, "{ min = 300 }")?.with_keys(&["min", "max"], |_| None);
    let (min, max) = (table.read("min", bound), table.read("max", bound));
    table.refuse_the_rest();
    let (min, max) = (min?, max?);
    if let (Some((min, min_item)), Some((max, max_item))) = (&min, &max)
        && min > max
    {
        return Err(refuse_above((min, min_item), (max, Some(max_item))));
    }
    Ok(Range {
        min: min.map(|(min, _)| min),
        max: max.map(|(max, _)| max),
    })
}

/// Reports a number of at least `least` in place of the table, which it can be put into in two `ways`.
fn refuse_bare(
    item: &Item<'_>,
    least: u32,
    ways: impl Fn(&str) -> [(String, String); 2],
) -> Result<(), Reported> {
    let text = match item.value {
        DeValue::Integer(digits) => digits.as_str(),
        DeValue::String(text) => text.trim(),
        _ => return Ok(()),
    };
    match text.parse::<u32>() {
        Ok(number) if number >= least => {
            let help = item.write_one_of(&ways(text)).unwrap_or_default();
            let wanted = Wanted::new("a table", "");
            Err(item.wrong_type_with(wanted, help))
        }
        _ => Ok(()),
    }
}

fn bound<'t>(item: &Item<'t>) -> Result<(u32, Item<'t>), Reported> {
    Ok((item.integer(0..=u32::MAX)?, item.clone()))
}

/// Reports that `min` is above `max`, which may be a default.
pub(super) fn refuse_above(
    (min, min_item): (impl Display, &Item<'_>),
    (max, max_item): (impl Display, Option<&Item<'_>>),
) -> Reported {
    let message = format!("`min` ({min}) is above `max` ({max})");
    let finding = Finding::at(min_item.span.clone(), message);
    let finding = finding.help("`min` must be the smaller one");
    min_item.report.error(match max_item {
        Some(max) => finding.also(max.span.clone(), "`max`"),
        None => finding,
    })
}

/// Reads `payout = { declined = true, max = 10 }`.
pub(super) fn payout(item: &Item<'_>) -> Result<Payout, Reported> {
    if let DeValue::Integer(_) | DeValue::Float(_) | DeValue::String(_) = item.value {
        let meant = payout_in(item.value);
        let wanted = Wanted::new("a table", "{ max = 10 }");
        let help = match meant {
            Some(meant) => item.write(format_args!("{{ max = {meant} }}")),
            None => item.such_as(wanted),
        };
        return Err(item.wrong_type_with(wanted, help));
    }
    let keys = ["declined", "max"];
    let mut table = Table::filled(item, "{ max = 10 }")?.with_keys(&keys, |_| None);
    let declined = table.read("declined", Item::boolean);
    let max = table.read("max", |item| item.number(1e9));
    table.refuse_the_rest();
    Ok(Payout {
        declined: declined?.unwrap_or(false),
        max: max?.map(|amount| (amount * 1000.0).round() as i64),
    })
}

/// The amount in a value such as `20` or `"20 HBD"`.
fn payout_in(value: &DeValue<'_>) -> Option<f64> {
    let text = match value {
        DeValue::Integer(digits) => digits.as_str(),
        DeValue::Float(digits) => digits.as_str(),
        value => value.as_str()?,
    };
    let is_unit = |c: char| c.is_alphabetic() || c == '$' || c.is_whitespace();
    let amount = text.trim_matches(is_unit).parse::<f64>().ok()?;
    (0.0..=1e9).contains(&amount).then_some(amount)
}
