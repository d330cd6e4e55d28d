//! The daemon: starts every stage, watches them, and stops them in order.

mod housekeeping;
mod lease;
mod reader;
mod reports;
mod scheduler;
pub mod schedules;
pub mod stages;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::cast;
use crate::chain::nodes::Nodes;
use crate::clock::Clock;
use crate::config::Config;
use crate::daemon::housekeeping::Housekeeping;
use crate::daemon::lease::Lease;
use crate::daemon::reader::Reader;
use crate::daemon::reports::Reports;
use crate::daemon::scheduler::Scheduler;
use crate::daemon::schedules::{SCHEDULES_LEASE, Schedules};
use crate::daemon::stages::{Stages, Wrap};
use crate::http_client;
use crate::queue::journal::Journal;
use crate::queue::tally::Tally;
use crate::queue::writer::{Inbox, Writer};
use crate::rules::files::library;
use crate::rules::files::watch::{Pace, Watch};
use crate::rules::set::RuleSet;
use crate::signer::book::TokenBook;
use crate::signer::client::SignerClient;
use crate::signer::keeper::Keeper;
use crate::store::{Store, StoreError};
use crate::votes::vote::Vote;

pub use reader::CHAIN_LEASE;

/// Capacity of each channel between two stages.
const WAITING: usize = 64;
/// Delay between two attempts to reach a database that is unavailable at the start.
const DATABASE_RETRY: Duration = Duration::from_secs(1);

/// Limit for closing the database at the end.
const CLOSE: Duration = Duration::from_secs(1);

/// Time from the start of shutdown after which each stage gives up what it still waits for. All of them together end
/// within 12 s, before a service manager kills the process.
mod give_up {
    use std::time::Duration;

    pub const READER: Duration = Duration::from_secs(1);
    pub const SCHEDULES: Duration = Duration::from_secs(2);
    /// The signer's answers to votes…
    pub const CASTER: Duration = Duration::from_secs(9);
    /// …and to refreshes, with the time to store new tokens.
    pub const KEEPER: Duration = Duration::from_millis(9_500);
    pub const REPORTS: Duration = Duration::from_millis(9_500);
    pub const HOUSEKEEPING: Duration = Duration::from_millis(9_500);
    pub const WRITER: Duration = Duration::from_millis(10_750);
    pub const RULES: Duration = Duration::from_millis(10_750);
}

/// The inputs of a run of the daemon.
pub struct Options {
    /// The configuration. Some of it may change while the daemon runs: see [`crate::config::reload`].
    pub config: watch::Receiver<Arc<Config>>,
    /// The time.
    pub clock: Clock,
    /// Whether to do everything but broadcast.
    pub dry_run: bool,
    /// The first block to read, regardless of the cursor.
    pub from_block: Option<u32>,
    /// Receives rows as they are written.
    pub observer: Option<mpsc::Sender<Vote>>,
    /// A notification makes the watcher read all rule files again.
    pub reload: Arc<Notify>,
    /// Wraps each stage, which lets tests make a stage fail.
    pub wrap: Option<Wrap>,
}

impl Options {
    /// A configuration that never changes.
    pub fn unchanging(config: Arc<Config>) -> watch::Receiver<Arc<Config>> {
        watch::channel(config).1
    }
}

/// Runs until `cancel`: then it waits for answers (at most 9 s), writes outcomes, and gives back its claims. If a stage
/// ends by itself, this function cancels `cancel`, and the others stop the same way.
///
/// # Errors
/// When it cannot start, when a stage failed, or when one did not stop in time.
pub async fn run(options: Options, cancel: CancellationToken) -> anyhow::Result<()> {
    let config = options.config.borrow().clone();
    let started = cancel
        .run_until_cancelled(async {
            check_rules_folder(&config).await?;
            let store = open_store(&config).await?;
            let lock = store.lock_daemon()?;
            let freed = store.free_all_claims().await;
            freed.context("the claims of the previous daemon were not freed")?;
            anyhow::Ok((Arc::new(store), lock, Scheduler::start().await?))
        })
        .await;
    let Some(started) = started else {
        return Ok(());
    };
    let (store, _lock, scheduler) = started?;
    let mut stages = Stages::new(options.wrap);
    let wired = wire(&mut stages, options, &config, store.clone(), &scheduler);
    let mut failures = Vec::new();
    match cancel.run_until_cancelled(wired).await {
        Some(Ok(())) => tokio::select! {
            failure = stages.first_to_end() => failures.push(failure),
            () = cancel.cancelled() => {}
        },
        Some(Err(error)) => failures.push(format!("{error:#}")),
        None => {}
    }
    for failure in &failures {
        tracing::error!("{failure}: stopping");
    }
    cancel.cancel();
    failures.extend(stages.stop().await);
    scheduler.stop().await;
    // A stage that hangs may still use it.
    let _ = tokio::time::timeout(CLOSE, store.close()).await;
    match failures.is_empty() {
        true => Ok(()),
        false => bail!(failures.join("; ")),
    }
}

