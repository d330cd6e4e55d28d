//! The rules in force over time: what each file said last, and what it said last that was good.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};

use crate::rules::folder::{FolderError, ReadError};
use crate::rules::rule::Rule;
use crate::rules::set::RuleSet;
use crate::rules::snapshot::{FileNow, Snapshot};

/// Programs empty a file before they write it: how long a file of 0 bytes that held rules, or a
/// folder that is gone, is taken as about to be written.
const BEING_WRITTEN: TimeDelta = TimeDelta::seconds(2);

/// How many bad contents of one file are remembered as reported.
const REMEMBERED_REPORTS: usize = 1_000;

/// Turns the text of a file, given its path relative to the rules folder, into rules.
pub type Parse = fn(&str, &str) -> Parsed;

/// What the text of one file means.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// In the order of the text; `None` where the file is bad.
    pub rules: Option<Vec<Rule>>,
    /// Errors where it is bad, warnings where it is not: a line each, with the place.
    pub problems: Vec<String>,
}

/// Every file known, and the set made of their last good rules.
pub struct Library {
    parse: Parse,
    files: HashMap<String, File>,
    /// Trouble with the rules folder itself, and since when.
    folder_error: Option<(FolderError, DateTime<Utc>)>,
    /// Whether the folder could be read at any time.
    was_read: bool,
}

struct File {
    contents: Result<Arc<str>, ReadError>,
    /// The last good ones.
    rules: Vec<Arc<Rule>>,
    /// No contents so far were good, so its rules are not known.
    unknown: bool,
    /// Since when it has been seen with 0 bytes while it holds rules.
    empty_since: Option<DateTime<Utc>>,
    /// Fingerprints of bad contents that were reported.
    reported: HashSet<String>,
}

/// What a look at the folder brought.
#[derive(Debug, Default)]
pub struct Reload {
    /// The new set, if it differs from the one before.
    pub set: Option<Arc<RuleSet>>,
    /// Files that say something else than before, in no order.
    pub changes: Vec<Change>,
    /// Look again then, even if nothing seems to happen.
    pub look_again_at: Option<DateTime<Utc>>,
}

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Relative to the rules folder; ends in `/` for a folder, is empty for the rules folder itself.
    pub file: String,
    pub news: News,
}

/// What there is to say of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// So many rules of it are in force.
    Good {
        rules: usize,
        warnings: Vec<String>,
    },
    Removed,
    Bad(Bad),
}

/// A file that cannot be used as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad {
    /// A line each; never empty.
    pub errors: Vec<String>,
    /// The number of its last good rules that stay in force.
    pub kept: usize,
    /// Names this file with this content, over restarts: 64 hexadecimal digits.
    pub fingerprint: String,
    /// Whether this content has not been reported before.
    pub first_time: bool,
}

impl Library {
    /// A library that has seen no file.
    pub fn new(parse: Parse) -> Self {
        Self {
            parse,
            files: HashMap::new(),
            folder_error: None,
            was_read: false,
        }
    }

    /// Takes in what the folder holds at `now`. Only what differs from the last time is parsed.
    pub fn update(&mut self, snapshot: &Snapshot, now: DateTime<Utc>) -> Reload {
        let mut reload = Reload::default();
        let changed = match snapshot {
            Ok(files) => self.update_files(files, now, &mut reload),
            Err(error) => self.update_folder(error, now, &mut reload),
        };
        if changed {
            reload.set = Some(Arc::new(self.compile()));
        }
        reload
    }

    /// Whether the set must be made anew.
    fn update_files(&mut self, files: &[FileNow], now: DateTime<Utc>, reload: &mut Reload) -> bool {
        let mut changed = !self.was_read;
        self.was_read = true;
        self.folder_error = None;
        let there: HashSet<&str> = files.iter().map(|file| file.relative.as_str()).collect();
        let closed: Vec<&str> = there
            .iter()
            .filter(|path| path.ends_with('/'))
            .copied()
            .collect();
        self.files.retain(|path, file| {
            // What is in a folder that cannot be read is still there, as far as anybody knows.
            let stays = there.contains(path.as_str())
                || closed.iter().any(|folder| path.starts_with(folder));
            if !stays {
                changed |= file.unknown || !file.rules.is_empty();
                // A folder that can be read again is not gone; its files speak for themselves.
                if !path.ends_with('/') {
                    reload.changes.push(Change {
                        file: path.clone(),
                        news: News::Removed,
                    });
                }
            }
            stays
        });
        for file in files {
            changed |= self.update_file(file, now, reload);
        }
        changed
    }

