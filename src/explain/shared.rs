//! What is the same for all voters, worked out once: there may be tens of thousands of them.

use std::collections::HashMap;

use crate::account::Account;
use crate::explain::known::Known;
use crate::explain::schedule::{Strikes, strikes};
use crate::rules::facts::Facts;
use crate::rules::set::RuleSet;
use crate::weight::Weight;

/// What is known of the post, in the form in which each voter's rules ask for it.
pub struct Shared<'a> {
    pub rules: &'a RuleSet,
    pub known: &'a Known,
    /// What the post is, where a node has it.
    pub facts: Option<Facts<'a>>,
    /// Who has voted on it, taken-back votes (weight 0) included.
    pub standing: HashMap<&'a Account, Weight>,
    pub strikes: Strikes,
}

impl<'a> Shared<'a> {
    pub fn new(rules: &'a RuleSet, known: &'a Known) -> Self {
        let votes = known.content().map_or(&[][..], |content| &content.votes);
        Self {
            rules,
            known,
            facts: known.content().map(Facts::of_content),
            standing: votes
                .iter()
                .map(|vote| (&vote.voter, vote.weight))
                .collect(),
            strikes: strikes(rules, &known.post.author, known.now),
        }
    }
}
