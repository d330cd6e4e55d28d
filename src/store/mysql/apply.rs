//! Writes a batch, and reads votes.

use sqlx::mysql::MySqlConnection;
use sqlx::{Acquire, MySql, Transaction};

use super::{MySqlStore, call};
use crate::post::VoteKey;
use crate::store::error::StoreError;
use crate::store::rows::{
    CHUNK, CursorRow, ErrorRow, LeaderVoteRow, VoteRow, chunks, json, keys, parts, vote_columns,
};
use crate::votes::change::{Batch, Change};
use crate::votes::error_entry::ErrorEntry;
use crate::votes::fold::{self, Context, Rows};
use crate::votes::vote::Vote;

/// The rows of `JSON_TABLE` have the collation of our columns: any other would compare in its own
/// way, and without the index.
macro_rules! select_by_key {
    ($end:literal) => {
        concat!(
            // MySQL locks no table function, hence the one around it. The order of the join and the index are
            // named because rows are locked as they are read: no others, and in the order of the keys.
            "WITH k AS (SELECT * FROM JSON_TABLE(?, '$[*]' COLUMNS (",
            "voter VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$[0]', ",
            "author VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$[1]', ",
            "permlink VARCHAR(256) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$[2]')) AS j) ",
            "SELECT ",
            vote_columns!("v."),
            " FROM k STRAIGHT_JOIN votes AS v FORCE INDEX (votes_key) ",
            "ON v.voter = k.voter AND v.author = k.author AND v.permlink = k.permlink",
            $end
        )
    };
}

/// The rows of a JSON text as [`VoteRow`] writes it.
macro_rules! vote_rows {
    () => {
        "JSON_TABLE(?, '$[*]' COLUMNS (\
         voter VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$.voter', \
         author VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$.author', \
         permlink VARCHAR(256) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$.permlink', \
         weight INT PATH '$.weight', \
         rule TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$.rule', \
         origin VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$.origin', \
         status VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$.status', \
         reason TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$.reason', \
         due_at DATETIME(3) PATH '$.due_at', \
         cast_at DATETIME(3) PATH '$.cast_at', \
         attempts BIGINT PATH '$.attempts', \
         next_attempt_at DATETIME(3) PATH '$.next_attempt_at', \
         claimed_by VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$.claimed_by', \
         claimed_until DATETIME(3) PATH '$.claimed_until', \
         trx_id VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$.trx_id', \
         block_num BIGINT PATH '$.block_num', \
         event_block BIGINT PATH '$.event_block', \
         event_at DATETIME(3) PATH '$.event_at', \
         leader VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$.leader', \
         leader_weight INT PATH '$.leader_weight', \
         asks TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$.asks', \
         recasts BIGINT PATH '$.recasts', \
         created_at DATETIME(3) PATH '$.created_at', \
         updated_at DATETIME(3) PATH '$.updated_at')) AS j"
    };
}

const INSERT: &str = concat!(
    "INSERT INTO votes (voter, author, permlink, weight, rule, origin, status, reason, due_at, \
     cast_at, attempts, next_attempt_at, claimed_by, claimed_until, trx_id, block_num, \
     event_block, event_at, leader, leader_weight, asks, recasts, created_at, updated_at) \
     SELECT voter, author, permlink, weight, rule, origin, status, reason, due_at, \
     cast_at, attempts, next_attempt_at, claimed_by, claimed_until, trx_id, block_num, \
     event_block, event_at, leader, leader_weight, asks, recasts, created_at, updated_at FROM ",
    vote_rows!()
);

const UPDATE: &str = concat!(
    "UPDATE ",
    vote_rows!(),
    " STRAIGHT_JOIN votes AS v FORCE INDEX (votes_key) \
     ON v.voter = j.voter AND v.author = j.author AND v.permlink = j.permlink \
     SET v.weight = j.weight, v.rule = j.rule, v.origin = j.origin, v.status = j.status, \
     v.reason = j.reason, v.due_at = j.due_at, v.cast_at = j.cast_at, v.attempts = j.attempts, \
     v.next_attempt_at = j.next_attempt_at, v.claimed_by = j.claimed_by, \
     v.claimed_until = j.claimed_until, v.trx_id = j.trx_id, v.block_num = j.block_num, \
     v.event_block = j.event_block, v.event_at = j.event_at, v.leader = j.leader, \
     v.leader_weight = j.leader_weight, v.asks = j.asks, v.recasts = j.recasts, v.created_at = j.created_at, v.updated_at = j.updated_at"
);

impl MySqlStore {
    pub async fn apply(
        &self,
        batch: &Batch,
        context: &Context<'_>,
    ) -> Result<Vec<Vote>, StoreError> {
        call(move || self.try_apply(batch, context)).await
    }

