//! `curatord vote`: queues one vote by hand.

use std::io;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::account::Account;
use crate::chain::nodes::Nodes;
use crate::cli::arguments::{self, When};
use crate::cli::output::{complain, print_line};
use crate::cli::{Exit, WrongUsage, configuration, reads_the_chain};
use crate::clock::Clock;
use crate::config::Config;
use crate::post::{PAYOUT_AFTER, PostId, VoteKey};
use crate::rules::rule::RuleId;
use crate::store::Store;
use crate::votes::asks::Ask;
use crate::votes::change::{Batch, Change, Plan};
use crate::votes::fold::Context;
use crate::votes::status::{Origin, Status};
use crate::votes::vote::Vote;
use crate::weight::Weight;

/// Time before the next attempt of a claimed vote in which it cannot be changed: the daemon may not notice in time.
const TOO_LATE_TO_CHANGE: TimeDelta = TimeDelta::seconds(10);
/// Maximum age of `--at` that still means now.
const STILL_NOW: TimeDelta = TimeDelta::minutes(1);
/// Maximum time to look at the post and the voter.
const LOOK_AT_MOST: Duration = Duration::from_secs(10);
/// Error if standard output cannot be written.
const NOT_PRINTED: &str = "the vote is queued, but the result cannot be printed";

/// Queue one vote by hand, to be cast now or later
///
/// A node is asked for the post first. A running daemon casts the vote; otherwise it waits until one runs. It replaces a vote that a rule has queued for
/// the same voter and post.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The post or comment: @author/permlink, or its address
    #[arg(value_name = "POST", value_parser = arguments::post)]
    pub post: PostId,
    /// Queue the vote even if no node knows the post or the voter's account
    #[arg(long)]
    pub force: bool,
    /// The account that votes
    #[arg(long, value_name = "NAME", value_parser = arguments::account)]
    pub voter: Account,
    /// The weight of the vote, -100% to 100%; negative for a downvote
    #[arg(long, value_name = "WEIGHT", value_parser = arguments::weight, allow_hyphen_values = true)]
    pub weight: Weight,
    /// When to cast the vote: "2026-11-22 18:00" or 2026-11-22T18:00:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = arguments::when)]
    pub at: Option<When>,
    /// The time zone of --at if it has none
    #[arg(long, value_name = "ZONE", value_parser = arguments::zone, default_value = "UTC")]
    pub timezone: Tz,
}

/// Runs the command.
///
/// # Errors
/// The configuration or the database fails, no node knows the post, or it is too late to change the voter's vote on it.
pub async fn run(args: &Args, config: Option<&Path>) -> anyhow::Result<Exit> {
    let clock = Clock::system();
    let now = clock.now();
    let at = args.at.map(|at| at.moment(args.timezone)).transpose()?;
    let due_at = at.unwrap_or(now);
    if due_at < now - STILL_NOW {
        let passed = "--at: this time has passed: leave out --at to vote now";
        bail!(WrongUsage(passed.to_owned()));
    }
    if due_at > now + PAYOUT_AFTER {
        let late = "--at: posts pay out 7 days after publication: choose an earlier time";
        bail!(WrongUsage(late.to_owned()));
    }
    let config = configuration(config)?;
    let store = Store::open_existing(&config.database.url, config.database.timezone).await?;
    let done = vote(args, &config, &store, clock, due_at).await;
    store.close().await;
    done
}

/// Queues the vote, and says what stands in its way.
async fn vote(
    args: &Args,
    config: &Config,
    store: &Store,
    clock: Clock,
    due_at: DateTime<Utc>,
) -> anyhow::Result<Exit> {
    let now = clock.now();
    let key = VoteKey {
        voter: args.voter.clone(),
        post: args.post.clone(),
    };
    let before = store.vote(&key).await?;
    if let Some(why) = before.as_ref().and_then(|row| too_late(row, now)) {
        bail!("{key}: {why}");
    }
    if !args.force {
        look(args, config, clock, due_at).await?;
    }
    let vote = queue(store, &key, args.weight, due_at.max(now), now).await?;
    print(&vote, before.as_ref(), now).context(NOT_PRINTED)?;
    if !reads_the_chain(store, now).await? {
        print_line("No daemon is running on this database: the vote waits until one is started.")
            .context(NOT_PRINTED)?;
    }
    let tokens = store.tokens(std::slice::from_ref(&key.voter)).await?;
    if tokens.is_empty() {
        complain(format_args!(
            "warning: @{} has no token: import one with `curatord auth import`, or the vote fails",
            key.voter
        ));
    }
    Ok(Exit::Done)
}

