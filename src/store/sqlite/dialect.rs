//! What SQLite writes differently from MySQL.

use crate::store::columns::IDS;
use crate::store::dialect::{Dialect, assign_votes, list};
use crate::store::table::Column;
use crate::votes::vote::Vote;

pub static DIALECT: Dialect = Dialect {
    is_mysql: false,
    rows,
    join: "CROSS JOIN",
    by_key: "",
    by_next_attempt: "",
    by_cast_at: " INDEXED BY votes_past",
    // A transaction that writes is the only one.
    lock: "",
    lock_free: "",
    insert_new: "INSERT OR IGNORE",
    update_votes,
    update_by_id: |set| {
        let ids = rows(IDS);
        format!("WITH k AS {ids} UPDATE votes SET {set} WHERE id IN (SELECT id FROM k)")
    },
    // There is no DELETE with LIMIT.
    prune_leader_votes: "DELETE FROM leader_votes WHERE rowid IN \
         (SELECT rowid FROM leader_votes WHERE voted_at < ? LIMIT 20000)",
    // There is no hash function.
    token_marks: "SELECT id, CAST(user_login AS BLOB), CAST(COALESCE(access_token, '-') || '|' || \
         COALESCE(refresh_token, '-') || '|' || COALESCE(expires_in, '-') AS BLOB) \
         FROM steem_authorization WHERE user_login IS NOT NULL",
    has_refresh_token: "refresh_token = ? COLLATE BINARY",
};

/// `jsonb_each`, because `json_each` makes a text of every row, which each `->>` parses again: 24 µs
/// a row and not 9.
fn rows(columns: &[Column]) -> String {
    let columns = list(columns, |at, column| {
        format!("value ->> {at} AS {}", column.name)
    });
    format!("(SELECT {columns} FROM jsonb_each(?))")
}

/// Not UPDATE with FROM: SQLite cannot know how few rows the text has, and might read the whole table.
fn update_votes() -> String {
    let set = assign_votes(|name| format!("{name} = excluded.{name}"));
    let insert = DIALECT.write_rows::<Vote>("INSERT INTO votes");
    // The WHERE keeps SQLite from reading ON as part of the join.
    format!("{insert} WHERE true ON CONFLICT (voter, author, permlink) DO UPDATE SET {set}")
}
