//! `curatord replay`: the votes that rules would cast over recorded blocks.

mod summary;
mod votes;

use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;
use clap::{ArgGroup, ValueEnum};

use crate::account::Account;
use crate::chain::block::Block;
use crate::chain::nodes::Nodes;
use crate::cli::output::complain;
use crate::cli::progress::Progress;
use crate::cli::{Exit, Format, wants_colour};
use crate::clock::Clock;
use crate::config::{self, Config, ConfigFailure};
use crate::diagnostic::Problem;
use crate::diagnostic::render::render;
use crate::network::ChainKind;
use crate::replay::summary::Summary;
use crate::replay::{fetch, recordings};
use crate::rules;
use crate::rules::language::percentage;
use crate::rules::set::RuleSet;
use crate::simulate::mana::Start;
use crate::simulate::replay::{Played, Replay};
use crate::weight::Weight;

/// Print the votes that the rules would cast over recorded blocks
///
/// Needs no database; with --blocks no network either. Of a post that is in none of the blocks nothing is
/// known: then filters for what it must not be pass, and filters for what it must be fail. Pending payouts are
/// in no block: every post passes `payout.max`. Each voter's mana is reckoned from what it starts with.
#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("source").required(true).args(["blocks", "from"])))]
pub struct Args {
    /// Blocks as nodes answer with them: one, an array, or one a line; in any order
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "to")]
    pub blocks: Vec<PathBuf>,
    /// The first block to fetch from the nodes of the configuration
    #[arg(long, value_name = "N", requires = "to", value_parser = clap::value_parser!(u32).range(1..))]
    pub from: Option<u32>,
    /// The last block to fetch
    #[arg(long, value_name = "M", requires = "from", value_parser = clap::value_parser!(u32).range(1..))]
    pub to: Option<u32>,
    /// A folder of rule files, or one file [default: the folder of the configuration]
    #[arg(long, value_name = "PATH")]
    pub rules: Option<PathBuf>,
    /// What mana the voters start with: of all, or of one as in alice=80%; may be repeated
    #[arg(long, value_name = "[VOTER=]PERCENT", value_parser = parse_mana, default_value = "100%")]
    pub mana: Vec<StartMana>,
    /// What a vote costs: 2 % of all mana for a full one on Hive, 2 % of what is there on Steem [default: the
    /// kind of the configuration, else hive]
    #[arg(long, value_enum, value_name = "CHAIN")]
    pub kind: Option<Kind>,
    /// How the result is printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// Runs the command: votes go to standard output, problems and warnings to standard error.
///
/// # Errors
/// When rules, configuration or blocks cannot be had.
pub async fn run(
    args: &Args,
    config: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> anyhow::Result<Exit> {
    if let Some((from, to)) = args.from.zip(args.to)
        && from > to
    {
        complain(format_args!(
            "error: --from {from} is after --to {to}: exchange them"
        ));
        return Ok(Exit::WrongUsage);
    }
    let config = config::load(config, environment);
    let kind = config.as_ref().map(|config| config.network.kind).ok();
    let (rules, source) = match args.from.zip(args.to) {
        Some((from, to)) => {
            let config = config?;
            let rules = read_rules(args.rules.as_ref().unwrap_or(&config.rules))?;
            let network = config.network;
            let nodes = Nodes::new(&network.nodes, network.kind, Clock::system(), None)?;
            (rules, Source::Nodes(nodes, from..=to))
        }
        None => {
            let rules = match &args.rules {
                Some(rules) => rules.clone(),
                None => rules_of(config)?,
            };
            (read_rules(&rules)?, Source::Files(&args.blocks))
        }
    };
    let kind = args.kind.map(ChainKind::from).or(kind);
    let start = start_of(&args.mana, kind.unwrap_or(ChainKind::Hive));
    let (outcome, blocks) = play(&rules, start, source).await?;
    let mut out = io::stdout().lock();
    let written = match args.format {
        Format::Table => votes::write_table(&outcome.votes, &blocks, &mut out)
            .and_then(|()| summary::write(&Summary::new(&outcome), &mut out)),
        Format::Json => votes::write_json(&outcome.votes, &mut out),
    };
    match written {
        // A reader that has seen enough closes the pipe.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Done),
        written => Ok(written.map(|()| Exit::Done)?),
    }
}

/// `--kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Hive
    Hive,
    /// Steem
    Steem,
}

