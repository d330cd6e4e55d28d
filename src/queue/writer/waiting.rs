//! A batch that waits to be written.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::votes::change::{Batch, Change};

pub(super) struct Waiting {
    pub batch: Arc<Batch>,
    pub since: DateTime<Utc>,
    /// When the caster was told what it will make of the rows: it is written as it would have been then.
    pub announced: Option<DateTime<Utc>>,
}

impl Waiting {
    /// Whether new votes are in it.
    pub fn plans(&self) -> bool {
        let is_plan = |change: &Change| matches!(change, Change::Plan(_));
        self.batch.changes.iter().any(is_plan)
    }
}
