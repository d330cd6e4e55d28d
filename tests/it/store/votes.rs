//! Batches, and the rows they leave.

use std::collections::HashSet;

use curatord::post::{PostId, VoteKey};
use curatord::rules::rule::RuleId;
use curatord::votes::change::{Batch, Change, Cursor, Outcome, Plan, Report, Unsuited};
use curatord::votes::error_entry::ErrorEntry;
use curatord::votes::fold::Context;
use curatord::votes::reason::Reason;
use curatord::votes::status::{ErrorKind, Origin, Status};
use curatord::weight::Weight;

use super::rows::{apply, at, cast, changes, context, key, name, plan, plans, post, report, seen};
use crate::harness::database::Database;

pub async fn a_vote_comes_back_as_it_was_written(database: &Database) {
    let store = database.store().await;
    let mut by_trail = plan("alice", "a-post");
    by_trail.ask.leader = Some((name("curie"), Weight::clamped(-7_777)));
    by_trail.ask.origin = Origin::Trail;
    by_trail.ask.weight = Weight::clamped(-10_000);
    let mut by_another = by_trail.clone();
    by_another.ask.rule = RuleId::new("friends.toml", "\"others\"");
    let holds = Context {
        claim_before: at(1_000),
        ..context("one")
    };
    let written = store
        .apply(&plans([by_trail, by_another]), &holds)
        .await
        .unwrap();
    assert_eq!(written.len(), 1);
    assert_eq!(written[0].claimed_by.as_deref(), Some("one"));
    assert_eq!(written[0].asks.others.len(), 1);
    assert_eq!(
        store.vote(&key("alice", "a-post")).await.unwrap(),
        Some(written[0].clone())
    );

    let steps = [
        report(
            "alice",
            "a-post",
            Outcome::Later {
                next_attempt_at: at(200),
                due_at: Some(at(150)),
                reason: Some("it's \"late\" \\ 😀\n\u{1}é".to_owned().into()),
                hold: false,
            },
        ),
        report("alice", "a-post", cast(at(220))),
        Change::Seen(seen("alice", "a-post", 1_050)),
    ];
    for step in steps {
        let written = apply(&store, &changes([step])).await;
        assert_eq!(written.len(), 1);
        assert_eq!(
            store.vote(&key("alice", "a-post")).await.unwrap(),
            Some(written[0].clone())
        );
    }
}

pub async fn a_vote_that_is_not_there_is_none(database: &Database) {
    let store = database.store().await;
    assert_eq!(store.vote(&key("alice", "a-post")).await.unwrap(), None);
    let nothing = changes([report("alice", "a-post", Outcome::Confirmed)]);
    assert_eq!(apply(&store, &nothing).await, []);
    assert_eq!(store.vote(&key("alice", "a-post")).await.unwrap(), None);
}

pub async fn permlinks_compare_byte_by_byte(database: &Database) {
    let store = database.store().await;
    let long = "x".repeat(256);
    let wide = "😀".repeat(64);
    let permlinks = [
        "a-post",
        "A-post",
        "a-pöst",
        "a-po\u{308}st",
        "'\"\\%_",
        "nul\0",
        &long,
        &wide,
    ];
    let written = apply(
        &store,
        &plans(permlinks.map(|permlink| plan("alice", permlink))),
    )
    .await;
    assert_eq!(written.len(), permlinks.len());
    for permlink in permlinks {
        let vote = store.vote(&key("alice", permlink)).await.unwrap();
        assert_eq!(vote.map(|vote| vote.key), Some(key("alice", permlink)));
    }
    let one = changes([report("alice", "A-post", cast(at(200)))]);
    assert_eq!(apply(&store, &one).await.len(), 1);
    let other = store.vote(&key("alice", "a-post")).await.unwrap().unwrap();
    assert_eq!(other.status, Status::Queued);
}

