//! The daemon: every stage started, watched and stopped in order.

mod reader;
mod recurring;
pub mod schedules;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cast;
use crate::chain::nodes::Nodes;
use crate::chain::notice::NodeNotice;
use crate::clock::Clock;
use crate::config::Config;
use crate::daemon::reader::Reader;
use crate::daemon::recurring::{Recurring, Ticks};
use crate::daemon::schedules::Schedules;
use crate::http_client;
use crate::queue::journal::Journal;
use crate::queue::writer::{Inbox, Writer};
use crate::rules::library;
use crate::rules::set::RuleSet;
use crate::rules::watch::{Pace, RulesReport, Watch};
use crate::signer::book::TokenBook;
use crate::signer::client::SignerClient;
use crate::signer::keeper::Keeper;
use crate::store::{Store, StoreError};
use crate::votes::error_entry::{ErrorEntry, ErrorKind};
use crate::votes::vote::Vote;

pub use reader::LEASE_NAME as CHAIN_LEASE;

/// What waits in a channel between two stages.
const WAITING: usize = 64;
/// Between two attempts to reach a database that is not there at the start.
const DATABASE_RETRY: Duration = Duration::from_secs(1);
/// At the end a database has so long to take a lease back.
const LAST_RELEASE: Duration = Duration::from_secs(2);

/// What a run of the daemon is given.
pub struct Options {
    /// Some of it may change while the daemon runs: see [`crate::config::reload`].
    pub config: watch::Receiver<Arc<Config>>,
    pub clock: Clock,
    /// Everything but broadcasting.
    pub dry_run: bool,
    /// Begin with this block, whatever was read before.
    pub from_block: Option<u32>,
    /// Rows as they are written, for who wants to watch.
    pub observer: Option<mpsc::Sender<Vote>>,
    /// Woken to have all rule files read anew.
    pub reload: Arc<Notify>,
}

impl Options {
    /// A configuration that stays as it is.
    pub fn unchanging(config: Arc<Config>) -> watch::Receiver<Arc<Config>> {
        watch::channel(config).1
    }
}

/// Runs until `cancel`: then answers under way are awaited (at most 10 s), outcomes written, and what is
/// claimed given back.
///
/// # Errors
/// When it cannot start, or one of its stages broke off.
pub async fn run(options: Options, cancel: CancellationToken) -> anyhow::Result<()> {
    let Options {
        config: changing,
        clock,
        dry_run,
        from_block,
        observer,
        reload,
    } = options;
    let config = changing.borrow().clone();
    if config.rules.is_file() {
        bail!(
            "{} is a file: `rules` names the folder that holds the rule files",
            config.rules.display()
        );
    }
    if !config.rules.is_dir() {
        bail!(
            "there is no folder of rules at {}: make it, or set `rules` to where it is",
            config.rules.display()
        );
    }
    let owner = owner();
    let Some(store) = open_store(&config, &cancel).await? else {
        return Ok(());
    };
    let _lock = store.lock_daemon()?;
    store
        .free_all_claims()
        .await
        .context("the claims of the daemon before were not freed")?;
    let store = Arc::new(store);

    let (node_notices, notices) = mpsc::channel(WAITING);
    let nodes = Nodes::new(
        &config.network.nodes,
        config.network.kind,
        clock,
        Some(node_notices),
    )?;
    let http = http_client::builder()
        .pool_max_idle_per_host(config.signer.max_in_flight)
        .build()?;
    let signer = SignerClient::new(http, changing.clone());
    let tokens = TokenBook::default();
    let (rules_out, mut rules) = watch::channel(Arc::new(RuleSet::not_read_yet()));
    let (rules_reports, reports) = mpsc::channel(WAITING);
    let (journal, journal_out) = Journal::new(WAITING);
    let (plans_in, plans) = mpsc::channel(WAITING);
    let (handovers_in, handovers) = mpsc::channel(WAITING);
    let (refreshes_in, refreshes) = mpsc::channel(WAITING);
    let (recurring, ticks) = Recurring::start()
        .await
        .context("recurring work was not started")?;
    let Ticks {
        claim,
        renew,
        chain_lease,
        tokens: token_polls,
        schedules: schedule_ticks,
        schedule_lease,
        prune,
    } = ticks;

    let mut stages = Stages::default();
    stages.start("rules", |cancel| {
        crate::rules::watch::run(Watch {
            root: config.rules.clone(),
            clock,
            parse: library::parse,
            pace: Pace::default(),
            out: rules_out,
            reports: rules_reports,
            reload_now: reload,
            cancel,
        })
    });
    // Nothing is due, planned or withdrawn before the rules are known.
    tokio::select! {
        read = rules.changed() => read.context("the rules were not read")?,
        () = cancel.cancelled() => return Ok(()),
    }
    if rules.borrow().rules().is_empty() {
        tracing::warn!(
            "there are no rules in {}: waiting for some",
            config.rules.display()
        );
    }
    let writer = Writer {
        store: store.clone(),
        clock,
        owner: owner.clone(),
        rules: rules.clone(),
        config: changing.clone(),
        caster: handovers_in,
        observer,
    };
    let keeper = Keeper {
        store: store.clone(),
        signer: signer.clone(),
        book: tokens.clone(),
        journal: journal.clone(),
        clock,
        owner: owner.clone(),
        config: changing.clone(),
    };
    let schedules = Schedules {
        store: store.clone(),
        nodes: nodes.clone(),
        clock,
        owner: owner.clone(),
        config: changing.clone(),
        rules: rules.clone(),
        dry_run,
        plans: plans_in.clone(),
        ticks: schedule_ticks,
        lease_ticks: schedule_lease,
    };
    let caster = cast::run::Parts {
        dry_run,
        config: changing,
        owner: owner.clone(),
        clock,
        rules: rules.clone(),
        nodes: nodes.clone(),
        store: store.clone(),
        signer,
        tokens,
        refreshes: refreshes_in,
        handovers,
        journal: journal.clone(),
    };
    let reader = Reader {
        store,
        nodes,
        network: config.network.clone(),
        clock,
        owner,
        rules,
        plans: plans_in,
        from_block,
        lease_ticks: chain_lease,
        prune_ticks: prune,
    };
    // The order in which they stop is the other way round: first nothing new comes, then nothing goes out,
    // and last what happened is written.
    stages.start("writer", |cancel| {
        writer.run(
            Inbox {
                plans,
                reports: journal_out,
                claim,
                renew,
            },
            cancel,
        )
    });
    stages.start("reports", |cancel| {
        write_reports(journal, clock, notices, reports, cancel)
    });
    stages.start("token keeper", |cancel| {
        keeper.run(refreshes, token_polls, cancel)
    });
    stages.start("caster", |cancel| cast::run::run(caster, cancel));
    stages.start("schedules", |cancel| schedules.run(cancel));
    stages.start("reader", |cancel| reader.run(cancel));

    let broken = tokio::select! {
        name = stages.first_to_end() => Some(name),
        () = cancel.cancelled() => None,
    };
    stages.stop().await;
    recurring.stop().await;
    match broken {
        Some(name) => bail!("the {name} broke off: see the log; the daemon has stopped"),
        None => Ok(()),
    }
}

