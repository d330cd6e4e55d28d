//! Tokens: issue, contents, expiry and revocation.

use super::*;

#[tokio::test]
async fn a_refresh_token_is_exchanged_by_form_by_json_and_with_a_trailing_slash() {
    let signer = signer(SignerKind::HiveSigner).await;
    let old = signer.issue_tokens(&name("alice"));
    let fields = format!(
        "refresh_token={}&client_id=my.app&client_secret={SECRET}",
        old.refresh
    );
    let json_body = json!({"refresh_token": old.refresh, "client_secret": SECRET}).to_string();
    for request in [
        form("/api/oauth2/token", &fields),
        form("/api/oauth2/token/", &fields),
        HttpRequest::post("/api/oauth2/token")
            .header("content-type", "application/json; charset=utf-8")
            .body(json_body)
            .unwrap(),
    ] {
        let (status, body) = send(&signer, request);
        assert_eq!(status, 200, "{body}");
        assert_eq!(
            (&body["username"], &body["expires_in"]),
            (&json!("alice"), &json!(604_800))
        );
        assert_ne!(body["access_token"], old.access.as_str());
        assert_ne!(body["refresh_token"], old.refresh.as_str());
        let new = signer
            .mint
            .read(body["access_token"].as_str().unwrap())
            .unwrap();
        assert_eq!((new.role, new.user), (Role::Access, name("alice")));
    }
}

#[tokio::test]
async fn a_code_is_exchanged_for_tokens() {
    let signer = signer(SignerKind::HiveSigner).await;
    let code = signer.issue(Role::Code, &name("alice"));
    let fields = format!("grant_type=authorization_code&code={code}&client_secret={SECRET}");
    assert_eq!(send(&signer, form("/api/oauth2/token", &fields)).0, 200);
}

#[tokio::test]
async fn refusals_of_the_token_endpoint_are_as_measured() {
    let signer = signer(SignerKind::HiveSigner).await;
    let tokens = signer.issue_tokens(&name("alice"));
    let (refresh, access) = (&tokens.refresh, &tokens.access);
    let wrong_secret = (
        401,
        error("The code or secret is not valid", "invalid_grant"),
    );
    for (fields, answer) in [
        (
            format!("refresh_token={refresh}&client_secret=wrong"),
            wrong_secret.clone(),
        ),
        (
            format!("refresh_token={refresh}&client_secret="),
            wrong_secret,
        ),
        (
            format!("refresh_token=garbage&client_secret={SECRET}"),
            invalid_role(),
        ),
        (format!("client_secret={SECRET}"), invalid_role()),
        (
            format!("refresh_token={access}&client_secret={SECRET}"),
            invalid_role(),
        ),
        (
            format!("access_token={access}&refresh_token={refresh}&client_secret={SECRET}"),
            invalid_role(),
        ),
        // The real process dies without the secret.
        (format!("refresh_token={refresh}"), (0, Value::Null)),
    ] {
        assert_eq!(
            send(&signer, form("/api/oauth2/token", &fields)),
            answer,
            "{fields}"
        );
    }
    signer.set_refresh_dead(&name("alice"), true);
    let fields = format!("refresh_token={refresh}&client_secret={SECRET}");
    assert_eq!(
        send(&signer, form("/api/oauth2/token", &fields)),
        invalid_role()
    );
}

#[tokio::test]
async fn me_returns_the_user_of_the_token() {
    let signer = signer(SignerKind::HiveSigner).await;
    let me = |voter: &str| {
        let token = signer.issue_tokens(&name(voter)).access;
        let request = HttpRequest::post("/api/me").header("authorization", token);
        send(&signer, request.body(String::new()).unwrap())
    };
    let (status, alice) = me("alice");
    assert_eq!((status, &alice["user"]), (200, &json!("alice")));
    assert_eq!(
        alice["account"]["posting"]["account_auths"],
        json!([["my.app", 1]])
    );
    assert_eq!(alice["scope"][0], "vote");
    let (status, ghost) = me("ghost");
    assert_eq!((status, ghost.get("account")), (200, None));
}

#[tokio::test]
async fn only_steemconnect_revokes_tokens() {
    for (kind, after) in [
        (SignerKind::HiveSigner, 200),
        (SignerKind::SteemConnect, 401),
    ] {
        let signer = signer(kind).await;
        let token = signer.issue_tokens(&name("alice")).access;
        let revoke = form("/api/oauth2/token/revoke", &format!("access_token={token}"));
        assert_eq!(send(&signer, revoke), (200, json!({"success": true})));
        let (status, body) = send(
            &signer,
            broadcast(&token, vote("alice", "post", json!(1000))),
        );
        assert_eq!(status, after, "{kind:?} {body}");
    }
}

#[tokio::test]
async fn only_tokens_of_steemconnect_expire() {
    for (kind, after) in [
        (SignerKind::HiveSigner, 200),
        (SignerKind::SteemConnect, 401),
    ] {
        let signer = signer(kind).await;
        signer.set_token_life(Duration::zero());
        let token = signer.issue_tokens(&name("alice")).access;
        let (status, body) = send(
            &signer,
            broadcast(&token, vote("alice", "post", json!(1000))),
        );
        assert_eq!(status, after, "{kind:?} {body}");
    }
}
