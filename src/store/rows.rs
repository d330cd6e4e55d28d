//! Rows as both databases read them, and the JSON in which groups of them are bound: sqlx takes only
//! static statements, so a thousand rows go to the database as one JSON text that the statement takes
//! apart (`JSON_TABLE` on MySQL, `jsonb_each` on SQLite).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::account::Account;
use crate::post::{PostId, VoteKey};
use crate::rules::rule::RuleId;
use crate::store::asks;
use crate::votes::asks::{Ask, Asks};
use crate::votes::error_entry::ErrorEntry;
use crate::votes::reason::Reason;
use crate::votes::vote::{PastVote, Vote};
use crate::weight::Weight;

mod chain;
mod moment;

pub(super) use chain::{CursorRow, LeaderVoteRow, ScheduleRunRow};
pub(super) use moment::text;
use moment::{as_text, as_text_if};

/// Rows to a statement: far below every limit of packet size, and enough that the way to the server
/// does not count.
pub(super) const CHUNK: usize = 1_000;
/// Characters of a reason or an error that are kept.
const LONGEST_TEXT: usize = 4_000;
/// Characters of a transaction id that are kept; it comes from the signer, which is not to be
/// trusted with its length.
const LONGEST_ID: usize = 64;

/// The columns of `votes` that a [`VoteRow`] holds.
macro_rules! vote_columns {
    ($table:literal) => {
        concat!(
            $table,
            "id, ",
            $table,
            "voter, ",
            $table,
            "author, ",
            $table,
            "permlink, ",
            $table,
            "weight, ",
            $table,
            "rule, ",
            $table,
            "origin, ",
            $table,
            "status, ",
            $table,
            "reason, ",
            $table,
            "due_at, ",
            $table,
            "cast_at, ",
            $table,
            "attempts, ",
            $table,
            "next_attempt_at, ",
            $table,
            "claimed_by, ",
            $table,
            "claimed_until, ",
            $table,
            "trx_id, ",
            $table,
            "block_num, ",
            $table,
            "event_block, ",
            $table,
            "event_at, ",
            $table,
            "leader, ",
            $table,
            "leader_weight, ",
            $table,
            "asks, ",
            $table,
            "recasts, ",
            $table,
            "created_at, ",
            $table,
            "updated_at"
        )
    };
}
pub(super) use vote_columns;

/// A row of `votes`.
#[derive(sqlx::FromRow, Serialize)]
pub(super) struct VoteRow {
    #[serde(skip)]
    pub id: i64,
    voter: String,
    author: String,
    permlink: String,
    weight: i64,
    rule: String,
    origin: String,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(serialize_with = "as_text")]
    due_at: DateTime<Utc>,
    #[serde(serialize_with = "as_text_if", skip_serializing_if = "Option::is_none")]
    cast_at: Option<DateTime<Utc>>,
    attempts: i64,
    #[serde(serialize_with = "as_text")]
    next_attempt_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claimed_by: Option<String>,
    #[serde(serialize_with = "as_text_if", skip_serializing_if = "Option::is_none")]
    claimed_until: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trx_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    block_num: Option<i64>,
    event_block: i64,
    #[serde(serialize_with = "as_text")]
    event_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    leader: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    leader_weight: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asks: Option<String>,
    recasts: i64,
    #[serde(serialize_with = "as_text")]
    created_at: DateTime<Utc>,
    #[serde(serialize_with = "as_text")]
    updated_at: DateTime<Utc>,
}

impl From<&Vote> for VoteRow {
    fn from(vote: &Vote) -> Self {
        let (ask, leader) = (vote.ask(), vote.ask().leader.as_ref());
        Self {
            id: 0,
            voter: vote.key.voter.as_str().to_owned(),
            author: vote.key.post.author.as_str().to_owned(),
            permlink: vote.key.post.permlink.to_string(),
            weight: ask.weight.hundredths().into(),
            rule: ask.rule.as_str().to_owned(),
            origin: ask.origin.as_str().to_owned(),
            status: vote.status.as_str().to_owned(),
            reason: (vote.reason.as_ref()).map(|reason| short(&reason.to_string(), LONGEST_TEXT)),
            due_at: ask.due_at,
            cast_at: vote.cast_at,
            attempts: vote.attempts.into(),
            next_attempt_at: vote.next_attempt_at,
            claimed_by: vote.claimed_by.clone(),
            claimed_until: vote.claimed_until,
            trx_id: vote.trx_id.as_deref().map(|id| short(id, LONGEST_ID)),
            block_num: vote.block_num.map(i64::from),
            event_block: ask.block.into(),
            event_at: ask.at,
            leader: leader.map(|(name, _)| name.as_str().to_owned()),
            leader_weight: leader.map(|(_, weight)| weight.hundredths().into()),
            asks: asks::write(vote.asks.others()),
            recasts: vote.recasts.into(),
            created_at: vote.created_at,
            updated_at: vote.updated_at,
        }
    }
}

impl TryFrom<VoteRow> for Vote {
    type Error = sqlx::Error;

