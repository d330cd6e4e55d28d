//! SQLite. One daemon has the database for itself; commands may read and write beside it.

mod dialect;
mod file;

use std::fs::File;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, Sqlite, Transaction};
use tokio::sync::Mutex;

use super::connection::{Access, Connection, Missing, Outlives, Running};
use super::dialect::checks;
use super::error::{StoreError, is_collision};

pub use dialect::DIALECT;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// Longest text of a statement's rows. SQLite takes far more; this bounds the memory that a large batch takes.
const PACKET: usize = 4 << 20;
/// Limit for waiting until another process finishes its transaction.
const BUSY: Duration = Duration::from_secs(5);

/// Two connections and no pool: SQLite has one writer at a time, and with a second connection a
/// look-up does not wait for a batch.
pub struct SqliteStore {
    writer: Line,
    reader: Line,
    options: SqliteConnectOptions,
    path: PathBuf,
}

/// A connection that is replaced after an error and after a call that was dropped: SQLite may have rolled the
/// transaction back by itself, as it does when the disk is full, and sqlx then counts one that is not there.
type Line = Mutex<Option<SqliteConnection>>;

impl SqliteStore {
    pub async fn open(url: &SecretString, missing: Missing) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::from_str(url.expose_secret())?;
        let path = options.get_filename().to_owned();
        file::prepare(&path, missing)?;
        let options = options
            .create_if_missing(true)
            .busy_timeout(BUSY)
            // A reader sees the last commit while the writer writes the next.
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: with NORMAL a power cut can undo commits that were acknowledged. Votes would be
            // planned again from the blocks, but a vote that a person asked for would be lost, and so
            // would a refresh token that replaced a used one.
            .synchronous(SqliteSynchronous::Full);
        let mut writer = connect(&options, &path).await?;
        if missing == Missing::Refuse {
            find_tables(&mut writer, &path).await?;
        }
        migrate(&mut writer).await?;
        let reader = connect(&options, &path).await?;
        Ok(Self {
            writer: Mutex::new(Some(writer)),
            reader: Mutex::new(Some(reader)),
            options: options.create_if_missing(false),
            path,
        })
    }

    pub fn lock_daemon(&self) -> Result<File, StoreError> {
        file::lock_beside(&self.path)
    }

    /// Closes the file. The last program that does so removes the `-wal` beside it, and everything is in the one file.
    pub async fn close(&self) {
        for line in [&self.reader, &self.writer] {
            if let Some(connection) = line.lock().await.take()
                && let Err(error) = connection.close().await
            {
                tracing::warn!("{} was not closed: {error}", self.path.display());
            }
        }
    }

    /// Runs the statements of one call. Nothing is retried, unlike on MySQL: a transaction that has
    /// begun is the only writer, and its begin waits up to [`BUSY`].
    pub async fn call<'env, T>(
        &self,
        access: Access,
        work: impl for<'c> Fn(Connection<'c>, Outlives<'env, 'c>) -> Running<'c, T>,
    ) -> Result<T, StoreError> {
        let mut line = match access {
            Access::Read => self.reader.lock().await,
            Access::Write | Access::Transaction => self.writer.lock().await,
        };
        let mut connection = match line.take() {
            Some(connection) => connection,
            None => connect(&self.options, &self.path).await?,
        };
        let result = run(&mut connection, access, work).await;
        match result {
            Ok(_) => *line = Some(connection),
            // What it held must be free before the next one begins.
            Err(_) => drop(connection.close().await),
        }
        Ok(result?)
    }
}

async fn run<'env, T>(
    connection: &mut SqliteConnection,
    access: Access,
    work: impl for<'c> Fn(Connection<'c>, Outlives<'env, 'c>) -> Running<'c, T>,
) -> Result<T, sqlx::Error> {
    if access != Access::Transaction {
        return work(Connection::Sqlite(connection, PACKET), PhantomData).await;
    }
    let mut transaction = begin(connection).await?;
    let result = work(Connection::Sqlite(&mut transaction, PACKET), PhantomData).await?;
    transaction.commit().await?;
    Ok(result)
}

/// Begins a transaction that writes. IMMEDIATE: one that reads first and writes later would fail
/// and not wait when another process writes in between.
async fn begin(writer: &mut SqliteConnection) -> Result<Transaction<'_, Sqlite>, sqlx::Error> {
    writer.begin_with("BEGIN IMMEDIATE").await
}

async fn connect(
    options: &SqliteConnectOptions,
    path: &Path,
) -> Result<SqliteConnection, StoreError> {
    // Switching a new file to WAL does not wait for another process that does the same.
    for _ in 0..50 {
        match options.connect().await {
            Err(error) if is_collision(&error) => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            Ok(connection) => return Ok(connection),
            Err(error) => return Err(StoreError::from(error).at(path.display())),
        }
    }
    let text = "another program has it locked".to_owned();
    Err(StoreError::Unavailable(text).at(path.display()))
}

/// Makes sure that the file holds some of the tables that curatord uses: an empty file is no database either.
async fn find_tables(connection: &mut SqliteConnection, path: &Path) -> Result<(), StoreError> {
    let statement = "SELECT count(*) FROM sqlite_master \
         WHERE name IN ('votes', 'steem_authorization', 'error_log')";
    match sqlx::query_scalar(statement).fetch_one(connection).await? {
        0_i64 => Err(file::no_database(path)),
        _ => Ok(()),
    }
}

/// Makes our tables and adopts those that are there, in one transaction: unlike MySQL, SQLite undoes
/// the making of a table, and the transaction keeps two processes that start at once apart.
async fn migrate(writer: &mut SqliteConnection) -> Result<(), StoreError> {
    let mut transaction = begin(writer).await?;
    // Lengths are not enforced and every text is Unicode, so a missing column is all there is to
    // adopt. Not a numbered migration, for the same reason as on MySQL.
    let columns: Vec<String> = sqlx::query_scalar("SELECT lower(name) FROM pragma_table_info(?)")
        .bind("error_log")
        .fetch_all(&mut *transaction)
        .await?;
    if !columns.is_empty() && !columns.iter().any(|name| name == "type") {
        sqlx::query("ALTER TABLE error_log ADD COLUMN type VARCHAR(10) NOT NULL DEFAULT 'vote'")
            .execute(&mut *transaction)
            .await?;
    }
    MIGRATIONS
        .run_direct(None, &mut *transaction, false)
        .await?;
    for statement in checks() {
        sqlx::query(AssertSqlSafe(statement))
            .execute(&mut *transaction)
            .await
            .map_err(|error| StoreError::Refused(error.to_string()))?;
    }
    transaction.commit().await?;
    Ok(())
}