/// The tasks that run, in the order in which they were started.
#[derive(Default)]
struct Stages {
    tasks: JoinSet<&'static str>,
    cancels: Vec<(&'static str, CancellationToken)>,
}

impl Stages {
    fn start<F>(&mut self, name: &'static str, stage: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let cancel = CancellationToken::new();
        let running = stage(cancel.clone());
        self.tasks.spawn(async move {
            running.await;
            name
        });
        self.cancels.push((name, cancel));
    }

    /// The name of a stage that ended although nobody stopped it.
    async fn first_to_end(&mut self) -> String {
        match self.tasks.join_next().await {
            Some(Ok(name)) => {
                self.cancels.retain(|(other, _)| *other != name);
                name.to_owned()
            }
            Some(Err(error)) => {
                tracing::error!(%error, "a stage broke off");
                "stage of the daemon".to_owned()
            }
            None => "daemon".to_owned(),
        }
    }

    /// Stops the last started first, each before the next.
    async fn stop(&mut self) {
        while let Some((name, cancel)) = self.cancels.pop() {
            cancel.cancel();
            while let Some(ended) = self.tasks.join_next().await {
                match ended {
                    Ok(ended) if ended == name => break,
                    Ok(other) => self.cancels.retain(|(open, _)| *open != other),
                    Err(error) => {
                        tracing::error!(%error, "a stage broke off while stopping");
                        break;
                    }
                }
            }
            tracing::debug!("the {name} has stopped");
        }
    }
}

/// Opens the database, waiting for one that is not there yet; `None` where `cancel` came first.
async fn open_store(config: &Config, cancel: &CancellationToken) -> anyhow::Result<Option<Store>> {
    let mut told = false;
    loop {
        let opening = Store::open(&config.database.url, config.database.timezone);
        let opened = tokio::select! {
            opened = opening => opened,
            () = cancel.cancelled() => return Ok(None),
        };
        match opened {
            Ok(store) => return Ok(Some(store)),
            Err(error @ StoreError::Unavailable(_)) => {
                if !told {
                    tracing::warn!("waiting for the database: {error}");
                    told = true;
                }
            }
            Err(error) => return Err(error.into()),
        }
        tokio::select! {
            () = tokio::time::sleep(DATABASE_RETRY) => {}
            () = cancel.cancelled() => return Ok(None),
        }
    }
}

/// Writes bad rule files and lost nodes to `error_log`.
async fn write_reports(
    journal: Journal,
    clock: Clock,
    mut notices: mpsc::Receiver<NodeNotice>,
    mut reports: mpsc::Receiver<RulesReport>,
    cancel: CancellationToken,
) {
    loop {
        let entry = tokio::select! {
            Some(notice) = notices.recv() => match notice {
                NodeNotice::Down { .. } => {
                    ErrorEntry::new(ErrorKind::Chain, notice.to_string(), clock.now())
                }
                // The outage of each of them has its row already.
                NodeNotice::AllDown { .. }
                | NodeNotice::Up { .. }
                | NodeNotice::AnyUp { .. } => continue,
            },
            Some(report) = reports.recv() => ErrorEntry {
                fingerprint: Some(report.fingerprint),
                ..ErrorEntry::new(ErrorKind::Rules, report.message, report.at)
            },
            () = cancel.cancelled() => break,
        };
        journal.error(entry).await;
    }
}

/// Gives a lease up at the end, so that another daemon need not wait until it runs out.
async fn give_up_lease(store: &Store, name: &str, owner: &str) {
    match tokio::time::timeout(LAST_RELEASE, store.release_lease(name, owner)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "the lease `{name}` runs out by itself"),
        Err(_) => {
            let seconds = LAST_RELEASE.as_secs();
            tracing::debug!(
                "the lease `{name}` runs out by itself: the database did not answer within {seconds} s"
            );
        }
    }
}

/// A name for this run that no other daemon has, now or later.
fn owner() -> String {
    format!("{}-{:08x}", std::process::id(), fastrand::u32(..))
}
