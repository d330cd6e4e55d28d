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

#[test]
fn the_methods_that_clients_need_are_there_in_both_forms() {
    let chain = chain(ChainKind::Hive);
    let id = &*chain.head().transactions[0].id;
    let names = json!({"accounts": ["alice", "ghost", "bob"]});
    for (method, params, path, value) in [
        (
            "condenser_api.get_config",
            json!([]),
            "/HIVE_BLOCKCHAIN_VERSION",
            json!("1.28.7"),
        ),
        (
            "condenser_api.get_chain_properties",
            json!([]),
            "/account_creation_fee",
            json!("3.000 HIVE"),
        ),
        (
            "condenser_api.get_witness_schedule",
            json!([]),
            "/median_props/maximum_block_size",
            json!(65_536),
        ),
        (
            "condenser_api.get_feed_history",
            json!([]),
            "/current_median_history/base",
            json!("0.300 HBD"),
        ),
        (
            "condenser_api.get_current_median_history_price",
            json!([]),
            "/quote",
            json!("1.000 HIVE"),
        ),
        (
            "condenser_api.get_reward_fund",
            json!(["post"]),
            "/name",
            json!("post"),
        ),
        (
            "condenser_api.get_hardfork_version",
            json!([]),
            "",
            json!("1.28.0"),
        ),
        (
            "condenser_api.get_block_header",
            json!([FIRST + 2]),
            "/previous",
            json!(chain.block(FIRST + 1).unwrap().id),
        ),
        (
            "condenser_api.get_block_header",
            json!([FIRST + 3]),
            "",
            Value::Null,
        ),
        (
            "condenser_api.get_ops_in_block",
            json!([FIRST + 2, false]),
            "/0/op/0",
            json!("vote"),
        ),
        (
            "condenser_api.get_ops_in_block",
            json!([FIRST + 2, true]),
            "",
            json!([]),
        ),
        (
            "condenser_api.get_transaction",
            json!([id]),
            "/block_num",
            json!(FIRST + 2),
        ),
        (
            "condenser_api.lookup_accounts",
            json!(["b", 10]),
            "",
            json!(["bob"]),
        ),
        (
            "condenser_api.lookup_accounts",
            json!(["", 1]),
            "",
            json!(["alice"]),
        ),
        (
            "condenser_api.lookup_account_names",
            json!([["ghost", "bob"]]),
            "/0",
            Value::Null,
        ),
        ("condenser_api.get_account_count", json!([]), "", json!(2)),
        (
            "condenser_api.get_followers",
            json!(["bob", "", "blog", 10]),
            "",
            json!([]),
        ),
        (
            "condenser_api.get_follow_count",
            json!(["bob"]),
            "/follower_count",
            json!(0),
        ),
        (
            "database_api.get_config",
            json!({}),
            "/HBD_SYMBOL/nai",
            json!("@@000000013"),
        ),
        (
            "database_api.get_version",
            json!({}),
            "/blockchain_version",
            json!("1.28.7"),
        ),
        (
            "database_api.get_dynamic_global_properties",
            json!({}),
            "/current_supply/amount",
            json!("157464400971"),
        ),
        (
            "database_api.get_witness_schedule",
            json!({}),
            "/median_props/account_creation_fee/precision",
            json!(3),
        ),
        (
            "database_api.get_feed_history",
            json!({}),
            "/current_median_history/quote/nai",
            json!("@@000000021"),
        ),
        (
            "database_api.get_reward_funds",
            json!({}),
            "/funds/0/name",
            json!("post"),
        ),
        (
            "database_api.get_hardfork_properties",
            json!({}),
            "/last_hardfork",
            json!(28),
        ),
        (
            "database_api.find_accounts",
            names.clone(),
            "/accounts/1/name",
            json!("bob"),
        ),
        (
            "database_api.find_accounts",
            names.clone(),
            "/accounts/0/vesting_shares/amount",
            json!(USUAL_STAKE.to_string()),
        ),
        (
            "database_api.list_accounts",
            json!({"start": "b", "limit": 5, "order": "by_name"}),
            "/accounts/0/name",
            json!("bob"),
        ),
        (
            "block_api.get_block_header",
            json!({"block_num": FIRST + 2}),
            "/header/witness",
            json!("witness.sandbox"),
        ),
        (
            "account_history_api.get_ops_in_block",
            json!({"block_num": FIRST + 2}),
            "/ops/0/op/type",
            json!("vote_operation"),
        ),
        (
            "account_history_api.get_transaction",
            json!({"id": id}),
            "/operations/0/type",
            json!("vote_operation"),
        ),
        (
            "transaction_status_api.find_transaction",
            json!({"transaction_id": id}),
            "/status",
            json!("within_reversible_block"),
        ),
        (
            "transaction_status_api.find_transaction",
            json!({"transaction_id": "00"}),
            "/status",
            json!("unknown"),
        ),
        (
            "rc_api.find_rc_accounts",
            names,
            "/rc_accounts/1/account",
            json!("bob"),
        ),
        (
            "rc_api.get_resource_params",
            json!({}),
            "/resource_names/0",
            json!("resource_history_bytes"),
        ),
        (
            "rc_api.get_resource_pool",
            json!({}),
            "/resource_pool/resource_state_bytes/fill_level",
            json!(9826),
        ),
    ] {
        let answer = ask(&chain, method, params);
        assert_eq!(answer.pointer(path), Some(&value), "{method}: {answer}");
    }
}

