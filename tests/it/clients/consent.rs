//! The page on which people agree to an application, as a browser and the application see it.

use curatord::account::Account;
use curatord::network::ChainKind;
use curatord::sandbox::{REDIRECT_URI, Sandbox, SandboxConfig};
use reqwest::header::{ACCESS_CONTROL_ALLOW_ORIGIN, HeaderMap, LOCATION};
use reqwest::{Client, Method, redirect};
use serde_json::{Value, json};
use url::Url;

thread_local! {
    /// One for each test, since it takes a while to make.
    static BROWSER: Client = {
        // Another test may have installed it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = Client::builder().no_proxy().redirect(redirect::Policy::none());
        builder.build().unwrap()
    };
}

/// A browser that does not follow redirects.
fn browser() -> Client {
    BROWSER.with(Client::clone)
}

async fn sandbox() -> Sandbox {
    let sandbox = Sandbox::start(SandboxConfig::manual(ChainKind::Hive))
        .await
        .unwrap();
    sandbox.add_account("alice");
    sandbox.publish("bob", "a-post");
    sandbox.produce_block();
    sandbox
}

/// What an application asks for, with changes.
fn request(changes: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    let usual = [
        ("client_id", "sandbox.app"),
        ("redirect_uri", REDIRECT_URI),
        ("response_type", "code"),
        ("scope", "vote,offline"),
        ("state", "s1"),
    ];
    let kept = usual
        .iter()
        .filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    kept.chain(changes)
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect()
}

fn address(sandbox: &Sandbox, fields: &[(&str, String)]) -> Url {
    let page = format!("{}/oauth2/authorize", sandbox.signer_url());
    Url::parse_with_params(&page, fields).unwrap()
}

