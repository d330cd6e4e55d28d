//! The state machine of a vote: what each change makes of a row. Pure, and the same for every
//! database: a backend reads the rows a batch names, asks [`fold`], and writes what comes back.

use chrono::{DateTime, Utc};

use crate::queue::change::Batch;
use crate::queue::vote::Vote;
use crate::rules::rule::RuleId;

/// What a transition depends on beside the row and the change.
pub struct Context<'a> {
    /// This daemon.
    pub owner: &'a str,
    pub now: DateTime<Utc>,
    /// A vote due before then is claimed for `owner` as it is queued.
    pub claim_before: DateTime<Utc>,
    /// When such a claim ends unless it is renewed.
    pub claim_until: DateTime<Utc>,
    /// The place of a rule in the order of precedence; `None` where it is gone.
    pub position: &'a (dyn Fn(&RuleId) -> Option<u32> + Sync),
}

/// Rows to write after a batch.
#[derive(Debug, Default, PartialEq)]
pub struct Rows {
    pub new: Vec<Vote>,
    pub changed: Vec<Vote>,
}

/// What `batch` makes of the `existing` rows: every row it names, and with `undo_above` every queued
/// row caused by a block above and every confirmed one in such a block. A key without a row in
/// `existing` has none in the table. Rows that stay as they are come back in neither list.
pub fn fold(existing: Vec<Vote>, batch: &Batch, context: &Context<'_>) -> Rows {
    let _ = (existing, batch, context);
    Rows::default()
}
