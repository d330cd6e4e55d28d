//! The voters' tokens while votes go out with them.

use std::time::Duration;

use curatord::account::Account;
use curatord::network::ChainKind;
use curatord::sandbox::faults::{Answer, Fault};
use curatord::sandbox::requests::Request;
use curatord::sandbox::signer::SignerKind;
use curatord::sandbox::{Sandbox, SandboxConfig};
use curatord::votes::status::Status;
use curatord::votes::vote::Vote;
use tokio::time::Instant;

use crate::harness::installation::Logged;
use crate::harness::{Database, Installation, PATIENCE, on_each_database, run, until};

on_each_database! {
    a_token_that_expires_soon_is_refreshed_before_it_is_needed,
    a_refused_token_is_refreshed_once_and_the_votes_go_out_with_the_new_one,
    a_dead_refresh_token_is_reported_once_and_left_alone,
    a_refresh_that_fails_for_a_while_is_tried_again_within_seconds,
    a_token_that_is_refused_after_its_refresh_token_died_is_not_tried_again,
    a_secret_that_is_mended_counts_at_once,
    a_wrong_secret_is_one_row_for_all_voters,
    tokens_of_another_account_are_refused,
    a_life_of_a_second_does_not_make_a_refresh_follow_the_other,
    a_refresh_token_refused_with_400_is_dead_and_listed_so,
    a_row_that_another_program_writes_is_used,
    a_row_with_nothing_but_a_refresh_token_is_refreshed_and_used,
    a_voter_without_a_token_has_a_clear_error_for_each_vote,
    no_token_is_shown_anywhere,
}

const RULES: &str = r#"
    voters = ["alice"]
    [[author]]
    authors = ["bob"]
    weight = "10%"
"#;

/// A signer whose tokens can be revoked, on a chain without an interval between votes.
async fn steemconnect(database: &Database) -> Installation<'_> {
    let mut config = SandboxConfig::every(ChainKind::Hive, Duration::from_millis(200));
    config.signer_kind = SignerKind::SteemConnect;
    let site = Installation::with(database, config).await;
    site.rules("friends.toml", RULES);
    site
}

async fn stored_tokens(site: &Installation<'_>) -> Vec<String> {
    let statement = "SELECT access_token FROM steem_authorization ORDER BY user_login";
    site.database.texts(statement).await
}

fn refreshes(site: &Installation<'_>, voter: &str) -> usize {
    site.sandbox
        .signer()
        .endpoint()
        .requests
        .count_of("token", voter)
}

async fn a_token_that_expires_soon_is_refreshed_before_it_is_needed(database: &Database) {
    let site = steemconnect(database).await;
    let tokens = site.sandbox.add_voter("alice");
    site.import("alice", &tokens, 3_600).await;
    let daemon = site.start().await;
    let refreshed = async || (stored_tokens(&site).await != [tokens.access.clone()]).then_some(());
    until("the new token is stored", refreshed).await;
    assert_eq!(refreshes(&site, "alice"), 1);

    let post = site.sandbox.publish("bob", "a-post");
    site.row_is("alice", &post, Status::Confirmed).await;
    let requests = site.broadcasts("alice", &post);
    assert_eq!(requests.len(), 1);
    assert_ne!(requests[0].token, Some(tokens.access_fingerprint));
    // It lasts for a week now.
    assert_eq!(refreshes(&site, "alice"), 1);
    daemon.stop().await;
}

