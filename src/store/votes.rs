//! Writes batches, and reads votes.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::columns::VOTERS_AND_RULES;
use super::connection::{Access, CHUNK, Connection};
use super::dialect::{Dialect, names};
use super::table::{Table, json_rows};
use super::value::{Field, Value, json};
use super::{Store, StoreError, error_log};
use crate::account::Account;
use crate::post::{PostId, VoteKey};
use crate::rules::rule::RuleId;
use crate::votes::change::{Batch, Change, Cursor, LeaderVote, ScheduleRun};
use crate::votes::fold::{self, Context, Rows};
use crate::votes::vote::{PastVote, PastVotes, Vote};

impl Store {
    /// Writes a batch, whole or not at all, and returns the rows it wrote.
    ///
    /// Leaves out what the tables cannot hold: names and permlinks that the chain does not allow.
    pub async fn apply(
        &self,
        batch: &Batch,
        context: &Context<'_>,
    ) -> Result<Vec<Vote>, StoreError> {
        let (batch, dialect) = (&storable(batch), self.dialect());
        self.call("write a batch", Access::Transaction, |mut connection, _| {
            Box::pin(async move { apply(&mut connection, dialect, batch, context).await })
        })
        .await
    }

    /// One row.
    pub async fn vote(&self, key: &VoteKey) -> Result<Option<Vote>, StoreError> {
        Ok(self.votes(std::slice::from_ref(key)).await?.pop())
    }

    /// The rows of these votes, in no order; missing rows are left out.
    pub async fn votes(&self, keys: &[VoteKey]) -> Result<Vec<Vote>, StoreError> {
        let statement = by_key(self.dialect(), "");
        let mut votes = Vec::new();
        for keys in sorted(keys).chunks(CHUNK) {
            let values = [json_rows(keys.iter().copied()).into()];
            votes.extend(self.read("read votes", &statement, values).await?);
        }
        Ok(votes)
    }

