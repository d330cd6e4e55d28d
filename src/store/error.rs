//! Errors of the database, sorted by what can be done about them.

use std::fmt::Display;

use sqlx::migrate::MigrateError;
use sqlx::mysql::MySqlDatabaseError;
use sqlx::sqlite::SqliteError;

/// Why a call failed. Never holds a password.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, is too busy, or ended the connection: a retry may work later.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// It refuses us: wrong credentials, no such database, no rights, a schema that is not ours.
    #[error("the database cannot be used: {0}")]
    Refused(String),
    /// It answered with an error that a retry does not remove.
    #[error("the database answered with an error: {0}")]
    Failed(String),
}

impl StoreError {
    /// The same error with the place where it happened in front: a call, or a file.
    pub(super) fn at(self, place: impl Display) -> Self {
        match self {
            Self::Unavailable(text) => Self::Unavailable(format!("{place}: {text}")),
            Self::Refused(text) => Self::Refused(format!("{place}: {text}")),
            Self::Failed(text) => Self::Failed(format!("{place}: {text}")),
        }
    }

    /// Logs what was `left` undone because of it; at DEBUG while the database is unavailable, since
    /// the outage is logged elsewhere.
    pub fn log(&self, left: &str) {
        match self {
            Self::Unavailable(_) => tracing::debug!(error = %self, "{left}"),
            Self::Refused(_) | Self::Failed(_) => tracing::warn!("{left}: {self}"),
        }
    }
}

/// Whether another transaction writes the same rows, so that a retry from the start may work.
pub(super) fn is_collision(error: &sqlx::Error) -> bool {
    match number(error) {
        // Lock wait timeout, deadlock; a row that another transaction inserted first; MariaDB 11: a
        // row that changed since the snapshot.
        Some(Number::MySql(1205 | 1213 | 1062 | 1020)) => true,
        // SQLITE_BUSY, SQLITE_LOCKED.
        Some(Number::Sqlite(code)) => matches!(code & 0xff, 5 | 6),
        _ => false,
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let text = match &error {
            sqlx::Error::Database(database) => database.message().to_owned(),
            sqlx::Error::PoolTimedOut => "no connection within a few seconds".to_owned(),
            other => other.to_string(),
        };
        match number(&error) {
            Some(Number::MySql(number)) => of_mysql(number, text),
            Some(Number::Sqlite(code)) => of_sqlite(code, text),
            None => match error {
                sqlx::Error::Io(_)
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed
                | sqlx::Error::BeginFailed => Self::Unavailable(text),
                sqlx::Error::Configuration(_) => Self::Refused(text),
                sqlx::Error::Migrate(error) => (*error).into(),
                _ => Self::Failed(text),
            },
        }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) => error.into(),
            MigrateError::ExecuteMigration(error, version) => match error.into() {
                Self::Failed(text) => Self::Refused(format!(
                    "its tables cannot be made (migration {version}): {text}"
                )),
                other => other,
            },
            MigrateError::VersionMissing(version) => Self::Refused(format!(
                "a newer curatord has changed its tables (migration {version}): update this one"
            )),
            other => Self::Refused(format!("its tables cannot be made: {other}")),
        }
    }
}

enum Number {
    MySql(u16),
    /// The extended result code.
    Sqlite(i32),
}

fn number(error: &sqlx::Error) -> Option<Number> {
    let error = error.as_database_error()?;
    if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
        return Some(Number::MySql(error.number()));
    }
    error.try_downcast_ref::<SqliteError>()?;
    let code = error.code()?.parse().ok()?;
    Some(Number::Sqlite(code))
}

/// Disk full, out of memory, too many connections, shutdown, a broken connection, lock wait timeout,
/// deadlock, interrupted, read-only, offline, host blocked, no quorum, statement or idle timeouts, a
/// row that changed meanwhile.
const PASSING: [u16; 40] = [
    1020, 1021, 1037, 1038, 1040, 1041, 1042, 1043, 1047, 1053, 1077, 1078, 1079, 1080, 1114, 1129,
    1152, 1153, 1154, 1155, 1156, 1157, 1158, 1159, 1160, 1161, 1184, 1203, 1205, 1213, 1226, 1290,
    1317, 1792, 1836, 1927, 1969, 3024, 3032, 4031,
];

/// Numbers of MySQL's and MariaDB's error references.
fn of_mysql(number: u16, text: String) -> StoreError {
    match number {
        // No access to the database, wrong password, unknown database, host not allowed, unknown
        // authentication, an expired password.
        1044 | 1045 | 1049 | 1130 | 1251 | 1524 | 1698 | 1820 | 1862 | 3118 | 3879 | 4151 => {
            StoreError::Refused(format!("{text}: check [database] url"))
        }
        // A server whose binary log holds statements refuses writes from our isolation level.
        1665 => StoreError::Refused(format!(
            "{text}: set binlog_format = ROW (or MIXED) on the server"
        )),
        // No rights on a table, column or procedure.
        1142 | 1143 | 1227 | 1370 => StoreError::Refused(text),
        // Unknown column, no such table, no such table to drop: the schema is not ours.
        1054 | 1146 => StoreError::Refused(text),
        _ if PASSING.contains(&number) => StoreError::Unavailable(text),
        _ => StoreError::Failed(format!("{text} (error {number})")),
    }
}

/// <https://www.sqlite.org/rescode.html>
fn of_sqlite(code: i32, text: String) -> StoreError {
    match code & 0xff {
        // Permission, cannot open, not a database, corrupt.
        3 | 11 | 14 | 23 | 26 => StoreError::Refused(text),
        // Busy, locked, out of memory, read-only, interrupted, input or output error, disk full.
        5 | 6 | 7 | 8 | 9 | 10 | 13 => StoreError::Unavailable(text),
        _ => StoreError::Failed(format!("{text} (error {code})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passing_errors_are_unavailable_and_lasting_ones_are_not() {
        for number in [1040, 1053, 1205, 1213, 1290, 1836] {
            let error = of_mysql(number, String::new());
            assert!(matches!(error, StoreError::Unavailable(_)), "{number}");
        }
        for number in [1044, 1045, 1049, 1054, 1142, 1665] {
            let error = of_mysql(number, String::new());
            assert!(matches!(error, StoreError::Refused(_)), "{number}");
        }
        assert!(matches!(
            of_mysql(1064, String::new()),
            StoreError::Failed(_)
        ));
        // SQLITE_BUSY_SNAPSHOT, SQLITE_NOTADB.
        assert!(matches!(
            of_sqlite(517, String::new()),
            StoreError::Unavailable(_)
        ));
        assert!(matches!(
            of_sqlite(26, String::new()),
            StoreError::Refused(_)
        ));
    }

    #[test]
    fn a_connection_that_breaks_makes_the_database_unavailable() {
        let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        for error in [sqlx::Error::Io(broken), sqlx::Error::PoolTimedOut] {
            assert!(matches!(error.into(), StoreError::Unavailable(_)));
        }
    }
}