async fn a_refused_token_is_refreshed_once_and_the_votes_go_out_with_the_new_one(
    database: &Database,
) {
    let site = steemconnect(database).await;
    let tokens = site.voter("alice").await;
    let daemon = site.start().await;
    site.sandbox.signer().revoke(&tokens.access);
    let permlinks = ["one", "two", "three", "four", "five", "six"];
    let posts = site
        .in_a_block(|sandbox| permlinks.map(|permlink| sandbox.publish("bob", permlink)))
        .await;
    let mut refused = 0;
    for post in &posts {
        site.row_is("alice", post, Status::Confirmed).await;
        let mut requests = site.broadcasts("alice", post);
        let last = requests.pop().unwrap();
        assert_ne!(last.token.as_ref(), Some(&tokens.access_fingerprint));
        for request in requests {
            assert_eq!(request.token.as_ref(), Some(&tokens.access_fingerprint));
            refused += 1;
        }
        assert_eq!(site.votes_in_blocks("alice", post), [1_000]);
    }
    assert!(refused >= 1);
    assert_eq!(refreshes(&site, "alice"), 1);
    assert_eq!(site.errors("refresh").await, []);
    daemon.stop().await;
}

async fn a_dead_refresh_token_is_reported_once_and_left_alone(database: &Database) {
    let mut site = steemconnect(database).await;
    site.set("casting.retry_for", "2s");
    let tokens = site.voter("alice").await;
    let daemon = site.start().await;
    let alice = Account::from_chain("alice");
    site.sandbox.signer().set_refresh_dead(&alice, true);
    site.sandbox.signer().revoke(&tokens.access);
    let one = site.sandbox.publish("bob", "one");
    site.row_is("alice", &one, Status::Failed).await;
    let two = site.sandbox.publish("bob", "two");
    site.row_is("alice", &two, Status::Failed).await;

    let errors = site.has_errors("refresh", 1).await;
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0].voter, "alice");
    assert_eq!(refreshes(&site, "alice"), 1);
    // The refused token is not tried again and again either.
    assert_eq!(site.broadcasts("alice", &two).len(), 0);
    assert_eq!(site.has_errors("vote", 2).await.len(), 2);

    // She logs in again, by another program.
    site.sandbox.signer().set_refresh_dead(&alice, false);
    let tokens = site.sandbox.issue_tokens("alice");
    site.import("alice", &tokens, tokens.expires_in).await;
    // A vote fails if it waits for two seconds only, and the new row may be noticed later than that.
    let mut number = 0;
    let goes_out = async || {
        number += 1;
        let post = site.sandbox.publish("bob", &format!("again-{number}"));
        site.next_block_is_read().await;
        site.next_block_is_read().await;
        let row = site.row("alice", &post).await?;
        (row.status == Status::Confirmed).then_some(())
    };
    until("a vote goes out again", goes_out).await;
    daemon.stop().await;
}

async fn a_refresh_that_fails_for_a_while_is_tried_again_within_seconds(database: &Database) {
    let site = steemconnect(database).await;
    let tokens = site.sandbox.add_voter("alice");
    let signer = site.sandbox.signer();
    let trouble = Fault::Answer(Answer::proxy_page(502)).on("token").times(2);
    signer.endpoint().faults.add(trouble);
    site.import("alice", &tokens, 3_600).await;
    let began = Instant::now();
    let daemon = site.start().await;
    let refreshed = async || (stored_tokens(&site).await != [tokens.access.clone()]).then_some(());
    until("the token is refreshed", refreshed).await;
    // After pauses of one second and of two.
    assert!(began.elapsed() > Duration::from_secs(2));
    assert_eq!(refreshes(&site, "alice"), 3);
    assert_eq!(site.has_errors("refresh", 1).await.len(), 1);
    daemon.stop().await;
}

async fn a_token_that_is_refused_after_its_refresh_token_died_is_not_tried_again(
    database: &Database,
) {
    let mut site = steemconnect(database).await;
    site.set("casting.retry_for", "3s");
    let alice = Account::from_chain("alice");
    let tokens = site.sandbox.add_voter("alice");
    site.sandbox.signer().set_refresh_dead(&alice, true);
    // It is refreshed ahead, long before anybody needs it, and that is how its end is noticed.
    site.import("alice", &tokens, 3_600).await;
    let daemon = site.start().await;
    site.has_errors("refresh", 1).await;
    site.sandbox.signer().revoke(&tokens.access);

    let one = site.sandbox.publish("bob", "one");
    site.row_is("alice", &one, Status::Failed).await;
    assert_eq!(site.broadcasts("alice", &one).len(), 1);
    assert_eq!(refreshes(&site, "alice"), 1);
    daemon.stop().await;
}

