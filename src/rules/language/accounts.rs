//! Lists of accounts.

use std::collections::HashMap;
use std::ops::Range;

use toml::de::DeValue;

use crate::account::Account;
use crate::diagnostic::Finding;
use crate::diagnostic::report::Reported;
use crate::rules::language::lists::{PREFIX, Scope};
use crate::toml_reader::item::{Item, Wanted, quoted};

const WANTED: Wanted = Wanted::new("a list of accounts", "[\"alice\"]");

/// An account and its position; for a member of a list, the position of the list's name.
pub(super) type Placed = (Account, Range<usize>);

/// Reads a list of accounts: at least one, each once. Duplicates are reported as warnings.
///
/// # Errors
/// `item` is not a list of accounts; every invalid member has been reported.
pub(super) fn read(item: &Item<'_>, scope: &Scope<'_>) -> Result<Vec<Account>, Reported> {
    let placed = read_placed(item, scope)?;
    Ok(placed.into_iter().map(|(account, _)| account).collect())
}

/// Reads a list of accounts, like [`read`], with the position of each.
pub(super) fn read_placed(item: &Item<'_>, scope: &Scope<'_>) -> Result<Vec<Placed>, Reported> {
    if let DeValue::String(text) = item.value {
        if text == "*" {
            return Err(refuse_anyone(item));
        }
        let help = match several(text) {
            Some(meant) => item.write(meant),
            None => item.such_as(WANTED),
        };
        return Err(item.wrong_type_with(WANTED, help));
    }
    let mut accounts = Accounts::default();
    item.each(WANTED, |member| {
        match scope.accounts(&member) {
            Some(listed) => accounts.extend(listed?, &member.span),
            None => accounts.push(read_one(&member, scope)?, &member),
        }
        Ok(())
    })?;
    Ok(accounts.placed)
}

#[derive(Default)]
struct Accounts {
    placed: Vec<Placed>,
    /// The index in `placed`, and whether the account is written there itself.
    seen: HashMap<Account, (usize, bool)>,
}

impl Accounts {
    fn push(&mut self, account: Account, member: &Item<'_>) {
        match self.seen.get(&account) {
            Some((first, true)) => {
                let message = format!("`{account}` is listed twice in `{}`", member.key);
                let finding = Finding::at(member.span.clone(), message)
                    .label("again here")
                    .also(self.placed[*first].1.clone(), "first here");
                member.report.warning(finding.help("remove one of the two"));
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

fn read_one(member: &Item<'_>, scope: &Scope<'_>) -> Result<Account, Reported> {
    let DeValue::String(text) = member.value else {
        let kind = member.type_name();
        let message = format!("`{}` lists accounts, not {kind}", member.key);
        return Err(member.refuse(
            message,
            "each of them is a name in quotes, such as \"alice\"",
        ));
    };
    if text == "*" {
        return Err(match member.key {
            "authors" => {
                let message = "`\"*\"` cannot be in a list";
                let help = "remove it; `authors = \"*\"`, without brackets and with a filter, is every author";
                member.refuse(message, help)
            }
            _ => refuse_anyone(member),
        });
    }
    let list = format!("{PREFIX}{text}");
    let parsed = Account::parse(text);
    if parsed.is_ok() && scope.defines(text) {
        let message = format!(
            "{} is an account here, and also the name of a list",
            quoted(text)
        );
        member.warn(message, format!("did you mean {}?", quoted(&list)));
    }
    parsed.map_err(|error| {
        let message = format!("{} cannot be an account: {error}", quoted(text));
        let help = match several(text) {
            _ if scope.defines(text) => format!("write {}", quoted(&list)),
            Some(meant) => format!("write {}", &meant[1..meant.len() - 1]),
            None => "it must be the account's name on the chain, such as \"alice\"".to_owned(),
        };
        member.refuse(message, help)
    })
}

/// Reports `"*"` where accounts must be named.
fn refuse_anyone(item: &Item<'_>) -> Reported {
    let help = format!("`{}` must name the accounts one by one", item.key);
    item.refuse("`\"*\"` is not an account", help)
}

/// `["alice", "bob"]` for `alice, bob`; `["alice"]` for `https://example.org/@alice`.
fn several(text: &str) -> Option<String> {
    const JOINTS: [&str; 5] = ["and", "or", "&", "+", "und"];
    let names = text.split([',', ';', ' ', '\t', '\n']);
    let names = names
        .filter(|name| !name.is_empty() && !JOINTS.contains(name))
        .map(|name| {
            let name = match name.rsplit_once("/@") {
                Some((_, name)) => name.split(['/', '?', '#']).next().unwrap_or(name),
                None => name,
            };
            if name.len() > PREFIX.len() && name.starts_with(PREFIX) {
                return Some(quoted(name));
            }
            let account = Account::parse(name).ok()?;
            Some(quoted(account.as_str()))
        });
    let names = names.collect::<Option<Vec<_>>>()?;
    (!names.is_empty()).then(|| format!("[{}]", names.join(", ")))
}
