//! The last runs of schedules.

use std::collections::HashSet;

use curatord::rules::rule::RuleId;
use curatord::store::Store;
use curatord::votes::change::{Batch, Change, ScheduleRun};
use curatord::votes::status::Origin;

use super::rows::{apply, at, context, key, plan, plans};
use crate::harness::database::Database;

fn run(name: &str, schedule: &str, seconds: i64) -> ScheduleRun {
    ScheduleRun {
        rule: RuleId::new("näher/friends.toml", name),
        schedule: schedule.to_owned(),
        last_run_at: at(seconds),
    }
}

async fn write(store: &Store, runs: &[ScheduleRun]) {
    let batch = Batch {
        schedule_runs: runs.to_vec(),
        ..Batch::default()
    };
    apply(store, &batch).await;
}

pub async fn a_run_is_remembered_until_the_next(database: &Database) {
    let store = database.store().await;
    assert_eq!(store.schedule_runs().await.unwrap(), []);
    let daily = run("daily", "0 18 * * * UTC", 10);
    let hourly = run("hourly", "0 * * * * Europe/Amsterdam", 20);
    write(&store, &[hourly.clone(), daily.clone()]).await;
    write(&store, &[]).await;
    let stored = store.schedule_runs().await.unwrap();
    assert_eq!(stored, [daily.clone(), hourly.clone()]);

    let later = run("hourly", "30 * * * * Europe/Amsterdam", 30);
    write(&store, &[hourly, later.clone()]).await;
    assert_eq!(store.schedule_runs().await.unwrap(), [daily, later]);
}

pub async fn a_schedule_that_is_gone_is_forgotten(database: &Database) {
    let store = database.store().await;
    let (kept, gone) = (run("Daily", "* * * * *", 1), run("daily", "* * * * *", 2));
    write(&store, &[kept.clone(), gone.clone()]).await;
    let batch = Batch {
        schedules_gone: vec![gone.rule, RuleId::new("a.toml", "never-there")],
        ..Batch::default()
    };
    apply(&store, &batch).await;
    assert_eq!(store.schedule_runs().await.unwrap(), [kept]);
}

pub async fn a_rule_of_any_length_holds_up_nobody_else(database: &Database) {
    let store = database.store().await;
    let fits = run(
        &"é".repeat(700 - "näher/friends.toml:".chars().count()),
        "* * * * *",
        1,
    );
    write(
        &store,
        &[run(&"x".repeat(3_000), "* * * * *", 1), fits.clone()],
    )
    .await;
    assert_eq!(store.schedule_runs().await.unwrap(), [fits]);
}

pub async fn a_run_is_written_with_its_votes_or_not_at_all(database: &Database) {
    let store = database.store().await;
    let batch = Batch {
        changes: vec![Change::Plan(plan("alice", "a-post"))],
        schedule_runs: vec![run("daily", "* * * * *", 1)],
        ..Batch::default()
    };
    database.execute("DROP TABLE schedule_runs").await;
    let context = context("one");
    store.apply(&batch, &context).await.unwrap_err();
    assert_eq!(database.number("SELECT COUNT(*) FROM votes").await, 0);
}

pub async fn many_votes_are_read_at_once(database: &Database) {
    let store = database.store().await;
    let permlinks: Vec<_> = (0..1_500).map(|number| format!("post-{number}")).collect();
    let planned = permlinks.iter().map(|permlink| plan("alice", permlink));
    apply(&store, &plans(planned)).await;
    let keys = |voter| permlinks.iter().map(move |permlink| key(voter, permlink));
    let mut wanted: Vec<_> = keys("alice").chain(keys("bella")).collect();
    wanted.push(key("alice", "Post-1"));
    wanted.push(key("alice", "post-1"));
    let votes = store.votes(&wanted).await.unwrap();
    assert_eq!(votes.len(), permlinks.len());
    let found: HashSet<_> = votes.into_iter().map(|vote| vote.key).collect();
    assert_eq!(found, keys("alice").collect());
    assert_eq!(store.votes(&[]).await.unwrap(), []);
}

pub async fn an_undone_block_leaves_scheduled_votes_alone(database: &Database) {
    let store = database.store().await;
    let mut scheduled = plan("alice", "scheduled");
    scheduled.ask.origin = Origin::Schedule;
    apply(&store, &plans([scheduled, plan("alice", "published")])).await;
    let undo = Batch {
        undo_above: Some(999),
        ..Batch::default()
    };
    let undone = apply(&store, &undo).await;
    assert_eq!(undone.len(), 1);
    assert_eq!(undone[0].key, key("alice", "published"));
}
