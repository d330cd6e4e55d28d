//! Cases for a server only: it goes away, hangs, and refuses.

use chrono_tz::Tz;
use curatord::store::{Store, StoreError};
use curatord::votes::change::Batch;
use curatord::votes::error_entry::ErrorEntry;
use curatord::votes::status::ErrorKind;
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

/// What a server, a cluster or a proxy may answer for a while.
const PASSING: [u16; 26] = [
    1020, 1021, 1030, 1040, 1044, 1045, 1047, 1049, 1053, 1142, 1146, 1180, 1203, 1205, 1213, 1226,
    1243, 1290, 1412, 1615, 1836, 1927, 3098, 3100, 3101, 4031,
];

#[tokio::test]
async fn no_error_that_may_pass_is_about_a_row() {
    crate::harness::run(Database::mysql().await, async |database: &Database| {
        let (proxy, store) = proxied(database).await;
        for number in PASSING {
            let permlink = format!("post-{number}");
            let batch = plans([plan("alice", &permlink), plan("amy", &permlink)]);
            proxy.set(Wire::Refuses("COMMIT", number));
            let error = store.apply(&batch, &context("one")).await.unwrap_err();
            assert!(!matches!(error, StoreError::Row(_)), "{number}: {error}");
            proxy.set(Wire::Whole);
            let written = store.apply(&batch, &context("one")).await.unwrap();
            assert_eq!(written.len(), 2, "{number}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_error_about_a_row_ends_with_the_row() {
    crate::harness::run(Database::mysql().await, async |database: &Database| {
        let (proxy, store) = proxied(database).await;
        let batch = plans([plan("alice", "a-post")]);
        for number in [1048, 1153, 1264, 1366, 1406, 1644, 3819, 4025] {
            proxy.set(Wire::Refuses("COMMIT", number));
            let error = store.apply(&batch, &context("one")).await.unwrap_err();
            assert!(matches!(error, StoreError::Row(_)), "{number}: {error}");
            let text = error.to_string();
            let row = &text[text.find('{').expect("it holds the row")..];
            let row: serde_json::Value = serde_json::from_str(row).unwrap();
            assert_eq!(row["permlink"], "a-post", "{number}");
            assert_eq!(row["rule"], "friends.toml:favourites", "{number}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_error_is_logged_once_though_the_answer_to_its_commit_was_lost() {
    crate::harness::run(Database::mysql().await, async |database: &Database| {
        let (proxy, store) = proxied(database).await;
        let mut entry = ErrorEntry::new(ErrorKind::Signer, "out of order", at(0));
        entry.write_once("one", 1);
        let batch = Batch {
            errors: vec![entry],
            ..plans([plan("alice", "a-post")])
        };
        proxy.set(Wire::LosesCommits);
        let error = store.apply(&batch, &context("one")).await.unwrap_err();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
        proxy.set(Wire::Whole);
        store.apply(&batch, &context("one")).await.unwrap();
        let count = "SELECT COUNT(*) FROM error_log";
        assert_eq!(database.number(count).await, 1);
        // The fingerprint is needed no longer than the batch may come again.
        assert_eq!(store.prune_reported(at(0)).await.unwrap(), 0);
        assert_eq!(store.prune_reported(at(9)).await.unwrap(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_server_without_quorum_is_not_too_old() {
    crate::harness::run(Database::mysql().await, async |database: &Database| {
        let (proxy, url) = Proxy::before(database).await;
        let url = SecretString::from(url.as_str());
        proxy.set(Wire::Refuses("SELECT n FROM JSON_TABLE", 1047));
        let error = Store::open(&url, Tz::UTC).await.err().unwrap();
        assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
        proxy.set(Wire::Refuses("SELECT n FROM JSON_TABLE", 1064));
        let error = Store::open(&url, Tz::UTC).await.err().unwrap();
        assert!(matches!(error, StoreError::Refused(_)), "{error}");
        assert!(error.to_string().contains("too old"), "{error}");
    })
    .await;
}

/// The first connection of the pool is opened by the first call, and keeps the limit that the server had by then.
#[tokio::test]
async fn statements_stay_under_the_largest_packet_of_the_server() {
    crate::harness::run(Database::mysql().await, async |database: &Database| {
        let before = database.number("SELECT CAST(@@GLOBAL.max_allowed_packet AS SIGNED)");
        let before = before.await;
        database
            .execute("SET GLOBAL max_allowed_packet = 131072")
            .await;
        let store = database.store().await;
        store.ping().await.unwrap();
        database
            .execute(&format!("SET GLOBAL max_allowed_packet = {before}"))
            .await;
        let permlink = "long-".repeat(50);
        let voters = (0..1_500).map(|number| plan(&format!("voter-{number}"), &permlink));
        let batch = plans(voters);
        let written = store.apply(&batch, &context("one")).await.unwrap();
        assert_eq!(written.len(), 1_500);
        let keys: Vec<_> = written.into_iter().map(|row| row.key).collect();
        assert_eq!(store.votes(&keys).await.unwrap().len(), 1_500);
        let claimed = store.claim("one", at(0), at(200), at(215), 5_000).await;
        assert_eq!(claimed.unwrap().len(), 1_500);
    })
    .await;
}

/// A server that asks for an authentication at once, or after the client's first answer.
async fn server_with(plugin: &'static str, switches: bool) -> u16 {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .unwrap();
    let port = listener.local_addr().unwrap().port();
    let first = if switches {
        "mysql_native_password"
    } else {
        plugin
    };
    let capabilities = 0x0008_8200_u32.to_le_bytes();
    let greeting = [
        &b"\x0a11.4.2-MariaDB\0\x01\0\0\0saltsalt\0"[..],
        &capabilities[..2],
        b"\x2d\x02\0",
        &capabilities[2..],
        b"\x15\0\0\0\0\0\0\0\0\0\0saltsaltsalt\0",
        first.as_bytes(),
        b"\0",
    ]
    .concat();
    let switch = [&b"\xfe"[..], plugin.as_bytes(), b"\0", &[b's'; 32], b"\0"].concat();
    let packet =
        |number: u8, payload: &[u8]| [&[payload.len() as u8, 0, 0, number][..], payload].concat();
    let (greeting, switch) = (packet(0, &greeting), packet(2, &switch));
    tokio_util::task::TaskTracker::new().spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            client.write_all(&greeting).await.unwrap();
            let mut answer = [0; 1_024];
            if client.read(&mut answer).await.unwrap_or(0) > 0 {
                client.write_all(&switch).await.unwrap();
                let _ = client.read(&mut answer).await;
            }
        }
    });
    port
}

#[tokio::test]
async fn an_authentication_that_curatord_lacks_is_named_with_what_to_use() {
    for (plugin, switches) in [
        ("client_ed25519", false),
        ("client_ed25519", true),
        ("parsec", true),
        ("auth_gssapi_client", true),
    ] {
        let port = server_with(plugin, switches).await;
        let url = format!("mysql://curatord:hush@127.0.0.1:{port}/curatord?ssl-mode=DISABLED");
        let error = Store::open(&SecretString::from(url), Tz::UTC).await.err();
        let error = error.expect("it cannot be opened");
        assert!(matches!(error, StoreError::Refused(_)), "{error}");
        let text = error.to_string();
        assert!(text.contains(plugin), "{text}");
        assert!(text.contains("caching_sha2_password"), "{text}");
        assert!(!text.contains("hush"), "{text}");
    }
}
