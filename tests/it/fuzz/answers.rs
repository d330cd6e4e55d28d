//! Answers of the signer and of nodes, over HTTP.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::Response;
use chrono::{DateTime, TimeDelta, Utc};
use curatord::account::Account;
use curatord::chain::nodes::{NodeLimits, Nodes};
use curatord::clock::Clock;
use curatord::config::{self, Config};
use curatord::http_client;
use curatord::network::ChainKind;
use curatord::post::{PostId, VoteKey};
use curatord::signer::client::{RefreshError, SignerClient};
use curatord::votes::answer::Answer;
use curatord::weight::Weight;
use fastrand::Rng;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::json::mutated;
use super::{assert_harmless, fuzz, pick};

/// What is sent, so that an answer can repeat it.
const TOKEN: &str = "ACCESSTOKENACCESSTOKEN";
const REFRESH: &str = "REFRESHTOKENREFRESHTOKEN";

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_714_564_900, 0).unwrap()
}

fn account(name: &str) -> Account {
    Account::parse(name).unwrap()
}

/// Makes an answer to a request.
type Answerer = Box<dyn FnMut(&Value) -> (u16, Vec<u8>) + Send>;

/// A server whose answers can be replaced.
struct Server {
    url: String,
    answerer: Arc<Mutex<Answerer>>,
    _tasks: JoinSet<()>,
}

impl Server {
    async fn start() -> Self {
        let answerer: Answerer = Box::new(|_| (200, Vec::new()));
        let answerer = Arc::new(Mutex::new(answerer));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&answerer));
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            url,
            answerer,
            _tasks: tasks,
        }
    }

    fn answers(&self, answerer: impl FnMut(&Value) -> (u16, Vec<u8>) + Send + 'static) {
        *self.answerer.lock().unwrap() = Box::new(answerer);
    }
}

