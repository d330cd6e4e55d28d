//! Differences between the expected votes and the votes that would be cast.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};

use crate::post::VoteKey;
use crate::ruletest::Expected;
use crate::simulate::replay::{Played, why_not_cast};
use crate::votes::vote::Vote;
use crate::weight::Weight;

/// Two descriptions of a vote that should be equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The vote that the test names, or "no vote" for one that it does not name.
    pub expected: String,
    /// With the reason, if a vote was planned but not cast.
    pub would_be_cast: String,
}

/// The differences, in the order of the expected votes; unexpected votes come last.
pub fn between(expected: &[Expected], played: &Played) -> Vec<Difference> {
    let mut unexpected: Vec<&Vote> = played.cast().collect();
    let mut differences = Vec::new();
    for expected in expected {
        let key = &expected.key;
        let cast = unexpected.iter().position(|vote| vote.key == *key);
        let cast = cast.map(|index| unexpected.remove(index));
        if cast.is_some_and(|vote| expected.matches(vote)) {
            continue;
        }
        let would_be_cast = match cast {
            Some(vote) => describe_cast(vote, expected.rule.is_some()),
            None => {
                let row = played.rows.iter().find(|row| row.key == *key);
                let why = row.and_then(why_not_cast);
                let why = why.unwrap_or_else(|| "no rule asks for one".to_owned());
                format!("no vote: {why}")
            }
        };
        let rule = expected.rule.as_deref();
        differences.push(Difference {
            expected: describe(key, expected.weight, expected.due_at, rule),
            would_be_cast,
        });
    }
    differences.extend(unexpected.into_iter().map(|vote| Difference {
        expected: "no vote".to_owned(),
        would_be_cast: describe_cast(vote, true),
    }));
    differences
}

impl Expected {
    fn matches(&self, vote: &Vote) -> bool {
        let (ask, rule) = (vote.ask(), self.rule.as_deref());
        self.weight == ask.weight
            && self.due_at == ask.due_at
            && rule.is_none_or(|rule| rule == ask.rule.as_str())
    }
}

fn describe_cast(vote: &Vote, with_rule: bool) -> String {
    let ask = vote.ask();
    let rule = with_rule.then_some(ask.rule.as_str());
    describe(&vote.key, ask.weight, ask.due_at, rule)
}

/// `alice 50% @bob/a-post 2026-03-01 12:05:00`, with the rule at the end if given.
fn describe(key: &VoteKey, weight: Weight, due_at: DateTime<Utc>, rule: Option<&str>) -> String {
    let due = match due_at.timestamp_subsec_millis() {
        0 => due_at.format("%F %T"),
        _ => due_at.format("%F %T%.3f"),
    };
    let rule = rule.map(|rule| format!(" {rule}")).unwrap_or_default();
    format!("{} {weight} {} {due}{rule}", key.voter, key.post)
}

/// Formats the differences in two columns with a header, one line each. Each line starts with `indent`.
pub fn side_by_side(differences: &[Difference], indent: &str) -> String {
    let widths = differences.iter().map(|line| line.expected.chars().count());
    let width = widths.max().unwrap_or_default().max("EXPECTED".len());
    let mut lines = format!("{indent}{:width$} | WOULD BE CAST\n", "EXPECTED");
    for line in differences {
        let (expected, cast) = (&line.expected, &line.would_be_cast);
        let _ = writeln!(lines, "{indent}{expected:width$} | {cast}");
    }
    lines
}
