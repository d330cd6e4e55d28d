//! Output of `explain`, as text and as JSON.

use std::io::{self, Write};

use chrono::SecondsFormat;
use serde::Serialize;

use crate::cli::counted;
use crate::explain::known::Known;
use crate::explain::{Answer, Says, shown};
use crate::post::PostId;
use crate::rules::facts::Facts;
use crate::weight::Weight;

pub fn write_text(answers: &[Answer], known: &Known, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}: {}", known.post, describe(known))?;
    if let Err(why) = &known.tables {
        writeln!(out, "Queued and cast votes are not known: {why}")?;
    }
    if let Err(why) = &known.mana {
        writeln!(out, "Mana is not known: {why}")?;
    }
    if answers.is_empty() {
        writeln!(out, "\nThere are no rules, so no account votes on it.")?;
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

/// A short description of the post.
fn describe(known: &Known) -> String {
    let content = match &known.content {
        Ok(Some(content)) => content,
        Ok(None) => return "no node knows this post".to_owned(),
        Err(why) => return format!("the post could not be looked up: {why}"),
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

/// A rule in the JSON format. A voter without rules has one line, without `rule`.
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
    /// Result of all rules of this voter.
    summary: &'a str,
}

pub fn write_json(answers: &[Answer], post: &PostId, out: &mut impl Write) -> io::Result<()> {
    for answer in answers {
        let (verdict, weight, at) = fields(&answer.says);
        let line = Line {
            voter: answer.voter.as_str(),
            author: post.author.as_str(),
            permlink: &post.permlink,
            rule: None,
            verdict,
            condition: None,
            why: &answer.summary,
            weight,
            at,
            summary: &answer.summary,
        };
        if answer.decisions.is_empty() {
            write_line(&line, out)?;
        }
        for decision in &answer.decisions {
            let (verdict, weight, at) = fields(&decision.says);
            let line = Line {
                rule: Some(decision.rule.as_str()),
                verdict,
                condition: Some(decision.condition),
                why: &decision.why,
                weight,
                at,
                ..line.clone()
            };
            write_line(&line, out)?;
        }
    }
    Ok(())
}

/// The fields `verdict`, `weight` and `at`.
fn fields(says: &Says) -> (&'static str, Option<Weight>, Option<String>) {
    let (verdict, weight, at) = match *says {
        Says::Votes { weight, at } => ("would_vote", Some(weight), Some(at)),
        Says::Queued { weight, at } => ("queued", Some(weight), Some(at)),
        Says::Voted { weight, at } => ("voted", Some(weight), at),
        Says::No => ("no", None, None),
        Says::Unknown => ("unknown", None, None),
    };
    let at = at.map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true));
    (verdict, weight, at)
}

fn write_line(line: &Line<'_>, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    writeln!(out)
}
