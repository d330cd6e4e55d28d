//! Reads `weight` of a trail: fixed, or computed from the leader's weight.

use toml::de::DeValue;

use crate::diagnostic::Finding;
use crate::diagnostic::report::{Report, Reported};
use crate::rules::language::percentage;
use crate::rules::rule::TrailWeight;
use crate::toml_reader::item::{Item, Wanted};

const NO_SIGN: &str = "in a trail, a weight has no sign: the sign is that of the leader's vote";

/// Reads a percentage or a table of `scale`, `offset`, `min` and `max`.
///
/// # Errors
/// `item` is neither, or out of range; every error has been reported.
pub(super) fn read(item: &Item<'_>, report: &mut Report<'_>) -> Result<TrailWeight, Reported> {
    match item.value {
        DeValue::Table(_) => scaled(item, report),
        DeValue::String(text) if percentage::parse(text).is_ok_and(|value| value < 0) => {
            let meant = text.trim_start_matches('-').trim_start();
            let help = format!(
                "{}; to follow downvotes, add `downvotes = \"follow\"` or `downvotes = \"only\"`",
                item.write(format_args!("\"{meant}\""))
            );
            Err(item.refuse(NO_SIGN, help, report))
        }
        _ => fixed(item, report).map(TrailWeight::Fixed),
    }
}

fn fixed(item: &Item<'_>, report: &mut Report<'_>) -> Result<u16, Reported> {
    // The range includes 0, which has an error message of its own.
    let value = percentage::read(item, 0..=10_000, report)?;
    if value == 0 {
        return Err(super::author::refuse_zero(item, report));
    }
    Ok(value as u16)
}

fn scaled(item: &Item<'_>, report: &mut Report<'_>) -> Result<TrailWeight, Reported> {
    const WANTED: Wanted = Wanted {
        what: "a percentage or a table",
        example: "{ scale = \"50%\" }",
    };
    let mut table = item.table(WANTED, report)?;
    if table.is_empty() {
        return Err(item.refuse("`weight` is empty", item.write(WANTED.example), report));
    }
    let scale = table
        .take("scale")
        .map(|item| percentage::read(&item, 1..=100_000, report));
    let offset = table
        .take("offset")
        .map(|item| percentage::read(&item, -10_000..=10_000, report));
    let (min_item, max_item) = (table.take("min"), table.take("max"));
    let min = min_item
        .as_ref()
        .map(|item| percentage::read(item, 0..=10_000, report));
    let max = max_item
        .as_ref()
        .map(|item| percentage::read(item, 0..=10_000, report));
    table.refuse_the_rest(report, |_, _| None);
    let (min, max) = (min.unwrap_or(Ok(0))?, max.unwrap_or(Ok(10_000))?);
    if min > max
        && let Some(min_item) = min_item
    {
        let message = format!(
            "`min` ({}) is above `max` ({})",
            percentage::Written(min),
            percentage::Written(max)
        );
        let mut finding = Finding::at(min_item.span, message).help("`min` must be the smaller one");
        if let Some(max_item) = max_item {
            finding = finding.also(max_item.span, "`max`");
        }
        return Err(report.error(finding));
    }
    if max == 0
        && let Some(max_item) = max_item
    {
        let help = "this rule would never vote; to switch the rule off, write `enabled = false`";
        return Err(max_item.refuse("`max` must be above 0%", help, report));
    }
    Ok(TrailWeight::Scaled {
        scale: scale.unwrap_or(Ok(10_000))? as u32,
        offset: offset.unwrap_or(Ok(0))?,
        min: min as u16,
        max: max as u16,
    })
}
