//! One rule: the keys shared by both kinds, and the checks of a complete rule.

use std::time::Duration;

use chrono_tz::Tz;

use crate::account::Account;
use crate::diagnostic::Finding;
use crate::diagnostic::report::{Report, Reported};
use crate::rules::language::keys::Kind;
use crate::rules::language::lists::Scope;
use crate::rules::language::{
    accounts, author, expires, filters, limit, lints, percentage, trail, window,
};
use crate::rules::rule::{BelowMinMana, PostKind, Rule, RuleId, Words};
use crate::toml_reader::duration;
use crate::toml_reader::item::{Item, Wanted};
use crate::toml_reader::table::Table;
use crate::weight::Weight;

/// Default of `max_age`: 6 days and 12 hours. Posts pay out after 7 days, and a vote loses its value in the last 12
/// hours before.
const MAX_AGE: Duration = Duration::from_secs((6 * 24 + 12) * 3600);

const KINDS: [(&str, PostKind); 3] = [
    ("posts", PostKind::Posts),
    ("comments", PostKind::Comments),
    ("all", PostKind::All),
];

const BELOW_MIN_MANA: [(&str, BelowMinMana); 2] =
    [("skip", BelowMinMana::Skip), ("wait", BelowMinMana::Wait)];

/// The table of one rule while it is read.
pub(super) struct RuleTable<'a, 't> {
    pub table: Table<'t>,
    pub report: &'a mut Report<'t>,
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
    /// Reads the value of `key` with `read`; `None` if the key is missing.
    ///
    /// # Errors
    /// The value is invalid; the error has been reported.
    pub(super) fn read<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Item<'t>, &mut Report<'t>) -> Result<T, Reported>,
    ) -> Result<Option<T>, Reported> {
        debug_assert!(
            self.kind.has(key),
            "`{key}` is missing in the tables of keys"
        );
        match self.table.take(key) {
            Some(item) => read(&item, self.report).map(Some),
            None => Ok(None),
        }
    }

    /// Reads the value of a required key with `read`. `example` is a value to suggest if it is missing.
    ///
    /// # Errors
    /// The key is missing or its value is invalid; the error has been reported.
    pub(super) fn require<T>(
        &mut self,
        key: &'static str,
        example: &str,
        read: impl FnOnce(&Item<'t>, &mut Report<'t>) -> Result<T, Reported>,
    ) -> Result<T, Reported> {
        match self.read(key, read)? {
            Some(value) => Ok(value),
            None => Err(self.lacks(key, example)),
        }
    }

    /// Reports that a required key is missing.
    fn lacks(&mut self, key: &str, example: &str) -> Reported {
        let message = format!("this {} has no `{key}`", self.table.name);
        let finding = Finding::at(self.table.header.clone(), message);
        self.report
            .error(finding.help(format!("add `{key} = {example}`")))
    }

    /// Reads a list of accounts, like [`RuleTable::read`].
    pub(super) fn accounts(&mut self, key: &'static str) -> Result<Option<Vec<Account>>, Reported> {
        let scope = self.scope;
        self.read(key, |item, report| accounts::read(item, scope, report))
    }

    /// Reads a filter, like [`RuleTable::read`].
    fn filter(&mut self, key: &'static str) -> Result<Option<Words>, Reported> {
        let scope = self.scope;
        self.read(key, |item, report| filters::read(item, scope, report))
    }

    /// The voters of the rule, or else those of the file.
    fn voters(
        &mut self,
        of_file: &Result<Option<Vec<Account>>, Reported>,
    ) -> Result<Vec<Account>, Reported> {
        if let Some(own) = self.accounts("voters")? {
            return Ok(own);
        }
        match of_file {
            Ok(Some(of_file)) => Ok(of_file.clone()),
            Ok(None) => Err(self.lacks_voters()),
            Err(reported) => Err(*reported),
        }
    }

    /// Reports that neither the rule nor the file has voters.
    fn lacks_voters(&mut self) -> Reported {
        let message = format!("neither this {} nor the file has `voters`", self.table.name);
        let help =
            "add `voters = [\"alice\"]` here, or at the top of the file for all of its rules";
        self.report
            .error(Finding::at(self.table.header.clone(), message).help(help))
    }

    /// Reports that `key` contradicts other keys.
    pub(super) fn refuse_together(
        &mut self,
        key: &'static str,
        message: &str,
        help: &str,
    ) -> Reported {
        let span = match self.table.take(key) {
            Some(item) => item.span,
            None => self.table.header.clone(),
        };
        self.report.error(Finding::at(span, message).help(help))
    }
}

