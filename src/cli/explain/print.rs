//! Output of `explain`, as text and as JSON.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::cli::counted;
use crate::cli::output::{to_rfc3339, write_json_line};
use crate::explain::known::Known;
use crate::explain::{Answer, Decision, Says, shown};
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
    let widths = decisions.map(|decision| decision.rule.as_str().chars().count());
    let width = widths.max().unwrap_or_default();
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
            if !why.starts_with(decision.condition) {
                write!(out, "{}: ", decision.condition)?;
            }
            writeln!(out, "{why}")?;
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
    let kind = match facts.is_post {
        Some(true) => "post",
        _ => "comment",
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
#[derive(Serialize)]
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
        if answer.decisions.is_empty() {
            write_json_line(out, &line(post, answer, None))?;
        }
        for decision in &answer.decisions {
            write_json_line(out, &line(post, answer, Some(decision)))?;
        }
    }
    Ok(())
}

fn line<'a>(post: &'a PostId, answer: &'a Answer, decision: Option<&'a Decision>) -> Line<'a> {
    let says = decision.map_or(answer.says, |decision| decision.says);
    let (verdict, weight, at) = fields(says);
    Line {
        voter: answer.voter.as_str(),
        author: post.author.as_str(),
        permlink: &post.permlink,
        rule: decision.map(|decision| decision.rule.as_str()),
        verdict,
        condition: decision.map(|decision| decision.condition),
        why: decision.map_or(&answer.summary, |decision| &decision.why),
        weight,
        at: at.map(to_rfc3339),
        summary: &answer.summary,
    }
}

/// The fields `verdict`, `weight` and `at`.
fn fields(says: Says) -> (&'static str, Option<Weight>, Option<DateTime<Utc>>) {
    match says {
        Says::Votes { weight, at } => ("would_vote", Some(weight), Some(at)),
        Says::Queued { weight, at } => ("queued", Some(weight), Some(at)),
        Says::Voted { weight, at } => ("voted", Some(weight), at),
        Says::No => ("no", None, None),
        Says::Unknown => ("unknown", None, None),
    }
}
