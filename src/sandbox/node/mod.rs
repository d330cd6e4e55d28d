//! The API of a node: JSON-RPC 2.0 by `POST /`, in single calls and batches, with answers in the forms
//! of hived, hivemind and steemd.

mod accounts;
mod condenser;
mod constants;
mod content;
mod history;
mod hive;
mod rpc;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, Method, Response};
use chrono::{DateTime, Utc};
use serde_json::Value;

use self::rpc::{Call, RpcError};
use super::chain::Chain;
use super::connection::Connection;
use super::endpoint::{Endpoint, Reply, preflight};
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
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let endpoint = Arc::clone(&node.endpoint);
    if method == Method::OPTIONS {
        return preflight(&headers);
    }
    if method != Method::POST {
        let reply = Reply::Answer(Answer::proxy_page(405));
        return endpoint.deliver(&connection, reply).await;
    }
    let switches = lock(&node.switches).clone();
    let refused = |error| Reply::json(200, rpc::response(&Value::Null, Err(error)));
    let (calls, is_batch) = match serde_json::from_slice(&body) {
        Ok(Value::Array(_)) if switches.refuses_batches => {
            let error = RpcError::InvalidRequest("Batch requests are not supported");
            return endpoint.deliver(&connection, refused(error)).await;
        }
        Ok(Value::Array(calls)) => (calls, true),
        Ok(call) => (vec![call], false),
        Err(_) => {
            return endpoint
                .deliver(&connection, refused(RpcError::Parse))
                .await;
        }
    };
    let calls: Vec<Result<Call, RpcError>> = calls.iter().map(Call::read).collect();
    let request = |method: &str| Request {
        method: method.to_owned(),
        arrived: node.world.clock.exact(),
        ..Request::default()
    };
    // The fault of a batch is that of its first call. Each call is logged as a request of its own.
    let first = match calls.first() {
        Some(Ok(call)) => request(&call.method),
        Some(Err(error)) if !is_batch => {
            return endpoint.deliver(&connection, refused(error.clone())).await;
        }
        _ => request("batch"),
    };
    for call in calls.iter().skip(1).flatten() {
        endpoint.requests.arrive(request(&call.method));
    }
    let work = move |_| {
        let answer = |call: &Result<Call, RpcError>| match call {
            Ok(call) => node.answer(call),
            Err(error) => rpc::response(&Value::Null, Err(error.clone())),
        };
        let mut answers: Vec<Value> = calls.iter().map(answer).collect();
        if switches.reverses_batches {
            answers.reverse();
        }
        match is_batch {
            true => Reply::json(200, Value::Array(answers)),
            false => Reply::json(200, &answers[0]),
        }
    };
    endpoint.answer(&connection, first, work).await
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
        let until = now - switches.lag;
        let blocks = chain.blocks();
        let seen = match switches.lag.is_zero() {
            true => blocks.len(),
            false => blocks.partition_point(|block| block.timestamp <= until),
        };
        let head = blocks[seen.max(1) - 1].num;
        Self {
            chain,
            head,
            has_block_range: switches.has_block_range,
        }
    }

    fn call(&self, method: &str, params: &Value) -> Result<Value, RpcError> {
        let Some((api, name)) = method.split_once('.') else {
            return Err(RpcError::InvalidMethod(method.to_owned()));
        };
        match (api, self.chain.kind()) {
            ("condenser_api", _) => self.condenser(name, params),
            ("block_api", _) => self.block_api(name, params),
            ("database_api", ChainKind::Hive) => self.database_api(name, params),
            ("account_history_api", ChainKind::Hive) => self.account_history_api(name, params),
            ("rc_api", ChainKind::Hive) => self.rc_api(name, params),
            ("transaction_status_api", ChainKind::Hive) => {
                self.transaction_status_api(name, params)
            }
            ("bridge", ChainKind::Hive) => self.bridge(name, params),
            (_, ChainKind::Hive) => Err(RpcError::UnknownApi(
                "data._registered_apis",
                api.to_owned(),
            )),
            (_, ChainKind::Steem) => Err(RpcError::UnknownApi("_registered_apis", api.to_owned())),
        }
    }
}
