//! `curatord run`: the daemon, in the foreground.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cli::{Exit, configuration, log};
use crate::clock::Clock;
use crate::config::Config;
use crate::config::reload::only_at_start;
use crate::daemon::{self, Options};

/// Run the daemon: follow the chain and cast votes
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Do everything but broadcast: votes end as `dry_run`
    #[arg(long)]
    pub dry_run: bool,
    /// Begin with this block, whatever was read before
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub from_block: Option<u32>,
}

/// Runs the command until SIGTERM or SIGINT; a second one ends it at once. SIGHUP has the rule files and the
/// configuration read anew.
///
/// # Errors
/// When the daemon cannot start, or broke off.
pub async fn run(
    args: &Args,
    path: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> anyhow::Result<Exit> {
    let environment: Vec<_> = environment.into_iter().collect();
    let config = configuration(path, environment.clone())?;
    config.ready_to_run()?;
    let at_start = Arc::new(config);
    let (config_in, config) = watch::channel(at_start.clone());
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
    let hang_up = HangUp {
        path: path.map(Path::to_owned),
        environment,
        at_start,
        config: config_in,
        rules: reload,
    };
    let mut signals = JoinSet::new();
    signals.spawn(heed_signals(cancel.clone(), hang_up));
    let purpose = if args.dry_run {
        ", to cast nothing"
    } else {
        ""
    };
    tracing::info!("curatord {} starts{purpose}", env!("CARGO_PKG_VERSION"));
    daemon::run(options, cancel).await?;
    tracing::info!("curatord has stopped");
    Ok(Exit::Done)
}

/// What SIGHUP has read anew.
struct HangUp {
    path: Option<PathBuf>,
    environment: Vec<(String, String)>,
    /// What stays in force of the settings that only take effect at the start.
    at_start: Arc<Config>,
    config: watch::Sender<Arc<Config>>,
    rules: Arc<Notify>,
}

impl HangUp {
    fn reload(&self) {
        self.rules.notify_one();
        let new = match configuration(self.path.as_deref(), self.environment.clone()) {
            Ok(new) => new,
            Err(error) => return tracing::error!("the configuration stays as it was: {error}"),
        };
        let later = only_at_start(&self.at_start, &new);
        if !later.is_empty() {
            tracing::warn!(
                "changed, but in force only after a restart: {}",
                later.join(", ")
            );
        }
        tracing::info!("the configuration was read anew");
        self.config.send_replace(Arc::new(new));
    }
}

/// Turns signals into what they ask for.
async fn heed_signals(cancel: CancellationToken, reload: HangUp) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be heeded")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be heeded")?;
    let mut hang_up = signal(SignalKind::hangup()).context("SIGHUP cannot be heeded")?;
    loop {
        tokio::select! {
            Some(()) = hang_up.recv() => reload.reload(),
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
        log::flush();
        std::process::exit(1);
    }
    tracing::info!("stopping: answers under way are awaited");
    cancel.cancel();
}
