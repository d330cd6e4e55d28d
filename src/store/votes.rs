//! Writes batches, and reads votes.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use chrono::{DateTime, Utc};

use super::columns::VOTERS_AND_RULES;
use super::connection::{Access, Connection};
use super::dialect::{Dialect, Once, names};
use super::table::{Cells, Named, Table};
use super::value::{Field, Value, json};
use super::{Store, StoreError, error_log};
use crate::account::Account;
use crate::post::{PostId, VoteKey};
use crate::rules::rule::RuleId;
use crate::votes::change::{Batch, Change, Cursor, LeaderVote, ScheduleRun};
use crate::votes::error_entry::ErrorEntry;
use crate::votes::fold::{self, Context, Rows};
use crate::votes::status::ErrorKind;
use crate::votes::vote::{PastVote, PastVotes, Vote};

impl Store {
    /// Writes a batch, whole or not at all, and returns the rows it wrote.
    ///
    /// Leaves out what the tables cannot hold, names and permlinks that the chain does not allow, and writes an entry of
    /// `error_log` for each.
    ///
    /// # Errors
    /// Of a batch that holds a single change or row, [`StoreError::Row`] ends with the refused row as JSON.
    pub async fn apply(
        &self,
        batch: &Batch,
        context: &Context<'_>,
    ) -> Result<Vec<Vote>, StoreError> {
        let (batch, dialect) = (&storable(batch, context.now), self.dialect());
        let name = "write a batch";
        let applied = self.call(name, Access::Transaction, |mut connection, _| {
            Box::pin(async move { apply(&mut connection, dialect, batch, context).await })
        });
        match applied.await {
            Err(StoreError::Row(error)) if batch.is_single() => {
                let row = self.as_json(batch, context).await?;
                Err(StoreError::Row(format!("{error}: {row}")))
            }
            result => result,
        }
    }

    /// What a batch would write, as JSON.
    async fn as_json(&self, batch: &Batch, context: &Context<'_>) -> Result<String, StoreError> {
        let dialect = self.dialect();
        let rows = self.call("read what a row was", Access::Read, |mut connection, _| {
            Box::pin(async move { touched(&mut connection, dialect, batch).await })
        });
        let Rows { new, changed, .. } = fold::fold(rows.await?, batch, context);
        let votes = new.iter().chain(&changed).map(Named).map(|row| json(&row));
        let leader_votes = batch.leader_votes.iter().map(Named).map(|row| json(&row));
        let errors = batch.errors.iter().map(Named).map(|row| json(&row));
        let runs = batch.schedule_runs.iter().map(Named).map(|row| json(&row));
        let cursor = batch.cursor.iter().map(Named).map(|row| json(&row));
        let rows = votes
            .chain(leader_votes)
            .chain(errors)
            .chain(runs)
            .chain(cursor);
        Ok(rows.collect::<Vec<_>>().join(", "))
    }

    /// One row.
    pub async fn vote(&self, key: &VoteKey) -> Result<Option<Vote>, StoreError> {
        Ok(self.votes(std::slice::from_ref(key)).await?.pop())
    }

    /// The rows of these votes, in no order; missing rows are left out.
    pub async fn votes(&self, keys: &[VoteKey]) -> Result<Vec<Vote>, StoreError> {
        let (dialect, keys) = (self.dialect(), &sorted(keys));
        self.call("read votes", Access::Read, |mut connection, _| {
            Box::pin(async move { by_key(&mut connection, dialect, keys, "").await })
        })
        .await
    }

