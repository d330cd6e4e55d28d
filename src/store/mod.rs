//! The database: one type over MySQL, MariaDB and SQLite. [`crate::votes::fold`] decides what a row becomes; this
//! module holds only the statements.
//!
//! | file | holds |
//! | --- | --- |
//! | `columns` | the columns of each table |
//! | `table`, `value` | how our types become rows and values of a database |
//! | `dialect` | what the two databases write differently, and statements made from lists of columns |
//! | `connection` | one connection to either database |
//! | `mysql`, `sqlite` | opening, migrations, one call, and the dialect of one database |
//! | `votes`, `claims`, `chain`, `tokens`, `error_log` | the methods of [`Store`] with their statements |
//!
//! No call hangs: a call that a server leaves without an answer ends as [`StoreError::Unavailable`] after a few
//! seconds, and the same call may be tried again. When the connection breaks during a commit, nobody knows whether
//! it happened, so [`Store::apply`] may get the same batch twice, and `fold` makes the second time harmless.

mod chain;
mod claims;
mod columns;
mod connection;
mod dialect;
mod error;
mod error_log;
mod moment;
mod mysql;
mod sqlite;
mod table;
mod token_row;
mod tokens;
mod value;
mod votes;

use std::fs::File;

use chrono_tz::Tz;
use secrecy::{ExposeSecret, SecretString};

pub use error::StoreError;
pub use token_row::{NewToken, RowDoubt, TokenMarks, TokenRow};

use connection::{Access, Connection, Missing, Outlives, Running, Stored};
use dialect::Dialect;
use mysql::MySqlStore;
use sqlite::SqliteStore;
use value::Value;

/// An open database with all tables.
pub struct Store {
    backend: Backend,
    /// The zone of `steem_authorization.expires_in`.
    zone: Tz,
}

enum Backend {
    MySql(MySqlStore),
    Sqlite(Box<SqliteStore>),
}

/// Keeps a second daemon away from a database that is for one, until it is dropped.
#[derive(Debug)]
#[must_use = "a second daemon may start as soon as this is dropped"]
pub struct DaemonLock {
    _file: Option<File>,
}

impl Store {
    /// Connects, makes the tables that are missing and adopts those that other programs made.
    /// `url` is `sqlite://path`, `mysql://…` or `mariadb://…`; `zone` is that of
    /// `steem_authorization.expires_in`.
    ///
    /// # Errors
    /// `Unavailable` where it may work later; `Refused` where somebody must change something first.
    pub async fn open(url: &SecretString, zone: Tz) -> Result<Self, StoreError> {
        Self::open_or(url, zone, Missing::Create).await
    }

    /// The same for commands that make no database of a mistyped address: it must be there.
    ///
    /// # Errors
    /// As [`Self::open`]; `Refused` also where there is none.
    pub async fn open_existing(url: &SecretString, zone: Tz) -> Result<Self, StoreError> {
        Self::open_or(url, zone, Missing::Refuse).await
    }

    async fn open_or(url: &SecretString, zone: Tz, missing: Missing) -> Result<Self, StoreError> {
        let scheme = url.expose_secret().split(':').next().unwrap_or_default();
        let backend = match scheme {
            "mysql" | "mariadb" => Backend::MySql(MySqlStore::open(url, missing).await?),
            "sqlite" => Backend::Sqlite(Box::new(SqliteStore::open(url, missing).await?)),
            _ => {
                return Err(StoreError::Refused(
                    "the address must begin with sqlite://, mysql:// or mariadb://".to_owned(),
                ));
            }
        };
        Ok(Self { backend, zone })
    }

    /// Makes sure that no second daemon runs on a database that is for one: on SQLite by a locked
    /// file beside it. Commands do not need the lock and can write meanwhile. On MySQL daemons share.
    ///
    /// # Errors
    /// `Refused` while another daemon has it.
    pub fn lock_daemon(&self) -> Result<DaemonLock, StoreError> {
        let file = match &self.backend {
            Backend::MySql(_) => None,
            Backend::Sqlite(backend) => Some(backend.lock_daemon()?),
        };
        Ok(DaemonLock { _file: file })
    }

    /// Closes all connections, so that SQLite leaves no `-wal` behind.
    pub async fn close(&self) {
        match &self.backend {
            Backend::MySql(backend) => backend.close().await,
            Backend::Sqlite(backend) => backend.close().await,
        }
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let read = self.read::<(i64,), 0>("ping", "SELECT 1 FROM votes LIMIT 1", []);
        read.await.map(drop)
    }

    /// What this database writes differently.
    fn dialect(&self) -> &'static Dialect {
        match self.backend {
            Backend::MySql(_) => &mysql::DIALECT,
            Backend::Sqlite(_) => &sqlite::DIALECT,
        }
    }

    /// Reads the rows of one statement.
    async fn read<T: Stored, const N: usize>(
        &self,
        name: &str,
        statement: &'static str,
        values: [Value<'_>; N],
    ) -> Result<Vec<T>, StoreError> {
        let values = &values;
        self.call(name, Access::Read, |mut connection, _| {
            Box::pin(async move { connection.read(statement, values.clone()).await })
        })
        .await
    }

    /// Runs one statement that writes, and returns the number of rows that it changed.
    async fn write<const N: usize>(
        &self,
        name: &str,
        statement: &'static str,
        values: [Value<'_>; N],
    ) -> Result<u64, StoreError> {
        let values = &values;
        self.call(name, Access::Write, |mut connection, _| {
            Box::pin(async move { Ok(connection.execute(statement, values.clone()).await?.rows) })
        })
        .await
    }

    /// Runs the statements of one call. An error names the call: `name` reads like
    /// "claim due votes".
    async fn call<'env, T>(
        &self,
        name: &str,
        access: Access,
        work: impl for<'c> Fn(Connection<'c>, Outlives<'env, 'c>) -> Running<'c, T>,
    ) -> Result<T, StoreError> {
        let result = match &self.backend {
            Backend::MySql(backend) => backend.call(access, work).await,
            Backend::Sqlite(backend) => backend.call(access, work).await,
        };
        result.map_err(|error| error.at(name))
    }
}
