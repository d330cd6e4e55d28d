//! What was read from the chain, and how far schedules have run.

use chrono::{DateTime, Utc};

use super::{Store, StoreError};
use crate::votes::change::{Cursor, LeaderVote, ScheduleRun};

impl Store {
    /// The last block that was read; `None` in a new database.
    pub async fn cursor(&self) -> Result<Option<Cursor>, StoreError> {
        let rows = self.read("read the cursor", |sql| &sql.chain.cursor, []);
        Ok(rows.await?.pop())
    }

    /// Every stored vote of a leader, in the order of their blocks.
    pub async fn leader_votes(&self) -> Result<Vec<LeaderVote>, StoreError> {
        self.read("read leaders' votes", |sql| &sql.chain.leader_votes, [])
            .await
    }

    /// Removes leaders' votes from before that moment, at most 20,000 a call so that nobody waits
    /// long for the locks; returns their number.
    pub async fn prune_leader_votes(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let name = "remove old leaders' votes";
        self.write(name, |sql| sql.chain.prune_leader_votes, [before.into()])
            .await
    }

    /// The last time that each rule with a schedule ran, in the order of the rules' names.
    pub async fn schedule_runs(&self) -> Result<Vec<ScheduleRun>, StoreError> {
        self.read("read schedule runs", |sql| &sql.chain.schedule_runs, [])
            .await
    }
}
