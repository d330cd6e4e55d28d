//! The commands, one file each.

pub mod arguments;
pub mod auth;
pub mod check;
pub mod demo;
pub mod explain;
pub mod log;
pub mod output;
pub mod program;
pub mod progress;
pub mod replay;
pub mod run;
pub mod sandbox;
pub mod schema;
pub mod stop;
pub mod test;
pub mod vote;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::{Parser, Subcommand, ValueEnum};

use crate::config::{self, Config};
use crate::daemon::CHAIN_LEASE;
use crate::store::{Store, StoreError};

/// Casts curators' votes on Hive and Steem, on time, from rule files
#[derive(Debug, Parser)]
#[command(name = "curatord", version, max_term_width = 100)]
pub struct Cli {
    /// Configuration file [default: ./curatord.toml, or else /etc/curatord/curatord.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The command to run.
    #[command(subcommand)]
    pub command: Command,
}

/// A command and its arguments.
#[derive(Debug, Subcommand)]
#[allow(
    missing_docs,
    reason = "the help of a command is the documentation of its arguments"
)]
pub enum Command {
    Run(run::Args),
    Check(check::Args),
    Demo(demo::Args),
    Replay(replay::Args),
    Test(test::Args),
    Vote(vote::Args),
    Explain(explain::Args),
    Sandbox(sandbox::SandboxArgs),
    Schema(schema::Args),
    Auth(auth::Args),
}

/// Output format of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns for people
    Table,
    /// One JSON object per line
    Json,
}

/// Result of a command; the number is the exit status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It did what was asked.
    Done = 0,
    /// The command failed, or found a problem.
    Failed = 1,
    /// The arguments are wrong.
    WrongUsage = 2,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Arguments that contradict each other or the clock.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WrongUsage(pub String);

/// Maximum time to drop tasks at the end. Blocked tasks end with the process.
const LAST_TASKS: Duration = Duration::from_millis(100);
/// Minimum number of worker threads: a blocked one must not stop all others.
const FEWEST_THREADS: usize = 2;

/// Keeps tokens out of core dumps, and other processes of the same user out of the memory.
pub fn keep_memory_private() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // Fails on no Linux; without it the program is still of use.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// Runs a command in an asynchronous runtime.
///
/// # Errors
/// The command fails, or the system provides no threads.
pub fn in_runtime(command: impl Future<Output = anyhow::Result<Exit>>) -> anyhow::Result<Exit> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(processors.max(FEWEST_THREADS))
        .enable_all()
        .build()?;
    let result = runtime.block_on(command);
    runtime.shutdown_timeout(LAST_TASKS);
    result
}

/// Prints the error of a command, and writes the last lines of the log.
pub fn finish(result: anyhow::Result<Exit>) -> Exit {
    let exit = result.unwrap_or_else(|error| {
        output::complain(format_args!("error: {error:#}"));
        match error.is::<WrongUsage>() {
            true => Exit::WrongUsage,
            false => Exit::Failed,
        }
    });
    log::flush();
    exit
}

/// The environment variables; invalid UTF-8 is replaced.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().map(|(name, value)| {
        (
            name.to_string_lossy().into_owned(),
            value.to_string_lossy().into_owned(),
        )
    })
}

/// Loads the configuration for a command that uses the database or the network.
///
/// # Errors
/// All errors in the configuration, or that there is no configuration file.
pub fn configuration(path: Option<&Path>) -> anyhow::Result<Config> {
    let config = config::load(path, environment())?;
    config.is_found()?;
    Ok(config)
}

/// Whether `out` is a terminal and the user has not disabled colours.
pub fn wants_colour(out: &impl IsTerminal) -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    out.is_terminal() && !refused && !dumb
}

/// Whether a daemon on this database reads the chain, or did so a few seconds ago.
///
/// # Errors
/// The database fails.
pub async fn reads_the_chain(store: &Store, now: DateTime<Utc>) -> Result<bool, StoreError> {
    // This lease ends when it starts, so that it does not delay a daemon that starts at this moment.
    let owner = "a command";
    let free = store.acquire_lease(CHAIN_LEASE, owner, now, now).await?;
    if free {
        store.release_lease(CHAIN_LEASE, owner).await?;
    }
    Ok(!free)
}

/// `1 rule`, `2 rules`.
pub fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_valid() {
        Cli::command().debug_assert();
    }

    #[test]
    fn config_is_accepted_before_and_after_the_command() {
        for words in [
            ["curatord", "--config", "x.toml", "check"],
            ["curatord", "check", "--config", "x.toml"],
        ] {
            let cli = Cli::try_parse_from(words).unwrap();
            assert_eq!(cli.config, Some(PathBuf::from("x.toml")));
        }
    }
}