    /// For each pair, the votes of that voter by that rule that were sent at `since` or later; pairs
    /// without any are left out. `dry_run` includes votes that a dry run would have cast.
    pub async fn past_votes(
        &self,
        pairs: &[(Account, RuleId)],
        since: DateTime<Utc>,
        dry_run: bool,
    ) -> Result<PastVotes, StoreError> {
        let Dialect {
            rows,
            join,
            by_cast_at,
            ..
        } = self.dialect();
        let statement = format!(
            "SELECT v.voter, v.rule, v.author, v.permlink, v.cast_at \
             FROM {} AS k {join} votes AS v{by_cast_at} \
             ON v.voter = k.voter AND v.cast_at >= ? AND v.rule = k.rule \
             WHERE v.status IN ('cast', 'confirmed') OR (? AND v.status = 'dry_run')",
            rows(VOTERS_AND_RULES),
        );
        let mut past = PastVotes::new();
        for pairs in pairs.chunks(CHUNK) {
            let pairs = pairs.iter();
            let pairs: Vec<[&str; 2]> = pairs
                .map(|(voter, rule)| [voter.as_str(), rule.as_str()])
                .collect();
            let values = [
                json(&pairs).into(),
                since.write(),
                Value::Number(dry_run.into()),
            ];
            let rows: Vec<(String, String, String, String, DateTime<Utc>)> =
                self.read("read past votes", &statement, values).await?;
            for (voter, rule, author, permlink, at) in rows {
                let pair = (Account::from_chain(&voter), RuleId::from_stored(&rule));
                let post = PostId::new(Account::from_chain(&author), &permlink);
                past.entry(pair).or_default().push(PastVote { post, at });
            }
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
    let rows = touched(connection, dialect, batch).await?;
    let Rows {
        new: mut votes,
        changed,
        errors,
    } = fold::fold(rows, batch, context);
    let insert = dialect.write_rows::<Vote>("INSERT INTO votes");
    connection.write(&insert, &votes).await?;
    let update = (dialect.update_votes)();
    connection.write(&update, &changed).await?;
    votes.extend(changed);
    if let Some(above) = batch.undo_above {
        let statement = "DELETE FROM leader_votes WHERE block_num > ?";
        connection.execute(statement, [above.write()]).await?;
    }
    // The last of several votes in one block stands, and reading a block again changes nothing.
    let replace = dialect.write_rows::<LeaderVote>("REPLACE INTO leader_votes");
    connection.write(&replace, &batch.leader_votes).await?;
    error_log::write(connection, dialect, errors, &batch.errors, context).await?;
    let replace = dialect.write_rows::<ScheduleRun>("REPLACE INTO schedule_runs");
    connection.write(&replace, &batch.schedule_runs).await?;
    for rule in &batch.schedules_gone {
        let statement = "DELETE FROM schedule_runs WHERE rule = ?";
        connection.execute(statement, [rule.write()]).await?;
    }
    if let Some(cursor) = &batch.cursor {
        let statement = format!(
            "REPLACE INTO chain_cursor (id, {}, updated_at) VALUES (1, {}?)",
            names::<Cursor>(""),
            "?, ".repeat(Cursor::COLUMNS.len()),
        );
        let mut values = cursor.values();
        values.push(context.now.write());
        connection.execute(&statement, values).await?;
    }
    Ok(votes)
}

/// The rows that a batch touches, locked.
async fn touched(
    connection: &mut Connection<'_>,
    dialect: &Dialect,
    batch: &Batch,
) -> Result<Vec<Vote>, sqlx::Error> {
    let (columns, lock) = (names::<Vote>(""), dialect.lock);
    let mut rows = Vec::new();
    if let Some(above) = batch.undo_above {
        // Two statements, so that each has an index.
        for condition in [
            "status = 'queued' AND (event_block > ? OR asks IS NOT NULL)",
            "block_num > ? AND status = 'confirmed'",
        ] {
            let statement = format!("SELECT {columns} FROM votes WHERE {condition}{lock}");
            rows.extend(connection.read(&statement, [above.write()]).await?);
        }
    }
    let statement = by_key(dialect, lock);
    for keys in sorted(batch.changes.iter().map(Change::key)).chunks(CHUNK) {
        let values = [json_rows(keys.iter().copied()).into()];
        rows.extend(connection.read(&statement, values).await?);
    }
    Ok(rows)
}

/// Reads the rows whose keys a JSON text holds; `lock` is empty or locks them.
fn by_key(dialect: &Dialect, lock: &str) -> String {
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
}

/// The keys, each once and in order, so that two transactions lock the same rows in the same order.
fn sorted<'a>(keys: impl IntoIterator<Item = &'a VoteKey>) -> Vec<&'a VoteKey> {
    let mut keys: Vec<_> = keys.into_iter().collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// The batch without what the tables cannot hold; one such vote must not hold up all the others.
fn storable(batch: &Batch) -> Cow<'_, Batch> {
    let fits = |key: &VoteKey| is_name(&key.voter) && is_post(&key.post);
    if batch.changes.iter().all(|change| fits(change.key()))
        && batch.leader_votes.iter().all(|vote| is_post(&vote.post))
        && batch.schedule_runs.iter().all(|run| is_rule(&run.rule))
    {
        return Cow::Borrowed(batch);
    }
    let mut batch = batch.clone();
    batch.changes.retain(|change| {
        let fits = fits(change.key());
        if !fits {
            tracing::warn!(vote = %change.key(), "left out a vote: the tables cannot hold its name");
        }
        fits
    });
    batch.leader_votes.retain(|vote| is_post(&vote.post));
    batch.schedule_runs.retain(|run| {
        let fits = is_rule(&run.rule);
        if !fits {
            tracing::warn!(rule = %run.rule, "the name of a rule is too long: its last run is not stored");
        }
        fits
    });
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
