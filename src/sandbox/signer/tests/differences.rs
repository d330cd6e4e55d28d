//! Requests to which a simpler server would answer otherwise than the measured one.

use axum::http::Method;

use super::*;

/// A request without a body.
fn bare(method: &str, path: &str, token: &str) -> HttpRequest<String> {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let request = HttpRequest::builder().method(method).uri(path);
    request
        .header("authorization", token)
        .body(String::new())
        .unwrap()
}

fn status(signer: &Signer, request: HttpRequest<String>) -> u16 {
    send(signer, request).0
}

fn only_own() -> (u16, Value) {
    let text = "This access_token allow you to broadcast transaction only for the account @alice";
    (401, error(text, "unauthorized_client"))
}

#[tokio::test]
async fn an_account_update_that_touches_keys_or_authorities_is_refused() {
    let signer = signer(SignerKind::HiveSigner).await;
    let token = signer.issue_tokens(&name("alice")).access;
    let update = |field: &str, value: Value| {
        let mut update =
            json!({"account": "alice", "json_metadata": "", "posting_json_metadata": "{}"});
        update[field] = value;
        send(
            &signer,
            broadcast(&token, json!([["account_update2", update]])),
        )
    };
    for field in ["posting", "active", "owner"] {
        assert_eq!(update(field, json!({})), only_own(), "{field}");
    }
    assert_eq!(update("posting", Value::Null).0, 200);
    // These two pass the signer, but need more than posting authority.
    for (field, value) in [("json_metadata", "{\"a\":1}"), ("memo_key", "STM1")] {
        let (status, body) = update(field, json!(value));
        assert_eq!(
            (status, &body["response"]["jse_info"]["code"]),
            (500, &json!(3_010_000))
        );
    }
}

#[tokio::test]
async fn operations_that_are_no_pairs_are_refused_or_fatal_as_measured() {
    let signer = signer(SignerKind::HiveSigner).await;
    let token = signer.issue_tokens(&name("alice")).access;
    let scope = |name: &str| {
        let text =
            format!("The access_token scope does not allow the following operation(s): {name}");
        (401, error(&text, "invalid_scope"))
    };
    for (operation, answer) in [
        (json!(["vote", "text"]), only_own()),
        (json!(["vote", 5]), only_own()),
        (json!(["vote", []]), only_own()),
        (json!("vote"), scope("v")),
        (json!([7, {}]), scope("7")),
        (json!(["transfer", {"from": "alice"}]), scope("transfer")),
        (json!(["vote", null]), (0, Value::Null)),
        (json!(["vote"]), (0, Value::Null)),
        (json!(["custom_json", "text"]), (0, Value::Null)),
        (json!({}), (0, Value::Null)),
        (json!("v"), (0, Value::Null)),
        (json!(5), (0, Value::Null)),
        (json!(null), (0, Value::Null)),
    ] {
        let request = broadcast(&token, json!([operation.clone()]));
        assert_eq!(send(&signer, request), answer, "{operation}");
    }
    assert_eq!(signer.world.chain().pending(), 0);
}

#[tokio::test]
async fn a_json_body_that_is_neither_an_object_nor_a_list_is_refused() {
    let signer = signer(SignerKind::HiveSigner).await;
    let token = signer.issue_tokens(&name("alice")).access;
    for (body, wanted) in [
        ("5", 400),
        ("\"text\"", 400),
        ("null", 400),
        ("true", 400),
        ("{", 400),
        ("[]", 0),
    ] {
        let request = HttpRequest::post("/api/broadcast")
            .header("content-type", "application/json")
            .header("authorization", &token);
        let request = request.body(body.to_owned()).unwrap();
        assert_eq!(status(&signer, request), wanted, "{body}");
    }
}

#[tokio::test]
async fn me_takes_a_code_or_a_refresh_token_with_the_secret() {
    let signer = signer(SignerKind::HiveSigner).await;
    let refresh = signer.issue_tokens(&name("alice")).refresh;
    let code = signer.issue(Role::Code, &name("alice"));
    for token in [&refresh, &code] {
        let with = |secret: &str| form("/api/me", &format!("refresh_token={token}{secret}"));
        let (status, me) = send(&signer, with(&format!("&client_secret={SECRET}")));
        assert_eq!((status, &me["user"]), (200, &json!("alice")));
        assert_eq!(send(&signer, with("&client_secret=wrong")).0, 401);
        // The real process dies without the secret.
        assert_eq!(send(&signer, with("")), (0, Value::Null));
    }
}

#[tokio::test]
async fn a_token_in_the_query_counts_before_the_body_and_a_code_before_a_refresh_token() {
    let signer = signer(SignerKind::HiveSigner).await;
    let code = signer.issue(Role::Code, &name("bob"));
    let refresh = signer.issue_tokens(&name("alice")).refresh;
    let whose = |path: &str, fields: &str| {
        let request = form(path, &format!("{fields}&client_secret={SECRET}"));
        send(&signer, request).1["username"].clone()
    };
    let token = "/api/oauth2/token";
    assert_eq!(
        whose(token, &format!("refresh_token={refresh}&code={code}")),
        "bob"
    );
    assert_eq!(
        whose(
            &format!("{token}?refresh_token={refresh}"),
            &format!("code={code}")
        ),
        "bob"
    );
    assert_eq!(
        whose(token, &format!("code=&refresh_token={refresh}")),
        "alice"
    );
    let query = format!("{token}?code={code}");
    assert_eq!(
        whose(&query, &format!("code=garbage&refresh_token={refresh}")),
        "bob"
    );
}

