//! `curatord demo`: a daemon and a sandbox in one process, with the example rules.

mod examples;
mod saves;
mod screen;
mod story;
mod tally;

use std::fmt::Write as _;
use std::fs::Permissions;
use std::io::{self, Stdout};
use std::os::unix::fs::PermissionsExt;
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

use self::saves::Saves;
use self::screen::{Screen, wrapped};
use self::story::{Past, VOTERS};
use self::tally::Tally;
use crate::account::Account;
use crate::cli::stop::StopSignals;
use crate::cli::{Exit, program, wants_colour};
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

/// Show curatord at work on a simulated chain, with the example rules
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Run for this long, such as 1m [default: about 20 seconds, until all votes are done]
    #[arg(long = "for", value_name = "DURATION", value_parser = lasting)]
    pub duration: Option<Duration>,
    /// Run until Ctrl-C
    #[arg(long, conflicts_with = "duration")]
    pub forever: bool,
    /// Seed of the random activity after the first 20 seconds
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

/// Time between blocks: 1 second, a third of that of the real chains.
const BLOCK_INTERVAL: Duration = Duration::from_secs(1);
/// Average time between random actions after the story.
const PACE: Duration = Duration::from_secs(3);
/// Time between the last random action and the end, so that all votes are confirmed: the longest delay and some blocks.
const LAST_VOTES: Duration = Duration::from_secs(11);
/// Maximum duration of the story, even if it fails to finish.
const STORY_TIMEOUT: Duration = Duration::from_secs(60);
/// Maximum time until the daemon reads its first block.
const START_TIMEOUT: Duration = Duration::from_secs(20);
/// Time between two looks at the rules folder.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Capacity of the channel to the screen, in rows.
const WAITING: usize = 1_000;

/// Runs until the time is over or a signal arrives, and removes all temporary files.
///
/// # Errors
/// The temporary folder, the sandbox or the daemon fails, or the output cannot be written.
pub async fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut signals = StopSignals::of_terminal()?;
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
        screen: Screen::new(io::stdout(), wants_colour(&io::stdout()), clock),
        daemon: JoinSet::new(),
        rows,
    };
    show.daemon.spawn(daemon::run(options, cancel.clone()));
    let shown = tokio::select! {
        shown = show.play(args) => shown,
        () = signals.next() => Ok(()),
    };
    cancel.cancel();
    // A second signal does not wait for requests in flight.
    let ended = tokio::select! {
        ended = show.end() => ended,
        () = signals.next() => Ok(()),
    };
    show.daemon.shutdown().await;
    let mut screen = show.screen;
    stage.tear_down().await?;
    let printed = shown.and(ended).and_then(|()| {
        let farewell = farewell(&screen.tally);
        screen.text(&farewell)?;
        Ok(())
    });
    match printed {
        // The reader has closed the pipe.
        Err(error) if is_broken_pipe(&error) => Ok(Exit::Done),
        printed => printed.map(|()| Exit::Done),
    }
}

/// The environment of the daemon, which is removed at the end.
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
        let past = Past::publish(&sandbox, clock);
        let folder = tempfile::Builder::new()
            .prefix("curatord-demo-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir();
        let folder = folder.context("cannot create a temporary folder")?;
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

    /// Stops the sandbox and removes the folder.
    async fn tear_down(self) -> anyhow::Result<()> {
        let path = self.folder.path().to_owned();
        let closed = self.folder.close();
        if let Some(sandbox) = Arc::into_inner(self.sandbox) {
            sandbox.shutdown().await;
        }
        closed.with_context(|| format!("cannot remove {}", path.display()))
    }
}

/// Writes rules, configuration and tokens.
async fn prepare(folder: &Path, sandbox: &Sandbox, clock: Clock) -> anyhow::Result<Config> {
    let rules = folder.join("rules");
    std::fs::create_dir(&rules)?;
    for (name, text) in examples::FILES {
        std::fs::write(rules.join(name), examples::with_short_delays(text))?;
    }
    let settings = folder.join("curatord.toml");
    let text = sandbox.curatord_toml("rules", "sqlite://demo.db");
    std::fs::write(&settings, format!("{text}\n[http]\nlisten = \"\"\n"))?;
    // Ignores the environment, which is meant for a real daemon.
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
    store.close().await;
    Ok(config)
}

/// The running daemon and its display.
struct Show<'a> {
    stage: &'a Stage,
    screen: Screen<Stdout>,
    daemon: JoinSet<anyhow::Result<()>>,
    /// Rows of the queue, as the daemon writes them.
    rows: mpsc::Receiver<Vote>,
}

