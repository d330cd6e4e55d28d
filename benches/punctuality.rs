//! 50 votes due each second for 20 seconds, 20 ms apart, of 1,000 voters: how late do their requests leave, and
//! how late do they arrive, beside a bare loop with the same moments. `cargo bench --bench punctuality`; with
//! `CURATORD_BENCH_MYSQL=mysql://…` on that database instead of SQLite.

#![allow(clippy::print_stdout, reason = "a bench tells what it measured")]

mod setup;

use std::collections::HashMap;
use std::time::Duration;

use chrono::TimeDelta;
use curatord::account::Account;
use curatord::post::{PostId, VoteKey};
use curatord::votes::status::Status;
use setup::{Bench, millis, per_second, rows_until, spread};

const SECONDS: usize = 20;
const PER_SECOND: usize = 50;
const VOTES: usize = SECONDS * PER_SECOND;
/// From one vote to the next.
const APART: TimeDelta = TimeDelta::milliseconds(20);
/// From a post to the first vote on it.
const DELAY: TimeDelta = TimeDelta::seconds(5);
const BLOCK_INTERVAL: Duration = Duration::from_secs(1);

fn main() -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(run())
}

async fn run() -> anyhow::Result<()> {
    let voters: Vec<String> = (0..VOTES).map(|number| format!("v{number:05}")).collect();
    let bench = Bench::start(&rules(&voters), voters, BLOCK_INTERVAL).await?;
    println!(
        "punctuality: {PER_SECOND} votes a second for {SECONDS} s, {VOTES} voters and rules, {}",
        bench.database()
    );
    bare(&bench).await?;
    bench
        .with_daemon(async |rows| {
            let run = bench.clock.now().timestamp();
            let publish = async {
                for second in 0..SECONDS {
                    bench
                        .sandbox
                        .publish(&author(second), &format!("post-{run}"));
                    tokio::time::sleep(BLOCK_INTERVAL).await;
                }
            };
            let mut left = HashMap::new();
            let count = rows_until(rows, |row| {
                if row.status == Status::Cast {
                    let due_at = row.ask().due_at;
                    left.insert(row.key, (due_at, row.cast_at.unwrap_or_default()));
                }
                left.len() == VOTES
            });
            tokio::join!(publish, count).1?;
            let arrivals = bench.arrivals(|post| post.permlink.starts_with("post-"));
            let late = arrivals.iter().filter_map(|request| {
                let key = VoteKey {
                    voter: request.voter.clone()?,
                    post: request.vote.clone()?.0,
                };
                let (due, _) = left.get(&key)?;
                Some(millis(request.arrived - *due))
            });
            let late: Vec<f64> = late.collect();
            let rate = per_second(
                late.len() - 1,
                arrivals[0].arrived,
                arrivals[late.len() - 1].arrived,
            );
            println!(
                "daemon    left     {}   {rate:.1} votes/s",
                spread(
                    left.values()
                        .map(|(due, left)| millis(*left - *due))
                        .collect()
                )
            );
            println!("daemon    arrived  {}", spread(late));
            Ok(())
        })
        .await
}

/// In each second another author publishes, and has 50 voters with a rule each.
fn rules(voters: &[String]) -> String {
    let rule = |(number, voter): (usize, &String)| {
        let (second, place) = (number / PER_SECOND, number % PER_SECOND);
        let delay = (DELAY + APART * place as i32).num_milliseconds();
        format!(
            "[[author]]\nvoters = [\"{voter}\"]\nauthors = [\"{}\"]\nweight = \"1%\"\ndelay = \"{}s {}ms\"\n",
            author(second),
            delay / 1000,
            delay % 1000,
        )
    };
    voters.iter().enumerate().map(rule).collect()
}

fn author(second: usize) -> String {
    format!("author{second}")
}

/// The same requests at the same moments, and no more.
async fn bare(bench: &Bench) -> anyhow::Result<()> {
    let post = bench.sandbox.publish("author0", "bare");
    let there = |chain: &curatord::sandbox::chain::Chain| chain.post(&post).map(drop);
    bench.sandbox.wait_for(Duration::from_secs(10), there).await;
    let start = bench.clock.exact() + TimeDelta::milliseconds(100);
    let due = |number: usize| start + APART * number as i32;
    let votes = (0..VOTES).map(|voter| (voter, post.clone(), due(voter)));
    bench
        .bare(votes.collect(), 100, bench.config.signer.max_in_flight)
        .await?;
    let arrivals = bench.arrivals(|on| *on == PostId::new(Account::from_chain("author0"), "bare"));
    let number = |voter: &Option<Account>| voter.as_ref()?.as_str()[1..].parse().ok();
    let late = arrivals
        .iter()
        .filter_map(|request| Some(millis(request.arrived - due(number(&request.voter)?))));
    let rate = per_second(VOTES - 1, arrivals[0].arrived, arrivals[VOTES - 1].arrived);
    println!(
        "bare loop arrived  {}   {rate:.1} requests/s",
        spread(late.collect())
    );
    Ok(())
}
