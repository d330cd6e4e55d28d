//! What rules with `schedule` do at their times.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Timelike, Utc};
use curatord::clock::Clock;
use curatord::network::ChainKind;
use curatord::post::PostId;
use curatord::sandbox::SandboxConfig;
use curatord::sandbox::faults::{Answer, Fault, FaultRule};
use curatord::votes::status::{Origin, Status};

use crate::harness::{Database, Installation, on_each_database, run, until};

on_each_database! {
    each_time_the_newest_post_not_yet_voted_on_has_its_vote,
    the_newest_post_is_found_on_steem_too,
    a_time_missed_while_it_was_down_is_made_up_once,
    a_rule_that_is_new_has_no_past,
    a_changed_schedule_counts_at_once,
    a_dry_run_plans_the_same_votes_and_casts_none,
    when_no_node_tells_of_posts_it_is_tried_again,
    what_no_node_tells_in_time_is_one_error,
}

/// A rule for Bob's posts at these times.
fn rule(cron: &str) -> String {
    format!(
        "voters = [\"alice\"]\n[[author]]\nname = \"fixed\"\nauthors = [\"bob\"]\nweight = \"100%\"\n\
         schedule = {{ cron = \"{cron}\" }}\n"
    )
}

/// A site with two posts by Bob, older than the daemon: the older one, and the newer one.
async fn site_with_posts(database: &Database, kind: ChainKind) -> (Installation<'_>, [PostId; 2]) {
    let now = Clock::system().now();
    let mut config = SandboxConfig::every(kind, Duration::from_millis(200));
    config.first_time = Some(now - TimeDelta::hours(2));
    let mut site = Installation::with(database, config).await;
    site.set("network.vote_interval", "0s");
    let older = site.sandbox.publish("bob", "older");
    site.sandbox.produce_block_at(now - TimeDelta::minutes(90));
    let newer = site.sandbox.publish("bob", "newer");
    site.sandbox.produce_block_at(now - TimeDelta::minutes(60));
    site.voter("alice").await;
    (site, [older, newer])
}

/// A time of day that is so many seconds away, as a cron expression.
fn daily_at(at: DateTime<Utc>) -> String {
    format!("{} {} {} * * *", at.second(), at.minute(), at.hour())
}

/// A time of another rule comes, and what was to run until then has run.
async fn another_time_comes(site: &Installation<'_>) {
    let post = site.sandbox.publish("carol", "a-post");
    site.next_block_is_read().await;
    let soon = Clock::system().now() + TimeDelta::seconds(3);
    let other = rule(&daily_at(soon)).replace("bob", "carol");
    site.rules("other.toml", &other);
    site.row_is("alice", &post, Status::Confirmed).await;
}

/// The node has trouble with lists of posts, and with nothing else.
fn no_posts() -> FaultRule {
    Fault::Answer(Answer::proxy_page(502)).on("bridge.get_account_posts")
}

async fn each_time_the_newest_post_not_yet_voted_on_has_its_vote(database: &Database) {
    let (site, [older, newer]) = site_with_posts(database, ChainKind::Hive).await;
    site.rules("daily.toml", &rule("*/3 * * * * *"));
    let daemon = site.start().await;
    let mut due = Vec::new();
    for post in [&newer, &older] {
        let row = site.row_is("alice", post, Status::Confirmed).await;
        assert_eq!(row.ask().origin, Origin::Schedule);
        assert_eq!(row.ask().rule.as_str(), "daily.toml:fixed");
        assert_eq!(row.ask().due_at.second() % 3, 0);
        assert_eq!(row.ask().due_at.timestamp_subsec_millis(), 0);
        let requests = site.broadcasts("alice", post);
        assert_eq!(requests.len(), 1, "{post}");
        assert!(requests[0].arrived >= row.ask().due_at, "{requests:?}");
        due.push(row.ask().due_at);
    }
    assert!(due[0] < due[1], "one post at a time: {due:?}");
    // What comes next waits for nothing but the next time.
    let newest = site.sandbox.publish("bob", "newest");
    let row = site.row_is("alice", &newest, Status::Confirmed).await;
    assert!(row.ask().due_at > due[1]);
    assert_eq!(site.cast_weight("alice", &newest).await, 10_000);
    daemon.stop().await;
}

async fn the_newest_post_is_found_on_steem_too(database: &Database) {
    let (site, [older, newer]) = site_with_posts(database, ChainKind::Steem).await;
    site.sandbox.vote("alice", &newer, 500).unwrap();
    site.sandbox.produce_block();
    site.rules("daily.toml", &rule("*/2 * * * * *"));
    let daemon = site.start().await;
    // The newer one has a vote by hand that no table knows of.
    let row = site.row_is("alice", &older, Status::Confirmed).await;
    assert_eq!(row.ask().origin, Origin::Schedule);
    assert_eq!(site.broadcasts("alice", &newer).len(), 0);
    daemon.stop().await;
}

async fn a_time_missed_while_it_was_down_is_made_up_once(database: &Database) {
    let (site, [older, newer]) = site_with_posts(database, ChainKind::Hive).await;
    let first_seen = Clock::system().now();
    site.rules(
        "daily.toml",
        &rule(&daily_at(first_seen + TimeDelta::hours(1))),
    );
    let daemon = site.start().await;
    let stored = async || site.store().await.schedule_runs().await.unwrap().pop();
    until("the rule is stored", stored).await;
    daemon.stop().await;

    // As if it had been down for three days.
    let ago = (first_seen - TimeDelta::days(3)).format("%F %T%.3f");
    let statement = format!("UPDATE schedule_runs SET last_run_at = '{ago}'");
    database.execute(&statement).await;
    let before = Clock::system().now();
    let daemon = site.start().await;
    let row = site.row_is("alice", &newer, Status::Confirmed).await;
    assert!(
        row.ask().due_at >= before,
        "it is due now, not when it was missed"
    );
    assert_eq!(stored().await.unwrap().last_run_at, row.ask().due_at);
    daemon.stop().await;

    let daemon = site.start().await;
    another_time_comes(&site).await;
    assert_eq!(site.row("alice", &older).await, None);
    daemon.stop().await;
}

