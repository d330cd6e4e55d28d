//! The rules in force over time: the current contents of each file and its last valid rules.

mod file;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::diagnostic::Problem;
use crate::rules::files::folder::FolderError;
use crate::rules::files::library::file::{File, Noted, fingerprint};
use crate::rules::files::snapshot::{FileNow, Snapshot};
use crate::rules::language;
use crate::rules::language::file::Place;
use crate::rules::language::lists::Lists;
use crate::rules::rule::Rule;
use crate::rules::set::RuleSet;

/// Parses a file. The arguments are its path relative to the rules folder, its text, and the lists in force.
pub type Parse = fn(&str, &str, &Lists) -> Parsed;

/// Result of parsing one file.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// In the order of the text; `None` if the file is invalid.
    pub rules: Option<Vec<Rule>>,
    /// Errors if the file is invalid, else warnings: one line each, with the position.
    pub problems: Vec<String>,
    /// Names of the lists that it uses, including those that are not defined.
    pub uses: Vec<Arc<str>>,
}

/// The rule language as a [`Parse`].
pub fn parse(path: &str, text: &str, lists: &Lists) -> Parsed {
    let place = Place {
        relative: path,
        shown: path,
    };
    let checked = language::file::read_with_lists(place, text, lists);
    let is_valid = checked.is_valid();
    let problems = checked.problems.iter();
    let problems = problems.filter(|problem| problem.is_error() != is_valid);
    Parsed {
        problems: problems.map(Problem::to_string).collect(),
        rules: is_valid.then_some(checked.rules),
        uses: checked.uses,
    }
}

/// All known rule files, and the lists in force.
pub struct Library {
    parse: Parse,
    files: HashMap<String, File>,
    lists: Lists,
    /// Error of the rules folder itself.
    folder_error: Option<FolderError>,
    /// Whether the folder has been read successfully before.
    was_read: bool,
}

/// Changes since the last update.
#[derive(Debug, Default)]
pub struct Reload {
    /// The new set, if the rules changed.
    pub set: Option<Arc<RuleSet>>,
    /// Changed files, in no particular order.
    pub changes: Vec<Change>,
    /// Moment at which to read the files again, even without an event.
    pub look_again_at: Option<DateTime<Utc>>,
}

/// A change of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Relative to the rules folder; ends in `/` for a folder, is empty for the rules folder itself.
    pub file: String,
    /// What is new about it.
    pub news: News,
}

/// What to report about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// The file is valid.
    Good {
        /// Number of its rules.
        rules: usize,
        /// Warnings about the file, one text each.
        warnings: Vec<String>,
    },
    /// The file was removed, with its rules.
    Removed,
    /// The file has errors; its last valid rules stay in force.
    Bad(Bad),
}

/// An invalid file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bad {
    /// At least one, one line each.
    pub errors: Vec<String>,
    /// Number of its last valid rules, which stay in force.
    pub kept: usize,
    /// Identifies this content of this file, also after a restart: 64 hexadecimal digits.
    pub fingerprint: String,
    /// Whether this content is reported for the first time.
    pub first_time: bool,
}

impl Library {
    /// An empty library.
    pub fn new(parse: Parse) -> Self {
        Self {
            parse,
            files: HashMap::new(),
            lists: Lists::default(),
            folder_error: None,
            was_read: false,
        }
    }

    /// Updates the rules from the contents of the folder at `now`. Only changed files are parsed.
    pub fn update(&mut self, snapshot: &Snapshot, now: DateTime<Utc>) -> Reload {
        let mut reload = Reload::default();
        let changed = match snapshot {
            Ok(files) => self.update_files(files, now, &mut reload),
            Err(error) => {
                self.report_folder(error, &mut reload);
                false
            }
        };
        if changed {
            reload.set = Some(Arc::new(self.compile()));
        }
        reload
    }

