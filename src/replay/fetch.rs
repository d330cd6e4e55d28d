//! Blocks from the nodes, range by range.

use std::ops::RangeInclusive;
use std::time::Duration;

use tokio::time::sleep;

use crate::chain::block::Block;
use crate::chain::nodes::{Nodes, NodesError};

/// Blocks asked for at once: about 1 to 10 MB.
const RANGE: u32 = 100;
/// A range that no node answers is asked for so often in all, with growing pauses.
const TRIES: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Why blocks could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error("block {num} was not fetched: {error}")]
    Nodes { num: u32, error: NodesError },
    #[error("the nodes have no block {0}: it is not there yet")]
    NotThere(u32),
}

/// Hands the blocks of `range` to `take`, each once and in order.
///
/// # Errors
/// When no node answers for half a minute, or the chain ends before the range does.
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
            return Err(FetchError::NotThere(next));
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
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRIES {
        match nodes.blocks(from, count).await {
            Ok(blocks) => return Ok(blocks),
            Err(error) => {
                let wait = error.retry_after().unwrap_or(pause).max(pause);
                tracing::warn!(wait_s = wait.as_secs(), "{error}");
                sleep(wait).await;
                pause *= 2;
            }
        }
    }
    nodes
        .blocks(from, count)
        .await
        .map_err(|error| FetchError::Nodes { num: from, error })
}
