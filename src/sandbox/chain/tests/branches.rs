//! Forks.

use super::*;

#[test]
fn a_fork_that_keeps_nothing_undoes_the_blocks() {
    let (mut chain, post) = with_post(ChainKind::Hive);
    chain
        .submit(vec![vote("alice", &post, 10_000)], None)
        .unwrap();
    chain.produce(at(6));
    let before: Vec<String> = chain
        .blocks()
        .iter()
        .map(|block| block.id.clone())
        .collect();
    assert_eq!(chain.fork(2, |_| false), 2);
    assert_eq!(chain.blocks().len(), before.len());
    assert_eq!(chain.blocks()[0].id, before[0]);
    assert_ne!(chain.blocks()[1].id, before[1]);
    assert_eq!(chain.blocks()[1].previous, before[0]);
    assert!(chain.post(&post).is_none());
    let alice = chain.account(&name("alice")).unwrap();
    assert_eq!(alice.voting.current, USUAL_STAKE);
}

#[test]
fn a_fork_that_keeps_everything_changes_only_the_block_ids() {
    let (mut chain, post) = with_post(ChainKind::Hive);
    chain
        .submit(vec![vote("alice", &post, 10_000)], None)
        .unwrap();
    let num = chain.produce(at(6));
    let (id, trx) = (
        chain.head().id.clone(),
        chain.head().transactions[0].id.clone(),
    );
    chain.fork(2, |_| true);
    assert_ne!(chain.head().id, id);
    assert_eq!(chain.head().transactions[0].id, trx);
    let standing = chain.post(&post).unwrap().vote_of(&name("alice")).unwrap();
    assert_eq!((standing.weight, standing.block), (10_000, num));
    assert_eq!(chain.post(&post).unwrap().created, at(3));
}

#[test]
fn a_pending_vote_survives_a_fork_unless_its_post_is_undone() {
    let (mut chain, post) = with_post(ChainKind::Hive);
    let later = post_id("later");
    chain.submit(vec![comment(&later, None)], None).unwrap();
    chain.produce(at(6));
    chain.submit(vec![vote("alice", &post, 100)], None).unwrap();
    chain
        .submit(vec![vote("alice", &later, 100)], None)
        .unwrap();
    chain.fork(1, |_| false);
    assert_eq!(chain.pending(), 1);
    chain.produce(at(9));
    assert!(chain.post(&post).unwrap().vote_of(&name("alice")).is_some());
}
