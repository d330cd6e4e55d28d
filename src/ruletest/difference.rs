//! Differences between the expected votes and the votes that would be cast.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;

use chrono::{DateTime, Utc};

use crate::post::VoteKey;
use crate::ruletest::Expected;
use crate::simulate::replay::{Played, ReplayedVote};
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
    let mut cast: BTreeMap<&VoteKey, VecDeque<&ReplayedVote>> = BTreeMap::new();
    for vote in &played.votes {
        cast.entry(&vote.key).or_default().push_back(vote);
    }
    let not_cast = played.not_cast();
    let mut differences = Vec::new();
    for expected in expected {
        let vote = cast
            .get_mut(&expected.key)
            .and_then(|votes| votes.pop_front());
        if vote.is_some_and(|vote| expected.matches(vote)) {
            continue;
        }
        let would_be_cast = match (vote, not_cast.get(&expected.key)) {
            (Some(vote), _) => describe_cast(vote, expected.rule.is_some()),
            (None, Some(why)) => format!("no vote: {why}"),
            (None, None) => "no vote: no rule asks for one".to_owned(),
        };
        let rule = expected.rule.as_deref();
        differences.push(Difference {
            expected: describe(&expected.key, expected.weight, expected.due_at, rule),
            would_be_cast,
        });
    }
    let mut unexpected: Vec<&ReplayedVote> = cast.into_values().flatten().collect();
    unexpected.sort_by_key(|vote| vote.due_at);
    differences.extend(unexpected.into_iter().map(|vote| Difference {
        expected: "no vote".to_owned(),
        would_be_cast: describe_cast(vote, true),
    }));
    differences
}

impl Expected {
    fn matches(&self, vote: &ReplayedVote) -> bool {
        self.weight == vote.weight
            && self.due_at == vote.due_at
            && self
                .rule
                .as_ref()
                .is_none_or(|rule| rule == vote.rule.as_str())
    }
}

fn describe_cast(vote: &ReplayedVote, with_rule: bool) -> String {
    let rule = with_rule.then_some(vote.rule.as_str());
    describe(&vote.key, vote.weight, vote.due_at, rule)
}

/// `alice 50% @bob/a-post 2026-03-01 12:05:00`, with the rule at the end if given.
fn describe(key: &VoteKey, weight: Weight, due_at: DateTime<Utc>, rule: Option<&str>) -> String {
    let due = match due_at.timestamp_subsec_millis() {
        0 => due_at.format("%F %T"),
        _ => due_at.format("%F %T%.3f"),
    };
    let mut text = format!("{} {weight} {} {due}", key.voter, key.post);
    if let Some(rule) = rule {
        let _ = write!(text, " {rule}");
    }
    text
}

/// Formats the differences in two columns with a header, one line each. Each line starts with `indent`.
pub fn side_by_side(differences: &[Difference], indent: &str) -> String {
    let head = Difference {
        expected: "EXPECTED".to_owned(),
        would_be_cast: "WOULD BE CAST".to_owned(),
    };
    let lines = || [&head].into_iter().chain(differences);
    let width = lines()
        .map(|line| line.expected.chars().count())
        .max()
        .unwrap_or_default();
    let mut drawn = String::new();
    for line in lines() {
        let _ = writeln!(
            drawn,
            "{indent}{:width$} | {}",
            line.expected, line.would_be_cast
        );
    }
    drawn
}
