//! Writes a batch, and reads votes.

use sqlx::{Sqlite, SqliteConnection, Transaction};

use super::{SqliteStore, begin};
use crate::post::VoteKey;
use crate::store::error::StoreError;
use crate::store::rows::{
    CHUNK, CursorRow, ErrorRow, LeaderVoteRow, VoteRow, chunks, json, keys, parts, text,
    vote_columns,
};
use crate::votes::change::{Batch, Change};
use crate::votes::error_entry::ErrorEntry;
use crate::votes::fold::{self, Context, Rows};
use crate::votes::vote::Vote;

/// The order of the join is named: SQLite cannot know how short the list is.
const SELECT_BY_KEY: &str = concat!(
    "SELECT ",
    vote_columns!("v."),
    " FROM jsonb_each(?) AS k CROSS JOIN votes AS v \
     ON v.voter = k.value ->> 0 AND v.author = k.value ->> 1 AND v.permlink = k.value ->> 2"
);

/// One statement for new and changed rows, other than on MySQL: this transaction is the only writer,
/// so a row that `fold` took for new cannot have appeared meanwhile. `jsonb_each`, because `json_each` makes a
/// text of every row that each `->>` parses again: 24 µs a row, against 9.
const WRITE: &str = "INSERT INTO votes (voter, author, permlink, weight, rule, origin, status, \
     reason, due_at, cast_at, attempts, next_attempt_at, claimed_by, claimed_until, trx_id, \
     block_num, event_block, event_at, leader, leader_weight, asks, recasts, created_at, updated_at) \
     SELECT value ->> 'voter', value ->> 'author', value ->> 'permlink', value ->> 'weight', \
     value ->> 'rule', value ->> 'origin', value ->> 'status', value ->> 'reason', \
     value ->> 'due_at', value ->> 'cast_at', value ->> 'attempts', value ->> 'next_attempt_at', \
     value ->> 'claimed_by', value ->> 'claimed_until', value ->> 'trx_id', \
     value ->> 'block_num', value ->> 'event_block', value ->> 'event_at', value ->> 'leader', \
     value ->> 'leader_weight', value ->> 'asks', value ->> 'recasts', value ->> 'created_at', value ->> 'updated_at' \
     FROM jsonb_each(?) WHERE true \
     ON CONFLICT (voter, author, permlink) DO UPDATE SET weight = excluded.weight, \
     rule = excluded.rule, origin = excluded.origin, status = excluded.status, \
     reason = excluded.reason, due_at = excluded.due_at, cast_at = excluded.cast_at, \
     attempts = excluded.attempts, next_attempt_at = excluded.next_attempt_at, \
     claimed_by = excluded.claimed_by, claimed_until = excluded.claimed_until, \
     trx_id = excluded.trx_id, block_num = excluded.block_num, \
     event_block = excluded.event_block, event_at = excluded.event_at, \
     leader = excluded.leader, leader_weight = excluded.leader_weight, \
     asks = excluded.asks, recasts = excluded.recasts, created_at = excluded.created_at, \
     updated_at = excluded.updated_at";

