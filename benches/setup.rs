//! What both programs share: a sandbox with voters, a daemon with all its stages in this process, a bare
//! loop of requests to compare it with, and figures.

#![allow(dead_code, reason = "each of the benches that share it uses its part")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use curatord::clock::Clock;
use curatord::config::{self, Config};
use curatord::daemon::{self, Options};
use curatord::http_client;
use curatord::network::ChainKind;
use curatord::post::PostId;
use curatord::sandbox::requests::Request;
use curatord::sandbox::{Sandbox, SandboxConfig};
use curatord::store::{Store, TokenRow};
use curatord::votes::vote::Vote;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Rows that may wait to be counted; a row that finds no room would not be counted.
const ROWS_WAITING: usize = 200_000;

/// Names a MySQL or MariaDB database to use instead of a file of SQLite.
const DATABASE_VARIABLE: &str = "CURATORD_BENCH_MYSQL";

/// A sandbox with voters, and all that a daemon needs to work with it.
pub struct Bench {
    pub sandbox: Arc<Sandbox>,
    pub config: Config,
    pub clock: Clock,
    /// Each voter with its token.
    pub voters: Vec<(String, String)>,
    _folder: TempDir,
}

impl Bench {
    /// Starts a sandbox with these voters and writes `rules` for them.
    pub async fn start(
        rules: &str,
        voters: Vec<String>,
        block_interval: Duration,
    ) -> anyhow::Result<Self> {
        let sandbox = SandboxConfig::every(ChainKind::Hive, block_interval);
        let sandbox = Arc::new(Sandbox::start(sandbox).await?);
        let folder = tempfile::tempdir()?;
        let config = write_files(folder.path(), rules, &sandbox)?;
        let mut tokens = Vec::new();
        let mut rows = Vec::new();
        for voter in voters {
            let issued = sandbox.add_voter(&voter);
            let expires_in = TimeDelta::seconds(issued.expires_in);
            rows.push(TokenRow {
                voter: curatord::account::Account::parse(&voter)?,
                access_token: issued.access.clone().into(),
                refresh_token: Some(issued.refresh.into()),
                expires_at: Some(Clock::system().now() + expires_in),
            });
            tokens.push((voter, issued.access));
        }
        let store = Store::open(&config.database.url, config.database.timezone).await?;
        store.import_tokens(&rows).await?;
        Ok(Self {
            sandbox,
            config,
            clock: Clock::system(),
            voters: tokens,
            _folder: folder,
        })
    }

    /// Adds voters that the daemon knows nothing of, for the bare loop.
    pub fn add_strangers(&mut self, names: impl Iterator<Item = String>) {
        for name in names {
            let token = self.sandbox.add_voter(&name).access;
            self.voters.push((name, token));
        }
    }

