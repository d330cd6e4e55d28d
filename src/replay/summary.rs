//! Summary of a replay: votes by day and rule, mana over time, and votes that were not cast, with reasons.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::account::Account;
use crate::rules::rule::RuleId;
use crate::simulate::mana::Day;
use crate::simulate::replay::{Played, why_not_cast};

/// Counts for people. Days are in UTC.
#[derive(Debug, Default, PartialEq)]
pub struct Summary {
    /// Number of votes by due day and rule.
    pub votes: BTreeMap<(NaiveDate, RuleId), usize>,
    /// Days with votes of each voter.
    pub mana: Vec<(Account, Vec<Day>)>,
    /// Number of votes that were planned but not cast, by rule and reason.
    pub not_cast: BTreeMap<(RuleId, String), usize>,
}

impl Summary {
    /// Counts the votes of a replay, and those that were not cast.
    pub fn new(played: &Played) -> Self {
        let mut summary = Self {
            mana: played.mana.clone(),
            ..Self::default()
        };
        for vote in &played.votes {
            let key = (vote.due_at.date_naive(), vote.rule.clone());
            *summary.votes.entry(key).or_default() += 1;
        }
        for row in &played.rows {
            let rule = &row.ask().rule;
            // A vote by hand without a rule is not counted.
            if let Some(why) = why_not_cast(row).filter(|_| !rule.as_str().is_empty()) {
                let key = (rule.clone(), kind_of(&why).to_owned());
                *summary.not_cast.entry(key).or_default() += 1;
            }
        }
        summary
    }
}

/// The part of a reason that is the same for all votes: the key of the rule, or a fixed sentence.
fn kind_of(reason: &str) -> &str {
    reason.split_once(": ").map_or(reason, |(kind, _)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_grouped_by_kind() {
        for (reason, kind) in [
            ("limit.per_day: 2 votes were cast already", "limit.per_day"),
            ("voted by hand", "voted by hand"),
            (
                "the rule a.toml:friends has expired",
                "the rule a.toml:friends has expired",
            ),
        ] {
            assert_eq!(kind_of(reason), kind);
        }
    }
}
