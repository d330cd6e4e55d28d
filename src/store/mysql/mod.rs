//! MySQL (8.0 and later) and MariaDB (10.6 and later). Several daemons may share one database.

mod adopt;
mod dialect;
mod tls;

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use sqlx::mysql::{MySqlConnection, MySqlPool, MySqlPoolOptions};
use sqlx::pool::PoolConnection;
use sqlx::{ConnectOptions, Connection as _, MySql};

use crate::database_url::DatabaseUrl;

use super::connection::{Access, Connection, Missing, Outlives, Running};
use super::error::{StoreError, is_collision};

pub use dialect::DIALECT;

/// Limit for connecting, and for waiting for a free connection of the pool.
const CONNECT: Duration = Duration::from_secs(4);
/// Limit for one call, all its statements together.
const CALL: Duration = Duration::from_secs(8);
/// Limit for adopting and making the tables: a large `error_log` is rewritten once. The server
/// continues after the limit, and the next start finds the work done.
const MIGRATE: Duration = Duration::from_secs(120);
const CONNECTIONS: u32 = 6;
/// Limit for closing connections in an orderly way.
const CLOSE: Duration = Duration::from_millis(500);
/// Longest text of a statement's rows where the server takes far more: bounds the memory that a large batch takes.
const LONGEST_TEXT: usize = 4 << 20;
/// Retries of a call that collided with another transaction.
const RETRIES: u32 = 5;

/// Settings that a session needs, whatever the server's defaults are.
///
/// - READ COMMITTED: no gap locks, so that daemons that insert side by side do not deadlock.
/// - Strict, so that a value that does not fit is an error and not a shorter value. Zero dates are
///   allowed: another program may have written them.
const SESSION: &str = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION', \
     SESSION autocommit = 1, SESSION innodb_lock_wait_timeout = 2, SESSION lock_wait_timeout = 100; \
     SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED";

/// Reads the largest packet that the server takes from a new session.
const LARGEST_PACKET: &str = "SELECT CAST(@@max_allowed_packet AS SIGNED)";

pub struct MySqlStore {
    pool: MySqlPool,
    /// Longest text of a statement's rows: a quarter of `max_allowed_packet`, of the connection with the smallest, since
    /// each keeps the limit that the server had when it began.
    packet: Arc<AtomicUsize>,
}

impl MySqlStore {
    pub async fn open(url: &SecretString, missing: Missing) -> Result<Self, StoreError> {
        let address = DatabaseUrl::parse(url.expose_secret())
            .map_err(|mistake| StoreError::Refused(mistake.to_string()))?;
        tls::check_files(&address)?;
        let options = address
            .options()
            .timezone(Some("+00:00".to_owned()))
            .pipes_as_concat(false)
            .no_engine_substitution(false);
        let packet = Arc::new(AtomicUsize::new(LONGEST_TEXT));
        // Not through the pool, which reports only a timeout and not why the server does not answer.
        let mut first = within(CONNECT, async {
            let mut connection = options.connect().await.map_err(tls::explained)?;
            prepare(&mut connection, &packet).await?;
            Ok::<_, StoreError>(connection)
        })
        .await
        .map_err(|error| error.at(address.place()))?;
        if missing == Missing::Refuse {
            within(CONNECT, adopt::find_tables(&mut first)).await?;
        }
        within(MIGRATE, adopt::migrate(&mut first)).await?;
        // The tables are there; how this connection ends does not matter.
        let _ = tokio::time::timeout(CONNECT, first.close()).await;

        let pool = MySqlPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(CONNECT)
            .after_connect({
                let packet = packet.clone();
                move |connection, _| {
                    let packet = packet.clone();
                    Box::pin(async move { prepare(connection, &packet).await })
                }
            })
            .connect_lazy_with(options);
        Ok(Self { pool, packet })
    }

    /// Closes all connections.
    pub async fn close(&self) {
        if tokio::time::timeout(CLOSE, self.pool.close())
            .await
            .is_err()
        {
            tracing::debug!("the server did not say goodbye in time");
        }
    }

    /// Runs the statements of one call within [`CALL`], and again when they collide with those of
    /// another daemon: a deadlock is no outage.
    pub async fn call<'env, T>(
        &self,
        access: Access,
        work: impl for<'c> Fn(Connection<'c>, Outlives<'env, 'c>) -> Running<'c, T>,
    ) -> Result<T, StoreError> {
        within(CALL, async {
            let mut tries = 0;
            loop {
                match self.attempt(access, &work).await {
                    Err(error) if tries < RETRIES && is_collision(&error) => {
                        tries += 1;
                        tracing::debug!(%error, tries, "a transaction collided with another one");
                        let pause = u64::from(tries) * fastrand::u64(2..20);
                        tokio::time::sleep(Duration::from_millis(pause)).await;
                    }
                    result => return result,
                }
            }
        })
        .await
    }

    async fn attempt<'env, T>(
        &self,
        access: Access,
        work: &impl for<'c> Fn(Connection<'c>, Outlives<'env, 'c>) -> Running<'c, T>,
    ) -> Result<T, sqlx::Error> {
        let mut session = Session(Some(self.pool.acquire().await?));
        let connection = session.0.as_deref_mut().ok_or(sqlx::Error::PoolClosed)?;
        let packet = self.packet.load(Ordering::Relaxed);
        let result = if access == Access::Transaction {
            let mut transaction = connection.begin().await?;
            let result = work(Connection::MySql(&mut transaction, packet), PhantomData).await?;
            transaction.commit().await?;
            result
        } else {
            work(Connection::MySql(connection, packet), PhantomData).await?
        };
        session.finish();
        Ok(result)
    }
}

async fn prepare(
    connection: &mut MySqlConnection,
    packet: &AtomicUsize,
) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(SESSION).execute(&mut *connection).await?;
    let largest: i64 = sqlx::query_scalar(LARGEST_PACKET)
        .fetch_one(connection)
        .await?;
    let quarter = usize::try_from(largest / 4).unwrap_or_default();
    packet.fetch_min(quarter, Ordering::Relaxed);
    Ok(())
}

/// A connection that goes back to the pool when its work is finished, and is closed when it is
/// dropped earlier: in the middle of an answer or of a transaction, nobody else can use it.
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
