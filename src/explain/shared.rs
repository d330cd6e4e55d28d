//! What is the same for all voters, worked out once: there may be tens of thousands of them.

use crate::explain::known::Known;
use crate::explain::schedule::{Strikes, strikes};
use crate::rules::facts::Facts;
use crate::rules::set::RuleSet;

/// What is known of the post, in the form in which each voter's rules ask for it.
pub struct Shared<'a> {
    pub rules: &'a RuleSet,
    pub known: &'a Known,
    /// What the post is, where a node has it.
    pub facts: Option<Facts<'a>>,
    pub strikes: Strikes,
}

impl<'a> Shared<'a> {
    pub fn new(rules: &'a RuleSet, known: &'a Known) -> Self {
        Self {
            rules,
            known,
            facts: known.content().map(Facts::of_content),
            strikes: strikes(rules, &known.post.author, known.now),
        }
    }
}
