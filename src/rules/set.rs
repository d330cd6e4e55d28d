//! All rules in force, indexed by author, leader and voter.

use std::collections::HashMap;
use std::sync::Arc;

use crate::account::Account;
use crate::rules::rule::{Authors, Rule, RuleId, Trigger};

/// The rules of all valid files, in order of precedence. The cost of a lookup does not depend on the number of rules.
#[derive(Debug, Default)]
pub struct RuleSet {
    rules: Vec<Arc<Rule>>,
    /// Indexes into `rules`, ascending; as in the maps below.
    by_author: HashMap<Account, Vec<u32>>,
    by_leader: HashMap<Account, Vec<u32>>,
    any_author: Vec<u32>,
    by_voter: HashMap<Account, Vec<u32>>,
    by_id: HashMap<RuleId, u32>,
    /// Paths of files whose rules are not known; a path that is empty or ends in `/` covers everything below it.
    unreadable: Vec<String>,
}

impl RuleSet {
    /// Indexes `rules`, which are in order of precedence.
    pub fn new(rules: Vec<Arc<Rule>>) -> Self {
        let mut set = Self::default();
        for (index, rule) in (0u32..).zip(&rules) {
            match &rule.trigger {
                Trigger::Author(author) => match &author.authors {
                    Authors::Listed(names) => {
                        for name in names {
                            set.by_author.entry(name.clone()).or_default().push(index);
                        }
                    }
                    Authors::Anyone => set.any_author.push(index),
                },
                Trigger::Trail(trail) => {
                    for name in &trail.leaders {
                        set.by_leader.entry(name.clone()).or_default().push(index);
                    }
                }
            }
            for voter in &rule.voters {
                set.by_voter.entry(voter.clone()).or_default().push(index);
            }
            set.by_id.insert(rule.id.clone(), index);
        }
        set.rules = rules;
        set
    }

    /// The set before any file has been read: it has no rules, and every rule [is unreadable](Self::is_unreadable).
    pub fn not_read_yet() -> Self {
        Self::default().with_unreadable(vec![String::new()])
    }

    /// Sets the files whose rules are not known because they have not been valid so far. Paths are relative to the
    /// rules folder; one that ends in `/` is a folder, and an empty one is the rules folder itself.
    #[must_use]
    pub fn with_unreadable(mut self, unreadable: Vec<String>) -> Self {
        self.unreadable = unreadable;
        self
    }

    /// Whether it is unknown if the rule exists, because its file has not been valid so far. Queued votes of such a
    /// rule are neither cast nor withdrawn.
    pub fn is_unreadable(&self, id: &RuleId) -> bool {
        let path = id.path();
        self.unreadable.iter().any(|unreadable| {
            let is_folder = unreadable.is_empty() || unreadable.ends_with('/');
            path == unreadable || (is_folder && path.starts_with(unreadable))
        })
    }

    /// All rules, in order of precedence.
    pub fn rules(&self) -> &[Arc<Rule>] {
        &self.rules
    }

    /// The author rules for `author`, including those for every author, in order of precedence.
    pub fn author_rules(&self, author: &Account) -> impl Iterator<Item = &Arc<Rule>> {
        merge(indexes(&self.by_author, author), &self.any_author)
            .map(|index| &self.rules[index as usize])
    }

    /// The trails that follow `leader`, in order of precedence.
    pub fn trail_rules(&self, leader: &Account) -> impl Iterator<Item = &Arc<Rule>> {
        self.at(indexes(&self.by_leader, leader))
    }

    /// The trails that follow `leader` and vote as `voter`, in order of precedence. This is cheap both if thousands
    /// of rules follow one leader and if one voter has thousands of rules.
    pub fn trail_rules_of(
        &self,
        leader: &Account,
        voter: &Account,
    ) -> impl Iterator<Item = &Arc<Rule>> {
        let of_leader = indexes(&self.by_leader, leader);
        let of_voter = indexes(&self.by_voter, voter);
        let (fewer, more) = match of_leader.len() < of_voter.len() {
            true => (of_leader, of_voter),
            false => (of_voter, of_leader),
        };
        self.at(fewer)
            .zip(fewer)
            .filter(|(_, index)| more.binary_search(index).is_ok())
            .map(|(rule, _)| rule)
    }

