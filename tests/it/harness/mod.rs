//! A whole installation for a test: the program itself as a child process, with a simulated chain and
//! signer in this process, a folder of rules, and a database of its own.

pub mod command;
pub mod daemon;
pub mod database;
pub mod installation;
pub mod proxy;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::Instant;

pub use daemon::Daemon;
pub use database::Database;
pub use installation::Installation;

/// Far beyond what anything here should take: the longest is a lease that runs out, 15 s.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Runs a case and removes its database, also when it fails.
pub async fn run(database: Database, case: impl AsyncFnOnce(&Database)) {
    let outcome = AssertUnwindSafe(case(&database)).catch_unwind().await;
    database.remove().await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

/// Runs each case, an `async fn(&Database)`, once for each kind of database.
macro_rules! on_each_database {
    ($($case:ident),+ $(,)?) => {
        mod on_sqlite {
            $(
                #[tokio::test]
                async fn $case() {
                    use crate::harness::{Database, run};
                    run(Database::sqlite().await, super::$case).await;
                }
            )+
        }

        mod on_mysql {
            $(
                #[tokio::test]
                async fn $case() {
                    use crate::harness::{Database, run};
                    run(Database::mysql().await, super::$case).await;
                }
            )+
        }
    };
}
pub(crate) use on_each_database;

/// Looks every few milliseconds until there is something to see.
pub async fn until<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    match within(PATIENCE, look).await {
        Some(found) => found,
        None => panic!("{what}: it did not happen within {PATIENCE:?}"),
    }
}

/// The same, for no longer than `time`.
pub async fn within<T>(time: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + time;
    loop {
        let found = look().await;
        if found.is_some() || Instant::now() >= end {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
