//! Reads `limit`, `words` and `payout`: tables of numbers.

use std::num::NonZeroU32;

use crate::diagnostic::Finding;
use crate::diagnostic::report::{Report, Reported};
use crate::rules::rule::{Limit, Payout, Range};
use crate::toml_reader::item::{Item, Wanted};
use crate::toml_reader::table::Table;

/// Opens a table that must not be empty.
pub(super) fn open<'t>(
    item: &Item<'t>,
    wanted: Wanted,
    report: &mut Report<'_>,
) -> Result<Table<'t>, Reported> {
    let table = item.table(wanted, report)?;
    if table.is_empty() {
        let message = format!("`{}` is empty", item.key);
        return Err(item.refuse(message, item.write(wanted.example), report));
    }
    Ok(table)
}

/// Reads `limit = { per_day = 2 }`.
pub(super) fn read(item: &Item<'_>, report: &mut Report<'_>) -> Result<Limit, Reported> {
    const WANTED: Wanted = Wanted {
        what: "a table",
        example: "{ per_day = 2 }",
    };
    let mut table = open(item, WANTED, report)?;
    let mut count = |key, report: &mut Report<'_>| {
        let item = table.take(key)?;
        Some(item.integer(1..=u32::MAX, report).map(NonZeroU32::new))
    };
    let per_day = count("per_day", report);
    let per_week = count("per_week", report);
    let per_author_per_day = count("per_author_per_day", report);
    let per_author_per_week = count("per_author_per_week", report);
    table.refuse_the_rest(report, |_, _| None);
    Ok(Limit {
        per_day: per_day.unwrap_or(Ok(None))?,
        per_week: per_week.unwrap_or(Ok(None))?,
        per_author_per_day: per_author_per_day.unwrap_or(Ok(None))?,
        per_author_per_week: per_author_per_week.unwrap_or(Ok(None))?,
    })
}

/// Reads `words = { min = 300 }`.
pub(super) fn range(item: &Item<'_>, report: &mut Report<'_>) -> Result<Range, Reported> {
    const WANTED: Wanted = Wanted {
        what: "a table",
        example: "{ min = 300 }",
    };
    let mut table = open(item, WANTED, report)?;
    let (min_item, max_item) = (table.take("min"), table.take("max"));
    let mut bound = |item: &Option<Item<'_>>| {
        let item = item.as_ref();
        item.map(|item| item.integer(0..=u32::MAX, report))
            .transpose()
    };
    let (min, max) = (bound(&min_item), bound(&max_item));
    table.refuse_the_rest(report, |_, _| None);
    let (min, max) = (min?, max?);
    if let (Some(min), Some(max), Some(min_item), Some(max_item)) = (min, max, min_item, max_item)
        && min > max
    {
        let finding = Finding::at(
            min_item.span,
            format!("`min` ({min}) is above `max` ({max})"),
        )
        .also(max_item.span, "`max`")
        .help("`min` must be the smaller one");
        return Err(report.error(finding));
    }
    Ok(Range { min, max })
}

/// Reads `payout = { declined = true, max = 10 }`.
pub(super) fn payout(item: &Item<'_>, report: &mut Report<'_>) -> Result<Payout, Reported> {
    const WANTED: Wanted = Wanted {
        what: "a table",
        example: "{ max = 10 }",
    };
    let mut table = open(item, WANTED, report)?;
    let declined = table.take("declined").map(|item| item.boolean(report));
    let max = table
        .take("max")
        .map(|item| item.number(1e9, report))
        .transpose();
    table.refuse_the_rest(report, |_, _| None);
    Ok(Payout {
        declined: declined.unwrap_or(Ok(false))?,
        max: max?.map(|amount| (amount * 1000.0).round() as i64),
    })
}
