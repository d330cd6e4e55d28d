//! Lists of accounts.

use std::collections::HashMap;
use std::ops::Range;

use toml::de::DeValue;

use crate::account::Account;
use crate::diagnostic::Finding;
use crate::diagnostic::report::{Report, Reported};
use crate::rules::language::keys::NOT_YET_HELP;
use crate::toml_reader::item::{Item, Wanted, quoted};

const WANTED: Wanted = Wanted {
    what: "a list of accounts",
    example: "[\"alice\"]",
};

/// An account and where it stands.
pub(super) type Placed = (Account, Range<usize>);

/// The accounts that `item` lists: at least one, each once. Repeated ones are warned of.
///
/// # Errors
/// It is no list of accounts; every member that is none has been reported.
pub(super) fn read(item: &Item<'_>, report: &mut Report<'_>) -> Result<Vec<Account>, Reported> {
    let placed = read_placed(item, report)?;
    Ok(placed.into_iter().map(|(account, _)| account).collect())
}

/// Likewise, with the place of each.
pub(super) fn read_placed(
    item: &Item<'_>,
    report: &mut Report<'_>,
) -> Result<Vec<Placed>, Reported> {
    if let DeValue::String(text) = item.value {
        let help = item.write(several(text).unwrap_or_else(|| format!("[{}]", quoted(text))));
        return Err(item.wrong_type_with(WANTED, help, report));
    }
    let mut seen: HashMap<Account, Range<usize>> = HashMap::new();
    let mut accounts = Vec::new();
    let mut failed = None;
    for member in item.list(WANTED, report)? {
        let account = match read_one(&member, report) {
            Ok(account) => account,
            Err(reported) => {
                failed = Some(reported);
                continue;
            }
        };
        if let Some(first) = seen.get(&account) {
            let message = format!("`{account}` stands twice in `{}`", item.key);
            report.warning(
                Finding::at(member.span, message)
                    .label("again here")
                    .also(first.clone(), "first here")
                    .help("once is enough: take one out"),
            );
            continue;
        }
        seen.insert(account.clone(), member.span.clone());
        accounts.push((account, member.span));
    }
    match failed {
        Some(reported) => Err(reported),
        None => Ok(accounts),
    }
}

fn read_one(member: &Item<'_>, report: &mut Report<'_>) -> Result<Account, Reported> {
    let DeValue::String(text) = member.value else {
        let message = format!(
            "`{}` lists accounts, not {}",
            member.key,
            member.type_name()
        );
        return Err(member.refuse(message, "write the name in quotes: \"alice\"", report));
    };
    if text.starts_with("list:") {
        let message = format!("{} is not supported yet", quoted(text));
        let help = "this version has no lists: write the accounts themselves";
        return Err(member.refuse(message, help, report));
    }
    if text == "*" {
        let (message, help) = match member.key {
            "authors" => (
                "`\"*\"` does not stand in a list",
                "write `authors = \"*\"`".into(),
            ),
            key => (
                "`\"*\"` is not an account",
                format!("`{key}` must name the accounts one by one"),
            ),
        };
        return Err(member.refuse(message, help, report));
    }
    Account::parse(text).map_err(|error| {
        let message = format!("{} cannot be an account: {error}", quoted(text));
        let finding = Finding::at(member.span.clone(), message);
        report.error(match several(text) {
            Some(meant) => finding.help(format!("write {}", &meant[1..meant.len() - 1])),
            None => finding.help("write the name as the chain has it, such as \"alice\""),
        })
    })
}

/// `["alice", "bob"]` for `alice, bob`; `["alice"]` for `https://example.org/@alice`.
fn several(text: &str) -> Option<String> {
    let text = text.rsplit_once("/@").map_or(text, |(_, name)| name);
    let names: Option<Vec<_>> = text
        .split([',', ';', ' ', '\t', '\n'])
        .filter(|name| !name.is_empty())
        .map(|name| {
            Account::parse(name)
                .ok()
                .map(|account| quoted(account.as_str()))
        })
        .collect();
    names
        .filter(|names| !names.is_empty())
        .map(|names| format!("[{}]", names.join(", ")))
}

/// Refuses what this version does not do with a key.
pub(super) fn not_yet(what: &str, span: Range<usize>, report: &mut Report<'_>) -> Reported {
    report.error(Finding::at(span, format!("{what} is not supported yet")).help(NOT_YET_HELP))
}
