//! A scripted API node on the loopback interface.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Response, StatusCode};
use chrono::{DateTime, Utc};
use curatord::chain::nodes::{NodeLimits, Nodes};
use curatord::chain::notice::NodeNotice;
use curatord::clock::Clock;
use curatord::network::ChainKind;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// The start time of all tests: the timestamp of block 1000.
pub fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_714_564_800, 0).unwrap()
}

/// How a node answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Behaviour {
    Normal,
    Html502,
    HtmlOk,
    EmptyBody,
    Huge,
    WrongTypes,
    Hanging,
    Slow(Duration),
    Truncated,
    RateLimited(Option<u64>),
    InternalError,
}

pub struct Script {
    pub behaviour: Behaviour,
    /// Number of next answers that are truncated.
    pub truncate_next: u32,
    /// The branch of each block. The id of a block depends on its branch.
    blocks: BTreeMap<u32, u32>,
    /// Added to the timestamps of head and blocks.
    pub late: chrono::Duration,
    /// Distance of the irreversible block to the head, in blocks.
    pub reversible: u32,
    /// Methods that the node does not know.
    pub lacks: HashSet<&'static str>,
    pub takes_batches: bool,
    /// Whether blocks have the form of `block_api`.
    pub block_api: bool,
    /// Answers to `get_content` by author and permlink.
    pub posts: HashMap<(String, String), Value>,
    /// Answers to all other methods.
    pub answers: HashMap<&'static str, Value>,
    /// The methods called, with a batch as `batch of N`.
    pub asked: Vec<String>,
}

pub struct FakeNode {
    pub url: String,
    script: Arc<Mutex<Script>>,
    _server: JoinSet<()>,
}

impl FakeNode {
    /// A node with the blocks 900 to 1000.
    pub async fn new() -> Self {
        let script = Arc::new(Mutex::new(Script {
            behaviour: Behaviour::Normal,
            truncate_next: 0,
            blocks: (900..=1000).map(|num| (num, 0)).collect(),
            late: chrono::Duration::zero(),
            reversible: 20,
            lacks: HashSet::new(),
            takes_batches: true,
            block_api: false,
            posts: HashMap::new(),
            answers: HashMap::new(),
            asked: Vec::new(),
        }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&script));
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            url,
            script,
            _server: server,
        }
    }

    /// As messages name it.
    pub fn name(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    pub fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap()
    }

    pub fn set(&self, behaviour: Behaviour) {
        self.script().behaviour = behaviour;
    }

    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.script().asked)
    }
}

impl Script {
    /// Adds blocks on the branch of the newest one.
    pub fn grow(&mut self, count: u32) {
        for _ in 0..count {
            let (&num, &branch) = self.blocks.last_key_value().unwrap();
            self.blocks.insert(num + 1, branch);
        }
    }

    /// Replaces the blocks from `from` on with blocks of another branch up to `to`.
    pub fn fork(&mut self, from: u32, to: u32, branch: u32) {
        self.blocks.retain(|num, _| *num < from);
        self.blocks.extend((from..=to).map(|num| (num, branch)));
    }

    /// Removes the blocks above `num`, as on a node that has not received them.
    pub fn forget_above(&mut self, num: u32) {
        self.blocks.retain(|block, _| *block <= num);
    }

    pub fn id(&self, num: u32) -> String {
        let branch = self.blocks.get(&num).copied().unwrap_or_default();
        format!("{num:08x}{branch:032x}")
    }

    fn time(&self, num: u32) -> String {
        let seconds = (i64::from(num) - 1000) * 3;
        let time = start() + chrono::Duration::seconds(seconds) + self.late;
        time.format("%Y-%m-%dT%H:%M:%S").to_string()
    }

    fn block(&self, num: u32) -> Value {
        if !self.blocks.contains_key(&num) {
            return Value::Null;
        }
        let vote = json!({"voter": "alice", "author": "bob", "permlink": format!("post-{num}"), "weight": 100});
        let operation = if self.block_api {
            json!({"type": "vote_operation", "value": vote})
        } else {
            json!(["vote", vote])
        };
        json!({
            "block_id": self.id(num),
            "previous": self.id(num - 1),
            "timestamp": self.time(num),
            "transactions": [{"operations": [operation]}],
            "transaction_ids": [format!("{num:040x}")],
        })
    }

