//! Reads the values in a test file.

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use toml::Spanned;
use toml::de::DeValue;

use crate::account::Account;
use crate::diagnostic::Finding;
use crate::diagnostic::report::Reported;
use crate::post::PostId;
use crate::rules::language::{expires, percentage};
use crate::toml_reader::item::{Item, Wanted, quoted};
use crate::toml_reader::table::Table;
use crate::weight::Weight;

/// Example of a moment.
pub(super) const MOMENT: &str = "2026-03-01T12:00:00Z";
/// 100 % in hundredths of a percent.
const FULL: i32 = 10_000;

/// Reads each table of the array `[[name]]` with `read`.
///
/// # Errors
/// A table is invalid, or a value is not a table; every error has been reported.
pub(super) fn each<'t, T>(
    item: Option<Item<'t>>,
    name: &str,
    read: impl FnMut(Table<'t>) -> Result<T, Reported>,
) -> Result<Vec<T>, Reported> {
    let Some(item) = item else {
        return Ok(Vec::new());
    };
    let tables = item.value.as_array().and_then(|values| {
        let table = |value: &'t Spanned<DeValue<'t>>| {
            let entries = value.get_ref().as_table()?;
            let name = format!("`{name}`");
            Some(Table::new(entries, value.span(), name, item.report))
        };
        values.iter().map(table).collect::<Option<Vec<_>>>()
    });
    let Some(tables) = tables else {
        let message = format!("`{}` must be tables, not {}", item.key, item.type_name());
        let finding = Finding::at(item.key_span.clone(), message);
        return Err(item
            .report
            .error(finding.help(format!("start each with a line {name}"))));
    };
    // All of them are read, so that every error is reported.
    let tables: Vec<Result<T, Reported>> = tables.into_iter().map(read).collect();
    tables.into_iter().collect()
}

pub(super) fn text(item: &Item<'_>) -> Result<String, Reported> {
    let wanted = Wanted {
        what: "a text",
        example: "\"…\"",
    };
    item.text(wanted).map(str::to_owned)
}

/// Reads a list of at least one text.
pub(super) fn texts(item: &Item<'_>) -> Result<Vec<String>, Reported> {
    let wanted = Wanted {
        what: "a list of texts",
        example: "[\"photography\"]",
    };
    let items = item.list(wanted)?;
    items.iter().map(text).collect()
}

pub(super) fn account(item: &Item<'_>) -> Result<Account, Reported> {
    let wanted = Wanted {
        what: "an account",
        example: "\"alice\"",
    };
    let text = item.text(wanted)?;
    Account::parse(text).map_err(|error| {
        let message = format!("{} cannot be an account: {error}", quoted(text));
        item.refuse(message, item.write(wanted.example))
    })
}

/// Reads `@bob/a-post`.
pub(super) fn post(item: &Item<'_>) -> Result<PostId, Reported> {
    let wanted = Wanted {
        what: "a post",
        example: "\"@bob/a-post\"",
    };
    let text = item.text(wanted)?;
    let named = text
        .split_once('/')
        .filter(|(_, permlink)| !permlink.is_empty())
        .and_then(|(author, permlink)| Some(PostId::new(Account::parse(author).ok()?, permlink)));
    named.ok_or_else(|| {
        let message = format!("{} is not a post", quoted(text));
        item.refuse(message, item.write(wanted.example))
    })
}

/// Reads a weight: -100 % to 100 %.
pub(super) fn weight(item: &Item<'_>) -> Result<Weight, Reported> {
    let hundredths = percentage::read(item, -FULL..=FULL)?;
    Ok(Weight::clamped(hundredths.into()))
}

/// Reads mana: 0 % to 100 %.
pub(super) fn mana(item: &Item<'_>) -> Result<Weight, Reported> {
    let hundredths = percentage::read(item, 0..=FULL)?;
    Ok(Weight::clamped(hundredths.into()))
}

/// Reads a moment. Without an offset it is in UTC.
pub(super) fn moment(item: &Item<'_>) -> Result<DateTime<Utc>, Reported> {
    expires::read(item, Tz::UTC)
}

/// Reads one path or a list of paths, relative to `folder`. All of them must exist.
pub(super) fn paths(item: &Item<'_>, folder: &Path) -> Result<Vec<PathBuf>, Reported> {
    let items = match item.value {
        DeValue::Array(_) => item.list(Wanted {
            what: "a path, or a list of paths",
            example: "\"../rules\"",
        })?,
        _ => vec![item.clone()],
    };
    let path = |item: &Item<'_>| {
        let written = text(item)?;
        let path = folder.join(&written);
        if path.exists() {
            return Ok(path);
        }
        let message = format!("there is no file or folder {}", path.display());
        let help = "paths are relative to the folder of this file";
        Err(item.refuse(message, help))
    };
    items.iter().map(path).collect()
}
