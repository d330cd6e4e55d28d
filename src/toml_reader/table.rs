//! Tables: known keys are taken out one by one, and what is left is not known.

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
    /// Its header, or itself where it stands in one line: the place of what it lacks.
    pub header: Range<usize>,
    /// What it is called in messages: `[[author]]`, `weight`.
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

    /// The entry `key`, where there is one. To ask for a key is to know it.
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

    /// Whether nothing stands in it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The keys that were asked for, each once.
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

    /// Reports every key that was not asked for. `elsewhere` knows of keys that belong in another
    /// place, and says what to do with them.
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
