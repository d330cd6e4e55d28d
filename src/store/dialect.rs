//! What the two databases write differently, and statements made from lists of columns. Names are the only thing
//! that is put into the text of a statement: values are bound, and many rows are bound as one JSON text.

use std::sync::OnceLock;

use super::table::{Column, Table};
use crate::post::VoteKey;
use crate::votes::error_entry::ErrorEntry;
use crate::votes::vote::Vote;

/// What the two databases write differently.
pub(super) struct Dialect {
    pub is_mysql: bool,
    /// The rows of a bound JSON text, as a table with these columns.
    pub rows: fn(&[Column]) -> String,
    /// A join that reads its left side first.
    pub join: &'static str,
    /// Makes a statement use the index of `votes` by key.
    pub by_key: &'static str,
    /// Makes it use the index by the moment of the next attempt.
    pub by_next_attempt: &'static str,
    /// Makes it use the index by the moment of casting.
    pub by_cast_at: &'static str,
    /// Locks the rows of a SELECT.
    pub lock: &'static str,
    /// Locks the rows of a SELECT, and leaves out those that another transaction has locked.
    pub lock_free: &'static str,
    /// An INSERT that leaves a row with the same key as it is.
    pub insert_new: &'static str,
    /// Writes the rows of a JSON text over rows of `votes`.
    pub update_votes: fn() -> String,
    /// Sets columns in the rows of `votes` whose ids a JSON text holds, which is bound first.
    pub update_by_id: fn(&str) -> String,
    /// Removes at most 20,000 leaders' votes from before a moment.
    pub prune_leader_votes: &'static str,
    /// Reads `id`, `user_login` and a text that changes with the row, of each token.
    pub token_marks: &'static str,
    /// Compares a refresh token byte by byte.
    pub has_refresh_token: &'static str,
}

impl Dialect {
    /// Writes the rows of a JSON text; `verb` is like `INSERT INTO votes`.
    pub fn write_rows<T: Table>(&self, verb: &str) -> String {
        let names = names::<T>("");
        let rows = (self.rows)(T::COLUMNS);
        format!("{verb} ({names}) SELECT {names} FROM {rows} AS j")
    }
}

/// A statement that is made once for each database, where it runs.
pub(super) struct Once {
    mysql: OnceLock<String>,
    sqlite: OnceLock<String>,
}

impl Once {
    pub const fn new() -> Self {
        Self {
            mysql: OnceLock::new(),
            sqlite: OnceLock::new(),
        }
    }

    /// The text for this database, which `make` made once.
    pub fn of(&'static self, dialect: &Dialect, make: impl FnOnce() -> String) -> &'static str {
        match dialect.is_mysql {
            true => self.mysql.get_or_init(make),
            false => self.sqlite.get_or_init(make),
        }
    }
}

/// Statements that fail, when the database is opened and not at the first vote, where a table is not ours.
pub(super) fn checks() -> [String; 3] {
    [
        format!("SELECT id, {} FROM votes LIMIT 0", names::<Vote>("")),
        "SELECT id, access_token, user_login, expires_in, refresh_token \
         FROM steem_authorization LIMIT 0"
            .to_owned(),
        format!(
            "SELECT id, {} FROM error_log LIMIT 0",
            names::<ErrorEntry>("")
        ),
    ]
}

/// The names of the columns, each after `prefix`.
pub(super) fn names<T: Table>(prefix: &str) -> String {
    list(T::COLUMNS, |_, column| format!("{prefix}{}", column.name))
}

/// The assignments that change a row of `votes`: of all columns but those of the key.
pub(super) fn assign_votes(text: impl Fn(&str) -> String) -> String {
    let key = |name| VoteKey::COLUMNS.iter().any(|column| column.name == name);
    let columns = Vote::COLUMNS.iter().map(|column| column.name);
    let texts: Vec<String> = columns.filter(|name| !key(*name)).map(text).collect();
    texts.join(", ")
}

/// A text for each column, given with its position, with commas between them.
pub(super) fn list(columns: &[Column], text: impl Fn(usize, &Column) -> String) -> String {
    let columns = columns.iter().enumerate();
    let texts: Vec<String> = columns.map(|(at, column)| text(at, column)).collect();
    texts.join(", ")
}
