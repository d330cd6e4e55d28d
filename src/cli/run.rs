//! `curatord run`: the daemon in the foreground.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::SignalKind;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::cli::output::complain;
use crate::cli::stop::StopSignals;
use crate::cli::{Exit, configuration, log};
use crate::clock::Clock;
use crate::config::Config;
use crate::config::reload::only_at_start;
use crate::daemon::stages::Wrap;
use crate::daemon::{self, Options};

/// Maximum time to stop; after it the process exits with status 1.
const EXIT_AFTER: Duration = Duration::from_secs(14);

/// Run the daemon: follow the chain and cast votes
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Do everything except casting: votes end with the status `dry_run`. Needs no application and no tokens
    #[arg(long)]
    pub dry_run: bool,
    /// Start at this block instead of the last one that was read
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub from_block: Option<u32>,
}

/// Runs the daemon until SIGTERM or SIGINT; a second signal exits at once. SIGHUP reloads the rule files and the
/// configuration.
///
/// # Errors
/// The daemon cannot start, or fails.
pub async fn run(args: &Args, path: Option<&Path>, wrap: Option<Wrap>) -> anyhow::Result<Exit> {
    let config = configuration(path)?;
    if !args.dry_run {
        config.ready_to_run()?;
    }
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
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
        wrap,
    };
    let hang_up = HangUp {
        path: path.map(Path::to_owned),
        at_start,
        config: config_in,
        rules: reload,
    };
    start_signals(cancel.clone(), hang_up)?;
    let mode = if args.dry_run { " (dry run)" } else { "" };
    tracing::info!("curatord {} starting{mode}", env!("CARGO_PKG_VERSION"));
    daemon::run(options, cancel).await?;
    tracing::info!("curatord stopped");
    Ok(Exit::Done)
}

/// Reloads the configuration and the rules on SIGHUP.
struct HangUp {
    path: Option<PathBuf>,
    /// The configuration at the start, for settings that cannot change at run time.
    at_start: Arc<Config>,
    config: watch::Sender<Arc<Config>>,
    rules: Arc<Notify>,
}

impl HangUp {
    /// Reloads on each of `signals`, on a thread that may block, so that a hanging disk does not delay other signals.
    async fn reload_on(self, mut signals: StopSignals) {
        let reloader = Arc::new(self);
        loop {
            signals.next().await;
            let reloader = reloader.clone();
            // A panic is in the log; the next signal tries again.
            let _ = tokio::task::spawn_blocking(move || reloader.reload()).await;
        }
    }

    fn reload(&self) {
        self.rules.notify_one();
        let new = match configuration(self.path.as_deref()) {
            Ok(new) => new,
            Err(error) => {
                let error = error.to_string().replace('\n', "; ");
                return tracing::error!(
                    "configuration not reloaded, the old one stays in force: {error}"
                );
            }
        };
        let later = only_at_start(&self.at_start, &new);
        if !later.is_empty() {
            tracing::warn!(
                "restart curatord to apply the changes of: {}",
                later.join(", ")
            );
        }
        tracing::info!("configuration reloaded");
        self.config.send_replace(Arc::new(new));
    }
}

/// Starts a thread with a runtime of its own that handles signals, since a blocked stage can block the daemon's
/// runtime.
fn start_signals(cancel: CancellationToken, hang_up: HangUp) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (stops, hang_ups) = {
        let _context = runtime.enter();
        let stops = StopSignals::listen(&[SignalKind::terminate(), SignalKind::interrupt()]);
        (stops?, StopSignals::listen(&[SignalKind::hangup()])?)
    };
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            runtime.spawn(hang_up.reload_on(hang_ups));
            runtime.block_on(stop_on(stops, &cancel));
        })
        .context("cannot start a thread for signals")?;
    Ok(())
}

/// Stops the daemon on a signal, and exits with status 1 on another, or if the daemon does not stop in time.
async fn stop_on(mut stops: StopSignals, cancel: &CancellationToken) {
    tokio::select! {
        () = stops.next() => {
            tracing::info!("stopping: waiting for requests in flight");
            cancel.cancel();
        }
        () = cancel.cancelled() => {}
    }
    match tokio::time::timeout(EXIT_AFTER, stops.next()).await {
        Ok(()) => tracing::warn!(
            "stopped by a second signal: requests in flight are checked on the chain at the next start"
        ),
        Err(_) => complain("error: stopping took too long"),
    }
    log::flush();
    std::process::exit(1)
}