/// Starts every stage, each with its ends of the channels. They stop in reverse order: first no more events come in,
/// then no more votes go out, and last the outcomes are written.
async fn wire(
    stages: &mut Stages,
    options: Options,
    config: &Config,
    store: Arc<Store>,
    scheduler: &Scheduler,
) -> anyhow::Result<()> {
    let Options {
        config: changing,
        clock,
        dry_run,
        from_block,
        observer,
        reload,
        ..
    } = options;
    let owner = owner();
    let (rules_out, mut rules) = watch::channel(Arc::new(RuleSet::not_read_yet()));
    let (rules_reports_in, rules_reports) = mpsc::channel(WAITING);
    let (node_notices_in, node_notices) = mpsc::channel(WAITING);
    let (journal, journal_out) = Journal::new(WAITING);
    let (plans_in, plans) = mpsc::channel(WAITING);
    let (handovers_in, handovers) = mpsc::channel(WAITING);
    let (post_changes_in, post_changes) = mpsc::channel(WAITING);
    let (refreshes_in, refreshes) = mpsc::channel(WAITING);
    let (settled_in, settled) = oneshot::channel();
    let tokens = TokenBook::default();
    let tally = Arc::new(Tally::default());
    let network = &config.network;
    let nodes = Nodes::new(&network.nodes, network.kind, clock, Some(node_notices_in))?;
    let http = http_client::builder()
        .pool_max_idle_per_host(config.signer.max_in_flight)
        .build()?;
    let signer = SignerClient::new(http, changing.clone());

    stages.start("watcher of rule files", give_up::RULES, |stop| {
        crate::rules::files::watch::run(Watch {
            root: config.rules.clone(),
            clock,
            parse: library::parse,
            pace: Pace::default(),
            out: rules_out,
            reports: rules_reports_in,
            reload_now: reload,
            stop,
        })
    });
    // Nothing is due, planned or withdrawn before the rules are known.
    rules.changed().await.context("the rules were not read")?;
    if rules.borrow().rules().is_empty() {
        let folder = config.rules.display();
        tracing::warn!("there are no rules in {folder}: waiting for some");
    }
    let writer = Writer {
        store: store.clone(),
        clock,
        owner: owner.clone(),
        rules: rules.clone(),
        config: changing.clone(),
        caster: handovers_in,
        settled,
        observer,
        tally: tally.clone(),
    };
    let inbox = Inbox {
        plans,
        reports: journal_out,
    };
    stages.start("writer", give_up::WRITER, |stop| writer.run(inbox, stop));
    let housekeeping = Housekeeping {
        store: store.clone(),
        clock,
        hours: scheduler.hours().await?,
        tally,
    };
    stages.start("housekeeping", give_up::HOUSEKEEPING, |stop| {
        housekeeping.run(stop)
    });
    let reports = Reports {
        journal: journal.clone(),
        clock,
        nodes: node_notices,
        rules: rules_reports,
    };
    stages.start("reports", give_up::REPORTS, |stop| reports.run(stop));
    let keeper = Keeper {
        store: store.clone(),
        signer: signer.clone(),
        book: tokens.clone(),
        journal: journal.clone(),
        clock,
        owner: owner.clone(),
        config: changing.clone(),
    };
    // A dry run needs no application, without which no token can be refreshed.
    if !dry_run || config.ready_to_run().is_ok() {
        stages.start("token keeper", give_up::KEEPER, |stop| {
            keeper.run(refreshes, stop)
        });
    }
    let caster = cast::run::Parts {
        dry_run,
        config: changing.clone(),
        owner: owner.clone(),
        clock,
        rules: rules.clone(),
        nodes: nodes.clone(),
        store: store.clone(),
        signer,
        tokens,
        refreshes: refreshes_in,
        handovers,
        post_changes,
        journal,
        settled: settled_in,
    };
    stages.start("caster", give_up::CASTER, |stop| {
        cast::run::run(caster, stop)
    });
    let lease = |name| Lease {
        name,
        store: store.clone(),
        owner: owner.clone(),
        clock,
    };
    let schedules = Schedules {
        lease: lease(SCHEDULES_LEASE),
        store: store.clone(),
        nodes: nodes.clone(),
        clock,
        config: changing,
        rules: rules.clone(),
        dry_run,
        plans: plans_in.clone(),
        alarm: scheduler.alarm(clock),
    };
    stages.start("schedules", give_up::SCHEDULES, |stop| schedules.run(stop));
    let reader = Reader {
        lease: lease(CHAIN_LEASE),
        store,
        nodes,
        network: config.network.clone(),
        clock,
        rules,
        post_changes: post_changes_in,
        plans: plans_in,
        from_block,
    };
    stages.start("reader", give_up::READER, |stop| reader.run(stop));
    Ok(())
}

/// Makes sure that the rules folder exists. Waits for a disk that hangs.
async fn check_rules_folder(config: &Config) -> anyhow::Result<()> {
    let path = config.rules.clone();
    let is_folder = tokio::task::spawn_blocking(move || match path.is_dir() {
        true => Some(true),
        false => path.exists().then_some(false),
    });
    let folder = config.rules.display();
    match is_folder.await? {
        Some(true) => Ok(()),
        Some(false) => {
            bail!("{folder} is a file: `rules` names the folder that holds the rule files")
        }
        None => {
            bail!("there is no folder of rules at {folder}: make it, or set `rules` to where it is")
        }
    }
}

/// Opens the database; waits while it is unavailable.
async fn open_store(config: &Config) -> anyhow::Result<Store> {
    let mut said = false;
    loop {
        match Store::open(&config.database.url, config.database.timezone).await {
            Err(error @ StoreError::Unavailable(_)) if !said => {
                tracing::warn!("waiting for the database: {error}");
                said = true;
            }
            Err(StoreError::Unavailable(_)) => {}
            opened => return Ok(opened?),
        }
        tokio::time::sleep(DATABASE_RETRY).await;
    }
}

/// A name for this run, different from that of every other run.
fn owner() -> String {
    format!("{}-{:08x}", std::process::id(), fastrand::u32(..))
}