impl Show<'_> {
    /// Prints everything that happens until the end.
    async fn play(&mut self, args: &Args) -> anyhow::Result<()> {
        let rules = self.stage.folder.path().join("rules");
        self.screen.text(&introduction(args, &rules))?;
        self.wait_for_daemon().await?;
        self.screen.headings()?;
        let sandbox = &self.stage.sandbox;
        let mut saves = Saves::of(&rules);
        let mut looks = tokio::time::interval(LOOK_EVERY);
        let plot = self.stage.plot(args, &rules);
        tokio::pin!(plot);
        let mut plot_is_over = false;
        let end = Instant::now() + args.duration.unwrap_or(STORY_TIMEOUT);
        let mut next = sandbox.with_chain(|chain| chain.head().num) + 1;
        while args.outlasts_story() || !plot_is_over || !self.screen.tally.is_settled() {
            tokio::select! {
                Some(ended) = self.daemon.join_next() => return too_early(ended?),
                Some(row) = self.rows.recv() => self.screen.row(&row)?,
                _ = looks.tick() => {
                    for save in saves.look() {
                        self.screen.save(&save)?;
                    }
                }
                true = sandbox.wait_for_block(next, Duration::MAX) => {
                    let screen = &mut self.screen;
                    sandbox.with_chain(|chain| chain.block(next).map_or(Ok(()), |block| screen.block(block)))?;
                    next += 1;
                }
                plot = &mut plot, if !plot_is_over => {
                    plot?;
                    plot_is_over = true;
                }
                () = sleep_until(end), if !args.forever => break,
            }
        }
        Ok(())
    }

    /// Waits until the daemon reads blocks, since it does not see earlier events.
    async fn wait_for_daemon(&mut self) -> anyhow::Result<()> {
        let reads = |requests: &[Request]| requests.len() > 1;
        let node = &self.stage.sandbox.node(0).endpoint().requests;
        tokio::select! {
            reads = node.wait_until(START_TIMEOUT, reads) => {
                ensure!(reads, "the daemon did not start to read the simulated chain");
                Ok(())
            }
            Some(ended) = self.daemon.join_next() => too_early(ended?),
        }
    }

    /// Prints the rows that the daemon writes while it stops.
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
    /// Plays the story, then random activity if there is more time.
    async fn plot(&self, args: &Args, rules: &Path) -> anyhow::Result<()> {
        let start = Instant::now();
        story::play(&self.sandbox, &self.past, rules).await?;
        if args.outlasts_story() {
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
            // The activity never ends by itself, so the timeout is expected.
            let _ = tokio::time::timeout_at(until, life.run(self.sandbox.clone())).await;
        }
        Ok(())
    }
}

impl Args {
    /// Whether the demo lasts longer than the story.
    fn outlasts_story(&self) -> bool {
        self.forever || self.duration.is_some()
    }
}

/// The words of the table, explained.
const WORDS: &str = "
What the table says:

  queued     A rule asks for a vote. It goes out when the rule's delay is over.
  waits      It is due, but cannot go out yet.
  cast       It was sent, and the signer accepted it. \"3 ms late\" is the time
             between the moment it was due and the moment it was sent.
  confirmed  A block of the chain holds it.
  skipped    No vote, because the voter or the rule says no.
  withdrawn  No vote, because what it followed is gone.
  failed     The signer or the chain refused it for good.
  saved      A rule file has changed. A mistake leaves the old rules in force.

Everything else is what people do on the chain: they post, comment, edit,
delete, vote, and retract votes.
";

fn too_early(ended: anyhow::Result<()>) -> anyhow::Result<()> {
    ended?;
    bail!("the daemon stopped unexpectedly")
}

fn introduction(args: &Args, rules: &Path) -> String {
    let mut text = format!(
        "This demo runs a real curatord with an SQLite database in a temporary folder, on a simulated chain and signer.\n\
         Nothing leaves this computer, and no real account votes. A block is produced every {}.\n\n\
         @{} vote by the example rules, with shorter delays:\n\n",
        Written(BLOCK_INTERVAL),
        VOTERS.join(" and @"),
    );
    for lesson in examples::lessons() {
        let (rule, says) = (lesson.rule.as_str(), lesson.says);
        let when = match lesson.delay {
            Some((here, written)) => {
                let (here, written) = (Written(here), Written(written));
                format!("after {here} (in the file: {written})")
            }
            None => "at once".to_owned(),
        };
        _ = writeln!(text, "  {rule}\n      {says}, {when}");
    }
    text += WORDS;
    let end = match (args.duration, args.forever) {
        (Some(lasts), _) => format!("The demo ends after {}", Written(lasts)),
        (None, true) => "The demo runs until Ctrl-C".to_owned(),
        (None, false) => "The demo ends after about 20 seconds".to_owned(),
    };
    if args.outlasts_story() {
        _ = write!(
            text,
            "\nChange a file in this folder to see the effect:\n  {}\n",
            program::path(rules)
        );
    }
    let sooner = if args.forever { "" } else { ", or on Ctrl-C" };
    wrapped(&(text + &format!("\n{end}{sooner}.\n\n")), 6)
}

fn farewell(tally: &Tally) -> String {
    let program = program::name();
    let text = format!(
        "\n{}The temporary folder has been removed. Next steps:\n\n\
         Try your own rules on a simulated chain:\n  {program} sandbox\n\
         Find the errors in a rule file:\n  {program} check FILE\n\
         Run with your own curatord.toml without casting votes:\n  {program} run --dry-run\n\n",
        tally.summary()
    );
    wrapped(&text, 2)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// A duration of at least a second.
fn lasting(text: &str) -> Result<Duration, String> {
    match duration::parse(text) {
        Ok(lasts) if lasts < Duration::from_secs(1) || lasts > duration::WEEK => {
            Err("must be 1s to 7d; to run until Ctrl-C, use --forever".to_owned())
        }
        lasts => lasts.map_err(|error| format!("{error}: write it like 30s or 5m")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_1_second_to_7_days() {
        assert_eq!(lasting("1m 30s"), Ok(Duration::from_secs(90)));
        for wrong in ["0s", "30", "8d", "soon"] {
            assert!(lasting(wrong).is_err(), "{wrong}");
        }
    }
}
