//! One rule file over time: what it says, and what it said last that was good.

use std::collections::HashSet;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use crate::rules::files::folder::ReadError;
use crate::rules::files::library::{Bad, News, Parse, Parsed};
use crate::rules::language::lists::{self, List, Lists};
use crate::rules::rule::Rule;

/// Programs empty a file before they write it: how long a file of 0 bytes that held rules is taken
/// as about to be written.
const BEING_WRITTEN: TimeDelta = TimeDelta::seconds(2);

/// How many bad contents of one file are remembered as reported.
const REMEMBERED_REPORTS: usize = 1_000;

pub(super) struct File {
    contents: Result<Arc<str>, ReadError>,
    /// The last good ones.
    pub rules: Vec<Arc<Rule>>,
    /// The last good ones.
    pub lists: Vec<Arc<List>>,
    /// What the contents define, good or not.
    pub defines: Vec<Arc<List>>,
    /// The names of the lists that the contents use.
    uses: Vec<Arc<str>>,
    /// No contents so far were good, so its rules are not known.
    pub unknown: bool,
    /// Since when it has been seen with 0 bytes while it holds something.
    empty_since: Option<DateTime<Utc>>,
    /// What is wrong with the contents; empty where nothing is.
    errors: Vec<String>,
    /// Nothing has been told of the contents.
    fresh: bool,
    /// Fingerprints of bad contents that were reported.
    reported: HashSet<String>,
}

/// What a look at a file brought.
pub(super) enum Noted {
    Same,
    Changed,
    /// It is empty, and taken as about to be written until then.
    BeingWritten(DateTime<Utc>),
}

impl File {
    /// A file of which nothing has been seen.
    pub fn new() -> Self {
        Self {
            contents: Err(ReadError::Gone),
            rules: Vec::new(),
            lists: Vec::new(),
            defines: Vec::new(),
            uses: Vec::new(),
            unknown: true,
            empty_since: None,
            errors: Vec::new(),
            fresh: true,
            reported: HashSet::new(),
        }
    }

    pub fn contents(&self) -> &Result<Arc<str>, ReadError> {
        &self.contents
    }

    /// Whether it has to do with `[lists]`, now or before.
    pub fn has_lists(&self) -> bool {
        !self.defines.is_empty() || !self.lists.is_empty()
    }

    /// Whether it could be read and is bad: then what is wrong with it may lie in another file.
    pub fn is_bad_text(&self) -> bool {
        self.contents.is_ok() && !self.errors.is_empty()
    }

    pub fn uses_any(&self, names: &HashSet<Arc<str>>) -> bool {
        self.uses.iter().any(|name| names.contains(name))
    }

    /// Notes the contents as they are at `now`. What they mean is found out by [`File::take`].
    pub fn note(
        &mut self,
        path: &str,
        contents: &Result<Arc<str>, ReadError>,
        now: DateTime<Utc>,
    ) -> Noted {
        if self.contents == *contents {
            self.empty_since = None;
            return Noted::Same;
        }
        let is_empty = contents.as_ref().is_ok_and(|text| text.is_empty());
        if is_empty && (!self.rules.is_empty() || !self.lists.is_empty()) {
            let until = *self.empty_since.get_or_insert(now) + BEING_WRITTEN;
            // A clock that was set back does not make it wait longer.
            if (until - BEING_WRITTEN..until).contains(&now) {
                return Noted::BeingWritten(until);
            }
        }
        self.empty_since = None;
        let defines = match contents {
            Ok(text) => catch_unwind(|| lists::defined_in(path, text)).unwrap_or_default(),
            Err(_) => Vec::new(),
        };
        if *contents == Err(ReadError::DeadLink) {
            self.lists.clear();
        }
        self.defines = defines;
        self.contents = contents.clone();
        self.fresh = true;
        Noted::Changed
    }

    /// Whether the contents are good beside these lists.
    pub fn is_good_with(&self, path: &str, parse: Parse, lists: &Lists) -> bool {
        match &self.contents {
            Ok(text) => parse_safely(path, text, parse, lists).rules.is_some(),
            Err(_) => false,
        }
    }

    /// Makes what it can of the contents. Says whether rules changed, and what there is to tell;
    /// nothing where all is as it was told before.
    pub fn take(&mut self, path: &str, parse: Parse, lists: &Lists) -> (bool, Option<News>) {
        let fresh = std::mem::take(&mut self.fresh);
        let text = match &self.contents {
            Ok(text) => text.clone(),
            Err(error) => {
                let line = format!("{path}: {error}");
                // A link to nothing holds no rules, just as a file that is gone.
                let changed = *error == ReadError::DeadLink && self.put(Vec::new());
                return (
                    changed,
                    self.bad(fresh, fingerprint(path, &line), vec![line]),
                );
            }
        };
        let Parsed {
            rules,
            problems,
            uses,
        } = parse_safely(path, &text, parse, lists);
        self.uses = uses;
        match rules {
            Some(rules) => {
                let was_bad = !std::mem::take(&mut self.errors).is_empty();
                let news = News::Good {
                    rules: rules.len(),
                    warnings: problems,
                };
                let changed = self.put(rules);
                (changed, (fresh || changed || was_bad).then_some(news))
            }
            None => (false, self.bad(fresh, fingerprint(path, &text), problems)),
        }
    }

    /// Puts good rules in force. Says whether anything is different now.
    fn put(&mut self, rules: Vec<Rule>) -> bool {
        let same = self.rules.iter().map(AsRef::as_ref).eq(&rules);
        let changed = self.unknown || !same;
        self.unknown = false;
        if !same {
            self.rules = rules.into_iter().map(Arc::new).collect();
        }
        changed
    }

    fn bad(&mut self, fresh: bool, fingerprint: String, errors: Vec<String>) -> Option<News> {
        if !fresh && self.errors == errors {
            return None;
        }
        self.errors.clone_from(&errors);
        if self.reported.len() >= REMEMBERED_REPORTS {
            self.reported.clear();
        }
        Some(News::Bad(Bad {
            first_time: self.reported.insert(fingerprint.clone()),
            errors,
            kept: self.rules.len(),
            fingerprint,
        }))
    }
}

fn parse_safely(path: &str, text: &str, parse: Parse, lists: &Lists) -> Parsed {
    let parsed = catch_unwind(AssertUnwindSafe(|| parse(path, text, lists)));
    parsed.unwrap_or_else(|_| Parsed {
        rules: None,
        problems: vec![format!(
            "{path}: reading it failed inside curatord: please report this file"
        )],
        uses: Vec::new(),
    })
}

/// The same for the same content of the same file, whichever version of the program asks.
pub(super) fn fingerprint(path: &str, content: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(path);
    hash.update([0]);
    hash.update(content);
    let mut digits = String::with_capacity(64);
    for byte in hash.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}
