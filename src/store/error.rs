//! Errors of the database, sorted by what can be done about them.

use std::fmt::Display;

use sqlx::migrate::MigrateError;
use sqlx::mysql::MySqlDatabaseError;
use sqlx::sqlite::SqliteError;

/// Why a call failed. Never holds a password. A daemon that has started retries all but [`Self::Row`], which loses
/// nothing.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, is too busy, or ended the connection: a retry may work later.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// It refuses us: wrong credentials, no such database, no rights, a schema that is not ours. At the start somebody
    /// must change something; later, a password may be rotated or a table renamed for a while.
    #[error("the database cannot be used: {0}")]
    Refused(String),
    /// It answered with another error.
    #[error("the database answered with an error: {0}")]
    Failed(String),
    /// It refuses the data of one row: all others can be written without it.
    #[error("the database refuses a row: {0}")]
    Row(String),
}

impl StoreError {
    /// The same error with the place where it happened in front: a call, or a file.
    pub(super) fn at(self, place: impl Display) -> Self {
        match self {
            Self::Unavailable(text) => Self::Unavailable(format!("{place}: {text}")),
            Self::Refused(text) => Self::Refused(format!("{place}: {text}")),
            Self::Failed(text) => Self::Failed(format!("{place}: {text}")),
            Self::Row(text) => Self::Row(format!("{place}: {text}")),
        }
    }

    /// Logs what was `left` undone because of it; at DEBUG while the database is unavailable, since
    /// the outage is logged elsewhere.
    pub fn log(&self, left: &str) {
        match self {
            Self::Unavailable(_) => tracing::debug!(error = %self, "{left}"),
            Self::Refused(_) | Self::Failed(_) | Self::Row(_) => tracing::warn!("{left}: {self}"),
        }
    }
}

/// Whether the transaction lost against another one or against a change of the server's state, so that a retry from the
/// start, on another connection, may work at once.
pub(super) fn is_collision(error: &sqlx::Error) -> bool {
    match number(error) {
        Some(Number::MySql(number)) => matches!(kind_of(number), Some(Kind::Collision)),
        // SQLITE_BUSY, SQLITE_LOCKED.
        Some(Number::Sqlite(code)) => matches!(code & 0xff, 5 | 6),
        None => false,
    }
}

