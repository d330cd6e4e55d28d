//! Why a post was, will be or will not be voted on: for each rule of each voter the first condition that
//! decides. Asks the same functions as the daemon, and adds only the words. Pure: what is known is passed in.

mod cause;
mod decide;
pub mod known;
pub mod schedule;
mod shared;
mod summary;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::account::Account;
use crate::explain::decide::Decider;
use crate::explain::known::Known;
use crate::explain::shared::Shared;
use crate::explain::summary::{summary, vote_of};
use crate::rules::rule::{Rule, RuleId};
use crate::rules::set::RuleSet;
use crate::weight::Weight;

/// What a rule comes to for one voter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Says {
    /// It would vote.
    Votes {
        /// The weight of the vote.
        weight: Weight,
        /// When that was, or will be.
        at: DateTime<Utc>,
    },
    /// Its vote is queued and nothing is against it.
    Queued {
        /// The weight of the vote.
        weight: Weight,
        /// When that was, or will be.
        at: DateTime<Utc>,
    },
    /// It has voted; `at` is when the request left.
    Voted {
        /// The weight of the vote.
        weight: Weight,
        /// When that was, or will be.
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
    /// The rule.
    pub rule: RuleId,
    /// What it comes to.
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
    /// The account that votes.
    pub voter: Account,
    /// What it comes to, for people.
    pub summary: String,
    /// What there is of a vote whatever the rules say: it may have been asked for by hand, or be by a rule that
    /// is gone.
    pub says: Says,
    /// In order of precedence.
    pub decisions: Vec<Decision>,
}

/// Everything about the post of `known`, for one voter or for everybody that some rule votes as, in the order
/// in which the rules name them.
pub fn explain(rules: &RuleSet, voter: Option<&Account>, known: &Known) -> Vec<Answer> {
    let shared = Shared::new(rules, known);
    voters(rules, voter)
        .iter()
        .map(|voter| answer(&shared, voter))
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

fn answer(shared: &Shared<'_>, voter: &Account) -> Answer {
    let mut decider = Decider::new(shared, voter);
    let mut rules: Vec<(usize, &Arc<Rule>)> = shared.rules.rules_of(voter).enumerate().collect();
    // A schedule asks for a vote only when it strikes; by then the others have asked.
    rules.sort_by_key(|(_, rule)| shared.strikes.get(&rule.id));
    let mut decisions: Vec<(usize, Decision)> = rules
        .into_iter()
        .map(|(place, rule)| (place, decider.decide(rule)))
        .collect();
    decisions.sort_by_key(|(place, _)| *place);
    let decisions: Vec<Decision> = decisions
        .into_iter()
        .map(|(_, decision)| decision)
        .collect();
    Answer {
        voter: voter.clone(),
        summary: summary(shared, voter, &decisions),
        says: vote_of(shared, voter),
        decisions,
    }
}

/// `2026-11-22 18:00:00 UTC`.
pub fn shown(at: DateTime<Utc>) -> String {
    at.format("%F %T UTC").to_string()
}
