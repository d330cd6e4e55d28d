//! `curatord demo`: daemon and sandbox together, with the example rules, for people to watch.

mod examples;
mod screen;
mod story;
mod tally;

use std::fmt::Write as _;
use std::io::{self, Stdout};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use chrono::TimeDelta;
use tempfile::TempDir;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use self::screen::Screen;
use self::story::{Past, VOTERS};
use self::tally::Tally;
use crate::account::Account;
use crate::cli::stop::StopSignals;
use crate::cli::{Exit, program};
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::daemon::{self, Options};
use crate::network::ChainKind;
use crate::sandbox::requests::Request;
use crate::sandbox::scenario::Scenario;
use crate::sandbox::{Sandbox, SandboxConfig};
use crate::store::{Store, TokenRow};
use crate::toml_reader::duration::{self, Written};
use crate::votes::vote::Vote;

/// Watch it work: a simulated chain and signer, a real daemon, the example rules
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Last so long, such as 1m [default: until the story is told]
    #[arg(long = "for", value_name = "DURATION", value_parser = lasting)]
    pub duration: Option<Duration>,
    /// Go on until Ctrl-C
    #[arg(long, conflicts_with = "duration")]
    pub forever: bool,
    /// Another number, another life after the story
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

/// Three times as fast as the real chains.
const BLOCK_INTERVAL: Duration = Duration::from_secs(1);
/// On average somebody does something so often, after the story.
const PACE: Duration = Duration::from_secs(3);
/// Life stops so long before the end, so that all votes are seen in a block by then: the longest delay and
/// some blocks.
const LAST_VOTES: Duration = Duration::from_secs(11);
/// Should something go wrong with the story, it ends all the same.
const LONGEST_STORY: Duration = Duration::from_secs(60);
/// The daemon reads blocks long before that.
const STARTS_WITHIN: Duration = Duration::from_secs(20);
/// Lines that may wait to be printed.
const WAITING: usize = 1_000;

/// Runs until its time is over or it is asked to end; either way nothing is left behind.
///
/// # Errors
/// When the temporary folder, the sandbox or the daemon do not work.
pub async fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut signals = StopSignals::listen()?;
    let clock = Clock::system();
    let stage = Stage::set(clock).await?;
    let cancel = CancellationToken::new();
    let (observer, rows) = mpsc::channel(WAITING);
    let options = Options {
        config: Options::unchanging(stage.config.clone()),
        clock,
        dry_run: false,
        from_block: None,
        observer: Some(observer),
        reload: Arc::new(Notify::new()),
        wrap: None,
    };
    let mut show = Show {
        stage: &stage,
        screen: Screen::new(io::stdout(), screen::wants_colour(), clock),
        daemon: JoinSet::new(),
        rows,
    };
    show.daemon.spawn(daemon::run(options, cancel.clone()));
    let shown = tokio::select! {
        shown = show.go_on(args) => shown,
        () = signals.next() => Ok(()),
    };
    cancel.cancel();
    // A second signal does not wait for answers that are under way.
    let ended = tokio::select! {
        ended = show.end() => ended,
        () = signals.next() => Ok(()),
    };
    show.daemon.shutdown().await;
    let mut screen = show.screen;
    stage.strike().await?;
    let printed = shown.and(ended).and_then(|()| {
        let farewell = farewell(&screen.tally);
        screen.text(&farewell)?;
        Ok(())
    });
    match printed {
        // Whoever read along has seen enough.
        Err(error) if is_broken_pipe(&error) => Ok(Exit::Done),
        printed => printed.map(|()| Exit::Done),
    }
}

/// What the daemon works with, and all that must be gone at the end.
struct Stage {
    sandbox: Arc<Sandbox>,
    past: Past,
    folder: TempDir,
    config: Arc<Config>,
}

