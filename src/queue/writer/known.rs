//! The rows that this daemon knows: those that it holds, and others that it has seen written.

use std::collections::HashMap;

use crate::post::VoteKey;
use crate::votes::status::Status;
use crate::votes::vote::Vote;

/// More rows that are not held are not remembered.
const MOST_OTHERS: usize = 100_000;

#[derive(Default)]
pub(super) struct Known {
    /// What the caster holds, and whatever it was told of that the table does not have yet.
    held: HashMap<VoteKey, Vote>,
    /// Rows that are queued for later, or cast and in no block yet. While the database does not answer they tell
    /// what may be asked for: a new vote on the same post is no new row.
    others: HashMap<VoteKey, Vote>,
}

impl Known {
    /// The row, as far as it is known.
    pub fn get(&self, key: &VoteKey) -> Option<&Vote> {
        self.held.get(key).or_else(|| self.others.get(key))
    }

    /// All of them.
    pub fn rows(&self) -> impl Iterator<Item = &Vote> {
        self.held.values().chain(self.others.values())
    }

    /// What the caster holds.
    pub fn held(&self) -> &HashMap<VoteKey, Vote> {
        &self.held
    }

    /// The caster holds it from now on, or was told what will become of it.
    pub fn hold(&mut self, row: Vote) {
        self.others.remove(&row.key);
        self.held.insert(row.key.clone(), row);
    }

    /// The caster does not hold it, or no longer.
    pub fn let_go(&mut self, row: &Vote) {
        self.held.remove(&row.key);
        let may_be_asked_for = matches!(row.status, Status::Queued | Status::Cast);
        if may_be_asked_for && self.others.len() < MOST_OTHERS {
            self.others.insert(row.key.clone(), row.clone());
        } else {
            self.others.remove(&row.key);
        }
    }

    /// Another daemon has it.
    pub fn lose(&mut self, key: &VoteKey) -> Option<Vote> {
        self.held.remove(key)
    }
}
