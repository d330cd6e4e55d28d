//! Why a post was, will be or will not be voted on: for each rule of each voter the first condition that
//! decides. Asks the same functions as the daemon, and adds only the words. Pure: what is known is passed in.

mod cause;
mod decide;
pub mod known;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use chrono::{DateTime, Utc};

use crate::account::Account;
use crate::explain::decide::Decider;
use crate::explain::known::Known;
use crate::queue::transition::VOTED_BY_HAND;
use crate::queue::vote::{Origin, Status, Vote};
use crate::rules::rule::RuleId;
use crate::rules::set::RuleSet;
use crate::weight::Weight;

/// What a rule comes to for one voter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Says {
    /// It would vote.
    Votes { weight: Weight, at: DateTime<Utc> },
    /// Its vote is queued and nothing is against it.
    Queued { weight: Weight, at: DateTime<Utc> },
    /// It has voted; `at` is when the request left.
    Voted {
        weight: Weight,
        at: Option<DateTime<Utc>>,
    },
    /// Something is against it.
    No,
    /// What decides is not known.
    Unknown,
}

/// One rule and what decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    pub rule: RuleId,
    pub says: Says,
    /// The key of the rule file that decided, or another word: `post`, `leaders`, `precedence`, `queue`,
    /// `token`, `by hand`; for a vote that is over its status.
    pub condition: &'static str,
    /// Its value, for people.
    pub why: String,
}

/// All rules of one voter.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub voter: Account,
    /// What it comes to, for people.
    pub summary: String,
    /// In order of precedence.
    pub decisions: Vec<Decision>,
}

/// Everything about the post of `known`, for one voter or for everybody that some rule votes as, in the order
/// in which the rules name them.
pub fn explain(rules: &RuleSet, voter: Option<&Account>, known: &Known) -> Vec<Answer> {
    voters(rules, voter)
        .iter()
        .map(|voter| answer(rules, voter, known))
        .collect()
}

/// Whom the explanation is about.
pub fn voters(rules: &RuleSet, only: Option<&Account>) -> Vec<Account> {
    if let Some(voter) = only {
        return vec![voter.clone()];
    }
    let mut seen = HashSet::new();
    let all = rules.rules().iter().flat_map(|rule| &rule.voters);
    all.filter(|voter| seen.insert((*voter).clone()))
        .cloned()
        .collect()
}

fn answer(rules: &RuleSet, voter: &Account, known: &Known) -> Answer {
    let mut decider = Decider::new(rules, voter, known);
    let decisions: Vec<Decision> = rules
        .rules_of(voter)
        .map(|rule| decider.decide(rule))
        .collect();
    Answer {
        voter: voter.clone(),
        summary: summary(known, voter, &decisions),
        decisions,
    }
}

fn summary(known: &Known, voter: &Account, decisions: &[Decision]) -> String {
    if let Some(row) = known.row(voter)
        && let Some(summary) = of_row(row)
    {
        return summary;
    }
    if let Some(weight) = known.content().and_then(|content| content.vote_of(voter)) {
        return by_other_means(weight);
    }
    let first = decisions.iter().find_map(|decision| match decision.says {
        Says::Votes { weight, at } => Some(format!(
            "would vote {weight} at {}, by {}",
            shown(at),
            decision.rule
        )),
        _ => None,
    });
    first.unwrap_or_else(|| match decisions {
        [] => format!("no rule votes as @{voter}"),
        _ if decisions
            .iter()
            .any(|decision| decision.says == Says::Unknown) =>
        {
            "nobody can say now".to_owned()
        }
        _ => "no vote".to_owned(),
    })
}

/// What the row of a vote says, unless rules may still vote beside it.
fn of_row(row: &Vote) -> Option<String> {
    let by = match row.origin {
        Origin::Hand => "by hand".to_owned(),
        _ => format!("by {}", row.rule),
    };
    let weight = row.weight;
    let reason = row.reason.as_deref().unwrap_or("no reason was noted");
    let at = shown(row.cast_at.unwrap_or(row.updated_at));
    Some(match row.status {
        Status::Queued => {
            let waits = row.reason.as_ref().map(|why| format!(" ({why})"));
            let waits = waits.unwrap_or_default();
            format!("queued: {weight}, due {}, {by}{waits}", shown(row.due_at))
        }
        Status::Cast => format!("voted {weight} at {at}, {by}; no block has shown it yet"),
        Status::Confirmed => match row.block_num {
            Some(block) => format!("voted {weight} at {at}, {by}; in block {block}"),
            None => format!("voted {weight} at {at}, {by}"),
        },
        Status::Skipped if reason == VOTED_BY_HAND => by_other_means(weight),
        Status::Skipped => format!("skipped, {by}: {reason}"),
        Status::Failed => format!("failed at {}, {by}: {reason}", shown(row.updated_at)),
        Status::Withdrawn => format!("withdrawn, {by}: {reason}"),
        Status::DryRun => format!("a dry run would have voted {weight} at {at}, {by}"),
    })
}

fn by_other_means(weight: Weight) -> String {
    if weight.is_zero() {
        return "the voter took its own vote back: no rule votes again".to_owned();
    }
    format!("voted {weight} by other means: rules leave it alone")
}

/// `2026-11-22 18:00:00 UTC`.
pub fn shown(at: DateTime<Utc>) -> String {
    at.format("%F %T UTC").to_string()
}