    /// Runs the daemon while `work` goes on; it is given the rows that are written.
    pub async fn with_daemon<T>(
        &self,
        work: impl AsyncFnOnce(&mut mpsc::Receiver<Vote>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let (observer, mut rows) = mpsc::channel(ROWS_WAITING);
        let cancel = CancellationToken::new();
        let head = self.sandbox.with_chain(|chain| chain.head().num);
        let options = Options {
            config: Options::unchanging(Arc::new(self.config.clone())),
            clock: self.clock,
            dry_run: false,
            from_block: Some(head),
            observer: Some(observer),
            reload: Arc::new(Notify::new()),
            wrap: None,
        };
        let mut running = JoinSet::new();
        running.spawn(daemon::run(options, cancel.clone()));
        let reads = |requests: &[Request]| requests.len() >= 3;
        let node = &self.sandbox.node(0).endpoint().requests;
        ensure!(
            node.wait_until(Duration::from_secs(10), reads).await,
            "the daemon does not read the chain"
        );
        let result = work(&mut rows).await;
        cancel.cancel();
        while let Some(ended) = running.join_next().await {
            ended??;
        }
        result
    }

    /// When each vote on one of these posts arrived at the signer, in the order of arrival.
    pub fn arrivals(&self, on: impl Fn(&PostId) -> bool) -> Vec<Request> {
        let all = self.sandbox.signer().endpoint().requests.all();
        let wanted = |request: &Request| request.vote.as_ref().is_some_and(|(post, _)| on(post));
        all.into_iter().filter(wanted).collect()
    }

    /// Posts a vote of every voter named in `votes` and does no more: `in_flight` at a time, each not before
    /// its moment.
    pub async fn bare(
        &self,
        votes: Vec<(usize, PostId, DateTime<Utc>)>,
        weight: i16,
        in_flight: usize,
    ) -> anyhow::Result<()> {
        let http = http_client::builder()
            .pool_max_idle_per_host(in_flight)
            .build()?;
        let url: Arc<str> = format!("{}/api/broadcast", self.sandbox.signer_url()).into();
        let (votes, next) = (Arc::new(votes), Arc::new(AtomicUsize::new(0)));
        let mut workers = JoinSet::new();
        for _ in 0..in_flight {
            let (http, url, votes, next) = (http.clone(), url.clone(), votes.clone(), next.clone());
            let (voters, clock) = (self.voters.clone(), self.clock);
            workers.spawn(async move {
                while let Some((voter, post, due)) = votes.get(next.fetch_add(1, Ordering::Relaxed))
                {
                    clock.sleep_until(*due).await;
                    let (voter, token) = &voters[*voter];
                    let vote = json!({"voter": voter, "author": post.author.as_str(), "permlink": &*post.permlink, "weight": weight});
                    let request = http.post(&*url).header("Authorization", token);
                    let answer = request.json(&json!({"operations": [["vote", vote]]})).send();
                    let answer = answer.await?;
                    let status = answer.status();
                    let text = answer.text().await?;
                    ensure!(status.is_success(), "{status}: {text}");
                }
                anyhow::Ok(())
            });
        }
        while let Some(ended) = workers.join_next().await {
            ended??;
        }
        Ok(())
    }

    /// Which database it is.
    pub fn database(&self) -> &'static str {
        match std::env::var_os(DATABASE_VARIABLE) {
            Some(_) => "MySQL",
            None => "SQLite",
        }
    }
}

/// Writes rules and configuration, and reads the latter back.
fn write_files(folder: &Path, rules: &str, sandbox: &Sandbox) -> anyhow::Result<Config> {
    std::fs::create_dir(folder.join("rules"))?;
    std::fs::write(folder.join("rules/bench.toml"), rules)?;
    let database = std::env::var(DATABASE_VARIABLE)
        .unwrap_or_else(|_| format!("sqlite://{}", folder.join("bench.db").display()));
    let path = folder.join("curatord.toml");
    std::fs::write(&path, sandbox.curatord_toml("rules", &database))?;
    config::load(Some(&path), []).context("the configuration of the sandbox cannot be read")
}

/// Reads rows until `enough` of them were counted, or for a minute.
pub async fn rows_until(
    rows: &mut mpsc::Receiver<Vote>,
    mut enough: impl FnMut(Vote) -> bool,
) -> anyhow::Result<()> {
    let reading = async {
        while let Some(row) = rows.recv().await {
            if enough(row) {
                return Ok(());
            }
        }
        anyhow::bail!("the daemon has ended")
    };
    tokio::time::timeout(Duration::from_secs(60), reading)
        .await
        .context("the votes were not all written within a minute")?
}

/// Milliseconds, with what is below.
pub fn millis(span: TimeDelta) -> f64 {
    span.num_nanoseconds().unwrap_or(i64::MAX) as f64 / 1e6
}

/// p50, p99 and the largest of these milliseconds.
pub fn spread(mut values: Vec<f64>) -> String {
    values.sort_by(f64::total_cmp);
    let at = |part: f64| {
        let index = (values.len() as f64 * part).ceil() as usize;
        values.get(index.max(1) - 1).copied().unwrap_or(f64::NAN)
    };
    format!(
        "p50 {:8.1} ms   p99 {:8.1} ms   max {:8.1} ms",
        at(0.5),
        at(0.99),
        at(1.0)
    )
}

/// So many in the time from the first to the last.
pub fn per_second(count: usize, first: DateTime<Utc>, last: DateTime<Utc>) -> f64 {
    count as f64 / (millis(last - first) / 1e3).max(1e-9)
}
