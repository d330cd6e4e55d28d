//! Starting and stopping a sandbox.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::chain::operation::Operation;
use super::chain::{Chain, USUAL_STAKE};
use super::endpoint::Endpoint;
use super::node::Node;
use super::signer::{Signer, SignerKind};
use super::tasks::Tasks;
use super::world::World;
use crate::account::Account;
use crate::clock::Clock;
use crate::network::ChainKind;

/// What a sandbox is to be like.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    pub kind: ChainKind,
    pub clock: Clock,
    pub blocks: Blocks,
    /// The number of the first block. Block ids hold it.
    pub first_block: u32,
    /// The time of the first block, where history before the start is wanted; now where not.
    pub first_time: Option<DateTime<Utc>>,
    /// So many blocks behind the head is irreversible.
    pub irreversible_lag: u32,
    /// A listener for each node. At least one; port 0 takes any free one.
    pub nodes: Vec<SocketAddr>,
    pub signer: SocketAddr,
    pub signer_kind: SignerKind,
    /// The application's account.
    pub client_id: String,
    pub client_secret: String,
}

/// How blocks come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blocks {
    /// Only when [`Sandbox::produce_block`] is called.
    ByHand,
    /// In slots of this length, at least a millisecond: 3 s on the real chains.
    Every(Duration),
}

impl SandboxConfig {
    /// Blocks every 3 s, one node, the signer that belongs to the chain.
    pub fn new(kind: ChainKind) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let (irreversible_lag, signer_kind) = match kind {
            ChainKind::Hive => (2, SignerKind::HiveSigner),
            ChainKind::Steem => (18, SignerKind::SteemConnect),
        };
        Self {
            kind,
            clock: Clock::system(),
            blocks: Blocks::Every(Duration::from_secs(3)),
            first_block: 90_000_000,
            first_time: None,
            irreversible_lag,
            nodes: vec![any],
            signer: any,
            signer_kind,
            client_id: "sandbox.app".to_owned(),
            client_secret: "sandbox-secret".to_owned(),
        }
    }

    /// Blocks at this interval.
    pub fn every(kind: ChainKind, interval: Duration) -> Self {
        Self {
            blocks: Blocks::Every(interval),
            ..Self::new(kind)
        }
    }

    /// Blocks by hand.
    pub fn manual(kind: ChainKind) -> Self {
        Self {
            blocks: Blocks::ByHand,
            ..Self::new(kind)
        }
    }

    /// With so many nodes on the chain.
    pub fn with_nodes(mut self, nodes: usize) -> Self {
        self.nodes = vec![SocketAddr::from(([127, 0, 0, 1], 0)); nodes.max(1)];
        self
    }
}

/// The account of the sandbox's signer, which the application trusts.
pub(super) const SIGNER_ACCOUNT: &str = "sandbox.signer";

/// A running sandbox. Dropped it stops; [`Sandbox::shutdown`] also waits for the end.
#[derive(Debug)]
pub struct Sandbox {
    pub(super) config: SandboxConfig,
    pub(super) world: Arc<World>,
    nodes: Vec<Arc<Node>>,
    signer: Arc<Signer>,
    tasks: Tasks,
}

impl Sandbox {
    /// Starts chain, nodes and signer. The first block is there at once.
    ///
    /// # Errors
    /// An address that cannot be listened on.
    pub async fn start(config: SandboxConfig) -> io::Result<Self> {
        let tasks = Tasks::default();
        let (app, signer_account) = (
            Account::from_chain(&config.client_id),
            Account::from_chain(SIGNER_ACCOUNT),
        );
        let first_time = config.first_time.unwrap_or_else(|| config.clock.now());
        let mut chain = Chain::new(
            config.kind,
            config.first_block,
            config.irreversible_lag,
            first_time,
        );
        chain.create_account(&app, USUAL_STAKE);
        chain.create_account(&signer_account, USUAL_STAKE);
        chain.alter_account(&app, |app| app.posting = vec![signer_account.clone()]);
        let world = Arc::new(World::new(chain, config.clock));

        let mut nodes = Vec::new();
        for &address in &config.nodes {
            let (endpoint, listener) = Endpoint::bind(address, &tasks).await?;
            let node = Node::new(Arc::clone(&endpoint), Arc::clone(&world), config.kind);
            endpoint.serve(listener, node.router());
            nodes.push(node);
        }
        let (endpoint, listener) = Endpoint::bind(config.signer, &tasks).await?;
        let signer = Signer::new(
            Arc::clone(&endpoint),
            Arc::clone(&world),
            config.signer_kind,
            app,
            config.client_secret.clone(),
            signer_account,
        );
        endpoint.serve(listener, signer.router());

        if let Blocks::Every(interval) = config.blocks {
            let world = Arc::clone(&world);
            tasks.spawn(async move { world.produce_regularly(interval).await });
        }
        Ok(Self {
            config,
            world,
            nodes,
            signer,
            tasks,
        })
    }

    /// Which chain it simulates.
    pub fn kind(&self) -> ChainKind {
        self.config.kind
    }

    /// The first node's address, `http://127.0.0.1:…`.
    pub fn node_url(&self) -> String {
        self.node(0).endpoint().url()
    }

    /// Every node's address.
    pub fn node_urls(&self) -> Vec<String> {
        self.nodes
            .iter()
            .map(|node| node.endpoint().url())
            .collect()
    }

    /// The signer's address; its API is below `/api`.
    pub fn signer_url(&self) -> String {
        self.signer.endpoint().url()
    }

    /// The application's account.
    pub fn client_id(&self) -> &str {
        &self.config.client_id
    }

    /// The application's secret.
    pub fn client_secret(&self) -> &str {
        &self.config.client_secret
    }

    /// Node `index`, counted from 0. Panics where there is none: the sandbox was started with too few.
    pub fn node(&self, index: usize) -> &Arc<Node> {
        &self.nodes[index]
    }

    /// The signer.
    pub fn signer(&self) -> &Arc<Signer> {
        &self.signer
    }

    /// Looks at the chain, or prepares it beside all rules. Blocks all requests meanwhile.
    pub fn with_chain<T>(&self, look: impl FnOnce(&mut Chain) -> T) -> T {
        look(&mut self.world.chain())
    }

    /// Makes a block of everything pending, now. Returns its number.
    pub fn produce_block(&self) -> u32 {
        self.world.produce(self.config.clock.now())
    }

    /// Makes a block with this time: history, or a jump ahead. A block is never older than the one
    /// before.
    pub fn produce_block_at(&self, time: DateTime<Utc>) -> u32 {
        self.world.produce(time)
    }

    /// Stops making blocks by itself, or goes on.
    pub fn pause_blocks(&self, paused: bool) {
        self.world.paused.store(paused, Ordering::Relaxed);
    }

    /// Lets the witness miss the next so many slots.
    pub fn miss_slots(&self, slots: u32) {
        self.world.slots_to_miss.store(slots, Ordering::Relaxed);
    }

    /// Replaces the newest blocks; see [`Chain::fork`]. Returns how many were.
    pub fn fork(&self, depth: usize, keep: impl FnMut(&Operation) -> bool) -> usize {
        let replaced = self.world.chain().fork(depth, keep);
        self.world.announce();
        replaced
    }

    /// Runs a task that ends with the sandbox.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Stops everything and waits for the end.
    pub async fn shutdown(self) {
        self.end();
        self.tasks.ended().await;
    }

    fn end(&self) {
        self.tasks.stop();
        for node in &self.nodes {
            node.endpoint().stop();
        }
        self.signer.endpoint().stop();
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.end();
    }
}
