//! Reads rule files once, for commands that do not watch them.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::diagnostic::{Finding, PlainProblem, Problem};
use crate::rules::files::folder::{self, ReadError, RuleFile};
use crate::rules::language::file::{self, Place};
use crate::rules::language::lists::{self, Lists};
use crate::rules::language::shadowed;
use crate::rules::rule::Rule;
use crate::toml_reader::settings;

/// The rules and problems in rule files.
#[derive(Debug, Default)]
pub struct RuleFiles {
    /// In order of precedence. A file with an error has none.
    pub rules: Vec<Arc<Rule>>,
    /// Errors and warnings, file by file, in the order of the text.
    pub problems: Vec<Problem>,
    /// Number of files.
    pub files: usize,
}

/// Reads a complete set of rules: all files below a folder, or one file with any name. Problems show the path of a file
/// starting with `path`.
pub fn read(path: &Path) -> RuleFiles {
    read_all(&[path.to_owned()])
}

/// Reads a complete set of rules from several files and folders.
pub fn read_all(paths: &[PathBuf]) -> RuleFiles {
    read_files(paths, Lists::new, None)
}

/// Reads a part of a set of rules: lists that these files do not define may be defined in others. Warns about rules that
/// have expired at `now`.
pub fn check_some(paths: &[PathBuf], now: DateTime<Utc>) -> RuleFiles {
    let lists = |defined| Lists::new(defined).partial();
    read_files(paths, lists, Some(now))
}

/// Reads the complete set of rules in a folder. Warns about rules that have expired at `now`.
pub fn check(folder: &Path, now: DateTime<Utc>) -> RuleFiles {
    read_files(&[folder.to_owned()], Lists::new, Some(now))
}

fn read_files(
    paths: &[PathBuf],
    lists: impl FnOnce(Vec<Arc<lists::List>>) -> Lists,
    now: Option<DateTime<Utc>>,
) -> RuleFiles {
    let mut all = RuleFiles::default();
    let mut texts = Vec::new();
    let found = all.find(paths);
    all.files = found.len();
    let order: HashMap<String, usize> = found
        .iter()
        .enumerate()
        .map(|(at, (_, shown))| (shown.clone(), at))
        .collect();
    for (file, shown) in found {
        match text_of(&file, &shown) {
            Ok(text) => texts.push((file, shown, text)),
            Err(problems) => all.problems.extend(problems),
        }
    }
    let defined = texts
        .iter()
        .flat_map(|(_, shown, text)| lists::defined_in(shown, text));
    let lists = lists(defined.collect());
    let mut headers = Vec::new();
    for (at, (file, shown, text)) in texts.iter().enumerate() {
        let place = Place {
            relative: &file.relative,
            shown,
        };
        let checked = file::read_with_lists(place, text, &lists);
        headers.extend(checked.headers.into_iter().map(|header| (at, header)));
        all.rules.extend(checked.rules.into_iter().map(Arc::new));
        all.problems.extend(checked.problems);
        let off = checked.expiries.into_iter();
        let off = off.filter(|(from, _)| now.is_some_and(|now| *from <= now));
        let off = off.map(|(from, span)| expired(from, span));
        all.warn(shown, text, off.collect());
    }
    // The precedence of two files is known only if both are below the same folder.
    if let [_] = paths {
        let found = shadowed::find(&all.rules);
        for of_file in found.chunk_by(|(left, _), (right, _)| headers[*left].0 == headers[*right].0)
        {
            let (_, shown, text) = &texts[headers[of_file[0].0].0];
            let shadowed = of_file.iter().map(|(rule, earlier)| {
                let header = headers[*rule].1.clone();
                shadowed::finding(header, &all.rules[*earlier].id)
            });
            let shadowed = shadowed.collect();
            all.warn(shown, text, shadowed);
        }
    }
    let folder = paths.iter().find(|path| path.is_dir());
    if let (Some(_), Some(folder)) = (now, folder)
        && all.rules.is_empty()
        && !all.problems.iter().any(Problem::is_error)
    {
        let finding = Finding::whole("there are no rules: nothing is ever voted on");
        let finding = finding.help(
            "a rule begins with a line `[[author]]` or `[[trail]]`, in a file that ends in .toml",
        );
        let warning = PlainProblem::warning_of_file(&folder.to_string_lossy(), finding);
        all.problems.push(warning.into());
    }
    let place_of = |problem: &Problem| {
        let order = order.get(&*problem.plain.path).copied();
        (order, problem.plain.position)
    };
    all.problems.sort_by_cached_key(place_of);
    all
}

fn expired(from: DateTime<Utc>, span: Range<usize>) -> Finding {
    let from = from.format("%Y-%m-%d %H:%M:%S UTC");
    let message = format!("this rule never votes: it expired at {from}");
    Finding::at(span, message).help("remove the rule, or set a later `expires`")
}

/// The text of `file`, or the problems that prevent reading it.
fn text_of(file: &RuleFile, shown: &str) -> Result<String, Vec<Problem>> {
    file.read().map_err(|error| {
        // Read again to find the position of the first invalid byte.
        if let ReadError::NotUtf8(_) = error
            && let Ok(bytes) = std::fs::read(&file.absolute)
            && let Err(error) = std::str::from_utf8(&bytes)
        {
            return file::not_text(shown, &bytes, error);
        }
        vec![Problem::of_file(shown, Finding::whole(error.to_string()))]
    })
}

impl RuleFiles {
    /// Adds warnings about a file; `shown` is its path in messages.
    fn warn(&mut self, shown: &str, text: &str, findings: Vec<Finding>) {
        let ((), problems) = settings::read_guarded(shown, text, |report| {
            findings
                .iter()
                .for_each(|finding| report.warning(finding.clone()));
        });
        self.problems.extend(problems);
    }

    /// Lists the rule files at `paths`, each once, with the path to show for it.
    fn find(&mut self, paths: &[PathBuf]) -> Vec<(RuleFile, String)> {
        let mut found = Vec::new();
        let mut seen = HashSet::new();
        for path in paths {
            // Two links to the same file in one folder are two rule files.
            let seen_before = seen.clone();
            let mut add = |file: RuleFile, shown: PathBuf| {
                let real = file.absolute.canonicalize();
                let real = real.unwrap_or_else(|_| file.absolute.clone());
                if !seen_before.contains(&real) {
                    found.push((file, shown.to_string_lossy().into_owned()));
                }
                seen.insert(real);
            };
            if !path.is_dir() {
                let name = path.file_name().unwrap_or(path.as_os_str());
                let relative = name.to_string_lossy().into_owned();
                add(RuleFile::new(relative, path.clone()), path.clone());
                continue;
            }
            match folder::walk(path) {
                Ok(walk) => {
                    for file in walk.files {
                        let shown = path.join(&file.relative);
                        add(file, shown);
                    }
                    let copies = walk.copies.iter().map(|copy| {
                        let finding = Finding::whole(folder::COPY).help(folder::COPY_HELP);
                        let shown = path.join(copy);
                        PlainProblem::warning_of_file(&shown.to_string_lossy(), finding).into()
                    });
                    self.problems.extend(copies);
                }
                Err(error) => {
                    let finding = Finding::whole(error.to_string());
                    self.problems
                        .push(Problem::of_file(&path.to_string_lossy(), finding));
                }
            }
        }
        found
    }
}