pub async fn a_batch_is_written_whole_or_not_at_all(database: &Database) {
    let store = database.store().await;
    let cursor = Cursor {
        block_num: 1_000,
        // No column is wide enough.
        block_id: "0".repeat(100),
        block_time: at(0),
        recent: Vec::new(),
    };
    let batch = Batch {
        changes: vec![Change::Plan(plan("alice", "a-post"))],
        errors: vec![ErrorEntry::new(ErrorKind::Chain, "a node is away", at(0))],
        cursor: Some(cursor),
        ..Batch::default()
    };
    if database.is_mysql() {
        store.apply(&batch, &context("one")).await.unwrap_err();
    } else {
        // SQLite has no widths: a table that is gone does as well.
        database.execute("DROP TABLE chain_cursor").await;
        store.apply(&batch, &context("one")).await.unwrap_err();
    }
    assert_eq!(store.vote(&key("alice", "a-post")).await.unwrap(), None);
    assert_eq!(database.number("SELECT COUNT(*) FROM error_log").await, 0);
}

pub async fn a_batch_given_twice_changes_nothing(database: &Database) {
    let store = database.store().await;
    let batch = plans([plan("alice", "a-post"), plan("carol", "a-post")]);
    assert_eq!(apply(&store, &batch).await.len(), 2);
    assert_eq!(apply(&store, &batch).await, []);
    assert_eq!(database.number("SELECT COUNT(*) FROM votes").await, 2);
}

pub async fn thousands_of_votes_are_written_in_one_batch(database: &Database) {
    let store = database.store().await;
    let batch = plans((0..3_500).map(|voter| plan(&format!("voter-{voter}"), "a-post")));
    assert_eq!(apply(&store, &batch).await.len(), 3_500);
    let done =
        changes((0..3_500).map(|voter| report(&format!("voter-{voter}"), "a-post", cast(at(200)))));
    assert_eq!(apply(&store, &done).await.len(), 3_500);
    let count = database
        .number("SELECT COUNT(*) FROM votes WHERE status = 'cast'")
        .await;
    assert_eq!(count, 3_500);
}

pub async fn a_vote_that_changes_is_changed_and_not_added(database: &Database) {
    let store = database.store().await;
    apply(
        &store,
        &plans([plan("alice", "a-post"), plan("carol", "a-post")]),
    )
    .await;
    let batch = changes([
        report("alice", "a-post", cast(at(200))),
        Change::Plan(plan("dave", "a-post")),
    ]);
    let mut written: Vec<_> = apply(&store, &batch)
        .await
        .into_iter()
        .map(|vote| (vote.key.voter, vote.status))
        .collect();
    written.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(
        written,
        [
            (name("alice"), Status::Cast),
            (name("dave"), Status::Queued)
        ]
    );
    assert_eq!(database.number("SELECT COUNT(*) FROM votes").await, 3);
    let other = store.vote(&key("carol", "a-post")).await.unwrap().unwrap();
    assert_eq!(other.status, Status::Queued);
}

pub async fn undone_blocks_take_their_votes_along(database: &Database) {
    let store = database.store().await;
    let mut later = plan("alice", "later");
    later.ask.block = 1_001;
    apply(
        &store,
        &plans([plan("alice", "before"), later, plan("alice", "voted")]),
    )
    .await;
    apply(&store, &changes([report("alice", "voted", cast(at(200)))])).await;
    apply(
        &store,
        &changes([Change::Seen(seen("alice", "voted", 1_002))]),
    )
    .await;

    let undo = Batch {
        undo_above: Some(1_000),
        ..Batch::default()
    };
    assert_eq!(apply(&store, &undo).await.len(), 2);
    let mut status = Vec::new();
    for permlink in ["before", "later", "voted"] {
        let vote = store.vote(&key("alice", permlink)).await.unwrap().unwrap();
        status.push((vote.status, vote.block_num));
    }
    assert_eq!(
        status,
        [
            (Status::Queued, None),
            (Status::Withdrawn, None),
            (Status::Cast, None)
        ]
    );
}

