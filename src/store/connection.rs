//! One connection to either database, for the statements of one call.

use std::marker::PhantomData;

use futures_util::future::BoxFuture;
use serde::Serialize;
use sqlx::FromRow;
use sqlx::mysql::{MySqlConnection, MySqlRow};
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::table::json_texts;
use super::value::{Value, for_mysql, for_sqlite};

/// What becomes of a database that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    Create,
    Refuse,
}

/// How a call uses its connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Reads beside whoever writes.
    Read,
    /// Writes, each statement by itself.
    Write,
    /// Writes all or nothing.
    Transaction,
}

/// The running statements of a call. Boxed, because the compiler cannot show that the future of an
/// `AsyncFn` that borrows is `Send`.
pub(super) type Running<'c, T> = BoxFuture<'c, Result<T, sqlx::Error>>;

/// Tells the compiler that what a call borrows (`'env`) outlives its connection (`'c`).
pub(super) type Outlives<'env, 'c> = PhantomData<&'c &'env ()>;

/// What both databases can read from a row.
pub(super) trait Stored:
    for<'r> FromRow<'r, MySqlRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin
{
}

impl<T> Stored for T where
    T: for<'r> FromRow<'r, MySqlRow> + for<'r> FromRow<'r, SqliteRow> + Send + Unpin
{
}

/// A connection, or a transaction on it, and the length in bytes that no JSON text bound to a statement should exceed.
/// Statements hold nothing but our own text and names of columns: values are bound.
pub(super) enum Connection<'c> {
    MySql(&'c mut MySqlConnection, usize),
    Sqlite(&'c mut SqliteConnection, usize),
}

/// What a statement did.
pub(super) struct Done {
    /// Rows that were changed, or matched by an UPDATE.
    pub rows: u64,
    /// The id that an INSERT made.
    pub id: i64,
}

impl Connection<'_> {
    /// Reads all rows of a statement. A row with a value that curatord never writes is logged and left out: it must
    /// not keep the others back.
    pub async fn read<'v, T: Stored>(
        &mut self,
        statement: &'static str,
        values: impl IntoIterator<Item = Value<'v>>,
    ) -> Result<Vec<T>, sqlx::Error> {
        match self {
            Self::MySql(connection, _) => {
                let query = sqlx::query_with(statement, for_mysql(values)?);
                let rows = query.fetch_all(&mut **connection).await?;
                Ok(rows.iter().map(T::from_row).filter_map(readable).collect())
            }
            Self::Sqlite(connection, _) => {
                let query = sqlx::query_with(statement, for_sqlite(values)?);
                let rows = query.fetch_all(&mut **connection).await?;
                Ok(rows.iter().map(T::from_row).filter_map(readable).collect())
            }
        }
    }

    /// Runs a statement that returns no rows.
    pub async fn execute<'v>(
        &mut self,
        statement: &'static str,
        values: impl IntoIterator<Item = Value<'v>>,
    ) -> Result<Done, sqlx::Error> {
        match self {
            Self::MySql(connection, _) => {
                let query = sqlx::query_with(statement, for_mysql(values)?);
                let done = query.execute(&mut **connection).await?;
                Ok(Done {
                    rows: done.rows_affected(),
                    id: done.last_insert_id().try_into().unwrap_or_default(),
                })
            }
            Self::Sqlite(connection, _) => {
                let query = sqlx::query_with(statement, for_sqlite(values)?);
                let done = query.execute(&mut **connection).await?;
                Ok(Done {
                    rows: done.rows_affected(),
                    id: done.last_insert_rowid(),
                })
            }
        }
    }

    /// Runs a statement that takes rows as a JSON text and then `values`, as often as the rows need.
    pub async fn write(
        &mut self,
        statement: &'static str,
        rows: impl IntoIterator<Item = impl Serialize>,
        values: &[Value<'_>],
    ) -> Result<(), sqlx::Error> {
        for text in json_texts(rows, self.longest_text()) {
            self.execute(statement, with(text, values)).await?;
        }
        Ok(())
    }

    /// Reads all rows of a statement that takes rows as a JSON text and then `values`.
    pub async fn read_by<T: Stored>(
        &mut self,
        statement: &'static str,
        rows: impl IntoIterator<Item = impl Serialize>,
        values: &[Value<'_>],
    ) -> Result<Vec<T>, sqlx::Error> {
        let mut read = Vec::new();
        for text in json_texts(rows, self.longest_text()) {
            read.extend(self.read(statement, with(text, values)).await?);
        }
        Ok(read)
    }

    fn longest_text(&self) -> usize {
        match self {
            Self::MySql(_, longest) | Self::Sqlite(_, longest) => *longest,
        }
    }
}

fn with<'v>(text: String, values: &[Value<'v>]) -> Vec<Value<'v>> {
    [text.into()]
        .into_iter()
        .chain(values.iter().cloned())
        .collect()
}

/// What was read of a row. A row that holds what curatord never writes is logged and left out.
pub(super) fn readable<T>(read: Result<T, sqlx::Error>) -> Option<T> {
    read.inspect_err(|error| tracing::error!("a row is left out: {error}"))
        .ok()
}
