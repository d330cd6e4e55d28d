//! `curatord explain`: why a post was, will be or will not be voted on.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};
use std::path::Path;

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use secrecy::ExposeSecret;
use serde::Serialize;

use crate::account::Account;
use crate::cast::limits::LIMITS_LOOK_BACK;
use crate::chain::mana::AccountState;
use crate::chain::nodes::Nodes;
use crate::cli::arguments::{self, When};
use crate::cli::output::complain;
use crate::cli::{Exit, Format, configuration, counted, wants_colour};
use crate::clock::Clock;
use crate::config::Config;
use crate::diagnostic::Problem;
use crate::diagnostic::render::render;
use crate::explain::known::{Known, Tables, Told};
use crate::explain::{self, Answer, Says, shown};
use crate::post::{PostId, VoteKey};
use crate::queue::store::{Store, StoreError};
use crate::rules;
use crate::rules::facts::Facts;
use crate::rules::rule::RuleId;
use crate::rules::set::RuleSet;
use crate::weight::Weight;

/// Tell why a post was, will be or will not be voted on
///
/// For every rule of every voter the first condition that decides, with its value, by the rule files, the
/// queue, the post and the voters' mana as they are now.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The post or comment: @author/permlink
    #[arg(value_name = "POST", value_parser = arguments::post)]
    pub post: PostId,
    /// Only the rules of this voter
    #[arg(long, value_name = "NAME", value_parser = arguments::account)]
    pub voter: Option<Account>,
    /// As if it were then: "2026-11-22 18:00" or 2026-11-22T18:00:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = arguments::when)]
    pub at: Option<When>,
    /// The time zone of an --at that names none
    #[arg(long, value_name = "ZONE", value_parser = arguments::zone, default_value = "UTC")]
    pub timezone: Tz,
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// Runs the command. Without database or node it says what is not known, and the rest.
///
/// # Errors
/// When the configuration cannot be read, or nothing can be printed.
pub async fn run(
    args: &Args,
    config: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> anyhow::Result<Exit> {
    let clock = Clock::system();
    let now = match args.at.map(|at| at.moment(args.timezone)).transpose() {
        Ok(at) => at.unwrap_or_else(|| clock.now()),
        Err(error) => {
            complain(format_args!("error: --at: {error}"));
            return Ok(Exit::WrongUsage);
        }
    };
    let config = configuration(config, environment)?;
    let rules = read_rules(&config.rules);
    let voters = explain::voters(&rules, args.voter.as_ref());
    let nodes = Nodes::new(&config.network.nodes, config.network.kind, clock, None)?;
    let (content, mana, tables) = tokio::join!(
        content(&nodes, &args.post),
        mana(&nodes, &rules, &voters),
        tables(&config, &rules, &voters, &args.post, now),
    );
    let known = Known {
        now,
        post: args.post.clone(),
        content,
        tables: tables.map_err(|error| error.to_string()),
        mana,
    };
    let answers = explain::explain(&rules, args.voter.as_ref(), &known);
    let mut out = io::stdout().lock();
    let written = match args.format {
        Format::Table => write_text(&answers, &known, &mut out),
        Format::Json => write_json(&answers, &args.post, &mut out),
    };
    match written {
        // A reader that has seen enough closes the pipe.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error.into()),
        _ => {}
    }
    if let Ok(None) = known.content {
        complain(format_args!(
            "error: no node knows the post {}: is it spelled right?",
            args.post
        ));
        return Ok(Exit::Failed);
    }
    Ok(Exit::Done)
}

/// The rules in the folder; what is wrong about them goes to standard error.
fn read_rules(folder: &Path) -> RuleSet {
    let read = rules::read::read(folder);
    let colour = wants_colour(&io::stderr());
    let errors: Vec<&Problem> = read
        .problems
        .iter()
        .filter(|problem| problem.is_error())
        .collect();
    for problem in &errors {
        complain(render(problem, colour));
    }
    if !errors.is_empty() {
        complain(format_args!(
            "warning: files with errors are left out; a running daemon goes on with what they said before"
        ));
    }
    RuleSet::new(read.rules)
}

async fn content(nodes: &Nodes, post: &PostId) -> Told<Option<crate::chain::content::Content>> {
    let found = nodes.contents(std::slice::from_ref(post)).await;
    found
        .map(|contents| contents.into_iter().next().flatten())
        .map_err(|error| error.to_string())
}

/// The mana of the voters whose rules ask for some.
async fn mana(
    nodes: &Nodes,
    rules: &RuleSet,
    voters: &[Account],
) -> Told<HashMap<Account, AccountState>> {
    let voters: HashSet<&Account> = voters.iter().collect();
    let weighed = rules.rules().iter().filter(|rule| rule.min_mana.is_some());
    let names: HashSet<&Account> = weighed
        .flat_map(|rule| &rule.voters)
        .filter(|voter| voters.contains(voter))
        .collect();
    if names.is_empty() {
        return Ok(HashMap::new());
    }
    let names: Vec<Account> = names.into_iter().cloned().collect();
    let states = nodes
        .accounts(&names)
        .await
        .map_err(|error| error.to_string())?;
    let named = states
        .into_iter()
        .map(|state| (state.account.clone(), state));
    Ok(named.collect())
}

/// What the database holds about the post and the voters.
async fn tables(
    config: &Config,
    rules: &RuleSet,
    voters: &[Account],
    post: &PostId,
    now: DateTime<Utc>,
) -> Result<Tables, StoreError> {
    let store = Store::open(&config.database.url, config.database.timezone).await?;
    let mut votes = HashMap::new();
    for voter in voters {
        let key = VoteKey {
            voter: voter.clone(),
            post: post.clone(),
        };
        votes.extend(store.vote(&key).await?.map(|row| (voter.clone(), row)));
    }
    let asked: HashSet<&Account> = voters.iter().collect();
    let limited = rules.rules().iter().filter(|rule| !rule.limit.is_empty());
    let pairs: Vec<(Account, RuleId)> = limited
        .flat_map(|rule| rule.voters.iter().map(|voter| (voter, &rule.id)))
        .filter(|(voter, _)| asked.contains(voter))
        .map(|(voter, rule)| (voter.clone(), rule.clone()))
        .collect();
    let past = store
        .past_votes(&pairs, now - LIMITS_LOOK_BACK, false)
        .await?;
    let mut leader_votes = store.leader_votes().await?;
    leader_votes.retain(|vote| vote.post == *post);
    let tokens = store.tokens(voters).await?;
    let usable = tokens
        .into_iter()
        .filter(|row| !row.access_token.expose_secret().is_empty());
    Ok(Tables {
        votes,
        leader_votes,
        past: past
            .into_iter()
            .map(|(voter, rule, votes)| ((voter, rule), votes))
            .collect(),
        with_token: usable.map(|row| row.voter).collect(),
        read_until: store.cursor().await?.map(|cursor| cursor.block_time),
    })
}

fn write_text(answers: &[Answer], known: &Known, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}: {}", known.post, what_it_is(known))?;
    if let Err(why) = &known.tables {
        writeln!(out, "What is queued and was cast is not known: {why}")?;
    }
    if let Err(why) = &known.mana {
        writeln!(out, "Mana is not known: {why}")?;
    }
    if answers.is_empty() {
        writeln!(out, "\nThere are no rules: nobody votes on it.")?;
    }
    let decisions = answers.iter().flat_map(|answer| &answer.decisions);
    let width = decisions
        .map(|decision| decision.rule.as_str().chars().count())
        .max();
    let width = width.unwrap_or_default();
    for answer in answers {
        writeln!(out, "\n@{}: {}", answer.voter, answer.summary)?;
        for decision in &answer.decisions {
            let word = match decision.says {
                Says::Votes { .. } | Says::Queued { .. } | Says::Voted { .. } => "yes",
                Says::No => "no",
                Says::Unknown => "?",
            };
            let (rule, why) = (&decision.rule, &decision.why);
            write!(out, "  {rule:width$}  {word:3}  ")?;
            if why.starts_with(decision.condition) {
                writeln!(out, "{why}")?;
            } else {
                writeln!(out, "{}: {why}", decision.condition)?;
            }
        }
    }
    Ok(())
}

