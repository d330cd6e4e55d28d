//! The rules in force over time: what each file said last, and what it said last that was good.

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

/// Turns the text of a file, given its path relative to the rules folder and the lists in force, into rules.
pub type Parse = fn(&str, &str, &Lists) -> Parsed;

/// What the text of one file means.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// In the order of the text; `None` where the file is bad.
    pub rules: Option<Vec<Rule>>,
    /// Errors where it is bad, warnings where it is not: a line each, with the place.
    pub problems: Vec<String>,
    /// The names of the lists that it uses, also of those that nobody knows.
    pub uses: Vec<Arc<str>>,
}

/// The rule language as a [`Parse`].
pub fn parse(path: &str, text: &str, lists: &Lists) -> Parsed {
    let place = Place {
        relative: path,
        shown: path,
    };
    let checked = language::file::read_among(place, text, lists);
    let is_good = checked.is_good();
    let told = checked.problems.iter();
    let told = told.filter(|problem| problem.is_error() != is_good);
    Parsed {
        problems: told.map(Problem::to_string).collect(),
        rules: is_good.then_some(checked.rules),
        uses: checked.uses,
    }
}

/// Every file known, and the set made of their last good rules.
pub struct Library {
    parse: Parse,
    files: HashMap<String, File>,
    /// Those in force.
    lists: Lists,
    /// Trouble with the rules folder itself.
    folder_error: Option<FolderError>,
    /// Whether the folder could be read at any time.
    was_read: bool,
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
    /// What is new about it.
    pub news: News,
}

/// What there is to say of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// So many rules of it are in force.
    Good {
        /// The number of its rules.
        rules: usize,
        /// Warnings about the file, one text each.
        warnings: Vec<String>,
    },
    /// The file is gone, and its rules with it.
    Removed,
    /// The file has errors; its last good rules stay in force.
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
            lists: Lists::default(),
            folder_error: None,
            was_read: false,
        }
    }

    /// Takes in what the folder holds at `now`. Only what differs from the last time is parsed.
    pub fn update(&mut self, snapshot: &Snapshot, now: DateTime<Utc>) -> Reload {
        let mut reload = Reload::default();
        let changed = match snapshot {
            Ok(files) => self.update_files(files, now, &mut reload),
            Err(error) => {
                self.tell_of_folder(error, &mut reload);
                false
            }
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
        let mut lists_may_differ = false;
        self.files.retain(|path, file| {
            // What is in a folder that cannot be read is still there, as far as anybody knows.
            let stays = there.contains(path.as_str())
                || closed.iter().any(|folder| path.starts_with(folder));
            if !stays {
                changed |= file.unknown || !file.rules.is_empty();
                lists_may_differ |= file.has_lists();
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
            self.settle_lists(&mut to_read);
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

    /// Finds out which lists are in force, now that the files in `to_read` have changed, and adds the files
    /// whose meaning may depend on that.
    ///
    /// New definitions count only if their file is good, which can depend on the definitions in other files. So
    /// all are taken at first, and those of files that turn out to be bad are taken back, until none is left.
    fn settle_lists(&mut self, to_read: &mut BTreeSet<String>) {
        let mut refused: HashSet<&str> = HashSet::new();
        let definers = in_order(&self.files).filter(|(_, file)| file.has_lists());
        let definers: Vec<(&str, &File)> = definers.collect();
        let lists = loop {
            let in_force = definers.iter().flat_map(|(path, file)| {
                match file.contents().is_ok() && !refused.contains(path) {
                    true => &file.defines,
                    false => &file.lists,
                }
            });
            let held_back = definers
                .iter()
                .filter(|(path, _)| refused.contains(path))
                .flat_map(|(_, file)| &file.defines)
                .map(|list| Arc::new(list.held_back()));
            let lists = Lists::new(in_force.cloned().chain(held_back));
            let differences = self.lists.differences(&lists);
            let before = refused.len();
            for (path, file) in &definers {
                let may_be_bad = to_read.contains(*path)
                    || file.is_bad_text()
                    || file.uses_any(&differences)
                    || file.defines.iter().any(|list| !lists.holds(list));
                if may_be_bad && !file.is_good_with(path, self.parse, &lists) {
                    refused.insert(path);
                }
            }
            if refused.len() == before {
                break lists;
            }
        };
        let differences = self.lists.differences(&lists);
        let affected = self.files.iter().filter(|(path, file)| {
            refused.contains(path.as_str()) || file.is_bad_text() || file.uses_any(&differences)
        });
        to_read.extend(affected.map(|(path, _)| path.clone()));
        let refused: HashSet<String> = refused.into_iter().map(str::to_owned).collect();
        for (path, file) in &mut self.files {
            if file.contents().is_ok() && !refused.contains(path) {
                file.lists.clone_from(&file.defines);
            }
        }
        self.lists = lists;
    }

    /// Tells once that the folder as a whole is away. Its rules stay: somebody moves it, or its disk is gone, and
    /// nobody has taken a rule back.
    fn tell_of_folder(&mut self, error: &FolderError, reload: &mut Reload) {
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

/// The files in the order of their precedence.
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
