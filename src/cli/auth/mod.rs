//! `curatord auth`: voters' tokens.

pub mod import;
pub mod list;

use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Subcommand;

use crate::account::Account;
use crate::cli::output::{print_line, unless_closed};
use crate::cli::{Exit, Format, configuration, counted};
use crate::clock::Clock;
use crate::config::Config;
use crate::store::{Store, StoreError, TokenRow};

/// Import and list voters' tokens
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Import tokens from JSON: {voter, access_token, refresh_token, expires_at | expires_in} for each voter, or
    /// unmodified answers of the signer
    Import {
        /// JSON file, or - for standard input
        file: PathBuf,
    },
    /// Show the state and the expiry of each voter's token, but not the token
    List {
        /// Output format
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
}

/// Runs the command.
///
/// # Errors
/// The file or the database cannot be used. In this case nothing is imported.
pub async fn run(args: &Args, config: Option<&Path>) -> anyhow::Result<Exit> {
    let config = configuration(config)?;
    let clock = Clock::system();
    match &args.command {
        Action::Import { file } => import(file, &config, &clock).await,
        Action::List { format } => list(*format, &config, &clock).await,
    }
}

async fn import(file: &Path, config: &Config, clock: &Clock) -> anyhow::Result<Exit> {
    let text = import::text_of(file)?;
    let rows = import::read(secrecy::ExposeSecret::expose_secret(&text), clock.now())
        .with_context(|| format!("{} was not imported", file.display()))?;
    let store = Store::open(&config.database.url, config.database.timezone).await?;
    let imported = store.import_tokens(&rows).await;
    store.close().await;
    let (new, changed) = imported?;
    let voters = counted(rows.len(), "voter");
    print_line(format_args!(
        "imported the tokens of {voters}: {new} new, {changed} changed"
    ))
    .context("the tokens are imported, but the result cannot be printed")?;
    Ok(Exit::Done)
}

async fn list(format: Format, config: &Config, clock: &Clock) -> anyhow::Result<Exit> {
    let store = Store::open_existing(&config.database.url, config.database.timezone).await?;
    let rows = tokens(&store).await;
    store.close().await;
    let rows = rows?;
    let entries = list::entries(&rows, clock.now(), config.tokens.refresh_ahead);
    let mut out = io::stdout().lock();
    let written = match format {
        Format::Table => list::write_table(&entries, &mut out),
        Format::Json => list::write_json(&entries, &mut out),
    };
    unless_closed(written).context("cannot print the list")?;
    Ok(Exit::Done)
}

/// All tokens of the table.
async fn tokens(store: &Store) -> Result<Vec<TokenRow>, StoreError> {
    let marks = store.token_marks().await?.into_iter();
    let voters: Vec<Account> = marks.map(|(voter, _)| voter).collect();
    store.tokens(&voters).await
}
