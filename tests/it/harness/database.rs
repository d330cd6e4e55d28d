//! A database for one test.

use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};

use chrono_tz::Tz;
use curatord::store::{Store, StoreError};
use secrecy::SecretString;
use sqlx::mysql::{MySqlConnectOptions, MySqlPool, MySqlPoolOptions, MySqlRow};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqliteRow};
use sqlx::{AssertSqlSafe, Row};
use tempfile::TempDir;
use url::Url;

/// An empty database; [`Database::store`] opens it as the program does.
pub struct Database {
    pub url: SecretString,
    raw: Raw,
    folder: TempDir,
}

enum Raw {
    MySql(MySqlPool, String),
    Sqlite(SqlitePool),
}

impl Database {
    pub async fn sqlite() -> Self {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("curatord.db");
        let options = SqliteConnectOptions::new()
            .filename(&file)
            .create_if_missing(true);
        Self {
            url: format!("sqlite://{}", file.display()).into(),
            raw: Raw::Sqlite(SqlitePool::connect_lazy_with(options)),
            folder,
        }
    }

    pub async fn mysql() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("curatord_test_{}_{next}", std::process::id());
        let server = server_url();
        let pool = MySqlPoolOptions::new()
            .max_connections(2)
            .connect_lazy_with(MySqlConnectOptions::from_str(server.as_str()).unwrap());
        for statement in [
            format!("DROP DATABASE IF EXISTS {name}"),
            // Not our character set: ours must not depend on the database's.
            format!("CREATE DATABASE {name} CHARACTER SET latin1"),
        ] {
            sqlx::raw_sql(AssertSqlSafe(statement))
                .execute(&pool)
                .await
                .unwrap();
        }
        pool.close().await;
        let mut url = server;
        url.set_path(&name);
        let pool = MySqlPoolOptions::new()
            .max_connections(2)
            .connect_lazy_with(MySqlConnectOptions::from_str(url.as_str()).unwrap());
        Self {
            url: url.as_str().to_owned().into(),
            raw: Raw::MySql(pool, name),
            folder: TempDir::new().unwrap(),
        }
    }

    /// Opens it, with UTC as the zone of `steem_authorization`.
    pub async fn store(&self) -> Store {
        self.open(Tz::UTC).await.unwrap()
    }

    pub async fn open(&self, zone: Tz) -> Result<Store, StoreError> {
        Store::open(&self.url, zone).await
    }

    pub fn is_mysql(&self) -> bool {
        matches!(self.raw, Raw::MySql(..))
    }

    /// A folder that goes when the database goes.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Does what another program would.
    pub async fn execute(&self, statement: &str) {
        let statement = AssertSqlSafe(statement.to_owned());
        match &self.raw {
            Raw::MySql(pool, _) => drop(sqlx::raw_sql(statement).execute(pool).await.unwrap()),
            Raw::Sqlite(pool) => drop(sqlx::raw_sql(statement).execute(pool).await.unwrap()),
        }
    }

    /// The first columns, all of them texts, of every row.
    pub async fn rows<const N: usize>(&self, statement: &'static str) -> Vec<[String; N]> {
        match &self.raw {
            Raw::MySql(pool, _) => {
                let rows = sqlx::query(statement).fetch_all(pool).await.unwrap();
                let columns = |row: &MySqlRow| std::array::from_fn(|column| row.get(column));
                rows.iter().map(columns).collect()
            }
            Raw::Sqlite(pool) => {
                let rows = sqlx::query(statement).fetch_all(pool).await.unwrap();
                let columns = |row: &SqliteRow| std::array::from_fn(|column| row.get(column));
                rows.iter().map(columns).collect()
            }
        }
    }

    /// The first column, a text, of every row.
    pub async fn texts(&self, statement: &'static str) -> Vec<String> {
        let rows = self.rows(statement).await;
        rows.into_iter().map(|[text]| text).collect()
    }

    /// A number that the statement asks for.
    pub async fn number(&self, statement: &'static str) -> i64 {
        match &self.raw {
            Raw::MySql(pool, _) => sqlx::query_scalar(statement).fetch_one(pool).await.unwrap(),
            Raw::Sqlite(pool) => sqlx::query_scalar(statement).fetch_one(pool).await.unwrap(),
        }
    }

    pub async fn remove(self) {
        match self.raw {
            Raw::MySql(pool, name) => {
                let statement = AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name}"));
                sqlx::raw_sql(statement).execute(&pool).await.unwrap();
                pool.close().await;
            }
            Raw::Sqlite(pool) => pool.close().await,
        }
    }
}

/// The server for the tests.
pub fn server_url() -> Url {
    let Ok(url) = std::env::var("CURATORD_TEST_MYSQL") else {
        panic!(
            "no MySQL or MariaDB to test with: run the tests with `tests/run`, which starts one, or \
             set CURATORD_TEST_MYSQL to the address of a server on which databases may be created, \
             such as mysql://root@127.0.0.1:3306/"
        );
    };
    Url::parse(&url)
        .expect("CURATORD_TEST_MYSQL is an address such as mysql://root@127.0.0.1:3306/")
}
