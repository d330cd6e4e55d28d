//! Starting and stopping a sandbox.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::json;

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

/// The configuration of a sandbox.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// Which chain's rules it has.
    pub kind: ChainKind,
    /// The time of its blocks.
    pub clock: Clock,
    /// Length of the slots in which blocks are produced, at least 1 ms; the real chains have 3 s. If
    /// `None`, only [`Sandbox::produce_block`] produces blocks.
    pub block_interval: Option<Duration>,
    /// The number of the first block.
    pub first_block: u32,
    /// The time of the first block, in the past for blocks before the start; now if `None`.
    pub first_time: Option<DateTime<Utc>>,
    /// Distance of the irreversible block to the head, in blocks.
    pub irreversible_lag: u32,
    /// The addresses of the nodes, at least one. Port 0 means any free port.
    pub nodes: Vec<SocketAddr>,
    /// The address of the signer. Port 0 means any free port.
    pub signer: SocketAddr,
    /// Which service the signer is like.
    pub signer_kind: SignerKind,
    /// The application's account.
    pub client_id: String,
    /// The application's secret.
    pub client_secret: String,
    /// The addresses to which people may be sent back after they agreed to the application.
    pub redirect_uris: Vec<String>,
}

impl SandboxConfig {
    /// Blocks every 3 s, one node, and the usual signer of the chain.
    pub fn new(kind: ChainKind) -> Self {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let (irreversible_lag, signer_kind) = match kind {
            ChainKind::Hive => (2, SignerKind::HiveSigner),
            ChainKind::Steem => (18, SignerKind::SteemConnect),
        };
        Self {
            kind,
            clock: Clock::system(),
            block_interval: Some(Duration::from_secs(3)),
            first_block: 90_000_000,
            first_time: None,
            irreversible_lag,
            nodes: vec![any],
            signer: any,
            signer_kind,
            client_id: "sandbox.app".to_owned(),
            client_secret: "sandbox-secret".to_owned(),
            redirect_uris: vec![REDIRECT_URI.to_owned()],
        }
    }

    /// Blocks at `interval`; the rest as in [`SandboxConfig::new`].
    pub fn every(kind: ChainKind, interval: Duration) -> Self {
        Self {
            block_interval: Some(interval),
            ..Self::new(kind)
        }
    }

    /// Blocks by [`Sandbox::produce_block`] only; the rest as in [`SandboxConfig::new`].
    pub fn manual(kind: ChainKind) -> Self {
        Self {
            block_interval: None,
            ..Self::new(kind)
        }
    }

    /// Sets the number of nodes, at least one.
    pub fn with_nodes(mut self, nodes: usize) -> Self {
        self.nodes = vec![SocketAddr::from(([127, 0, 0, 1], 0)); nodes.max(1)];
        self
    }
}

/// The preset of `redirect_uris`, which is that of `signer.redirect_uri`.
pub const REDIRECT_URI: &str = "http://127.0.0.1:9394/callback";

/// The account of the sandbox's signer, which the application authorises.
pub(super) const SIGNER_ACCOUNT: &str = "sandbox.signer";

/// A running sandbox. A drop stops it; [`Sandbox::shutdown`] also waits for its tasks.
#[derive(Debug)]
pub struct Sandbox {
    pub(super) config: SandboxConfig,
    pub(super) world: Arc<World>,
    nodes: Vec<Arc<Node>>,
    signer: Arc<Signer>,
    tasks: Tasks,
}

impl Sandbox {
    /// Starts the chain with its first block, the nodes and the signer.
    ///
    /// # Errors
    /// If an address cannot be bound.
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
        let profile = json!({"profile": {
            "name": "Sandbox",
            "type": "app",
            "version": 2,
            "redirect_uris": config.redirect_uris,
        }});
        chain.alter_account(&app, |app| {
            app.posting = vec![signer_account.clone()];
            app.posting_json_metadata = profile.to_string();
        });
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

        if let Some(interval) = config.block_interval {
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

    /// The address of the first node, `http://127.0.0.1:…`.
    pub fn node_url(&self) -> String {
        self.node(0).endpoint().url()
    }

    /// The addresses of all nodes.
    pub fn node_urls(&self) -> Vec<String> {
        let urls = self.nodes.iter().map(|node| node.endpoint().url());
        urls.collect()
    }

    /// The address of the signer. Its API is below `/api`.
    pub fn signer_url(&self) -> String {
        self.signer.endpoint().url()
    }

    /// The secret of the application.
    pub fn client_secret(&self) -> &str {
        &self.config.client_secret
    }

    /// Node `index`, counted from 0.
    ///
    /// # Panics
    /// If the sandbox has too few nodes.
    pub fn node(&self, index: usize) -> &Arc<Node> {
        &self.nodes[index]
    }

    /// The signer.
    pub fn signer(&self) -> &Arc<Signer> {
        &self.signer
    }

    /// Reads the chain or changes it directly. All requests wait meanwhile.
    pub fn with_chain<T>(&self, look: impl FnOnce(&mut Chain) -> T) -> T {
        look(&mut self.world.chain())
    }

    /// Produces a block of everything pending, with the current time. Returns its number.
    pub fn produce_block(&self) -> u32 {
        self.world.produce(self.config.clock.now())
    }

    /// Produces a block with this time, or that of the head if it is later. Returns its number.
    pub fn produce_block_at(&self, time: DateTime<Utc>) -> u32 {
        self.world.produce(time)
    }

    /// Pauses or resumes the regular production of blocks.
    pub fn pause_blocks(&self, paused: bool) {
        self.world.paused.store(paused, Ordering::Relaxed);
    }

    /// Replaces the newest blocks by a fork; see [`Chain::fork`]. Returns how many it replaced.
    pub fn fork(&self, depth: usize, keep: impl FnMut(&Operation) -> bool) -> usize {
        let replaced = self.world.chain().fork(depth, keep);
        self.world.announce();
        replaced
    }

    /// Stops the sandbox and waits for its tasks.
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
