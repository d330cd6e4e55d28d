//! A replay over the blocks of a run plans what the daemon planned while they were made.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{SecondsFormat, TimeDelta, Timelike};
use curatord::clock::Clock;
use curatord::post::PostId;
use curatord::sandbox::NewPost;
use curatord::votes::status::{Origin, Status};
use curatord::votes::vote::Vote;
use fastrand::Rng;
use serde_json::Value;

use crate::harness::{Database, Installation, on_each_database, within};

on_each_database! {
    every_kind_of_rule_plans_the_same_votes,
    random_rules_and_events_plan_the_same_votes,
}

const VOTERS: [&str; 3] = ["alice", "amy", "ann"];
const LEADERS: [&str; 3] = ["curie", "ocd", "guild"];
/// One of the voters writes, too.
const AUTHORS: [&str; 4] = ["bob", "carol", "dave", "alice"];
/// From the first event to the last vote, with time to spare.
const LONGEST: Duration = Duration::from_secs(60);

/// Everything but what is in doubt between the two: a schedule's votes name the newest block.
fn told(row: &Vote) -> String {
    let block = match row.ask().origin {
        Origin::Schedule => 0,
        _ => row.ask().block,
    };
    line(
        row.key.voter.as_str(),
        &row.key.post.to_string(),
        row.ask().weight.hundredths().into(),
        &row.ask()
            .due_at
            .to_rfc3339_opts(SecondsFormat::Millis, true),
        row.ask().rule.as_str(),
        block.into(),
    )
}

fn line(voter: &str, post: &str, weight: i64, due: &str, rule: &str, block: u64) -> String {
    format!("{voter} {post} {weight} {due} {rule} {block}")
}

/// The rows of all voters on `posts`.
async fn rows(site: &Installation<'_>, posts: &[PostId]) -> Vec<Vote> {
    let mut rows = Vec::new();
    for voter in VOTERS {
        for post in posts {
            rows.extend(site.row(voter, post).await);
        }
    }
    rows
}

/// Waits until nothing is queued any more, and compares what was cast with a replay of all blocks.
async fn agrees_with_a_replay(site: &Installation<'_>, posts: &[PostId], what: &str) {
    site.reads_up_to_now().await;
    let settled = within(LONGEST, async || {
        let rows = rows(site, posts).await;
        let open = |row: &Vote| matches!(row.status, Status::Queued | Status::Cast);
        (!rows.iter().any(open)).then_some(rows)
    });
    let Some(rows) = settled.await else {
        panic!("{what}: {:#?}", rows(site, posts).await)
    };
    let cast = rows.iter().filter(|row| row.status == Status::Confirmed);
    let cast: BTreeSet<String> = cast.map(told).collect();
    let scheduled: BTreeSet<String> = rows
        .iter()
        .filter(|row| row.ask().origin == Origin::Schedule)
        .map(|row| row.ask().rule.to_string())
        .collect();

    let (first, last) = site.sandbox.with_chain(|chain| {
        let first = chain.blocks().first().unwrap().num;
        (first.to_string(), chain.head().num.to_string())
    });
    let mut replay = tokio::process::Command::from(site.command());
    replay.args(["replay", "--format", "json"]);
    replay.args(["--from", &first, "--to", &last]);
    let output = replay.output().await.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {errors}");
    let replayed = std::str::from_utf8(&output.stdout).unwrap().lines();
    let replayed = replayed.map(|json| {
        let vote: Value = serde_json::from_str(json).unwrap();
        let text = |key: &str| vote[key].as_str().unwrap();
        let block = vote["block"].as_u64().unwrap();
        let of_schedule = scheduled.contains(text("rule"));
        line(
            text("voter"),
            &format!("@{}/{}", text("author"), text("permlink")),
            vote["weight"].as_i64().unwrap(),
            text("due"),
            text("rule"),
            if of_schedule { 0 } else { block },
        )
    });
    let replayed: BTreeSet<String> = replayed.collect();
    assert!(!cast.is_empty(), "{what}: nothing was cast, {rows:#?}");
    if cast != replayed {
        let only = |left: &BTreeSet<String>, right| -> Vec<String> {
            left.difference(right).cloned().collect()
        };
        panic!(
            "{what}\nonly the daemon: {:#?}\nonly the replay: {:#?}\n{rows:#?}",
            only(&cast, &replayed),
            only(&replayed, &cast),
        );
    }
}

