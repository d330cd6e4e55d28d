//! Reads `limit`, `words` and `payout`: tables of numbers.

use std::fmt::Display;
use std::num::NonZeroU32;

use crate::diagnostic::Finding;
use crate::diagnostic::report::Reported;
use crate::rules::rule::{Limit, Payout, Range};
use crate::toml_reader::item::Item;
use crate::toml_reader::table::Table;

/// Reads `limit = { per_day = 2 }`.
pub(super) fn read(item: &Item<'_>) -> Result<Limit, Reported> {
    let mut table = Table::filled(item, "{ per_day = 2 }")?;
    let mut count = |key| {
        let count = table.read(key, |item| item.integer(1..=u32::MAX));
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
    let mut table = Table::filled(item, "{ min = 300 }")?;
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
    let mut table = Table::filled(item, "{ max = 10 }")?;
    let declined = table.read("declined", Item::boolean);
    let max = table.read("max", |item| item.number(1e9));
    table.refuse_the_rest();
    Ok(Payout {
        declined: declined?.unwrap_or(false),
        max: max?.map(|amount| (amount * 1000.0).round() as i64),
    })
}
