//! `error_log`, and tables that other programs made.

use chrono_tz::Tz;
use curatord::store::{Store, StoreError};
use curatord::votes::change::{Batch, Outcome};
use curatord::votes::error_entry::ErrorEntry;
use curatord::votes::status::ErrorKind;
use curatord::weight::Weight;
use futures_util::future::join_all;

use super::rows::{apply, at, changes, name, plan, plans, report};
use crate::harness::database::Database;

fn errors(errors: impl IntoIterator<Item = ErrorEntry>) -> Batch {
    Batch {
        errors: errors.into_iter().collect(),
        ..Batch::default()
    }
}

fn entry(error: impl Into<String>) -> ErrorEntry {
    ErrorEntry::new(ErrorKind::Signer, error, at(0))
}

/// Texts that lost or forged a row in older programs.
fn awkward() -> Vec<ErrorEntry> {
    let mut entries: Vec<_> = [
        "x".repeat(3_000),
        "the node said \"no\", it's \\ over; DROP TABLE votes; -- %s ?".to_owned(),
        "😀 日本語 é \n\t\u{1}".to_owned(),
    ]
    .into_iter()
    .map(entry)
    .collect();
    for entry in &mut entries {
        entry.voter = "sixteen-long-nam".to_owned();
        entry.author = "bob".to_owned();
        entry.permlink = format!("', '', 0, 'vote', '', NOW()); -- \"{}", "y".repeat(220));
        entry.weight = Some(Weight::clamped(-3_350));
    }
    entries
}

async fn assert_awkward_errors_are_kept(database: &Database) {
    let store = database.store().await;
    let before = database.number("SELECT COUNT(*) FROM error_log").await;
    apply(&store, &errors(awkward())).await;
    let after = database.number("SELECT COUNT(*) FROM error_log").await;
    assert_eq!(after - before, 3);
    let texts = "SELECT error FROM error_log WHERE type = 'signer' ORDER BY id";
    let expected: Vec<_> = awkward().into_iter().map(|entry| entry.error).collect();
    assert_eq!(database.texts(texts).await, expected);
    let permlinks = "SELECT permlink FROM error_log WHERE type = 'signer' ORDER BY id";
    assert_eq!(database.texts(permlinks).await[0], awkward()[0].permlink);
    let weights = "SELECT DISTINCT CAST(weight AS CHAR) FROM error_log WHERE type = 'signer'";
    assert_eq!(database.texts(weights).await, ["-34"]);
    let times = "SELECT DISTINCT CAST(timestamp AS CHAR) FROM error_log WHERE type = 'signer'";
    assert_eq!(database.texts(times).await, ["2026-03-01 12:00:00"]);
}

pub async fn errors_of_any_length_and_alphabet_are_kept(database: &Database) {
    assert_awkward_errors_are_kept(database).await;
    let store = database.store().await;
    let endless = ErrorEntry {
        kind: ErrorKind::Chain,
        ..entry("é".repeat(200_000))
    };
    let bare = ErrorEntry::new(ErrorKind::Rules, "friends.toml:3:1: unknown key", at(0));
    apply(&store, &errors([endless, bare])).await;
    let row = "SELECT CONCAT(voter, author, permlink, weight) FROM error_log WHERE type = 'rules'";
    assert_eq!(database.texts(row).await, ["0"]);
}

pub async fn an_error_with_a_fingerprint_is_written_once(database: &Database) {
    let store = database.store().await;
    let once = |print: &str| ErrorEntry {
        fingerprint: Some(print.to_owned()),
        ..entry(print)
    };
    apply(
        &store,
        &errors([once("a"), once("a"), once("b"), entry("none")]),
    )
    .await;
    apply(&store, &errors([once("b"), once("c"), entry("none")])).await;
    let texts = database
        .texts("SELECT error FROM error_log ORDER BY id")
        .await;
    assert_eq!(texts, ["a", "b", "none", "c", "none"]);
    drop(store);
    apply(&database.store().await, &errors([once("c"), once("A")])).await;
    assert_eq!(database.number("SELECT COUNT(*) FROM error_log").await, 6);
}

pub async fn a_vote_that_fails_for_good_is_an_error(database: &Database) {
    let store = database.store().await;
    apply(&store, &plans([plan("alice", "a-post")])).await;
    let failed = Outcome::Failed("the post is paid out".to_owned().into());
    let batch = changes([report("alice", "a-post", failed)]);
    apply(&store, &batch).await;
    apply(&store, &batch).await;
    let rows = database
        .texts("SELECT CONCAT(type, ' ', voter, ' ', author, ' ', permlink, ' ', weight, ' ', error) FROM error_log")
        .await;
    assert_eq!(rows, ["vote alice bob a-post 50 the post is paid out"]);
}