    /// For each pair, the votes of that voter by that rule that were sent at `since` or later; pairs
    /// without any are left out. `dry_run` includes votes that a dry run would have cast.
    pub async fn past_votes(
        &self,
        pairs: &[(Account, RuleId)],
        since: DateTime<Utc>,
        dry_run: bool,
    ) -> Result<PastVotes, StoreError> {
        static READ: Once = Once::new();
        let Dialect {
            rows,
            join,
            by_cast_at,
            ..
        } = self.dialect();
        let statement = READ.of(self.dialect(), || {
            format!(
                "SELECT v.voter, v.rule, v.author, v.permlink, v.cast_at \
                 FROM {} AS k {join} votes AS v{by_cast_at} \
                 ON v.voter = k.voter AND v.cast_at >= ? AND v.rule = k.rule \
                 WHERE v.status IN ('cast', 'confirmed') OR (? AND v.status = 'dry_run')",
                rows(VOTERS_AND_RULES),
            )
        });
        let values = &[since.write(), Value::Number(dry_run.into())];
        let rows = self.call("read past votes", Access::Read, |mut connection, _| {
            Box::pin(async move {
                let pairs = pairs.iter();
                let pairs = pairs.map(|(voter, rule)| [voter.as_str(), rule.as_str()]);
                connection.read_by(statement, pairs, values).await
            })
        });
        let rows: Vec<(String, String, String, String, DateTime<Utc>)> = rows.await?;
        let mut past = PastVotes::new();
        for (voter, rule, author, permlink, at) in rows {
            let pair = (Account::from_chain(&voter), RuleId::from_stored(&rule));
            let post = PostId::new(Account::from_chain(&author), &permlink);
            past.entry(pair).or_default().push(PastVote { post, at });
        }
        Ok(past)
    }
}

async fn apply(
    connection: &mut Connection<'_>,
    dialect: &Dialect,
    batch: &Batch,
    context: &Context<'_>,
) -> Result<Vec<Vote>, sqlx::Error> {
    static INSERT: Once = Once::new();
    static UPDATE: Once = Once::new();
    let rows = touched(connection, dialect, batch).await?;
    let Rows {
        new: mut votes,
        changed,
        errors,
    } = fold::fold(rows, batch, context);
    let insert = INSERT.of(dialect, || dialect.write_rows::<Vote>("INSERT INTO votes"));
    connection
        .write(insert, votes.iter().map(Cells), &[])
        .await?;
    let update = UPDATE.of(dialect, dialect.update_votes);
    connection
        .write(update, changed.iter().map(Cells), &[])
        .await?;
    votes.extend(changed);
    write_chain(connection, dialect, batch).await?;
    error_log::write(connection, dialect, errors, &batch.errors, context).await?;
    write_schedules(connection, dialect, batch).await?;
    if let Some(cursor) = &batch.cursor {
        static REPLACE: Once = Once::new();
        let statement = REPLACE.of(dialect, || {
            format!(
                "REPLACE INTO chain_cursor (id, {}, updated_at) VALUES (1, {}?)",
                names::<Cursor>(""),
                "?, ".repeat(Cursor::COLUMNS.len()),
            )
        });
        let mut values = cursor.values();
        values.push(context.now.write());
        connection.execute(statement, values).await?;
    }
    Ok(votes)
}

async fn write_chain(
    connection: &mut Connection<'_>,
    dialect: &Dialect,
    batch: &Batch,
) -> Result<(), sqlx::Error> {
    static REPLACE: Once = Once::new();
    if let Some(above) = batch.undo_above {
        let statement = "DELETE FROM leader_votes WHERE block_num > ?";
        connection.execute(statement, [above.write()]).await?;
    }
    // The last of several votes in one block stands, and reading a block again changes nothing.
    let replace = REPLACE.of(dialect, || {
        dialect.write_rows::<LeaderVote>("REPLACE INTO leader_votes")
    });
    let votes = batch.leader_votes.iter().map(Cells);
    connection.write(replace, votes, &[]).await
}

async fn write_schedules(
    connection: &mut Connection<'_>,
    dialect: &Dialect,
    batch: &Batch,
) -> Result<(), sqlx::Error> {
    static REPLACE: Once = Once::new();
    let replace = REPLACE.of(dialect, || {
        dialect.write_rows::<ScheduleRun>("REPLACE INTO schedule_runs")
    });
    let runs = batch.schedule_runs.iter().map(Cells);
    connection.write(replace, runs, &[]).await?;
    for rule in &batch.schedules_gone {
        let statement = "DELETE FROM schedule_runs WHERE rule = ?";
        connection.execute(statement, [rule.write()]).await?;
    }
    Ok(())
}

/// The rows that a batch touches, locked.
async fn touched(
    connection: &mut Connection<'_>,
    dialect: &Dialect,
    batch: &Batch,
) -> Result<Vec<Vote>, sqlx::Error> {
    // Two statements, so that each has an index.
    static QUEUED: Once = Once::new();
    static CONFIRMED: Once = Once::new();
    let lock = dialect.lock;
    let mut rows = Vec::new();
    if let Some(above) = batch.undo_above {
        for (statement, condition) in [
            (
                &QUEUED,
                "status = 'queued' AND (event_block > ? OR asks IS NOT NULL)",
            ),
            (&CONFIRMED, "block_num > ? AND status = 'confirmed'"),
        ] {
            let statement = statement.of(dialect, || {
                let columns = names::<Vote>("");
                format!("SELECT {columns} FROM votes WHERE {condition}{lock}")
            });
            rows.extend(connection.read(statement, [above.write()]).await?);
        }
    }
    let keys = sorted(batch.changes.iter().map(Change::key));
    rows.extend(by_key(connection, dialect, &keys, lock).await?);
    Ok(rows)
}