async fn every_kind_of_rule_plans_the_same_votes(database: &Database) {
    let site = Installation::new(database).await;
    let strikes = Clock::system().now() + TimeDelta::seconds(20);
    let cron = format!(
        "{} {} {} * * *",
        strikes.second(),
        strikes.minute(),
        strikes.hour()
    );
    site.rules(
        "1-trails.toml",
        r#"
        voters = ["alice"]
        [[trail]]
        name = "art"
        leaders = ["curie"]
        weight = { scale = "50%" }
        tags = { any = ["art"] }
        delay = "9s"
        [[trail]]
        name = "everything"
        leaders = ["curie"]
        weight = "10%"
        kind = "all"
        delay = "8s"
        [[trail]]
        name = "two"
        voters = ["ann"]
        leaders = ["curie", "ocd"]
        agree = 2
        downvotes = "follow"
        weight = { max = "30%" }
        delay = "8s"
        "#,
    );
    site.rules(
        "2-authors.toml",
        &format!(
            r#"
            voters = ["amy"]
            [[author]]
            name = "limited"
            authors = ["bob"]
            weight = "50%"
            delay = "10s"
            limit = {{ per_day = 2 }}
            [[author]]
            name = "anyone"
            authors = "*"
            tags = {{ any = ["photo"] }}
            text = {{ none = ["giveaway"] }}
            weight = "5%"
            delay = "11s"
            [[author]]
            name = "daily"
            voters = ["ann"]
            authors = ["dave"]
            weight = "100%"
            schedule = {{ cron = "{cron}" }}
            "#
        ),
    );
    site.voters(&VOTERS).await;
    let daemon = site.start().await;
    let art = NewPost {
        tags: vec!["art".to_owned()],
        ..NewPost::new("carol", "art")
    };
    let giveaway = NewPost {
        title: "A Giveaway".to_owned(),
        ..NewPost::new("carol", "giveaway")
    };
    let mut posts: Vec<PostId> = ["first", "second", "third"]
        .map(|permlink| site.sandbox.publish("bob", permlink))
        .to_vec();
    posts.extend([&art, &giveaway].map(|new| site.sandbox.publish_post(new)));
    posts.extend(["older", "newer"].map(|permlink| site.sandbox.publish("dave", permlink)));
    site.next_block_is_read().await;
    let votes = [
        ("curie", &posts[3], 6_000),
        ("curie", &posts[4], 6_000),
        ("curie", &posts[5], -6_000),
        ("ocd", &posts[5], -10_000),
        ("ocd", &posts[3], -10_000),
        ("amy", &posts[6], 100),
    ];
    for (voter, post, weight) in votes {
        site.sandbox.vote(voter, post, weight).unwrap();
    }
    site.sandbox.edit(&posts[0], "Other words.");
    site.next_block_is_read().await;
    site.is_now(strikes + TimeDelta::seconds(2)).await;
    agrees_with_a_replay(&site, &posts, "every kind").await;
    let newest = site.row_is("ann", &posts[6], Status::Confirmed).await;
    assert_eq!(newest.ask().origin, Origin::Schedule);
    daemon.stop().await;
}

