//! What the signer and the chain refuse for good: the vote has failed, and people can read why.

use curatord::account::Account;
use curatord::sandbox::NewPost;
use curatord::sandbox::faults::{Answer, Fault};
use curatord::votes::status::Status;

use super::{assert_not_early, rule};
use crate::harness::{Database, Installation, on_each_database, run};

on_each_database! {
    a_refusal_is_kept_word_for_word_whatever_is_in_it,
}

/// Every refusal that no second attempt changes: the voter whom it is played to, the answer, and the
/// sentence that people must find.
fn refusals() -> Vec<(&'static str, Answer, &'static str)> {
    let says = |text| Answer::chain_says(text);
    let client = |text| Answer::unauthorized("unauthorized_client", text);
    vec![
        (
            "weight-zero",
            says(
                "o.weight != 0 && \"Vote weight cannot be 0.\": Vote weight cannot be 0. category=chain subject_type=voting subject=x",
            ),
            "Vote weight cannot be 0.",
        ),
        (
            "declined",
            says("voter.can_vote: Voter has declined their voting rights."),
            "declined their voting rights",
        ),
        (
            "not-allowed",
            says(
                "comment_cashout->allows_votes() && \"Votes are not allowed on the comment.\": Votes are not allowed on the comment.",
            ),
            "Votes are not allowed on the comment.",
        ),
        (
            "being-rewarded",
            says("Comment is actively being rewarded. Cannot vote on comment."),
            "actively being rewarded",
        ),
        (
            "no-mana",
            says(
                "voter.voting_manabar.has_mana( fc::uint128_to_int64( used_mana ) ): Account does not have enough mana to vote. voting_mana: 123 required_mana: 4567890123",
            ),
            "enough mana",
        ),
        (
            "too-small",
            says(
                "abs_rshares > STEEM_VOTE_DUST_THRESHOLD || o.weight == 0: Voting weight is too small, please accumulate more voting power or steem power.",
            ),
            "Voting weight is too small",
        ),
        (
            "changed-often",
            says(
                "itr->num_changes < STEEM_MAX_VOTE_CHANGES: Voter has used the maximum number of vote changes on this comment.",
            ),
            "maximum number of vote changes",
        ),
        (
            "not-an-integer",
            says(
                "Unable to serialize transaction: operations: vote: weight: Illegal value: 3330.0000000000005 (not an integer)",
            ),
            "Unable to serialize",
        ),
        (
            "other-account",
            client(
                "This access_token allow you to broadcast transaction only for the account @alice",
            ),
            "only for the account @alice",
        ),
        (
            "wrong-scope",
            Answer::unauthorized(
                "invalid_scope",
                "The access_token scope does not allow the following operation(s): vote",
            ),
            "scope does not allow",
        ),
    ]
}

#[tokio::test]
async fn a_final_refusal_ends_the_vote_with_one_row_for_people() {
    run(Database::sqlite().await, async |database| {
        let site = Installation::new(database).await;
        let refusals = refusals();
        let mut voters: Vec<&str> = refusals.iter().map(|(voter, ..)| *voter).collect();
        for (voter, answer, _) in &refusals {
            let fault = Fault::Answer(answer.clone()).on("broadcast");
            let faults = &site.sandbox.signer().endpoint().faults;
            faults.add(fault.for_voter(voter));
        }
        voters.push("well");
        site.voters(&voters).await;
        site.rules("rules.toml", &rule(&voters, "2s"));
        let daemon = site.start().await;
        let post = site.sandbox.publish("bob", "a-post");
        for (voter, _, sentence) in &refusals {
            let row = site.row_is(voter, &post, Status::Failed).await;
            let reason = row.reason.unwrap().to_string();
            assert!(reason.contains(sentence), "{voter}: {reason}");
            assert_eq!((row.attempts, row.claimed_by), (1, None), "{voter}");
            assert_eq!(site.broadcasts(voter, &post).len(), 1, "{voter}");
        }
        let row = site.row_is("well", &post, Status::Confirmed).await;
        assert_not_early(&site, "well", &post, row.ask().due_at);
        let errors = site.has_errors("vote", refusals.len()).await;
        assert_eq!(errors.len(), refusals.len());
        for (voter, _, sentence) in &refusals {
            let mut of = errors.iter().filter(|row| row.voter == *voter);
            let row = of.next().unwrap();
            assert_eq!((&*row.author, &*row.permlink), ("bob", "a-post"));
            assert!(row.error.contains(sentence), "{voter}: {}", row.error);
        }
        daemon.stop().await;
    })
    .await;
}

