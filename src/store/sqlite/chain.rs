//! What was read from the chain, and how far schedules have run.

use chrono::{DateTime, Utc};

use super::SqliteStore;
use crate::store::error::StoreError;
use crate::store::rows::{CursorRow, LeaderVoteRow, ScheduleRunRow, text};
use crate::votes::change::{Cursor, LeaderVote, ScheduleRun};

impl SqliteStore {
    pub async fn cursor(&self) -> Result<Option<Cursor>, StoreError> {
        let mut reader = self.reader.lock().await;
        let row: Option<CursorRow> = sqlx::query_as(
            "SELECT block_num, block_id, block_time, recent FROM chain_cursor WHERE id = 1",
        )
        .fetch_optional(&mut *reader)
        .await?;
        Ok(row.map(Cursor::try_from).transpose()?)
    }

    pub async fn leader_votes(&self) -> Result<Vec<LeaderVote>, StoreError> {
        let mut reader = self.reader.lock().await;
        let rows: Vec<LeaderVoteRow> = sqlx::query_as(
            "SELECT leader, author, permlink, weight, block_num, voted_at \
             FROM leader_votes ORDER BY block_num",
        )
        .fetch_all(&mut *reader)
        .await?;
        let votes: Result<_, sqlx::Error> = rows.into_iter().map(LeaderVote::try_from).collect();
        Ok(votes?)
    }

    pub async fn schedule_runs(&self) -> Result<Vec<ScheduleRun>, StoreError> {
        let mut reader = self.reader.lock().await;
        let rows: Vec<ScheduleRunRow> =
            sqlx::query_as("SELECT rule, schedule, last_run_at FROM schedule_runs ORDER BY rule")
                .fetch_all(&mut *reader)
                .await?;
        Ok(rows.into_iter().map(ScheduleRun::from).collect())
    }

    pub async fn prune_leader_votes(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        let mut writer = self.writer.lock().await;
        // SQLite has no DELETE with LIMIT as MySQL does.
        let done = sqlx::query(
            "DELETE FROM leader_votes WHERE rowid IN \
             (SELECT rowid FROM leader_votes WHERE voted_at < ? LIMIT 20000)",
        )
        .bind(text(before))
        .execute(&mut *writer)
        .await?;
        Ok(done.rows_affected())
    }
}
