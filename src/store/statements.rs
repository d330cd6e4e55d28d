//! The statements, made from the lists of columns once for each database.

use std::sync::LazyLock;

use super::columns::{IDS, VOTERS_AND_RULES};
use super::dialect::{Dialect, names};
use super::mysql::DIALECT as MYSQL_DIALECT;
use super::sqlite::DIALECT as SQLITE_DIALECT;
use super::table::Table;
use crate::post::VoteKey;
use crate::votes::change::{Cursor, LeaderVote, ScheduleRun};
use crate::votes::error_entry::ErrorEntry;
use crate::votes::vote::Vote;

pub(super) static MYSQL: LazyLock<Statements> = LazyLock::new(|| Statements::new(&MYSQL_DIALECT));
pub(super) static SQLITE: LazyLock<Statements> = LazyLock::new(|| Statements::new(&SQLITE_DIALECT));

/// The statements that are made from lists of columns, or differ between the databases.
pub(super) struct Statements {
    pub votes: VoteStatements,
    pub claims: ClaimStatements,
    pub chain: ChainStatements,
    pub tokens: TokenStatements,
    pub errors: ErrorStatements,
    /// Fail when the database is opened, and not at the first vote, where a table is not ours.
    pub checks: [String; 3],
}

impl Statements {
    fn new(dialect: &Dialect) -> Self {
        Self {
            votes: VoteStatements::new(dialect),
            claims: ClaimStatements::new(dialect),
            chain: ChainStatements::new(dialect),
            tokens: TokenStatements::new(dialect),
            errors: ErrorStatements::new(dialect),
            checks: [
                format!("SELECT id, {} FROM votes LIMIT 0", names::<Vote>("")),
                "SELECT id, access_token, user_login, expires_in, refresh_token \
                 FROM steem_authorization LIMIT 0"
                    .to_owned(),
                format!(
                    "SELECT id, {} FROM error_log LIMIT 0",
                    names::<ErrorEntry>("")
                ),
            ],
        }
    }
}

pub(super) struct VoteStatements {
    pub by_key: String,
    pub by_key_locked: String,
    pub queued_above_locked: String,
    pub confirmed_above_locked: String,
    pub insert: String,
    pub update: String,
    pub past: String,
}

impl VoteStatements {
    fn new(dialect: &Dialect) -> Self {
        let Dialect {
            rows,
            join,
            by_key,
            by_cast_at,
            lock,
            ..
        } = dialect;
        let columns = names::<Vote>("");
        // MySQL locks no table function, hence the SELECT around it. Join and index are named because
        // rows are locked as they are read: only these, and in the order of the keys.
        let by_key = format!(
            "WITH k AS (SELECT * FROM {} AS j) SELECT {} FROM k {join} votes AS v{by_key} \
             ON v.voter = k.voter AND v.author = k.author AND v.permlink = k.permlink",
            rows(VoteKey::COLUMNS),
            names::<Vote>("v."),
        );
        Self {
            by_key_locked: format!("{by_key}{lock}"),
            by_key,
            queued_above_locked: format!(
                "SELECT {columns} FROM votes \
                 WHERE status = 'queued' AND (event_block > ? OR asks IS NOT NULL){lock}"
            ),
            confirmed_above_locked: format!(
                "SELECT {columns} FROM votes WHERE block_num > ? AND status = 'confirmed'{lock}"
            ),
            insert: dialect.write_rows::<Vote>("INSERT INTO votes"),
            update: (dialect.update_votes)(),
            past: format!(
                "SELECT v.voter, v.rule, v.author, v.permlink, v.cast_at \
                 FROM {} AS k {join} votes AS v{by_cast_at} \
                 ON v.voter = k.voter AND v.cast_at >= ? AND v.rule = k.rule \
                 WHERE v.status IN ('cast', 'confirmed') OR (? AND v.status = 'dry_run')",
                rows(VOTERS_AND_RULES),
            ),
        }
    }
}

pub(super) struct ClaimStatements {
    pub due: String,
    pub hold: String,
    pub unconfirmed: String,
    pub postpone: String,
    pub held: String,
    pub insert_lease: String,
}

