//! The rule files at a path as they are now, for commands that do not watch them.

use std::path::Path;
use std::sync::Arc;

use crate::diagnostic::{Finding, Problem};
use crate::rules::folder::{self, ReadError, RuleFile};
use crate::rules::language;
use crate::rules::rule::Rule;

/// What the rule files at a path say.
#[derive(Debug, Default)]
pub struct RuleFiles {
    /// In order of precedence; of a file with an error none.
    pub rules: Vec<Arc<Rule>>,
    /// Everything that is wrong or doubtful, file by file.
    pub problems: Vec<Problem>,
    /// How many files there are.
    pub files: usize,
}

/// Reads all rule files below a folder, or one file, whatever it is called. In problems the files are shown
/// by their paths from `path` on.
pub fn read(path: &Path) -> RuleFiles {
    let mut all = RuleFiles::default();
    if !path.is_dir() {
        let name = path.file_name().unwrap_or(path.as_os_str());
        let file = RuleFile {
            relative: name.to_string_lossy().into_owned(),
            absolute: path.to_owned(),
        };
        all.add(&file, path);
        return all;
    }
    match folder::list(path) {
        Ok(files) => {
            for file in files {
                all.add(&file, &path.join(&file.relative));
            }
        }
        Err(error) => {
            let finding = Finding::whole(error.to_string());
            let problem = Problem::of_file(&path.to_string_lossy(), finding);
            all.problems.push(problem);
        }
    }
    all
}

impl RuleFiles {
    fn add(&mut self, file: &RuleFile, shown: &Path) {
        self.files += 1;
        let checked = match file.read() {
            Ok(text) => Ok(language::file::read(&file.relative, &text)),
            // Read once more for the place where it stops being text.
            Err(error @ ReadError::NotUtf8(_)) => std::fs::read(&file.absolute)
                .map(|bytes| language::file::read_bytes(&file.relative, &bytes))
                .map_err(|_| error),
            Err(error) => Err(error),
        };
        match checked {
            Ok(checked) => {
                let shown: Arc<str> = shown.to_string_lossy().into();
                self.rules.extend(checked.rules.into_iter().map(Arc::new));
                let problems = checked.problems.into_iter();
                self.problems
                    .extend(problems.map(|problem| problem.in_file(&shown)));
            }
            Err(error) => {
                let finding = Finding::whole(error.to_string());
                self.problems
                    .push(Problem::of_file(&shown.to_string_lossy(), finding));
            }
        }
    }
}