pub async fn two_that_plan_the_same_votes_at_once_write_each_once(database: &Database) {
    let (one, other) = (database.store().await, database.store().await);
    let names: Vec<String> = (0..200).map(|voter| format!("voter-{voter}")).collect();
    let forth = plans(names.iter().map(|voter| plan(voter, "a-post")));
    let back = plans(names.iter().rev().map(|voter| plan(voter, "a-post")));
    let (first, second) = tokio::join!(apply(&one, &forth), apply(&other, &back));
    let voters: HashSet<_> = first.iter().chain(&second).map(|vote| &vote.key).collect();
    assert_eq!((voters.len(), first.len() + second.len()), (200, 200));
}

pub async fn names_that_the_chain_does_not_allow_hold_up_nobody_else(database: &Database) {
    let store = database.store().await;
    let long = "x".repeat(257);
    let foreign = Plan {
        key: VoteKey {
            voter: name("alice"),
            post: PostId::new(name("a-name-of-seventeen"), "a"),
        },
        ..plan("alice", "a")
    };
    let batch = plans([
        plan("alice", &long),
        plan("alice", "blank "),
        foreign,
        plan("alice", "blank"),
    ]);
    let written: Vec<_> = apply(&store, &batch)
        .await
        .into_iter()
        .map(|vote| vote.key.post)
        .collect();
    assert_eq!(written, [post("blank")]);
}

pub async fn an_endless_transaction_id_is_cut(database: &Database) {
    let store = database.store().await;
    apply(&store, &plans([plan("alice", "a-post")])).await;
    let endless = Outcome::Cast {
        trx_id: Some("é".repeat(100_000)),
        cast_at: at(100),
        check_at: at(200),
    };
    apply(&store, &changes([report("alice", "a-post", endless)])).await;
    let vote = store.vote(&key("alice", "a-post")).await.unwrap().unwrap();
    assert_eq!(vote.status, Status::Cast);
    assert_eq!(vote.trx_id.map(|id| id.chars().count()), Some(64));
}

/// What version 5 of the tables held in `rivals`.
const RIVALS: &str = r#"[{"rule": "friends.toml:others", "origin": "trail", "weight": 2500, "due_at": 1772366500250,
    "event_block": 999, "event_at": 1772366400250, "leader": ["curie", 5000], "had_vote": true}]"#;

pub async fn what_another_rule_asked_for_before_an_upgrade_is_kept(database: &Database) {
    let store = database.store().await;
    apply(&store, &plans([plan("alice", "a-post")])).await;
    drop(store);
    for back in [
        "ALTER TABLE votes RENAME COLUMN asks TO rivals".to_owned(),
        "DELETE FROM _sqlx_migrations WHERE version = 6".to_owned(),
        format!("UPDATE votes SET rivals = '{RIVALS}'"),
    ] {
        database.execute(&back).await;
    }
    let store = database.store().await;
    let row = store.vote(&key("alice", "a-post")).await.unwrap().unwrap();
    assert_eq!(*row.ask(), plan("alice", "a-post").ask);
    let [other] = &row.asks.others[..] else {
        panic!("{:?}", row.asks)
    };
    let leader = Some((name("curie"), Weight::clamped(5_000)));
    assert_eq!(
        (other.rule.as_str(), other.block),
        ("friends.toml:others", 999)
    );
    assert_eq!(
        (&other.leader, other.weight),
        (&leader, Weight::clamped(2_500))
    );
    // It has the vote should the first rule drop out.
    let dropped = Outcome::Unsuited(vec![Unsuited {
        cause: row.ask().cause(),
        status: Status::Skipped,
        reason: Reason::Told("tags".to_owned()),
    }]);
    let report = Report::of(&row, dropped, at(2));
    let written = apply(&store, &changes([Change::Report(report)])).await;
    assert_eq!(written[0].ask().rule, other.rule);
}
