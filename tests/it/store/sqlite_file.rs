//! Cases for a file only.

use std::os::unix::fs::MetadataExt;

use chrono_tz::Tz;
use curatord::store::{Store, StoreError};
use secrecy::SecretString;

use super::rows::{apply, plan, plans};
use crate::harness::database::Database;

fn refused(result: Result<Store, StoreError>) -> String {
    match result {
        Err(StoreError::Refused(text)) => text,
        Err(other) => panic!("not refused but {other}"),
        Ok(_) => panic!("it was opened"),
    }
}

#[tokio::test]
async fn a_folder_that_does_not_exist_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/nowhere/curatord.db", folder.path().display());
    let text = refused(Store::open(&SecretString::from(url), Tz::UTC).await);
    assert!(
        text.contains("nowhere") && text.contains("does not exist"),
        "{text}"
    );
}

#[tokio::test]
async fn what_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("letter.txt");
    std::fs::write(&file, "Dear Alice, ".repeat(500)).unwrap();
    let text = refused(
        Store::open(
            &SecretString::from(format!("sqlite://{}", file.display())),
            Tz::UTC,
        )
        .await,
    );
    assert!(text.contains("letter.txt"), "{text}");
    for url in [
        "sqlite://:memory:",
        "sqlite://",
        "postgres://localhost/curatord",
    ] {
        refused(Store::open(&SecretString::from(url), Tz::UTC).await);
    }
    let url = format!("sqlite://{}", folder.path().display());
    refused(Store::open(&SecretString::from(url), Tz::UTC).await);
}

#[tokio::test]
async fn a_second_daemon_is_kept_away_and_a_command_is_not() {
    let database = Database::sqlite().await;
    let daemon = database.store().await;
    let lock = daemon.lock_daemon().unwrap();
    let other = database.store().await;
    let error = other.lock_daemon().unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)), "{error}");
    apply(&other, &plans([plan("alice", "a-post")])).await;
    drop(lock);
    other.lock_daemon().map(drop).unwrap();
    assert!(database.folder().join("curatord.db.lock").exists());
}

#[tokio::test]
async fn what_holds_tokens_is_made_for_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/curatord.db", folder.path().display());
    let _open = Store::open(&SecretString::from(url), Tz::UTC)
        .await
        .unwrap();
    for file in ["curatord.db", "curatord.db-wal", "curatord.db-shm"] {
        let mode = folder.path().join(file).metadata().unwrap().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}
