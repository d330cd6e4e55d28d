//! Tables that a web front end and older programs made, with rows in them.

use curatord::votes::status::Status;

use crate::harness::{Database, Installation, on_each_database};

on_each_database! {
    tables_of_older_programs_are_adopted_with_their_rows,
    the_oldest_error_log_has_no_type_and_is_adopted,
}

async fn tables_of_older_programs_are_adopted_with_their_rows(database: &Database) {
    adopt(database, "type VARCHAR(10), ").await;
}

async fn the_oldest_error_log_has_no_type_and_is_adopted(database: &Database) {
    adopt(database, "").await;
}

async fn adopt(database: &Database, kind: &str) {
    let mut site = Installation::new(database).await;
    site.set("casting.retry_for", "1s");
    let (id, options) = if database.is_mysql() {
        (
            "INT NOT NULL AUTO_INCREMENT PRIMARY KEY",
            "CHARACTER SET latin1",
        )
    } else {
        ("INTEGER PRIMARY KEY AUTOINCREMENT", "")
    };
    let tokens = site.sandbox.add_voter("alice");
    for statement in [
        format!(
            "CREATE TABLE steem_authorization (id {id}, access_token TEXT, \
             user_login VARCHAR(20) UNIQUE, expires_in DATETIME, refresh_token TEXT) {options}"
        ),
        format!(
            "CREATE TABLE error_log (id {id}, voter VARCHAR(20), author VARCHAR(20), \
             permlink VARCHAR(200), weight INT, {kind}error VARCHAR(200), timestamp DATETIME) {options}"
        ),
        format!(
            "INSERT INTO steem_authorization (id, access_token, user_login, expires_in, refresh_token) \
             VALUES (7, '{}', 'alice', '2099-01-01 00:00:00', '{}')",
            tokens.access, tokens.refresh
        ),
        "INSERT INTO error_log (id, voter, author, permlink, weight, error, timestamp) VALUES \
         (4, 'dave', 'bob', 'old-post', 50, 'old error', '2018-01-01 00:00:00')"
            .to_owned(),
    ] {
        database.execute(&statement).await;
    }
    site.rules(
        "friends.toml",
        "voters = [\"alice\", \"erica\"]\n[[author]]\nauthors = [\"bob\"]\nweight = \"12.5%\"\n",
    );
    let daemon = site.start().await;
    // A permlink longer than the old column, and an error longer than the old column has room for.
    let permlink = "p".repeat(250);
    let post = site.sandbox.publish("bob", &permlink);
    site.row_is("alice", &post, Status::Confirmed).await;
    let row = site.row_is("erica", &post, Status::Failed).await;

    let errors = database
        .texts("SELECT error FROM error_log ORDER BY id")
        .await;
    assert_eq!(
        errors,
        ["old error".to_owned(), row.reason.unwrap().to_string()]
    );
    let new = "SELECT CONCAT(voter, ' ', author, ' ', permlink, ' ', weight, ' ', type) \
               FROM error_log WHERE id > 4";
    assert_eq!(
        database.texts(new).await,
        [format!("erica bob {permlink} 13 vote")]
    );
    let old =
        "SELECT CONCAT(voter, ' ', author, ' ', permlink, ' ', weight) FROM error_log WHERE id = 4";
    assert_eq!(database.texts(old).await, ["dave bob old-post 50"]);
    let logins = "SELECT CONCAT(id, ' ', user_login) FROM steem_authorization";
    assert_eq!(database.texts(logins).await, ["7 alice"]);
    daemon.stop().await;
}