async fn random_rules_and_events_plan_the_same_votes(database: &Database) {
    let seed = fastrand::u64(..);
    let mut random = Rng::with_seed(seed);
    let site = Installation::new(database).await;
    let mut all = String::new();
    for file in ["a.toml", "b.toml", "sub.toml"] {
        let rules: String = (0..random.usize(2..6))
            .map(|_| random_rule(&mut random))
            .collect();
        site.rules(file, &rules);
        all += &format!("# {file}\n{rules}");
    }
    // So that something is cast whatever chance has made.
    site.rules(
        "z.toml",
        "[[author]]\nvoters = ['amy']\nauthors = ['bob', 'carol', 'dave', 'alice']\nweight = '1%'\nkind = 'all'\ndelay = '10s'\n",
    );
    let what = format!("seed {seed}\n{all}");
    site.voters(&VOTERS).await;
    let daemon = site.start().await;

    let mut posts = Vec::new();
    for number in 0..8 {
        let author = some(&mut random, &AUTHORS);
        posts.push(site.sandbox.publish_post(&NewPost {
            category: some(&mut random, &["photo", "hive-100"]).to_owned(),
            title: some(&mut random, &["A Giveaway", "My garden"]).to_owned(),
            body: some(&mut random, &["One two three.", "Short."]).to_owned(),
            tags: vec![some(&mut random, &["art", "photo", "food"]).to_owned()],
            declines_payout: random.u8(..) < 40,
            ..NewPost::new(author, &format!("post-{number}"))
        }));
    }
    site.next_block_is_read().await;
    for round in 0..3 {
        for _ in 0..10 {
            let post = random.choice(&posts).unwrap().clone();
            // What the chain refuses did not happen.
            let _ = match random.u8(..10) {
                0 => site.sandbox.vote(some(&mut random, &VOTERS), &post, 100),
                1 => {
                    site.sandbox.edit(&post, "Other words, and more.");
                    Ok(())
                }
                _ => {
                    let weight = some(&mut random, &[10_000, 5_000, 300, -5_000, 0]);
                    let leader = some(&mut random, &LEADERS);
                    site.sandbox.vote(leader, &post, weight)
                }
            };
        }
        if round < 2 {
            site.next_block_is_read().await;
        }
    }
    site.next_block_is_read().await;
    agrees_with_a_replay(&site, &posts, &what).await;
    daemon.stop().await;
}

fn some<T: Copy>(random: &mut Rng, choices: &[T]) -> T {
    choices[random.usize(..choices.len())]
}

/// A rule whose votes are due when all has happened that happens, so that both see the same.
fn random_rule(random: &mut Rng) -> String {
    let is_trail = random.bool();
    let list = |random: &mut Rng, names: &[&str]| {
        let count = random.usize(1..=names.len());
        format!("{:?}", random.choose_multiple(names, count))
    };
    let voters = list(random, &VOTERS);
    let authors = list(random, &AUTHORS);
    let leaders = list(random, &LEADERS);
    let delay = random.u32(8..12);
    let mut rule = match is_trail {
        true => format!("[[trail]]\nvoters = {voters}\nleaders = {leaders}\n"),
        false => format!("[[author]]\nvoters = {voters}\nauthors = {authors}\n"),
    };
    rule += &format!("delay = '{delay}s'\n");
    rule += match (is_trail, random.bool()) {
        (true, true) => "weight = { scale = '50%', offset = '1%', max = '40%' }\n",
        (_, _) => "weight = '30%'\n",
    };
    let filters = [
        "tags = { any = ['art', 'food'] }",
        "tags = { none = ['food'] }",
        "text = { none = ['giveaway'] }",
        "words = { min = 2 }",
        "communities = { any = ['hive-100'] }",
        "payout = { declined = true }",
    ];
    let both = [
        "limit = { per_day = 2 }",
        "limit = { per_author_per_week = 1 }",
        "self_votes = true",
        "enabled = false",
    ];
    let trail = [
        "downvotes = 'follow'",
        "downvotes = 'only'",
        "min_leader_weight = '5%'",
        "agree = 2",
        "except = ['bob']",
    ];
    let mut keys = random.choose_multiple(both, 1);
    keys.extend(match is_trail {
        true => random.choose_multiple(trail, 2),
        false => Vec::new(),
    });
    keys.extend(random.choose_multiple(filters, 2));
    let mut taken = BTreeSet::new();
    for key in keys {
        let name = key.split(' ').next().unwrap();
        // Nobody agrees where there is one leader.
        let agrees = name != "agree" || leaders.contains(',');
        if agrees && taken.insert(name) {
            rule += &format!("{key}\n");
        }
    }
    rule
}
