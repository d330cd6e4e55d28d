//! Tables: known keys are read one by one, and the remaining ones are reported as unknown.

use std::collections::HashMap;
use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::diagnostic::Finding;
use crate::diagnostic::report::{Report, Reported};
use crate::diagnostic::suggestion::closest;
use crate::toml_reader::item::{Item, Wanted};

/// A table being read.
#[derive(Debug)]
pub struct Table<'t> {
    entries: &'t DeTable<'t>,
    /// The header, or the whole of an inline table: the place at which missing keys are reported.
    pub header: Range<usize>,
    /// Name in messages: `[[author]]`, `weight`.
    pub name: String,
    /// Receives the problems in the table.
    pub report: &'t Report<'t>,
    asked: Vec<&'static str>,
    /// Keys of the table that are none of its known keys, with what they probably mean.
    meant: Vec<(&'t str, Meant)>,
    /// Those of them that have been reported.
    reported: Vec<&'t str>,
}

/// What an unknown key probably means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meant {
    /// This key of the same table.
    Key(&'static str),
    /// A key in the table that this key holds.
    Inside(&'static str),
}

impl<'t> Table<'t> {
    /// The table `entries`, called `name`.
    pub fn new(
        entries: &'t DeTable<'t>,
        header: Range<usize>,
        name: impl Into<String>,
        report: &'t Report<'t>,
    ) -> Self {
        Self {
            entries,
            header,
            name: name.into(),
            report,
            asked: Vec::new(),
            meant: Vec::new(),
            reported: Vec::new(),
        }
    }

    /// Names all keys that the table can have, so that a mistyped one is reported once and its value is not lost.
    /// `other` recognises keys that are not similar to the right one.
    #[must_use]
    pub fn with_keys(
        mut self,
        known: &[&'static str],
        other: impl Fn(&str) -> Option<Meant>,
    ) -> Self {
        let names = self.entries.iter().map(|(key, _)| &**key.get_ref());
        let unknown = names.filter(|name| !known.contains(name));
        let meant = |name| {
            let similar = || closest(name, known.iter().copied()).map(Meant::Key);
            other(name).or_else(similar).map(|meant| (name, meant))
        };
        self.meant = unknown.filter_map(meant).collect();
        self
    }

    /// The table in `item`, called by its key. `example` is a value to suggest if it is not a table.
    ///
    /// # Errors
    /// The value is not a table; the error has been reported.
    pub fn of(item: &Item<'t>, example: &'static str) -> Result<Self, Reported> {
        let DeValue::Table(entries) = item.value else {
            return Err(item.wrong_type(Wanted::new("a table", example)));
        };
        let name = format!("`{}`", item.key);
        Ok(Self::new(entries, item.span.clone(), name, item.report))
    }

    /// The table in `item`, like [`Table::of`]; an empty one is an error, too.
    ///
    /// # Errors
    /// The value is not a table with a key; the error has been reported.
    pub fn filled(item: &Item<'t>, example: &'static str) -> Result<Self, Reported> {
        let table = Self::of(item, example)?;
        if table.entries.is_empty() {
            let message = format!("`{}` is empty", item.key);
            return Err(item.refuse(message, item.write(example)));
        }
        Ok(table)
    }

    /// Whether it has an entry `key`.
    pub fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// The entry `key`, if there is one. Makes `key` a known key.
    pub fn take(&mut self, key: &'static str) -> Option<Item<'t>> {
        self.asked.push(key);
        let (key, value) = self.entries.get_key_value(key)?;
        Some(Item::entry(key, value, self.report))
    }

    /// Reads the value of `key` with `read`; `None` if the key is missing.
    ///
    /// # Errors
    /// The value is invalid; the error has been reported.
    pub fn read<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&Item<'t>) -> Result<T, Reported>,
    ) -> Result<Option<T>, Reported> {
        if let Some(item) = self.take(key) {
            return read(&item).map(Some);
        }
        if let Some(item) = self.mistyped(key) {
            return Err(self.read_mistyped(key, &item, read));
        }
        match self.report_inner(key) {
            Some(reported) => Err(reported),
            None => Ok(None),
        }
    }

    /// The entry whose key probably means `key`.
    fn mistyped(&self, key: &'static str) -> Option<Item<'t>> {
        let (name, _) = *(self.meant.iter()).find(|(_, meant)| *meant == Meant::Key(key))?;
        let (key, value) = self.entries.get_key_value(name)?;
        Some(Item::entry(key, value, self.report))
    }

    /// Reports a mistyped `key`; its value is read all the same, to report its errors, too.
    fn read_mistyped<T>(
        &mut self,
        key: &'static str,
        item: &Item<'t>,
        read: impl FnOnce(&Item<'t>) -> Result<T, Reported>,
    ) -> Reported {
        self.reported.push(item.key);
        let right = Item {
            key,
            ..item.clone()
        };
        let is_good = match read(&right) {
            // The help says how to write the key with its value.
            Err(reported) if !item.value.is_table() && !item.value.is_array() => return reported,
            value => value.is_ok(),
        };
        let help = match self.source(&item.span).filter(|_| is_good) {
            Some(value) => right.write(value),
            None => format!("did you mean `{key}`?"),
        };
        let message = format!("unknown key `{}` in {}", item.key, self.name);
        let finding = Finding::at(item.key_span.clone(), message);
        self.report.error(finding.help(help))
    }

    /// Reports the entries that belong in the table that `key`, which is missing, should hold.
    fn report_inner(&mut self, key: &'static str) -> Option<Reported> {
        let meant = self.meant.iter();
        let names = meant.filter(|(_, meant)| *meant == Meant::Inside(key));
        let entries = names.filter_map(|(name, _)| self.entries.get_key_value(*name));
        let entries: Vec<_> = entries.collect();
        let (first, _) = entries.first()?;
        let inner = entries.iter().map(|(name, value)| {
            let value = self.source(&value.span())?;
            Some(format!("{} = {value}", name.get_ref()))
        });
        let help = match inner.collect::<Option<Vec<_>>>() {
            Some(inner) if inner.len() == 1 => {
                format!("write `{key} = {{ {} }}`", inner.join(", "))
            }
            Some(inner) => format!("they belong in `{key} = {{ {} }}`", inner.join(", ")),
            None => format!("it belongs in `{key}`"),
        };
        let message = format!("unknown key `{}` in {}", first.get_ref(), self.name);
        let finding = Finding::at(first.span(), message).help(help);
        let names: Vec<_> = entries.iter().map(|(name, _)| &**name.get_ref()).collect();
        self.reported.extend(names);
        Some(self.report.error(finding))
    }

    /// The header line of an inner table, below which keys of the outer table are easily put.
    fn header_line(&self) -> Option<&'t str> {
        let header = self.source(&self.header)?;
        (header.starts_with('[') && header.contains('.')).then_some(header)
    }

    /// The text at `span`, if it may be quoted and is on one line.
    fn source(&self, span: &Range<usize>) -> Option<&'t str> {
        let text = self.report.text().get(span.clone())?;
        self.report
            .quotable(text)
            .filter(|text| !text.contains('\n'))
    }

    /// Reads the value of a required key with `read`. `example` is a value to suggest if it is missing.
    ///
    /// # Errors
    /// The key is missing or its value is invalid; the error has been reported.
    pub fn require<T>(
        &mut self,
        key: &'static str,
        example: &str,
        read: impl FnOnce(&Item<'t>) -> Result<T, Reported>,
    ) -> Result<T, Reported> {
        if let Some(value) = self.read(key, read)? {
            return Ok(value);
        }
        let this = if self.is_repeated() { "this " } else { "" };
        let message = format!("{this}{} has no `{key}`", self.name);
        let finding = Finding::at(self.header.clone(), message);
        Err((self.report).error(finding.help(format!("add `{key} = {example}`"))))
    }

    /// Whether it is one of several tables with the same name.
    fn is_repeated(&self) -> bool {
        self.name.starts_with("`[[")
    }

    /// The known keys, each once.
    fn known(&self) -> String {
        let mut known = Vec::with_capacity(self.asked.len());
        for key in &self.asked {
            let key = format!("`{key}`");
            if !known.contains(&key) {
                known.push(key);
            }
        }
        known.join(", ")
    }

    /// Reports every unknown key.
    pub fn refuse_the_rest(self) {
        self.refuse_the_rest_with(|_, _| None);
    }

    /// Reports every unknown key. `elsewhere` returns help for keys that belong in another place.
    pub fn refuse_the_rest_with(self, elsewhere: impl Fn(&str, &DeValue<'_>) -> Option<String>) {
        let meanings: HashMap<&str, Meant> = self.meant.iter().copied().collect();
        for (key, value) in self.entries {
            let name = &**key.get_ref();
            if self.asked.contains(&name) || self.reported.contains(&name) {
                continue;
            }
            let (inside, known) = match meanings.get(name) {
                Some(Meant::Inside(key)) => (Some(*key), None),
                Some(Meant::Key(key)) => (None, Some(*key)),
                None => (None, None),
            };
            let meant = known.or_else(|| closest(name, self.asked.iter().copied()));
            // A word that is not similar to a key may be a part of a secret.
            let message = match self.report.quotable(name).or(meant.map(|_| name)) {
                Some(name) => format!("unknown key `{name}` in {}", self.name),
                None => format!("unknown key in {}", self.name),
            };
            let help = match (elsewhere(name, value.get_ref()), inside, meant) {
                (Some(help), _, _) => help,
                (None, Some(key), _) => format!("it belongs in `{key}`"),
                (None, None, Some(meant)) if self.entries.contains_key(meant) => {
                    format!("did you mean `{meant}`? It is there already: remove one of the two")
                }
                (None, None, Some(meant)) => format!("did you mean `{meant}`?"),
                (None, None, None) => match self.header_line() {
                    Some(header) => format!(
                        "`{header}` can hold {}; a key of another table must stand above `{header}`",
                        self.known()
                    ),
                    None => format!("it can hold {}", self.known()),
                },
            };
            self.report
                .error(Finding::at(key.span(), message).help(help));
        }
    }
}
