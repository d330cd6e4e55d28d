//! `steem_authorization`.

use chrono::TimeDelta;
use chrono_tz::Tz;
use curatord::store::{NewToken, Store, TokenRow};
use secrecy::ExposeSecret;

use super::rows::{at, name};
use crate::harness::database::Database;

fn token(voter: &str, access: &str) -> TokenRow {
    TokenRow {
        voter: name(voter),
        access_token: access.to_owned().into(),
        refresh_token: Some(format!("refresh-{access}").into()),
        expires_at: Some(at(7 * 86_400) - TimeDelta::milliseconds(250)),
    }
}

fn refreshed(access: &str) -> NewToken {
    NewToken {
        access_token: access.to_owned().into(),
        refresh_token: format!("refresh-{access}").into(),
        expires_at: at(14 * 86_400),
    }
}

async fn read(store: &Store, voter: &str) -> Option<TokenRow> {
    store.tokens(&[name(voter)]).await.unwrap().pop()
}

async fn access(store: &Store, voter: &str) -> String {
    let row = read(store, voter).await.expect("the voter has a row");
    row.access_token.expose_secret().to_owned()
}

pub async fn imported_tokens_come_back(database: &Database) {
    let store = database.store().await;
    let bare = TokenRow {
        refresh_token: None,
        expires_at: None,
        ..token("carol", "c")
    };
    let imported = store
        .import_tokens(&[token("alice", "a"), bare])
        .await
        .unwrap();
    assert_eq!(imported, (2, 0));
    let alice = read(&store, "alice").await.unwrap();
    assert_eq!(alice.access_token.expose_secret(), "a");
    assert_eq!(alice.refresh_token.unwrap().expose_secret(), "refresh-a");
    assert_eq!(alice.expires_at, token("alice", "a").expires_at);
    let carol = read(&store, "carol").await.unwrap();
    assert!(carol.refresh_token.is_none() && carol.expires_at.is_none());
    assert!(read(&store, "dave").await.is_none());
    assert_eq!(
        store
            .tokens(&[name("alice"), name("dave"), name("carol")])
            .await
            .unwrap()
            .len(),
        2
    );
    assert_eq!(store.tokens(&[]).await.unwrap().len(), 0);
}

pub async fn importing_again_updates_the_row_that_is_there(database: &Database) {
    let store = database.store().await;
    database
        .execute(
            "INSERT INTO steem_authorization (access_token, user_login) VALUES ('old', '@Alice')",
        )
        .await;
    let rows = [
        token("alice", "new"),
        token("carol", "c"),
        token("carol", "d"),
    ];
    assert_eq!(store.import_tokens(&rows).await.unwrap(), (1, 2));
    assert_eq!(access(&store, "alice").await, "new");
    assert_eq!(access(&store, "carol").await, "d");
    let logins = database
        .texts("SELECT user_login FROM steem_authorization ORDER BY id")
        .await;
    assert_eq!(logins, ["@Alice", "carol"]);
}

pub async fn rows_by_other_programs_are_read_as_they_are(database: &Database) {
    let store = database.store().await;
    database
        .execute(
            "INSERT INTO steem_authorization (access_token, user_login, expires_in, refresh_token) VALUES \
             ('a', '@Alice', '2026-03-08 12:00:00', ''), (NULL, 'carol', NULL, 'r'), \
             ('x', NULL, NULL, NULL), ('y', 'not an account', NULL, NULL), ('', '', NULL, NULL)",
        )
        .await;
    let alice = read(&store, "alice").await.unwrap();
    assert_eq!(alice.access_token.expose_secret(), "a");
    assert!(alice.refresh_token.is_none());
    assert_eq!(alice.expires_at, token("alice", "a").expires_at);
    let carol = read(&store, "carol").await.unwrap();
    assert_eq!(carol.access_token.expose_secret(), "");
    assert_eq!(carol.refresh_token.unwrap().expose_secret(), "r");
    let marks = store.token_marks().await.unwrap();
    let voters: Vec<_> = marks.iter().map(|(voter, _)| voter.as_str()).collect();
    assert_eq!(voters, ["alice", "carol"]);
}

