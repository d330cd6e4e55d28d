//! Tables: known keys are read one by one, and the remaining ones are reported as unknown.

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
        }
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
        self.take(key).map(|item| read(&item)).transpose()
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
        for (key, value) in self.entries {
            let name = &**key.get_ref();
            if self.asked.contains(&name) {
                continue;
            }
            let meant = closest(name, self.asked.iter().copied());
            // A word that is not similar to a key may be a part of a secret.
            let message = match self.report.quotable(name).or(meant.map(|_| name)) {
                Some(name) => format!("unknown key `{name}` in {}", self.name),
                None => format!("unknown key in {}", self.name),
            };
            let help = match (elsewhere(name, value.get_ref()), meant) {
                (Some(help), _) => help,
                (None, Some(meant)) => format!("did you mean `{meant}`?"),
                (None, None) => format!("it can hold {}", self.known()),
            };
            self.report
                .error(Finding::at(key.span(), message).help(help));
        }
    }
}
