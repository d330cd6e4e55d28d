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
    let mut follower = Follower {
        pace: Pace::new(config.block_interval, clock),
        nodes,
        follow: config.follow,
        out,
        recent: RecentBlocks::default(),
        next: 0,
        head: None,
        irreversible: 0,
        range: MAX_RANGE,
        progress_at: Instant::now(),
    };
    tokio::select! {
        () = cancel.cancelled() => Ok(()),
        gone = follower.follow(config.start) => Err(gone),
    }
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
    /// The last known head, and when it was requested.
    head: Option<(Head, Instant)>,
    /// The number of the last `Irreversible` event.
    irreversible: u32,
    /// Blocks to request at once.
    range: u32,
    /// When the last block came or the last warning about its absence was logged.
    progress_at: Instant,
}

enum Step {
    /// Read on immediately.
    Read,
    /// Wait for the next block.
    Wait(Duration),
}

enum StepError {
    Nodes(NodesError),
    Gone,
}

impl From<NodesError> for StepError {
    fn from(error: NodesError) -> Self {
        Self::Nodes(error)
    }
}

impl From<ReceiverGone> for StepError {
    fn from(_: ReceiverGone) -> Self {
        Self::Gone
    }
}

impl Follower {
    /// Returns only if the receiver is gone.
    async fn follow(&mut self, start: StreamStart) -> ReceiverGone {
        let mut start = Some(start);
        let mut backoff = self.pace.backoff();
        loop {
            let step = match &start {
                Some(at) => self.begin(at.clone()).await,
                None => self.step().await,
            };
            match step {
                Ok(step) => {
                    backoff.reset();
                    start = None;
                    if let Step::Wait(time) = step {
                        self.warn_if_stalled();
                        sleep(time).await;
                    }
                }
                Err(StepError::Gone) => return ReceiverGone,
                Err(StepError::Nodes(error)) => {
                    self.range = (self.range / 2).max(MIN_RANGE);
                    let delay = backoff.next(fastrand::f64());
                    let wait = error.retry_after().unwrap_or(delay);
                    tracing::debug!(wait_ms = wait.as_millis(), "{error}");
                    sleep(wait).await;
                }
            }
        }
    }

    async fn begin(&mut self, start: StreamStart) -> Result<Step, StepError> {
        let head = self.nodes.head().await?;
        let end = self.last_followed(&head);
        self.next = match start {
            StreamStart::At(num) => num.max(1),
            StreamStart::Head => end.max(1),
            StreamStart::After(recent) => {
                self.recent = recent;
                match self.recent.last() {
                    Some((last, _)) => last.saturating_add(1),
                    None => end.max(1),
                }
            }
        };
        tracing::info!(
            block = self.next,
            head = head.num,
            "reading blocks from {}; the newest block is {}",
            self.next,
            head.num
        );
        self.head = Some((head, Instant::now()));
        Ok(Step::Read)
    }

    async fn step(&mut self) -> Result<Step, StepError> {
        let head = self.head.as_ref().map(|(head, _)| head);
        let end = head.map_or(0, |head| self.last_followed(head));
        let ahead = end.saturating_add(1).saturating_sub(self.next);
        let step = if ahead > RANGE_THRESHOLD {
            self.read_range(ahead).await?
        } else if ahead == 0 && self.follow == Follow::Irreversible {
            self.refresh_head().await?;
            self.until_irreversible()
        } else {
            self.read_next().await?
        };
        let age = self.head.as_ref().map(|(_, asked)| asked.elapsed());
        if age.is_none_or(|age| age >= self.pace.interval * HEAD_CHECK_BLOCKS) {
            self.refresh_head().await?;
        }
        self.send_irreversible().await?;
        // The requests above took part of the time to wait.
        Ok(match step {
            NextStep::Now => Step::Read,
            NextStep::At(moment) => match moment.checked_duration_since(Instant::now()) {
                Some(left) => Step::Wait(left),
                None => Step::Read,
            },
        })
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
        Ok(NextStep::Now)
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
            Follow::Head => NextStep::At(Instant::now() + self.pace.until_block_after(timestamp)),
            Follow::Irreversible => NextStep::Now,
        })
    }

    /// Waits for the next head: the irreversible block moves with it.
    fn until_irreversible(&self) -> NextStep {
        match &self.head {
            Some((head, _)) if self.last_followed(head) < self.next => {
                let wait = self.pace.until_block_after(head.time).max(self.pace.poll);
                NextStep::At(Instant::now() + wait)
            }
            _ => NextStep::Now,
        }
    }

    fn poll_again(&self) -> NextStep {
        NextStep::At(Instant::now() + self.pace.poll)
    }

    /// The number of the newest block to read.
    fn last_followed(&self, head: &Head) -> u32 {
        match self.follow {
            Follow::Head => head.num,
            Follow::Irreversible => head.irreversible,
        }
    }

    async fn refresh_head(&mut self) -> Result<(), StepError> {
        let head = self.nodes.head().await?;
        let replaced = self.follow == Follow::Head
            && self
                .recent
                .last()
                .is_some_and(|(num, id)| num == head.num && id != head.id);
        let (num, id) = (head.num, head.id.clone());
        self.head = Some((head, Instant::now()));
        if replaced {
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
        let (Some((head, _)), Some((last, _))) = (&self.head, self.recent.last()) else {
            return Ok(());
        };
        let num = head.irreversible.min(last);
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
        let head = self.head.as_ref().map_or(0, |(head, _)| head.num);
        tracing::warn!(
            block = self.next,
            head,
            "no new block for {} s: waiting for block {}; the newest block of the nodes is {head}",
            silent_for.as_secs(),
            self.next
        );
    }
}

/// When to take the next step.
enum NextStep {
    Now,
    At(Instant),
}
