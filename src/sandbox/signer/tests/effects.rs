//! Every operation that the scope allows changes the chain.

use super::*;

/// Broadcasts for alice, produces a block and returns the answer.
fn act(signer: &Signer, operation: &str, fields: Value) -> (u16, Value) {
    let token = signer.issue_tokens(&name("alice")).access;
    let answer = send(signer, broadcast(&token, json!([[operation, fields]])));
    let mut chain = signer.world.chain();
    let later = chain.head().timestamp + Duration::seconds(3);
    chain.produce(later);
    answer
}

fn comment(permlink: &str, parent: [&str; 2], body: &str) -> Value {
    json!({
        "parent_author": parent[0], "parent_permlink": parent[1], "author": "alice", "permlink": permlink,
        "title": "Title", "body": body, "json_metadata": "{\"tags\":[\"photo\"]}",
    })
}

#[tokio::test]
async fn posts_and_comments_are_published_edited_limited_and_deleted() {
    let signer = signer(SignerKind::HiveSigner).await;
    let (own, reply) = (
        PostId::new(name("alice"), "own"),
        PostId::new(name("alice"), "re"),
    );
    assert_eq!(
        act(&signer, "comment", comment("own", ["", "photo"], "First")).0,
        200
    );
    assert_eq!(
        act(
            &signer,
            "comment",
            comment("re", ["bob", "post"], "Well said.")
        )
        .0,
        200
    );
    assert_eq!(
        act(&signer, "comment", comment("own", ["", "photo"], "Second")).0,
        200
    );
    let options = json!({
        "author": "alice", "permlink": "own", "max_accepted_payout": "0.000 HBD", "percent_hbd": 10_000,
        "allow_votes": false, "allow_curation_rewards": true, "extensions": [],
    });
    assert_eq!(act(&signer, "comment_options", options).0, 200);
    {
        let chain = signer.world.chain();
        let post = chain.post(&own).unwrap();
        assert_eq!(
            (&*post.category, &*post.body, &*post.title),
            ("photo", "Second", "Title")
        );
        assert_eq!((post.max_accepted_payout, post.allow_votes), (0, false));
        let parent = chain.post(&reply).unwrap().parent.clone().unwrap();
        assert_eq!(chain.post(&parent).unwrap().children, 1);
        assert_eq!(chain.account(&name("alice")).unwrap().posts, ["own".into()]);
    }
    let refused = act(
        &signer,
        "comment",
        comment("lost", ["bob", "nothing"], "To nobody"),
    );
    assert_eq!(refused.0, 500, "{refused:?}");
    for permlink in ["own", "re"] {
        let deleted = act(
            &signer,
            "delete_comment",
            json!({"author": "alice", "permlink": permlink}),
        );
        assert_eq!(deleted.0, 200, "{deleted:?}");
    }
    assert!(signer.world.chain().post(&own).is_none());
}

#[tokio::test]
async fn custom_json_follows_mutes_unfollows_and_reblogs() {
    let signer = signer(SignerKind::HiveSigner).await;
    let custom = |json: Value| {
        let fields =
            json!({"required_posting_auths": ["alice"], "id": "follow", "json": json.to_string()});
        assert_eq!(act(&signer, "custom_json", fields).0, 200);
        signer
            .world
            .chain()
            .account(&name("alice"))
            .unwrap()
            .clone()
    };
    let follow = |following: Value, what: Value| {
        custom(json!(["follow", {"follower": "alice", "following": following, "what": what}]))
    };
    assert_eq!(
        follow(json!("bob"), json!(["blog"])).following[&name("bob")],
        "blog"
    );
    let both = follow(json!(["bob", "carol"]), json!(["ignore"])).following;
    assert_eq!(both.values().collect::<Vec<_>>(), ["ignore", "ignore"]);
    let left = follow(json!("bob"), json!([])).following;
    assert_eq!(left.into_keys().collect::<Vec<_>>(), [name("carol")]);
    let reblog = |permlink: &str, delete: Value| {
        let mut fields = json!({"account": "alice", "author": "bob", "permlink": permlink});
        if !delete.is_null() {
            fields["delete"] = delete;
        }
        custom(json!(["reblog", fields])).reblogs.len()
    };
    assert_eq!(
        [
            reblog("post", Value::Null),
            reblog("post", Value::Null),
            reblog("other", Value::Null)
        ],
        [1, 1, 2]
    );
    assert_eq!(reblog("post", json!("delete")), 1);
    // What hivemind would pass over changes nothing, but is in a block.
    for json in [
        json!(["follow", {"follower": "bob", "following": "alice", "what": ["blog"]}]),
        json!("text"),
        json!([]),
    ] {
        custom(json);
    }
    assert!(
        signer
            .world
            .chain()
            .account(&name("bob"))
            .unwrap()
            .following
            .is_empty()
    );
}

