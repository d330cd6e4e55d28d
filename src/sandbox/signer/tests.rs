//! All answers of the measured server that concern a daemon.

mod differences;
mod effects;
mod tokens;

use std::net::SocketAddr;

use axum::http::Request as HttpRequest;
use chrono::DateTime;
use serde_json::{Value, json};

use super::*;
use crate::clock::Clock;
use crate::network::ChainKind;
use crate::post::PostId;
use crate::sandbox::chain::operation::{Comment, Operation};
use crate::sandbox::chain::{Chain, USUAL_STAKE};
use crate::sandbox::tasks::Tasks;

const SECRET: &str = "app-secret";

fn name(text: &str) -> Account {
    Account::from_chain(text)
}

/// A signer where alice has authorised my.app, my.app has authorised the signer, carol has authorised
/// nobody and bob has posts.
async fn signer(kind: SignerKind) -> Arc<Signer> {
    let clock = Clock::starting_at(DateTime::UNIX_EPOCH + Duration::days(20_000));
    let chain_kind = match kind {
        SignerKind::HiveSigner => ChainKind::Hive,
        SignerKind::SteemConnect => ChainKind::Steem,
    };
    let mut chain = Chain::new(chain_kind, 1000, 1, clock.now());
    for account in ["alice", "bob", "carol", "my.app", "sandbox.signer"] {
        chain.create_account(&name(account), USUAL_STAKE);
    }
    chain.alter_account(&name("alice"), |alice| alice.posting = vec![name("my.app")]);
    chain.alter_account(&name("my.app"), |app| {
        app.posting = vec![name("sandbox.signer")]
    });
    for permlink in ["post", "other"] {
        let post = Operation::Comment(Comment {
            post: PostId::new(name("bob"), permlink),
            parent: None,
            category: "photo".into(),
            title: String::new(),
            body: String::new(),
            json_metadata: String::new(),
        });
        chain.submit(vec![post], None).unwrap();
    }
    chain.produce(clock.now());
    let world = Arc::new(World::new(chain, clock));
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let (endpoint, _) = Endpoint::bind(any, &Tasks::default()).await.unwrap();
    let account = name("sandbox.signer");
    Signer::new(
        endpoint,
        world,
        kind,
        name("my.app"),
        SECRET.into(),
        account,
    )
}

/// Sends a request and returns the status and the body, as JSON if it is JSON.
fn send(signer: &Signer, request: HttpRequest<String>) -> (u16, Value) {
    let (head, body) = request.into_parts();
    let reply = match Input::read(&head, body.as_bytes()) {
        Ok(input) => signer.work(&input, Mode::Normal),
        Err(reply) => reply,
    };
    match reply {
        Reply::Answer(answer) => {
            let body = serde_json::from_str(&answer.body).unwrap_or(Value::String(answer.body));
            (answer.status, body)
        }
        Reply::Cut | Reply::Crash => (0, Value::Null),
    }
}

fn form(path: &str, body: &str) -> HttpRequest<String> {
    HttpRequest::post(path)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.to_owned())
        .unwrap()
}

fn broadcast(token: &str, operations: Value) -> HttpRequest<String> {
    HttpRequest::post("/api/broadcast")
        .header("content-type", "application/json")
        .header("authorization", token)
        .body(json!({"operations": operations}).to_string())
        .unwrap()
}

fn vote(voter: &str, permlink: &str, weight: Value) -> Value {
    json!([["vote", {"voter": voter, "author": "bob", "permlink": permlink, "weight": weight}]])
}

fn error(description: &str, error: &str) -> Value {
    json!({"error": error, "error_description": description})
}

fn invalid_role() -> (u16, Value) {
    (401, error("The token has invalid role", "invalid_grant"))
}