impl From<Kind> for ChainKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Hive => Self::Hive,
            Kind::Steem => Self::Steem,
        }
    }
}

/// One value of `--mana`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartMana {
    /// `None` for everybody who is not named.
    pub voter: Option<Account>,
    /// 0 to 100 %.
    pub mana: Weight,
}

fn parse_mana(text: &str) -> Result<StartMana, String> {
    let (voter, percent) = match text.split_once('=') {
        Some((voter, percent)) => (Some(voter), percent),
        None => (None, text),
    };
    let voter = voter.map(Account::parse).transpose();
    let hundredths = percentage::parse(percent).map_err(|error| error.to_string())?;
    let mana = Weight::from_hundredths(hundredths.into()).filter(|_| hundredths >= 0);
    Ok(StartMana {
        voter: voter.map_err(|error| error.to_string())?,
        mana: mana.ok_or("mana is 0% to 100%")?,
    })
}

fn start_of(mana: &[StartMana], kind: ChainKind) -> Start {
    let mut start = Start {
        kind,
        ..Start::default()
    };
    for value in mana {
        match &value.voter {
            Some(voter) => {
                start.mana_of.insert(voter.clone(), value.mana);
            }
            None => start.mana = value.mana,
        }
    }
    start
}

/// Where the blocks come from.
enum Source<'a> {
    Files(&'a [PathBuf]),
    Nodes(Nodes, RangeInclusive<u32>),
}

/// The blocks that were played.
#[derive(Debug, Default)]
struct Blocks {
    count: usize,
    /// The numbers of the first and the last.
    ends: Option<(u32, u32)>,
}

impl Blocks {
    fn add(&mut self, block: &Block) {
        self.count += 1;
        let first = self.ends.map_or(block.num, |(first, _)| first);
        self.ends = Some((first, block.num));
    }
}

async fn play(
    rules: &Arc<RuleSet>,
    start: Start,
    source: Source<'_>,
) -> anyhow::Result<(Played, Blocks)> {
    let mut replay = Replay::new(rules, start);
    let mut played = Blocks::default();
    let mut play = |block: &Block, progress: &mut Progress| {
        played.add(block);
        replay.block(block);
        progress.set(played.count);
    };
    match source {
        Source::Nodes(nodes, range) => {
            let mut progress = Progress::of(range.clone().count());
            fetch::fetch(&nodes, range, |block| play(block, &mut progress)).await?;
        }
        Source::Files(files) => {
            let mut blocks = Vec::new();
            for file in files {
                blocks.extend(recordings::read(file, Clock::system().now())?);
            }
            if blocks.is_empty() {
                bail!("there are no blocks in what --blocks names");
            }
            for warning in recordings::put_in_order(&mut blocks) {
                complain(format_args!("warning: {warning}"));
            }
            let mut progress = Progress::of(blocks.len());
            for block in &blocks {
                play(block, &mut progress);
            }
        }
    }
    Ok((replay.finish(), played))
}

/// The folder of rules that the configuration names, also where other parts of it are wrong.
fn rules_of(config: Result<Config, ConfigFailure>) -> Result<PathBuf, ConfigFailure> {
    match config {
        Ok(config) => Ok(config.rules),
        Err(mut failure) => failure.rules.take().ok_or(failure),
    }
}

/// The rules at `path`; what is wrong or doubtful about them goes to standard error.
fn read_rules(path: &Path) -> anyhow::Result<Arc<RuleSet>> {
    if !path.exists() {
        bail!(
            "there are no rules at {}: `--rules PATH` names a folder of rule files, or one",
            path.display()
        );
    }
    let read = rules::files::read::read(path);
    let colour = wants_colour(&io::stderr());
    for problem in &read.problems {
        complain(render(problem, colour));
    }
    if read.problems.iter().any(Problem::is_error) {
        bail!("nothing was replayed: mend the rules first");
    }
    if read.rules.is_empty() {
        complain(format_args!(
            "warning: there are no rules in {}",
            path.display()
        ));
    }
    Ok(Arc::new(RuleSet::new(read.rules)))
}
