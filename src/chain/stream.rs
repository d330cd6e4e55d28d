//! Follows the chain: reports each block once and in order, and which blocks are undone.
//!
//! At the head, the stream requests the next block by number when it is expected; far behind, it
//! requests ranges. It derives the expected time from timestamps, not from block numbers, since
//! witnesses miss slots. If a node does not have a block yet, the stream waits. Only a block that
//! does not follow the last one is a fork.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::chain::answers::Head;
use crate::chain::block::Block;
use crate::chain::nodes::{Nodes, NodesError};
use crate::chain::pace::Pace;
use crate::chain::recent::RecentBlocks;
use crate::clock::Clock;
use crate::network::Follow;

/// Distance to the head, in blocks, above which ranges are requested.
const RANGE_THRESHOLD: u32 = 3;

/// Most blocks in a range, about 1 to 10 MB.
const MAX_RANGE: u32 = 100;

/// Blocks in a range after repeated errors, for slow connections.
const MIN_RANGE: u32 = 10;

/// Blocks between two requests for the head, which shows the irreversible block and lagging nodes.
const HEAD_CHECK_BLOCKS: u32 = 4;

/// Time without a block after which a warning is logged.
const STALL_WARNING_AFTER: Duration = Duration::from_secs(60);

/// An event of the chain. Events come in order.
#[derive(Debug, Clone, PartialEq)]
pub enum ChainEvent {
    /// The block after the last one.
    Block(Arc<Block>),
    /// The blocks above number `above` were undone. The next block is the one after it.
    Undo {
        /// The newest block that stands.
        above: u32,
    },
    /// The blocks up to this number can no longer be undone. They were all read.
    Irreversible(u32),
}

/// How to follow the chain.
#[derive(Debug, Clone)]
pub struct StreamConfig {
    /// Which blocks to follow.
    pub follow: Follow,
    /// Time between two blocks, 3 s on both chains.
    pub block_interval: Duration,
    /// Where to begin.
    pub start: StreamStart,
}

/// The first block to read.
#[derive(Debug, Clone)]
pub enum StreamStart {
    /// The block after the newest of these, which were read before. Without any, as `Head`.
    After(RecentBlocks),
    /// The block with this number.
    At(u32),
    /// The newest block, or the newest irreversible block if only those are followed.
    Head,
}

/// The receiver of the events was dropped.
#[derive(Debug, thiserror::Error)]
#[error("the receiver of blocks is gone")]
pub struct ReceiverGone;

/// Follows the chain until `cancel` and sends its events to `out`. Waits while no node answers.
///
/// # Errors
/// If the receiver of the events was dropped.
pub async fn run(
    nodes: Nodes,
    config: StreamConfig,
    clock: Clock,
    out: mpsc::Sender<ChainEvent>,
    cancel: CancellationToken,
) -> Result<(), ReceiverGone> {
    let pace = Pace::new(config.block_interval, clock);
    let work = async {
        let mut backoff = pace.backoff();
        let head = loop {
            match nodes.head().await {
                Ok(head) => break head,
                Err(error) => wait_after(&error, &mut backoff).await,
            }
        };
        let mut follower = Follower::at_start(config.start, config.follow, head, nodes, pace, out);
        follower.follow().await
    };
    tokio::select! {
        () = cancel.cancelled() => Ok(()),
        gone = work => Err(gone),
    }
}

/// Waits before the next attempt after no node answered.
async fn wait_after(error: &NodesError, backoff: &mut Backoff) {
    let delay = backoff.next(fastrand::f64());
    let wait = error.retry_after().unwrap_or(delay);
    tracing::debug!(wait_ms = wait.as_millis(), "{error}");
    sleep(wait).await;
}

struct Follower {
    nodes: Nodes,
    follow: Follow,
    pace: Pace,
    out: mpsc::Sender<ChainEvent>,
    /// The blocks that were sent and can still be undone.
    recent: RecentBlocks,
    /// The number of the next block.
    next: u32,
    /// The last known head.
    head: Head,
    /// When the head was requested.
    head_at: Instant,
    /// The number of the last `Irreversible` event.
    irreversible: u32,
    /// Blocks to request at once.
    range: u32,
    /// When the last block came or the last warning about its absence was logged.
    progress_at: Instant,
}

