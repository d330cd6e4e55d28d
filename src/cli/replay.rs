//! `curatord replay`: the votes that rules would cast over recorded blocks.

use std::io::{self, Write};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use anyhow::bail;
use chrono::SecondsFormat;
use clap::ArgGroup;
use comfy_table::{Table, presets};
use serde::Serialize;

use crate::chain::block::Block;
use crate::chain::nodes::Nodes;
use crate::cli::{Exit, Format, counted, wants_colour};
use crate::clock::Clock;
use crate::config::{self, Config, ConfigFailure};
use crate::diagnostic::Problem;
use crate::diagnostic::render::render;
use crate::replay::{Replay, ReplayedVote, fetch, recordings};
use crate::rules;
use crate::rules::set::RuleSet;
use crate::weight::Weight;

/// Print the votes that the rules would cast over recorded blocks
///
/// Needs no database; with --blocks no network either. Of a post that is in none of the blocks nothing is
/// known: then filters for what it must not be pass, and filters for what it must be fail.
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
    let (rules, source) = match args.from.zip(args.to) {
        Some((from, to)) if from > to => {
            eprintln!("error: --from {from} is after --to {to}: exchange them");
            return Ok(Exit::WrongUsage);
        }
        Some((from, to)) => {
            let config = config::load(config, environment)?;
            let rules = read_rules(args.rules.as_ref().unwrap_or(&config.rules))?;
            let network = config.network;
            let nodes = Nodes::new(&network.nodes, network.kind, Clock::system(), None)?;
            (rules, Source::Nodes(nodes, from..=to))
        }
        None => {
            let rules = match &args.rules {
                Some(rules) => rules.clone(),
                None => rules_of(config::load(config, environment))?,
            };
            (read_rules(&rules)?, Source::Files(&args.blocks))
        }
    };
    let (votes, played) = play(&rules, source).await?;
    let mut out = io::stdout().lock();
    let written = match args.format {
        Format::Table => write_table(&votes, &played, &mut out),
        Format::Json => write_json(&votes, &mut out),
    };
    match written {
        // A reader that has seen enough closes the pipe.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Done),
        written => Ok(written.map(|()| Exit::Done)?),
    }
}

/// Where the blocks come from.
enum Source<'a> {
    Files(&'a [PathBuf]),
    Nodes(Nodes, RangeInclusive<u32>),
}

/// The blocks that were played.
#[derive(Debug, Default)]
struct Played {
    count: usize,
    /// The numbers of the first and the last.
    ends: Option<(u32, u32)>,
}

impl Played {
    fn add(&mut self, block: &Block) {
        self.count += 1;
        let first = self.ends.map_or(block.num, |(first, _)| first);
        self.ends = Some((first, block.num));
    }
}

async fn play(rules: &RuleSet, source: Source<'_>) -> anyhow::Result<(Vec<ReplayedVote>, Played)> {
    let mut replay = Replay::new(rules);
    let mut played = Played::default();
    let mut play = |block: &Block| {
        played.add(block);
        replay.block(block);
    };
    match source {
        Source::Nodes(nodes, range) => fetch::fetch(&nodes, range, play).await?,
        Source::Files(files) => {
            let mut blocks = Vec::new();
            for file in files {
                blocks.extend(recordings::read(file)?);
            }
            if blocks.is_empty() {
                bail!("there are no blocks in what --blocks names");
            }
            for warning in recordings::put_in_order(&mut blocks) {
                eprintln!("warning: {warning}");
            }
            blocks.iter().for_each(&mut play);
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
fn read_rules(path: &Path) -> anyhow::Result<RuleSet> {
    if !path.exists() {
        bail!(
            "there are no rules at {}: `--rules PATH` names a folder of rule files, or one",
            path.display()
        );
    }
    let read = rules::read::read(path);
    let colour = wants_colour(&io::stderr());
    for problem in &read.problems {
        eprintln!("{}", render(problem, colour));
    }
    if read.problems.iter().any(Problem::is_error) {
        bail!("nothing was replayed: mend the rules first");
    }
    if read.rules.is_empty() {
        eprintln!("warning: there are no rules in {}", path.display());
    }
    Ok(RuleSet::new(read.rules))
}

fn write_table(votes: &[ReplayedVote], played: &Played, out: &mut impl Write) -> io::Result<()> {
    if !votes.is_empty() {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header([
            "DUE (UTC)",
            "VOTER",
            "WEIGHT",
            "POST",
            "RULE",
            "BLOCK",
        ]);
        for vote in votes {
            table.add_row([
                vote.due_at.format("%F %T%.3f").to_string(),
                vote.key.voter.to_string(),
                vote.weight.to_string(),
                vote.key.post.to_string(),
                vote.rule.to_string(),
                vote.block.to_string(),
            ]);
        }
        for line in table.lines() {
            writeln!(out, "{}", line.trim())?;
        }
        writeln!(out)?;
    }
    let votes = counted(votes.len(), "vote");
    let blocks = counted(played.count, "block");
    match played.ends {
        Some((first, last)) if first < last => {
            writeln!(out, "{votes} over {blocks}, {first} to {last}")
        }
        Some((first, _)) => writeln!(out, "{votes} over block {first}"),
        None => writeln!(out, "{votes}"),
    }
}

/// What is told of a vote with `--format json`.
#[derive(Serialize)]
struct Line<'a> {
    voter: &'a str,
    author: &'a str,
    permlink: &'a str,
    /// Hundredths of a percent.
    weight: Weight,
    /// RFC 3339, UTC, with milliseconds.
    due: String,
    rule: &'a str,
    block: u32,
}

fn write_json(votes: &[ReplayedVote], out: &mut impl Write) -> io::Result<()> {
    for vote in votes {
        let line = Line {
            voter: vote.key.voter.as_str(),
            author: vote.key.post.author.as_str(),
            permlink: &vote.key.post.permlink,
            weight: vote.weight,
            due: vote.due_at.to_rfc3339_opts(SecondsFormat::Millis, true),
            rule: vote.rule.as_str(),
            block: vote.block,
        };
        serde_json::to_writer(&mut *out, &line)?;
        writeln!(out)?;
    }
    Ok(())
}
