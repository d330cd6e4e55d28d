//! The statements for SQLite, where one daemon has the database for itself; commands may read and
//! write beside it.

mod apply;
mod chain;
mod claims;
mod past;
mod tokens;

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use chrono_tz::Tz;
use secrecy::{ExposeSecret, SecretString};
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Sqlite, Transaction};
use tokio::sync::Mutex;

use crate::store::error::{StoreError, is_collision};
use crate::store::rows::vote_columns;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// How long a statement waits for another process to finish its transaction.
const BUSY: Duration = Duration::from_secs(5);

/// No pool: SQLite has one writer at a time anyhow, and one connection beside it is enough so that a
/// look-up need not wait for a group of rows.
pub struct SqliteStore {
    writer: Mutex<SqliteConnection>,
    reader: Mutex<SqliteConnection>,
    path: PathBuf,
    /// Of `steem_authorization.expires_in`.
    zone: Tz,
}

/// Held by the daemon as long as it runs; the system gives it up when the process ends in any way.
#[derive(Debug)]
pub struct FileLock {
    _file: File,
}

impl SqliteStore {
    pub async fn open(url: &SecretString, zone: Tz) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::from_str(url.expose_secret())?;
        let path = options.get_filename().to_owned();
        prepare_file(&path)?;
        let options = options
            .create_if_missing(true)
            .busy_timeout(BUSY)
            // A reader sees the last commit while the writer writes the next.
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: with NORMAL a power cut can take back commits that were acknowledged. Votes would
            // be planned again from the blocks, but a vote asked for by hand would be gone, and so
            // would a refresh token that replaced a used-up one.
            .synchronous(SqliteSynchronous::Full);
        let mut writer = connect(&options, &path).await?;
        migrate(&mut writer).await?;
        let reader = connect(&options, &path).await?;
        Ok(Self {
            writer: Mutex::new(writer),
            reader: Mutex::new(reader),
            path,
            zone,
        })
    }

    /// Beside the database and not in it, so that commands can write while the daemon runs.
    pub fn lock_daemon(&self) -> Result<FileLock, StoreError> {
        let mut path = self.path.clone().into_os_string();
        path.push(".lock");
        let path = PathBuf::from(path);
        let failed = |error: std::io::Error| {
            StoreError::Refused(format!("{} cannot be locked: {error}", path.display()))
        };
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(FileLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Refused(format!(
                "another curatord runs on {}: stop it first, or give this one its own database",
                self.path.display()
            ))),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    pub async fn ping(&self) -> Result<(), StoreError> {
        let mut reader = self.reader.lock().await;
        sqlx::query("SELECT 1 FROM votes LIMIT 1")
            .execute(&mut *reader)
            .await?;
        Ok(())
    }
}

/// Begins a transaction that writes. IMMEDIATE: one that reads first and writes later would fail
/// instead of waiting when another process writes in between.
async fn begin(writer: &mut SqliteConnection) -> Result<Transaction<'_, Sqlite>, sqlx::Error> {
    writer.begin_with("BEGIN IMMEDIATE").await
}

/// Makes the file where there is none: for its owner alone, since it holds tokens, and so SQLite makes what it keeps
/// beside it. Says why it cannot be used; SQLite itself says only "unable to open database file".
fn prepare_file(path: &Path) -> Result<(), StoreError> {
    let refused = |text: String| Err(StoreError::Refused(text));
    if path.as_os_str().is_empty() || path.to_string_lossy().starts_with("file:") {
        return refused("the address names no file: write sqlite://curatord.db".to_owned());
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return refused(format!(
            "the folder {} does not exist: create it, or correct database.url",
            folder.display()
        ));
    }
    if path.is_dir() {
        return refused(format!("{} is a folder: name a file in it", path.display()));
    }
    match File::options()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
    {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => refused(format!(
            "{} cannot be written: give this user the right to write the file and its folder",
            path.display()
        )),
        _ => Ok(()),
    }
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
            Err(error) => {
                let at = |text| format!("{}: {text}", path.display());
                return Err(match error.into() {
                    StoreError::Unavailable(text) => StoreError::Unavailable(at(text)),
                    StoreError::Refused(text) => StoreError::Refused(at(text)),
                    StoreError::Failed(text) => StoreError::Failed(at(text)),
                });
            }
        }
    }
    Err(StoreError::Unavailable(format!(
        "{} is locked by another program",
        path.display()
    )))
}

/// Makes our tables and adopts those that are there, in one transaction: unlike MySQL, SQLite takes
/// back the making of a table, and this keeps two processes that start at once apart.
async fn migrate(writer: &mut SqliteConnection) -> Result<(), StoreError> {
    let mut transaction = begin(writer).await?;
    // Here lengths are not enforced and every text is Unicode, so that a missing column is all there
    // is to adopt. Not a numbered migration for the same reason as on MySQL.
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
    // Finds out at the start rather than at the first vote that a table of this name is not ours.
    for statement in [
        concat!("SELECT ", vote_columns!(""), " FROM votes LIMIT 0"),
        "SELECT id, access_token, user_login, expires_in, refresh_token FROM steem_authorization LIMIT 0",
        "SELECT id, voter, author, permlink, weight, type, error, timestamp FROM error_log LIMIT 0",
    ] {
        sqlx::query(statement)
            .execute(&mut *transaction)
            .await
            .map_err(|error| StoreError::Refused(error.to_string()))?;
    }
    transaction.commit().await?;
    Ok(())
}
