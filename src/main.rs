//! The `curatord` command.

use std::process::ExitCode;

use clap::Parser;
use curatord::cli::{self, Cli, Command, Exit, in_runtime};

fn main() -> ExitCode {
    cli::keep_memory_private();
    let cli = Cli::parse();
    let result = cli::log::start(match cli.command {
        // The demo prints events itself.
        Command::Demo(_) => "warn,curatord::rules=off,sqlx=error,tokio_cron_scheduler=error",
        // Explain prints errors of nodes itself.
        Command::Explain(_) => "warn,curatord::chain=off",
        _ => "info",
    })
    .and_then(|()| run(cli));
    cli::finish(result).into()
}

fn run(cli: Cli) -> anyhow::Result<Exit> {
    let config = cli.config.as_deref();
    match cli.command {
        Command::Check(args) => Ok(cli::check::run(&args, config)),
        Command::Schema(args) => cli::schema::run(&args).map_err(Into::into),
        Command::Demo(args) => in_runtime(cli::demo::run(&args)),
        Command::Replay(args) => in_runtime(cli::replay::run(&args, config)),
        Command::Test(args) => cli::test::run(&args),
        Command::Vote(args) => in_runtime(cli::vote::run(&args, config)),
        Command::Explain(args) => in_runtime(cli::explain::run(&args, config)),
        Command::Auth(args) => in_runtime(cli::auth::run(&args, config)),
        Command::Sandbox(args) => {
            in_runtime(async { cli::sandbox::run(args).await.map(|()| Exit::Done) })
        }
        Command::Run(args) => in_runtime(cli::run::run(&args, config, None)),
    }
}