/// Whether the server does not understand a statement: a syntax error, or a function that it does not have.
pub(super) fn is_unknown_syntax(error: &sqlx::Error) -> bool {
    matches!(number(error), Some(Number::MySql(1064 | 1128 | 1305)))
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let text = match &error {
            sqlx::Error::Database(database) => database.message().to_owned(),
            sqlx::Error::PoolTimedOut => "no connection within a few seconds".to_owned(),
            other => other.to_string(),
        };
        match number(&error) {
            Some(Number::MySql(number)) => of_mysql(number, is_about_data(&error), text),
            Some(Number::Sqlite(code)) => of_sqlite(code, text),
            None => match error {
                sqlx::Error::Protocol(_) if text.contains("unknown authentication plugin") => {
                    Self::Refused(format!(
                        "{text}: curatord logs in with mysql_native_password, caching_sha2_password or \
                         sha256_password; give its user one of these with ALTER USER on the server"
                    ))
                }
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
                Self::Failed(text) | Self::Row(text) => Self::Refused(format!(
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

/// What can be done about an error of MySQL or MariaDB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A retry may work at once.
    Collision,
    /// A retry may work later.
    Passing,
    /// Somebody must change the address or the user's credentials.
    Credentials,
    /// Somebody must change rights, tables or settings.
    Refused,
    /// The data of one row is wrong.
    Row,
}

/// The numbers of MySQL's and MariaDB's error references that say what can be done; `None` for any other.
fn kind_of(number: u16) -> Option<Kind> {
    Some(match number {
        // Lock wait timeout, deadlock; a row that another transaction inserted first; MariaDB 11: a row that changed
        // since the snapshot. A commit that a cluster refused or could not certify. A table or a prepared statement
        // that changed meanwhile.
        1205 | 1213 | 1062 | 1020 | 1180 | 3101 | 1243 | 1412 | 1615 => Kind::Collision,
        // Disk full, out of memory, too many connections, shutdown, an error of the storage engine.
        1021 | 1030 | 1037 | 1038 | 1040 | 1041 | 1053 | 1114 | 1135 | 1203 | 1206 | 1226 => {
            Kind::Passing
        }
        // The network, and connections that the server or somebody ended.
        1042 | 1043 | 1077..=1080 | 1129 | 1152 | 1154..=1161 | 1184 | 1317 | 1927 | 4031 => {
            Kind::Passing
        }
        // Read-only, offline, no quorum, a cluster that is not ready; a table that is locked or being repaired;
        // timeouts.
        1036 | 1047 | 1223 | 1290 | 1792 | 1836 | 1969 | 3024 | 3032 | 3098 | 3100 => Kind::Passing,
        // No access to the database, wrong password, unknown database, host not allowed, unknown
        // authentication, an expired password.
        1044 | 1045 | 1049 | 1130 | 1251 | 1524 | 1698 | 1820 | 1862 | 3118 | 3879 | 4151 => {
            Kind::Credentials
        }
        // No rights on a table, column or procedure. Unknown column, no such table: the schema is not ours. A server
        // whose binary log holds statements refuses writes from our isolation level.
        1142 | 1143 | 1227 | 1370 | 1054 | 1146 | 1665 => Kind::Refused,
        // Null where it is not allowed, too long, out of range, of the wrong type or characters; refused by a check, a
        // foreign key, a partition or a trigger; larger than the largest packet, page or row.
        1048 | 1118 | 1153 | 1162 | 1264 | 1265 | 1292 | 1300 | 1301 | 1366 | 1367 | 1406
        | 1411 | 1452 | 1526 | 1644 | 1690 | 3140 | 3819 | 4025 => Kind::Row,
        _ => return None,
    })
}

/// Whether the server counts it among errors about data or about constraints.
fn is_about_data(error: &sqlx::Error) -> bool {
    let state = error.as_database_error().and_then(|error| error.code());
    state.is_some_and(|state| state.starts_with("22") || state.starts_with("23"))
}

/// `is_about_data` decides about numbers that are in no list.
fn of_mysql(number: u16, is_about_data: bool, text: String) -> StoreError {
    match kind_of(number) {
        // Not another transaction: the row has the key of another one, and collides with it each time.
        Some(Kind::Collision) if number == 1062 => StoreError::Row(text),
        Some(Kind::Collision | Kind::Passing) => StoreError::Unavailable(text),
        Some(Kind::Credentials) => StoreError::Refused(format!("{text}: check [database] url")),
        Some(Kind::Refused) if number == 1665 => StoreError::Refused(format!(
            "{text}: set binlog_format = ROW (or MIXED) on the server"
        )),
        Some(Kind::Refused) => StoreError::Refused(text),
        Some(Kind::Row) => StoreError::Row(text),
        None if is_about_data => StoreError::Row(format!("{text} (error {number})")),
        None => StoreError::Failed(format!("{text} (error {number})")),
    }
}

/// <https://www.sqlite.org/rescode.html>
fn of_sqlite(code: i32, text: String) -> StoreError {
    match code & 0xff {
        // Permission, cannot open, not a database, corrupt.
        3 | 11 | 14 | 23 | 26 => StoreError::Refused(text),
        // Busy, locked, out of memory, read-only, interrupted, input or output error, disk full.
        5 | 6 | 7 | 8 | 9 | 10 | 13 => StoreError::Unavailable(text),
        // Too big, constraint, mismatch.
        18..=20 => StoreError::Row(text),
        _ => StoreError::Failed(format!("{text} (error {code})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passing_errors_are_unavailable_and_lasting_ones_are_not() {
        let of = |number| of_mysql(number, false, String::new());
        for number in [
            1020, 1021, 1030, 1040, 1047, 1053, 1180, 1203, 1205, 1213, 1226, 1243, 1290, 1412,
            1615, 1836, 3098, 3100, 3101,
        ] {
            assert!(matches!(of(number), StoreError::Unavailable(_)), "{number}");
        }
        for number in [1044, 1045, 1049, 1054, 1142, 1146, 1665] {
            assert!(matches!(of(number), StoreError::Refused(_)), "{number}");
        }
        assert!(matches!(of(1064), StoreError::Failed(_)));
        // SQLITE_BUSY_SNAPSHOT, SQLITE_FULL, SQLITE_IOERR_WRITE.
        for code in [517, 13, 778] {
            let error = of_sqlite(code, String::new());
            assert!(matches!(error, StoreError::Unavailable(_)), "{code}");
        }
        // SQLITE_NOTADB.
        let error = of_sqlite(26, String::new());
        assert!(matches!(error, StoreError::Refused(_)));
    }

    #[test]
    fn only_errors_about_data_are_about_a_row() {
        for number in [1048, 1062, 1153, 1264, 1366, 1406, 1644, 3819, 4025] {
            let error = of_mysql(number, false, String::new());
            assert!(matches!(error, StoreError::Row(_)), "{number}");
        }
        // ER_INVALID_JSON_TEXT_IN_PARAM, which is in no list.
        let error = of_mysql(3141, true, String::new());
        assert!(matches!(error, StoreError::Row(_)));
        // SQLITE_CONSTRAINT_CHECK, SQLITE_TOOBIG.
        for code in [275, 18] {
            let error = of_sqlite(code, String::new());
            assert!(matches!(error, StoreError::Row(_)), "{code}");
        }
    }

    #[test]
    fn an_authentication_that_the_driver_lacks_is_refused_with_what_to_use() {
        let text = "unknown authentication plugin: client_ed25519".to_owned();
        let error = StoreError::from(sqlx::Error::Protocol(text));
        assert!(matches!(error, StoreError::Refused(_)), "{error}");
        assert!(
            error.to_string().contains("caching_sha2_password"),
            "{error}"
        );
    }

    #[test]
    fn a_connection_that_breaks_makes_the_database_unavailable() {
        let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        for error in [sqlx::Error::Io(broken), sqlx::Error::PoolTimedOut] {
            assert!(matches!(error.into(), StoreError::Unavailable(_)));
        }
    }
}
