//! Cases for a server only: it goes away, hangs, and refuses.

use chrono_tz::Tz;
use curatord::store::{Store, StoreError};
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::timeout;
use url::Url;

use super::rows::{at, context, key, plan, plans};
use crate::harness::PATIENCE;
use crate::harness::database::{Database, server_url};
use crate::harness::proxy::{Proxy, Wire};

async fn proxied(database: &Database) -> (Proxy, Store) {
    let (proxy, url) = Proxy::before(database).await;
    let store = Store::open(&SecretString::from(url.as_str()), Tz::UTC)
        .await
        .unwrap();
    (proxy, store)
}

/// Asserts that every call ends by itself as `Unavailable`.
async fn assert_away(store: &Store) {
    let batch = plans([plan("alice", "a-post")]);
    let context = context("one");
    let calls = async {
        tokio::join!(
            store.apply(&batch, &context),
            store.claim("one", at(0), at(1), at(2), 9),
            store.ping(),
        )
    };
    let (applied, claimed, pinged) = timeout(PATIENCE, calls).await.expect("it ends by itself");
    for error in [applied.err(), claimed.err(), pinged.err()] {
        assert!(
            matches!(error, Some(StoreError::Unavailable(_))),
            "{error:?}"
        );
    }
}

async fn assert_back(store: &Store) {
    let batch = plans([plan("alice", "a-post")]);
    let written = store.apply(&batch, &context("one")).await.unwrap();
    assert_eq!(written.len(), 1);
    assert!(store.vote(&key("alice", "a-post")).await.unwrap().is_some());
}

#[tokio::test]
async fn a_server_that_goes_away_is_used_again_when_it_is_back() {
    crate::harness::run(Database::mysql().await, async |database: &Database| {
        let (proxy, store) = proxied(database).await;
        proxy.set(Wire::Cut);
        assert_away(&store).await;
        proxy.set(Wire::Whole);
        assert_back(&store).await;
    })
    .await;
}

#[tokio::test]
async fn a_server_that_hangs_holds_nobody_up() {
    crate::harness::run(Database::mysql().await, async |database: &Database| {
        let (proxy, store) = proxied(database).await;
        store.ping().await.unwrap();
        proxy.set(Wire::Silent);
        assert_away(&store).await;
        proxy.set(Wire::Whole);
        assert_back(&store).await;
    })
    .await;
}

/// The error of opening the server at a changed address, which must not hold the password.
async fn open_error(change: impl FnOnce(&mut Url)) -> StoreError {
    let mut url = server_url();
    url.set_path("mysql");
    change(&mut url);
    let error = Store::open(&SecretString::from(url.as_str()), Tz::UTC)
        .await
        .err()
        .expect("it cannot be opened");
    assert!(!format!("{error} {error:?}").contains("hush"), "{error}");
    error
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_not_told() {
    let error = open_error(|url| {
        url.set_username("nobody").unwrap();
        url.set_password(Some("hush")).unwrap();
    })
    .await;
    assert!(matches!(error, StoreError::Refused(_)), "{error}");
}

#[tokio::test]
async fn an_unknown_database_is_refused() {
    for path in ["curatord_no_such_database", ""] {
        let error = open_error(|url| url.set_path(path)).await;
        assert!(matches!(error, StoreError::Refused(_)), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_may_come_later() {
    let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let error = open_error(|url| url.set_port(Some(port)).unwrap()).await;
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
}

/// MySQL's own way of logging in, and what older tools still use.
#[tokio::test]
async fn a_user_with_a_password_is_let_in_with_and_without_encryption() {
    crate::harness::run(Database::mysql().await, async |database: &Database| {
        let is_mariadb = database.texts("SELECT VERSION()").await[0].contains("MariaDB");
        let mut url = Url::parse(database.url.expose_secret()).unwrap();
        let user = url.path()[1..].replace("curatord_", "");
        let plugin = if is_mariadb {
            ""
        } else {
            "WITH caching_sha2_password"
        };
        for mode in ["DISABLED", "PREFERRED"] {
            // A new user is not in the server's cache, so the whole exchange takes place.
            database
                .execute(&format!("DROP USER IF EXISTS '{user}'@'%'"))
                .await;
            database
                .execute(&format!(
                    "CREATE USER '{user}'@'%' IDENTIFIED {plugin} BY 'hush'"
                ))
                .await;
            database
                .execute(&format!(
                    "GRANT ALL ON {}.* TO '{user}'@'%'",
                    &url.path()[1..]
                ))
                .await;
            url.set_username(&user).unwrap();
            url.set_password(Some("hush")).unwrap();
            url.set_query(Some(&format!("ssl-mode={mode}")));
            for _ in 0..2 {
                let store = Store::open(&SecretString::from(url.as_str()), Tz::UTC).await;
                store
                    .unwrap_or_else(|error| panic!("{mode}: {error}"))
                    .ping()
                    .await
                    .unwrap();
            }
        }
        database.execute(&format!("DROP USER '{user}'@'%'")).await;
    })
    .await;
}

/// The greeting of a server that does not offer TLS.
fn greeting_without_tls() -> Vec<u8> {
    let mut packet = vec![10];
    packet.extend(b"8.0.39\0");
    packet.extend([1, 0, 0, 0]);
    packet.extend(b"saltsalt\0");
    // Everything but TLS (0x0800), in two halves.
    packet.extend([0xff, 0xf7, 45, 2, 0, 0xff, 0xdf, 21]);
    packet.extend([0; 10]);
    packet.extend(b"saltsaltsalt\0mysql_native_password\0");
    let length = u32::try_from(packet.len()).unwrap().to_le_bytes();
    [&length[..3], &[0], &packet].concat()
}

/// Whoever is on the way can answer in place of the server.
#[tokio::test]
async fn a_server_that_offers_no_tls_gets_nothing_where_tls_is_required() {
    for (mode, sends) in [("VERIFY_IDENTITY", 0), ("REQUIRED", 0), ("DISABLED", 1)] {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let rogue = async {
            let (mut client, _) = listener.accept().await.unwrap();
            client.write_all(&greeting_without_tls()).await.unwrap();
            let mut sent = [0; 1];
            client.read(&mut sent).await.unwrap_or_default()
        };
        let url = format!("mysql://curatord:hush@127.0.0.1:{port}/curatord?ssl-mode={mode}");
        let url = SecretString::from(url);
        let (sent, opened) = tokio::join!(timeout(PATIENCE, rogue), Store::open(&url, Tz::UTC));
        let error = opened.err().unwrap();
        assert_eq!(sent.unwrap(), sends, "{mode}: {error}");
        if sends == 0 {
            assert!(matches!(error, StoreError::Refused(_)), "{mode}: {error}");
            let place = format!("127.0.0.1:{port}: ");
            assert!(error.to_string().contains(&place), "{error}");
            assert!(error.to_string().contains("switch TLS on"), "{error}");
        }
        assert!(!format!("{error} {error:?}").contains("hush"), "{error}");
    }
}

/// The server of the tests has a certificate that nobody has signed, or none.
#[tokio::test]
async fn a_certificate_that_nobody_has_signed_is_refused_with_what_to_write() {
    let error = open_error(|url| url.set_query(Some("ssl-mode=VERIFY_IDENTITY"))).await;
    assert!(matches!(error, StoreError::Refused(_)), "{error}");
    let told = error.to_string();
    assert!(
        told.contains("ssl-ca=FILE") || told.contains("switch TLS on"),
        "{told}"
    );
}
