//! `curatord explain` on rules with a schedule: when it runs next, and on which post it votes then.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use curatord::clock::Clock;
use curatord::network::ChainKind;
use curatord::post::PostId;
use curatord::sandbox::SandboxConfig;
use curatord::votes::status::Status;
use serde_json::Value;

use super::command::explain;
use crate::harness::{Database, Installation, on_each_database};

on_each_database! {
    the_newest_post_not_voted_on_yet_has_the_vote,
    a_vote_of_the_voter_makes_room_for_the_next_older_post,
    steem_tells_of_the_newest_posts_too,
    a_post_beyond_the_newest_twenty_is_not_looked_at,
    the_next_time_is_told_in_both_zones,
}

/// Each day at six in the evening in Amsterdam.
const RULES: &str = r#"
    voters = ["alice", "bella"]
    [[author]]
    name = "daily"
    authors = ["bob"]
    weight = "50%"
    schedule = { cron = "0 18 * * *", timezone = "Europe/Amsterdam" }
    "#;

/// A site with posts by Bob, a minute between them; the last is an hour old.
async fn site_with_posts<'a, const N: usize>(
    database: &'a Database,
    kind: ChainKind,
    permlinks: [&str; N],
) -> (Installation<'a>, [PostId; N]) {
    let now = Clock::system().now();
    let mut config = SandboxConfig::every(kind, Duration::from_millis(200));
    config.first_time = Some(now - TimeDelta::hours(3));
    let mut site = Installation::with(database, config).await;
    site.set("network.vote_interval", "0s");
    let minutes = i32::try_from(N).unwrap();
    let mut at = now - TimeDelta::hours(1) - TimeDelta::minutes(1) * minutes;
    let posts = permlinks.map(|permlink| {
        let post = site.sandbox.publish("bob", permlink);
        at += TimeDelta::minutes(1);
        site.sandbox.produce_block_at(at);
        post
    });
    site.rules("daily.toml", RULES);
    site.voters(&["alice", "bella"]).await;
    (site, posts)
}

/// The next six o'clock in Amsterdam.
fn next_time() -> DateTime<Utc> {
    let now = Clock::system().now();
    let schedule = curatord::rules::rule::Schedule {
        cron: "0 18 * * *".to_owned(),
        timezone: chrono_tz::Europe::Amsterdam,
    };
    let timetable = curatord::rules::schedule::Timetable::new(&schedule);
    timetable.unwrap().next(now).unwrap()
}

fn millis(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn why(line: &Value) -> &str {
    line["why"].as_str().unwrap()
}

async fn the_newest_post_not_voted_on_yet_has_the_vote(database: &Database) {
    let (site, [older, newer]) =
        site_with_posts(database, ChainKind::Hive, ["older", "newer"]).await;
    let next = next_time();
    let lines = explain(&site, &newer, &[]).await;
    assert_eq!(lines.len(), 2);
    for line in &lines {
        assert_eq!(line["verdict"], "would_vote", "{line}");
        assert_eq!(line["at"], millis(next));
        assert!(why(line).ends_with("no newer post comes first"), "{line}");
    }
    let lines = explain(&site, &older, &["--voter", "bella"]).await;
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["verdict"], "no");
    assert_eq!(lines[0]["condition"], "schedule");
    let wanted = format!("{newer} of ");
    assert!(why(&lines[0]).starts_with(&wanted), "{}", lines[0]);
    assert!(why(&lines[0]).contains(" is newer and comes first at "));
}

async fn a_vote_of_the_voter_makes_room_for_the_next_older_post(database: &Database) {
    let (site, [older, newer]) =
        site_with_posts(database, ChainKind::Hive, ["older", "newer"]).await;
    // By hand, on the chain; and a row of the table.
    let daemon = site.start().await;
    site.sandbox.vote("alice", &newer, 1_000).unwrap();
    site.next_block_is_read().await;
    let asked = site
        .run(&[
            "vote",
            &newer.to_string(),
            "--voter",
            "bella",
            "--weight",
            "5%",
        ])
        .await;
    assert_eq!(asked.code, Some(0), "{asked:?}");
    site.row_is("bella", &newer, Status::Confirmed).await;
    for (post, verdict, condition) in [
        (&newer, "no", "by hand"),
        (&older, "would_vote", "schedule"),
    ] {
        let lines = explain(&site, post, &[]).await;
        assert_eq!(lines.len(), 2);
        for line in lines {
            assert_eq!(line["verdict"], verdict, "{line}");
            assert_eq!(line["condition"], condition, "{line}");
        }
    }
    daemon.stop().await;
}

async fn steem_tells_of_the_newest_posts_too(database: &Database) {
    let (site, [older, newer]) =
        site_with_posts(database, ChainKind::Steem, ["older", "newer"]).await;
    let lines = explain(&site, &newer, &["--voter", "alice"]).await;
    assert_eq!(lines[0]["verdict"], "would_vote", "{}", lines[0]);
    let lines = explain(&site, &older, &["--voter", "alice"]).await;
    assert!(why(&lines[0]).contains("is newer and comes first"));
}

async fn a_post_beyond_the_newest_twenty_is_not_looked_at(database: &Database) {
    let names: [String; 21] = std::array::from_fn(|number| format!("post-{number}"));
    let permlinks = names.each_ref().map(String::as_str);
    let (site, posts) = site_with_posts(database, ChainKind::Hive, permlinks).await;
    let lines = explain(&site, &posts[0], &["--voter", "alice"]).await;
    assert_eq!(lines[0]["verdict"], "no");
    let wanted = "it is not among the newest 20 posts of @bob, ";
    assert!(why(&lines[0]).starts_with(wanted), "{}", lines[0]);
    let lines = explain(&site, &posts[1], &["--voter", "alice"]).await;
    let wanted = format!("{} of ", posts[20]);
    assert!(why(&lines[0]).starts_with(&wanted), "{}", lines[0]);
}

async fn the_next_time_is_told_in_both_zones(database: &Database) {
    let (site, [post]) = site_with_posts(database, ChainKind::Hive, ["a-post"]).await;
    let next = next_time();
    let post = post.to_string();
    let said = site.run(&["explain", &post, "--voter", "alice"]).await;
    let local = next.with_timezone(&chrono_tz::Europe::Amsterdam);
    let wanted = format!(
        "\n  daily.toml:daily  yes  schedule: 50% at {} 18:00:00 in Europe/Amsterdam ({} UTC), the next time of `0 18 * * *`; ",
        local.format("%F"),
        next.format("%F %T"),
    );
    assert!(said.out.contains(&wanted), "{}", said.out);
    // As if it were then: the next time is a day later.
    let then = millis(next);
    let said = site.run(&["explain", &post, "--at", &then]).await;
    let tomorrow = local.date_naive().succ_opt().unwrap();
    let wanted = format!("schedule: 50% at {tomorrow} 18:00:00 in Europe/Amsterdam");
    assert!(said.out.contains(&wanted), "{}", said.out);
}
