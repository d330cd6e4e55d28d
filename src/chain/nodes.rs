//! Several nodes as one: a request goes on to the next node if one fails or is slow.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::mpsc;
use tokio::time::Instant;
use url::Url;

use crate::chain::health::{Health, Turn, rate_limit};
use crate::chain::hedged::{self, Replies};
use crate::chain::node_error::{NodeError, NodeFault};
use crate::chain::notice::NodeNotice;
use crate::chain::rpc::Node;
use crate::clock::Clock;
use crate::http_client;
use crate::network::ChainKind;

/// The nodes of one chain, in order of preference. Cheap to clone; calls run in parallel.
///
/// The calls are in `queries.rs`.
#[derive(Debug, Clone)]
pub struct Nodes(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    nodes: Vec<Node>,
    kind: ChainKind,
    clock: Clock,
    limits: NodeLimits,
    health: Mutex<Health>,
    notices: Option<mpsc::Sender<NodeNotice>>,
}

/// One of the nodes, at its turn to answer a request.
#[derive(Clone)]
pub(super) struct AskedNode {
    nodes: Nodes,
    turn: Turn,
}

/// Limits for the answers of a node.
#[derive(Debug, Clone)]
pub struct NodeLimits {
    /// Time without an answer after which a node has failed.
    pub timeout: Duration,
    /// Time without an answer after which the next node is asked too. The first answer counts. Short
    /// enough that the look at a post, a second before its vote is due, does not delay the vote.
    pub hedge_after: Duration,
    /// Lag of the head behind the clock from which on a node has failed, unless all nodes lag.
    pub max_lag: Duration,
    /// Time after which a failed node is tried again.
    pub cooldown: Duration,
    /// Largest answer, in bytes.
    pub max_answer_bytes: usize,
}

impl Default for NodeLimits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            hedge_after: Duration::from_millis(600),
            max_lag: Duration::from_secs(30),
            cooldown: Duration::from_secs(60),
            max_answer_bytes: 64 << 20,
        }
    }
}

/// An error in the list of nodes.
#[derive(Debug, thiserror::Error)]
pub enum NodesSetupError {
    /// No node is configured.
    #[error("`network.nodes` is empty: name at least one node")]
    NoNodes,
    /// An address that is not an HTTP or HTTPS address.
    #[error("number {position} of `network.nodes` is not an http or https address ({why})")]
    BadUrl {
        /// Its place in the list, from 1.
        position: usize,
        /// What is wrong with it.
        why: String,
    },
    /// The HTTP client could not be built.
    #[error("the HTTP client cannot be set up")]
    Client(#[from] reqwest::Error),
}

/// The error of a call that no node answered.
#[derive(Debug, Clone, thiserror::Error)]
#[error("no node answered: {}", self.list())]
pub struct NodesError {
    /// The fault of each node.
    pub faults: Vec<NodeError>,
}

impl NodesError {
    /// How long to wait before the next call if every node limits our rate.
    pub fn retry_after(&self) -> Option<Duration> {
        let waits = self.faults.iter().map(|error| match error.fault {
            NodeFault::TooManyRequests(wait) => Some(rate_limit(wait)),
            _ => None,
        });
        waits.collect::<Option<Vec<_>>>()?.into_iter().min()
    }

    fn list(&self) -> String {
        let faults: Vec<_> = self.faults.iter().map(NodeError::to_string).collect();
        faults.join("; ")
    }
}

impl Nodes {
    /// Nodes with the default limits. Notices are logged and sent to `notices`; those that do not
    /// fit into the channel are dropped.
    ///
    /// # Errors
    /// If `urls` is empty or holds an address that is not HTTP or HTTPS, or if the HTTP client cannot be
    /// set up.
    pub fn new(
        urls: &[String],
        kind: ChainKind,
        clock: Clock,
        notices: Option<mpsc::Sender<NodeNotice>>,
    ) -> Result<Self, NodesSetupError> {
        Self::with_limits(urls, kind, clock, notices, NodeLimits::default())
    }

    /// Nodes with the given limits.
    ///
    /// # Errors
    /// See [`Nodes::new`].
    pub fn with_limits(
        urls: &[String],
        kind: ChainKind,
        clock: Clock,
        notices: Option<mpsc::Sender<NodeNotice>>,
        limits: NodeLimits,
    ) -> Result<Self, NodesSetupError> {
        if urls.is_empty() {
            return Err(NodesSetupError::NoNodes);
        }
        let client = http_client::builder().build()?;
        let mut nodes = Vec::with_capacity(urls.len());
        for (index, url) in urls.iter().enumerate() {
            let url = parse_url(url).map_err(|why| NodesSetupError::BadUrl {
                position: index + 1,
                why,
            })?;
            nodes.push(Node::new(client.clone(), url, limits.max_answer_bytes));
        }
        let names = nodes.iter().map(|node| node.name().to_owned());
        Ok(Self(Arc::new(Inner {
            health: Mutex::new(Health::new(names, limits.cooldown)),
            nodes,
            kind,
            clock,
            limits,
            notices,
        })))
    }

    pub(super) fn clock(&self) -> Clock {
        self.0.clock
    }

    pub(super) fn limits(&self) -> &NodeLimits {
        &self.0.limits
    }

