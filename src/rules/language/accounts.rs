//! Lists of accounts.

use std::collections::HashMap;
use std::ops::Range;

use toml::de::DeValue;

use crate::account::Account;
use crate::diagnostic::Finding;
use crate::diagnostic::report::{Report, Reported};
use crate::rules::language::lists::{PREFIX, Scope};
use crate::toml_reader::item::{Item, Wanted, quoted};

const WANTED: Wanted = Wanted {
    what: "a list of accounts",
    example: "[\"alice\"]",
};

/// An account and its position; for a member of a list, the position of the list's name.
pub(super) type Placed = (Account, Range<usize>);

/// Reads a list of accounts: at least one, each once. Duplicates are reported as warnings.
///
/// # Errors
/// `item` is not a list of accounts; every invalid member has been reported.
pub(super) fn read(
    item: &Item<'_>,
    scope: &Scope<'_>,
    report: &mut Report<'_>,
) -> Result<Vec<Account>, Reported> {
    let placed = read_placed(item, scope, report)?;
    Ok(placed.into_iter().map(|(account, _)| account).collect())
}

/// Reads a list of accounts, like [`read`], with the position of each.
pub(super) fn read_placed(
    item: &Item<'_>,
    scope: &Scope<'_>,
    report: &mut Report<'_>,
) -> Result<Vec<Placed>, Reported> {
    if let DeValue::String(text) = item.value {
        if text == "*" {
            return Err(refuse_anyone(item, report));
        }
        let help = item.write(several(text).unwrap_or_else(|| WANTED.example.to_owned()));
        return Err(item.wrong_type_with(WANTED, help, report));
    }
    let mut accounts = Accounts::default();
    let mut failed = None;
    for member in item.list(WANTED, report)? {
        match scope.accounts(&member, report) {
            Some(Ok(listed)) => accounts.extend(listed, &member.span),
            None => match read_one(&member, report) {
                Ok(account) => accounts.push(account, &member, report),
                Err(reported) => failed = Some(reported),
            },
            Some(Err(reported)) => failed = Some(reported),
        }
    }
    failed.map_or(Ok(accounts.placed), Err)
}

#[derive(Default)]
struct Accounts {
    placed: Vec<Placed>,
    /// The index in `placed`, and whether the account is written there itself.
    seen: HashMap<Account, (usize, bool)>,
}

impl Accounts {
    fn push(&mut self, account: Account, member: &Item<'_>, report: &mut Report<'_>) {
        match self.seen.get(&account) {
            Some((first, true)) => {
                let message = format!("`{account}` is listed twice in `{}`", member.key);
                report.warning(
                    Finding::at(member.span.clone(), message)
                        .label("again here")
                        .also(self.placed[*first].1.clone(), "first here")
                        .help("remove one of the two"),
                );
            }
            // A member of a list may be named here too: the list can change independently.
            Some((_, false)) => {}
            None => self.add(account, &member.span, true),
        }
    }

    fn extend(&mut self, listed: &[Account], span: &Range<usize>) {
        for account in listed {
            if !self.seen.contains_key(account) {
                self.add(account.clone(), span, false);
            }
        }
    }

    fn add(&mut self, account: Account, span: &Range<usize>, by_itself: bool) {
        self.seen
            .insert(account.clone(), (self.placed.len(), by_itself));
        self.placed.push((account, span.clone()));
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
    if text == "*" {
        return Err(match member.key {
            "authors" => {
                let message = "`\"*\"` cannot be in a list";
                member.refuse(message, "write `authors = \"*\"`", report)
            }
            _ => refuse_anyone(member, report),
        });
    }
    Account::parse(text).map_err(|error| {
        let message = format!("{} cannot be an account: {error}", quoted(text));
        let finding = Finding::at(member.span.clone(), message);
        report.error(match several(text) {
            Some(meant) => finding.help(format!("write {}", &meant[1..meant.len() - 1])),
            None => finding.help("write the account name as on the chain, such as \"alice\""),
        })
    })
}

/// Reports `"*"` where accounts must be named.
fn refuse_anyone(item: &Item<'_>, report: &mut Report<'_>) -> Reported {
    let help = format!("`{}` must name the accounts one by one", item.key);
    item.refuse("`\"*\"` is not an account", help, report)
}

/// `["alice", "bob"]` for `alice, bob`; `["alice"]` for `https://example.org/@alice`.
fn several(text: &str) -> Option<String> {
    let text = text.rsplit_once("/@").map_or(text, |(_, name)| name);
    let names: Option<Vec<_>> = text
        .split([',', ';', ' ', '\t', '\n'])
        .filter(|name| !name.is_empty())
        .map(|name| {
            if name.len() > PREFIX.len() && name.starts_with(PREFIX) {
                return Some(quoted(name));
            }
            let account = Account::parse(name).ok()?;
            Some(quoted(account.as_str()))
        })
        .collect();
    names
        .filter(|names| !names.is_empty())
        .map(|names| format!("[{}]", names.join(", ")))
}
