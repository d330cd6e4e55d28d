//! `curatord run`: the daemon, in the foreground.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cli::Exit;
use crate::clock::Clock;
use crate::config;
use crate::daemon::{self, Options};

/// Run the daemon: follow the chain and cast votes
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Do everything but broadcast: votes end as `dry_run`
    #[arg(long)]
    pub dry_run: bool,
    /// Begin with this block, whatever was read before
    #[arg(long, value_name = "N")]
    pub from_block: Option<u32>,
}

/// Runs the command until SIGTERM or SIGINT; a second one ends it at once. SIGHUP has the rule files read
/// anew.
///
/// # Errors
/// When the daemon cannot start, or broke off.
pub async fn run(
    args: &Args,
    config: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> anyhow::Result<Exit> {
    let config = config::load(config, environment)?;
    config.ready_to_run()?;
    let cancel = CancellationToken::new();
    let reload = Arc::new(Notify::new());
    let options = Options {
        config,
        clock: Clock::system(),
        dry_run: args.dry_run,
        from_block: args.from_block,
        observer: None,
        reload: reload.clone(),
    };
    let mut signals = JoinSet::new();
    signals.spawn(heed_signals(cancel.clone(), reload));
    tracing::info!(
        "curatord {} starts{}",
        env!("CARGO_PKG_VERSION"),
        if args.dry_run {
            ", to cast nothing"
        } else {
            ""
        }
    );
    daemon::run(options, cancel).await?;
    tracing::info!("curatord has stopped");
    Ok(Exit::Done)
}

/// Turns signals into what they ask for.
async fn heed_signals(cancel: CancellationToken, reload: Arc<Notify>) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be heeded")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be heeded")?;
    let mut hang_up = signal(SignalKind::hangup()).context("SIGHUP cannot be heeded")?;
    loop {
        tokio::select! {
            Some(()) = hang_up.recv() => reload.notify_one(),
            Some(()) = terminate.recv() => stop(&cancel),
            Some(()) = interrupt.recv() => stop(&cancel),
        }
    }
}

fn stop(cancel: &CancellationToken) {
    if cancel.is_cancelled() {
        tracing::warn!(
            "stopped at once: what was under way is looked up on the chain at the next start"
        );
        std::process::exit(1);
    }
    tracing::info!("stopping: answers under way are awaited");
    cancel.cancel();
}