const NOTE: Wanted = Wanted {
    what: "a text",
    example: "\"why this rule is here\"",
};

/// Reads the rule `id`. `voters` are the default voters of the file.
///
/// # Errors
/// The rule is invalid; every error has been reported.
pub(super) fn read(
    table: &mut RuleTable<'_, '_>,
    id: RuleId,
    voters: &Result<Option<Vec<Account>>, Reported>,
) -> Result<Rule, Reported> {
    let zone = table.timezone;
    let week = Duration::ZERO..=duration::WEEK;
    let some_age = Duration::from_secs(1)..=duration::WEEK;
    let voters = table.voters(voters);
    let enabled = table.read("enabled", |item, report| item.boolean(report));
    let delay = table.read("delay", |item, report| duration::read(item, week, report));
    let max_age = table.read("max_age", |item, report| {
        duration::read(item, some_age, report)
    });
    let limit = table.read("limit", limit::read);
    let min_mana = table.read("min_mana", |item, report| {
        percentage::read(item, 0..=10_000, report)
    });
    let below_min_mana = table.read("below_min_mana", |item, report| {
        item.choice(&BELOW_MIN_MANA, report)
    });
    let window = table.read("window", |item, report| window::read(item, zone, report));
    let post_kind = table.read("kind", |item, report| item.choice(&KINDS, report));
    let tags = table.filter("tags");
    let communities = table.filter("communities");
    let apps = table.filter("apps");
    let text = table.filter("text");
    let words = table.read("words", limit::range);
    let payout = table.read("payout", limit::payout);
    let max_votes = table.read("max_votes", |item, report| {
        item.integer(0..=u32::MAX, report)
    });
    let expires = table.read("expires", |item, report| expires::read(item, zone, report));
    let self_votes = table.read("self_votes", |item, report| item.boolean(report));
    let note = table.read("note", |item, report| item.text(NOTE, report));
    let shared = Shared {
        voters,
        has_delay: matches!(delay, Ok(Some(_))),
        delay: delay.map(Option::unwrap_or_default),
        max_age: max_age.map(|age| age.unwrap_or(MAX_AGE)),
        kind: post_kind.map(Option::unwrap_or_default),
        narrows: matches!(&tags, Ok(Some(tags)) if !tags.any.is_empty() || !tags.all.is_empty())
            || matches!(&communities, Ok(Some(communities)) if !communities.any.is_empty()),
    };
    let trigger = match table.kind {
        Kind::Author => author::read(table, &shared),
        Kind::Trail => trail::read(table, &shared),
    };
    note?;
    let rule = Rule {
        id,
        voters: shared.voters?,
        enabled: enabled?.unwrap_or(true),
        delay: shared.delay?,
        max_age: shared.max_age?,
        limit: limit?.unwrap_or_default(),
        min_mana: min_mana?.map(|value| Weight::clamped(value.into())),
        below_min_mana: below_min_mana?.unwrap_or_default(),
        window: window?,
        kind: shared.kind?,
        tags: tags?.unwrap_or_default(),
        communities: communities?.unwrap_or_default(),
        apps: apps?.unwrap_or_default(),
        text: text?.unwrap_or_default(),
        words: words?.unwrap_or_default(),
        payout: payout?.unwrap_or_default(),
        max_votes: max_votes?,
        expires: expires?,
        self_votes: self_votes?.unwrap_or(false),
        trigger: trigger?,
    };
    lints::warn(&rule, table);
    Ok(rule)
}
