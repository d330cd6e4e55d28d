//! `curatord check`: all problems in the configuration and the rule files. Uses neither network nor database.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::cli::{Exit, counted, environment, wants_colour};
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

/// Runs the command: prints the problems and a summary to standard output.
pub fn run(args: &Args, config: Option<&Path>) -> Exit {
    let checked = match &*args.paths {
        [] => check_configuration(config),
        paths => check_paths(paths),
    };
    // An error means that the reader, such as `head`, has closed the pipe.
    let _ = print(&checked, &mut io::stdout().lock());
    match checked.problems.iter().any(Problem::is_error) {
        true => Exit::Failed,
        false => Exit::Done,
    }
}

fn check_paths(paths: &[PathBuf]) -> RuleFiles {
    let (existing, missing): (Vec<_>, Vec<_>) =
        paths.iter().cloned().partition(|path| path.exists());
    let missing = missing.iter().map(|path| {
        let finding = Finding::whole("there is no such file or folder");
        Problem::of_file(&path.to_string_lossy(), finding)
    });
    let mut checked = rules::files::read::check_some(&existing, Clock::system().now());
    checked.problems.splice(0..0, missing);
    checked
}

/// Checks the configuration and the rules folder that it names.
fn check_configuration(config: Option<&Path>) -> RuleFiles {
    let mut problems: Vec<Problem> = Vec::new();
    let mut named_by = match std::env::var_os("CURATORD_RULES") {
        Some(_) => "CURATORD_RULES",
        None => "`rules` in curatord.toml",
    };
    let rules = match config::load(config, environment()) {
        Ok(config) => {
            problems.extend(config.warnings.iter().cloned().map(Problem::from));
            let lack = match config.is_found() {
                Ok(()) => config.ready_to_run().err().map(|not_set| not_set.problem()),
                Err(not_found) => {
                    named_by = "`rules` in a configuration file";
                    Some(not_found.problem())
                }
            };
            problems.extend(lack.map(Problem::from));
            Some(config.rules)
        }
        Err(failure) => {
            problems.extend(failure.problems.into_iter().map(Problem::from));
            failure.rules
        }
    };
    let mut checked = RuleFiles::default();
    match rules {
        Some(rules) if rules.is_dir() => {
            checked = rules::files::read::check(&rules, Clock::system().now());
        }
        Some(rules) => problems.push(no_folder(&rules, named_by)),
        None => {}
    }
    checked.problems.splice(0..0, problems);
    checked
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

fn print(checked: &RuleFiles, out: &mut impl Write) -> io::Result<()> {
    let colour = wants_colour(&io::stdout());
    for problem in &checked.problems {
        writeln!(out, "{}", render(problem, colour))?;
    }
    writeln!(out, "{}", summary(checked))
}

/// `3 problems in 2 files`; `12 rules in 3 files, no problems`.
fn summary(checked: &RuleFiles) -> String {
    let problems = checked.problems.iter();
    let (errors, warnings): (Vec<_>, Vec<_>) = problems.partition(|problem| problem.is_error());
    let warned = match warnings.len() {
        0 if errors.is_empty() => ", no problems".to_owned(),
        0 => String::new(),
        count => format!(", {}", counted(count, "warning")),
    };
    let mut paths: Vec<_> = errors.iter().map(|error| &error.plain.path).collect();
    paths.dedup();
    let (what, files) = match errors.len() {
        0 => (counted(checked.rules.len(), "rule"), checked.files),
        count => (counted(count, "problem"), paths.len()),
    };
    format!("{what} in {}{warned}", counted(files, "file"))
}