async fn answer(State(answerer): State<Arc<Mutex<Answerer>>>, body: Bytes) -> Response<Body> {
    let request = serde_json::from_slice(&body).unwrap();
    let (status, body) = answerer.lock().unwrap()(&request);
    Response::builder()
        .status(status)
        .body(body.into())
        .unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

/// An answer of the signer before it is changed.
fn of_signer(rng: &mut Rng) -> Value {
    let sentence = *pick(
        rng,
        &[
            "The token has invalid role",
            "The code or secret is not valid",
            "The app @my.app doesn't have permission to broadcast for @alice",
            "The app @my.app or user @alice account failed to load",
            "itr->get_vote_percent() != o.weight: Your current vote on this comment is identical to this vote.",
            "Account does not have enough mana to vote. voting_mana: 1 required_mana: 2",
            "unknown key",
            TOKEN,
            REFRESH,
            "CLIENTSECRET",
        ],
    );
    match rng.u8(..4) {
        0 => {
            json!({"result": {"id": "054fba33e8f72e29cb5fd1fbaaa69913b1750183", "block_num": 5, "expired": false}})
        }
        1 => json!({
            "access_token": "new", "refresh_token": "new", "username": "alice",
            "expires_in": *pick(rng, &[604_800, 0, -1, i64::MAX, i64::MIN]),
        }),
        2 => json!({
            "error": *pick(rng, &["invalid_grant", "unauthorized_client", "server_error", ""]),
            "error_description": sentence,
        }),
        _ => json!({
            "error": "server_error", "error_description": sentence,
            "response": {"name": "RPCError", "jse_info": {"code": *pick(rng, &[10, 4_100_100, 3_030_000, 4_030_100])}},
        }),
    }
}

fn signer_at(url: &str) -> (SignerClient, watch::Sender<Arc<Config>>) {
    let set = [
        ("CURATORD_SIGNER__URL", url),
        ("CURATORD_SIGNER__CLIENT_ID", "my.app"),
        ("CURATORD_SIGNER__CLIENT_SECRET", "CLIENTSECRET"),
    ];
    let set = set.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("curatord.toml");
    std::fs::write(&file, "").unwrap();
    let config = config::load(Some(&file), set).unwrap();
    let (sender, config) = watch::channel(Arc::new(config));
    let http = http_client::builder().build().unwrap();
    (SignerClient::new(http, config), sender)
}

/// Nothing that was sent to the signer is repeated.
fn assert_hides(sent: &str, text: &str) {
    for secret in [sent, "CLIENTSECRET"] {
        assert!(!text.contains(secret), "{text}");
    }
}

fn text_of(answer: &Answer) -> &str {
    match answer {
        Answer::Done(_) => "",
        Answer::Passing { text, .. } | Answer::NoAuthority { text, .. } => text,
        Answer::Unknown(text)
        | Answer::Token(text)
        | Answer::UnknownPost(text)
        | Answer::NoMana(text)
        | Answer::Final(text) => text,
    }
}

#[test]
fn answers_of_the_signer_of_any_content_are_judged_without_showing_a_secret() {
    let runtime = runtime();
    let server = runtime.block_on(Server::start());
    let (signer, _config) = signer_at(&server.url);
    let key = VoteKey {
        voter: account("alice"),
        post: PostId {
            author: account("bob"),
            permlink: "a-walk".into(),
        },
    };
    let (token, refresh) = (SecretString::from(TOKEN), SecretString::from(REFRESH));
    let make = |rng: &mut Rng| {
        let value = of_signer(rng);
        mutated(value, rng)
    };
    fuzz(make, |body| {
        let status = [200, 400, 401, 403, 429, 500, 503][body.len() % 7];
        server.answers(move |_| (status, body.clone()));
        runtime.block_on(async {
            let weight = Weight::from_hundredths(5_000).unwrap();
            let answer = signer.broadcast(&token, &key, weight).await;
            assert_harmless(text_of(&answer));
            assert_hides(TOKEN, &format!("{answer:?}"));
            match signer.refresh(&key.voter, &refresh).await {
                Ok(fresh) => {
                    let life = fresh.expires_in.map(TimeDelta::from_std);
                    assert!(
                        life.is_none_or(|life| now().checked_add_signed(life.unwrap()).is_some())
                    );
                }
                Err(error) => {
                    assert_harmless(&error.to_string());
                    assert_hides(REFRESH, &format!("{error} {error:?}"));
                    assert!(
                        status != 200
                            || matches!(error, RefreshError::Passing { .. })
                            || error.to_string().contains("with the tokens of"),
                        "{error}"
                    );
                }
            }
        });
    });
}

/// The result of a call before it is changed.
fn of_node(method: &str, rng: &mut Rng) -> Value {
    let block = json!({
        "block_id": format!("{:08x}{:032x}", 1_000, 0), "previous": format!("{:08x}{:032x}", 999, 0),
        "timestamp": "2024-05-01T12:00:00", "transaction_ids": ["00"],
        "transactions": [{"operations": [["vote", {"voter": "alice", "author": "bob", "permlink": "a", "weight": 1}]]}],
    });
    let post = json!({
        "author": "bob", "permlink": "a-walk", "created": "2024-05-01T12:00:00", "parent_author": "",
        "parent_permlink": "art", "title": "A walk", "body": "by the sea", "json_metadata": "{\"tags\":[\"art\"]}",
        "max_accepted_payout": "1000000.000 HBD", "pending_payout_value": "1.000 HBD", "cashout_time":
        "2024-05-08T12:00:00", "net_votes": 1, "allow_votes": true, "depth": 0, "children": 0,
        "active_votes": [{"voter": "alice", "percent": 5_000, "rshares": "17", "time": "2024-05-01T12:00:03"}],
    });
    match method {
        "condenser_api.get_dynamic_global_properties" => json!({
            "head_block_number": 1_000, "head_block_id": format!("{:08x}{:032x}", 1_000, 0),
            "time": "2024-05-01T12:00:00", "last_irreversible_block_num": 980,
        }),
        "condenser_api.get_block" => block,
        "block_api.get_block_range" => json!({"blocks": [block]}),
        "condenser_api.get_accounts" => json!([{
            "name": "alice", "vesting_shares": "1000.000000 VESTS", "delegated_vesting_shares": "0.000000 VESTS",
            "received_vesting_shares": "0.000000 VESTS", "vesting_withdraw_rate": "0.000000 VESTS", "to_withdraw": 0,
            "withdrawn": 0, "voting_manabar": {"current_mana": "17", "last_update_time": 1_714_564_000},
            "downvote_manabar": {"current_mana": 17, "last_update_time": 1_714_564_000},
        }]),
        "condenser_api.get_content" if rng.bool() => post,
        "condenser_api.get_content" => json!({"author": "", "permlink": ""}),
        _ => json!([post]),
    }
}

/// The answer to one request of a node, right or with an error.
fn rpc(request: &Value, rng: &mut Rng) -> Value {
    let (method, id) = (
        request["method"].as_str().unwrap_or_default(),
        &request["id"],
    );
    let error = |code: i64, message: &str, data: Value| json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message, "data": data}});
    match rng.u8(..8) {
        0 => error(
            -32_602,
            "Invalid parameters",
            json!("Post bob/a-walk does not exist"),
        ),
        1 => error(-31_999, "Post was deleted", Value::Null),
        2 => error(-32_601, "Method not found", Value::Null),
        _ => json!({"jsonrpc": "2.0", "id": id, "result": of_node(method, rng)}),
    }
}