/// The post in a few words.
fn what_it_is(known: &Known) -> String {
    let content = match &known.content {
        Ok(Some(content)) => content,
        Ok(None) => return "no node knows this post".to_owned(),
        Err(why) => return format!("what it is like is not known: {why}"),
    };
    let facts = Facts::of_content(content);
    let kind = if facts.is_post == Some(true) {
        "post"
    } else {
        "comment"
    };
    let upvotes = counted(facts.upvotes.unwrap_or_default() as usize, "upvote");
    let payout = content.pending_payout;
    format!(
        "a {kind} of {}, {upvotes}, pending payout {}.{:03}",
        shown(content.created),
        payout / 1_000,
        (payout % 1_000).abs()
    )
}

/// What is told of a rule with `--format json`. A voter without rules has one line, without `rule`.
#[derive(Clone, Serialize)]
struct Line<'a> {
    voter: &'a str,
    author: &'a str,
    permlink: &'a str,
    rule: Option<&'a str>,
    /// `would_vote`, `queued`, `voted`, `no` or `unknown`.
    verdict: &'static str,
    condition: Option<&'static str>,
    why: &'a str,
    /// Hundredths of a percent.
    weight: Option<Weight>,
    /// RFC 3339, UTC, with milliseconds.
    at: Option<String>,
    /// What all rules of this voter come to.
    summary: &'a str,
}

fn write_json(answers: &[Answer], post: &PostId, out: &mut impl Write) -> io::Result<()> {
    for answer in answers {
        let line = Line {
            voter: answer.voter.as_str(),
            author: post.author.as_str(),
            permlink: &post.permlink,
            rule: None,
            verdict: "no",
            condition: None,
            why: &answer.summary,
            weight: None,
            at: None,
            summary: &answer.summary,
        };
        if answer.decisions.is_empty() {
            write_line(&line, out)?;
        }
        for decision in &answer.decisions {
            let (verdict, weight, at) = match decision.says {
                Says::Votes { weight, at } => ("would_vote", Some(weight), Some(at)),
                Says::Queued { weight, at } => ("queued", Some(weight), Some(at)),
                Says::Voted { weight, at } => ("voted", Some(weight), at),
                Says::No => ("no", None, None),
                Says::Unknown => ("unknown", None, None),
            };
            let line = Line {
                rule: Some(decision.rule.as_str()),
                verdict,
                condition: Some(decision.condition),
                why: &decision.why,
                weight,
                at: at.map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true)),
                ..line.clone()
            };
            write_line(&line, out)?;
        }
    }
    Ok(())
}

fn write_line(line: &Line<'_>, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    writeln!(out)
}
