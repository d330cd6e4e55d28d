//! Rows about what was read from the chain, and how far schedules have run.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::moment::as_text;
use super::{bad_value, json};
use crate::account::Account;
use crate::post::PostId;
use crate::rules::rule::RuleId;
use crate::votes::change::{Cursor, LeaderVote, ScheduleRun};
use crate::weight::Weight;

/// A row of `leader_votes`.
#[derive(sqlx::FromRow, Serialize)]
pub(in crate::store) struct LeaderVoteRow {
    leader: String,
    author: String,
    permlink: String,
    weight: i64,
    block_num: i64,
    #[serde(serialize_with = "as_text")]
    voted_at: DateTime<Utc>,
}

impl From<&LeaderVote> for LeaderVoteRow {
    fn from(vote: &LeaderVote) -> Self {
        Self {
            leader: vote.leader.as_str().to_owned(),
            author: vote.post.author.as_str().to_owned(),
            permlink: vote.post.permlink.to_string(),
            weight: vote.weight.hundredths().into(),
            block_num: vote.block_num.into(),
            voted_at: vote.at,
        }
    }
}

impl TryFrom<LeaderVoteRow> for LeaderVote {
    type Error = sqlx::Error;

    fn try_from(row: LeaderVoteRow) -> Result<Self, sqlx::Error> {
        let bad = |column| bad_value("leader_votes", column, row.block_num);
        Ok(Self {
            leader: Account::from_chain(&row.leader),
            post: PostId::new(Account::from_chain(&row.author), &row.permlink),
            weight: Weight::from_hundredths(row.weight).ok_or_else(|| bad("weight"))?,
            block_num: u32::try_from(row.block_num).map_err(|_| bad("block_num"))?,
            at: row.voted_at,
        })
    }
}

/// The row of `chain_cursor`.
#[derive(sqlx::FromRow)]
pub(in crate::store) struct CursorRow {
    pub block_num: i64,
    pub block_id: String,
    pub block_time: DateTime<Utc>,
    /// JSON: `[[number, "id"], ...]`.
    pub recent: String,
}

impl From<&Cursor> for CursorRow {
    fn from(cursor: &Cursor) -> Self {
        Self {
            block_num: cursor.block_num.into(),
            block_id: cursor.block_id.clone(),
            block_time: cursor.block_time,
            recent: json(&cursor.recent),
        }
    }
}

impl TryFrom<CursorRow> for Cursor {
    type Error = sqlx::Error;

    fn try_from(row: CursorRow) -> Result<Self, sqlx::Error> {
        let bad = |column| bad_value("chain_cursor", column, 1);
        Ok(Self {
            block_num: u32::try_from(row.block_num).map_err(|_| bad("block_num"))?,
            block_id: row.block_id,
            block_time: row.block_time,
            recent: serde_json::from_str(&row.recent).map_err(|_| bad("recent"))?,
        })
    }
}

/// A row of `schedule_runs`.
#[derive(sqlx::FromRow)]
pub(in crate::store) struct ScheduleRunRow {
    rule: String,
    schedule: String,
    last_run_at: DateTime<Utc>,
}

impl From<ScheduleRunRow> for ScheduleRun {
    fn from(row: ScheduleRunRow) -> Self {
        Self {
            rule: RuleId::from_stored(&row.rule),
            schedule: row.schedule,
            last_run_at: row.last_run_at,
        }
    }
}
