//! A database that answers with errors while the daemon runs: nothing is lost, and only an error about one row sets that
//! row aside.

use curatord::post::PostId;
use curatord::sandbox::faults::{Answer, Fault};
use curatord::votes::status::Status;
use secrecy::ExposeSecret;
use url::Url;

use super::rule;
use crate::harness::proxy::{Proxy, Wire};
use crate::harness::{Daemon, Database, Installation, PATIENCE, on_each_database, run, until};

on_each_database!(a_refused_row_is_set_aside_with_its_content_and_no_other);

/// A daemon whose votes for alice are cast at once, and whose votes for `refused` fail for good.
async fn start(site: &Installation<'_>) -> Daemon {
    site.voters(&["alice", "refused"]).await;
    site.rules("rules.toml", &rule(&["alice", "refused"], "400ms"));
    let no = Answer::chain_says("Voter has declined their voting rights.");
    let faults = &site.sandbox.signer().endpoint().faults;
    faults.add(Fault::Answer(no).on("broadcast").for_voter("refused"));
    site.start().await
}

/// Publishes, and waits until both votes were sent and a block after them was made.
async fn publish(site: &Installation<'_>, permlink: &str) -> PostId {
    let post = site.sandbox.publish("bob", permlink);
    assert_eq!(site.cast_weight("alice", &post).await, 5000);
    until("the other vote is sent", async || {
        (!site.broadcasts("refused", &post).is_empty()).then_some(())
    })
    .await;
    let head = site.sandbox.with_chain(|chain| chain.head().num);
    assert!(site.sandbox.wait_for_block(head + 2, PATIENCE).await);
    post
}

async fn nothing_is_lost(site: &Installation<'_>, posts: &[PostId]) {
    for post in posts {
        let row = site.row_is("alice", post, Status::Confirmed).await;
        assert_eq!((row.attempts, &row.claimed_by), (1, &None), "{post}");
        site.row_is("refused", post, Status::Failed).await;
        for voter in ["alice", "refused"] {
            assert_eq!(site.broadcasts(voter, post).len(), 1, "{voter} on {post}");
        }
    }
    assert_eq!(
        site.has_errors("vote", posts.len()).await.len(),
        posts.len()
    );
}

