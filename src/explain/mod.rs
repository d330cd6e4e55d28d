//! Why a post was, will be or will not be voted on: for each rule of each voter the first condition that decides.
//! The conditions are the functions that the daemon uses; this module adds the words. Pure: the facts are passed in.

mod cause;
mod decide;
pub mod known;
pub mod schedule;
mod summary;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fmt::Display;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::account::Account;
pub use crate::explain::cause::listed;
use crate::explain::decide::{Case, Decider};
use crate::explain::known::Known;
use crate::explain::summary::{summary, vote_of};
use crate::rules::rule::{Rule, RuleId};
use crate::rules::set::RuleSet;
use crate::visible::one_line;
use crate::weight::Weight;

/// What a rule says for one voter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Says {
    /// It would vote.
    Votes {
        /// The weight of the vote.
        weight: Weight,
        /// When it is cast.
        at: DateTime<Utc>,
    },
    /// Its vote is queued, and no condition is against it.
    Queued {
        /// The weight of the vote.
        weight: Weight,
        /// When it is cast.
        at: DateTime<Utc>,
    },
    /// It has voted.
    Voted {
        /// The weight of the vote.
        weight: Weight,
        /// When the request left.
        at: Option<DateTime<Utc>>,
    },
    /// A condition is against it.
    No,
    /// The condition that decides is not known.
    Unknown,
}

/// A rule and the condition that decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The rule.
    pub rule: RuleId,
    /// Whether it covers the author of the post, or names it as an exception.
    pub concerns_author: bool,
    /// The result.
    pub says: Says,
    /// The key of the rule file that decided, or another word: `post`, `leaders`, `precedence`, `queue`, `token`,
    /// `by hand`; for a vote that is not queued any more its status.
    pub condition: &'static str,
    /// Its value, for people.
    pub why: String,
}

impl Decision {
    /// The condition with its value.
    pub fn said(&self) -> String {
        match self.why.starts_with(self.condition) {
            true => self.why.clone(),
            false => format!("{}: {}", self.condition, self.why),
        }
    }
}

/// All rules of one voter.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The account that votes.
    pub voter: Account,
    /// The result of all rules, for people.
    pub summary: String,
    /// The existing vote, whatever the rules say: it can be one by hand, or by a rule that is gone.
    pub says: Says,
    /// In order of precedence.
    pub decisions: Vec<Decision>,
}

/// What decided: the result, the condition, and its value.
type Found = (Says, &'static str, String);

fn no(condition: &'static str, why: impl Display) -> Found {
    (Says::No, condition, one_line(&why.to_string()).into_owned())
}

fn unknown(condition: &'static str, why: impl Display) -> Found {
    (
        Says::Unknown,
        condition,
        one_line(&why.to_string()).into_owned(),
    )
}

/// Explains the post of `known` for one voter, or for all voters in the order in which the rules name them.
pub fn explain(rules: &RuleSet, voter: Option<&Account>, known: &Known) -> Vec<Answer> {
    let case = Case::new(rules, known);
    let voters = voters(rules, voter).into_iter();
    voters.map(|voter| answer(&case, voter)).collect()
}

/// The voters to explain the post for.
pub fn voters(rules: &RuleSet, only: Option<&Account>) -> Vec<Account> {
    if let Some(voter) = only {
        return vec![voter.clone()];
    }
    let mut seen = HashSet::new();
    let all = rules.rules().iter().flat_map(|rule| &rule.voters);
    all.filter(|voter| seen.insert(*voter)).cloned().collect()
}

fn answer(case: &Case<'_>, voter: Account) -> Answer {
    let mut decider = Decider::new(case, &voter);
    let mut rules: Vec<&Arc<Rule>> = case.rules.rules_of(&voter).collect();
    // A schedule asks for a vote only when it runs; the other rules have asked by then.
    rules.sort_by_key(|rule| case.next_runs.get(&rule.id));
    let decisions = rules.into_iter().map(|rule| decider.decide(rule));
    let mut decisions: Vec<Decision> = decisions.collect();
    decisions.sort_by_key(|decision| case.rules.position(&decision.rule));
    Answer {
        summary: summary(case, &voter, &decisions),
        says: vote_of(case.known, &voter),
        decisions,
        voter,
    }
}

/// `2026-11-22 18:00:00 UTC`.
pub fn shown(at: DateTime<Utc>) -> String {
    at.format("%F %T UTC").to_string()
}