async fn a_secret_that_is_mended_counts_at_once(database: &Database) {
    let site = steemconnect(database).await;
    let file = site.folder().join("curatord.toml");
    let right = std::fs::read_to_string(&file).unwrap();
    let wrong = right.replace(site.sandbox.client_secret(), "mistyped");
    std::fs::write(&file, wrong).unwrap();
    let tokens = site.sandbox.add_voter("alice");
    site.import("alice", &tokens, 3_600).await;
    let daemon = site.start().await;
    site.has_errors("refresh", 1).await;
    let before = stored_tokens(&site).await;

    std::fs::write(&file, right).unwrap();
    daemon.signal("HUP");
    let refreshed = async || (stored_tokens(&site).await != before).then_some(());
    until("the new token is stored", refreshed).await;
    let log = daemon.stop().await.log;
    assert!(!log.contains("restart curatord to apply"), "{log}");
}

async fn a_wrong_secret_is_one_row_for_all_voters(database: &Database) {
    let site = steemconnect(database).await;
    let file = site.folder().join("curatord.toml");
    let right = std::fs::read_to_string(&file).unwrap();
    let wrong = right.replace(site.sandbox.client_secret(), "mistyped");
    std::fs::write(&file, wrong).unwrap();
    let voters = ["alice", "amy", "ann"];
    for voter in voters {
        let tokens = site.sandbox.add_voter(voter);
        site.import(voter, &tokens, 3_600).await;
    }
    let daemon = site.start().await;
    let asked = async || {
        let all = voters.iter().all(|voter| refreshes(&site, voter) == 1);
        all.then_some(())
    };
    until("every token was tried", asked).await;
    site.next_block_is_read().await;
    let errors = site.has_errors("refresh", 1).await;
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(errors[0].voter, "");
    for part in ["The code or secret is not valid", "signer.client_secret"] {
        assert!(errors[0].error.contains(part), "{}", errors[0].error);
    }
    daemon.stop().await;
}

/// An answer with new tokens.
fn new_tokens(username: &str, expires_in: i64) -> Answer {
    Answer::json(
        200,
        format!(
            r#"{{"access_token":"new","refresh_token":"next","expires_in":{expires_in},"username":"{username}"}}"#
        ),
    )
}

async fn tokens_of_another_account_are_refused(database: &Database) {
    let site = steemconnect(database).await;
    let tokens = site.sandbox.add_voter("alice");
    let other = Fault::Answer(new_tokens("mallory", 604_800)).on("token");
    site.sandbox.signer().endpoint().faults.add(other);
    site.import("alice", &tokens, 3_600).await;
    let daemon = site.start().await;
    let errors = site.has_errors("refresh", 1).await;
    assert!(
        errors[0].error.contains("the tokens of @mallory"),
        "{}",
        errors[0].error
    );
    assert_eq!(stored_tokens(&site).await, [tokens.access]);
    daemon.stop().await;
}

async fn a_life_of_a_second_does_not_make_a_refresh_follow_the_other(database: &Database) {
    let site = steemconnect(database).await;
    let tokens = site.sandbox.add_voter("alice");
    let short = Fault::Answer(new_tokens("alice", 1)).on("token");
    site.sandbox.signer().endpoint().faults.add(short);
    site.import("alice", &tokens, 3_600).await;
    let daemon = site.start().await;
    let stored = async || (stored_tokens(&site).await == ["new"]).then_some(());
    until("the new token is stored", stored).await;
    // The signer refuses the new token, and the table is read again meanwhile.
    let post = site.sandbox.publish("bob", "a-post");
    site.row_where("alice", &post, "waits", |row| row.attempts > 1)
        .await;
    for _ in 0..20 {
        site.next_block_is_read().await;
    }
    assert_eq!(refreshes(&site, "alice"), 1);
    daemon.stop().await;
}

