//! `curatord test`: unit tests for rules.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cli::output::complain_about;
use crate::cli::{Exit, counted};
use crate::diagnostic::{Finding, Problem};
use crate::rules::files::read::read_all;
use crate::rules::set::RuleSet;
use crate::ruletest::difference::side_by_side;
use crate::ruletest::{TestFile, file};
use crate::visible::{one_line, visible};

/// Run unit tests for rules
///
/// A test file lists posts, votes and times, and the votes that the rules are expected to cast. Differences are printed
/// side by side.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Test files in TOML
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
}

/// Results of the tests.
#[derive(Debug, Default)]
struct Tally {
    tests: usize,
    failed: usize,
    /// Files that were not run because the file or its rules are invalid.
    broken: usize,
}

/// Runs the command: prints a line for each test to standard output, and errors in files to standard error.
///
/// # Errors
/// Standard output cannot be written.
pub fn run(args: &Args) -> anyhow::Result<Exit> {
    match run_files(&args.files, &mut io::stdout().lock()) {
        // The reader has closed the pipe before all tests were run.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Failed),
        tally => Ok(tally?.exit()),
    }
}

fn run_files(files: &[PathBuf], out: &mut impl Write) -> io::Result<Tally> {
    let mut tally = Tally::default();
    for path in files {
        match read(path) {
            Ok((file, rules)) => tally.run(path, &file, &rules, out)?,
            Err(problems) => {
                tally.broken += 1;
                complain_about(&problems);
            }
        }
    }
    writeln!(out, "{}", tally.summary())?;
    Ok(tally)
}

/// Reads the tests at `path` and the rules that they test.
fn read(path: &Path) -> Result<(TestFile, Arc<RuleSet>), Vec<Problem>> {
    let text = fs::read_to_string(path).map_err(|error| {
        let finding = match error.kind() {
            io::ErrorKind::NotFound => Finding::whole("there is no such file"),
            _ => Finding::whole(format!("cannot be read: {error}")),
        };
        vec![Problem::of_file(&path.to_string_lossy(), finding)]
    })?;
    let file = file::read(path, &text)?;
    let rules = read_all(&file.rules);
    if rules.problems.iter().any(Problem::is_error) {
        return Err(rules.problems);
    }
    complain_about(&rules.problems);
    Ok((file, Arc::new(RuleSet::new(rules.rules))))
}

impl Tally {
    fn run(
        &mut self,
        path: &Path,
        file: &TestFile,
        rules: &Arc<RuleSet>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        for test in &file.tests {
            self.tests += 1;
            let name = format!("{}: {}", path.display(), test.name);
            let name = one_line(&name);
            let why = match test.run(rules, file.chain) {
                Ok(differences) if differences.is_empty() => {
                    writeln!(out, "ok      {name}")?;
                    continue;
                }
                Ok(differences) => side_by_side(&differences, "        "),
                Err(error) => format!("        {error}\n"),
            };
            self.failed += 1;
            write!(out, "FAILED  {name}\n{}", visible(&why))?;
        }
        Ok(())
    }

    /// `3 tests, all ok`; `3 tests, 1 failed, 1 file not run`.
    fn summary(&self) -> String {
        let mut summary = counted(self.tests, "test");
        if self.failed > 0 {
            summary += &format!(", {} failed", self.failed);
        }
        if self.broken > 0 {
            summary += &format!(", {} not run", counted(self.broken, "file"));
        }
        if self.exit() == Exit::Done {
            summary += ", all ok";
        }
        summary
    }

    fn exit(&self) -> Exit {
        match self.failed + self.broken {
            0 => Exit::Done,
            _ => Exit::Failed,
        }
    }
}
