//! The state machine of a vote: what each change makes of a row. Pure, and the same for every database: a backend
//! reads the rows that a batch names, asks [`fold`], and writes what comes back.
//!
//! ```text
//!                 plan                  report: cast            seen in a block
//!   (no row) ───────────▶ queued ─────────────────────▶ cast ───────────────────▶ confirmed
//!       │                 │    ▲                         │  ▲                          │
//!       │ seen            │    └───── report: recast ────┘  └───── block undone ───────┘
//!       ▼                 ▼
//!    skipped ◀── skipped, failed, withdrawn, dry_run ──▶ queued   (plan of a newer block)
//!  (voted by hand: for good)
//! ```

mod asked;
mod context;
mod report;
mod seen;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::post::VoteKey;
use crate::votes::asks::Asks;
use crate::votes::change::{Batch, Change, Outcome, Report};
use crate::votes::error_entry::ErrorEntry;
use crate::votes::reason::Reason;
use crate::votes::status::Status;
use crate::votes::vote::Vote;

pub use context::Context;

/// The rows to write for a batch.
#[derive(Debug, Default, PartialEq)]
pub struct Rows {
    /// New rows.
    pub new: Vec<Vote>,
    /// Existing rows that changed.
    pub changed: Vec<Vote>,
    /// Votes that failed for good in this batch.
    pub errors: Vec<ErrorEntry>,
}

/// What `batch` makes of the `existing` rows: every row it names, and with `undo_above` every queued row with an ask
/// of a block above and every confirmed one in such a block. A key without a row in `existing` has none in the
/// table. Rows that stay as they are come back in neither list.
pub fn fold(existing: Vec<Vote>, batch: &Batch, context: &Context<'_>) -> Rows {
    let mut rows: BTreeMap<VoteKey, Row> = BTreeMap::new();
    for vote in existing {
        let now = match batch.undo_above {
            Some(above) => asked::undone(vote.clone(), above, context),
            None => vote.clone(),
        };
        let row = Row {
            planned: now.status == Status::Queued && now.ask().cause() != vote.ask().cause(),
            before: Some(vote),
            now,
        };
        rows.insert(row.now.key.clone(), row);
    }
    for change in &batch.changes {
        match rows.entry(change.key().clone()) {
            Entry::Occupied(mut entry) => entry.get_mut().take(change, context),
            Entry::Vacant(entry) => {
                if let Some(now) = first_row(change, context) {
                    entry.insert(Row {
                        before: None,
                        now,
                        planned: true,
                    });
                }
            }
        }
    }
    let mut written = Rows::default();
    for row in rows.into_values() {
        row.write(context, &mut written);
    }
    written
}

struct Row {
    before: Option<Vote>,
    now: Vote,
    /// Planned in this batch and not held yet: until it is held, nobody can have sent it.
    planned: bool,
}

impl Row {
    fn take(&mut self, change: &Change, context: &Context<'_>) {
        let now = self.now.clone();
        let after = match change {
            Change::Plan(plan) => asked::planned(now, plan, context),
            Change::Follow(change) => asked::followed(now, change, context),
            Change::Seen(seen) => seen::seen_in_block(now, seen, context),
            Change::Report(report) => report::reported(now, report, context),
        };
        let other_cause = after.ask().cause() != self.now.ask().cause();
        self.planned = match change {
            Change::Plan(_) | Change::Follow(_) => {
                self.planned || other_cause || after.status != self.now.status
            }
            Change::Seen(_) => self.planned,
            Change::Report(Report {
                outcome: Outcome::Unsuited(_),
                ..
            }) => self.planned || other_cause,
            // The reporting caster knows the vote, and the report says who holds it.
            Change::Report(_) => false,
        };
        self.now = after;
    }

    /// Adds the row to what is written if it changed, with a claim if it was planned and is due soon.
    fn write(self, context: &Context<'_>, written: &mut Rows) {
        let Self {
            before,
            mut now,
            planned,
        } = self;
        if now.status == Status::Queued {
            if planned {
                now = context::hold_if_soon(now, context);
            }
        } else {
            now.asks.others.clear();
        }
        if before.as_ref() == Some(&now) {
            return;
        }
        now.updated_at = context.now;
        let failed = |vote: &Vote| vote.status == Status::Failed;
        // A cause that many votes share was reported when it began.
        let reported = now.reason.as_ref().is_some_and(Reason::is_reported);
        if failed(&now) && !reported && !before.as_ref().is_some_and(failed) {
            let reason = now.reason.as_ref().map(ToString::to_string);
            let entry = ErrorEntry::of_vote(&now, reason.unwrap_or_default(), context.now);
            written.errors.push(entry);
        }
        match before {
            Some(_) => written.changed.push(now),
            None => written.new.push(now),
        }
    }
}

/// The row that a change makes where there is none.
fn first_row(change: &Change, context: &Context<'_>) -> Option<Vote> {
    match change {
        Change::Plan(plan) => {
            let asks = Asks::new(plan.ask.clone());
            Some(Vote::queued(plan.key.clone(), asks, context.now))
        }
        Change::Seen(seen) => Some(seen::by_hand(seen, context)),
        Change::Follow(_) | Change::Report(_) => None,
    }
}

#[cfg(test)]
mod tests;
