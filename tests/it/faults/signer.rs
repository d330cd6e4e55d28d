//! A signer in trouble: whatever it answers or does not answer, every vote is cast once, and nobody else's
//! vote waits for it.

use std::time::Duration;

use chrono::TimeDelta;
use curatord::network::ChainKind;
use curatord::sandbox::SandboxConfig;
use curatord::sandbox::faults::{Answer, Fault};
use curatord::votes::status::Status;

use super::{assert_not_early, rule};
use crate::harness::{Database, Installation, run, until};

/// Switches on each fault for the voter of that name, once.
async fn afflict(site: &Installation<'_>, table: &[(&'static str, Fault)]) -> Vec<&'static str> {
    let mut voters: Vec<&str> = table.iter().map(|(voter, _)| *voter).collect();
    for (voter, fault) in table {
        let fault = fault.clone().on("broadcast").for_voter(voter).times(1);
        site.sandbox.signer().endpoint().faults.add(fault);
    }
    voters.push("well");
    site.voters(&voters).await;
    voters
}

/// How many requests were sent for each voter's vote, how long the pause between them was, and that
/// there is one vote of each in the blocks.
#[tokio::test]
async fn a_vote_of_unclear_outcome_is_looked_for_and_cast_once() {
    run(Database::sqlite().await, async |database| {
        let mut site = Installation::new(database).await;
        site.set("signer.timeout", "1s");
        let page = |status| Fault::Answer(Answer::proxy_page(status));
        let nothing_done = [
            ("page-of-502", page(502)),
            ("page-of-503", page(503)),
            ("page-of-504", page(504)),
            ("page-of-520", page(520)),
            ("page-of-524", page(524)),
            ("empty-answer", Fault::Answer(Answer::empty())),
            ("wrong-types", Fault::Answer(Answer::wrong_types())),
            ("huge-answer", Fault::Answer(Answer::huge(8 << 20))),
            ("no-answer", Fault::Hang),
            ("cut-off", Fault::Cut),
        ];
        let done = [
            ("done-then-cut", Fault::DoneThenCut),
            ("done-then-hang", Fault::DoneThenHang),
            (
                "done-then-502",
                Fault::DoneThenAnswer(Answer::proxy_page(502)),
            ),
            ("done-then-empty", Fault::DoneThenAnswer(Answer::empty())),
            ("lands-late", Fault::LandsLate(Duration::from_secs(6))),
            ("slow-answer", Fault::Delay(Duration::from_millis(600))),
        ];
        let table: Vec<_> = nothing_done.iter().chain(&done).cloned().collect();
        let voters = afflict(&site, &table).await;
        site.rules("rules.toml", &rule(&voters, "2s"));
        let mut daemon = site.start().await;

        let first = site.sandbox.publish("bob", "first");
        let row = site.row_is("well", &first, Status::Confirmed).await;
        assert_not_early(&site, "well", &first, row.ask().due_at);
        // While all those votes hang in the air, everybody votes on another post.
        let second = site.sandbox.publish("bob", "second");
        for voter in &voters {
            let row = site.row_is(voter, &second, Status::Confirmed).await;
            assert_not_early(&site, voter, &second, row.ask().due_at);
            assert_eq!(row.attempts, 1, "{voter}");
        }
        for voter in &voters {
            let row = site.row_is(voter, &first, Status::Confirmed).await;
            assert_not_early(&site, voter, &first, row.ask().due_at);
            let requests = site.broadcasts(voter, &first);
            let unclear = nothing_done.iter().any(|(name, _)| name == voter);
            assert_eq!(requests.len(), if unclear { 2 } else { 1 }, "{voter}");
            if unclear {
                let pause = requests[1].arrived - requests[0].arrived;
                assert!(pause >= TimeDelta::seconds(10), "{voter}: {pause}");
                // The other post's vote did not wait for this one.
                let other = site.broadcasts(voter, &second)[0].arrived;
                assert!(other < requests[1].arrived, "{voter}: {other}");
            }
            assert_eq!(row.attempts as usize, requests.len(), "{voter}");
            assert_eq!(site.votes_in_blocks(voter, &first), [5000], "{voter}");
        }
        assert_eq!(site.errors("vote").await, []);
        assert!(daemon.is_running());
        daemon.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_failure_that_passes_is_tried_again_within_seconds() {
    run(Database::sqlite().await, async |database| {
        let site = Installation::new(database).await;
        let says = |text| Fault::Answer(Answer::chain_says(text));
        let table = [
            ("limited", Fault::Answer(Answer::too_many_requests(None))),
            ("limited-for-3-s", Fault::Answer(Answer::too_many_requests(Some(3)))),
            ("failed-to-load", Fault::FailedToLoad),
            ("too-soon", says("( now - voter.last_vote_time ).to_seconds() >= STEEM_MIN_VOTE_INTERVAL_SEC: Can only vote once every 3 seconds.")),
            ("expired", says("(skip & skip_transaction_expiration) || now < trx.expiration: transaction expiration exception")),
            ("no-credits", says("Account: no-credits has ${rc_current} RC, needs 123456789 RC. Please wait to transact or power up HIVE. rc_current=0")),
            ("unknown-post", says("comment != nullptr: Comment bob/first doesn't exist category=chain subject_type=object subject=alice")),
            ("unknown-key", says("unknown key: unknown key: ")),
            ("page-of-404", Fault::Answer(Answer::proxy_page(404))),
            ("page-of-401", Fault::Answer(Answer::proxy_page(401))),
        ];
        let voters = afflict(&site, &table).await;
        site.rules("rules.toml", &rule(&voters, "2s"));
        let daemon = site.start().await;
        let post = site.sandbox.publish("bob", "first");
        for voter in &voters {
            let row = site.row_is(voter, &post, Status::Confirmed).await;
            assert_not_early(&site, voter, &post, row.ask().due_at);
            let requests = site.broadcasts(voter, &post);
            assert_eq!(requests.len(), if *voter == "well" { 1 } else { 2 }, "{voter}");
            assert_eq!(site.votes_in_blocks(voter, &post), [5000], "{voter}");
            if let [first, second] = &requests[..] {
                let least = if *voter == "limited-for-3-s" { 3_000 } else { 800 };
                let pause = (second.arrived - first.arrived).num_milliseconds();
                assert!(pause >= least, "{voter}: {pause} ms");
            }
        }
        assert_eq!(site.errors("vote").await, []);
        daemon.stop().await;
    })
    .await;
}

#[tokio::test]
async fn what_fails_to_the_end_of_the_retries_is_failed_with_one_row_for_people() {
    run(Database::sqlite().await, async |database| {
        let mut site = Installation::new(database).await;
        site.set("casting.retry_for", "4s");
        site.set("signer.timeout", "1s");
        let faults = &site.sandbox.signer().endpoint().faults;
        faults.add(Fault::Answer(Answer::too_many_requests(None)).for_voter("limited"));
        faults.add(Fault::Hang.for_voter("no-answer"));
        let voters = ["limited", "no-answer", "well"];
        site.voters(&voters).await;
        site.rules("rules.toml", &rule(&voters, "1s"));
        let daemon = site.start().await;
        let post = site.sandbox.publish("bob", "a-post");
        for (voter, sentence) in [
            ("limited", "(429)"),
            ("no-answer", "did not answer within 1 s"),
        ] {
            let row = site.row_is(voter, &post, Status::Failed).await;
            let reason = row.reason.unwrap().to_string();
            assert!(reason.contains(sentence), "{reason}");
            assert!(reason.contains("4 s"), "{reason}");
        }
        let row = site.row_is("well", &post, Status::Confirmed).await;
        assert_not_early(&site, "well", &post, row.ask().due_at);
        // It did not wait for those in trouble.
        let well = site.broadcasts("well", &post)[0].arrived;
        assert!(well < site.broadcasts("limited", &post)[1].arrived);
        let mut errors = site.has_errors("vote", 2).await;
        errors.sort_by(|a, b| a.voter.cmp(&b.voter));
        let whose: Vec<_> = errors.iter().map(|row| &*row.voter).collect();
        assert_eq!(whose, ["limited", "no-answer"]);
        daemon.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_signer_that_crashes_takes_no_vote_along_and_doubles_none() {
    run(Database::sqlite().await, async |database| {
        let site = Installation::new(database).await;
        let voters = ["alice", "amy", "ann", "the-last-straw"];
        site.voters(&voters).await;
        site.rules("rules.toml", &rule(&voters, "2s"));
        let faults = &site.sandbox.signer().endpoint().faults;
        for voter in &voters[..3] {
            let slow = Fault::Delay(Duration::from_secs(1));
            faults.add(slow.on("broadcast").for_voter(voter).times(1));
        }
        faults.add(Fault::Crash.for_voter(voters[3]).times(1));
        let mut daemon = site.start().await;
        let post = site.sandbox.publish("bob", "a-post");
        for voter in voters {
            site.row_is(voter, &post, Status::Confirmed).await;
            assert_eq!(site.votes_in_blocks(voter, &post), [5000], "{voter}");
        }
        assert_eq!(site.errors("vote").await, []);
        assert!(daemon.is_running());
        daemon.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_signer_that_is_down_is_asked_again_when_it_is_back() {
    run(Database::sqlite().await, async |database| {
        let site = Installation::new(database).await;
        site.voters(&["alice"]).await;
        site.rules("rules.toml", &rule(&["alice"], "2s"));
        let daemon = site.start().await;
        let post = site.sandbox.publish("bob", "a-post");
        site.row_is("alice", &post, Status::Queued).await;
        site.sandbox.signer().endpoint().stop();
        let tried = |row: &curatord::votes::vote::Vote| row.attempts >= 2;
        let row = site.row_where("alice", &post, "was tried", tried).await;
        assert!(
            row.reason
                .unwrap()
                .to_string()
                .contains("cannot be reached")
        );
        site.sandbox.signer().endpoint().start().await.unwrap();
        site.row_is("alice", &post, Status::Confirmed).await;
        assert_eq!(site.votes_in_blocks("alice", &post), [5000]);
        assert_eq!(site.errors("vote").await, []);
        daemon.stop().await;
    })
    .await;
}

#[tokio::test]
async fn on_steem_the_votes_of_one_voter_keep_their_distance() {
    run(Database::sqlite().await, async |database| {
        let config = SandboxConfig::every(ChainKind::Steem, Duration::from_millis(500));
        let site = Installation::with(database, config).await;
        site.voters(&["alice", "amy"]).await;
        site.rules("rules.toml", &rule(&["alice", "amy"], "2s"));
        let daemon = site.start().await;
        let posts = ["first", "second", "third"].map(|name| site.sandbox.publish("bob", name));
        for voter in ["alice", "amy"] {
            for post in &posts {
                site.row_is(voter, post, Status::Confirmed).await;
            }
            let mut arrived = Vec::new();
            for post in &posts {
                let requests = site.broadcasts(voter, post);
                arrived.extend(requests.iter().map(|request| request.arrived));
                assert_eq!(site.votes_in_blocks(voter, post), [5000]);
            }
            arrived.sort();
            // The chain counts from block to block, so that it may refuse one that comes when its block is
            // late: that one is tried again.
            assert!(arrived.len() <= 4, "{voter}: {arrived:?}");
            let span = *arrived.last().unwrap() - arrived[0];
            assert!(span >= TimeDelta::seconds(6), "{voter}: {arrived:?}");
        }
        assert_eq!(site.errors("vote").await, []);
        daemon.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_vote_that_was_taken_and_reaches_no_block_is_cast_again_three_times_at_most() {
    run(Database::sqlite().await, async |database| {
        let mut site = Installation::new(database).await;
        site.set("casting.confirm_within", "1s");
        let faults = &site.sandbox.signer().endpoint().faults;
        faults.add(
            Fault::Swallowed
                .on("broadcast")
                .for_voter("swallowed")
                .times(1),
        );
        faults.add(Fault::Swallowed.on("broadcast").for_voter("never-seen"));
        let voters = ["swallowed", "never-seen", "well"];
        site.voters(&voters).await;
        site.rules("rules.toml", &rule(&voters, "1s"));
        let daemon = site.start().await;
        let post = site.sandbox.publish("bob", "a-post");

        let row = site.row_is("swallowed", &post, Status::Confirmed).await;
        assert_eq!((row.recasts, row.attempts), (1, 2));
        let requests = site.broadcasts("swallowed", &post);
        assert!(requests[1].arrived - requests[0].arrived >= TimeDelta::seconds(1));

        let row = site.row_is("never-seen", &post, Status::Failed).await;
        assert!(
            row.reason
                .unwrap()
                .to_string()
                .contains("never reached a block")
        );
        assert_eq!(site.broadcasts("never-seen", &post).len(), 4);
        assert_eq!(site.broadcasts("well", &post).len(), 1);
        let errors = site.has_errors("vote", 1).await;
        assert_eq!((errors.len(), &*errors[0].voter), (1, "never-seen"));
        daemon.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_person_who_votes_while_the_signer_is_in_trouble_keeps_the_vote() {
    run(Database::sqlite().await, async |database| {
        let site = Installation::new(database).await;
        let faults = &site.sandbox.signer().endpoint().faults;
        let voters = ["alice", "amy"];
        for voter in voters {
            let limited = Fault::Answer(Answer::too_many_requests(Some(3)));
            faults.add(limited.for_voter(voter).times(1));
        }
        site.voters(&voters).await;
        site.rules("rules.toml", &rule(&voters, "1s"));
        let daemon = site.start().await;
        let post = site.sandbox.publish("bob", "a-post");
        until("a first request", async || {
            (site.broadcasts("alice", &post).len() == 1).then_some(())
        })
        .await;
        site.sandbox.vote("alice", &post, 1_000).unwrap();
        let row = site.row_is("alice", &post, Status::Skipped).await;
        assert!(row.is_by_hand());
        // The time for the next attempt passes, as another voter's vote shows.
        let other = site.row_is("amy", &post, Status::Confirmed).await;
        assert_eq!(other.attempts, 2);
        assert_eq!(site.broadcasts("alice", &post).len(), 1);
        assert_eq!(site.votes_in_blocks("alice", &post), [1_000]);
        daemon.stop().await;
    })
    .await;
}

#[tokio::test]
async fn on_steem_a_vote_by_hand_starts_the_interval_too() {
    run(Database::sqlite().await, async |database| {
        let config = SandboxConfig::every(ChainKind::Steem, Duration::from_millis(500));
        let site = Installation::with(database, config).await;
        site.voters(&["alice"]).await;
        site.rules("rules.toml", &rule(&["alice"], "3s"));
        let daemon = site.start().await;
        let [ours, theirs] = ["ours", "theirs"].map(|name| site.sandbox.publish("bob", name));
        let due_at = site
            .row_is("alice", &ours, Status::Queued)
            .await
            .ask()
            .due_at;
        site.row_is("alice", &theirs, Status::Queued).await;
        site.is_now(due_at - TimeDelta::seconds(2)).await;
        site.sandbox.vote("alice", &theirs, 1_000).unwrap();
        let row = site.row_is("alice", &theirs, Status::Skipped).await;
        assert!(row.is_by_hand());
        let by_hand = site.sandbox.vote_on("alice", &theirs).unwrap();
        assert_eq!(row.block_num, Some(by_hand.block));
        site.row_is("alice", &ours, Status::Confirmed).await;
        let first = &site.broadcasts("alice", &ours)[0];
        assert!(first.arrived >= by_hand.block_time + TimeDelta::seconds(3));
        assert!(first.arrived > due_at + TimeDelta::milliseconds(500));
        daemon.stop().await;
    })
    .await;
}
