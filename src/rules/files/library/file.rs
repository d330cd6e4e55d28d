//! One rule file over time: its current contents and its last valid rules.

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

/// Period in which an emptied file that had rules is considered as being written: 2 seconds. Many programs truncate a
/// file before they write it.
const BEING_WRITTEN: TimeDelta = TimeDelta::seconds(2);

/// Maximum number of invalid contents of one file that are remembered as reported.
const REMEMBERED_REPORTS: usize = 1_000;

pub(super) struct File {
    contents: Result<Arc<str>, ReadError>,
    /// Rules of the last valid contents.
    pub rules: Vec<Arc<Rule>>,
    /// Lists of the last valid contents.
    pub lists: Vec<Arc<List>>,
    /// Lists that the current contents define, valid or not.
    pub defines: Vec<Arc<List>>,
    /// Names of the lists that the current contents use.
    uses: Vec<Arc<str>>,
    /// Whether the file has not been valid so far, so that its rules are not known.
    pub unknown: bool,
    /// Moment since which a file with rules or lists has been seen with 0 bytes.
    empty_since: Option<DateTime<Utc>>,
    /// Errors in the current contents.
    errors: Vec<String>,
    /// Whether the current contents have not been reported yet.
    fresh: bool,
    /// Fingerprints of the invalid contents that were reported.
    reported: HashSet<String>,
}

/// How a file differs from the last time.
pub(super) enum Noted {
    Same,
    Changed,
    /// The file is empty, and considered as being written until then.
    BeingWritten(DateTime<Utc>),
}

impl File {
    /// A file that has not been read yet.
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

    /// Whether the file defines lists, now or in its last valid contents.
    pub fn has_lists(&self) -> bool {
        !self.defines.is_empty() || !self.lists.is_empty()
    }

    /// Whether the file could be read and is invalid: the cause may be a list in another file.
    pub fn is_invalid_text(&self) -> bool {
        self.contents.is_ok() && !self.errors.is_empty()
    }

    pub fn uses_any(&self, names: &HashSet<Arc<str>>) -> bool {
        self.uses.iter().any(|name| names.contains(name))
    }

    /// Records the contents at `now`. [`File::take`] parses them.
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
            // A clock that is set back does not extend the wait.
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

    /// Whether the contents are valid with these lists.
    pub fn is_valid_with(&self, path: &str, parse: Parse, lists: &Lists) -> bool {
        match &self.contents {
            Ok(text) => parse_safely(path, text, parse, lists).rules.is_some(),
            Err(_) => false,
        }
    }

    /// Parses the contents. Returns whether the rules changed, and what to report; `None` if nothing is new since the
    /// last report.
    pub fn take(&mut self, path: &str, parse: Parse, lists: &Lists) -> (bool, Option<News>) {
        let fresh = std::mem::take(&mut self.fresh);
        let text = match &self.contents {
            Ok(text) => text.clone(),
            Err(error) => {
                let line = format!("{path}: {error}");
                // A dead link has no rules, like a removed file.
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

    /// Replaces the rules by valid ones. Returns whether anything changed.
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
            "{path}: curatord failed while reading this file: please report this bug with the file"
        )],
        uses: Vec::new(),
    })
}

/// Identifies this content of this file, in every version of the program: 64 hexadecimal digits.
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
