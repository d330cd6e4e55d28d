//! The `curatord` command.

use std::process::ExitCode;

use clap::Parser;
use curatord::cli::{self, Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.command {
        Command::Check(args) => cli::check::run(&args, cli.config.as_deref(), cli::environment()),
    }
    .into()
}