async fn a_refresh_token_refused_with_400_is_dead_and_listed_so(database: &Database) {
    let site = steemconnect(database).await;
    let tokens = site.sandbox.add_voter("alice");
    let refused = Answer::json(400, r#"{"error":"invalid_grant"}"#);
    let fault = Fault::Answer(refused).on("token");
    site.sandbox.signer().endpoint().faults.add(fault);
    site.import("alice", &tokens, 300_000).await;
    site.import("alice", &tokens, 3_600).await;
    let daemon = site.start().await;
    assert_eq!(site.has_errors("refresh", 1).await[0].voter, "alice");
    daemon.stop().await;
    assert_eq!(refreshes(&site, "alice"), 1);
    let listed = site.run(&["auth", "list", "--format", "json"]).await;
    assert!(listed.out.contains(r#""state":"dead""#), "{}", listed.out);
}

#[tokio::test]
async fn a_row_that_is_not_text_is_left_out_and_named() {
    run(Database::sqlite().await, async |database| {
        let site = steemconnect(database).await;
        site.voter("alice").await;
        for row in ["'mallory', X'ff00fe', 'r'", "X'ff', 'a', 'r'"] {
            let columns = "user_login, access_token, refresh_token";
            let insert = format!("INSERT INTO steem_authorization ({columns}) VALUES ({row})");
            database.execute(&insert).await;
        }
        let daemon = site.start().await;
        let post = site.sandbox.publish("bob", "a-post");
        site.row_is("alice", &post, Status::Confirmed).await;
        let errors = site.has_errors("refresh", 2).await;
        assert_eq!(errors.len(), 2, "{errors:?}");
        for (error, row) in errors.iter().zip(["row 2 ", "row 3 "]) {
            assert!(error.error.contains(row), "{}", error.error);
        }
        daemon.stop().await;
    })
    .await;
}

async fn a_row_that_another_program_writes_is_used(database: &Database) {
    let site = steemconnect(database).await;
    let daemon = site.start().await;
    let post = site.sandbox.publish("bob", "a-post");
    let waits = |row: &Vote| row.reason.is_some();
    let row = site
        .row_where("alice", &post, "waits for a token", waits)
        .await;
    assert_eq!(row.status, Status::Queued);

    let tokens = site.sandbox.add_voter("alice");
    database
        .execute(&format!(
            "INSERT INTO steem_authorization (access_token, user_login, expires_in, refresh_token) \
             VALUES ('{}', 'alice', '2099-01-01 00:00:00', '{}')",
            tokens.access, tokens.refresh
        ))
        .await;
    let sent = |requests: &[Request]| requests.iter().any(|request| request.method == "broadcast");
    let requests = &site.sandbox.signer().endpoint().requests;
    assert!(requests.wait_until(PATIENCE, sent).await);
    site.row_is("alice", &post, Status::Confirmed).await;
    daemon.stop().await;
}

async fn a_row_with_nothing_but_a_refresh_token_is_refreshed_and_used(database: &Database) {
    let site = steemconnect(database).await;
    let daemon = site.start().await;
    let tokens = site.sandbox.add_voter("alice");
    database
        .execute(&format!(
            "INSERT INTO steem_authorization (access_token, user_login, expires_in, refresh_token) \
             VALUES ('', 'alice', '2099-01-01 00:00:00', '{}')",
            tokens.refresh
        ))
        .await;
    let post = site.sandbox.publish("bob", "a-post");
    site.row_is("alice", &post, Status::Confirmed).await;
    assert_eq!(refreshes(&site, "alice"), 1);
    daemon.stop().await;
}

async fn a_voter_without_a_token_has_a_clear_error_for_each_vote(database: &Database) {
    let mut site = Installation::new(database).await;
    site.set("casting.retry_for", "2s");
    site.rules(
        "friends.toml",
        &RULES.replace("\"alice\"", "\"alice\", \"erica\""),
    );
    site.voter("erica").await;
    let mut daemon = site.start().await;
    let posts = site
        .in_a_block(|sandbox| ["one", "two"].map(|permlink| sandbox.publish("bob", permlink)))
        .await;
    for post in &posts {
        assert_eq!(
            site.row("alice", post).await.unwrap().status,
            Status::Queued
        );
        site.row_is("erica", post, Status::Confirmed).await;
    }
    let errors = site.has_errors("vote", 2).await;
    for post in &posts {
        let row = site.row_is("alice", post, Status::Failed).await;
        assert_eq!(row.attempts, 0);
        let of_post = |error: &&Logged| {
            error.voter == "alice" && error.author == "bob" && error.permlink == *post.permlink
        };
        let error = errors.iter().find(of_post).unwrap();
        assert!(
            error.error.contains("token of @alice") || error.error.contains("token for @alice"),
            "{error:?}"
        );
    }
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(daemon.is_running());
    daemon.stop().await;
}

async fn no_token_is_shown_anywhere(database: &Database) {
    let mut site = steemconnect(database).await;
    site.set("casting.retry_for", "1s");
    let tokens = site.voter("alice").await;
    let daemon = site.start().await;
    // A server that repeats in its answers what it was given.
    let signer = site.sandbox.signer();
    let repeats = |fault: Answer| Fault::Answer(fault).on("broadcast").times(1);
    // Texts are cut: this one in the middle of the token.
    let filler = "so many words before anything is said ".repeat(14);
    let text = format!("{filler}bad token {} in the request", tokens.access);
    signer
        .endpoint()
        .faults
        .add(repeats(Answer::chain_says(&text)));
    let with_secret = format!("{} {text}", site.sandbox.client_secret());
    signer.endpoint().faults.add(repeats(Answer::unauthorized(
        "unauthorized_client",
        &with_secret,
    )));
    signer
        .endpoint()
        .faults
        .add(repeats(Answer::json(503, &text)));
    let text = format!(
        "{} {} is dead",
        tokens.refresh,
        site.sandbox.client_secret()
    );
    let refused = Fault::Answer(Answer::unauthorized("invalid_grant", &text));
    signer.endpoint().faults.add(refused.on("token").times(1));
    let publish = |sandbox: &Sandbox| {
        for permlink in ["one", "two", "three"] {
            sandbox.publish("bob", permlink);
        }
    };
    site.in_a_block(publish).await;
    let three = |requests: &[Request]| {
        let broadcasts = requests
            .iter()
            .filter(|request| request.method == "broadcast");
        broadcasts.count() >= 3
    };
    assert!(signer.endpoint().requests.wait_until(PATIENCE, three).await);
    signer.revoke(&tokens.access);
    let later = site.sandbox.publish("bob", "later");
    site.row_is("alice", &later, Status::Failed).await;
    site.has_errors("refresh", 1).await;
    daemon.stop().await;

    let mut shown = vec![site.all_logs()];
    for statement in [
        "SELECT COALESCE(reason, '') FROM votes",
        "SELECT error FROM error_log",
        "SELECT fingerprint FROM reported",
        "SELECT name FROM leases",
        "SELECT recent FROM chain_cursor",
    ] {
        shown.extend(database.texts(statement).await);
    }
    for secret in [
        &*tokens.access,
        &*tokens.refresh,
        site.sandbox.client_secret(),
    ] {
        // A part of it is as bad, and a long one may be cut.
        let part = &secret[secret.len() / 3..secret.len() / 3 + 12.min(secret.len() / 2)];
        for text in &shown {
            assert!(!text.contains(part), "{part} is shown in: {text}");
        }
    }
}