/// The rows with these keys; `lock` is empty or locks them.
async fn by_key(
    connection: &mut Connection<'_>,
    dialect: &Dialect,
    keys: &[&VoteKey],
    lock: &'static str,
) -> Result<Vec<Vote>, sqlx::Error> {
    static READ: Once = Once::new();
    static LOCK: Once = Once::new();
    let statement = if lock.is_empty() { &READ } else { &LOCK };
    let statement = statement.of(dialect, || {
        let Dialect {
            rows, join, by_key, ..
        } = dialect;
        // MySQL locks no table function, hence the SELECT around it. Join and index are named because
        // rows are locked as they are read: only these, and in the order of the keys.
        format!(
            "WITH k AS (SELECT * FROM {} AS j) SELECT {} FROM k {join} votes AS v{by_key} \
             ON v.voter = k.voter AND v.author = k.author AND v.permlink = k.permlink{lock}",
            rows(VoteKey::COLUMNS),
            names::<Vote>("v."),
        )
    });
    let keys = keys.iter().map(|key| Cells(*key));
    connection.read_by(statement, keys, &[]).await
}

/// The keys, each once and in order, so that two transactions lock the same rows in the same order.
fn sorted<'a>(keys: impl IntoIterator<Item = &'a VoteKey>) -> Vec<&'a VoteKey> {
    let mut keys: Vec<_> = keys.into_iter().collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The batch without what the tables cannot hold, each replaced by an entry for `error_log`: one such row must not hold
/// up all the others.
fn storable(batch: &Batch, now: DateTime<Utc>) -> Cow<'_, Batch> {
    let fits = |key: &VoteKey| is_name(&key.voter) && is_post(&key.post);
    if batch.changes.iter().all(|change| fits(change.key()))
        && batch.leader_votes.iter().all(|vote| is_post(&vote.post))
        && batch.schedule_runs.iter().all(|run| is_rule(&run.rule))
    {
        return Cow::Borrowed(batch);
    }
    let mut batch = batch.clone();
    let mut left_out = Vec::new();
    batch.changes.retain(|change| {
        let fits = fits(change.key());
        if !fits {
            left_out.push(format!("a vote: {}", json(&Named(change.key()))));
        }
        fits
    });
    batch.leader_votes.retain(|vote| {
        let fits = is_post(&vote.post);
        if !fits {
            left_out.push(format!("a leader's vote: {}", json(&Named(vote))));
        }
        fits
    });
    batch.schedule_runs.retain(|run| {
        let fits = is_rule(&run.rule);
        if !fits {
            left_out.push(format!("the last run of a rule: {}", json(&Named(run))));
        }
        fits
    });
    for text in left_out {
        let text = format!("the tables cannot hold the name of {text}");
        tracing::warn!("{text}");
        let mut entry = ErrorEntry::new(ErrorKind::Database, text, now);
        // The same block may be read again.
        let mut hasher = DefaultHasher::new();
        entry.error.hash(&mut hasher);
        entry.fingerprint = Some(format!("unstorable:{:016x}", hasher.finish()));
        batch.errors.push(entry);
    }
    Cow::Owned(batch)
}

/// MySQL can hold at most 700 characters in an index.
fn is_rule(rule: &RuleId) -> bool {
    rule.as_str().chars().count() <= 700
}

/// Names have at most 16 characters on the chain (`HIVE_MAX_ACCOUNT_NAME_LENGTH`).
fn is_name(name: &Account) -> bool {
    name.as_str().len() <= 16
}

/// Permlinks have at most 256 bytes (`HIVE_MAX_PERMLINK_LENGTH`). To MySQL `a` and `a ` are the same,
/// so the second of them could not be written; no post of a real author ends in a blank.
fn is_post(post: &PostId) -> bool {
    is_name(&post.author) && post.permlink.len() <= 256 && !post.permlink.ends_with(' ')
}
