//! Output of `explain`, as text and as JSON.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::account::Account;
use crate::cli::counted;
use crate::cli::output::{to_rfc3339, write_json_line};
use crate::explain::known::Known;
use crate::explain::{Answer, Decision, Says, listed, shown};
use crate::post::PostId;
use crate::rules::facts::Facts;
use crate::visible::visible;
use crate::weight::Weight;

/// Maximum number of rules of a voter that are shown with the same condition against them; the rest are counted.
const MOST_ALIKE: usize = 10;

/// Writes the answers for people: voters about whom the same is said in one block, and only the rules that could concern the
/// post, unless `all` asks for each voter and each rule.
pub fn write_text(
    answers: &[Answer],
    known: &Known,
    all: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    writeln!(out, "{}: {}", known.post, visible(&describe(known)))?;
    if let Err(why) = &known.tables {
        writeln!(out, "Queued and cast votes are not known: {}", visible(why))?;
    }
    if let Err(why) = &known.mana {
        writeln!(out, "Mana is not known: {}", visible(why))?;
    }
    if answers.is_empty() {
        writeln!(out, "\nThere are no rules, so no account votes on it.")?;
    }
    let parts = answers.iter().map(|answer| (answer, select(answer, all)));
    let parts: Vec<_> = parts.collect();
    let rules = parts.iter().flat_map(|(_, (decisions, _))| decisions);
    let widths = rules.map(|decision| decision.rule.to_string().chars().count());
    let width = widths.max().unwrap_or_default();
    let mut blocks: Vec<(Vec<&Account>, String)> = Vec::new();
    let mut places = HashMap::new();
    for (answer, (decisions, rest)) in parts {
        let text = block(&answer.summary, &decisions, rest, width);
        let place = *places.entry(text.clone()).or_insert(blocks.len());
        match blocks.get_mut(place) {
            Some((voters, _)) if !all => voters.push(&answer.voter),
            _ => blocks.push((vec![&answer.voter], text)),
        }
    }
    for (voters, text) in blocks {
        write!(out, "\n{}: {text}", listed(voters))?;
    }
    Ok(())
}

/// The decisions to show, and a sentence about the others.
fn select(answer: &Answer, all: bool) -> (Vec<&Decision>, Option<String>) {
    if all {
        return (answer.decisions.iter().collect(), None);
    }
    let mut alike: HashMap<&str, usize> = HashMap::new();
    let mut others = 0;
    let mut shown = Vec::new();
    for decision in &answer.decisions {
        if !decision.concerns_author {
            others += 1;
            continue;
        }
        let count = alike.entry(decision.condition).or_default();
        *count += 1;
        if decision.says != Says::No || *count <= MOST_ALIKE {
            shown.push(decision);
        }
    }
    let hidden = answer.decisions.len() - shown.len();
    let rest = match (hidden, others) {
        (0, _) => return (shown, None),
        (hidden, others) if hidden == others => format!(
            "{} about other authors",
            counted(
                hidden,
                if shown.is_empty() {
                    "rule"
                } else {
                    "more rule"
                }
            )
        ),
        (hidden, 0) => format!("{} like these", counted(hidden, "more rule")),
        (hidden, others) => format!(
            "{}, {others} of them about other authors",
            counted(hidden, "more rule")
        ),
    };
    (shown, Some(rest))
}

/// What is said about a voter: the result, then a line for each rule.
fn block(summary: &str, decisions: &[&Decision], rest: Option<String>, width: usize) -> String {
    // Writing to a text cannot fail.
    let mut text = format!("{summary}\n");
    for decision in decisions {
        let word = match decision.says {
            Says::Votes { .. } | Says::Queued { .. } | Says::Voted { .. } => "yes",
            Says::No => "no",
            Says::Unknown => "?",
        };
        let (rule, said) = (&decision.rule, decision.said());
        let _ = writeln!(text, "  {rule:width$}  {word:3}  {said}");
    }
    if let Some(rest) = rest {
        let _ = writeln!(text, "  {rest} (--all shows all rules)");
    }
    text
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::known::{Known, Tables};
    use crate::explain::schedule::Choices;
    use crate::rules::rule::RuleId;

    fn decision(rule: &str, concerns_author: bool, condition: &'static str) -> Decision {
        Decision {
            rule: RuleId::from_stored(rule),
            concerns_author,
            says: Says::No,
            condition,
            why: "as told".to_owned(),
        }
    }

    fn answer(voter: &str, decisions: Vec<Decision>) -> Answer {
        Answer {
            voter: Account::from_chain(voter),
            summary: "no vote".to_owned(),
            says: Says::No,
            decisions,
        }
    }

    fn text(answers: &[Answer], all: bool) -> String {
        let known = Known {
            now: DateTime::UNIX_EPOCH,
            post: PostId::new(Account::from_chain("bob"), "garden"),
            content: Ok(None),
            tables: Ok(Tables::default()),
            mana: Err("a node said\u{1b}[2J so".to_owned()),
            choices: Ok(Choices::default()),
        };
        let mut out = Vec::new();
        write_text(answers, &known, all, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn only_rules_that_could_concern_the_post_are_shown_and_the_rest_is_one_count() {
        let mut decisions: Vec<_> = (0..9_000)
            .map(|at| decision(&format!("f.toml:other-{at}"), false, "authors"))
            .collect();
        let trails = (0..1_000).map(|at| decision(&format!("f.toml:trail-{at}"), true, "leaders"));
        decisions.extend(trails);
        decisions.push(decision("f.toml:mine", true, "tags"));
        let answers = [answer("alice", decisions)];
        let short = text(&answers, false);
        assert_eq!(short.lines().count(), 3 + 1 + MOST_ALIKE + 1 + 1, "{short}");
        assert!(
            short.contains("  f.toml:mine     no   tags: as told\n"),
            "{short}"
        );
        assert!(
            short.ends_with(
                "  9990 more rules, 9000 of them about other authors (--all shows all rules)\n"
            ),
            "{short}"
        );
        assert_eq!(text(&answers, true).lines().count(), 4 + 10_001);
        let none = [answer(
            "alice",
            vec![decision("f.toml:x", false, "authors")],
        )];
        let none = text(&none, false);
        assert!(
            none.ends_with(
                "\n@alice: no vote\n  1 rule about other authors (--all shows all rules)\n"
            ),
            "{none}"
        );
    }

    #[test]
    fn voters_about_whom_the_same_is_said_are_one_block() {
        let same = || vec![decision("f.toml:mine", true, "tags")];
        let names: Vec<_> = (0..1_000).map(|at| format!("voter-{at}")).collect();
        let mut answers: Vec<_> = names.iter().map(|name| answer(name, same())).collect();
        answers.insert(
            3,
            answer("other", vec![decision("f.toml:mine", true, "kind")]),
        );
        let short = text(&answers, false);
        let block = "\n@voter-0, @voter-1, @voter-2, @voter-3, @voter-4 and 995 more: no vote\n";
        assert!(short.contains(block), "{short}");
        assert!(short.contains("\n@other: no vote\n  f.toml:mine  no   kind: as told\n"));
        assert_eq!(short.matches("no vote").count(), 2, "{short}");
        assert_eq!(text(&answers, true).matches("no vote").count(), 1_001);
        assert!(short.contains("a node said\\u001B[2J so"), "{short}");
    }
}
