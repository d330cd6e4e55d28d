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
use crate::cli::arguments;
use crate::cli::output::{complain, complain_about, unless_closed};
use crate::cli::progress::Progress;
use crate::cli::{Exit, Format, WrongUsage, environment};
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::diagnostic::Problem;
use crate::network::ChainKind;
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
    pub kind: Option<ChainKind>,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// Runs the command: prints votes to standard output, problems and warnings to standard error.
///
/// # Errors
/// The rules, the configuration or the blocks cannot be read.
pub async fn run(args: &Args, config: Option<&Path>) -> anyhow::Result<Exit> {
    let range = args.from.zip(args.to);
    if let Some((from, to)) = range.filter(|(from, to)| from > to) {
        let wrong = format!("--from {from} is after --to {to}: swap them");
        bail!(WrongUsage(wrong));
    }
    let (path, kind, nodes) = match config::load(config, environment()) {
        Ok(Config { rules, network, .. }) => {
            let path = args.rules.clone().unwrap_or(rules);
            let nodes = || Nodes::new(&network.nodes, network.kind, Clock::system(), None);
            let nodes = range.map(|_| nodes()).transpose()?;
            (path, network.kind, nodes)
        }
        // Files need only the rules folder of the configuration.
        Err(mut failure) => match args.rules.clone().or(failure.rules.take()) {
            Some(path) if range.is_none() => (path, ChainKind::Hive, None),
            _ => return Err(failure.into()),
        },
    };
    let rules = read_rules(&path)?;
    let kind = args.kind.unwrap_or(kind);
    let replay = Replay::new(&rules, start_of(&args.mana, kind));
    let (played, blocks) = match nodes.zip(range) {
        Some((nodes, (from, to))) => play_range(replay, &nodes, from..=to).await?,
        None => play_files(replay, &args.blocks)?,
    };
    let mut out = io::stdout().lock();
    let written = match args.format {
        Format::Table => votes::write_table(&played, &blocks, &mut out)
            .and_then(|()| summary::write(&played, &mut out)),
        Format::Json => votes::write_json(&played, &mut out),
    };
    unless_closed(written)?;
    Ok(Exit::Done)
}

/// One value of `--mana`: the mana at the start, 0 to 100 %, of a voter or of all voters without a value of their own.
type StartMana = (Option<Account>, Weight);

fn parse_mana(text: &str) -> Result<StartMana, String> {
    let (voter, percent) = match text.split_once('=') {
        Some((voter, percent)) => (Some(arguments::account(voter)?), percent),
        None => (None, text),
    };
    let hundredths = percentage::parse(percent).map_err(|error| error.to_string())?;
    let mana = Weight::from_hundredths(hundredths.into()).filter(|_| hundredths >= 0);
    Ok((voter, mana.ok_or("mana must be 0% to 100%")?))
}

fn start_of(mana: &[StartMana], kind: ChainKind) -> Start {
    let mut start = Start {
        kind,
        ..Start::default()
    };
    for (voter, mana) in mana.iter().cloned() {
        match voter {
            Some(voter) => drop(start.mana_of.insert(voter, mana)),
            None => start.mana = mana,
        }
    }
    start
}

/// The blocks that were played.
#[derive(Debug, Default)]
struct Blocks {
    count: usize,
    /// Numbers of the first and the last block.
    ends: Option<(u32, u32)>,
}

impl Blocks {
    fn play(&mut self, block: &Block, replay: &mut Replay, progress: &mut Progress) {
        self.count += 1;
        let first = self.ends.map_or(block.num, |(first, _)| first);
        self.ends = Some((first, block.num));
        replay.block(block);
        progress.set(self.count);
    }
}

async fn play_range(
    mut replay: Replay,
    nodes: &Nodes,
    range: RangeInclusive<u32>,
) -> anyhow::Result<(Played, Blocks)> {
    let mut blocks = Blocks::default();
    let mut progress = Progress::of(range.clone().count());
    let play = |block: &Block| blocks.play(block, &mut replay, &mut progress);
    fetch::fetch(nodes, range, play).await?;
    Ok((replay.finish(), blocks))
}

fn play_files(mut replay: Replay, files: &[PathBuf]) -> anyhow::Result<(Played, Blocks)> {
    let (read, warnings) = recordings::read_all(files, Clock::system().now())?;
    if read.is_empty() {
        bail!("the files of --blocks contain no blocks");
    }
    for warning in warnings {
        complain(format_args!("warning: {warning}"));
    }
    let mut blocks = Blocks::default();
    let mut progress = Progress::of(read.len());
    for block in &read {
        blocks.play(block, &mut replay, &mut progress);
    }
    Ok((replay.finish(), blocks))
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
    complain_about(&read.problems);
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
