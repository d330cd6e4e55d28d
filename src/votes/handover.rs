//! The rows that the writer hands to the caster.

use crate::votes::status::{Origin, Status};
use crate::votes::vote::Vote;

/// Rows for the caster, by what it does with them.
#[derive(Debug, Default)]
pub struct Handover {
    /// Votes that were just planned, ours to cast or not: the caster checks whether the post suits the asks.
    pub plan: Vec<Vote>,
    /// Votes that are ours to cast; with each, whether another daemon may have tried before.
    pub hold: Vec<(Vote, bool)>,
    /// Rows that changed; the caster updates those that it holds.
    pub amend: Vec<Vote>,
    /// Votes that were cast and not seen in a block in time: the caster looks for them on the chain.
    pub confirm: Vec<Vote>,
}

impl Handover {
    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.plan.is_empty()
            && self.hold.is_empty()
            && self.amend.is_empty()
            && self.confirm.is_empty()
    }

    /// Adds a row that was written by the daemon `owner`. `before` is the row as it was, if that is known;
    /// `is_held` says that the caster holds it.
    pub fn add(&mut self, row: Vote, before: Option<&Vote>, is_held: bool, owner: &str) {
        let ours = is_ours(&row, owner);
        let planned = row.status == Status::Queued
            && row.attempts == 0
            && matches!(row.ask().origin, Origin::Author | Origin::Trail)
            && before.is_none_or(|before| before.ask().cause() != row.ask().cause());
        if planned {
            self.plan.push(row);
        } else if ours && !is_held {
            let tried = row.attempts > 0;
            self.hold.push((row, tried));
        } else {
            self.amend.push(row);
        }
    }
}

/// Whether the vote is queued and claimed by `owner`.
pub fn is_ours(row: &Vote, owner: &str) -> bool {
    row.status == Status::Queued && row.is_held_by(owner)
}
