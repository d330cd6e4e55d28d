//! Who holds which vote.

use chrono::{DateTime, Utc};
use sqlx::Acquire;

use super::{MySqlStore, call};
use crate::store::error::StoreError;
use crate::store::rows::{VoteRow, json, vote_columns};
use crate::votes::vote::Vote;

/// The rows whose ids are in a JSON text.
macro_rules! ids {
    () => {
        "JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) AS k STRAIGHT_JOIN votes AS v ON v.id = k.id"
    };
}

impl MySqlStore {
    pub async fn claim(
        &self,
        owner: &str,
        now: DateTime<Utc>,
        due_before: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Vote>, StoreError> {
        call(move || async move {
            let mut session = self.session().await?;
            let mut transaction = session.begin().await?;
            // SKIP LOCKED: two daemons that claim at once take different rows. MySQL has no
            // RETURNING, so the rows are read, then marked.
            let rows: Vec<VoteRow> = sqlx::query_as(concat!(
                "SELECT ",
                vote_columns!(""),
                " FROM votes FORCE INDEX (votes_next) \
                 WHERE status = 'queued' AND next_attempt_at < ? \
                 AND (claimed_until IS NULL OR claimed_until < ?) \
                 ORDER BY next_attempt_at, id LIMIT ? FOR UPDATE SKIP LOCKED"
            ))
            .bind(due_before.naive_utc())
            .bind(now.naive_utc())
            .bind(limit)
            .fetch_all(&mut *transaction)
            .await?;
            if !rows.is_empty() {
                sqlx::query(concat!(
                    "UPDATE ",
                    ids!(),
                    " SET v.claimed_by = ?, v.claimed_until = ?"
                ))
                .bind(ids(&rows))
                .bind(owner)
                .bind(until.naive_utc())
                .execute(&mut *transaction)
                .await?;
            }
            transaction.commit().await?;
            session.finish();
            rows.into_iter().map(Vote::try_from).collect()
        })
        .await
    }

    pub async fn claim_unconfirmed(
        &self,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Vote>, StoreError> {
        call(move || async move {
            let mut session = self.session().await?;
            let mut transaction = session.begin().await?;
            let rows: Vec<VoteRow> = sqlx::query_as(concat!(
                "SELECT ",
                vote_columns!(""),
                " FROM votes FORCE INDEX (votes_next) \
                 WHERE status = 'cast' AND next_attempt_at <= ? \
                 ORDER BY next_attempt_at, id LIMIT ? FOR UPDATE SKIP LOCKED"
            ))
            .bind(now.naive_utc())
            .bind(limit)
            .fetch_all(&mut *transaction)
            .await?;
            if !rows.is_empty() {
                sqlx::query(concat!("UPDATE ", ids!(), " SET v.next_attempt_at = ?"))
                    .bind(ids(&rows))
                    .bind(until.naive_utc())
                    .execute(&mut *transaction)
                    .await?;
            }
            transaction.commit().await?;
            session.finish();
            rows.into_iter().map(Vote::try_from).collect()
        })
        .await
    }

    pub async fn renew(&self, owner: &str, until: DateTime<Utc>) -> Result<u64, StoreError> {
        call(move || async move {
            let mut session = self.session().await?;
            let done = sqlx::query(
                "UPDATE votes SET claimed_until = ? WHERE claimed_by = ? AND status = 'queued'",
            )
            .bind(until.naive_utc())
            .bind(owner)
            .execute(&mut *session)
            .await?;
            session.finish();
            Ok(done.rows_affected())
        })
        .await
    }

    pub async fn held(&self, owner: &str) -> Result<Vec<Vote>, StoreError> {
        call(move || async move {
            let mut session = self.session().await?;
            let rows: Vec<VoteRow> = sqlx::query_as(concat!(
                "SELECT ",
                vote_columns!(""),
                " FROM votes WHERE claimed_by = ? AND status = 'queued'"
            ))
            .bind(owner)
            .fetch_all(&mut *session)
            .await?;
            session.finish();
            rows.into_iter().map(Vote::try_from).collect()
        })
        .await
    }

    pub async fn release(&self, owner: &str) -> Result<u64, StoreError> {
        call(move || async move {
            let mut session = self.session().await?;
            let done = sqlx::query(
                "UPDATE votes SET claimed_by = NULL, claimed_until = NULL \
                 WHERE claimed_by = ? AND status = 'queued'",
            )
            .bind(owner)
            .execute(&mut *session)
            .await?;
            session.finish();
            Ok(done.rows_affected())
        })
        .await
    }

    pub async fn acquire_lease(
        &self,
        name: &str,
        owner: &str,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        call(move || async move {
            let mut session = self.session().await?;
            // Two statements that are each decided by the row alone: no transaction is needed.
            let done = sqlx::query(
                "UPDATE leases SET holder = ?, until = ? \
                 WHERE name = ? AND (holder = ? OR until <= ?)",
            )
            .bind(owner)
            .bind(until.naive_utc())
            .bind(name)
            .bind(owner)
            .bind(now.naive_utc())
            .execute(&mut *session)
            .await?;
            let mut ours = done.rows_affected() > 0;
            if !ours {
                let done =
                    sqlx::query("INSERT IGNORE INTO leases (name, holder, until) VALUES (?, ?, ?)")
                        .bind(name)
                        .bind(owner)
                        .bind(until.naive_utc())
                        .execute(&mut *session)
                        .await?;
                ours = done.rows_affected() > 0;
            }
            session.finish();
            Ok(ours)
        })
        .await
    }

    pub async fn release_lease(&self, name: &str, owner: &str) -> Result<(), StoreError> {
        call(move || async move {
            let mut session = self.session().await?;
            sqlx::query("DELETE FROM leases WHERE name = ? AND holder = ?")
                .bind(name)
                .bind(owner)
                .execute(&mut *session)
                .await?;
            session.finish();
            Ok(())
        })
        .await
    }
}

fn ids(rows: &[VoteRow]) -> String {
    json(&rows.iter().map(|row| row.id).collect::<Vec<_>>())
}