impl ClaimStatements {
    fn new(dialect: &Dialect) -> Self {
        let Dialect {
            by_next_attempt,
            lock_free,
            insert_new,
            ..
        } = dialect;
        let columns = names::<Vote>("");
        Self {
            due: format!(
                "SELECT id, {columns} FROM votes{by_next_attempt} \
                 WHERE status = 'queued' AND next_attempt_at < ? \
                 AND (claimed_until IS NULL OR claimed_until < ?) \
                 ORDER BY next_attempt_at, id LIMIT ?{lock_free}"
            ),
            hold: (dialect.update_by_id)("claimed_by = ?, claimed_until = ?"),
            unconfirmed: format!(
                "SELECT id, {columns} FROM votes{by_next_attempt} \
                 WHERE status = 'cast' AND next_attempt_at <= ? \
                 ORDER BY next_attempt_at, id LIMIT ?{lock_free}"
            ),
            postpone: (dialect.update_by_id)("next_attempt_at = ?"),
            held: format!("SELECT {columns} FROM votes WHERE claimed_by = ? AND status = 'queued'"),
            insert_lease: format!(
                "{insert_new} INTO leases (name, holder, until) VALUES (?, ?, ?)"
            ),
        }
    }
}

pub(super) struct ChainStatements {
    pub cursor: String,
    pub replace_cursor: String,
    pub leader_votes: String,
    pub replace_leader_votes: String,
    pub prune_leader_votes: &'static str,
    pub schedule_runs: String,
    pub replace_schedule_runs: String,
}

impl ChainStatements {
    fn new(dialect: &Dialect) -> Self {
        let cursor = names::<Cursor>("");
        let leader_votes = names::<LeaderVote>("");
        let schedule_runs = names::<ScheduleRun>("");
        Self {
            replace_cursor: format!(
                "REPLACE INTO chain_cursor (id, {cursor}, updated_at) VALUES (1, {}?)",
                "?, ".repeat(Cursor::COLUMNS.len()),
            ),
            cursor: format!("SELECT {cursor} FROM chain_cursor WHERE id = 1"),
            leader_votes: format!("SELECT {leader_votes} FROM leader_votes ORDER BY block_num"),
            // The last of several votes in one block stands, and reading a block again changes nothing.
            replace_leader_votes: dialect.write_rows::<LeaderVote>("REPLACE INTO leader_votes"),
            prune_leader_votes: dialect.prune_leader_votes,
            schedule_runs: format!("SELECT {schedule_runs} FROM schedule_runs ORDER BY rule"),
            replace_schedule_runs: dialect.write_rows::<ScheduleRun>("REPLACE INTO schedule_runs"),
        }
    }
}

pub(super) struct TokenStatements {
    pub marks: &'static str,
    pub by_id: String,
    pub refresh: String,
}

impl TokenStatements {
    fn new(dialect: &Dialect) -> Self {
        let Dialect { rows, join, .. } = dialect;
        Self {
            marks: dialect.token_marks,
            by_id: format!(
                "SELECT CAST(a.id AS SIGNED) AS id, CAST(a.access_token AS CHAR) AS access_token, \
                 CAST(a.refresh_token AS CHAR) AS refresh_token, \
                 CAST(a.expires_in AS CHAR) AS expires_in \
                 FROM {} AS k {join} steem_authorization AS a ON a.id = k.id",
                rows(IDS),
            ),
            refresh: format!(
                "UPDATE steem_authorization \
                 SET access_token = ?, refresh_token = ?, expires_in = ? WHERE id = ? AND {}",
                dialect.has_refresh_token,
            ),
        }
    }
}

pub(super) struct ErrorStatements {
    pub insert: String,
    pub insert_reported: String,
}

impl ErrorStatements {
    fn new(dialect: &Dialect) -> Self {
        Self {
            insert: dialect.write_rows::<ErrorEntry>("INSERT INTO error_log"),
            insert_reported: format!(
                "{} INTO reported (fingerprint, reported_at) VALUES (?, ?)",
                dialect.insert_new
            ),
        }
    }
}
