//! `curatord auth`: voters' tokens.

pub mod import;
pub mod list;

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Subcommand;
use import::Import;
use secrecy::ExposeSecret;

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
    let Import { rows, refusals } = import::read(text.expose_secret(), clock.now())
        .with_context(|| format!("{} was not imported", file.display()))?;
    let refusals = refusals.join("\n");
    if rows.is_empty() && !refusals.is_empty() {
        bail!("nothing was imported:\n{refusals}");
    }
    let store = Store::open(&config.database.url, config.database.timezone).await?;
    let imported = store.import_tokens(&rows).await;
    store.close().await;
    let (new, changed) = imported?;
    let voters = counted(rows.len(), "voter");
    print_line(format_args!(
        "imported the tokens of {voters}: {new} new, {changed} changed"
    ))
    .context("the tokens are imported, but the result cannot be printed")?;
    if !refusals.is_empty() {
        bail!("the other entries hold no tokens:\n{refusals}");
    }
    Ok(Exit::Done)
}

async fn list(format: Format, config: &Config, clock: &Clock) -> anyhow::Result<Exit> {
    let store = Store::open_existing(&config.database.url, config.database.timezone).await?;
    let found = tokens(&store).await;
    store.close().await;
    let (rows, refused) = found?;
    let entries = list::entries(&rows, &refused, clock.now(), config.tokens.refresh_ahead);
    let mut out = io::stdout().lock();
    let written = match format {
        Format::Table => list::write_table(&entries, &mut out),
        Format::Json => list::write_json(&entries, &mut out),
    };
    unless_closed(written).context("cannot print the list")?;
    Ok(Exit::Done)
}

/// All tokens of the table, and the voters whose refresh token the signer has refused for good.
async fn tokens(store: &Store) -> Result<(Vec<TokenRow>, HashSet<Account>), StoreError> {
    let marks = store.token_marks().await?.into_iter();
    let voters: Vec<Account> = marks.map(|(voter, _)| voter).collect();
    let rows = store.tokens(&voters).await?;
    let refused = store.refused_tokens(&rows).await?;
    Ok((rows, refused))
}
