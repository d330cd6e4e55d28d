//! What a replay comes to: votes by day and rule, mana over time, and what was not cast and why.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::account::Account;
use crate::rules::rule::RuleId;
use crate::simulate::mana::Day;
use crate::simulate::replay::{Played, why_not_cast};

/// Counts for people. Days are those of UTC.
#[derive(Debug, Default, PartialEq)]
pub struct Summary {
    /// Votes by the day on which they are due.
    pub votes: BTreeMap<(NaiveDate, RuleId), usize>,
    /// For every voter who voted the days on which that was.
    pub mana: Vec<(Account, Vec<Day>)>,
    /// Votes that were planned but not cast, by rule and reason.
    pub not_cast: BTreeMap<(RuleId, String), usize>,
}

impl Summary {
    /// Counts what a replay came to.
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
            // A vote by hand where no rule wanted one is nobody's.
            if let Some(why) = why_not_cast(row).filter(|_| !rule.as_str().is_empty()) {
                let key = (rule.clone(), kind_of(&why).to_owned());
                *summary.not_cast.entry(key).or_default() += 1;
            }
        }
        summary
    }
}

/// A reason without what is special to one vote: reasons begin with the key or the words that say what decided.
fn kind_of(reason: &str) -> &str {
    reason.split_once(": ").map_or(reason, |(kind, _)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_told_by_their_kind() {
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