    /// Whether the set must be made anew.
    fn update_file(&mut self, seen: &FileNow, now: DateTime<Utc>, reload: &mut Reload) -> bool {
        let path = seen.relative.as_str();
        let known = self.files.get_mut(path);
        let is_new = known.is_none();
        let file = match known {
            Some(file) => file,
            None => self.files.entry(path.to_owned()).or_insert(File {
                contents: Err(ReadError::Gone),
                rules: Vec::new(),
                unknown: true,
                empty_since: None,
                reported: HashSet::new(),
            }),
        };
        if file.contents == seen.contents {
            file.empty_since = None;
            return is_new;
        }
        let is_empty = seen.contents.as_ref().is_ok_and(|text| text.is_empty());
        if is_empty && !file.rules.is_empty() {
            let since = *file.empty_since.get_or_insert(now);
            // A clock that was set back does not make it wait longer.
            if (since..since + BEING_WRITTEN).contains(&now) {
                reload.look_again_at(since + BEING_WRITTEN);
                return false;
            }
        }
        file.empty_since = None;
        file.contents = seen.contents.clone();
        let (changed, news) = file.take(path, self.parse);
        reload.changes.push(Change {
            file: path.to_owned(),
            news,
        });
        is_new || changed
    }

    /// Whether the set must be made anew.
    fn update_folder(
        &mut self,
        error: &FolderError,
        now: DateTime<Utc>,
        reload: &mut Reload,
    ) -> bool {
        let since = match &self.folder_error {
            Some((before, since)) if before == error => *since,
            _ => {
                let kept = self.files.values().map(|file| file.rules.len()).sum();
                let message = error.to_string();
                reload.changes.push(Change {
                    file: String::new(),
                    news: News::Bad(Bad {
                        fingerprint: fingerprint("", &message),
                        errors: vec![message],
                        kept,
                        first_time: true,
                    }),
                });
                self.folder_error = Some((error.clone(), now));
                now
            }
        };
        if self.files.is_empty() || !matches!(error, FolderError::Missing(_)) {
            return false;
        }
        if (since..since + BEING_WRITTEN).contains(&now) {
            reload.look_again_at(since + BEING_WRITTEN);
            return false;
        }
        // Its files are gone with it.
        reload
            .changes
            .extend(self.files.drain().map(|(file, _)| Change {
                file,
                news: News::Removed,
            }));
        true
    }

    fn compile(&self) -> RuleSet {
        let mut files: Vec<_> = self.files.iter().collect();
        files.sort_by(|(left, _), (right, _)| left.split('/').cmp(right.split('/')));
        let rules = files.iter().flat_map(|(_, file)| &file.rules).cloned();
        let unreadable = files.iter().filter(|(_, file)| file.unknown);
        let unreadable = unreadable.map(|(path, _)| (*path).clone()).collect();
        RuleSet::new(rules.collect()).with_unreadable(unreadable)
    }
}

impl File {
    /// Makes what it can of new contents. Says whether rules changed, and what happened.
    fn take(&mut self, path: &str, parse: Parse) -> (bool, News) {
        let text = match &self.contents {
            Ok(text) => text,
            Err(error) => {
                let line = format!("{path}: {error}");
                // A link to nothing holds no rules, just as a file that is gone.
                let changed = *error == ReadError::DeadLink && self.put(Vec::new());
                let bad = self.bad(fingerprint(path, &line), vec![line]);
                return (changed, News::Bad(bad));
            }
        };
        let parsed = catch_unwind(AssertUnwindSafe(|| parse(path, text)));
        let Parsed { rules, problems } = parsed.unwrap_or_else(|_| Parsed {
            rules: None,
            problems: vec![format!(
                "{path}: reading it failed inside curatord: please report this file"
            )],
        });
        match rules {
            Some(rules) => {
                let news = News::Good {
                    rules: rules.len(),
                    warnings: problems,
                };
                (self.put(rules), news)
            }
            None => {
                let fingerprint = fingerprint(path, text);
                (false, News::Bad(self.bad(fingerprint, problems)))
            }
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

    fn bad(&mut self, fingerprint: String, errors: Vec<String>) -> Bad {
        if self.reported.len() >= REMEMBERED_REPORTS {
            self.reported.clear();
        }
        Bad {
            first_time: self.reported.insert(fingerprint.clone()),
            errors,
            kept: self.rules.len(),
            fingerprint,
        }
    }
}

impl Reload {
    fn look_again_at(&mut self, moment: DateTime<Utc>) {
        self.look_again_at = Some(self.look_again_at.map_or(moment, |at| at.min(moment)));
    }
}

/// The same for the same content of the same file, whichever version of the program asks.
fn fingerprint(path: &str, content: &str) -> String {
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
