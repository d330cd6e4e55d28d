//! The story of the demo: every example rule votes, and some votes are skipped or withdrawn.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use chrono::TimeDelta;
use tokio::time::sleep;

use crate::clock::Clock;
use crate::post::PostId;
use crate::sandbox::Sandbox;
use crate::sandbox::chain::Chain;

/// Accounts that vote by the rules.
pub const VOTERS: [&str; 2] = ["alice", "alice.art"];
/// File that is changed while the daemon runs, its old text, and its new text.
const CHANGED: (&str, &str, &str) = ("favourites.toml", "weight = \"50%\"", "weight = \"25%\"");

/// Maximum time to wait for a block, including delays on a busy computer.
const NEXT_BLOCK: Duration = Duration::from_secs(5);

/// Posts published before the daemon starts, which only trails vote on.
#[derive(Debug)]
pub struct Past {
    by_bob: PostId,
    by_erin: PostId,
    by_frank: PostId,
    by_mallory: PostId,
}

impl Past {
    /// Publishes the posts an hour ago.
    pub fn publish(sandbox: &Sandbox, clock: Clock) -> Self {
        let past = Self {
            by_bob: sandbox.publish("bob", "on-old-maps"),
            by_erin: sandbox.publish("erin", "my-garden"),
            by_frank: sandbox.publish("frank", "fresh-bread"),
            by_mallory: sandbox.publish("mallory", "buy-now"),
        };
        sandbox.produce_block_at(clock.now() - TimeDelta::hours(1));
        sandbox.produce_block();
        past
    }
}

/// Plays the story in about 20 seconds. `rules` is the folder of rule files.
///
/// # Errors
/// A rule file cannot be changed.
pub async fn play(sandbox: &Sandbox, past: &Past, rules: &Path) -> anyhow::Result<()> {
    // The chain may refuse a vote, for example the same vote twice.
    let vote = |voter: &str, post: &PostId, percent: i16| {
        let _ = sandbox.vote(voter, post, percent * 100);
    };
    vote("art.guild", &past.by_bob, 80);
    vote("curie", &past.by_erin, 60);
    let walk = sandbox.publish("bob", "a-walk-by-the-sea");
    sleep(Duration::from_secs(2)).await;
    sandbox.publish("photo.daily", "first-light");
    sleep(Duration::from_secs(1)).await;
    vote("spam.watch", &past.by_mallory, -100);
    // A leader retracts a vote before the followers' votes are due.
    vote("curie", &past.by_frank, 100);
    sandbox
        .wait_for_vote("curie", &past.by_frank, NEXT_BLOCK)
        .await;
    vote("curie", &past.by_frank, 0);
    sleep(Duration::from_secs(2)).await;
    sandbox.edit(&walk, "Words and pictures, and one typing error less.");
    // A voter votes by hand before the daemon does.
    let bridges = sandbox.publish("carol", "old-bridges");
    in_a_block(sandbox, &bridges).await;
    vote("alice", &bridges, 100);
    sleep(Duration::from_secs(4)).await;
    let harbour = sandbox.publish("bob", "the-harbour-at-night");
    sandbox.publish("dave", "a-quiet-street");
    in_a_block(sandbox, &harbour).await;
    sleep(Duration::from_secs(1)).await;
    let (file, was, is) = CHANGED;
    let path = rules.join(file);
    let change = || {
        let text = std::fs::read_to_string(&path)?;
        std::fs::write(&path, text.replacen(was, is, 1))
    };
    change().with_context(|| format!("cannot change {}", path.display()))
}

/// Waits until a post is published.
async fn in_a_block(sandbox: &Sandbox, post: &PostId) {
    let there = |chain: &Chain| chain.post(post).map(|_| ());
    sandbox.wait_for(NEXT_BLOCK, there).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::demo::examples;

    #[test]
    fn the_weight_that_the_story_changes_is_in_the_example() {
        let (file, was, _) = CHANGED;
        let example = examples::FILES.iter().find(|(name, _)| *name == file);
        let (_, text) = example.unwrap();
        assert!(text.contains(was));
    }
}