    fn call(&self, request: &Value) -> Value {
        let method = request["method"].as_str().unwrap();
        let id = &request["id"];
        if self.lacks.contains(method) {
            return json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32601, "message": "Method not found"}});
        }
        if self.behaviour == Behaviour::InternalError {
            return json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32603, "message": "Internal Error"}});
        }
        let params = &request["params"];
        let head = *self.blocks.last_key_value().unwrap().0;
        let result = match method {
            "condenser_api.get_dynamic_global_properties" => json!({
                "head_block_number": head, "head_block_id": self.id(head), "time": self.time(head),
                "last_irreversible_block_num": head - self.reversible,
            }),
            "condenser_api.get_block" => self.block(params[0].as_u64().unwrap() as u32),
            "block_api.get_block_range" => {
                let from = params["starting_block_num"].as_u64().unwrap() as u32;
                let to = from + params["count"].as_u64().unwrap() as u32;
                let blocks = (from..to).filter(|num| self.blocks.contains_key(num));
                json!({"blocks": blocks.map(|num| self.block(num)).collect::<Vec<_>>()})
            }
            "condenser_api.get_content" => {
                let text = |index: usize| params[index].as_str().unwrap().to_owned();
                let post = self.posts.get(&(text(0), text(1)));
                post.cloned()
                    .unwrap_or(json!({"author": "", "permlink": ""}))
            }
            other => self
                .answers
                .get(other)
                .cloned()
                .unwrap_or_else(|| panic!("{other}?")),
        };
        json!({"jsonrpc": "2.0", "id": id, "result": result})
    }

    fn answer(&mut self, request: &Value) -> Value {
        let Some(batch) = request.as_array() else {
            self.asked
                .push(request["method"].as_str().unwrap().to_owned());
            return self.call(request);
        };
        self.asked.push(format!("batch of {}", batch.len()));
        if !self.takes_batches {
            return json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32600, "message": "Invalid Request"}});
        }
        batch
            .iter()
            .rev()
            .map(|request| self.call(request))
            .collect()
    }
}

async fn answer(State(script): State<Arc<Mutex<Script>>>, body: Bytes) -> Response<Body> {
    let request: Value = serde_json::from_slice(&body).unwrap();
    let (behaviour, answer) = {
        let mut script = script.lock().unwrap();
        let behaviour = if script.truncate_next > 0 {
            script.truncate_next -= 1;
            Behaviour::Truncated
        } else {
            script.behaviour
        };
        (behaviour, script.answer(&request))
    };
    let reply = |status: u16, body: Body| {
        let status = StatusCode::from_u16(status).unwrap();
        Response::builder().status(status).body(body).unwrap()
    };
    const HTML: &str = "<html>\n<head><title>502 Bad Gateway</title></head></html>";
    match behaviour {
        Behaviour::Normal | Behaviour::InternalError => reply(200, answer.to_string().into()),
        Behaviour::Html502 => reply(502, HTML.into()),
        Behaviour::HtmlOk => reply(200, HTML.into()),
        Behaviour::EmptyBody => reply(200, Body::empty()),
        Behaviour::Huge => reply(
            200,
            format!("{{\"result\": \"{}\"}}", "x".repeat(1 << 20)).into(),
        ),
        Behaviour::WrongTypes => reply(
            200,
            r#"{"id": 0, "result": {"head_block_number": [], "blocks": 7, "timestamp": {}}}"#
                .into(),
        ),
        Behaviour::Hanging => std::future::pending().await,
        Behaviour::Slow(delay) => {
            tokio::time::sleep(delay).await;
            reply(200, answer.to_string().into())
        }
        Behaviour::Truncated => {
            let pieces = [Ok("{\"jsonrpc\""), Err(std::io::Error::other("cut"))];
            reply(200, Body::from_stream(futures_util::stream::iter(pieces)))
        }
        Behaviour::RateLimited(seconds) => {
            let mut response = reply(429, "slow down".into());
            if let Some(seconds) = seconds {
                response.headers_mut().insert("retry-after", seconds.into());
            }
            response
        }
    }
}

/// Limits long enough for a busy machine.
pub fn limits() -> NodeLimits {
    NodeLimits {
        hedge_after: Duration::from_secs(10),
        max_answer_bytes: 1 << 19,
        ..NodeLimits::default()
    }
}

/// Limits for nodes that hang: a timeout of half a second.
pub fn impatient() -> NodeLimits {
    NodeLimits {
        timeout: Duration::from_millis(500),
        ..limits()
    }
}

pub fn nodes_with(fakes: &[&FakeNode], limits: NodeLimits) -> (Nodes, mpsc::Receiver<NodeNotice>) {
    nodes_of(ChainKind::Hive, fakes, limits)
}

pub fn nodes(fakes: &[&FakeNode]) -> (Nodes, mpsc::Receiver<NodeNotice>) {
    nodes_with(fakes, limits())
}

pub fn nodes_of(
    kind: ChainKind,
    fakes: &[&FakeNode],
    limits: NodeLimits,
) -> (Nodes, mpsc::Receiver<NodeNotice>) {
    let urls: Vec<_> = fakes.iter().map(|fake| fake.url.clone()).collect();
    let (sender, receiver) = mpsc::channel(100);
    let clock = Clock::starting_at(start());
    let nodes = Nodes::with_limits(&urls, kind, clock, Some(sender), limits).unwrap();
    (nodes, receiver)
}
