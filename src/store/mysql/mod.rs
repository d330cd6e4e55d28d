//! The statements for MySQL (8.0 and later) and MariaDB (10.6 and later). Several daemons may share
//! one database.

mod adopt;
mod apply;
mod chain;
mod claims;
mod past;
mod tokens;

use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::str::FromStr;
use std::time::Duration;

use chrono_tz::Tz;
use secrecy::{ExposeSecret, SecretString};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlPool, MySqlPoolOptions};
use sqlx::pool::PoolConnection;
use sqlx::{ConnectOptions, Connection, MySql};

use crate::store::error::{StoreError, is_collision};

/// Connecting, with waiting for a free connection of the pool.
const CONNECT: Duration = Duration::from_secs(4);
/// One call, all its statements together.
const CALL: Duration = Duration::from_secs(8);
/// Adopting and making the tables: a large `error_log` is rewritten once. Broken off, the server
/// goes on, and the next start finds it done.
const MIGRATE: Duration = Duration::from_secs(120);
const CONNECTIONS: u32 = 6;
/// How often a transaction that met another one is tried again.
const RETRIES: u32 = 5;

// Moments are bound as `naive_utc`, which sqlx sends as DATETIME like our columns; a `DateTime` it would
// send as TIMESTAMP, which ends in 2038.

/// What a session of ours must have, whatever the server's defaults are.
///
/// - READ COMMITTED: no gap locks, so that daemons that insert side by side do not deadlock.
/// - Strict, so that a value that does not fit is an error instead of a shorter value. Zero dates are
///   allowed: another program may have written them.
const SESSION: &str = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', \
     SESSION autocommit = 1, SESSION innodb_lock_wait_timeout = 2, SESSION lock_wait_timeout = 100; \
     SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

pub struct MySqlStore {
    pool: MySqlPool,
    /// Of `steem_authorization.expires_in`.
    zone: Tz,
}

impl MySqlStore {
    pub async fn open(url: &SecretString, zone: Tz) -> Result<Self, StoreError> {
        let options = MySqlConnectOptions::from_str(url.expose_secret())?
            .timezone(Some("+00:00".to_owned()))
            .pipes_as_concat(false)
            .no_engine_substitution(false);
        if options.get_database().is_none_or(str::is_empty) {
            return Err(StoreError::Refused(
                "the address names no database: write mysql://user:password@host/NAME".to_owned(),
            ));
        }
        // Not through the pool: it would hide behind a timeout why the server does not answer.
        let mut first = within(CONNECT, async {
            let mut connection = options.connect().await?;
            prepare(&mut connection).await?;
            Ok::<_, sqlx::Error>(connection)
        })
        .await?;
        within(MIGRATE, adopt::migrate(&mut first)).await?;
        // The tables are there; how this connection ends does not matter.
        let _ = tokio::time::timeout(CONNECT, first.close()).await;

        let pool = MySqlPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(CONNECT)
            .after_connect(|connection, _| Box::pin(prepare(connection)))
            .connect_lazy_with(options);
        Ok(Self { pool, zone })
    }

    pub async fn ping(&self) -> Result<(), StoreError> {
        call(move || async move {
            let mut session = self.session().await?;
            session.ping().await?;
            session.finish();
            Ok(())
        })
        .await
    }

    async fn session(&self) -> Result<Session, sqlx::Error> {
        Ok(Session(Some(self.pool.acquire().await?)))
    }
}

async fn prepare(connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(SESSION).execute(connection).await?;
    Ok(())
}

/// A connection that goes back to the pool when its work is finished, and is thrown away when it ends
/// in any other way: in the middle of an answer, or of a transaction, it is of no use to the next.
struct Session(Option<PoolConnection<MySql>>);

impl Session {
    fn finish(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}

impl Deref for Session {
    type Target = MySqlConnection;

    fn deref(&self) -> &MySqlConnection {
        match &self.0 {
            Some(connection) => connection,
            None => unreachable!("only `finish` and `drop` take the connection, and both end it"),
        }
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut MySqlConnection {
        match &mut self.0 {
            Some(connection) => connection,
            None => unreachable!("only `finish` and `drop` take the connection, and both end it"),
        }
    }
}

/// Runs the statements of one call, again where they met those of another daemon: a server that hangs
/// does not hang us, and a deadlock is no outage.
async fn call<T, F>(work: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, sqlx::Error>>,
{
    within(CALL, async {
        let mut tries = 0;
        loop {
            match work().await {
                Err(error) if tries < RETRIES && is_collision(&error) => {
                    tries += 1;
                    tracing::debug!(%error, tries, "a transaction met another one");
                    let pause = u64::from(tries) * fastrand::u64(2..20);
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
                result => return result,
            }
        }
    })
    .await
}

async fn within<T, E: Into<StoreError>>(
    limit: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result.map_err(Into::into),
        Err(_) => Err(StoreError::Unavailable(format!(
            "no answer within {} s",
            limit.as_secs()
        ))),
    }
}
