//! Reads the values in a test file.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use toml::Spanned;
use toml::de::DeValue;

use crate::account::Account;
use crate::diagnostic::Finding;
use crate::diagnostic::report::{Report, Reported};
use crate::post::PostId;
use crate::rules::language::{expires, percentage};
use crate::toml_reader::item::{Item, Wanted, quoted};
use crate::toml_reader::table::Table;
use crate::weight::Weight;

/// Example of a moment.
pub(super) const MOMENT: &str = "2026-03-01T12:00:00Z";
/// 100 % in hundredths of a percent.
const FULL: i32 = 10_000;

/// Reads a required key with `read`. `example` is a value to suggest if it is missing.
///
/// # Errors
/// The key is missing or invalid; the error has been reported.
pub(super) fn required<'t, T>(
    table: &mut Table<'t>,
    key: &'static str,
    example: &str,
    report: &mut Report<'t>,
    read: impl FnOnce(&Item<'t>, &mut Report<'t>) -> Result<T, Reported>,
) -> Result<T, Reported> {
    match table.take(key) {
        Some(item) => read(&item, report),
        None => {
            let message = format!("{} has no `{key}`", table.name);
            let finding = Finding::at(table.header.clone(), message);
            Err(report.error(finding.help(format!("write `{key} = {example}`"))))
        }
    }
}

/// Reads an optional key with `read`.
pub(super) fn optional<'t, T>(
    table: &mut Table<'t>,
    key: &'static str,
    report: &mut Report<'t>,
    read: impl FnOnce(&Item<'t>, &mut Report<'t>) -> Result<T, Reported>,
) -> Result<Option<T>, Reported> {
    table.take(key).map(|item| read(&item, report)).transpose()
}

/// Reads each table of the array `[[name]]` with `read`.
///
/// # Errors
/// A table is invalid, or a value is not a table; every error has been reported.
pub(super) fn each<'t, T>(
    item: Option<Item<'t>>,
    name: &str,
    report: &mut Report<'t>,
    mut read: impl FnMut(Table<'t>, &mut Report<'t>) -> Result<T, Reported>,
) -> Result<Vec<T>, Reported> {
    let Some(item) = item else {
        return Ok(Vec::new());
    };
    let tables = item.value.as_array().and_then(|values| {
        let table = |value: &'t Spanned<DeValue<'t>>| {
            let entries = value.get_ref().as_table()?;
            Some(Table::new(entries, value.span(), format!("`{name}`")))
        };
        values.iter().map(table).collect::<Option<Vec<_>>>()
    });
    let Some(tables) = tables else {
        let message = format!("`{}` must be tables, not {}", item.key, item.type_name());
        let finding = Finding::at(item.key_span.clone(), message);
        return Err(report.error(finding.help(format!("start each with a line {name}"))));
    };
    let tables = tables.into_iter().map(|table| read(table, report));
    // All of them are read, so that every error is reported.
    let tables: Vec<Result<T, Reported>> = tables.collect();
    tables.into_iter().collect()
}

pub(super) fn text(item: &Item<'_>, report: &mut Report<'_>) -> Result<String, Reported> {
    let wanted = Wanted {
        what: "a text",
        example: "\"…\"",
    };
    item.text(wanted, report).map(str::to_owned)
}

/// Reads a list of at least one text.
pub(super) fn texts(item: &Item<'_>, report: &mut Report<'_>) -> Result<Vec<String>, Reported> {
    let wanted = Wanted {
        what: "a list of texts",
        example: "[\"photography\"]",
    };
    let items = item.list(wanted, report)?;
    items.iter().map(|item| text(item, report)).collect()
}

pub(super) fn account(item: &Item<'_>, report: &mut Report<'_>) -> Result<Account, Reported> {
    let wanted = Wanted {
        what: "an account",
        example: "\"alice\"",
    };
    let text = item.text(wanted, report)?;
    Account::parse(text).map_err(|error| {
        let message = format!("{} cannot be an account: {error}", quoted(text));
        item.refuse(message, item.write(wanted.example), report)
    })
}

/// Reads `@bob/a-post`.
pub(super) fn post(item: &Item<'_>, report: &mut Report<'_>) -> Result<PostId, Reported> {
    let wanted = Wanted {
        what: "a post",
        example: "\"@bob/a-post\"",
    };
    let text = item.text(wanted, report)?;
    let named = text
        .split_once('/')
        .filter(|(_, permlink)| !permlink.is_empty())
        .and_then(|(author, permlink)| Some(PostId::new(Account::parse(author).ok()?, permlink)));
    named.ok_or_else(|| {
        let message = format!("{} is not a post", quoted(text));
        item.refuse(message, item.write(wanted.example), report)
    })
}

/// Reads a weight: -100 % to 100 %.
pub(super) fn weight(item: &Item<'_>, report: &mut Report<'_>) -> Result<Weight, Reported> {
    let hundredths = percentage::read(item, -FULL..=FULL, report)?;
    Ok(Weight::clamped(hundredths.into()))
}

/// Reads mana: 0 % to 100 %.
pub(super) fn mana(item: &Item<'_>, report: &mut Report<'_>) -> Result<Weight, Reported> {
    let hundredths = percentage::read(item, 0..=FULL, report)?;
    Ok(Weight::clamped(hundredths.into()))
}

/// Reads a moment. Without an offset it is in UTC.
pub(super) fn moment(item: &Item<'_>, report: &mut Report<'_>) -> Result<DateTime<Utc>, Reported> {
    expires::read(item, Tz::UTC, report)
}

/// Reads one path or a list of paths, relative to `folder`. All of them must exist.
pub(super) fn paths(
    item: &Item<'_>,
    folder: &Path,
    report: &mut Report<'_>,
) -> Result<Vec<PathBuf>, Reported> {
    let items = match item.value {
        DeValue::Array(_) => item.list(
            Wanted {
                what: "a path, or a list of paths",
                example: "\"../rules\"",
            },
            report,
        )?,
        _ => vec![item.clone()],
    };
    let path = |item: &Item<'_>, report: &mut Report<'_>| {
        let written = text(item, report)?;
        let path = folder.join(&written);
        if path.exists() {
            return Ok(path);
        }
        let message = format!("there is no file or folder {}", path.display());
        let help = "paths are relative to the folder of this file";
        Err(item.refuse(message, help, report))
    };
    items.iter().map(|item| path(item, report)).collect()
}