#[tokio::test]
async fn an_accepted_vote_has_an_id_and_is_pending() {
    let signer = signer(SignerKind::HiveSigner).await;
    let token = signer.issue_tokens(&name("alice")).access;
    for (header, permlink) in [
        (token.clone(), "post"),
        (format!("Bearer {token}"), "other"),
    ] {
        let (status, body) = send(
            &signer,
            broadcast(&header, vote("alice", permlink, json!(10_000))),
        );
        assert_eq!(status, 200, "{body}");
        assert_eq!(body["result"]["id"].as_str().unwrap().len(), 40);
        assert_eq!(body["result"].as_object().unwrap().len(), 1);
    }
    assert_eq!(signer.world.chain().pending(), 2);
}

#[tokio::test]
async fn steemconnect_answers_with_the_whole_transaction() {
    let signer = signer(SignerKind::SteemConnect).await;
    let token = signer.issue_tokens(&name("alice")).access;
    let operations = vote("alice", "post", json!(10_000));
    let (status, body) = send(&signer, broadcast(&token, operations.clone()));
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["result"]["operations"], operations);
    assert_eq!(body["result"]["trx_num"], 0);
}

#[tokio::test]
async fn refusals_of_broadcasts_are_as_measured() {
    let signer = signer(SignerKind::HiveSigner).await;
    let alice = signer.issue_tokens(&name("alice"));
    let carol = signer.issue_tokens(&name("carol")).access;
    let ghost = signer.issue_tokens(&name("ghost")).access;
    let login = signer.issue(Role::Login, &name("alice"));
    let transfer =
        json!([["vote", {"voter": "alice"}], ["transfer", {}], ["limit_order_create", {}]]);
    let client = |text: &str| (401, error(text, "unauthorized_client"));
    let scope = |list: &str| {
        let text =
            format!("The access_token scope does not allow the following operation(s): {list}");
        (401, error(&text, "invalid_scope"))
    };
    let full = json!(10_000);
    for (token, operations, answer) in [
        (
            &alice.access,
            vote("bob", "post", full.clone()),
            client(
                "This access_token allow you to broadcast transaction only for the account @alice",
            ),
        ),
        (
            &alice.access,
            transfer,
            scope("transfer, limit_order_create"),
        ),
        (
            &carol,
            vote("carol", "post", full.clone()),
            client("The app @my.app doesn't have permission to broadcast for @carol"),
        ),
        (
            &ghost,
            vote("ghost", "post", full.clone()),
            client("The app @my.app or user @ghost account failed to load"),
        ),
        (
            &"notatoken".to_owned(),
            vote("alice", "post", full.clone()),
            invalid_role(),
        ),
        (
            &String::new(),
            vote("alice", "post", full.clone()),
            invalid_role(),
        ),
        (
            &format!("bearer {}", alice.access),
            vote("alice", "post", full.clone()),
            invalid_role(),
        ),
        (
            &alice.refresh,
            vote("alice", "post", full.clone()),
            invalid_role(),
        ),
        (&login, vote("alice", "post", full.clone()), scope("vote")),
    ] {
        assert_eq!(send(&signer, broadcast(token, operations)), answer);
    }
    signer
        .world
        .chain()
        .alter_account(&name("my.app"), |app| app.posting.clear());
    assert_eq!(
        send(
            &signer,
            broadcast(&alice.access, vote("alice", "post", full))
        ),
        client("Broadcaster account doesn't have permission to broadcast for @my.app")
    );
    assert_eq!(signer.world.chain().pending(), 0);
}

#[tokio::test]
async fn a_weight_that_is_not_an_integer_cannot_be_serialized() {
    let signer = signer(SignerKind::HiveSigner).await;
    let token = signer.issue_tokens(&name("alice")).access;
    for (weight, shown) in [
        (json!(3330.0000000000005), "3330.0000000000005"),
        (json!("10000"), "10000"),
        (Value::Null, "null"),
    ] {
        let text = format!(
            "Unable to serialize transaction: operations: vote: weight: Illegal value: {shown} (not an integer)"
        );
        let (status, body) = send(&signer, broadcast(&token, vote("alice", "post", weight)));
        assert_eq!((status, &body["error_description"]), (500, &json!(text)));
        assert_eq!(body["response"]["name"], "SerializationError");
    }
}