#[test]
fn answers_of_nodes_of_any_content_are_read_or_told() {
    let runtime = runtime();
    let server = runtime.block_on(Server::start());
    let limits = NodeLimits {
        hedge_after: Duration::from_secs(20),
        timeout: Duration::from_secs(20),
        ..NodeLimits::default()
    };
    let _context = runtime.enter();
    let urls = [server.url.clone()];
    fuzz(
        |rng| rng.u64(..).to_le_bytes(),
        |seed| {
            let mut rng = Rng::with_seed(u64::from_le_bytes(seed));
            server.answers(move |request| {
                let whole = match request {
                    Value::Array(batch) => {
                        batch.iter().map(|request| rpc(request, &mut rng)).collect()
                    }
                    one => rpc(one, &mut rng),
                };
                let status = *pick(&mut rng, &[200, 200, 200, 200, 400, 500]);
                (status, mutated(whole, &mut rng))
            });
            let clock = Clock::starting_at(now());
            // New ones: they remember what a node lacks.
            let nodes =
                Nodes::with_limits(&urls, ChainKind::Hive, clock, None, limits.clone()).unwrap();
            runtime.block_on(ask_everything(&nodes));
        },
    );
}

async fn ask_everything(nodes: &Nodes) {
    let posts = ["a-walk", "b"].map(|permlink| PostId {
        author: account("bob"),
        permlink: permlink.into(),
    });
    let told = |error: curatord::chain::nodes::NodesError| assert_harmless(&error.to_string());
    match nodes.head().await {
        Ok(head) => assert!(head.time - now() < TimeDelta::days(1) + TimeDelta::seconds(1)),
        Err(error) => told(error),
    }
    if let Err(error) = nodes.block(1_000).await {
        told(error);
    }
    match nodes.blocks(1_000, 3).await {
        Ok(blocks) => assert!(blocks.len() <= 3),
        Err(error) => told(error),
    }
    match nodes.contents(&posts).await {
        Ok(contents) => assert_eq!(contents.len(), 2),
        Err(error) => told(error),
    }
    match nodes.accounts(&[account("alice")]).await {
        Ok(states) => assert!(states.len() < 1_000),
        Err(error) => told(error),
    }
    match nodes.newest_posts(&account("bob"), 20).await {
        Ok(posts) => assert!(posts.len() <= 20),
        Err(error) => told(error),
    }
}