    /// Returns whether the set must be rebuilt.
    fn update_files(&mut self, files: &[FileNow], now: DateTime<Utc>, reload: &mut Reload) -> bool {
        let mut changed = !self.was_read;
        self.was_read = true;
        self.folder_error = None;
        let present: HashSet<&str> = files.iter().map(|file| file.relative.as_str()).collect();
        let unreadable: Vec<&str> = present
            .iter()
            .filter(|path| path.ends_with('/'))
            .copied()
            .collect();
        let mut lists_may_differ = false;
        self.files.retain(|path, file| {
            // The files of a folder that cannot be read may still exist.
            let stays = present.contains(path.as_str())
                || unreadable.iter().any(|folder| path.starts_with(folder));
            if !stays {
                changed |= file.unknown || !file.rules.is_empty();
                lists_may_differ |= file.has_lists();
                // A folder that is readable again is not gone: its files are reported instead.
                if !path.ends_with('/') {
                    reload.changes.push(Change {
                        file: path.clone(),
                        news: News::Removed,
                    });
                }
            }
            stays
        });
        let mut to_read = BTreeSet::new();
        for seen in files {
            let path = seen.relative.as_str();
            let known = self.files.get_mut(path);
            changed |= known.is_none();
            let file = match known {
                Some(file) => file,
                None => self.files.entry(path.to_owned()).or_insert_with(File::new),
            };
            let had_lists = file.has_lists();
            match file.note(path, &seen.contents, now) {
                Noted::Changed => {
                    lists_may_differ |= had_lists || file.has_lists();
                    to_read.insert(path.to_owned());
                }
                Noted::Same => {}
                Noted::BeingWritten(until) => reload.look_again_at(until),
            }
        }
        if lists_may_differ {
            self.resolve_lists(&mut to_read);
        }
        for path in to_read {
            let Some(file) = self.files.get_mut(&path) else {
                continue;
            };
            let (differs, news) = file.take(&path, self.parse, &self.lists);
            changed |= differs;
            if let Some(news) = news {
                reload.changes.push(Change { file: path, news });
            }
        }
        changed
    }

    /// Determines the lists in force after the files in `to_read` have changed, and adds the files that may depend on
    /// them.
    ///
    /// New definitions count only if their file is valid, which can depend on the definitions in other files. So all
    /// are accepted first, and those of invalid files are rejected until no other file becomes invalid.
    fn resolve_lists(&mut self, to_read: &mut BTreeSet<String>) {
        let mut rejected: HashSet<&str> = HashSet::new();
        let definers = in_order(&self.files).filter(|(_, file)| file.has_lists());
        let definers: Vec<(&str, &File)> = definers.collect();
        let lists = loop {
            let in_force = definers.iter().flat_map(|(path, file)| {
                match file.contents().is_ok() && !rejected.contains(path) {
                    true => &file.defines,
                    false => &file.lists,
                }
            });
            let held_back = definers
                .iter()
                .filter(|(path, _)| rejected.contains(path))
                .flat_map(|(_, file)| &file.defines)
                .map(|list| Arc::new(list.held_back()));
            let lists = Lists::new(in_force.cloned().chain(held_back));
            let differences = self.lists.differences(&lists);
            let before = rejected.len();
            for (path, file) in &definers {
                let may_be_invalid = to_read.contains(*path)
                    || file.is_invalid_text()
                    || file.uses_any(&differences)
                    || file.defines.iter().any(|list| !lists.holds(list));
                if may_be_invalid && !file.is_valid_with(path, self.parse, &lists) {
                    rejected.insert(path);
                }
            }
            if rejected.len() == before {
                break lists;
            }
        };
        let differences = self.lists.differences(&lists);
        let affected = self.files.iter().filter(|(path, file)| {
            rejected.contains(path.as_str())
                || file.is_invalid_text()
                || file.uses_any(&differences)
        });
        to_read.extend(affected.map(|(path, _)| path.clone()));
        let rejected: HashSet<String> = rejected.into_iter().map(str::to_owned).collect();
        for (path, file) in &mut self.files {
            if file.contents().is_ok() && !rejected.contains(path) {
                file.lists.clone_from(&file.defines);
            }
        }
        self.lists = lists;
    }

    /// Reports once that the rules folder is not readable. The rules stay in force: the folder may be moved or its disk
    /// unmounted, and no rule has been removed.
    fn report_folder(&mut self, error: &FolderError, reload: &mut Reload) {
        if self.folder_error.as_ref() == Some(error) {
            return;
        }
        let message = error.to_string();
        reload.changes.push(Change {
            file: String::new(),
            news: News::Bad(Bad {
                fingerprint: fingerprint("", &message),
                errors: vec![message],
                kept: self.files.values().map(|file| file.rules.len()).sum(),
                first_time: true,
            }),
        });
        self.folder_error = Some(error.clone());
    }

    fn compile(&self) -> RuleSet {
        let rules = in_order(&self.files).flat_map(|(_, file)| &file.rules);
        let unreadable = in_order(&self.files).filter(|(_, file)| file.unknown);
        let unreadable = unreadable.map(|(path, _)| path.to_owned()).collect();
        RuleSet::new(rules.cloned().collect()).with_unreadable(unreadable)
    }
}

/// The files in order of precedence.
fn in_order(files: &HashMap<String, File>) -> impl Iterator<Item = (&str, &File)> {
    let mut files: Vec<_> = files.iter().collect();
    files.sort_by(|(left, _), (right, _)| left.split('/').cmp(right.split('/')));
    files.into_iter().map(|(path, file)| (path.as_str(), file))
}

impl Reload {
    fn look_again_at(&mut self, moment: DateTime<Utc>) {
        self.look_again_at = Some(self.look_again_at.map_or(moment, |at| at.min(moment)));
    }
}
