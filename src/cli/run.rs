//! `curatord run`: the daemon in the foreground.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cli::output::complain;
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
    /// Do everything except casting: votes end with the status `dry_run`
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
pub async fn run(
    args: &Args,
    path: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
    wrap: Option<Wrap>,
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
        wrap,
    };
    let hang_up = HangUp {
        path: path.map(Path::to_owned),
        environment,
        at_start,
        config: config_in,
        rules: reload,
    };
    start_signals(cancel.clone(), Arc::new(hang_up))?;
    let mode = if args.dry_run { " (dry run)" } else { "" };
    tracing::info!("curatord {} starting{mode}", env!("CARGO_PKG_VERSION"));
    daemon::run(options, cancel).await?;
    tracing::info!("curatord stopped");
    Ok(Exit::Done)
}

/// Reloads the configuration and the rules on SIGHUP.
struct HangUp {
    path: Option<PathBuf>,
    environment: Vec<(String, String)>,
    /// The configuration at the start, for settings that cannot change at run time.
    at_start: Arc<Config>,
    config: watch::Sender<Arc<Config>>,
    rules: Arc<Notify>,
}

impl HangUp {
    fn reload(&self) {
        self.rules.notify_one();
        let new = match configuration(self.path.as_deref(), self.environment.clone()) {
            Ok(new) => new,
            Err(error) => {
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
fn start_signals(cancel: CancellationToken, hang_up: Arc<HangUp>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let signals = {
        let _context = runtime.enter();
        Signals::listen().context("cannot listen for SIGTERM, SIGINT and SIGHUP")?
    };
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || runtime.block_on(signals.handle(&cancel, &hang_up)))
        .context("cannot start a thread for signals")?;
    Ok(())
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Stops or reloads the daemon on signals, and exits if the daemon does not stop in time.
    async fn handle(mut self, cancel: &CancellationToken, hang_up: &Arc<HangUp>) {
        // Reloads run on a thread that may block, so that a hanging disk does not delay other signals.
        let mut reloads = JoinSet::new();
        let too_late = async {
            cancel.cancelled().await;
            tokio::time::sleep(EXIT_AFTER).await;
        };
        tokio::pin!(too_late);
        loop {
            tokio::select! {
                Some(()) = self.terminate.recv() => stop(cancel),
                Some(()) = self.interrupt.recv() => stop(cancel),
                Some(()) = self.hang_up.recv(), if reloads.is_empty() => {
                    let hang_up = hang_up.clone();
                    reloads.spawn_blocking(move || hang_up.reload());
                }
                Some(_) = reloads.join_next() => {}
                () = &mut too_late => {
                    complain(format_args!("error: stopping took too long"));
                    exit();
                }
            }
        }
    }
}

fn stop(cancel: &CancellationToken) {
    if cancel.is_cancelled() {
        tracing::warn!(
            "stopped by a second signal: requests in flight are checked on the chain at the next start"
        );
        exit();
    }
    tracing::info!("stopping: waiting for requests in flight");
    cancel.cancel();
}

/// Exits with status 1.
fn exit() -> ! {
    log::flush();
    std::process::exit(1)
}
