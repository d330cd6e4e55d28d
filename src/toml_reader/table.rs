//! Tables: known keys are read one by one, and the remaining ones are reported as unknown.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::diagnostic::Finding;
use crate::diagnostic::report::Report;
use crate::diagnostic::suggestion::closest;
use crate::toml_reader::item::Item;

/// A table being read.
#[derive(Debug)]
pub struct Table<'t> {
    entries: &'t DeTable<'t>,
    /// Its header, or the whole of an inline table: the place at which missing keys are reported.
    pub header: Range<usize>,
    /// Its name in messages: `[[author]]`, `weight`.
    pub name: String,
    asked: Vec<&'static str>,
}

impl<'t> Table<'t> {
    /// The table `entries`, called `name`.
    pub fn new(entries: &'t DeTable<'t>, header: Range<usize>, name: impl Into<String>) -> Self {
        Self {
            entries,
            header,
            name: name.into(),
            asked: Vec::new(),
        }
    }

    /// The entry `key`, if there is one. Makes `key` a known key.
    pub fn take(&mut self, key: &'static str) -> Option<Item<'t>> {
        self.asked.push(key);
        let (found, value) = self.entries.get_key_value(key)?;
        Some(Item {
            key,
            key_span: found.span(),
            value: value.get_ref(),
            span: value.span(),
            as_text: false,
        })
    }

    /// Whether it has no keys.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
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

    /// Reports every unknown key. `elsewhere` returns help for keys that belong in another place.
    pub fn refuse_the_rest(
        self,
        report: &mut Report<'_>,
        elsewhere: impl Fn(&str, &DeValue<'_>) -> Option<String>,
    ) {
        for (key, value) in self.entries {
            let name = &**key.get_ref();
            if self.asked.contains(&name) {
                continue;
            }
            let meant = closest(name, self.asked.iter().copied());
            // A word that is like no key may be a piece of a secret.
            let message = match report.quotable(name).or(meant.map(|_| name)) {
                Some(name) => format!("unknown key `{name}` in {}", self.name),
                None => format!("unknown key in {}", self.name),
            };
            let help = match (elsewhere(name, value.get_ref()), meant) {
                (Some(help), _) => help,
                (None, Some(meant)) => format!("did you mean `{meant}`?"),
                (None, None) => format!("it can hold {}", self.known()),
            };
            report.error(Finding::at(key.span(), message).help(help));
        }
    }
}