pub async fn a_mark_changes_when_the_row_does(database: &Database) {
    let store = database.store().await;
    store
        .import_tokens(&[token("alice", "a"), token("carol", "c")])
        .await
        .unwrap();
    let mut before = store.token_marks().await.unwrap();
    assert_eq!(store.token_marks().await.unwrap(), before);
    for change in [
        "UPDATE steem_authorization SET access_token = 'b' WHERE user_login = 'alice'",
        "UPDATE steem_authorization SET refresh_token = NULL WHERE user_login = 'alice'",
        "UPDATE steem_authorization SET refresh_token = '' WHERE user_login = 'alice'",
        "UPDATE steem_authorization SET expires_in = '2027-01-01 00:00:00' WHERE user_login = 'alice'",
    ] {
        database.execute(change).await;
        let after = store.token_marks().await.unwrap();
        assert_ne!(after[0], before[0], "{change}");
        assert_eq!(after[1], before[1], "{change}");
        before = after;
    }
    database
        .execute("DELETE FROM steem_authorization WHERE user_login = 'alice'")
        .await;
    assert_eq!(store.token_marks().await.unwrap(), before[1..]);
}

pub async fn a_refresh_is_stored_once(database: &Database) {
    let store = database.store().await;
    store
        .import_tokens(&[token("alice", "a"), token("carol", "c")])
        .await
        .unwrap();
    let old = read(&store, "alice").await.unwrap();
    assert!(store.store_refreshed(&old, &refreshed("b")).await.unwrap());
    assert_eq!(access(&store, "alice").await, "b");
    let expires_at = read(&store, "alice").await.unwrap().expires_at;
    assert_eq!(
        expires_at,
        Some(at(14 * 86_400) - TimeDelta::milliseconds(250))
    );
    assert!(
        !store
            .store_refreshed(&old, &refreshed("late"))
            .await
            .unwrap()
    );
    assert_eq!(access(&store, "alice").await, "b");
    assert_eq!(access(&store, "carol").await, "c");
    // The signer may hand out the tokens that it gave before.
    let same = read(&store, "alice").await.unwrap();
    assert!(store.store_refreshed(&same, &refreshed("b")).await.unwrap());
}

pub async fn a_refresh_is_dropped_when_somebody_logged_in_meanwhile(database: &Database) {
    let store = database.store().await;
    store.import_tokens(&[token("alice", "a")]).await.unwrap();
    let old = read(&store, "alice").await.unwrap();
    database
        .execute("UPDATE steem_authorization SET refresh_token = 'REFRESH-A'")
        .await;
    assert!(!store.store_refreshed(&old, &refreshed("b")).await.unwrap());
    assert_eq!(access(&store, "alice").await, "a");
    let none = TokenRow {
        refresh_token: None,
        ..old
    };
    assert!(!store.store_refreshed(&none, &refreshed("b")).await.unwrap());
    database.execute("DELETE FROM steem_authorization").await;
    assert!(
        !store
            .store_refreshed(&token("alice", "a"), &refreshed("b"))
            .await
            .unwrap()
    );
}

pub async fn expiry_is_kept_in_the_zone_of_the_table(database: &Database) {
    let store = database.open(Tz::Asia__Kolkata).await.unwrap();
    store.import_tokens(&[token("alice", "a")]).await.unwrap();
    let local = "SELECT CAST(expires_in AS CHAR) FROM steem_authorization";
    assert_eq!(database.texts(local).await, ["2026-03-08 17:30:00"]);
    assert_eq!(
        read(&store, "alice").await.unwrap().expires_at,
        token("alice", "a").expires_at
    );
    let old = read(&store, "alice").await.unwrap();
    assert!(store.store_refreshed(&old, &refreshed("b")).await.unwrap());
    assert_eq!(database.texts(local).await, ["2026-03-15 17:30:00"]);
}
