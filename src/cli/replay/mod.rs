//! `curatord replay`: the votes that the rules would cast for recorded blocks.

mod summary;
mod votes;

use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;
use clap::ArgGroup;

use crate::account::Account;
use crate::chain::block::Block;
use crate::chain::nodes::Nodes;
use crate::cli::arguments::ChainName;
use crate::cli::output::{complain, unless_closed};
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

/// Print the votes that the rules would cast for recorded blocks
///
/// Uses no database, and with --blocks no network. For posts that are not in the blocks, filters that require something
/// fail and filters that exclude something pass. Pending payouts are not in blocks: every post passes `payout.max`. Each
/// voter's mana is calculated from its start value.
#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("source").required(true).args(["blocks", "from"])))]
pub struct Args {
    /// Files of blocks in the JSON format of nodes: one block, an array, or one block per line; in any order
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "to")]
    pub blocks: Vec<PathBuf>,
    /// First block to fetch from the configured nodes
    #[arg(long, value_name = "N", requires = "to", value_parser = clap::value_parser!(u32).range(1..))]
    pub from: Option<u32>,
    /// Last block to fetch
    #[arg(long, value_name = "M", requires = "from", value_parser = clap::value_parser!(u32).range(1..))]
    pub to: Option<u32>,
    /// Rules folder, or one rule file [default: the configured rules folder]
    #[arg(long, value_name = "PATH")]
    pub rules: Option<PathBuf>,
    /// Mana at the start, for all voters or for one as in alice=80%; can be repeated
    #[arg(long, value_name = "[VOTER=]PERCENT", value_parser = parse_mana, default_value = "100%")]
    pub mana: Vec<StartMana>,
    /// The chain, which determines the mana of a full vote: 2% of the maximum on Hive, 2% of the current mana on Steem
    /// [default: the configured one, or else hive]
    #[arg(long, value_enum, value_name = "CHAIN")]
    pub kind: Option<ChainName>,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// Runs the command: prints votes to standard output, problems and warnings to standard error.
///
/// # Errors
/// The rules, the configuration or the blocks cannot be read.
pub async fn run(
    args: &Args,
    config: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> anyhow::Result<Exit> {
    if let Some((from, to)) = args.from.zip(args.to)
        && from > to
    {
        complain(format_args!(
            "error: --from {from} is after --to {to}: swap them"
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
    unless_closed(written)?;
    Ok(Exit::Done)
}

/// One value of `--mana`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartMana {
    /// `None` for all voters without a value of their own.
    pub voter: Option<Account>,
    /// Mana at the start: 0 to 100 %.
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
        mana: mana.ok_or("mana must be 0% to 100%")?,
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

/// Source of the blocks.
enum Source<'a> {
    Files(&'a [PathBuf]),
    Nodes(Nodes, RangeInclusive<u32>),
}

/// The blocks that were played.
#[derive(Debug, Default)]
struct Blocks {
    count: usize,
    /// Numbers of the first and the last block.
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
                bail!("the files of --blocks contain no blocks");
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

/// The rules folder of the configuration, even if other parts of it are invalid.
fn rules_of(config: Result<Config, ConfigFailure>) -> Result<PathBuf, ConfigFailure> {
    match config {
        Ok(config) => Ok(config.rules),
        Err(mut failure) => failure.rules.take().ok_or(failure),
    }
}

/// Reads the rules at `path`, and prints their problems to standard error.
fn read_rules(path: &Path) -> anyhow::Result<Arc<RuleSet>> {
    if !path.exists() {
        bail!(
            "{} does not exist: set `--rules` to a rules folder or a rule file",
            path.display()
        );
    }
    let read = rules::files::read::read(path);
    let colour = wants_colour(&io::stderr());
    for problem in &read.problems {
        complain(render(problem, colour));
    }
    if read.problems.iter().any(Problem::is_error) {
        bail!("nothing was replayed: fix the errors in the rules first");
    }
    if read.rules.is_empty() {
        complain(format_args!(
            "warning: there are no rules in {}",
            path.display()
        ));
    }
    Ok(Arc::new(RuleSet::new(read.rules)))
}
