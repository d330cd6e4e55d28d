//! `curatord check`: everything that is wrong with configuration and rule files, without network or
//! database.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cli::Exit;
use crate::config;
use crate::diagnostic::render::render;
use crate::diagnostic::{Finding, Problem};
use crate::rules::folder::{self, ReadError, RuleFile};
use crate::rules::language;

/// Check configuration and rule files: every problem, and how to mend it
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Rule files, and folders of them; without any, the configuration and its rules folder
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// What was found.
#[derive(Debug, Default)]
struct Findings {
    problems: Vec<Problem>,
    rules: usize,
    files: usize,
}

/// Runs the command: findings and a summary go to standard output.
pub fn run(
    args: &Args,
    config: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Exit {
    let mut findings = Findings::default();
    if args.paths.is_empty() {
        findings.check_configuration(config, environment);
    }
    for path in &args.paths {
        if !path.exists() {
            eprintln!("error: there is no file or folder {}", path.display());
            return Exit::WrongUsage;
        }
        findings.check_path(path);
    }
    // A reader that has seen enough, such as `head`, closes the pipe: nobody is left to tell.
    let _ = findings.print(&mut io::stdout().lock(), wants_colour());
    match findings.problems.iter().any(Problem::is_error) {
        true => Exit::Failed,
        false => Exit::Done,
    }
}

/// Whether standard output is a terminal whose user has not refused colour.
fn wants_colour() -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    io::stdout().is_terminal() && !refused && !dumb
}

impl Findings {
    fn check_configuration(
        &mut self,
        config: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) {
        let rules = match config::load(config, environment) {
            Ok(config) => Some(config.rules),
            Err(failure) => {
                self.problems.extend(failure.problems);
                failure.rules
            }
        };
        match rules {
            Some(rules) if rules.is_dir() => self.check_path(&rules),
            Some(rules) => {
                let finding = Finding::whole("there is no such folder of rules");
                let help = "make it, or name another as `rules` in curatord.toml";
                self.problems.push(Problem::of_file(
                    &rules.to_string_lossy(),
                    finding.help(help),
                ));
            }
            None => {}
        }
    }

    /// A file, whatever it is called, or all rule files below a folder.
    fn check_path(&mut self, path: &Path) {
        if !path.is_dir() {
            let name = path
                .file_name()
                .unwrap_or(path.as_os_str())
                .to_string_lossy();
            let file = RuleFile {
                relative: name.into_owned(),
                absolute: path.to_owned(),
            };
            return self.check_file(&file, path);
        }
        match folder::list(path) {
            Ok(files) => {
                for file in files {
                    self.check_file(&file, &path.join(&file.relative));
                }
            }
            Err(error) => {
                let finding = Finding::whole(error.to_string());
                self.problems
                    .push(Problem::of_file(&path.to_string_lossy(), finding));
            }
        }
    }

    fn check_file(&mut self, file: &RuleFile, shown: &Path) {
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
                self.rules += checked.rules.len();
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

    fn print(&self, out: &mut impl Write, colour: bool) -> io::Result<()> {
        for problem in &self.problems {
            writeln!(out, "{}", render(problem, colour))?;
        }
        writeln!(out, "{}", self.summary())
    }

    /// `3 problems in 2 files`; `12 rules in 3 files, no problems`.
    fn summary(&self) -> String {
        let (errors, warnings): (Vec<_>, Vec<_>) =
            self.problems.iter().partition(|problem| problem.is_error());
        let warned = match warnings.len() {
            0 => String::new(),
            count => format!(", {}", counted(count, "warning")),
        };
        if errors.is_empty() {
            let (rules, files) = (counted(self.rules, "rule"), counted(self.files, "file"));
            let verdict = if warned.is_empty() {
                ", no problems"
            } else {
                &warned
            };
            return format!("{rules} in {files}{verdict}");
        }
        let mut files: Vec<_> = errors.iter().map(|problem| &problem.path).collect();
        files.dedup();
        let (errors, files) = (
            counted(errors.len(), "problem"),
            counted(files.len(), "file"),
        );
        format!("{errors} in {files}{warned}")
    }
}

/// `1 rule`, `2 rules`.
fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}
