//! Stages that are stopped while the writer takes nothing, as when the database has been away for long.

use chrono_tz::Tz;
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::*;
use crate::network::ChainKind;
use crate::rules::language;
use crate::sandbox::{Sandbox, SandboxConfig};
use crate::stop::Stop;
use crate::votes::change::Batch;

/// Far more than a stage that stops needs.
const SOON: Duration = Duration::from_secs(10);

/// A database in a folder of its own.
async fn store() -> (Arc<Store>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("curatord.db").display());
    let store = Store::open(&url.into(), Tz::UTC).await.unwrap();
    (Arc::new(store), folder)
}

/// A configuration with nothing set.
fn config() -> Config {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("curatord.toml");
    std::fs::write(&path, "").unwrap();
    crate::config::load(Some(&path), []).unwrap()
}

fn nodes(urls: &[String]) -> Nodes {
    Nodes::new(urls, ChainKind::Hive, Clock::system(), None).unwrap()
}

fn lease(name: &'static str, store: &Arc<Store>) -> Lease {
    Lease {
        name,
        store: store.clone(),
        owner: "daemon".to_owned(),
        clock: Clock::system(),
    }
}

async fn stops(stop: &Stop, mut stage: JoinSet<()>) {
    stop.request();
    tokio::time::timeout(SOON, stage.join_next())
        .await
        .expect("it does not wait for the writer");
}

/// Whether the lease is free. It is free afterwards, too.
async fn is_free(store: &Store, lease: &str) -> bool {
    let now = Clock::system().now();
    store.acquire_lease(lease, "other", now, now).await.unwrap()
}

#[tokio::test]
async fn the_reader_stops_while_its_blocks_are_not_taken() {
    let sandbox = Sandbox::start(SandboxConfig::manual(ChainKind::Hive))
        .await
        .unwrap();
    for _ in 0..200 {
        sandbox.produce_block();
    }
    let (store, _folder) = store().await;
    let (plans, mut taken) = mpsc::channel(1);
    let (_rules, rules) = watch::channel(Arc::new(RuleSet::default()));
    let reader = Reader {
        lease: lease(CHAIN_LEASE, &store),
        store: store.clone(),
        nodes: nodes(&sandbox.node_urls()),
        network: config().network,
        clock: Clock::system(),
        rules,
        post_changes: mpsc::channel(1).0,
        plans: plans.clone(),
        from_block: Some(90_000_001),
    };
    let stop = Stop::default();
    let mut stage = JoinSet::new();
    stage.spawn(reader.run(stop.clone()));
    // The first is taken, so that many more have been read when the second fills the channel.
    assert!(taken.recv().await.is_some());
    while plans.capacity() > 0 {
        tokio::task::yield_now().await;
    }
    stops(&stop, stage).await;
    assert!(is_free(&store, CHAIN_LEASE).await);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn schedules_stop_while_their_plans_are_not_taken() {
    let (store, _folder) = store().await;
    // A rule that was never seen is written down.
    let file = language::file::read(
        "a.toml",
        "[[author]]\nvoters = ['alice']\nauthors = ['bob']\nweight = '50%'\nschedule = { cron = '0 18 * * *' }",
    );
    let set = RuleSet::new(file.rules.into_iter().map(Arc::new).collect());
    let (_rules, rules) = watch::channel(Arc::new(set));
    let (plans, _taken) = mpsc::channel(1);
    plans.send(Batch::default()).await.unwrap();
    let scheduler = Scheduler::start().await.unwrap();
    let schedules = Schedules {
        lease: lease(SCHEDULES_LEASE, &store),
        store: store.clone(),
        nodes: nodes(&["http://127.0.0.1:9".to_owned()]),
        clock: Clock::system(),
        config: Options::unchanging(Arc::new(config())),
        rules,
        dry_run: false,
        plans,
        alarm: scheduler.alarm(Clock::system()),
    };
    let stop = Stop::default();
    let mut stage = JoinSet::new();
    stage.spawn(schedules.run(stop.clone()));
    while is_free(&store, SCHEDULES_LEASE).await {
        tokio::task::yield_now().await;
    }
    // Behind what it reads before it plans.
    for _ in 0..10 {
        store.schedule_runs().await.unwrap();
    }
    stops(&stop, stage).await;
    assert!(is_free(&store, SCHEDULES_LEASE).await);
}
