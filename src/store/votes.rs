//! Writes batches, and reads votes.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::connection::{Access, CHUNK, Connection};
use super::table::{Table, json_rows};
use super::value::json;
use super::{Store, StoreError, error_log};
use crate::account::Account;
use crate::post::{PostId, VoteKey};
use crate::rules::rule::RuleId;
use crate::votes::change::{Batch, Change};
use crate::votes::fold::{self, Context, Rows};
use crate::votes::vote::{PastVote, Vote};

impl Store {
    /// Writes a batch, whole or not at all, and returns the rows it wrote.
    ///
    /// Leaves out what the tables cannot hold: names and permlinks that the chain does not allow.
    pub async fn apply(
        &self,
        batch: &Batch,
        context: &Context<'_>,
    ) -> Result<Vec<Vote>, StoreError> {
        let batch = &storable(batch);
        self.call("write a batch", Access::Transaction, |mut connection, _| {
            Box::pin(async move { apply(&mut connection, batch, context).await })
        })
        .await
    }

    /// One row.
    pub async fn vote(&self, key: &VoteKey) -> Result<Option<Vote>, StoreError> {
        Ok(self.votes(std::slice::from_ref(key)).await?.pop())
    }

    /// The rows of these votes, in no order; missing rows are left out.
    pub async fn votes(&self, keys: &[VoteKey]) -> Result<Vec<Vote>, StoreError> {
        let mut votes = Vec::new();
        for keys in sorted(keys).chunks(CHUNK) {
            let values = [json_rows(keys.iter().copied()).into()];
            let rows = self.read("read votes", |sql| &sql.votes.by_key, values);
            votes.extend(rows.await?);
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
    ) -> Result<Vec<(Account, RuleId, Vec<PastVote>)>, StoreError> {
        let texts: Vec<[&str; 2]> = pairs
            .iter()
            .map(|(voter, rule)| [voter.as_str(), rule.as_str()])
            .collect();
        let texts = &texts;
        let rows = self
            .call("read past votes", Access::Read, |mut connection, _| {
                Box::pin(async move {
                    let mut rows: Vec<(String, String, String, String, DateTime<Utc>)> = Vec::new();
                    let sql = connection.sql();
                    for texts in texts.chunks(CHUNK) {
                        let values = [json(texts).into(), since.into(), i64::from(dry_run).into()];
                        rows.extend(connection.read(&sql.votes.past, values).await?);
                    }
                    Ok(rows)
                })
            })
            .await?;
        let mut past: BTreeMap<(String, String), Vec<PastVote>> = BTreeMap::new();
        for (voter, rule, author, permlink, at) in rows {
            let post = PostId::new(Account::from_chain(&author), &permlink);
            past.entry((voter, rule))
                .or_default()
                .push(PastVote { post, at });
        }
        let named = |((voter, rule), votes): ((String, String), _)| {
            let rule = RuleId::from_stored(&rule);
            (Account::from_chain(&voter), rule, votes)
        };
        Ok(past.into_iter().map(named).collect())
    }
}

async fn apply(
    connection: &mut Connection<'_>,
    batch: &Batch,
    context: &Context<'_>,
) -> Result<Vec<Vote>, sqlx::Error> {
    let sql = connection.sql();
    let rows = touched(connection, batch).await?;
    let Rows {
        new: mut votes,
        changed,
        errors,
    } = fold::fold(rows, batch, context);
    connection.write(&sql.votes.insert, &votes).await?;
    connection.write(&sql.votes.update, &changed).await?;
    votes.extend(changed);
    if let Some(above) = batch.undo_above {
        let statement = "DELETE FROM leader_votes WHERE block_num > ?";
        connection.execute(statement, [above.into()]).await?;
    }
    connection
        .write(&sql.chain.replace_leader_votes, &batch.leader_votes)
        .await?;
    error_log::write(connection, errors, &batch.errors, context).await?;
    connection
        .write(&sql.chain.replace_schedule_runs, &batch.schedule_runs)
        .await?;
    for rule in &batch.schedules_gone {
        let statement = "DELETE FROM schedule_runs WHERE rule = ?";
        connection
            .execute(statement, [rule.as_str().into()])
            .await?;
    }
    if let Some(cursor) = &batch.cursor {
        let mut values = cursor.values();
        values.push(context.now.into());
        connection
            .execute(&sql.chain.replace_cursor, values)
            .await?;
    }
    Ok(votes)
}

/// The rows that a batch touches, locked.
async fn touched(connection: &mut Connection<'_>, batch: &Batch) -> Result<Vec<Vote>, sqlx::Error> {
    let sql = connection.sql();
    let mut rows = Vec::new();
    if let Some(above) = batch.undo_above {
        // Two statements, so that each has an index.
        for statement in [
            &sql.votes.queued_above_locked,
            &sql.votes.confirmed_above_locked,
        ] {
            rows.extend(connection.read(statement, [above.into()]).await?);
        }
    }
    for keys in sorted(batch.changes.iter().map(Change::key)).chunks(CHUNK) {
        let values = [json_rows(keys.iter().copied()).into()];
        rows.extend(connection.read(&sql.votes.by_key_locked, values).await?);
    }
    Ok(rows)
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
