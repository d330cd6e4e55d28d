//! Who holds which vote.

use chrono::{DateTime, Utc};

use super::{SqliteStore, begin};
use crate::store::error::StoreError;
use crate::store::rows::{VoteRow, json, text, vote_columns};
use crate::votes::vote::Vote;

impl SqliteStore {
    pub async fn claim(
        &self,
        owner: &str,
        now: DateTime<Utc>,
        due_before: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Vote>, StoreError> {
        let mut writer = self.writer.lock().await;
        // Not one UPDATE with RETURNING: the rows are to come back as they were.
        let mut transaction = begin(&mut writer).await?;
        let rows: Vec<VoteRow> = sqlx::query_as(concat!(
            "SELECT ",
            vote_columns!(""),
            " FROM votes WHERE status = 'queued' AND next_attempt_at < ? \
             AND (claimed_until IS NULL OR claimed_until < ?) \
             ORDER BY next_attempt_at, id LIMIT ?"
        ))
        .bind(text(due_before))
        .bind(text(now))
        .bind(limit)
        .fetch_all(&mut *transaction)
        .await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        sqlx::query(
            "UPDATE votes SET claimed_by = ?, claimed_until = ? \
             WHERE id IN (SELECT value FROM json_each(?))",
        )
        .bind(owner)
        .bind(text(until))
        .bind(ids(&rows))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        votes(rows)
    }

    pub async fn claim_unconfirmed(
        &self,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<Vote>, StoreError> {
        let mut writer = self.writer.lock().await;
        let mut transaction = begin(&mut writer).await?;
        let rows: Vec<VoteRow> = sqlx::query_as(concat!(
            "SELECT ",
            vote_columns!(""),
            " FROM votes WHERE status = 'cast' AND next_attempt_at <= ? \
             ORDER BY next_attempt_at, id LIMIT ?"
        ))
        .bind(text(now))
        .bind(limit)
        .fetch_all(&mut *transaction)
        .await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        sqlx::query(
            "UPDATE votes SET next_attempt_at = ? WHERE id IN (SELECT value FROM json_each(?))",
        )
        .bind(text(until))
        .bind(ids(&rows))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        votes(rows)
    }

    pub async fn renew(&self, owner: &str, until: DateTime<Utc>) -> Result<u64, StoreError> {
        let mut writer = self.writer.lock().await;
        let done = sqlx::query(
            "UPDATE votes SET claimed_until = ? WHERE claimed_by = ? AND status = 'queued'",
        )
        .bind(text(until))
        .bind(owner)
        .execute(&mut *writer)
        .await?;
        Ok(done.rows_affected())
    }

    pub async fn held(&self, owner: &str) -> Result<Vec<Vote>, StoreError> {
        let mut reader = self.reader.lock().await;
        let rows: Vec<VoteRow> = sqlx::query_as(concat!(
            "SELECT ",
            vote_columns!(""),
            " FROM votes WHERE claimed_by = ? AND status = 'queued'"
        ))
        .bind(owner)
        .fetch_all(&mut *reader)
        .await?;
        votes(rows)
    }

    pub async fn release(&self, owner: &str) -> Result<u64, StoreError> {
        let mut writer = self.writer.lock().await;
        let done = sqlx::query(
            "UPDATE votes SET claimed_by = NULL, claimed_until = NULL \
             WHERE claimed_by = ? AND status = 'queued'",
        )
        .bind(owner)
        .execute(&mut *writer)
        .await?;
        Ok(done.rows_affected())
    }

    /// Only here: on MySQL the claims of others may belong to daemons that live.
    pub async fn free_all_claims(&self) -> Result<u64, StoreError> {
        let mut writer = self.writer.lock().await;
        let done = sqlx::query(
            "UPDATE votes SET claimed_until = ? \
             WHERE claimed_by IS NOT NULL AND status = 'queued'",
        )
        .bind(text(DateTime::UNIX_EPOCH))
        .execute(&mut *writer)
        .await?;
        sqlx::query("DELETE FROM leases")
            .execute(&mut *writer)
            .await?;
        Ok(done.rows_affected())
    }

    pub async fn acquire_lease(
        &self,
        name: &str,
        owner: &str,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut writer = self.writer.lock().await;
        let done = sqlx::query(
            "INSERT INTO leases (name, holder, until) VALUES (?, ?, ?) \
             ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until \
             WHERE holder = excluded.holder OR until <= ?",
        )
        .bind(name)
        .bind(owner)
        .bind(text(until))
        .bind(text(now))
        .execute(&mut *writer)
        .await?;
        Ok(done.rows_affected() > 0)
    }

    pub async fn release_lease(&self, name: &str, owner: &str) -> Result<(), StoreError> {
        let mut writer = self.writer.lock().await;
        sqlx::query("DELETE FROM leases WHERE name = ? AND holder = ?")
            .bind(name)
            .bind(owner)
            .execute(&mut *writer)
            .await?;
        Ok(())
    }
}

fn ids(rows: &[VoteRow]) -> String {
    json(&rows.iter().map(|row| row.id).collect::<Vec<_>>())
}

fn votes(rows: Vec<VoteRow>) -> Result<Vec<Vote>, StoreError> {
    let votes: Result<_, sqlx::Error> = rows.into_iter().map(Vote::try_from).collect();
    Ok(votes?)
}