impl SqliteStore {
    pub async fn apply(
        &self,
        batch: &Batch,
        context: &Context<'_>,
    ) -> Result<Vec<Vote>, StoreError> {
        // No second try as on MySQL: once begun, nobody else writes, and the busy timeout has waited
        // for the begin.
        let mut writer = self.writer.lock().await;
        let mut transaction = begin(&mut writer).await?;
        let existing = existing(&mut transaction, batch).await?;
        let Rows {
            mut new,
            changed,
            mut errors,
        } = fold::fold(existing, batch, context);
        new.extend(changed);
        for rows in chunks::<_, VoteRow>(&new) {
            run(WRITE, rows, &mut transaction).await?;
        }
        write_leader_votes(&mut transaction, batch).await?;
        errors.extend(to_report(&mut transaction, &batch.errors, context).await?);
        for rows in chunks::<_, ErrorRow>(&errors) {
            let statement = "INSERT INTO error_log \
                 (voter, author, permlink, weight, type, error, timestamp) \
                 SELECT value ->> 'voter', value ->> 'author', value ->> 'permlink', \
                 value ->> 'weight', value ->> 'type', value ->> 'error', value ->> 'timestamp' \
                 FROM jsonb_each(?)";
            run(statement, rows, &mut transaction).await?;
        }
        write_schedule_runs(&mut transaction, batch).await?;
        if let Some(cursor) = &batch.cursor {
            let row = CursorRow::from(cursor);
            sqlx::query(
                "REPLACE INTO chain_cursor \
                 (id, block_num, block_id, block_time, recent, updated_at) \
                 VALUES (1, ?, ?, ?, ?, ?)",
            )
            .bind(row.block_num)
            .bind(row.block_id)
            .bind(text(row.block_time))
            .bind(row.recent)
            .bind(text(context.now))
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(new)
    }

    pub async fn vote(&self, key: &VoteKey) -> Result<Option<Vote>, StoreError> {
        let mut reader = self.reader.lock().await;
        let [voter, author, permlink] = parts(key);
        let row: Option<VoteRow> = sqlx::query_as(concat!(
            "SELECT ",
            vote_columns!(""),
            " FROM votes WHERE voter = ? AND author = ? AND permlink = ?"
        ))
        .bind(voter)
        .bind(author)
        .bind(permlink)
        .fetch_optional(&mut *reader)
        .await?;
        Ok(row.map(Vote::try_from).transpose()?)
    }

    pub async fn votes(&self, wanted: &[VoteKey]) -> Result<Vec<Vote>, StoreError> {
        let mut rows: Vec<VoteRow> = Vec::new();
        for keys in keys(wanted).chunks(CHUNK) {
            let mut reader = self.reader.lock().await;
            let found = sqlx::query_as(SELECT_BY_KEY).bind(json(keys));
            rows.extend(found.fetch_all(&mut *reader).await?);
        }
        let votes: Result<_, sqlx::Error> = rows.into_iter().map(Vote::try_from).collect();
        Ok(votes?)
    }
}

/// The rows that a batch touches.
async fn existing(
    transaction: &mut Transaction<'_, Sqlite>,
    batch: &Batch,
) -> Result<Vec<Vote>, sqlx::Error> {
    let mut rows: Vec<VoteRow> = Vec::new();
    if let Some(above) = batch.undo_above {
        // Two statements, so that each has an index.
        for statement in [
            concat!(
                "SELECT ",
                vote_columns!(""),
                " FROM votes WHERE status = 'queued' AND event_block > ?"
            ),
            concat!(
                "SELECT ",
                vote_columns!(""),
                " FROM votes WHERE block_num > ? AND status = 'confirmed'"
            ),
        ] {
            rows.extend(
                sqlx::query_as::<_, VoteRow>(statement)
                    .bind(above)
                    .fetch_all(&mut **transaction)
                    .await?,
            );
        }
    }
    for keys in keys(batch.changes.iter().map(Change::key)).chunks(CHUNK) {
        rows.extend(
            sqlx::query_as::<_, VoteRow>(SELECT_BY_KEY)
                .bind(json(keys))
                .fetch_all(&mut **transaction)
                .await?,
        );
    }
    rows.into_iter().map(Vote::try_from).collect()
}

async fn write_leader_votes(
    transaction: &mut Transaction<'_, Sqlite>,
    batch: &Batch,
) -> Result<(), sqlx::Error> {
    if let Some(above) = batch.undo_above {
        sqlx::query("DELETE FROM leader_votes WHERE block_num > ?")
            .bind(above)
            .execute(&mut **transaction)
            .await?;
    }
    for rows in chunks::<_, LeaderVoteRow>(&batch.leader_votes) {
        // The last of several votes in one block stands, and reading a block again changes nothing.
        let statement = "REPLACE INTO leader_votes \
             (leader, author, permlink, weight, block_num, voted_at) \
             SELECT value ->> 'leader', value ->> 'author', value ->> 'permlink', \
             value ->> 'weight', value ->> 'block_num', value ->> 'voted_at' FROM jsonb_each(?)";
        run(statement, rows, transaction).await?;
    }
    Ok(())
}

async fn write_schedule_runs(
    transaction: &mut Transaction<'_, Sqlite>,
    batch: &Batch,
) -> Result<(), sqlx::Error> {
    for run in &batch.schedule_runs {
        let statement = "REPLACE INTO schedule_runs (rule, schedule, last_run_at) VALUES (?, ?, ?)";
        sqlx::query(statement)
            .bind(run.rule.as_str())
            .bind(&run.schedule)
            .bind(text(run.last_run_at))
            .execute(&mut **transaction)
            .await?;
    }
    for rule in &batch.schedules_gone {
        sqlx::query("DELETE FROM schedule_runs WHERE rule = ?")
            .bind(rule.as_str())
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

/// The errors that were not reported before.
async fn to_report(
    transaction: &mut Transaction<'_, Sqlite>,
    errors: &[ErrorEntry],
    context: &Context<'_>,
) -> Result<Vec<ErrorEntry>, sqlx::Error> {
    let mut new = Vec::with_capacity(errors.len());
    for entry in errors {
        if let Some(fingerprint) = &entry.fingerprint {
            let done = sqlx::query(
                "INSERT OR IGNORE INTO reported (fingerprint, reported_at) VALUES (?, ?)",
            )
            .bind(fingerprint)
            .bind(text(context.now))
            .execute(&mut **transaction)
            .await?;
            if done.rows_affected() == 0 {
                continue;
            }
        }
        new.push(entry.clone());
    }
    Ok(new)
}

/// Runs a statement over a group of rows.
async fn run(
    statement: &'static str,
    rows: String,
    connection: &mut SqliteConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query(statement)
        .bind(rows)
        .execute(connection)
        .await?;
    Ok(())
}
