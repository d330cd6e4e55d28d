//! The `curatord` command.

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use curatord::cli::{self, Cli, Command, Exit};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    log_to_standard_error(match cli.command {
        // Its own lines say what happens.
        Command::Demo(_) => "warn,sqlx=error,tokio_cron_scheduler=error",
        _ => "info,sqlx=warn,tokio_cron_scheduler=warn",
    });
    let config = cli.config.as_deref();
    let result = match cli.command {
        Command::Check(args) => Ok(cli::check::run(&args, config, cli::environment())),
        Command::Schema(args) => cli::schema::run(&args).map_err(Into::into),
        Command::Demo(args) => in_runtime(cli::demo::run(&args)),
        Command::Replay(args) => in_runtime(cli::replay::run(&args, config, cli::environment())),
        Command::Test(args) => cli::test::run(&args),
        Command::Vote(args) => in_runtime(cli::vote::run(&args, config, cli::environment())),
        Command::Explain(args) => in_runtime(cli::explain::run(&args, config, cli::environment())),
        Command::Auth(args) => in_runtime(cli::auth::run(&args, config, cli::environment())),
        Command::Sandbox(args) => {
            in_runtime(async { cli::sandbox::run(args).await.map(|()| Exit::Done) })
        }
        Command::Run(args) => in_runtime(cli::run::run(&args, config, cli::environment())),
    };
    let exit = result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        Exit::Failed
    });
    exit.into()
}

fn in_runtime(command: impl Future<Output = anyhow::Result<Exit>>) -> anyhow::Result<Exit> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(command)
}

/// Logs go to standard error, results to standard output. `RUST_LOG` says how much; else `usual`.
fn log_to_standard_error(usual: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
}