    fn try_from(row: VoteRow) -> Result<Self, sqlx::Error> {
        let id = row.id;
        let bad = |column: &str| bad_value("votes", column, id);
        let number = |value: i64, column| u32::try_from(value).map_err(|_| bad(column));
        let weight = |value, column| Weight::from_hundredths(value).ok_or_else(|| bad(column));
        let leader = match (&row.leader, row.leader_weight) {
            (Some(leader), Some(voted)) => {
                Some((Account::from_chain(leader), weight(voted, "leader_weight")?))
            }
            _ => None,
        };
        let first = Ask {
            rule: RuleId::from_stored(&row.rule),
            origin: row.origin.parse().map_err(|_| bad("origin"))?,
            weight: weight(row.weight, "weight")?,
            due_at: row.due_at,
            block: number(row.event_block, "event_block")?,
            at: row.event_at,
            leader,
        };
        let others = asks::read(row.asks.as_deref()).ok_or_else(|| bad("asks"))?;
        Ok(Self {
            key: VoteKey {
                voter: Account::from_chain(&row.voter),
                post: PostId::new(Account::from_chain(&row.author), &row.permlink),
            },
            asks: Asks::from_parts(first, others),
            status: row.status.parse().map_err(|_| bad("status"))?,
            reason: row.reason.map(Reason::from_stored),
            cast_at: row.cast_at,
            attempts: number(row.attempts, "attempts")?,
            next_attempt_at: row.next_attempt_at,
            claimed_by: row.claimed_by,
            claimed_until: row.claimed_until,
            trx_id: row.trx_id,
            block_num: row
                .block_num
                .map(|block| number(block, "block_num"))
                .transpose()?,
            recasts: number(row.recasts, "recasts")?,
            created_at: row.created_at,
            updated_at: row.updated_at,
        })
    }
}

/// A vote that went out before.
#[derive(sqlx::FromRow)]
pub(super) struct PastRow {
    voter: String,
    rule: String,
    author: String,
    permlink: String,
    cast_at: DateTime<Utc>,
}

/// Voter and rule of each pair, as their statements read them.
pub(super) fn past_pairs(pairs: &[(Account, RuleId)]) -> Vec<[&str; 2]> {
    pairs
        .iter()
        .map(|(voter, rule)| [voter.as_str(), rule.as_str()])
        .collect()
}

/// Rows gathered by voter and rule.
pub(super) fn gather_past(rows: Vec<PastRow>) -> Vec<(Account, RuleId, Vec<PastVote>)> {
    let mut past: BTreeMap<(String, String), Vec<PastVote>> = BTreeMap::new();
    for row in rows {
        past.entry((row.voter, row.rule))
            .or_default()
            .push(PastVote {
                post: PostId::new(Account::from_chain(&row.author), &row.permlink),
                at: row.cast_at,
            });
    }
    past.into_iter()
        .map(|((voter, rule), votes)| {
            (
                Account::from_chain(&voter),
                RuleId::from_stored(&rule),
                votes,
            )
        })
        .collect()
}

/// A row of `error_log`. Its columns may be those of an older table: texts are cut to fit.
#[derive(Serialize)]
pub(super) struct ErrorRow {
    voter: String,
    author: String,
    permlink: String,
    weight: i32,
    r#type: &'static str,
    error: String,
    timestamp: String,
}

impl From<&ErrorEntry> for ErrorRow {
    fn from(entry: &ErrorEntry) -> Self {
        Self {
            voter: short(&entry.voter, 20),
            author: short(&entry.author, 20),
            permlink: short(&entry.permlink, 256),
            weight: entry.weight.map_or(0, Weight::whole_percent),
            r#type: entry.kind.as_str(),
            error: short(&entry.error, LONGEST_TEXT),
            timestamp: entry.at.format("%Y-%m-%d %H:%M:%S").to_string(),
        }
    }
}

/// Keys as they are bound, each once and in order, so that two transactions lock the same rows in the
/// same order.
pub(super) fn keys<'a>(keys: impl IntoIterator<Item = &'a VoteKey>) -> Vec<[&'a str; 3]> {
    let mut keys: Vec<_> = keys.into_iter().map(parts).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// A key as it is bound.
pub(super) fn parts(key: &VoteKey) -> [&str; 3] {
    [
        key.voter.as_str(),
        key.post.author.as_str(),
        &key.post.permlink,
    ]
}

/// What is bound for a group.
pub(super) fn json(group: &(impl Serialize + ?Sized)) -> String {
    // Nothing here has keys that are not strings, the one thing that could fail.
    serde_json::to_string(group).unwrap_or_default()
}

/// Rows of one kind as JSON texts of at most [`CHUNK`] rows.
pub(super) fn chunks<'a, T, R>(items: &'a [T]) -> impl Iterator<Item = String>
where
    R: From<&'a T> + Serialize,
{
    items
        .chunks(CHUNK)
        .map(|chunk| json(&chunk.iter().map(R::from).collect::<Vec<_>>()))
}

/// The text, or as much of it as fits into so many characters.
fn short(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        None => text.to_owned(),
        Some(_) => {
            let kept = text.chars().take(characters - 1);
            kept.chain(['…']).collect()
        }
    }
}

fn bad_value(table: &str, column: &str, row: i64) -> sqlx::Error {
    sqlx::Error::Decode(format!("{table}.{column} of row {row} holds what we never write").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_strftime_writes_them() {
        for millis in [0, 1, 1_784_678_399_999, 253_402_300_799_999] {
            let moment = DateTime::from_timestamp_millis(millis).unwrap();
            let slowly = moment.format("%Y-%m-%d %H:%M:%S%.3f").to_string();
            assert_eq!(text(moment), slowly);
        }
        let fine = DateTime::UNIX_EPOCH + chrono::Duration::nanoseconds(1_999_999);
        assert_eq!(text(fine), "1970-01-01 00:00:00.001");
    }

    #[test]
    fn long_texts_are_cut_at_a_character() {
        assert_eq!(short("añ😀", 3), "añ😀");
        assert_eq!(short("añ😀b", 3), "añ…");
    }
}
