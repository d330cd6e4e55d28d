//! `curatord explain`: why a post was, will be or will not be voted on.

mod look_up;
mod print;

use std::io;
use std::path::Path;

use chrono_tz::Tz;

use crate::account::Account;
use crate::chain::nodes::Nodes;
use crate::cli::arguments::{self, When};
use crate::cli::explain::look_up::Question;
use crate::cli::explain::print::{write_json, write_text};
use crate::cli::output::{complain, complain_about, unless_closed};
use crate::cli::{Exit, Format, configuration};
use crate::clock::Clock;
use crate::explain;
use crate::post::PostId;
use crate::rules;
use crate::rules::set::RuleSet;

/// Explain why a post was, will be or will not be voted on
///
/// Shows the condition that decides, with its value, for every rule that could concern the post. It is based on the current rule files, the
/// queue, the post, and the voters' mana.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The post or comment: @author/permlink, or its address
    #[arg(value_name = "POST", value_parser = arguments::post)]
    pub post: PostId,
    /// Show only this voter
    #[arg(long, value_name = "NAME", value_parser = arguments::account)]
    pub voter: Option<Account>,
    /// Show all rules and each voter, also rules about other authors
    #[arg(long)]
    pub all: bool,
    /// Explain as of this time: "2026-11-22 18:00" or 2026-11-22T18:00:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = arguments::when)]
    pub at: Option<When>,
    /// The time zone of --at if it has none
    #[arg(long, value_name = "ZONE", value_parser = arguments::zone, default_value = "UTC")]
    pub timezone: Tz,
    /// Output format
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// Runs the command. If the database or the nodes fail, it prints what is not known.
///
/// # Errors
/// The configuration cannot be read, or standard output cannot be written.
pub async fn run(args: &Args, config: Option<&Path>) -> anyhow::Result<Exit> {
    let clock = Clock::system();
    let at = args.at.map(|at| at.moment(args.timezone)).transpose()?;
    let now = at.unwrap_or_else(|| clock.now());
    let config = configuration(config)?;
    let rules = read_rules(&config.rules);
    let nodes = Nodes::new(&config.network.nodes, config.network.kind, clock, None)?;
    let voter = args.voter.as_ref();
    let known = Question {
        rules: &rules,
        voter,
        post: &args.post,
        now,
    }
    .look_up(&nodes, &config.database)
    .await?;
    let answers = explain::explain(&rules, voter, &known);
    let mut out = io::stdout().lock();
    let written = match args.format {
        Format::Table => write_text(&answers, &known, args.all, &mut out),
        Format::Json => write_json(&answers, &args.post, &mut out),
    };
    unless_closed(written)?;
    if let Ok(None) = known.content {
        complain(format_args!(
            "error: no node knows the post {}: check its author and permlink",
            args.post
        ));
        return Ok(Exit::Failed);
    }
    Ok(Exit::Done)
}

/// Reads the rules in `folder`, and prints their errors to standard error.
fn read_rules(folder: &Path) -> RuleSet {
    let read = rules::files::read::read(folder);
    let errors = read.problems.iter().filter(|problem| problem.is_error());
    complain_about(errors.clone());
    if errors.count() > 0 {
        complain(
            "warning: files with errors are left out here; a running daemon uses their last valid rules",
        );
    }
    RuleSet::new(read.rules)
}