#[test]
fn the_history_of_an_account_is_cut_filtered_and_numbered() {
    let chain = chain(ChainKind::Hive);
    let history = |params: Value| -> Vec<Value> {
        let history = ask(&chain, "condenser_api.get_account_history", params);
        let entries = history.as_array().unwrap().iter();
        entries
            .map(|entry| json!([entry[0], entry[1]["op"][0]]))
            .collect()
    };
    let (comment, vote) = (json!([0, "comment"]), json!([1, "vote"]));
    assert_eq!(
        history(json!(["bob", -1, 100])),
        [comment.clone(), vote.clone()]
    );
    assert_eq!(history(json!(["bob", -1, 1])), std::slice::from_ref(&vote));
    assert_eq!(
        history(json!(["bob", 0, 100])),
        std::slice::from_ref(&comment)
    );
    assert_eq!(history(json!(["bob", -1, 100, 1])), [vote]);
    assert_eq!(history(json!(["bob", -1, 100, "2", 0])), [comment]);
    assert_eq!(history(json!(["bob", -1, 100, 0, 1])), Vec::<Value>::new());
    assert_eq!(history(json!(["alice", -1, 100])), [json!([0, "vote"])]);
    let answer = View::new(&chain, &switches(), start()).call(
        "condenser_api.get_account_history",
        &json!(["bob", -1, 1001]),
    );
    assert!(answer.is_err());
}

#[test]
fn a_blog_holds_what_its_owner_reblogged() {
    let mut chain = chain(ChainKind::Hive);
    let json = json!(["reblog", {"account": "alice", "author": "bob", "permlink": "post"}]);
    let value = json!({"required_auths": [], "required_posting_auths": ["alice"], "id": "follow", "json": json.to_string()});
    let reblog = Operation::Other {
        name: "custom_json".into(),
        value,
    };
    chain.submit(vec![reblog], None).unwrap();
    chain.produce(start() + Days::seconds(9));
    let of = |sort: &str| {
        ask(
            &chain,
            "bridge.get_account_posts",
            json!({"sort": sort, "account": "alice", "limit": 5}),
        )
    };
    assert_eq!(of("blog")[0]["author"], "bob");
    assert_eq!(of("posts"), json!([]));
    let blog = ask(
        &chain,
        "condenser_api.get_discussions_by_blog",
        json!([{"tag": "alice", "limit": 5}]),
    );
    assert_eq!(blog[0]["permlink"], "post");
}