/// The two shapes that these tables may have, with rows.
async fn older_tables(database: &Database, with_type: bool) {
    let (id, options) = if database.is_mysql() {
        (
            "INT NOT NULL AUTO_INCREMENT PRIMARY KEY",
            "ENGINE = MyISAM CHARACTER SET latin1",
        )
    } else {
        ("INTEGER PRIMARY KEY AUTOINCREMENT", "")
    };
    let kind = if with_type { "type VARCHAR(10), " } else { "" };
    database
        .execute(&format!(
            "CREATE TABLE error_log (id {id}, voter VARCHAR(20), author VARCHAR(20), \
             permlink VARCHAR(200) NOT NULL DEFAULT '', weight INT, {kind}error VARCHAR(200) NOT NULL, \
             timestamp DATETIME) {options}"
        ))
        .await;
    database
        .execute(
            "INSERT INTO error_log (id, voter, author, permlink, weight, error, timestamp) VALUES \
             (3, 'alice', 'bob', 'a-post', 50, 'caf\u{e9}', '2018-01-01 00:00:00'), \
             (9, NULL, NULL, '', NULL, 'x', NULL)",
        )
        .await;
    // A column that was added later, with another character set.
    let later = match database.is_mysql() {
        true => "CHARACTER SET latin2",
        false => "",
    };
    database
        .execute(&format!(
            "CREATE TABLE steem_authorization (id {id}, access_token TEXT, \
             user_login VARCHAR(20) UNIQUE, expires_in DATETIME, refresh_token TEXT {later}) {options}"
        ))
        .await;
    database
        .execute(
            "INSERT INTO steem_authorization (id, access_token, user_login, expires_in, refresh_token) \
             VALUES (5, 'a', 'alice', '2026-03-08 12:00:00', 'r'), (17, NULL, 'Carol', NULL, NULL)",
        )
        .await;
}

async fn assert_adopted(database: &Database, with_type: bool) {
    older_tables(database, with_type).await;
    assert_awkward_errors_are_kept(database).await;
    drop(database.store().await);
    let old = database
        .texts("SELECT error FROM error_log WHERE id IN (3, 9) ORDER BY id")
        .await;
    assert_eq!(old, ["caf\u{e9}", "x"]);
    let kinds = database
        .texts("SELECT COALESCE(type, 'none') FROM error_log WHERE id IN (3, 9) ORDER BY id")
        .await;
    let kind = if with_type { "none" } else { "vote" };
    assert_eq!(kinds, [kind, kind]);
    // The older program still writes its own statements.
    database
        .execute("INSERT INTO error_log (voter, error) VALUES ('dave', 'still here')")
        .await;
}

pub async fn an_error_log_without_type_is_adopted(database: &Database) {
    assert_adopted(database, false).await;
}

pub async fn an_error_log_with_type_is_adopted(database: &Database) {
    assert_adopted(database, true).await;
}

pub async fn tokens_that_were_there_stay(database: &Database) {
    older_tables(database, true).await;
    let store = database.store().await;
    assert_eq!(store.token_marks().await.unwrap().len(), 2);
    assert_eq!(
        store
            .tokens(&[name("alice"), name("carol")])
            .await
            .unwrap()
            .len(),
        2
    );
    let old = store.tokens(&[name("alice")]).await.unwrap().pop().unwrap();
    let new = curatord::store::NewToken {
        access_token: "b".to_owned().into(),
        refresh_token: "s".to_owned().into(),
        expires_at: at(0),
    };
    assert!(store.store_refreshed(&old, &new).await.unwrap());
    let rows = database
        .texts("SELECT CONCAT(id, ' ', user_login, ' ', COALESCE(access_token, '-')) FROM steem_authorization ORDER BY id")
        .await;
    assert_eq!(rows, ["5 alice b", "17 Carol -"]);
}

pub async fn a_table_that_is_not_ours_is_refused(database: &Database) {
    database
        .execute("CREATE TABLE votes (id INT, song VARCHAR(20))")
        .await;
    let error = database.open(Tz::UTC).await.err().expect("it is refused");
    assert!(matches!(error, StoreError::Refused(_)), "{error}");
    assert_eq!(database.number("SELECT COUNT(*) FROM votes").await, 0);
}

pub async fn many_who_open_a_new_database_at_once_all_succeed(database: &Database) {
    older_tables(database, false).await;
    let opened = join_all((0..6).map(|_| database.open(Tz::UTC))).await;
    for store in opened {
        store.unwrap().ping().await.unwrap();
    }
}

pub async fn opening_again_changes_nothing(database: &Database) {
    let store = database.store().await;
    let written = apply(&store, &plans([plan("alice", "a-post")])).await;
    drop(store);
    let store = database.store().await;
    assert_eq!(
        store.vote(&written[0].key).await.unwrap(),
        Some(written[0].clone())
    );
}

pub async fn a_database_that_must_be_there_is_not_made(database: &Database) {
    let open = async || Store::open_existing(&database.url, Tz::UTC).await;
    let error = open().await.err().expect("there is none");
    assert!(matches!(error, StoreError::Refused(_)), "{error}");
    assert!(error.to_string().contains("there "), "{error}");
    let made = match database.is_mysql() {
        true => {
            let tables = "SELECT COUNT(*) FROM information_schema.tables \
                WHERE table_schema = DATABASE()";
            database.number(tables).await > 0
        }
        false => database.folder().join("curatord.db").exists(),
    };
    assert!(!made);
    database.store().await.close().await;
    open().await.unwrap().ping().await.unwrap();
}

pub async fn what_the_tables_cannot_hold_is_an_error_with_its_content(database: &Database) {
    let store = database.store().await;
    let endless = "x".repeat(300);
    let batch = plans([plan("alice", &endless), plan("alice", "a-post")]);
    // The same block may be read again.
    assert_eq!(apply(&store, &batch).await.len(), 1);
    apply(&store, &batch).await;
    let errors = database.texts("SELECT error FROM error_log").await;
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(
        errors[0].contains(&format!("\"permlink\":\"{endless}\"")),
        "{errors:?}"
    );
}
