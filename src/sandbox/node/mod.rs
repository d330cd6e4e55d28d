//! The API of a node: JSON-RPC 2.0 by `POST /`, in single calls and batches, with answers in the forms
//! of hived, hivemind and steemd.

mod condenser;
mod content;
mod hive;
mod rpc;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{Method, Response};
use chrono::{DateTime, Utc};
use serde_json::Value;

use self::rpc::{Call, RpcError};
use super::chain::Chain;
use super::connection::Connection;
use super::endpoint::{Endpoint, Reply};
use super::faults::Answer;
use super::lock;
use super::requests::Request;
use super::world::World;
use crate::network::ChainKind;

/// A node of the simulated chain.
#[derive(Debug)]
pub struct Node {
    endpoint: Arc<Endpoint>,
    world: Arc<World>,
    switches: Mutex<Switches>,
}

/// The peculiarities of a node, besides the faults of its endpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct Switches {
    /// The lag of its head behind the clock.
    pub lag: Duration,
    /// Whether it has `block_api.get_block_range`. Nodes of Steem lack it.
    pub has_block_range: bool,
    /// Whether it refuses batches.
    pub refuses_batches: bool,
    /// Whether it reverses the order of answers to a batch.
    pub reverses_batches: bool,
}

impl Node {
    pub(super) fn new(endpoint: Arc<Endpoint>, world: Arc<World>, kind: ChainKind) -> Arc<Self> {
        let switches = Switches {
            lag: Duration::ZERO,
            has_block_range: kind == ChainKind::Hive,
            refuses_batches: false,
            reverses_batches: false,
        };
        Arc::new(Self {
            endpoint,
            world,
            switches: Mutex::new(switches),
        })
    }

    /// The listener, with its address, faults and log of requests.
    pub fn endpoint(&self) -> &Arc<Endpoint> {
        &self.endpoint
    }

    /// Changes the peculiarities of the node.
    pub fn switch(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut lock(&self.switches));
    }

    pub(super) fn router(self: &Arc<Self>) -> Router {
        Router::new().fallback(handle).with_state(Arc::clone(self))
    }

    /// Answers one call as a JSON-RPC object.
    fn answer(&self, call: &Call) -> Value {
        let switches = lock(&self.switches).clone();
        let chain = self.world.chain();
        let view = View::new(&chain, &switches, self.world.clock.now());
        rpc::response(&call.id, view.call(&call.method, &call.params))
    }
}

async fn handle(
    State(node): State<Arc<Node>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    method: Method,
    body: Bytes,
) -> Response<Body> {
    let endpoint = Arc::clone(&node.endpoint);
    if method != Method::POST {
        let reply = Reply::Answer(Answer::proxy_page(405));
        return endpoint.deliver(&connection, reply).await;
    }
    match serde_json::from_slice(&body) {
        Ok(Value::Array(calls)) => batch(&node, &connection, &calls).await,
        Ok(call) => single(&node, &connection, &call).await,
        Err(_) => {
            let error = RpcError::parse_error();
            let reply = Reply::json(200, rpc::response(&Value::Null, Err(error)));
            endpoint.deliver(&connection, reply).await
        }
    }
}

async fn single(node: &Arc<Node>, connection: &Connection, call: &Value) -> Response<Body> {
    let call = match Call::read(call) {
        Ok(call) => call,
        Err(error) => {
            let reply = Reply::json(200, rpc::response(&Value::Null, Err(error)));
            return node.endpoint.deliver(connection, reply).await;
        }
    };
    let request = node.request(&call.method);
    let worker = Arc::clone(node);
    let work = move |_| Reply::json(200, worker.answer(&call));
    node.endpoint.answer(connection, request, work).await
}

/// Answers a batch. Each call is logged as a request of its own. The fault of the whole batch is that
/// of the first call.
async fn batch(node: &Arc<Node>, connection: &Connection, calls: &[Value]) -> Response<Body> {
    let switches = lock(&node.switches).clone();
    if switches.refuses_batches {
        let error = RpcError::invalid_request("Batch requests are not supported");
        let reply = Reply::json(200, rpc::response(&Value::Null, Err(error)));
        return node.endpoint.deliver(connection, reply).await;
    }
    let calls: Vec<Result<Call, RpcError>> = calls.iter().map(Call::read).collect();
    let method = match calls.first() {
        Some(Ok(call)) => call.method.clone(),
        _ => "batch".to_owned(),
    };
    for call in calls.iter().skip(1).flatten() {
        node.endpoint.requests.arrive(node.request(&call.method));
    }
    let request = node.request(&method);
    let worker = Arc::clone(node);
    let work = move |_| {
        let answer = |call: &Result<Call, RpcError>| match call {
            Ok(call) => worker.answer(call),
            Err(error) => rpc::response(&Value::Null, Err(error.clone())),
        };
        let mut answers: Vec<Value> = calls.iter().map(answer).collect();
        if switches.reverses_batches {
            answers.reverse();
        }
        Reply::json(200, Value::Array(answers))
    };
    node.endpoint.answer(connection, request, work).await
}

impl Node {
    fn request(&self, method: &str) -> Request {
        Request {
            method: method.to_owned(),
            voter: None,
            vote: None,
            token: None,
            arrived: self.world.clock.exact(),
            in_flight: 0,
        }
    }
}

/// The chain up to the head of one node.
struct View<'a> {
    chain: &'a Chain,
    /// The number of the node's newest block.
    head: u32,
    has_block_range: bool,
}

impl<'a> View<'a> {
    fn new(chain: &'a Chain, switches: &Switches, now: DateTime<Utc>) -> Self {
        let newest = chain.head().num;
        let head = if switches.lag.is_zero() {
            newest
        } else {
            let until = now - switches.lag;
            let seen = chain
                .blocks()
                .partition_point(|block| block.timestamp <= until);
            chain.blocks()[seen.max(1) - 1].num
        };
        Self {
            chain,
            head,
            has_block_range: switches.has_block_range,
        }
    }

    fn call(&self, method: &str, params: &Value) -> Result<Value, RpcError> {
        let (api, name) = method
            .split_once('.')
            .ok_or_else(|| RpcError::invalid_method(method))?;
        match (api, self.chain.kind()) {
            ("condenser_api", _) => self.condenser(name, params),
            ("block_api", _) => self.block_api(name, params),
            ("database_api", ChainKind::Hive) => self.database_api(name, params),
            ("bridge", ChainKind::Hive) => self.bridge(name, params),
            _ => Err(RpcError::unknown_api(self.chain.kind(), api)),
        }
    }
}

/// A time in the form of nodes: UTC without a zone.
fn time(moment: DateTime<Utc>) -> String {
    moment.format("%Y-%m-%dT%H:%M:%S").to_string()
}
