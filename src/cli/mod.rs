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

/// Casts curators' votes on Hive and Steem, on time, from rule files.
#[derive(Debug, Parser)]
#[command(name = "curatord", version, max_term_width = 100)]
pub struct Cli {
    /// The configuration file [default: ./curatord.toml, else /etc/curatord/curatord.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
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

/// How a list is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A table for people.
    Table,
    /// One object a line.
    Json,
}

/// What a command came to, as the exit status tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0
    Done = 0,
    /// 1: a problem was found, or it failed.
    Failed = 1,
    /// 2
    WrongUsage = 2,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Time for tasks to be dropped at the end. What blocks is left to the end of the process.
const LAST_TASKS: Duration = Duration::from_millis(100);
/// Fewest threads that run tasks: one that is stuck must not stop all others.
const FEWEST_THREADS: usize = 2;

/// Runs a command with everything it needs to wait for several things at once.
///
/// # Errors
/// Those of the command, and when the system gives no threads.
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

/// Says why a command failed, and has the last lines of the log written.
pub fn finish(result: anyhow::Result<Exit>) -> Exit {
    let exit = result.unwrap_or_else(|error| {
        output::complain(format_args!("error: {error:#}"));
        Exit::Failed
    });
    log::flush();
    exit
}

/// The environment, with what is not UTF-8 in it replaced.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().map(|(name, value)| {
        (
            name.to_string_lossy().into_owned(),
            value.to_string_lossy().into_owned(),
        )
    })
}

/// The configuration, for a command that uses its database or its network.
///
/// # Errors
/// Everything that is wrong with it, and that there is none.
pub fn configuration(
    path: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> anyhow::Result<Config> {
    let config = config::load(path, environment)?;
    config.is_found()?;
    Ok(config)
}

/// Whether `out` is a terminal whose user has not refused colour.
pub fn wants_colour(out: &impl IsTerminal) -> bool {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
    out.is_terminal() && !refused && !dumb
}

/// Whether a daemon on this database reads the chain, or did so a few seconds ago.
///
/// # Errors
/// When the database cannot be asked.
pub async fn reads_the_chain(store: &Store, now: DateTime<Utc>) -> Result<bool, StoreError> {
    // Ours ends as it begins: a daemon that starts at this very moment is not kept waiting.
    let nobody = "a command";
    let free = store.acquire_lease(CHAIN_LEASE, nobody, now, now).await?;
    if free {
        store.release_lease(CHAIN_LEASE, nobody).await?;
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
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_configuration_is_named_before_or_after_the_command() {
        for words in [
            ["curatord", "--config", "x.toml", "check"],
            ["curatord", "check", "--config", "x.toml"],
        ] {
            let cli = Cli::try_parse_from(words).unwrap();
            assert_eq!(cli.config, Some(PathBuf::from("x.toml")));
        }
    }
}