#[tokio::test]
async fn only_hivesigner_adds_a_response_to_a_refusal_of_the_chain() {
    let hive = "itr->get_vote_percent() != o.weight && \"Your current vote on this comment is identical to this vote.\": \
                Your current vote on this comment is identical to this vote. category=chain subject_type=voting subject=alice";
    let steem = "itr->vote_percent != o.weight: You have already voted in a similar way.";
    for (kind, text) in [
        (SignerKind::HiveSigner, hive),
        (SignerKind::SteemConnect, steem),
    ] {
        let signer = signer(kind).await;
        let token = signer.issue_tokens(&name("alice")).access;
        let request = || broadcast(&token, vote("alice", "post", json!(5000)));
        assert_eq!(send(&signer, request()).0, 200);
        let later = signer.world.clock.now() + Duration::seconds(3);
        signer.world.chain().produce(later);
        let (status, body) = send(&signer, request());
        assert_eq!((status, &body["error"]), (500, &json!("server_error")));
        assert_eq!(body["error_description"], text);
        if kind == SignerKind::HiveSigner {
            assert_eq!(body["response"]["name"], "RPCError");
            assert_eq!(body["response"]["jse_shortmsg"], text);
            assert_eq!(body["response"]["jse_info"]["code"], 10);
        } else {
            assert_eq!(body.get("response"), None);
        }
    }
}

#[tokio::test]
async fn the_same_vote_twice_within_a_block_is_a_duplicate() {
    let signer = signer(SignerKind::HiveSigner).await;
    let token = signer.issue_tokens(&name("alice")).access;
    let request = || broadcast(&token, vote("alice", "post", json!(5000)));
    let (_, first) = send(&signer, request());
    let (status, body) = send(&signer, request());
    let id = first["result"]["id"].as_str().unwrap();
    let text =
        format!("!is_known_transaction( trx_id ): Duplicate transaction check failed trx_id={id}");
    assert_eq!((status, &body["error_description"]), (500, &json!(text)));
}

#[tokio::test]
async fn the_process_dies_of_malformed_operations() {
    let signer = signer(SignerKind::HiveSigner).await;
    let token = signer.issue_tokens(&name("alice")).access;
    for operations in [json!("vote"), json!([["vote"]]), Value::Null] {
        assert_eq!(
            send(&signer, broadcast(&token, operations)),
            (0, Value::Null)
        );
    }
    let as_text = HttpRequest::post("/api/broadcast")
        .header("content-type", "text/plain")
        .header("authorization", &token)
        .body(json!({"operations": vote("alice", "post", json!(1))}).to_string())
        .unwrap();
    assert_eq!(send(&signer, as_text), (0, Value::Null));
}

#[tokio::test]
async fn a_malformed_request_gets_an_html_page() {
    let signer = signer(SignerKind::HiveSigner).await;
    let malformed = HttpRequest::post("/api/broadcast")
        .header("content-type", "application/json")
        .body("{\"operations\":[[".to_owned())
        .unwrap();
    let (status, page) = send(&signer, malformed);
    assert_eq!(status, 400);
    assert!(
        page.as_str().unwrap().contains("<pre>SyntaxError"),
        "{page}"
    );
    let (status, page) = send(&signer, form("/api/oauth2/nothing", "a=b"));
    assert_eq!(status, 404);
    assert!(
        page.as_str()
            .unwrap()
            .contains("Cannot POST /api/oauth2/nothing"),
        "{page}"
    );
    let get = HttpRequest::get("/api/broadcast")
        .body(String::new())
        .unwrap();
    assert_eq!(send(&signer, get).0, 302);
}