#[tokio::test]
async fn a_table_that_is_renamed_for_a_while_loses_nothing() {
    run(Database::mysql().await, async |database| {
        let site = Installation::new(database).await;
        let daemon = start(&site).await;
        let mut posts = Vec::new();
        for table in ["votes", "error_log", "chain_cursor", "leases"] {
            let rename = async |from: &str, to: &str| {
                let statement = format!("RENAME TABLE {from} TO {to}");
                database.execute(&statement).await;
            };
            rename(table, "elsewhere").await;
            posts.push(publish(&site, table).await);
            rename("elsewhere", table).await;
            nothing_is_lost(&site, &posts).await;
        }
        assert!(!site.errors("database").await.is_empty());
        daemon.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_cluster_that_commits_nothing_for_a_while_loses_nothing() {
    run(Database::mysql().await, async |database| {
        let (proxy, url) = Proxy::before(database).await;
        let mut site = Installation::new(database).await;
        site.set("database.url", url.as_str());
        let daemon = start(&site).await;
        let mut posts = Vec::new();
        // Errors of a cluster, and one that is in no list.
        for number in [1180, 1047, 3101, 1105] {
            proxy.set(Wire::Refuses("COMMIT", number));
            posts.push(publish(&site, &format!("post-{number}")).await);
        }
        proxy.set(Wire::LosesCommits);
        posts.push(publish(&site, "unanswered").await);
        proxy.set(Wire::Whole);
        nothing_is_lost(&site, &posts).await;
        let errors = site.has_errors("database", 1).await;
        assert_eq!(errors.len(), 1, "{errors:?}");
        daemon.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_password_and_rights_that_change_for_a_while_lose_nothing() {
    run(Database::mysql().await, async |database| {
        let mut url = Url::parse(database.url.expose_secret()).unwrap();
        let name = url.path()[1..].to_owned();
        let user = name.replace("curatord_", "");
        let identify = async |password: &str| {
            let statement = format!("ALTER USER '{user}'@'%' IDENTIFIED BY '{password}'");
            database.execute(&statement).await;
        };
        let rights = format!("ALL ON {name}.*");
        database
            .execute(&format!("CREATE USER '{user}'@'%' IDENTIFIED BY 'hush'"))
            .await;
        database
            .execute(&format!("GRANT {rights} TO '{user}'@'%'"))
            .await;
        url.set_username(&user).unwrap();
        url.set_password(Some("hush")).unwrap();
        let mut site = Installation::new(database).await;
        site.set("database.url", url.as_str());
        let daemon = start(&site).await;

        identify("rotated").await;
        let list =
            "SELECT CAST(id AS CHAR), CAST(user AS CHAR) FROM information_schema.processlist";
        for [id, of] in database.rows(list).await {
            if of == user {
                database.execute(&format!("KILL {id}")).await;
            }
        }
        let mut posts = vec![publish(&site, "password").await];
        identify("hush").await;
        nothing_is_lost(&site, &posts).await;

        database
            .execute(&format!("REVOKE {rights} FROM '{user}'@'%'"))
            .await;
        posts.push(publish(&site, "rights").await);
        database
            .execute(&format!("GRANT {rights} TO '{user}'@'%'"))
            .await;
        nothing_is_lost(&site, &posts).await;
        assert!(!daemon.log().contains("hush"));
        daemon.stop().await;
        database.execute(&format!("DROP USER '{user}'@'%'")).await;
    })
    .await;
}

/// A trigger stands for whatever makes a database refuse one row.
async fn a_refused_row_is_set_aside_with_its_content_and_no_other(database: &Database) {
    let site = Installation::new(database).await;
    let daemon = start(&site).await;
    let trigger = match database.is_mysql() {
        true => {
            "CREATE TRIGGER refuse BEFORE INSERT ON votes FOR EACH ROW \
             IF NEW.permlink = 'bad' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not this'; END IF"
        }
        false => {
            "CREATE TRIGGER refuse BEFORE INSERT ON votes WHEN NEW.permlink = 'bad' \
             BEGIN SELECT RAISE(ABORT, 'not this'); END"
        }
    };
    database.execute(trigger).await;
    let good = ["one", "two", "three"].map(|permlink| site.sandbox.publish("bob", permlink));
    let bad = site.sandbox.publish("bob", "bad");
    for post in &good {
        site.row_is("alice", post, Status::Confirmed).await;
    }
    let errors = site.has_errors("database", 2).await;
    for voter in ["alice", "refused"] {
        let of = |error: &&crate::harness::installation::Logged| error.voter == voter;
        let error = errors
            .iter()
            .find(of)
            .unwrap_or_else(|| panic!("{errors:?}"));
        assert_eq!((&*error.author, &*error.permlink), ("bob", "bad"));
        assert!(error.error.contains("not this"), "{error:?}");
        assert!(
            error.error.contains("\"rule\":\"rules.toml:bob\""),
            "{error:?}"
        );
    }
    assert_eq!(site.row("alice", &bad).await, None);
    let after = site.sandbox.publish("bob", "after");
    site.row_is("alice", &after, Status::Confirmed).await;
    daemon.stop().await;
}

#[tokio::test]
async fn a_daemon_that_stands_by_does_not_read_without_the_lease() {
    run(Database::mysql().await, async |database| {
        let site = Installation::new(database).await;
        let reader = start(&site).await;
        let other = site.spawn(&[]);
        other.says("standing by").await;
        database.execute("RENAME TABLE leases TO elsewhere").await;
        other.says("is not known yet").await;
        // The lease that is held survives.
        let posts = [publish(&site, "one").await];
        site.reads_up_to_now().await;
        database.execute("RENAME TABLE elsewhere TO leases").await;
        nothing_is_lost(&site, &posts).await;
        assert!(!other.log().contains("continuing after"), "it has read");
        other.stop().await;
        reader.stop().await;
    })
    .await;
}
