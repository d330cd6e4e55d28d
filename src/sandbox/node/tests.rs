use chrono::Duration as Days;
use serde_json::json;

use super::*;
use crate::account::Account;
use crate::post::PostId;
use crate::sandbox::chain::USUAL_STAKE;
use crate::sandbox::chain::operation::{Comment, Operation, Vote, time};

const FIRST: u32 = 90_000_000;

fn start() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + Days::days(20_000)
}

/// A chain with a post by bob in its second block and a vote by alice on it in the third.
fn chain(kind: ChainKind) -> Chain {
    let mut chain = Chain::new(kind, FIRST, 2, start());
    let (alice, bob) = (Account::from_chain("alice"), Account::from_chain("bob"));
    chain.create_account(&alice, USUAL_STAKE);
    chain.create_account(&bob, USUAL_STAKE);
    let post = PostId::new(bob, "post");
    let publish = Operation::Comment(Comment {
        post: post.clone(),
        parent: None,
        category: "hive-174578".into(),
        title: "Title".into(),
        body: "Body".into(),
        json_metadata: r#"{"tags":["photo"]}"#.into(),
    });
    chain.submit(vec![publish], None).unwrap();
    chain.produce(start() + Days::seconds(3));
    let vote = Operation::Vote(Vote {
        voter: alice,
        post,
        weight: 5000,
    });
    chain.submit(vec![vote], None).unwrap();
    chain.produce(start() + Days::seconds(6));
    chain
}

fn switches() -> Switches {
    Switches {
        lag: Duration::ZERO,
        has_block_range: true,
        refuses_batches: false,
        reverses_batches: false,
    }
}

fn ask(chain: &Chain, method: &str, params: Value) -> Value {
    let now = start() + Days::seconds(6);
    View::new(chain, &switches(), now)
        .call(method, &params)
        .unwrap()
}

#[test]
fn a_block_has_the_form_of_condenser_api() {
    let chain = chain(ChainKind::Hive);
    let block = ask(&chain, "condenser_api.get_block", json!([FIRST + 2]));
    assert_eq!(block["timestamp"], time(start() + Days::seconds(6)));
    assert_eq!(block["previous"], chain.block(FIRST + 1).unwrap().id);
    let transaction = &block["transactions"][0];
    assert_eq!(
        transaction["operations"],
        json!([["vote", {"voter": "alice", "author": "bob", "permlink": "post", "weight": 5000}]])
    );
    assert_eq!(transaction["transaction_id"], block["transaction_ids"][0]);
}

#[test]
fn a_future_block_is_null() {
    let chain = chain(ChainKind::Hive);
    assert_eq!(
        ask(&chain, "condenser_api.get_block", json!([FIRST + 3])),
        Value::Null
    );
}

#[test]
fn a_range_has_the_form_of_block_api_and_ends_at_the_head() {
    let chain = chain(ChainKind::Hive);
    let range = ask(
        &chain,
        "block_api.get_block_range",
        json!({"starting_block_num": FIRST + 1, "count": 50}),
    );
    let blocks = range["blocks"].as_array().unwrap();
    assert_eq!(blocks.len(), 2);
    let operation = &blocks[1]["transactions"][0]["operations"][0];
    assert_eq!(operation["type"], "vote_operation");
    assert_eq!(operation["value"]["weight"], 5000);
}

#[test]
fn a_node_without_ranges_answers_that_the_method_is_unknown() {
    let chain = chain(ChainKind::Steem);
    let switches = Switches {
        has_block_range: false,
        ..switches()
    };
    let error = View::new(&chain, &switches, start())
        .call(
            "block_api.get_block_range",
            &json!({"starting_block_num": FIRST, "count": 1}),
        )
        .unwrap_err();
    assert_eq!(error.code(), -32601);
    assert!(
        error
            .to_string()
            .ends_with("Could not find method get_block_range"),
        "{error}"
    );
}

#[test]
fn steem_lacks_bridge() {
    let chain = chain(ChainKind::Steem);
    let error = View::new(&chain, &switches(), start())
        .call("bridge.get_account_posts", &json!({}))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "Assert Exception:api_itr != _registered_apis.end(): Could not find API bridge"
    );
}

#[test]
fn a_lagging_node_has_an_older_head_and_no_newer_blocks() {
    let chain = chain(ChainKind::Hive);
    let switches = Switches {
        lag: Duration::from_secs(4),
        ..switches()
    };
    let view = View::new(&chain, &switches, start() + Days::seconds(8));
    let properties = view
        .call("condenser_api.get_dynamic_global_properties", &json!([]))
        .unwrap();
    assert_eq!(properties["head_block_number"], FIRST + 1);
    assert_eq!(properties["time"], time(start() + Days::seconds(3)));
    let newer = view
        .call("condenser_api.get_block", &json!([FIRST + 2]))
        .unwrap();
    assert_eq!(newer, Value::Null);
}

#[test]
fn content_has_the_creation_time_and_votes_and_no_author_for_an_unknown_post() {
    for kind in [ChainKind::Hive, ChainKind::Steem] {
        let chain = chain(kind);
        let post = ask(&chain, "condenser_api.get_content", json!(["bob", "post"]));
        assert_eq!(post["created"], time(start() + Days::seconds(3)));
        assert_eq!(post["active_votes"][0]["voter"], "alice");
        assert_eq!(post["active_votes"][0]["percent"], 5000);
        let unknown = ask(&chain, "condenser_api.get_content", json!(["bob", "ghost"]));
        assert_eq!(unknown["author"], "");
    }
}

#[test]
fn accounts_come_with_their_mana_and_unknown_ones_are_left_out() {
    let chain = chain(ChainKind::Hive);
    let accounts = ask(
        &chain,
        "condenser_api.get_accounts",
        json!([["alice", "ghost"]]),
    );
    let [alice] = accounts.as_array().unwrap().as_slice() else {
        panic!("{accounts}");
    };
    assert_eq!(alice["vesting_shares"], "1000000.000000 VESTS");
    assert_eq!(alice["voting_manabar"]["current_mana"], "990000000000");
}

#[test]
fn the_newest_posts_come_first_in_both_lists() {
    let mut chain = chain(ChainKind::Hive);
    let newer = Operation::Comment(Comment {
        post: PostId::new(Account::from_chain("bob"), "newer"),
        parent: None,
        category: "photo".into(),
        title: String::new(),
        body: String::new(),
        json_metadata: String::new(),
    });
    chain.submit(vec![newer], None).unwrap();
    chain.produce(start() + Days::seconds(9));
    let blog = ask(
        &chain,
        "condenser_api.get_discussions_by_blog",
        json!([{"tag": "bob", "limit": 5}]),
    );
    let bridge = ask(
        &chain,
        "bridge.get_account_posts",
        json!({"sort": "posts", "account": "bob", "limit": 1}),
    );
    assert_eq!(
        (&blog[0]["permlink"], &blog[1]["permlink"]),
        (&json!("newer"), &json!("post"))
    );
    assert_eq!(bridge.as_array().unwrap().len(), 1);
    assert_eq!(bridge[0]["permlink"], "newer");
}

#[test]
fn the_old_form_of_a_call_is_parsed() {
    let call = Call::read(
        &json!({"id": 7, "method": "call", "params": ["condenser_api", "get_block", [5]]}),
    )
    .unwrap();
    assert_eq!(call.method, "condenser_api.get_block");
    assert_eq!(call.params, json!([5]));
}