/// Looks at the post and the voter before the vote is queued. Nodes that do not answer are no obstacle: a daemon may reach
/// them when the vote is due.
async fn look(
    args: &Args,
    config: &Config,
    clock: Clock,
    due_at: DateTime<Utc>,
) -> anyhow::Result<()> {
    let network = &config.network;
    let nodes = Nodes::new(&network.nodes, network.kind, clock, None)?;
    let (post, voter) = (&args.post, &args.voter);
    let looked = tokio::time::timeout(LOOK_AT_MOST, async {
        tokio::join!(
            nodes.contents(std::slice::from_ref(post)),
            nodes.accounts(std::slice::from_ref(voter)),
        )
    });
    let (contents, accounts) = match looked.await {
        Ok((Ok(contents), Ok(accounts))) => (contents, accounts),
        Ok((Err(error), _) | (_, Err(error))) => return unseen(post, &error),
        Err(_) => return unseen(post, "the nodes did not answer in time"),
    };
    if accounts.is_empty() {
        bail!(
            "no node knows the account @{voter}: check --voter and `network.kind` (--force queues the vote all the same)"
        );
    }
    let Some(content) = contents.into_iter().next().flatten() else {
        bail!(
            "no node knows the post {post}: check its author and permlink, or try again in a few seconds if it is new \
             (--force queues the vote all the same)"
        );
    };
    if content.created + PAYOUT_AFTER <= due_at {
        let created = shown(content.created);
        bail!(
            "{post} of {created} has paid out by then: the vote would do nothing (--force queues it all the same)"
        );
    }
    if content.votes.of(voter) == Some(args.weight) {
        bail!("@{voter} has voted {} on {post} already", args.weight);
    }
    Ok(())
}

fn unseen(post: &PostId, why: impl std::fmt::Display) -> anyhow::Result<()> {
    complain(format_args!(
        "warning: {post} could not be looked up: {why}"
    ));
    Ok(())
}

/// Why a vote with the state of `row` cannot be changed any more.
fn too_late(row: &Vote, now: DateTime<Utc>) -> Option<String> {
    let Ask { weight, due_at, .. } = row.ask();
    let why = match row.status {
        Status::Cast => format!("a vote of {weight} has already been cast"),
        Status::Confirmed => format!("a vote of {weight} is already on the chain"),
        Status::Skipped | Status::DryRun if row.is_by_hand() => {
            "the voter has already voted with another application: change the vote there".to_owned()
        }
        Status::Queued if row.attempted(now) => {
            "a vote is already being cast: see `curatord explain`".to_owned()
        }
        Status::Queued if is_held(row, now) => format!(
            "it is too late to change the vote of {weight}, due {}: the daemon is about to cast it",
            shown(*due_at)
        ),
        _ => return None,
    };
    Some(why)
}

/// Whether a daemon has claimed the vote and casts it within a few seconds.
fn is_held(row: &Vote, now: DateTime<Utc>) -> bool {
    row.claimed_until.is_some_and(|until| until > now)
        && row.next_attempt_at - now < TOO_LATE_TO_CHANGE
}

/// Writes the vote to the queue, unclaimed.
async fn queue(
    store: &Store,
    key: &VoteKey,
    weight: Weight,
    due_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> anyhow::Result<Vote> {
    let read = store.cursor().await?;
    let plan = Plan {
        key: key.clone(),
        ask: Ask {
            rule: RuleId::from_stored(""),
            origin: Origin::Hand,
            weight,
            due_at,
            // Events in blocks up to this one are older than this vote.
            block: read.map_or(0, |cursor| cursor.block_num),
            at: now,
            leader: None,
        },
        may_be_edit: false,
    };
    let batch = Batch {
        changes: vec![Change::Plan(plan)],
        ..Batch::default()
    };
    let context = Context {
        owner: "",
        now,
        // Left for a daemon to claim.
        claim_before: DateTime::<Utc>::MIN_UTC,
        claim_until: now,
        confirm_within: Duration::ZERO,
        position: &|_| None,
    };
    store.apply(&batch, &context).await?;
    let row = store.vote(key).await?;
    let row = row.with_context(|| format!("{key}: the vote was not written to the database"))?;
    let ask = row.ask();
    if (ask.origin, ask.weight, ask.due_at) != (Origin::Hand, weight, due_at) {
        let why = too_late(&row, now);
        let why = why.unwrap_or_else(|| format!("the vote is now {}", row.status));
        bail!("{key}: {why}");
    }
    Ok(row)
}

fn print(vote: &Vote, before: Option<&Vote>, now: DateTime<Utc>) -> io::Result<()> {
    let VoteKey { voter, post } = &vote.key;
    let Ask { weight, due_at, .. } = *vote.ask();
    let when = match due_at <= now {
        true => "now".to_owned(),
        false => format!("at {}", shown(due_at)),
    };
    print_line(format_args!(
        "queued: @{voter} votes {weight} on {post}, {when}"
    ))?;
    let Some(before) = before.filter(|row| row.status == Status::Queued) else {
        return Ok(());
    };
    let Ask { weight, rule, .. } = before.ask();
    let by = match before.ask().origin {
        Origin::Hand => "by hand",
        _ => &format!("by {rule}"),
    };
    print_line(format_args!("It replaces a vote of {weight} queued {by}."))
}

fn shown(at: DateTime<Utc>) -> impl std::fmt::Display {
    at.format("%F %T UTC")
}
