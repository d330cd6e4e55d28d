//! The cursor, votes of leaders, and the last runs of schedules.

use chrono::{DateTime, Utc};

use super::dialect::{Once, names};
use super::value::Field;
use super::{Store, StoreError};
use crate::votes::change::{Cursor, LeaderVote, ScheduleRun};

impl Store {
    /// The last block that was read; `None` in a new database.
    pub async fn cursor(&self) -> Result<Option<Cursor>, StoreError> {
        static READ: Once = Once::new();
        let statement = READ.of(self.dialect(), || {
            let columns = names::<Cursor>("");
            format!("SELECT {columns} FROM chain_cursor WHERE id = 1")
        });
        Ok(self.read("read the cursor", statement, []).await?.pop())
    }

    /// Every stored vote of a leader, in the order of their blocks.
    pub async fn leader_votes(&self) -> Result<Vec<LeaderVote>, StoreError> {
        static READ: Once = Once::new();
        let statement = READ.of(self.dialect(), || {
            let columns = names::<LeaderVote>("");
            format!("SELECT {columns} FROM leader_votes ORDER BY block_num")
        });
        self.read("read leaders' votes", statement, []).await
    }

    /// Removes leaders' votes that are older than `before`, at most 20,000 per call so that the locks are short;
    /// returns their number.
    pub async fn prune_leader_votes(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let statement = self.dialect().prune_leader_votes;
        self.write("remove old leaders' votes", statement, [before.write()])
            .await
    }

    /// The last time that each rule with a schedule ran, in the order of the rules' names.
    pub async fn schedule_runs(&self) -> Result<Vec<ScheduleRun>, StoreError> {
        static READ: Once = Once::new();
        let statement = READ.of(self.dialect(), || {
            let columns = names::<ScheduleRun>("");
            format!("SELECT {columns} FROM schedule_runs ORDER BY rule")
        });
        self.read("read schedule runs", statement, []).await
    }
}