impl Stage {
    async fn set(clock: Clock) -> anyhow::Result<Self> {
        let sandbox = SandboxConfig::every(ChainKind::Hive, BLOCK_INTERVAL);
        let sandbox = SandboxConfig {
            first_time: Some(clock.now() - TimeDelta::hours(2)),
            ..sandbox
        };
        let sandbox = Sandbox::start(sandbox).await;
        let sandbox = Arc::new(sandbox.context("the sandbox cannot listen on 127.0.0.1")?);
        let past = Past::happen(&sandbox, clock);
        let folder = tempfile::Builder::new().prefix("curatord-demo-").tempdir();
        let folder = folder.context("the temporary folder cannot be made")?;
        let config = prepare(folder.path(), &sandbox, clock)
            .await
            .with_context(|| format!("cannot prepare {}", folder.path().display()))?;
        Ok(Self {
            sandbox,
            past,
            folder,
            config: Arc::new(config),
        })
    }

    /// Takes everything away.
    async fn strike(self) -> anyhow::Result<()> {
        let path = self.folder.path().to_owned();
        let closed = self.folder.close();
        if let Some(sandbox) = Arc::into_inner(self.sandbox) {
            sandbox.shutdown().await;
        }
        closed.with_context(|| format!("{} cannot be removed", path.display()))
    }
}

/// Writes rules, configuration and tokens.
async fn prepare(folder: &Path, sandbox: &Sandbox, clock: Clock) -> anyhow::Result<Config> {
    let rules = folder.join("rules");
    std::fs::create_dir(&rules)?;
    for (name, text) in examples::FILES {
        std::fs::write(rules.join(name), examples::hurried(text))?;
    }
    let settings = folder.join("curatord.toml");
    let text = sandbox.curatord_toml("rules", "sqlite://demo.db");
    std::fs::write(&settings, format!("{text}\n[http]\nlisten = \"\"\n"))?;
    // Without the environment: what is set there is meant for a real daemon.
    let config = config::load(Some(&settings), [])?;
    let tokens = VOTERS.map(|voter| {
        let issued = sandbox.add_voter(voter);
        TokenRow {
            voter: Account::from_chain(voter),
            access_token: issued.access.into(),
            refresh_token: Some(issued.refresh.into()),
            expires_at: Some(clock.now() + TimeDelta::seconds(issued.expires_in)),
        }
    });
    let store = Store::open(&config.database.url, config.database.timezone).await?;
    store.import_tokens(&tokens).await?;
    Ok(config)
}

/// The daemon at work, and who watches it.
struct Show<'a> {
    stage: &'a Stage,
    screen: Screen<Stdout>,
    daemon: JoinSet<anyhow::Result<()>>,
    /// As the daemon writes them.
    rows: mpsc::Receiver<Vote>,
}

impl Show<'_> {
    /// Prints what happens until it is over.
    async fn go_on(&mut self, args: &Args) -> anyhow::Result<()> {
        let rules = self.stage.folder.path().join("rules");
        self.screen.text(&introduction(args, &rules))?;
        self.wait_for_daemon().await?;
        self.screen.headings()?;
        let sandbox = &self.stage.sandbox;
        let (aside, mut asides) = mpsc::channel(WAITING);
        let plot = self.stage.plot(args, &rules, &aside);
        tokio::pin!(plot);
        let mut told = false;
        let end = Instant::now() + args.duration.unwrap_or(LONGEST_STORY);
        let mut next = sandbox.with_chain(|chain| chain.head().num) + 1;
        while args.goes_on() || !told || !self.screen.tally.is_settled() {
            tokio::select! {
                Some(ended) = self.daemon.join_next() => return too_early(ended?),
                Some(row) = self.rows.recv() => self.screen.row(&row)?,
                Some(text) = asides.recv() => self.screen.aside(&text)?,
                true = sandbox.wait_for_block(next, Duration::MAX) => {
                    let screen = &mut self.screen;
                    sandbox.with_chain(|chain| chain.block(next).map_or(Ok(()), |block| screen.block(block)))?;
                    next += 1;
                }
                plot = &mut plot, if !told => {
                    plot?;
                    told = true;
                }
                () = sleep_until(end), if !args.forever => break,
            }
        }
        Ok(())
    }

    /// Waits until the daemon reads blocks: what happens before, it does not see.
    async fn wait_for_daemon(&mut self) -> anyhow::Result<()> {
        let reads = |requests: &[Request]| requests.len() > 1;
        let node = &self.stage.sandbox.node(0).endpoint().requests;
        tokio::select! {
            reads = node.wait_until(STARTS_WITHIN, reads) => {
                ensure!(reads, "the daemon did not start to read the simulated chain");
                Ok(())
            }
            Some(ended) = self.daemon.join_next() => too_early(ended?),
        }
    }

    /// Prints what the daemon writes while it stops.
    async fn end(&mut self) -> anyhow::Result<()> {
        while let Some(row) = self.rows.recv().await {
            self.screen.row(&row)?;
        }
        while let Some(ended) = self.daemon.join_next().await {
            ended??;
        }
        Ok(())
    }
}