#[tokio::test]
async fn votes_without_an_authority_wait_for_it_and_are_one_row_and_one_line() {
    let client = |text| Answer::unauthorized("unauthorized_client", text);
    for answer in [
        Answer::chain_says("missing required posting authority:Missing Posting Authority alice"),
        client("The app @sandbox.app doesn't have permission to broadcast for @alice"),
        client("Broadcaster account doesn't have permission to broadcast for @sandbox.app"),
    ] {
        run(Database::sqlite().await, async |database| {
            let site = Installation::new(database).await;
            let faults = &site.sandbox.signer().endpoint().faults;
            faults.add(Fault::Answer(answer.clone()).on("broadcast").times(2));
            site.voters(&["alice"]).await;
            site.rules("rules.toml", &rule(&["alice"], "1s"));
            let daemon = site.start().await;
            let posts = site
                .in_a_block(|sandbox| ["one", "two"].map(|name| sandbox.publish("bob", name)))
                .await;
            for post in &posts {
                site.row_is("alice", post, Status::Confirmed).await;
            }
            let errors = site.has_errors("vote", 1).await;
            assert_eq!(errors.len(), 1, "{errors:?}");
            assert!(errors[0].error.contains("must"), "{}", errors[0].error);
            let log = daemon.stop().await.log;
            assert_eq!(log.matches("WARN").count(), 1, "{log}");
            assert!(log.contains("is back"), "{log}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_voter_whose_mana_is_used_up_is_told_once_and_asks_the_signer_once() {
    run(Database::sqlite().await, async |database| {
        let site = Installation::new(database).await;
        site.voters(&["alice"]).await;
        site.rules("rules.toml", &rule(&["alice"], "1s"));
        let alice = Account::from_chain("alice");
        site.sandbox.with_chain(|chain| chain.set_mana(&alice, 1));
        let daemon = site.start().await;
        let first = site.sandbox.publish("bob", "first");
        site.row_is("alice", &first, Status::Failed).await;
        for permlink in ["second", "third"] {
            let post = site.sandbox.publish("bob", permlink);
            let row = site.row_is("alice", &post, Status::Skipped).await;
            let reason = row.reason.unwrap().to_string();
            assert!(reason.starts_with("not enough mana until "), "{reason}");
            assert_eq!(site.broadcasts("alice", &post).len(), 0);
        }
        assert_eq!(site.has_errors("vote", 1).await.len(), 1);
        let log = daemon.stop().await.log;
        assert_eq!(log.matches("WARN").count(), 1, "{log}");
    })
    .await;
}

#[tokio::test]
async fn the_type_of_the_row_tells_what_asked_for_the_vote() {
    run(Database::sqlite().await, async |database| {
        let site = Installation::new(database).await;
        let text = "Voter has declined their voting rights.";
        let faults = &site.sandbox.signer().endpoint().faults;
        faults.add(Fault::Answer(Answer::chain_says(text)).on("broadcast"));
        site.voters(&["alice", "amy"]).await;
        site.rules("author.toml", &rule(&["alice"], "1s"));
        site.rules(
            "trail.toml",
            "voters = [\"amy\"]\n[[trail]]\nleaders = [\"curie\"]\nweight = \"33.5%\"\n",
        );
        let daemon = site.start().await;
        let post = site.sandbox.publish("bob", "a-post");
        site.next_block_is_read().await;
        site.sandbox.vote("curie", &post, 10_000).unwrap();
        assert_eq!(site.has_errors("vote", 1).await[0].voter, "alice");
        assert_eq!(site.has_errors("trail", 1).await[0].voter, "amy");
        let weights = database.number("SELECT weight FROM error_log WHERE type = 'trail'");
        assert_eq!(weights.await, 34);
        daemon.stop().await;
    })
    .await;
}

async fn a_refusal_is_kept_word_for_word_whatever_is_in_it(database: &Database) {
    let site = Installation::new(database).await;
    let text = format!(
        "voter.can_vote && \"don't\": Voter has declined their voting rights. '); DROP TABLE votes; -- \
         \\' \\\" 100 % 😀 ☃ {} the end",
        "long ".repeat(60)
    );
    assert!(text.chars().count() > 300);
    let faults = &site.sandbox.signer().endpoint().faults;
    faults.add(Fault::Answer(Answer::chain_says(&text)).on("broadcast"));
    site.voters(&["alice"]).await;
    site.rules("rules.toml", &rule(&["alice"], "1s"));
    let daemon = site.start().await;
    let permlink = format!("it's-\"quoted\"-{}", "x".repeat(236));
    assert_eq!(permlink.len(), 250);
    let post = site.sandbox.publish_post(&NewPost::new("bob", &permlink));
    site.row_is("alice", &post, Status::Failed).await;
    let errors = site.has_errors("vote", 1).await;
    assert_eq!(errors.len(), 1);
    assert!(errors[0].error.contains(&text), "{}", errors[0].error);
    assert_eq!(errors[0].permlink, permlink);
    assert_eq!((&*errors[0].voter, &*errors[0].author), ("alice", "bob"));
    daemon.stop().await;
}

#[tokio::test]
async fn a_hostile_text_forges_no_line_of_the_log_the_tables_or_a_command() {
    run(Database::sqlite().await, async |database| {
        let site = Installation::new(database).await;
        let forged = "2026-01-01T00:00:00Z  INFO cast: 100% for @alice";
        let hostile = format!("\n{forged}\r\n\u{1b}[2J\u{202e}\u{61c}");
        let text = format!(
            "Voter has declined their voting rights. {hostile}{}",
            "x".repeat(70_000)
        );
        let faults = &site.sandbox.signer().endpoint().faults;
        faults.add(Fault::Answer(Answer::chain_says(&text)).on("broadcast"));
        site.voters(&["alice"]).await;
        site.rules("rules.toml", &rule(&["alice"], "1s"));
        let daemon = site.start().await;
        let permlink = format!("a-post{hostile}");
        let post = site.sandbox.publish_post(&NewPost::new("bob", &permlink));
        let row = site.row_is("alice", &post, Status::Failed).await;
        let error = site.has_errors("vote", 1).await.remove(0).error;
        let explained = site.run(&["explain", "@bob/a-post", "--all"]).await;
        let log = daemon.stop().await.log;
        assert!(log.contains("\\n2026-01-01"), "{log}");
        let reason = row.reason.unwrap().to_string();
        for shown in [&log, &error, &reason, &explained.out, &explained.err] {
            assert!(
                !shown.lines().any(|line| line.starts_with(forged)),
                "{shown}"
            );
            let invisible = ['\u{1b}', '\r', '\u{202e}', '\u{61c}'];
            assert!(!shown.contains(invisible), "{shown}");
            let longest = shown.lines().map(|line| line.chars().count()).max();
            assert!(longest < Some(2_500), "{longest:?}");
        }
        assert_eq!(error.lines().count(), 1, "{error}");
        assert_eq!(&*row.key.post.permlink, permlink, "keys stay as they are");
    })
    .await;
}

#[tokio::test]
async fn identical_at_the_first_attempt_is_a_vote_by_hand_and_after_an_attempt_ours() {
    run(Database::sqlite().await, async |database| {
        let site = Installation::new(database).await;
        let hive = "itr->get_vote_percent() != o.weight && \"Your current vote on this comment is identical to this vote.\": \
                    Your current vote on this comment is identical to this vote. category=chain subject_type=voting subject=alice";
        let steem = "itr->vote_percent != o.weight: You have already voted in a similar way.";
        let duplicate = "!is_known_transaction( trx_id ): Duplicate transaction check failed trx_id=054fba33e8f72e29cb5fd1fbaaa69913b1750183";
        let faults = &site.sandbox.signer().endpoint().faults;
        for (voter, text) in [("by-hand-hive", hive), ("by-hand-steem", steem)] {
            let answer = Fault::Answer(Answer::chain_says(text));
            faults.add(answer.on("broadcast").for_voter(voter));
        }
        // Done, but the answer says that it is known already: the first of two deliveries was ours.
        let known = Fault::DoneThenAnswer(Answer::chain_says(duplicate));
        faults.add(known.on("broadcast").for_voter("known").times(1));
        let voters = ["by-hand-hive", "by-hand-steem", "known"];
        site.voters(&voters).await;
        site.rules("rules.toml", &rule(&voters, "1s"));
        let daemon = site.start().await;
        let post = site.sandbox.publish("bob", "a-post");
        for voter in &voters[..2] {
            let row = site.row_is(voter, &post, Status::Skipped).await;
            assert!(row.is_by_hand(), "{voter}");
        }
        site.row_is("known", &post, Status::Confirmed).await;
        assert_eq!(site.broadcasts("known", &post).len(), 1);
        assert_eq!(site.errors("vote").await, []);
        daemon.stop().await;
    })
    .await;
}
