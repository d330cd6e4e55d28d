//! `curatord check`: all problems in the configuration and the rule files. Uses neither network nor database.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::cli::{Exit, counted, wants_colour};
use crate::clock::Clock;
use crate::config;
use crate::diagnostic::render::render;
use crate::diagnostic::{Finding, Problem};
use crate::rules;
use crate::rules::files::read::RuleFiles;

/// Check the configuration and the rule files, and show how to fix each problem
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Rule files or folders [default: the configuration and its rules folder]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
}

/// Result of the check.
#[derive(Debug, Default)]
struct Findings {
    problems: Vec<Problem>,
    rules: usize,
    files: usize,
}

/// Runs the command: prints the problems and a summary to standard output.
pub fn run(
    args: &Args,
    config: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Exit {
    let mut findings = Findings::default();
    if args.paths.is_empty() {
        findings.check_configuration(config, environment);
    } else {
        let (existing, missing): (Vec<_>, Vec<_>) =
            args.paths.iter().cloned().partition(|path| path.exists());
        findings.problems.extend(missing.iter().map(|path| {
            let finding = Finding::whole("there is no such file or folder");
            Problem::of_file(&path.to_string_lossy(), finding)
        }));
        findings.add(rules::files::read::check_some(
            &existing,
            Clock::system().now(),
        ));
    }
    // An error means that the reader, such as `head`, has closed the pipe.
    let _ = findings.print(&mut io::stdout().lock(), wants_colour(&io::stdout()));
    match findings.problems.iter().any(Problem::is_error) {
        true => Exit::Failed,
        false => Exit::Done,
    }
}

/// The problem of a rules folder that is not a folder. `named_by` is the setting that names it.
fn no_folder(rules: &Path, named_by: &str) -> Problem {
    let finding = match rules.exists() {
        true => Finding::whole("the rules folder is a file").help(format!(
            "set {named_by} to the folder that contains the rule files"
        )),
        false => Finding::whole("the rules folder does not exist")
            .help(format!("create it, or set {named_by} to another folder")),
    };
    Problem::of_file(&rules.to_string_lossy(), finding)
}

impl Findings {
    fn check_configuration(
        &mut self,
        config: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) {
        let environment: Vec<_> = environment.into_iter().collect();
        let named_by = match environment.iter().any(|(name, _)| name == "CURATORD_RULES") {
            true => "CURATORD_RULES",
            false => "`rules` in curatord.toml",
        };
        let (rules, is_found) = match config::load(config, environment) {
            Ok(config) => {
                let is_found = config.is_found();
                let lacks = match is_found {
                    Err(not_found) => Some(not_found.problem()),
                    Ok(()) => config.ready_to_run().err().map(|not_set| not_set.problem()),
                };
                self.problems.extend(lacks.map(Problem::from));
                (Some(config.rules), is_found.is_ok())
            }
            Err(failure) => {
                let problems = failure.problems.into_iter();
                self.problems.extend(problems.map(Problem::from));
                (failure.rules, true)
            }
        };
        match rules {
            Some(rules) if rules.is_dir() => {
                self.add(rules::files::read::check(&rules, Clock::system().now()));
            }
            Some(rules) => {
                let named_by = if is_found {
                    named_by
                } else {
                    "`rules` in a configuration file"
                };
                self.problems.push(no_folder(&rules, named_by));
            }
            None => {}
        }
    }

    fn add(&mut self, read: RuleFiles) {
        self.problems.extend(read.problems);
        self.rules += read.rules.len();
        self.files += read.files;
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
        let mut files: Vec<_> = errors.iter().map(|problem| &problem.plain.path).collect();
        files.dedup();
        let (errors, files) = (
            counted(errors.len(), "problem"),
            counted(files.len(), "file"),
        );
        format!("{errors} in {files}{warned}")
    }
}
