//! The table of one rule while it is read.

use std::time::Duration;

use chrono_tz::Tz;

use crate::account::Account;
use crate::diagnostic::Finding;
use crate::diagnostic::report::Reported;
use crate::rules::language::accounts;
use crate::rules::language::keys::Kind;
use crate::rules::language::lists::Scope;
use crate::rules::rule::PostKind;
use crate::toml_reader::item::Item;
use crate::toml_reader::table::Table;

/// The table of one rule while it is read.
pub(super) struct RuleTable<'a, 't> {
    pub table: Table<'t>,
    pub scope: &'a Scope<'a>,
    pub kind: Kind,
    /// Default time zone of the file.
    pub timezone: Tz,
}

/// Values of the shared keys that the keys of one kind are checked against.
pub(super) struct Shared {
    pub voters: Result<Vec<Account>, Reported>,
    pub delay: Result<Duration, Reported>,
    /// Whether `delay` is given.
    pub has_delay: bool,
    pub max_age: Result<Duration, Reported>,
    pub kind: Result<PostKind, Reported>,
    /// Whether `tags.any`, `tags.all` or `communities.any` is given.
    pub narrows: bool,
}

impl<'t> RuleTable<'_, 't> {
    /// Reads the value of `key`, like [`Table::read`].
    pub(super) fn read<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Item<'t>) -> Result<T, Reported>,
    ) -> Result<Option<T>, Reported> {
        debug_assert!(
            self.kind.has(key),
            "`{key}` is missing in the tables of keys"
        );
        self.table.read(key, read)
    }

    /// Reads a list of accounts, like [`RuleTable::read`].
    pub(super) fn accounts(&mut self, key: &'static str) -> Result<Option<Vec<Account>>, Reported> {
        let scope = self.scope;
        self.read(key, |item| accounts::read(item, scope))
    }

    /// The voters of the rule, or else those of the file.
    pub(super) fn voters(
        &mut self,
        of_file: &Result<Option<Vec<Account>>, Reported>,
    ) -> Result<Vec<Account>, Reported> {
        if let Some(own) = self.accounts("voters")? {
            return Ok(own);
        }
        (*of_file).clone()?.ok_or_else(|| {
            let message = format!("neither this {} nor the file has `voters`", self.table.name);
            let help =
                "add `voters = [\"alice\"]` here, or at the top of the file for all of its rules";
            let finding = Finding::at(self.table.header.clone(), message);
            self.table.report.error(finding.help(help))
        })
    }

    /// Reports that `key` contradicts other keys.
    pub(super) fn refuse_together(
        &mut self,
        key: &'static str,
        message: &str,
        help: &str,
    ) -> Reported {
        let finding = self.finding(key, message);
        self.table.report.error(finding.help(help))
    }

    /// Warns that `key` has no effect.
    pub(super) fn warn(&mut self, key: &'static str, message: impl Into<String>, help: &str) {
        let finding = self.finding(key, message);
        self.table.report.warning(finding.help(help));
    }

    /// A finding about the value of `key`, or about the rule if the key is missing.
    fn finding(&mut self, key: &'static str, message: impl Into<String>) -> Finding {
        let item = self.table.take(key);
        let span = item.map_or_else(|| self.table.header.clone(), |item| item.span);
        Finding::at(span, message)
    }
}