#[tokio::test]
async fn blanks_around_a_token_are_ignored() {
    let signer = signer(SignerKind::HiveSigner).await;
    let token = signer.issue_tokens(&name("alice")).access;
    for (header, wanted) in [
        (format!("Bearer  {token} "), 200),
        (format!("Bearer\t{token}"), 200),
        (format!("Basic   {token}"), 200),
        (format!("  {token}  "), 200),
        (format!("Bearer{token}"), 401),
        (format!("BEARER {token}"), 401),
        ("Bearer ".to_owned(), 401),
    ] {
        assert_eq!(
            status(&signer, bare("POST", "/api/me", &header)),
            wanted,
            "{header:?}"
        );
    }
}

#[tokio::test]
async fn most_paths_take_any_method() {
    let signer = signer(SignerKind::HiveSigner).await;
    let token = signer.issue_tokens(&name("alice")).access;
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] {
        for path in ["/api/me", "/api/oauth2/token/revoke", "/api/decode"] {
            assert_eq!(
                status(&signer, bare(method, path, &token)),
                200,
                "{method} {path}"
            );
        }
        let wanted = match method {
            "GET" | "HEAD" => 302,
            "POST" => 0,
            _ => 404,
        };
        assert_eq!(
            status(&signer, bare(method, "/api/broadcast", &token)),
            wanted,
            "{method}"
        );
    }
}

#[tokio::test]
async fn an_unknown_address_leads_to_the_web_site() {
    let signer = signer(SignerKind::HiveSigner).await;
    for path in [
        "/api/oauth2/nothing",
        "/sign/vote?voter=alice&weight=1",
        "/",
    ] {
        let (head, _) = bare("GET", path, "").into_parts();
        let input = Input::read(&head, b"").unwrap();
        let Reply::Answer(answer) = signer.work(&input, Mode::Normal) else {
            panic!("{path}");
        };
        let site = format!("https://hivesigner.com{path}");
        assert_eq!((answer.status, answer.location), (302, Some(site)));
    }
}

#[tokio::test]
async fn a_memo_that_is_not_encrypted_is_passed_on() {
    let signer = signer(SignerKind::HiveSigner).await;
    let token = signer.issue_tokens(&name("alice")).access;
    for (memo, decoded) in [("plain", "plain"), ("%23encrypted", ""), ("", "")] {
        let fields = format!("access_token={token}&memo={memo}");
        let answer = json!({"memoDecoded": decoded, "username": "alice"});
        assert_eq!(send(&signer, form("/api/decode", &fields)), (200, answer));
    }
    assert_eq!(
        send(&signer, form("/api/decode", "memo=plain")),
        invalid_role()
    );
}

#[tokio::test]
async fn a_broadcast_is_checked_in_the_order_of_the_real_server() {
    let signer = signer(SignerKind::HiveSigner).await;
    let login = signer.issue(Role::Login, &name("alice"));
    let client = |text: &str| (401, error(text, "unauthorized_client"));
    let foreign = || json!([["vote", {"voter": "bob", "author": "bob", "permlink": "post", "weight": 1}], ["transfer", {}]]);
    let ask = |user: &str, operations: Value| {
        let token = signer.issue_tokens(&name(user)).access;
        send(&signer, broadcast(&token, operations))
    };
    // Everything is wrong: what is checked first, is told. Then that is right, and so on.
    assert_eq!(
        ask("ghost", Value::Null),
        client("The app @my.app or user @ghost account failed to load")
    );
    assert_eq!(
        ask("carol", Value::Null),
        client("The app @my.app doesn't have permission to broadcast for @carol")
    );
    signer
        .world
        .chain()
        .alter_account(&name("my.app"), |app| app.posting.clear());
    assert_eq!(
        ask("carol", Value::Null),
        client("The app @my.app doesn't have permission to broadcast for @carol")
    );
    assert_eq!(
        ask("alice", Value::Null),
        client("Broadcaster account doesn't have permission to broadcast for @my.app")
    );
    signer.world.chain().alter_account(&name("my.app"), |app| {
        app.posting = vec![name("sandbox.signer")]
    });
    assert_eq!(ask("alice", Value::Null), (0, Value::Null));
    let scope = "The access_token scope does not allow the following operation(s): transfer";
    assert_eq!(
        ask("alice", foreign()),
        (401, error(scope, "invalid_scope"))
    );
    let scope = "The access_token scope does not allow the following operation(s): vote, transfer";
    assert_eq!(
        send(&signer, broadcast(&login, foreign())),
        (401, error(scope, "invalid_scope"))
    );
    assert_eq!(ask("alice", json!([foreign()[0]])), only_own());
}