async fn a_rule_that_is_new_has_no_past(database: &Database) {
    let (site, [_, newer]) = site_with_posts(database, ChainKind::Hive).await;
    let past = Clock::system().now() - TimeDelta::minutes(1);
    site.rules("daily.toml", &rule(&daily_at(past)));
    let daemon = site.start().await;
    let stored = async || site.store().await.schedule_runs().await.unwrap().pop();
    until("the rule is stored", stored).await;
    // Its name is that of another rule now, which is just as new.
    let renamed = rule(&daily_at(past)).replace("fixed", "renamed");
    site.rules("daily.toml", &renamed);
    until("the new name is stored", async || {
        let run = stored()
            .await
            .filter(|run| run.rule.as_str().ends_with("renamed"));
        run.filter(|run| run.last_run_at > past)
    })
    .await;
    another_time_comes(&site).await;
    assert_eq!(site.row("alice", &newer).await, None);
    daemon.stop().await;
}

async fn a_changed_schedule_counts_at_once(database: &Database) {
    let (site, [older, newer]) = site_with_posts(database, ChainKind::Hive).await;
    let far = Clock::system().now() + TimeDelta::hours(5);
    site.rules("daily.toml", &rule(&daily_at(far)));
    let daemon = site.start().await;
    site.next_block_is_read().await;
    assert_eq!(site.row("alice", &newer).await, None);

    let soon = Clock::system().now() + TimeDelta::seconds(5);
    site.rules("daily.toml", &rule(&daily_at(soon)));
    let row = site.row_is("alice", &newer, Status::Confirmed).await;
    assert_eq!(row.ask().due_at, soon.with_nanosecond(0).unwrap());
    assert_eq!(site.row("alice", &older).await, None);
    daemon.stop().await;
}

async fn a_dry_run_plans_the_same_votes_and_casts_none(database: &Database) {
    let (site, [older, newer]) = site_with_posts(database, ChainKind::Hive).await;
    site.rules("daily.toml", &rule("*/2 * * * * *"));
    let daemon = site.start_with(&["--dry-run"]).await;
    let first = site.row_is("alice", &newer, Status::DryRun).await;
    let second = site.row_is("alice", &older, Status::DryRun).await;
    assert!(first.ask().due_at < second.ask().due_at);
    for post in [&older, &newer] {
        assert_eq!(site.broadcasts("alice", post).len(), 0);
    }
    daemon.stop().await;
}

async fn when_no_node_tells_of_posts_it_is_tried_again(database: &Database) {
    let (site, [_, newer]) = site_with_posts(database, ChainKind::Hive).await;
    let daemon = site.start().await;
    site.sandbox.node(0).endpoint().faults.add(no_posts());
    let soon = Clock::system().now() + TimeDelta::seconds(4);
    site.rules("daily.toml", &rule(&daily_at(soon)));
    daemon.says("the newest posts could not be looked up").await;
    site.sandbox.node(0).endpoint().faults.clear();
    let row = site.row_is("alice", &newer, Status::Confirmed).await;
    assert_eq!(row.ask().due_at, soon.with_nanosecond(0).unwrap());
    assert_eq!(site.errors("schedule").await, []);
    daemon.stop().await;
}

async fn what_no_node_tells_in_time_is_one_error(database: &Database) {
    let (mut site, [_, newer]) = site_with_posts(database, ChainKind::Hive).await;
    site.set("casting.retry_for", "2s");
    let daemon = site.start().await;
    site.sandbox.node(0).endpoint().faults.add(no_posts());
    let soon = Clock::system().now() + TimeDelta::seconds(4);
    site.rules("daily.toml", &rule(&daily_at(soon)));
    let errors = site.has_errors("schedule", 1).await;
    assert_eq!(errors[0].author, "bob");
    assert!(errors[0].error.contains("daily.toml:fixed"), "{errors:?}");
    site.sandbox.node(0).endpoint().faults.clear();
    // Over is over, for the next run of the program as well.
    daemon.stop().await;
    let daemon = site.start().await;
    another_time_comes(&site).await;
    assert_eq!(site.row("alice", &newer).await, None);
    assert_eq!(site.errors("schedule").await.len(), 1);
    daemon.stop().await;
}

#[tokio::test]
async fn of_two_daemons_on_one_database_one_runs_schedules_and_the_other_takes_over() {
    run(Database::mysql().await, two_daemons).await;
}

async fn two_daemons(database: &Database) {
    let (site, [older, newer]) = site_with_posts(database, ChainKind::Hive).await;
    let middle = site.sandbox.publish("bob", "middle");
    site.sandbox.produce_block();
    site.rules("daily.toml", &rule("*/3 * * * * *"));
    let first = site.start().await;
    let second = site.start().await;
    let mut times = Vec::new();
    for post in [&middle, &newer, &older] {
        let row = site.row_is("alice", post, Status::Confirmed).await;
        assert_eq!(site.broadcasts("alice", post).len(), 1);
        times.push(row.ask().due_at);
    }
    assert!(times[0] < times[1] && times[1] < times[2], "{times:?}");

    first.stop().await;
    let newest = site.sandbox.publish("bob", "newest");
    site.row_is("alice", &newest, Status::Confirmed).await;
    second.stop().await;
}
