//! The rules and people that ask for a vote, and which of them has it.
//!
//! Every rule that matches asks. The one that comes first in the files has the vote; the others are kept until the vote
//! is cast, in case it drops out: its leader takes the vote back, a fork undoes its block, the post does not suit it, or
//! the rule itself is gone.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::rules::rule::RuleId;
use crate::votes::status::Origin;
use crate::weight::Weight;

/// One reason to cast a vote. The column `asks` holds those that do not have the vote, as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ask {
    /// Empty for a vote that a person cast.
    pub rule: RuleId,
    /// The kind of reason.
    pub origin: Origin,
    /// The weight of the vote.
    pub weight: Weight,
    /// When the vote must go out, as JSON in milliseconds since 1970.
    #[serde(with = "chrono::serde::ts_milliseconds")]
    pub due_at: DateTime<Utc>,
    /// The block with the post or the leader's vote; for a schedule the newest block at that time.
    #[serde(rename = "event_block")]
    pub block: u32,
    /// The timestamp of that block; for a schedule the publication of the post.
    #[serde(rename = "event_at", with = "chrono::serde::ts_milliseconds")]
    pub at: DateTime<Utc>,
    /// The leader whose vote is followed, and the weight of that vote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader: Option<(Account, Weight)>,
}

/// Identifies an ask of one vote. When another ask gets the vote, the post is looked at again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// The rule.
    pub rule: RuleId,
    /// The kind of reason.
    pub origin: Origin,
    /// The block with the cause.
    pub block: u32,
}

/// The place of a rule in the order of precedence; `None` if the rule is gone.
pub type Position<'a> = dyn Fn(&RuleId) -> Option<u32> + Sync + 'a;

/// All asks for one vote: the ask that has it, and the others in the order in which they came.
#[derive(Debug, Clone, PartialEq)]
pub struct Asks {
    /// The ask that has the vote.
    pub first: Ask,
    /// The other asks.
    pub others: Vec<Ask>,
}

impl Ask {
    /// What identifies it.
    pub fn cause(&self) -> Cause {
        Cause {
            rule: self.rule.clone(),
            origin: self.origin,
            block: self.block,
        }
    }

    /// Whether it follows an upvote (`true`) or a downvote of a leader.
    fn follows_upvote(&self) -> Option<bool> {
        self.leader
            .as_ref()
            .map(|(_, weight)| weight.hundredths() > 0)
    }

    /// Whether `other` is the same ask. A rule asks once, however many leaders it follows; but agreement on an upvote and
    /// agreement on a downvote are two asks.
    fn repeats(&self, other: &Self) -> bool {
        self.rule == other.rule && self.follows_upvote() == other.follows_upvote()
    }

    /// Its place in the order of precedence: a person first, then rules by their place, then rules that are gone.
    fn rank(&self, position: &Position<'_>) -> u64 {
        match (self.origin, position(&self.rule)) {
            (Origin::Hand, _) => 0,
            (_, Some(place)) => 1 + u64::from(place),
            (_, None) => u64::MAX,
        }
    }
}

impl Asks {
    /// One ask, which has the vote.
    pub fn new(first: Ask) -> Self {
        Self {
            first,
            others: Vec::new(),
        }
    }

    /// All of them, the one that has the vote first.
    pub fn iter(&self) -> impl Iterator<Item = &Ask> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// Adds `ask` unless it is known. It takes the vote over if it comes earlier in the files, unless `sent` says that the
    /// vote may have been sent already.
    pub fn add(&mut self, ask: Ask, sent: bool, position: &Position<'_>) {
        if self.iter().any(|known| known.repeats(&ask)) {
            return;
        }
        if !sent && ask.rank(position) < self.first.rank(position) {
            let had_it = std::mem::replace(&mut self.first, ask);
            self.others.push(had_it);
        } else {
            self.others.push(ask);
        }
    }

    /// Keeps the asks for which `stays` holds; `None` if there is none. If the one that has the vote goes, the next in
    /// the order of precedence has it; of those of one rule the one with the earliest block.
    pub fn retain(mut self, stays: impl Fn(&Ask) -> bool, position: &Position<'_>) -> Option<Self> {
        self.others.retain(&stays);
        if !stays(&self.first) {
            let others = self.others.iter().enumerate();
            let next = others.min_by_key(|(_, ask)| (ask.rank(position), ask.block));
            let (index, _) = next?;
            self.first = self.others.remove(index);
        }
        Some(self)
    }

    /// The ask that gets the vote if the first drops out.
    pub fn runner_up(&self, position: &Position<'_>) -> Option<&Ask> {
        self.others
            .iter()
            .filter(|ask| position(&ask.rule).is_some())
            .min_by_key(|ask| (ask.rank(position), ask.block))
    }

    /// Changes every ask for which `concerns` holds.
    pub fn update(&mut self, concerns: impl Fn(&Ask) -> bool, change: impl Fn(&mut Ask)) {
        std::iter::once(&mut self.first)
            .chain(&mut self.others)
            .filter(|ask| concerns(ask))
            .for_each(change);
    }
}