/// Status and body of a request.
async fn load(url: Url) -> (u16, String) {
    let answer = browser().get(url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// Presses a button on the page. Returns the status, and the fields of the address to which it leads.
async fn press(
    sandbox: &Sandbox,
    button: &str,
    account: &str,
    changes: &[(&'static str, &str)],
) -> (u16, Vec<(String, String)>) {
    let mut fields = request(changes);
    fields.push(("account", account.to_owned()));
    fields.push(("answer", button.to_owned()));
    let mut body = url::form_urlencoded::Serializer::new(String::new());
    let answer = browser()
        .post(format!("{}/oauth2/authorize", sandbox.signer_url()))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.extend_pairs(fields).finish());
    let answer = answer.send().await.unwrap();
    let location = answer
        .headers()
        .get(LOCATION)
        .map(|location| location.to_str().unwrap());
    let fields = location.map_or(Vec::new(), |location| {
        assert!(
            location.starts_with(&format!("{REDIRECT_URI}?")),
            "{location}"
        );
        Url::parse(location)
            .unwrap()
            .query_pairs()
            .into_owned()
            .collect()
    });
    (answer.status().as_u16(), fields)
}

fn value<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = fields.iter().find(|(field, _)| field == name);
    found.map(|(_, value)| value.as_str())
}

async fn post(url: String, token: Option<&str>, body: Value) -> Value {
    let mut request = browser().post(url).json(&body);
    if let Some(token) = token {
        request = request.header("authorization", token);
    }
    request.send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn who_agrees_votes_with_the_tokens_for_the_code() {
    let sandbox = sandbox().await;
    let (status, page) = load(address(&sandbox, &request(&[("account", "alice")]))).await;
    assert_eq!(status, 200);
    assert!(
        page.contains("<option selected>alice</option>") && page.contains("<option>bob</option>"),
        "{page}"
    );
    assert!(!page.contains("<option>sandbox."), "{page}");

    let (status, fields) = press(&sandbox, "agree", "alice", &[]).await;
    assert_eq!(
        (status, value(&fields, "state"), value(&fields, "username")),
        (302, Some("s1"), Some("alice"))
    );
    let secret = sandbox.client_secret();
    let code = json!({"code": value(&fields, "code"), "client_secret": secret});
    let tokens = post(
        format!("{}/api/oauth2/token", sandbox.signer_url()),
        None,
        code,
    )
    .await;
    assert_eq!(tokens["username"], "alice");

    let vote = json!({"voter": "alice", "author": "bob", "permlink": "a-post", "weight": 5000});
    let broadcast = json!({"operations": [["vote", vote]]});
    let url = format!("{}/api/broadcast", sandbox.signer_url());
    let accepted = post(url, tokens["access_token"].as_str(), broadcast).await;
    assert!(accepted["result"]["id"].is_string(), "{accepted}");
    let block = sandbox.produce_block();
    sandbox.with_chain(|chain| {
        let block = chain.block(block).unwrap();
        let names: Vec<_> = block
            .operations()
            .map(|(_, operation)| operation.name())
            .collect();
        assert_eq!(names, ["account_update", "vote"]);
        let alice = chain.account(&Account::from_chain("alice")).unwrap();
        assert_eq!(alice.posting, [Account::from_chain("sandbox.app")]);
    });
    // Who has agreed before is not written again.
    assert_eq!(press(&sandbox, "agree", "alice", &[]).await.0, 302);
    assert_eq!(sandbox.with_chain(|chain| chain.pending()), 0);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn who_refuses_is_sent_back_without_a_code() {
    let sandbox = sandbox().await;
    let state = "a&b=c \"<'\u{1f600}\n+%20";
    let (status, fields) = press(&sandbox, "refuse", "alice", &[("state", state)]).await;
    let wanted = [("error", "access_denied"), ("state", state)];
    assert_eq!(status, 302);
    assert_eq!(
        fields,
        wanted.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    let alice = Account::from_chain("alice");
    assert!(sandbox.with_chain(|chain| chain.account(&alice).unwrap().posting.is_empty()));
    sandbox.shutdown().await;
}

#[tokio::test]
async fn an_address_that_is_not_registered_gets_nobody() {
    let sandbox = sandbox().await;
    for changes in [
        [("redirect_uri", "https://evil.example/callback")],
        [("redirect_uri", "http://127.0.0.1:9394/callback/")],
        [("redirect_uri", "http://127.0.0.1:9394/callback?x=1")],
        [("redirect_uri", "http://127.0.0.1:9394")],
        [("redirect_uri", "HTTP://127.0.0.1:9394/callback")],
        [("redirect_uri", "javascript:alert(1)")],
        [("redirect_uri", "")],
        [("client_id", "bob")],
        [("client_id", "")],
    ] {
        let (status, page) = load(address(&sandbox, &request(&changes))).await;
        assert_eq!(status, 400, "{changes:?} {page}");
        assert_eq!(
            press(&sandbox, "agree", "alice", &changes).await,
            (400, Vec::new())
        );
        assert_eq!(
            press(&sandbox, "refuse", "alice", &changes).await,
            (400, Vec::new())
        );
    }
    for nobody in ["nobody", "", "sandbox.app", "sandbox.signer"] {
        assert_eq!(
            press(&sandbox, "agree", nobody, &[]).await,
            (400, Vec::new())
        );
    }
    assert_eq!(sandbox.with_chain(|chain| chain.pending()), 0);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn text_from_outside_is_no_markup() {
    let sandbox = sandbox().await;
    let evil = "\"><script>alert('x')</script>\u{202e}";
    for name in [
        "scope",
        "state",
        "account",
        "redirect_uri",
        "client_id",
        "response_type",
    ] {
        let (_, page) = load(address(&sandbox, &request(&[(name, evil)]))).await;
        assert!(
            !page.contains("<script") && !page.contains("\"><script"),
            "{name}: {page}"
        );
    }
    let (_, page) = load(address(&sandbox, &request(&[("scope", "vote\u{202e}")]))).await;
    assert!(page.contains("vote\\u202E"), "{page}");
    sandbox.shutdown().await;
}

#[tokio::test]
async fn without_a_code_the_token_comes_at_once() {
    let sandbox = sandbox().await;
    let me = |token: String| {
        let url = format!("{}/api/me", sandbox.signer_url());
        async move { post(url, Some(&token), json!({})).await["scope"].clone() }
    };
    for (scope, first) in [("login", json!(["login"])), ("posting", json!("vote"))] {
        let (_, fields) = press(
            &sandbox,
            "agree",
            "alice",
            &[("response_type", "token"), ("scope", scope)],
        )
        .await;
        assert_eq!(
            (value(&fields, "expires_in"), value(&fields, "code")),
            (Some("604800"), None)
        );
        let scope_of_token = me(value(&fields, "access_token").unwrap().to_owned()).await;
        assert!(
            scope_of_token == first || scope_of_token[0] == first,
            "{scope}: {scope_of_token}"
        );
        let alice = Account::from_chain("alice");
        let trusts = sandbox.with_chain(|chain| !chain.account(&alice).unwrap().posting.is_empty());
        assert_eq!(trusts, scope != "login");
    }
    // Only a code is good for being refreshed.
    let (_, fields) = press(
        &sandbox,
        "agree",
        "alice",
        &[("response_type", "token"), ("scope", "vote,offline")],
    )
    .await;
    assert!(value(&fields, "code").is_some() && value(&fields, "access_token").is_none());
    sandbox.shutdown().await;
}

#[tokio::test]
async fn pages_of_any_origin_may_ask_the_signer_and_the_node() {
    let sandbox = sandbox().await;
    let any = |headers: &HeaderMap| headers[ACCESS_CONTROL_ALLOW_ORIGIN] == "*";
    for url in [sandbox.signer_url() + "/api/broadcast", sandbox.node_url()] {
        let ask = browser().request(Method::OPTIONS, &url).header(
            "access-control-request-headers",
            "authorization,content-type",
        );
        let answer = ask.send().await.unwrap();
        assert_eq!(answer.status(), 204);
        assert!(any(answer.headers()));
        assert_eq!(
            answer.headers()["access-control-allow-headers"],
            "authorization,content-type"
        );
        assert!(
            answer.headers()["access-control-allow-methods"]
                .to_str()
                .unwrap()
                .contains("POST")
        );
        for method in [Method::GET, Method::HEAD, Method::POST, Method::DELETE] {
            let ask = browser().request(method.clone(), &url).body("{");
            let answer = ask
                .header("content-type", "application/json")
                .send()
                .await
                .unwrap();
            assert!(any(answer.headers()), "{method} {url}");
        }
    }
    let token = sandbox.add_voter("alice").access;
    let head = browser()
        .head(sandbox.signer_url() + "/api/me")
        .header("authorization", token);
    assert_eq!(head.send().await.unwrap().status(), 200);
    sandbox.shutdown().await;
}
