//! Fetches ranges of blocks from nodes.

use std::ops::RangeInclusive;
use std::time::Duration;

use tokio::time::sleep;

use crate::backoff::Backoff;
use crate::chain::block::Block;
use crate::chain::nodes::{Nodes, NodesError};

/// Number of blocks per request: about 1 to 10 MB.
const RANGE: u32 = 100;
/// Attempts at a range that no node answers, with growing delays between them.
const TRIES: u32 = 5;
/// Delay after the first attempt.
const FIRST_DELAY: Duration = Duration::from_secs(1);
/// Longest delay between two attempts.
const LONGEST_DELAY: Duration = Duration::from_secs(8);

/// Why blocks could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No node returned the block.
    #[error("block {num} could not be fetched: {error}")]
    Nodes {
        /// Number of the block.
        num: u32,
        /// The error of each node.
        error: NodesError,
    },
    /// The chain has no block with this number yet.
    #[error("the nodes have no block {0}: it has not been produced yet")]
    NotProduced(u32),
}

/// Passes the blocks of `range` to `take`, each once and in order.
///
/// # Errors
/// No node answers for about half a minute, or the chain ends before the range.
pub async fn fetch(
    nodes: &Nodes,
    range: RangeInclusive<u32>,
    mut take: impl FnMut(&Block),
) -> Result<(), FetchError> {
    let (first, last) = range.into_inner();
    let mut next = first;
    while next <= last {
        let blocks = try_range(nodes, next, (last - next).saturating_add(1).min(RANGE)).await?;
        if blocks.is_empty() {
            return Err(FetchError::NotProduced(next));
        }
        for block in blocks {
            let Some(after) = block.num.checked_add(1) else {
                return Ok(());
            };
            next = after;
            take(&block);
        }
    }
    Ok(())
}

async fn try_range(nodes: &Nodes, from: u32, count: u32) -> Result<Vec<Block>, FetchError> {
    let mut backoff = Backoff::new(FIRST_DELAY, LONGEST_DELAY);
    let mut tries = 1;
    loop {
        match nodes.blocks(from, count).await {
            Err(error) if tries < TRIES => {
                let delay = backoff.next(fastrand::f64());
                let wait = error.retry_after().map_or(delay, |asked| asked.max(delay));
                tracing::warn!(wait_s = wait.as_secs(), "{error}");
                sleep(wait).await;
                tries += 1;
            }
            answer => return answer.map_err(|error| FetchError::Nodes { num: from, error }),
        }
    }
}