    async fn try_apply(
        &self,
        batch: &Batch,
        context: &Context<'_>,
    ) -> Result<Vec<Vote>, sqlx::Error> {
        let mut session = self.session().await?;
        let mut transaction = session.begin().await?;
        let existing = existing(&mut transaction, batch).await?;
        let Rows {
            mut new,
            changed,
            mut errors,
        } = fold::fold(existing, batch, context);
        for rows in chunks::<_, VoteRow>(&new) {
            run(INSERT, rows, &mut transaction).await?;
        }
        for rows in chunks::<_, VoteRow>(&changed) {
            run(UPDATE, rows, &mut transaction).await?;
        }
        write_leader_votes(&mut transaction, batch).await?;
        errors.extend(to_report(&mut transaction, &batch.errors, context).await?);
        for rows in chunks::<_, ErrorRow>(&errors) {
            let statement = "INSERT INTO error_log \
                 (voter, author, permlink, weight, type, error, timestamp) \
                 SELECT voter, author, permlink, weight, type, error, timestamp \
                 FROM JSON_TABLE(?, '$[*]' COLUMNS (\
                 voter VARCHAR(20) CHARACTER SET utf8mb4 PATH '$.voter', \
                 author VARCHAR(20) CHARACTER SET utf8mb4 PATH '$.author', \
                 permlink VARCHAR(256) CHARACTER SET utf8mb4 PATH '$.permlink', \
                 weight INT PATH '$.weight', \
                 type VARCHAR(10) CHARACTER SET utf8mb4 PATH '$.type', \
                 error TEXT CHARACTER SET utf8mb4 PATH '$.error', \
                 timestamp DATETIME PATH '$.timestamp')) AS j";
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
            .bind(row.block_time.naive_utc())
            .bind(row.recent)
            .bind(context.now.naive_utc())
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        session.finish();
        new.extend(changed);
        Ok(new)
    }

    pub async fn vote(&self, key: &VoteKey) -> Result<Option<Vote>, StoreError> {
        call(move || async move {
            let mut session = self.session().await?;
            let [voter, author, permlink] = parts(key);
            let row: Option<VoteRow> = sqlx::query_as(concat!(
                "SELECT ",
                vote_columns!(""),
                " FROM votes WHERE voter = ? AND author = ? AND permlink = ?"
            ))
            .bind(voter)
            .bind(author)
            .bind(permlink)
            .fetch_optional(&mut *session)
            .await?;
            session.finish();
            row.map(Vote::try_from).transpose()
        })
        .await
    }

    pub async fn votes(&self, wanted: &[VoteKey]) -> Result<Vec<Vote>, StoreError> {
        let mut votes = Vec::new();
        for keys in keys(wanted).chunks(CHUNK) {
            let rows: Vec<VoteRow> = call(|| async {
                let mut session = self.session().await?;
                let found = sqlx::query_as(select_by_key!("")).bind(json(keys));
                let rows = found.fetch_all(&mut *session).await?;
                session.finish();
                Ok(rows)
            })
            .await?;
            let read: Result<Vec<_>, sqlx::Error> = rows.into_iter().map(Vote::try_from).collect();
            votes.extend(read?);
        }
        Ok(votes)
    }
}

/// The rows that a batch touches, locked.
async fn existing(
    transaction: &mut Transaction<'_, MySql>,
    batch: &Batch,
) -> Result<Vec<Vote>, sqlx::Error> {
    let mut rows: Vec<VoteRow> = Vec::new();
    if let Some(above) = batch.undo_above {
        // Two statements, so that each has an index.
        for statement in [
            concat!(
                "SELECT ",
                vote_columns!(""),
                " FROM votes WHERE status = 'queued' AND event_block > ? FOR UPDATE"
            ),
            concat!(
                "SELECT ",
                vote_columns!(""),
                " FROM votes WHERE block_num > ? AND status = 'confirmed' FOR UPDATE"
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
            sqlx::query_as::<_, VoteRow>(select_by_key!(" FOR UPDATE"))
                .bind(json(keys))
                .fetch_all(&mut **transaction)
                .await?,
        );
    }
    rows.into_iter().map(Vote::try_from).collect()
}

async fn write_leader_votes(
    transaction: &mut Transaction<'_, MySql>,
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
             SELECT leader, author, permlink, weight, block_num, voted_at \
             FROM JSON_TABLE(?, '$[*]' COLUMNS (\
             leader VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$.leader', \
             author VARCHAR(16) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$.author', \
             permlink VARCHAR(256) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin PATH '$.permlink', \
             weight INT PATH '$.weight', \
             block_num BIGINT PATH '$.block_num', \
             voted_at DATETIME(3) PATH '$.voted_at')) AS j";
        run(statement, rows, transaction).await?;
    }
    Ok(())
}

async fn write_schedule_runs(
    transaction: &mut Transaction<'_, MySql>,
    batch: &Batch,
) -> Result<(), sqlx::Error> {
    for run in &batch.schedule_runs {
        let statement = "REPLACE INTO schedule_runs (rule, schedule, last_run_at) VALUES (?, ?, ?)";
        sqlx::query(statement)
            .bind(run.rule.as_str())
            .bind(&run.schedule)
            .bind(run.last_run_at.naive_utc())
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
    transaction: &mut Transaction<'_, MySql>,
    errors: &[ErrorEntry],
    context: &Context<'_>,
) -> Result<Vec<ErrorEntry>, sqlx::Error> {
    let mut new = Vec::with_capacity(errors.len());
    for entry in errors {
        if let Some(fingerprint) = &entry.fingerprint {
            let done =
                sqlx::query("INSERT IGNORE INTO reported (fingerprint, reported_at) VALUES (?, ?)")
                    .bind(fingerprint)
                    .bind(context.now.naive_utc())
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
    connection: &mut MySqlConnection,
) -> Result<(), sqlx::Error> {
    sqlx::query(statement)
        .bind(rows)
        .execute(connection)
        .await?;
    Ok(())
}