/// When to take the next step; `None` for at once.
type NextStep = Option<Instant>;

#[derive(thiserror::Error, Debug)]
enum StepError {
    #[error(transparent)]
    Nodes(#[from] NodesError),
    #[error(transparent)]
    Gone(#[from] ReceiverGone),
}

impl Follower {
    fn at_start(
        start: StreamStart,
        follow: Follow,
        head: Head,
        nodes: Nodes,
        pace: Pace,
        out: mpsc::Sender<ChainEvent>,
    ) -> Self {
        let recent = match &start {
            StreamStart::After(recent) => recent.clone(),
            StreamStart::At(_) | StreamStart::Head => RecentBlocks::default(),
        };
        let mut follower = Self {
            nodes,
            follow,
            pace,
            out,
            recent,
            next: 0,
            head,
            head_at: Instant::now(),
            irreversible: 0,
            range: MAX_RANGE,
            progress_at: Instant::now(),
        };
        let last_read = follower.recent.last().map(|(num, _)| num.saturating_add(1));
        let end = follower.last_followed().max(1);
        follower.next = match start {
            StreamStart::At(num) => num.max(1),
            StreamStart::Head | StreamStart::After(_) => last_read.unwrap_or(end),
        };
        tracing::info!(
            block = follower.next,
            head = follower.head.num,
            "reading blocks from {}; the newest block is {}",
            follower.next,
            follower.head.num
        );
        follower
    }

    /// Returns only if the receiver is gone.
    async fn follow(&mut self) -> ReceiverGone {
        let mut backoff = self.pace.backoff();
        loop {
            match self.step().await {
                Ok(next) => {
                    backoff.reset();
                    // The requests took part of the time to wait.
                    let left = next.and_then(|at| at.checked_duration_since(Instant::now()));
                    if let Some(left) = left {
                        self.warn_if_stalled();
                        sleep(left).await;
                    }
                }
                Err(StepError::Gone(gone)) => return gone,
                Err(StepError::Nodes(error)) => {
                    self.range = (self.range / 2).max(MIN_RANGE);
                    wait_after(&error, &mut backoff).await;
                }
            }
        }
    }

    async fn step(&mut self) -> Result<NextStep, StepError> {
        let end = self.last_followed();
        let ahead = end.saturating_add(1).saturating_sub(self.next);
        let next = if ahead > RANGE_THRESHOLD {
            self.read_range(ahead).await?
        } else if ahead == 0 && self.follow == Follow::Irreversible {
            self.refresh_head().await?;
            self.until_irreversible()
        } else {
            self.read_next().await?
        };
        if self.head_at.elapsed() >= self.pace.interval * HEAD_CHECK_BLOCKS {
            self.refresh_head().await?;
        }
        self.send_irreversible().await?;
        Ok(next)
    }

    async fn read_range(&mut self, ahead: u32) -> Result<NextStep, StepError> {
        let blocks = self.nodes.blocks(self.next, ahead.min(self.range)).await?;
        self.range = (self.range * 2).min(MAX_RANGE);
        if blocks.is_empty() {
            return Ok(self.poll_again());
        }
        for block in blocks {
            if !self.accept(block).await? {
                return Ok(self.poll_again());
            }
        }
        Ok(None)
    }

    async fn read_next(&mut self) -> Result<NextStep, StepError> {
        let Some(block) = self.nodes.block(self.next).await? else {
            return Ok(self.poll_again());
        };
        let timestamp = block.timestamp;
        if !self.accept(block).await? {
            return Ok(self.poll_again());
        }
        Ok(match self.follow {
            Follow::Head => Some(Instant::now() + self.pace.until_block_after(timestamp)),
            Follow::Irreversible => None,
        })
    }

    /// Waits for the next head: the irreversible block moves with it.
    fn until_irreversible(&self) -> NextStep {
        let wait = self.pace.until_block_after(self.head.time);
        let is_read = self.last_followed() < self.next;
        is_read.then(|| Instant::now() + wait.max(self.pace.poll))
    }

    fn poll_again(&self) -> NextStep {
        Some(Instant::now() + self.pace.poll)
    }

    /// The number of the newest block to read.
    fn last_followed(&self) -> u32 {
        match self.follow {
            Follow::Head => self.head.num,
            Follow::Irreversible => self.head.irreversible,
        }
    }

    async fn refresh_head(&mut self) -> Result<(), StepError> {
        self.head = self.nodes.head().await?;
        self.head_at = Instant::now();
        let (num, id) = (self.head.num, self.head.id.clone());
        let known = self.recent.last();
        let is_replaced = known.is_some_and(|(last, known)| last == num && known != id);
        if self.follow == Follow::Head && is_replaced {
            // A replaced head is undone now, not only when its successor shows the fork.
            if let Some(block) = self.nodes.block(num).await?
                && block.id == id
            {
                self.accept(block).await?;
            }
        }
        Ok(())
    }

    /// Sends the block. On a fork, first undoes blocks and sends those of the new branch. Returns false
    /// and changes nothing if the nodes lack blocks of the branch or disagree about it.
    async fn accept(&mut self, block: Block) -> Result<bool, StepError> {
        let mut branch = vec![block];
        let ancestor = loop {
            let Some(oldest) = branch.last() else {
                return Ok(false);
            };
            let below = oldest.num.saturating_sub(1);
            match self.recent.id_of(below) {
                Some(known) if known == oldest.previous => break below,
                Some(_) => {
                    let wanted = oldest.previous.clone();
                    match self.nodes.block(below).await? {
                        Some(block) if block.id == wanted => branch.push(block),
                        _ => return Ok(false),
                    }
                }
                None => {
                    if let Some((last, _)) = self.recent.last() {
                        tracing::error!(
                            block = oldest.num,
                            "the node is on a fork that starts at or before block {}, further back than the blocks \
                             remembered: reading on there; check that the last block read, {last}, is of this chain",
                            oldest.num
                        );
                    }
                    break below;
                }
            }
        };
        self.undo_above(ancestor).await?;
        while let Some(block) = branch.pop() {
            self.recent.push(block.num, &block.id);
            self.next = block.num.saturating_add(1);
            self.progress_at = Instant::now();
            self.send(ChainEvent::Block(Arc::new(block))).await?;
        }
        Ok(true)
    }

    async fn undo_above(&mut self, ancestor: u32) -> Result<(), StepError> {
        let Some((last, _)) = self.recent.last().filter(|(last, _)| *last > ancestor) else {
            return Ok(());
        };
        tracing::info!(
            above = ancestor,
            "fork: undoing {} block(s) above {ancestor}",
            last - ancestor
        );
        self.recent.undo_above(ancestor);
        self.irreversible = self.irreversible.min(ancestor);
        self.send(ChainEvent::Undo { above: ancestor }).await?;
        Ok(())
    }

    async fn send_irreversible(&mut self) -> Result<(), StepError> {
        let last = self.recent.last().map_or(0, |(num, _)| num);
        let num = self.head.irreversible.min(last);
        if num > self.irreversible {
            self.irreversible = num;
            self.recent.irreversible(num);
            self.send(ChainEvent::Irreversible(num)).await?;
        }
        Ok(())
    }

    async fn send(&self, event: ChainEvent) -> Result<(), ReceiverGone> {
        self.out.send(event).await.map_err(|_| ReceiverGone)
    }

    fn warn_if_stalled(&mut self) {
        let silent_for = self.progress_at.elapsed();
        if silent_for < STALL_WARNING_AFTER.max(self.pace.interval * 20) {
            return;
        }
        self.progress_at = Instant::now();
        let head = self.head.num;
        tracing::warn!(
            block = self.next,
            head,
            "no new block for {} s: waiting for block {}; the newest block of the nodes is {head}",
            silent_for.as_secs(),
            self.next
        );
    }
}
