//! All rules in force, found by author and by leader.

use std::collections::HashMap;
use std::sync::Arc;

use crate::account::Account;
use crate::rules::rule::{Authors, Rule, RuleId, Trigger};

/// Every rule of every good file, in the order of the files. Looking up what a comment or a vote
/// concerns costs the same however many rules there are.
#[derive(Debug, Default)]
pub struct RuleSet {
    rules: Vec<Arc<Rule>>,
    /// Places in `rules`, ascending.
    by_author: HashMap<Account, Vec<u32>>,
    by_leader: HashMap<Account, Vec<u32>>,
    any_author: Vec<u32>,
    by_id: HashMap<RuleId, u32>,
    /// Places in `rules`, ascending, of those that vote as this account.
    voters: HashMap<Account, Vec<u32>>,
    /// Paths of files whose rules are not known; one that is empty or ends in `/` speaks of
    /// everything below it.
    unreadable: Vec<String>,
}

impl RuleSet {
    /// Indexes `rules`, which are in the order in which they have precedence.
    pub fn new(rules: Vec<Arc<Rule>>) -> Self {
        let mut set = Self::default();
        for (place, rule) in (0u32..).zip(&rules) {
            match &rule.trigger {
                Trigger::Author(author) => match &author.authors {
                    Authors::Listed(names) => {
                        for name in names {
                            set.by_author.entry(name.clone()).or_default().push(place);
                        }
                    }
                    Authors::Anyone => set.any_author.push(place),
                },
                Trigger::Trail(trail) => {
                    for name in &trail.leaders {
                        set.by_leader.entry(name.clone()).or_default().push(place);
                    }
                }
            }
            for voter in &rule.voters {
                set.voters.entry(voter.clone()).or_default().push(place);
            }
            set.by_id.insert(rule.id.clone(), place);
        }
        set.rules = rules;
        set
    }

    /// The set before any file has been read: no rules, and nothing is known of any.
    pub fn not_read_yet() -> Self {
        Self::default().with_unreadable(vec![String::new()])
    }

    /// Says of which files the rules are not known, because none of their contents so far was good:
    /// paths relative to the rules folder; one that ends in `/` stands for a folder, an empty one
    /// for the rules folder itself.
    #[must_use]
    pub fn with_unreadable(mut self, unreadable: Vec<String>) -> Self {
        self.unreadable = unreadable;
        self
    }

    /// Whether nobody knows if there is such a rule: it is of a file of which only bad contents have
    /// been seen. Its queued votes are neither cast nor withdrawn.
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

    /// The author rules that name `author`, or everybody, in order of precedence.
    pub fn author_rules(&self, author: &Account) -> impl Iterator<Item = &Arc<Rule>> {
        let named = self.by_author.get(author).map_or(&[][..], Vec::as_slice);
        merge(named, &self.any_author).map(|place| &self.rules[place as usize])
    }

    /// The trails that follow `leader`, in order of precedence.
    pub fn trail_rules(&self, leader: &Account) -> impl Iterator<Item = &Arc<Rule>> {
        let places = self.by_leader.get(leader).map_or(&[][..], Vec::as_slice);
        places.iter().map(|place| &self.rules[*place as usize])
    }

    /// The trails that follow `leader` and vote as `voter`, in order of precedence: as cheap where thousands follow
    /// one leader, each by a rule of its own, as where a voter has thousands of rules.
    pub fn trail_rules_of(
        &self,
        leader: &Account,
        voter: &Account,
    ) -> impl Iterator<Item = &Arc<Rule>> {
        let of_leader = self.by_leader.get(leader).map_or(&[][..], Vec::as_slice);
        let of_voter = self.voters.get(voter).map_or(&[][..], Vec::as_slice);
        let (fewer, more) = match of_leader.len() < of_voter.len() {
            true => (of_leader, of_voter),
            false => (of_voter, of_leader),
        };
        let both = fewer
            .iter()
            .filter(|place| more.binary_search(place).is_ok());
        both.map(|place| &self.rules[*place as usize])
    }

    /// The rule of that name, as the files are now.
    pub fn rule(&self, id: &RuleId) -> Option<&Arc<Rule>> {
        self.by_id.get(id).map(|place| &self.rules[*place as usize])
    }

    /// Where the rule stands in the order of precedence; `None` where it is gone.
    pub fn position(&self, id: &RuleId) -> Option<u32> {
        self.by_id.get(id).copied()
    }

    /// Whether `rule`, which is one of these, votes as `voter` on posts of `author`. Costs the same however
    /// many voters the rule has.
    pub fn votes_as(&self, rule: &Rule, voter: &Account, author: &Account) -> bool {
        let place = self.by_id.get(&rule.id);
        let votes = place.zip(self.voters.get(voter));
        votes.is_some_and(|(place, places)| places.binary_search(place).is_ok())
            && (rule.self_votes || voter != author)
    }

    /// The rules that vote as `voter`, in order of precedence.
    pub fn rules_of(&self, voter: &Account) -> impl Iterator<Item = &Arc<Rule>> {
        let places = self.voters.get(voter).map_or(&[][..], Vec::as_slice);
        places.iter().map(|place| &self.rules[*place as usize])
    }

    /// Whether any rule votes as `account`.
    pub fn is_voter(&self, account: &Account) -> bool {
        self.voters.contains_key(account)
    }

    /// Whether any trail follows `account`.
    pub fn is_leader(&self, account: &Account) -> bool {
        self.by_leader.contains_key(account)
    }

    /// Everybody that some rule votes as, in no order.
    pub fn voters(&self) -> impl Iterator<Item = &Account> {
        self.voters.keys()
    }
}

/// Two ascending lists as one.
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
    fn the_trails_of_a_leader_and_a_voter_are_those_that_have_both() {
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