#[tokio::test]
async fn rewards_are_claimed_once() {
    let signer = signer(SignerKind::HiveSigner).await;
    let before = signer
        .world
        .chain()
        .account(&name("alice"))
        .unwrap()
        .clone();
    let claim = |hive: &str| {
        let fields = json!({"account": "alice", "reward_hive": hive, "reward_hbd": "0.100 HBD", "reward_vests": "100.000000 VESTS"});
        act(&signer, "claim_reward_balance", fields)
    };
    let (status, body) = claim("0.051 HIVE");
    assert_eq!(status, 500);
    assert!(
        body["error_description"]
            .as_str()
            .unwrap()
            .contains("Cannot claim that much"),
        "{body}"
    );
    assert_eq!(claim("0.050 HIVE").0, 200);
    assert_eq!(claim("0.050 HIVE").0, 500);
    let after = signer
        .world
        .chain()
        .account(&name("alice"))
        .unwrap()
        .clone();
    let gained = (after.coins - before.coins, after.dollars - before.dollars);
    assert_eq!(gained, (before.rewards.coins, before.rewards.dollars));
    assert_eq!(
        after.vesting_shares - before.vesting_shares,
        before.rewards.vests
    );
    assert_eq!(after.rewards, Default::default());
}

#[tokio::test]
async fn account_update2_changes_the_metadata_of_posting() {
    let signer = signer(SignerKind::HiveSigner).await;
    let metadata = json!({"profile": {"name": "Alice", "version": 2}});
    let fields = json!({"account": "alice", "json_metadata": "", "posting_json_metadata": metadata.to_string()});
    assert_eq!(act(&signer, "account_update2", fields).0, 200);
    let token = signer.issue_tokens(&name("alice")).access;
    let (_, me) = send(&signer, form("/api/me", &format!("access_token={token}")));
    assert_eq!(me["user_metadata"], metadata);
    assert_eq!(me["account"]["posting_json_metadata"], metadata.to_string());
}

#[tokio::test]
async fn what_cannot_be_serialized_is_named_with_its_operation_and_field() {
    let signer = signer(SignerKind::HiveSigner).await;
    for (operation, fields, what) in [
        (
            "comment",
            json!({"author": "alice", "parent_author": ""}),
            "comment: parent_permlink: Illegal str: Not a string",
        ),
        (
            "custom_json",
            json!({"required_posting_auths": ["alice"], "id": "follow"}),
            "custom_json: json: Illegal str: Not a string",
        ),
        (
            "claim_reward_balance",
            json!({"account": "alice"}),
            "claim_reward_balance: reward_hive: Illegal str: Not a string",
        ),
        (
            "comment_options",
            json!({"author": "alice", "permlink": "own", "max_accepted_payout": "much"}),
            "comment_options: max_accepted_payout: Invalid asset string: much",
        ),
    ] {
        let (status, body) = act(&signer, operation, fields);
        let text = format!("Unable to serialize transaction: operations: {what}");
        assert_eq!((status, &body["error_description"]), (500, &json!(text)));
    }
}
