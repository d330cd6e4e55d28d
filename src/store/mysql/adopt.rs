//! Makes our tables, and adapts those that other programs made.

use sqlx::migrate::{Migrate, Migrator};
use sqlx::{AssertSqlSafe, MySqlConnection};

use crate::store::dialect::checks;
use crate::store::error::{StoreError, is_unknown_syntax};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/mysql");

/// Makes sure that the database holds some of the tables that curatord uses, before they are made in a database whose
/// name was mistyped.
pub async fn find_tables(connection: &mut MySqlConnection) -> Result<(), StoreError> {
    let (name, tables): (String, i64) = sqlx::query_as(
        "SELECT CAST(DATABASE() AS CHAR), CAST(COUNT(*) AS SIGNED) FROM information_schema.tables \
         WHERE table_schema = DATABASE() \
         AND table_name IN ('votes', 'steem_authorization', 'error_log')",
    )
    .fetch_one(connection)
    .await?;
    match tables {
        0 => Err(StoreError::Refused(format!(
            "there are no tables of curatord in `{name}`: correct database.url, or start `curatord run`, which \
             makes them"
        ))),
        _ => Ok(()),
    }
}

/// Makes and adopts the tables. Of two daemons that start at once, one waits for the other.
pub async fn migrate(connection: &mut MySqlConnection) -> Result<(), StoreError> {
    // Our own lock and not that of sqlx, so that it covers the adoption too. It ends with the
    // connection. Its name may have 64 characters, as many as the database's name alone may have,
    // hence the hash. MySQL 9 has no MD5.
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
        .map_err(|error| match is_unknown_syntax(&error) {
            true => StoreError::Refused(
                "the server is too old: curatord needs MySQL 8.0 or MariaDB 10.6, or later"
                    .to_owned(),
            ),
            // Such as a member of a cluster that has lost its quorum.
            false => error.into(),
        })?;
    adopt_error_log(connection).await?;

    connection
        .ensure_migrations_table("_sqlx_migrations")
        .await?;
    // MySQL commits each table by itself, so a daemon killed here leaves a migration marked as not
    // done. All of ours can be repeated.
    sqlx::query("DELETE FROM _sqlx_migrations WHERE success = FALSE")
        .execute(&mut *connection)
        .await?;
    MIGRATIONS.run_direct(None, connection, false).await?;
    for statement in checks() {
        sqlx::query(AssertSqlSafe(statement))
            .execute(&mut *connection)
            .await?;
    }
    sqlx::query("SELECT RELEASE_LOCK(CONCAT('curatord ', LEFT(SHA2(DATABASE(), 256), 40)))")
        .execute(connection)
        .await?;
    Ok(())
}

/// A column of an existing table.
#[derive(sqlx::FromRow)]
struct Column {
    name: String,
    kind: String,
    /// The number of characters that a text column holds.
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
/// Not a numbered migration, because what it changes depends on the columns that exist, and MySQL has
/// no `ADD COLUMN IF NOT EXISTS`. Nothing is dropped or renamed, and a table that fits is not changed,
/// so this runs at every start.
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

    // Each change is a static text; the answers of the server only choose among them.
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

/// What `MODIFY` would otherwise drop: other programs may leave the column out. The only sensible
/// default of these texts is the empty one, and both servers take it for TEXT in parentheses.
fn rest(column: &Column) -> &'static str {
    match (column.nullable == 1, column.has_default == 1) {
        (true, false) => " NULL",
        (true, true) => " NULL DEFAULT ('')",
        (false, false) => " NOT NULL",
        (false, true) => " NOT NULL DEFAULT ('')",
    }
}
