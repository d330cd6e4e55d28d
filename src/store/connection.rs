//! One connection to either database, for the statements of one call.

use std::marker::PhantomData;

use futures_util::future::BoxFuture;
use sqlx::mysql::{MySqlConnection, MySqlRow};
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{AssertSqlSafe, FromRow};

use super::table::{Table, json_rows};
use super::value::{Value, for_mysql, for_sqlite};

/// Rows per statement: far below every limit of packet size, and enough that the time to reach the
/// server does not matter.
pub(super) const CHUNK: usize = 1_000;

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

/// A connection, or a transaction on it. Statements hold nothing but our own text and names of columns: values are
/// bound.
pub(super) enum Connection<'c> {
    MySql(&'c mut MySqlConnection),
    Sqlite(&'c mut SqliteConnection),
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
        statement: &str,
        values: impl IntoIterator<Item = Value<'v>>,
    ) -> Result<Vec<T>, sqlx::Error> {
        let statement = AssertSqlSafe(statement.to_owned());
        match self {
            Self::MySql(connection) => {
                let query = sqlx::query_with(statement, for_mysql(values)?);
                let rows = query.fetch_all(&mut **connection).await?;
                Ok(rows.iter().map(T::from_row).filter_map(readable).collect())
            }
            Self::Sqlite(connection) => {
                let query = sqlx::query_with(statement, for_sqlite(values)?);
                let rows = query.fetch_all(&mut **connection).await?;
                Ok(rows.iter().map(T::from_row).filter_map(readable).collect())
            }
        }
    }

    /// Runs a statement that returns no rows.
    pub async fn execute<'v>(
        &mut self,
        statement: &str,
        values: impl IntoIterator<Item = Value<'v>>,
    ) -> Result<Done, sqlx::Error> {
        let statement = AssertSqlSafe(statement.to_owned());
        match self {
            Self::MySql(connection) => {
                let query = sqlx::query_with(statement, for_mysql(values)?);
                let done = query.execute(&mut **connection).await?;
                Ok(Done {
                    rows: done.rows_affected(),
                    id: done.last_insert_id().try_into().unwrap_or_default(),
                })
            }
            Self::Sqlite(connection) => {
                let query = sqlx::query_with(statement, for_sqlite(values)?);
                let done = query.execute(&mut **connection).await?;
                Ok(Done {
                    rows: done.rows_affected(),
                    id: done.last_insert_rowid(),
                })
            }
        }
    }

    /// Runs a statement that takes rows as a JSON text, for [`CHUNK`] rows at a time.
    pub async fn write<T: Table>(
        &mut self,
        statement: &str,
        rows: &[T],
    ) -> Result<(), sqlx::Error> {
        for rows in rows.chunks(CHUNK) {
            self.execute(statement, [json_rows(rows).into()]).await?;
        }
        Ok(())
    }
}

/// What was read of a row. A row that holds what curatord never writes is logged and left out.
pub(super) fn readable<T>(read: Result<T, sqlx::Error>) -> Option<T> {
    read.inspect_err(|error| tracing::error!("a row is left out: {error}"))
        .ok()
}
