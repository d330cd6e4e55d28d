//! Makes our tables, and brings those that other programs made up to date.

use sqlx::migrate::{Migrate, Migrator};
use sqlx::{AssertSqlSafe, MySqlConnection};

use crate::store::error::StoreError;
use crate::store::rows::vote_columns;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/mysql");

/// Waits for the other one when two daemons start at once.
pub async fn migrate(connection: &mut MySqlConnection) -> Result<(), StoreError> {
    // Our own lock rather than that of sqlx, so that it covers the adoption too. It ends with the
    // connection. Its name has at most 64 characters, which the database's alone may have; MySQL 9 has
    // no MD5 any more.
    let locked: Option<i64> = sqlx::query_scalar(
        "SELECT GET_LOCK(CONCAT('curatord ', LEFT(SHA2(DATABASE(), 256), 40)), 100)",
    )
    .fetch_one(&mut *connection)
    .await?;
    if locked != Some(1) {
        return Err(StoreError::Unavailable(
            "another program has been changing its tables for 100 s".to_owned(),
        ));
    }
    sqlx::query("SELECT n FROM JSON_TABLE('[1]', '$[*]' COLUMNS (n INT PATH '$')) AS t LIMIT 1")
        .execute(&mut *connection)
        .await
        .map_err(|error| match error {
            sqlx::Error::Database(_) => StoreError::Refused(
                "the server is too old: MySQL 8.0 or MariaDB 10.6 is the first that will do"
                    .to_owned(),
            ),
            other => other.into(),
        })?;
    adopt_error_log(connection).await?;

    connection
        .ensure_migrations_table("_sqlx_migrations")
        .await?;
    // MySQL commits every table by itself, so a daemon killed here leaves a migration marked as not
    // done. Ours can all be repeated.
    sqlx::query("DELETE FROM _sqlx_migrations WHERE success = FALSE")
        .execute(&mut *connection)
        .await?;
    MIGRATIONS.run_direct(None, connection, false).await?;
    check(connection).await?;
    sqlx::query("SELECT RELEASE_LOCK(CONCAT('curatord ', LEFT(SHA2(DATABASE(), 256), 40)))")
        .execute(connection)
        .await?;
    Ok(())
}

/// Finds out at the start rather than at the first vote that a table of this name is not ours.
async fn check(connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
    for statement in [
        concat!("SELECT ", vote_columns!(""), " FROM votes LIMIT 0"),
        "SELECT id, access_token, user_login, expires_in, refresh_token FROM steem_authorization LIMIT 0",
        "SELECT id, voter, author, permlink, weight, type, error, timestamp FROM error_log LIMIT 0",
    ] {
        sqlx::query(statement).execute(&mut *connection).await?;
    }
    Ok(())
}

/// A column of an existing table.
#[derive(sqlx::FromRow)]
struct Column {
    name: String,
    kind: String,
    /// Characters it holds, for texts.
    length: Option<i64>,
    charset: Option<String>,
    nullable: i64,
    has_default: i64,
}

impl Column {
    fn is_utf8mb4(&self) -> bool {
        self.charset.as_deref() == Some("utf8mb4")
    }

    fn is_shorter_than(&self, characters: i64) -> bool {
        self.length.is_some_and(|length| length < characters)
    }
}

/// Widens the `error_log` of an older program: we write permlinks of 256 characters, errors of any
/// length, and every character.
///
/// Not a numbered migration, because what is to be done depends on what is there, and MySQL has no
/// `ADD COLUMN IF NOT EXISTS`: the questions are asked here. Nothing is dropped or renamed, and where
/// nothing is to be done nothing is changed, so this runs at every start.
async fn adopt_error_log(connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
    let columns: Vec<Column> = sqlx::query_as(
        "SELECT CAST(LOWER(column_name) AS CHAR) AS name, CAST(LOWER(data_type) AS CHAR) AS kind, \
         CAST(character_maximum_length AS SIGNED) AS length, \
         CAST(character_set_name AS CHAR) AS charset, \
         CAST(is_nullable = 'YES' AS SIGNED) AS nullable, \
         CAST(column_default IS NOT NULL AND column_default <> 'NULL' AS SIGNED) AS has_default \
         FROM information_schema.columns \
         WHERE table_schema = DATABASE() AND table_name = 'error_log'",
    )
    .fetch_all(&mut *connection)
    .await?;
    if columns.is_empty() {
        return Ok(());
    }
    let find = |name: &str| columns.iter().find(|column| column.name == name);

    // Each change names a static text; what is asked of the server only chooses among them.
    let mut changes: Vec<[&'static str; 2]> = Vec::new();
    if let Some(permlink) = find("permlink")
        && (permlink.is_shorter_than(256) || !permlink.is_utf8mb4())
    {
        changes.push([
            if permlink.is_shorter_than(257) {
                "MODIFY permlink VARCHAR(256) CHARACTER SET utf8mb4"
            } else {
                "MODIFY permlink TEXT CHARACTER SET utf8mb4"
            },
            rest(permlink),
        ]);
    }
    if let Some(error) = find("error")
        && (matches!(&*error.kind, "char" | "varchar" | "tinytext") || !error.is_utf8mb4())
    {
        let wider = match &*error.kind {
            "mediumtext" | "longtext" => "MODIFY error LONGTEXT CHARACTER SET utf8mb4",
            _ => "MODIFY error TEXT CHARACTER SET utf8mb4",
        };
        changes.push([wider, rest(error)]);
    }
    match find("type") {
        None => changes.push([
            "ADD COLUMN type VARCHAR(10) CHARACTER SET utf8mb4",
            " NOT NULL DEFAULT 'vote'",
        ]),
        Some(kind) if kind.kind != "enum" && kind.is_shorter_than(10) => {
            changes.push(["MODIFY type VARCHAR(10) CHARACTER SET utf8mb4", rest(kind)]);
        }
        Some(_) => {}
    }
    if !changes.is_empty() {
        let changes: Vec<String> = changes.iter().map(|parts| parts.concat()).collect();
        let statement = format!("ALTER TABLE error_log {}", changes.join(", "));
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut *connection)
            .await?;
    }
    let others_are_narrow = columns.iter().any(|column| {
        !matches!(&*column.name, "permlink" | "error")
            && column.charset.is_some()
            && !column.is_utf8mb4()
    });
    if others_are_narrow {
        sqlx::raw_sql("ALTER TABLE error_log CONVERT TO CHARACTER SET utf8mb4")
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// What `MODIFY` would otherwise forget: other programs may leave the column out. A text in these
/// columns has no other sensible default than the empty one; the brackets are how both servers take
/// one for TEXT.
fn rest(column: &Column) -> &'static str {
    match (column.nullable == 1, column.has_default == 1) {
        (true, false) => " NULL",
        (true, true) => " NULL DEFAULT ('')",
        (false, false) => " NOT NULL",
        (false, true) => " NOT NULL DEFAULT ('')",
    }
}
