//! What was read from the chain, and how far schedules have run.

use chrono::{DateTime, Utc};

use super::statements::{Dialect, names};
use super::table::Table;
use super::{Store, StoreError};
use crate::votes::change::{Cursor, LeaderVote, ScheduleRun};

pub(super) struct ChainStatements {
    cursor: String,
    pub replace_cursor: String,
    leader_votes: String,
    pub replace_leader_votes: String,
    prune_leader_votes: &'static str,
    schedule_runs: String,
    pub replace_schedule_runs: String,
}

impl ChainStatements {
    pub fn new(dialect: &Dialect) -> Self {
        let cursor = names::<Cursor>("");
        let leader_votes = names::<LeaderVote>("");
        let schedule_runs = names::<ScheduleRun>("");
        Self {
            replace_cursor: format!(
                "REPLACE INTO chain_cursor (id, {cursor}, updated_at) VALUES (1, {}?)",
                "?, ".repeat(Cursor::COLUMNS.len()),
            ),
            cursor: format!("SELECT {cursor} FROM chain_cursor WHERE id = 1"),
            leader_votes: format!("SELECT {leader_votes} FROM leader_votes ORDER BY block_num"),
            // The last of several votes in one block stands, and reading a block again changes nothing.
            replace_leader_votes: dialect.write_rows::<LeaderVote>("REPLACE INTO leader_votes"),
            prune_leader_votes: dialect.prune_leader_votes,
            schedule_runs: format!("SELECT {schedule_runs} FROM schedule_runs ORDER BY rule"),
            replace_schedule_runs: dialect.write_rows::<ScheduleRun>("REPLACE INTO schedule_runs"),
        }
    }
}

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