impl Stage {
    /// The story, and where there is more time life goes on after it.
    async fn plot(
        &self,
        args: &Args,
        rules: &Path,
        aside: &mpsc::Sender<String>,
    ) -> anyhow::Result<()> {
        let start = Instant::now();
        story::tell(&self.sandbox, &self.past, rules, aside).await?;
        if args.goes_on() {
            let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
            let life = Scenario {
                authors: names(&["bob", "carol", "photo.daily", "dave"]),
                leaders: names(&["curie", "art.guild", "ocd"]),
                others: names(&["erin", "frank", "mallory"]),
                voters: names(&VOTERS),
                pace: PACE,
                seed: args.seed,
            };
            let until = args
                .duration
                .map(|lasts| start + lasts.saturating_sub(LAST_VOTES));
            let until = until.unwrap_or(start + Duration::from_secs(u32::MAX.into()));
            // Life has no end of its own.
            let _ = tokio::time::timeout_at(until, life.run(self.sandbox.clone())).await;
        }
        Ok(())
    }
}

impl Args {
    /// Whether it lasts longer than the story.
    fn goes_on(&self) -> bool {
        self.forever || self.duration.is_some()
    }
}

fn too_early(ended: anyhow::Result<()>) -> anyhow::Result<()> {
    ended?;
    bail!("the daemon has ended by itself")
}

fn introduction(args: &Args, rules: &Path) -> String {
    let mut text = format!(
        "A simulated chain and signer, and a real curatord with an SQLite database in a temporary folder.\n\
         Nothing leaves this computer, and no real account votes. A block comes every {}.\n\n\
         @{} vote by the example rules, with shorter delays so that nobody has to wait:\n\n",
        Written(BLOCK_INTERVAL),
        VOTERS.join(" and @"),
    );
    for lesson in examples::lessons() {
        let (rule, says) = (lesson.rule.as_str(), lesson.says);
        _ = match lesson.delay {
            Some((here, written)) => writeln!(
                text,
                "  {rule:<30} {says}, after {} (in the example {})",
                Written(here),
                Written(written)
            ),
            None => writeln!(text, "  {rule:<30} {says}, at once"),
        };
    }
    let end = match (args.duration, args.forever) {
        (Some(lasts), _) => format!("It ends after {}", Written(lasts)),
        (None, true) => "It goes on until Ctrl-C".to_owned(),
        (None, false) => "It ends by itself after some 20 seconds".to_owned(),
    };
    if args.goes_on() {
        _ = write!(
            text,
            "\nSave a change to a file in {} and see what it does.",
            program::path(rules)
        );
    }
    let sooner = if args.forever { "" } else { ", or on Ctrl-C" };
    text + &format!("\n{end}{sooner}.\n\n")
}

fn farewell(tally: &Tally) -> String {
    let program = program::name();
    format!(
        "\n{}The temporary folder is gone. What to do next:\n\n\
         \x20 {program} sandbox            a chain like this one, to try your own rules against\n\
         \x20 {program} check FILE         what is wrong with a rule file\n\
         \x20 {program} run --dry-run      with your own curatord.toml: everything but casting\n\n",
        tally.summary()
    )
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// A duration of at least a second.
fn lasting(text: &str) -> Result<Duration, String> {
    match duration::parse(text) {
        Ok(lasts) if lasts < Duration::from_secs(1) || lasts > duration::WEEK => {
            Err("must be from 1s to 7d; --forever goes on until Ctrl-C".to_owned())
        }
        lasts => lasts.map_err(|error| format!("{error}: write it like 30s or 5m")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lasts_as_long_as_people_write() {
        assert_eq!(lasting("1m 30s"), Ok(Duration::from_secs(90)));
        for wrong in ["0s", "30", "8d", "soon"] {
            assert!(lasting(wrong).is_err(), "{wrong}");
        }
    }
}
