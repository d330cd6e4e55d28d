//! A batch that waits for the database.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::votes::change::{Batch, Change};

pub(super) struct Waiting {
    pub batch: Arc<Batch>,
    /// When it came.
    pub since: DateTime<Utc>,
    /// When its rows were announced to the caster; they are written as of that moment.
    pub announced: Option<DateTime<Utc>>,
    /// Whether it is written by itself, because the database refused a row of the batch that it was part of.
    pub alone: bool,
}

impl Waiting {
    /// Whether it holds new votes.
    pub fn plans(&self) -> bool {
        let is_plan = |change: &Change| matches!(change, Change::Plan(_));
        self.batch.changes.iter().any(is_plan)
    }
}
