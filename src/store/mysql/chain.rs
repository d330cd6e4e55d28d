//! What was read from the chain, and how far schedules have run.

use chrono::{DateTime, Utc};

use super::{MySqlStore, call};
use crate::store::error::StoreError;
use crate::store::rows::{CursorRow, LeaderVoteRow, ScheduleRunRow};
use crate::votes::change::{Cursor, LeaderVote, ScheduleRun};

impl MySqlStore {
    pub async fn cursor(&self) -> Result<Option<Cursor>, StoreError> {
        call(move || async move {
            let mut session = self.session().await?;
            let row: Option<CursorRow> = sqlx::query_as(
                "SELECT block_num, block_id, block_time, recent FROM chain_cursor WHERE id = 1",
            )
            .fetch_optional(&mut *session)
            .await?;
            session.finish();
            row.map(Cursor::try_from).transpose()
        })
        .await
    }

    pub async fn leader_votes(&self) -> Result<Vec<LeaderVote>, StoreError> {
        call(move || async move {
            let mut session = self.session().await?;
            let rows: Vec<LeaderVoteRow> = sqlx::query_as(
                "SELECT leader, author, permlink, weight, block_num, voted_at \
                 FROM leader_votes ORDER BY block_num",
            )
            .fetch_all(&mut *session)
            .await?;
            session.finish();
            rows.into_iter().map(LeaderVote::try_from).collect()
        })
        .await
    }

    pub async fn schedule_runs(&self) -> Result<Vec<ScheduleRun>, StoreError> {
        call(move || async move {
            let mut session = self.session().await?;
            let rows: Vec<ScheduleRunRow> = sqlx::query_as(
                "SELECT rule, schedule, last_run_at FROM schedule_runs ORDER BY rule",
            )
            .fetch_all(&mut *session)
            .await?;
            session.finish();
            Ok(rows.into_iter().map(ScheduleRun::from).collect())
        })
        .await
    }

    pub async fn prune_leader_votes(&self, before: DateTime<Utc>) -> Result<u64, StoreError> {
        call(move || async move {
            let mut session = self.session().await?;
            // So many at a time that nobody waits long for the locks; the next call goes on.
            let done = sqlx::query("DELETE FROM leader_votes WHERE voted_at < ? LIMIT 20000")
                .bind(before.naive_utc())
                .execute(&mut *session)
                .await?;
            session.finish();
            Ok(done.rows_affected())
        })
        .await
    }
}
