//! One vote of a leader, 5,000 followers: how long until the last of their requests, beside a bare loop that
//! posts as many requests to the same signer with as many in flight. `cargo bench --bench fan_out`; with
//! `CURATORD_BENCH_MYSQL=mysql://…` on that database instead of SQLite.

#![allow(clippy::print_stdout, reason = "a bench tells what it measured")]

mod setup;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use curatord::account::Account;
use curatord::post::PostId;
use curatord::sandbox::requests::Request;
use curatord::votes::status::Status;
use curatord::votes::vote::Vote;
use setup::{Bench, millis, per_second, rows_until, spread};
use tokio::sync::mpsc;

const FOLLOWERS: usize = 5_000;
const ROUNDS: usize = 5;
/// In hundredths of a percent: small, so that nobody runs out of mana.
const WEIGHT: i16 = 100;
const BLOCK_INTERVAL: Duration = Duration::from_secs(3);

/// Two leaders: of one the votes are due as soon as they are seen, of the other somewhat later.
const LEADERS: [(&str, i64); 2] = [("leader.now", 0), ("leader.later", 2)];

fn main() -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(run())
}

async fn run() -> anyhow::Result<()> {
    let voters: Vec<String> = (0..FOLLOWERS)
        .map(|number| format!("v{number:05}"))
        .collect();
    let mut rules = format!("voters = [\"{}\"]\n", voters.join("\", \""));
    for (leader, delay) in LEADERS {
        rules += &format!(
            "[[trail]]\nleaders = [\"{leader}\"]\nweight = \"1%\"\ndelay = \"{delay}s\"\n"
        );
    }
    let mut bench = Bench::start(&rules, voters, BLOCK_INTERVAL).await?;
    bench.add_strangers((0..FOLLOWERS).map(|number| format!("w{number:05}")));
    println!(
        "fan_out: {FOLLOWERS} followers, {} requests in flight, {}",
        bench.config.signer.max_in_flight,
        bench.database()
    );
    // The bare loop comes once in each round, so that a machine that is busy for a while is so for both.
    let mut ratios = vec![Vec::new(); LEADERS.len()];
    bench
        .with_daemon(async |rows| {
            for round in 1..=ROUNDS {
                let bare = bare(&bench, round).await?;
                for (index, (leader, delay)) in LEADERS.into_iter().enumerate() {
                    let rate = follow(&bench, rows, leader, delay, round).await?;
                    ratios[index].push(100.0 * rate / bare);
                }
            }
            Ok(())
        })
        .await?;
    for ((_, delay), ratios) in LEADERS.into_iter().zip(&mut ratios) {
        ratios.sort_by(f64::total_cmp);
        let middle = ratios[ratios.len() / 2];
        println!(
            "delay {delay} s: {middle:.0} % of the speed of the bare loop in the same round (median)"
        );
    }
    Ok(())
}

/// The bare loop: one request for each follower.
async fn bare(bench: &Bench, round: usize) -> anyhow::Result<f64> {
    let post = new_post(bench, &format!("bare-{round}")).await?;
    let used = processor_millis();
    let start = bench.clock.exact();
    let votes = (FOLLOWERS..2 * FOLLOWERS).map(|voter| (voter, post.clone(), start));
    bench
        .bare(votes.collect(), WEIGHT, bench.config.signer.max_in_flight)
        .await?;
    let used = processor_millis() - used;
    let arrivals = bench.arrivals(|on| *on == post);
    let rate = print(&format!("bare loop, round {round}"), &arrivals, start);
    println!(
        "{:20} {used:.0} ms of processor time, the signer's included",
        ""
    );
    Ok(rate)
}

/// A leader's vote and what follows; returns votes per second.
async fn follow(
    bench: &Bench,
    rows: &mut mpsc::Receiver<Vote>,
    leader: &str,
    delay: i64,
    round: usize,
) -> anyhow::Result<f64> {
    let post = new_post(bench, &format!("{}-{round}", leader.replace('.', "-"))).await?;
    let used = processor_millis();
    bench.sandbox.vote(leader, &post, 10_000).ok();
    let vote = bench
        .sandbox
        .wait_for_vote(leader, &post, Duration::from_secs(10))
        .await;
    let due = vote.map_or(bench.clock.now(), |vote| vote.block_time) + TimeDelta::seconds(delay);
    let (mut written, mut confirmed) = (0, 0);
    let mut last_cast_row = due;
    rows_until(rows, |row| {
        if row.key.post != post {
            return false;
        }
        written += 1;
        match row.status {
            Status::Cast => last_cast_row = bench.clock.exact(),
            Status::Confirmed => confirmed += 1,
            _ => {}
        }
        confirmed == FOLLOWERS
    })
    .await?;
    let arrivals = bench.arrivals(|on| *on == post);
    let rate = print(&format!("delay {delay} s, round {round}"), &arrivals, due);
    println!(
        "{:20} {written} rows written, the last outcome {:.0} ms after due; {:.0} ms of processor time until all \
         were confirmed",
        "",
        millis(last_cast_row - due),
        processor_millis() - used,
    );
    Ok(rate)
}

fn print(what: &str, arrivals: &[Request], due: DateTime<Utc>) -> f64 {
    let late = |request: &Request| millis(request.arrived - due);
    let (Some(first), Some(last)) = (arrivals.first(), arrivals.last()) else {
        return f64::NAN;
    };
    let rate = per_second(arrivals.len(), first.arrived, last.arrived);
    println!(
        "{what:20} {:5} requests   {rate:6.0}/s   {}   first {:.1} ms",
        arrivals.len(),
        spread(arrivals.iter().map(late).collect()),
        late(first)
    );
    rate
}

/// Processor time that this process has used so far, in milliseconds; on Linux only. Unlike the clock it does
/// not run faster where other programs keep the machine busy.
fn processor_millis() -> f64 {
    let ticks = || {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        let (_, fields) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let number = |index: usize| fields.get(index)?.parse::<f64>().ok();
        // User and system time, in hundredths of a second.
        Some(number(11)? + number(12)?)
    };
    ticks().map_or(f64::NAN, |ticks| ticks * 10.0)
}

/// A post that is in a block.
async fn new_post(bench: &Bench, permlink: &str) -> anyhow::Result<PostId> {
    // Another in every run: a database that stays has the votes of earlier ones.
    let permlink = format!("{permlink}-{}", bench.clock.now().timestamp());
    let post = bench.sandbox.publish("author", &permlink);
    let there = |chain: &curatord::sandbox::chain::Chain| chain.post(&post).map(drop);
    bench.sandbox.wait_for(Duration::from_secs(10), there).await;
    Ok(PostId::new(Account::parse("author")?, &permlink))
}
