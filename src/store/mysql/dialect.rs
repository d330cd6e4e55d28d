//! What MySQL and MariaDB write differently from SQLite.

use crate::store::columns::IDS;
use crate::store::dialect::{Dialect, assign_votes, list};
use crate::store::table::{Column, Table};
use crate::votes::vote::Vote;

pub static DIALECT: Dialect = Dialect {
    is_mysql: true,
    rows,
    join: "STRAIGHT_JOIN",
    by_key: " FORCE INDEX (votes_key)",
    by_next_attempt: " FORCE INDEX (votes_next)",
    by_cast_at: " FORCE INDEX (votes_past)",
    lock: " FOR UPDATE",
    // Two daemons that claim at once take different rows.
    lock_free: " FOR UPDATE SKIP LOCKED",
    insert_new: "INSERT IGNORE",
    update_votes,
    update_by_id: |set| {
        let ids = rows(IDS);
        format!("UPDATE {ids} AS k STRAIGHT_JOIN votes AS v ON v.id = k.id SET {set}")
    },
    prune_leader_votes: "DELETE FROM leader_votes WHERE voted_at < ? LIMIT 20000",
    // A hash, so that no token is sent. As bytes: the texts may be of different character sets, which a server may
    // refuse to mix.
    token_marks: "SELECT CAST(id AS SIGNED), CAST(user_login AS CHAR), \
         CAST(CRC32(CONCAT_WS('|', id, COALESCE(CAST(access_token AS BINARY), '-'), \
         COALESCE(CAST(refresh_token AS BINARY), '-'), \
         COALESCE(CAST(expires_in AS BINARY), '-'))) AS CHAR) \
         FROM steem_authorization WHERE user_login IS NOT NULL",
    // The column may compare without regard to case.
    has_refresh_token: "CAST(refresh_token AS BINARY) = CAST(? AS BINARY)",
};

fn rows(columns: &[Column]) -> String {
    let columns = list(columns, |at, column| {
        format!("{} {} PATH '$[{at}]'", column.name, column.kind.mysql)
    });
    format!("JSON_TABLE(?, '$[*]' COLUMNS ({columns}))")
}

/// Not INSERT with ON DUPLICATE KEY UPDATE as on SQLite, which would use up an id for each row.
fn update_votes() -> String {
    let set = assign_votes(|name| format!("v.{name} = j.{name}"));
    format!(
        "UPDATE {} AS j STRAIGHT_JOIN votes AS v FORCE INDEX (votes_key) \
         ON v.voter = j.voter AND v.author = j.author AND v.permlink = j.permlink SET {set}",
        rows(Vote::COLUMNS),
    )
}