    /// Asks the nodes in turn, each after the last one failed or took `hedge_after`, and returns the
    /// first answer.
    pub(super) async fn ask<T, F>(
        &self,
        hedge_after: Duration,
        ask_one: impl Fn(AskedNode) -> F,
    ) -> Result<T, NodesError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, NodeFault>> + Send + 'static,
    {
        let any = |_: &T| true;
        let mut replies = self.ask_until(any, false, hedge_after, ask_one).await;
        match replies.answers.pop() {
            Some((_, answer)) => Ok(answer),
            None => Err(self.all_failed(replies.faults)),
        }
    }

    /// Asks the nodes in turn until an answer `is_enough`, which proves the node that gave it to be healthy.
    pub(super) async fn ask_until<T, F>(
        &self,
        is_enough: impl Fn(&T) -> bool + Copy + Send + 'static,
        asks_for_head: bool,
        hedge_after: Duration,
        ask_one: impl Fn(AskedNode) -> F,
    ) -> Replies<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, NodeFault>> + Send + 'static,
    {
        let ask_one = |turn| {
            let nodes = self.clone();
            let asked = ask_one(AskedNode {
                nodes: nodes.clone(),
                turn,
            });
            async move {
                let answer = asked.await.map_err(|fault| nodes.failed(turn, fault))?;
                if is_enough(&answer) {
                    nodes.answered(turn, asks_for_head);
                }
                Ok(answer)
            }
        };
        let turns = self.health().turns(asks_for_head, Instant::now());
        hedged::ask(turns, hedge_after, ask_one, is_enough).await
    }

    /// Records an answer. `with_head` means that it proved the node not to lag.
    pub(super) fn answered(&self, turn: Turn, with_head: bool) {
        let notices = self.health().answered(turn.node, with_head, Instant::now());
        for notice in notices {
            tracing::info!("{notice}");
            self.notify(notice);
        }
    }

    /// Records a failure, and returns it with the name of the node.
    pub(super) fn failed(&self, turn: Turn, fault: NodeFault) -> NodeError {
        let notice = self.health().failed(turn.node, &fault, Instant::now());
        let error = self.0.nodes[turn.node].error(fault);
        match notice {
            Some(notice) => {
                let then = match self.0.nodes.len() {
                    1 => "retrying",
                    _ => "asking the next one",
                };
                tracing::warn!(node = error.node, "{notice}: {then}");
                self.notify(notice);
            }
            None => tracing::debug!(node = error.node, "the node {error}"),
        }
        error
    }

    /// The error of a call that no node answered.
    pub(super) fn all_failed(&self, mut faults: Vec<NodeError>) -> NodesError {
        // The list includes nodes that were not asked because of their rate limit.
        for (index, node) in self.0.nodes.iter().enumerate() {
            if faults.iter().any(|error| error.node == node.name()) {
                continue;
            }
            if let Some(wait) = self.health().rate_limited_for(index, Instant::now()) {
                faults.push(node.error(NodeFault::TooManyRequests(Some(wait))));
            }
        }
        let error = NodesError { faults };
        if error.faults.iter().all(|error| error.fault.is_outage())
            && let Some(notice) = self.health().all_failed(error.list())
        {
            tracing::error!("{notice}");
            self.notify(notice);
        }
        error
    }

    /// Sends a notice unless the receiver is slow or gone; the log has it in any case.
    fn notify(&self, notice: NodeNotice) {
        if let Some(notices) = &self.0.notices {
            let _ = notices.try_send(notice);
        }
    }

    /// The lock is never held across an await.
    fn health(&self) -> MutexGuard<'_, Health> {
        let health = self.0.health.lock();
        health.unwrap_or_else(PoisonError::into_inner)
    }
}

impl AskedNode {
    pub(super) fn node(&self) -> &Node {
        &self.nodes.0.nodes[self.turn.node]
    }

    pub(super) fn is_of_hive(&self) -> bool {
        self.nodes.0.kind == ChainKind::Hive
    }

    /// The timeout of this node. A probe has a shorter one, since other nodes work.
    pub(super) fn timeout(&self) -> Duration {
        let timeout = self.nodes.0.limits.timeout;
        match self.turn.is_probe {
            true => timeout / 5,
            false => timeout,
        }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.nodes.0.clock.now()
    }
}

fn parse_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(format!("it starts with `{other}:`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(urls: &[&str]) -> Result<Nodes, NodesSetupError> {
        let urls: Vec<_> = urls.iter().map(|&url| url.to_owned()).collect();
        Nodes::new(&urls, ChainKind::Hive, Clock::system(), None)
    }

    #[test]
    fn an_invalid_address_is_refused_without_showing_its_secrets() {
        for (urls, text) in [
            (vec![], "is empty"),
            (vec!["https://a.example", "user:secret@b"], "number 2"),
            (vec!["ftp://secret@a.example"], "`ftp:`"),
        ] {
            let error = nodes(&urls).unwrap_err().to_string();
            assert!(error.contains(text) && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn the_shortest_rate_limit_counts_if_all_nodes_limit_the_rate() {
        let error = |fault| NodeError {
            node: "n".to_owned(),
            fault,
        };
        let limited = |seconds| {
            error(NodeFault::TooManyRequests(Some(Duration::from_secs(
                seconds,
            ))))
        };
        let faults = vec![limited(7), limited(4)];
        assert_eq!(
            NodesError { faults }.retry_after(),
            Some(Duration::from_secs(4))
        );
        let faults = vec![limited(0)];
        assert_eq!(
            NodesError { faults }.retry_after(),
            Some(Duration::from_secs(1))
        );
        let faults = vec![limited(7), error(NodeFault::Empty)];
        assert_eq!(NodesError { faults }.retry_after(), None);
    }
}