    /// The rule with this identifier; `None` if no file defines it.
    pub fn rule(&self, id: &RuleId) -> Option<&Arc<Rule>> {
        self.by_id.get(id).map(|index| &self.rules[*index as usize])
    }

    /// The rule's position in the order of precedence, from 0; `None` if no file defines it.
    pub fn position(&self, id: &RuleId) -> Option<u32> {
        self.by_id.get(id).copied()
    }

    /// Whether `rule`, which is in this set, votes as `voter` on posts of `author`. The cost does not depend on the
    /// number of voters of the rule.
    pub fn votes_as(&self, rule: &Rule, voter: &Account, author: &Account) -> bool {
        let of_voter = indexes(&self.by_voter, voter);
        let index = self.by_id.get(&rule.id);
        index.is_some_and(|index| of_voter.binary_search(index).is_ok())
            && (rule.self_votes || voter != author)
    }

    /// The rules that vote as `voter`, in order of precedence.
    pub fn rules_of(&self, voter: &Account) -> impl Iterator<Item = &Arc<Rule>> {
        self.at(indexes(&self.by_voter, voter))
    }

    /// Whether any rule votes as `account`.
    pub fn is_voter(&self, account: &Account) -> bool {
        self.by_voter.contains_key(account)
    }

    /// Whether any trail follows `account`.
    pub fn is_leader(&self, account: &Account) -> bool {
        self.by_leader.contains_key(account)
    }

    /// The voters of all rules, each once, in no particular order.
    pub fn voters(&self) -> impl Iterator<Item = &Account> {
        self.by_voter.keys()
    }

    fn at(&self, indexes: &[u32]) -> impl Iterator<Item = &Arc<Rule>> {
        indexes.iter().map(|index| &self.rules[*index as usize])
    }
}

fn indexes<'a>(map: &'a HashMap<Account, Vec<u32>>, account: &Account) -> &'a [u32] {
    map.get(account).map_or(&[][..], Vec::as_slice)
}

/// Merges two ascending lists.
fn merge<'a>(left: &'a [u32], right: &'a [u32]) -> impl Iterator<Item = u32> + 'a {
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    std::iter::from_fn(move || match (left.peek(), right.peek()) {
        (Some(a), Some(b)) if a <= b => left.next().copied(),
        (Some(_), None) => left.next().copied(),
        _ => right.next().copied(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::language;

    #[test]
    fn trail_rules_of_finds_the_trails_with_both_leader_and_voter() {
        let text = "voters = ['alice']
            [[trail]]
            leaders = ['ada', 'bea']
            weight = '1%'
            [[trail]]
            voters = ['amy']
            leaders = ['ada']
            weight = '2%'
            [[author]]
            authors = ['bob']
            weight = '3%'
            [[trail]]
            voters = ['amy', 'alice']
            leaders = ['ada']
            weight = '4%'";
        let rules = language::file::read("a.toml", text).rules;
        let set = RuleSet::new(rules.into_iter().map(Arc::new).collect());
        let names = |leader, voter| -> Vec<String> {
            let (leader, voter) = (Account::from_chain(leader), Account::from_chain(voter));
            let rules = set.trail_rules_of(&leader, &voter);
            rules.map(|rule| rule.id.to_string()).collect()
        };
        assert_eq!(names("ada", "alice"), ["a.toml:trail-1", "a.toml:trail-3"]);
        assert_eq!(names("ada", "amy"), ["a.toml:trail-2", "a.toml:trail-3"]);
        assert_eq!(names("bea", "alice"), ["a.toml:trail-1"]);
        assert!(names("bea", "amy").is_empty());
        assert!(names("carl", "alice").is_empty());
    }
}
