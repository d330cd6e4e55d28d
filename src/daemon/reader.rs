//! Reads blocks and passes on what they mean for votes. Of several daemons on one database, the one that holds the
//! lease does this; the others stand by.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::chain::nodes::Nodes;
use crate::chain::recent::RecentBlocks;
use crate::chain::stream::{self, ChainEvent, StreamConfig, StreamStart};
use crate::clock::{self, Clock};
use crate::config::{Network, Start};
use crate::daemon::lease::{Lease, RENEW_EVERY};
use crate::rules::set::RuleSet;
use crate::stop::{Stop, result_of};
use crate::store::{Store, StoreError};
use crate::votes::caster::PostChange;
use crate::votes::change::{Batch, Cursor};
use crate::votes::planner::Planner;

/// Name of the lease of the one daemon that reads the chain.
pub const CHAIN_LEASE: &str = "chain";
/// Interval at which a daemon that stands by asks for the lease.
const STAND_BY: Duration = Duration::from_secs(1);
/// Number of blocks that may wait for the planner.
const BLOCKS_WAITING: usize = 64;

/// What reading the chain needs.
pub struct Reader {
    /// The right to read the chain.
    pub lease: Lease,
    pub store: Arc<Store>,
    pub nodes: Nodes,
    pub network: Network,
    pub clock: Clock,
    pub rules: watch::Receiver<Arc<RuleSet>>,
    /// To the caster: what blocks change about posts.
    pub post_changes: mpsc::Sender<Vec<PostChange>>,
    /// To the writer.
    pub plans: mpsc::Sender<Batch>,
    /// The first block to read, regardless of the cursor.
    pub from_block: Option<u32>,
}

impl Reader {
    /// Reads blocks whenever the lease is ours, until it is to stop.
    pub async fn run(mut self, stop: Stop) {
        // Stops even while the writer accepts nothing: blocks that are not passed on are read again, since the cursor
        // stays.
        stop.or(self.read_in_turn()).await;
        self.lease.give_back(&stop).await;
    }

    async fn read_in_turn(&mut self) {
        let mut stood_by = false;
        loop {
            match self.lease.hold().await {
                Ok(true) => {
                    self.read().await;
                    stood_by = false;
                }
                Ok(false) if !stood_by => {
                    tracing::info!("another daemon reads the chain: standing by");
                    stood_by = true;
                }
                Ok(false) => {}
                // Another daemon may have it: only a lease already held survives an outage.
                Err(error) => error.log("whether this daemon may read the chain is not known yet"),
            }
            tokio::time::sleep(STAND_BY).await;
        }
    }

    /// Whether this daemon may still read the chain. While the database is unavailable, it keeps the right.
    fn keep_lease(&self) -> impl Future<Output = bool> + Send + use<> {
        let lease = self.lease.clone();
        async move {
            lease.hold().await.unwrap_or_else(|error| {
                error.log("the right to read the chain was not renewed");
                true
            })
        }
    }

    /// Reads from where an earlier run stopped, until the lease is lost.
    async fn read(&mut self) {
        let (mut planner, mut recent, start) = match self.resume().await {
            Ok(resumed) => resumed,
            Err(error) => {
                return tracing::warn!(%error, "the block to continue from is not known yet");
            }
        };
        let reading = CancellationToken::new();
        let (events_in, mut events) = mpsc::channel(BLOCKS_WAITING);
        let config = StreamConfig {
            follow: self.network.follow,
            block_interval: self.network.block_interval,
            start,
        };
        let mut stream = JoinSet::new();
        stream.spawn(stream::run(
            self.nodes.clone(),
            config,
            self.clock,
            events_in,
            reading.clone(),
        ));
        // Renewals run beside the blocks, so that a database that hangs does not delay them.
        let mut leases = JoinSet::new();
        let mut renew = clock::every(RENEW_EVERY);
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => {
                        if let Some(batch) = self.take(&mut planner, &mut recent, event)
                            && self.plans.send(batch).await.is_err()
                        {
                            break;
                        }
                    }
                    None => break,
                },
                _ = renew.tick(), if leases.is_empty() => {
                    leases.spawn(self.keep_lease());
                }
                Some(held) = leases.join_next() => {
                    if result_of(held) == Some(false) {
                        tracing::warn!("another daemon has taken over reading the chain");
                        break;
                    }
                }
            }
        }
        reading.cancel();
        drop(events);
        while let Some(ended) = stream.join_next().await {
            result_of(ended);
        }
    }

    /// The state that earlier runs left, and where to start.
    async fn resume(&mut self) -> Result<(Planner, RecentBlocks, StreamStart), StoreError> {
        let cursor = self.store.cursor().await?;
        let planner = Planner::new(self.store.leader_votes().await?);
        let recent =
            RecentBlocks::from_list(cursor.iter().flat_map(|cursor| cursor.recent.clone()));
        let start = match (self.from_block.take(), &cursor, self.network.start) {
            (Some(num), ..) => StreamStart::At(num),
            (None, Some(cursor), _) if recent.last().is_none() => {
                StreamStart::At(cursor.block_num + 1)
            }
            (None, Some(_), _) => StreamStart::After(recent.clone()),
            (None, None, Start::Block(num)) => StreamStart::At(num),
            (None, None, Start::Last | Start::Head) => StreamStart::Head,
        };
        if let Some(cursor) = cursor {
            tracing::info!(
                block = cursor.block_num,
                "continuing after block {}",
                cursor.block_num
            );
        }
        Ok((planner, recent, start))
    }

    /// What an event of the chain means for the tables.
    fn take(
        &self,
        planner: &mut Planner,
        recent: &mut RecentBlocks,
        event: ChainEvent,
    ) -> Option<Batch> {
        match event {
            ChainEvent::Block(block) => {
                let rules = self.rules.borrow().clone();
                // Without waiting: a caster that takes none has stopped.
                let _ = self.post_changes.try_send(PostChange::all(&block));
                let mut batch = planner.block(&rules, &block);
                recent.push(block.num, &block.id);
                batch.cursor = Some(Cursor {
                    block_num: block.num,
                    block_id: block.id.clone(),
                    block_time: block.timestamp,
                    recent: recent.to_list(),
                });
                Some(batch)
            }
            ChainEvent::Undo { above } => {
                tracing::info!("the blocks above {above} were undone by a fork");
                planner.undo(above);
                recent.undo_above(above);
                Some(Batch {
                    undo_above: Some(above),
                    ..Batch::default()
                })
            }
            ChainEvent::Irreversible(num) => {
                recent.irreversible(num);
                None
            }
        }
    }
}
