//! Each call to the nodes and its answers.

use curatord::account::Account;
use curatord::network::ChainKind;
use curatord::post::PostId;
use serde_json::{Value, json};

use super::fake_node::{FakeNode, limits, nodes, nodes_of};
use super::nodes::drain;

#[tokio::test]
async fn a_block_is_read_in_both_forms_and_a_future_block_is_none() {
    let node = FakeNode::new().await;
    let (nodes, _notices) = nodes(&[&node]);
    assert_eq!(nodes.block(1001).await.unwrap(), None);
    let block = nodes.block(1000).await.unwrap().unwrap();
    assert_eq!((block.num, block.operations.len()), (1000, 1));
    node.script().block_api = true;
    assert_eq!(nodes.block(1000).await.unwrap(), Some(block));
}

#[tokio::test]
async fn blocks_come_in_one_range_if_the_node_supports_it() {
    let node = FakeNode::new().await;
    node.script().block_api = true;
    let (nodes, _notices) = nodes(&[&node]);
    let blocks = nodes.blocks(990, 100).await.unwrap();
    assert_eq!(
        blocks.iter().map(|block| block.num).collect::<Vec<_>>(),
        (990..=1000).collect::<Vec<_>>()
    );
    assert_eq!(node.asked(), ["block_api.get_block_range"]);
    assert_eq!(nodes.blocks(1001, 100).await.unwrap(), []);
}

#[tokio::test]
async fn a_node_without_ranges_is_sent_batches_from_then_on() {
    let node = FakeNode::new().await;
    node.script().lacks.insert("block_api.get_block_range");
    let (nodes, mut notices) = nodes(&[&node]);
    for _ in 0..2 {
        assert_eq!(nodes.blocks(990, 100).await.unwrap().len(), 11);
    }
    assert_eq!(
        node.asked(),
        ["block_api.get_block_range", "batch of 50", "batch of 50"]
    );
    assert_eq!(drain(&mut notices), []);
}

#[tokio::test]
async fn a_node_without_batches_is_called_one_by_one_from_then_on() {
    let node = FakeNode::new().await;
    node.script().takes_batches = false;
    let (nodes, mut notices) = nodes_of(ChainKind::Steem, &[&node], limits());
    for expected in [4, 3] {
        let blocks = nodes.blocks(998, 3).await.unwrap();
        assert_eq!(
            blocks.iter().map(|block| block.num).collect::<Vec<_>>(),
            [998, 999, 1000]
        );
        assert_eq!(node.asked().len(), expected);
    }
    assert_eq!(drain(&mut notices), []);
}

#[tokio::test]
async fn a_node_that_lacks_old_blocks_is_passed_over() {
    let (short, full) = (FakeNode::new().await, FakeNode::new().await);
    short.script().forget_above(950);
    let (nodes, mut notices) = nodes(&[&short, &full]);
    assert_eq!(nodes.blocks(960, 5).await.unwrap().len(), 5);
    assert_eq!(drain(&mut notices), []);
}

fn post(author: &str, permlink: &str) -> Value {
    json!({"author": author, "permlink": permlink, "created": "2024-05-01T12:00:00",
        "active_votes": [{"voter": "alice", "percent": 5000}]})
}

#[tokio::test]
async fn posts_come_in_the_order_requested_and_unknown_ones_are_none() {
    let node = FakeNode::new().await;
    let bob = Account::from_chain("bob");
    let posts: Vec<_> = (0..120)
        .map(|n| PostId::new(bob.clone(), &format!("p{n}")))
        .collect();
    for n in (0..120).step_by(2) {
        let permlink = format!("p{n}");
        node.script()
            .posts
            .insert(("bob".to_owned(), permlink.clone()), post("bob", &permlink));
    }
    let (nodes, _notices) = nodes(&[&node]);
    let contents = nodes.contents(&posts).await.unwrap();
    for (n, content) in contents.iter().enumerate() {
        let found = content.as_ref().map(|content| &content.post);
        assert_eq!(found, (n % 2 == 0).then_some(&posts[n]));
    }
    let mut asked = node.asked();
    asked.sort_unstable();
    assert_eq!(asked, ["batch of 20", "batch of 50", "batch of 50"]);
    assert!(nodes.contents(&[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn newest_posts_come_with_votes_and_without_reblogs_on_both_chains() {
    for (kind, method) in [
        (ChainKind::Hive, "bridge.get_account_posts"),
        (ChainKind::Steem, "condenser_api.get_discussions_by_blog"),
    ] {
        let node = FakeNode::new().await;
        let list = json!([{"author": "carol", "permlink": "x"}, {"author": "bob", "permlink": "new"},
            {"author": "bob", "permlink": "old"}, {"author": "bob", "permlink": "older"}]);
        node.script().answers.insert(method, list);
        for permlink in ["new", "old", "older"] {
            node.script().posts.insert(
                ("bob".to_owned(), permlink.to_owned()),
                post("bob", permlink),
            );
        }
        let (nodes, _notices) = nodes_of(kind, &[&node], limits());
        let posts = nodes
            .newest_posts(&Account::from_chain("bob"), 2)
            .await
            .unwrap();
        assert_eq!(
            posts
                .iter()
                .map(|post| &*post.post.permlink)
                .collect::<Vec<_>>(),
            ["new", "old"]
        );
        let vote = posts[0].votes.of(&Account::from_chain("alice")).unwrap();
        assert_eq!(vote.hundredths(), 5000);
    }
}

#[tokio::test]
async fn accounts_that_do_not_exist_are_left_out() {
    let node = FakeNode::new().await;
    let alice = json!([{"name": "alice", "vesting_shares": "10.000000 VESTS",
        "voting_manabar": {"current_mana": "5000000", "last_update_time": 1_714_564_800}}]);
    node.script()
        .answers
        .insert("condenser_api.get_accounts", alice);
    let (nodes, _notices) = nodes(&[&node]);
    let names = ["alice", "nobody"].map(Account::from_chain);
    let states = nodes.accounts(&names).await.unwrap();
    assert_eq!(states.len(), 1);
    assert_eq!(states[0].percent(super::fake_node::start()), 5000);
}
