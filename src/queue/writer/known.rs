//! The rows that this daemon knows: those that it holds, and others that it has written.

use std::collections::HashMap;

use crate::post::VoteKey;
use crate::votes::status::Status;
use crate::votes::vote::Vote;

/// Most rows to remember that are not held.
const MOST_OTHERS: usize = 100_000;

#[derive(Default)]
pub(super) struct Known {
    /// The rows that the caster holds, and those announced to it that are not in the table yet.
    held: HashMap<VoteKey, Vote>,
    /// Rows that are queued for later, or cast and in no block yet. While the database does not answer, they show which
    /// votes have a row already.
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

    /// The rows that the caster holds.
    pub fn held(&self) -> &HashMap<VoteKey, Vote> {
        &self.held
    }

    /// Adds a row that the caster holds from now on, or that was announced to it.
    pub fn hold(&mut self, row: Vote) {
        self.others.remove(&row.key);
        self.held.insert(row.key.clone(), row);
    }

    /// Notes a row that the caster does not hold, or not any more.
    pub fn let_go(&mut self, row: &Vote) {
        self.held.remove(&row.key);
        let may_be_asked_for = matches!(row.status, Status::Queued | Status::Cast);
        if may_be_asked_for && self.others.len() < MOST_OTHERS {
            self.others.insert(row.key.clone(), row.clone());
        } else {
            self.others.remove(&row.key);
        }
    }

    /// Removes a row that another daemon has.
    pub fn lose(&mut self, key: &VoteKey) -> Option<Vote> {
        self.held.remove(key)
    }
}
