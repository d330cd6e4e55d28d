mod branches;

use super::operation::{Comment, NO_PAYOUT_LIMIT, Vote};
use super::*;

fn name(text: &str) -> Account {
    Account::from_chain(text)
}

fn start() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + Duration::days(20_000)
}

fn chain(kind: ChainKind) -> Chain {
    let mut chain = Chain::new(kind, 1_000_000, 2, start());
    for account in ["alice", "bob", "carol"] {
        chain.create_account(&name(account), USUAL_STAKE);
    }
    chain
}

/// The time `seconds` after the start.
fn at(seconds: i64) -> DateTime<Utc> {
    start() + Duration::seconds(seconds)
}

fn post_id(permlink: &str) -> PostId {
    PostId::new(name("bob"), permlink)
}

fn comment(post: &PostId, parent: Option<&PostId>) -> Operation {
    Operation::Comment(Comment {
        post: post.clone(),
        parent: parent.cloned(),
        category: "photo".into(),
        title: "A title".into(),
        body: "A body".into(),
        json_metadata: String::new(),
    })
}

fn vote(voter: &str, post: &PostId, weight: i16) -> Operation {
    Operation::Vote(Vote {
        voter: name(voter),
        post: post.clone(),
        weight,
    })
}

/// A chain with one post in its second block.
fn with_post(kind: ChainKind) -> (Chain, PostId) {
    let mut chain = chain(kind);
    let post = post_id("post");
    chain.submit(vec![comment(&post, None)], None).unwrap();
    chain.produce(at(3));
    (chain, post)
}

#[test]
fn a_vote_is_on_the_post_after_its_block() {
    let (mut chain, post) = with_post(ChainKind::Hive);
    let id = chain
        .submit(vec![vote("alice", &post, 5000)], None)
        .unwrap();
    assert!(chain.post(&post).unwrap().vote_of(&name("alice")).is_none());
    let num = chain.produce(at(6));
    let standing = chain.post(&post).unwrap().vote_of(&name("alice")).unwrap();
    assert_eq!((standing.weight, standing.block), (5000, num));
    assert_eq!(chain.block(num).unwrap().transactions[0].id, id);
}

#[test]
fn each_block_refers_to_the_previous_one() {
    let (mut chain, _) = with_post(ChainKind::Hive);
    chain.produce(at(9));
    for pair in chain.blocks().windows(2) {
        assert_eq!(pair[1].previous, pair[0].id);
        assert_eq!(pair[1].num, pair[0].num + 1);
        assert!(pair[1].timestamp >= pair[0].timestamp);
        assert_eq!(pair[1].id[..8], format!("{:08x}", pair[1].num));
    }
}

#[test]
fn a_block_has_whole_seconds_and_is_never_older_than_the_previous_one() {
    let mut chain = chain(ChainKind::Hive);
    chain.produce(at(10) + Duration::milliseconds(900));
    assert_eq!(chain.head().timestamp, at(10));
    chain.produce(at(4));
    assert_eq!(chain.head().timestamp, at(10));
}

#[test]
fn the_irreversible_block_follows_the_head() {
    let mut chain = chain(ChainKind::Hive);
    assert_eq!(chain.irreversible(chain.head().num), 1_000_000);
    for second in 1..=5 {
        chain.produce(at(second));
    }
    assert_eq!(chain.irreversible(chain.head().num), 1_000_003);
}

#[test]
fn the_creation_time_of_a_post_is_that_of_its_block_also_after_an_edit() {
    let (mut chain, post) = with_post(ChainKind::Hive);
    assert_eq!(chain.post(&post).unwrap().created, at(3));
    chain.submit(vec![comment(&post, None)], None).unwrap();
    chain.produce(at(60));
    assert_eq!(chain.post(&post).unwrap().created, at(3));
}

#[test]
fn an_identical_vote_is_refused_and_a_changed_one_is_accepted() {
    let (mut chain, post) = with_post(ChainKind::Hive);
    chain
        .submit(vec![vote("alice", &post, 5000)], None)
        .unwrap();
    chain.produce(at(6));
    let again = chain.submit(vec![vote("alice", &post, 5000)], None);
    assert_eq!(again, Err(Refusal::IdenticalVote));
    chain
        .submit(vec![vote("alice", &post, 4000)], None)
        .unwrap();
}

#[test]
fn the_same_vote_twice_between_two_blocks_is_a_duplicate() {
    let (mut chain, post) = with_post(ChainKind::Hive);
    let id = chain
        .submit(vec![vote("alice", &post, 5000)], None)
        .unwrap();
    let again = chain.submit(vec![vote("alice", &post, 5000)], None);
    assert_eq!(
        again,
        Err(Refusal::Duplicate {
            trx_id: id.to_string()
        })
    );
}

#[test]
fn only_steem_requires_three_seconds_between_votes() {
    for (kind, expected) in [
        (ChainKind::Hive, Ok(())),
        (ChainKind::Steem, Err(Refusal::TooSoon)),
    ] {
        let (mut chain, post) = with_post(kind);
        let other = post_id("other");
        chain.submit(vec![comment(&other, None)], None).unwrap();
        chain.produce(at(6));
        chain
            .submit(vec![vote("alice", &post, 5000)], None)
            .unwrap();
        let second = chain.submit(vec![vote("alice", &other, 5000)], None);
        assert_eq!(second.map(drop), expected, "{kind:?}");
        chain.produce(at(9));
        chain
            .submit(vec![vote("alice", &other, 4000)], None)
            .unwrap();
    }
}

#[test]
fn only_steem_limits_the_changes_of_a_vote_to_five() {
    for (kind, last) in [
        (ChainKind::Hive, Ok(())),
        (ChainKind::Steem, Err(Refusal::TooManyChanges)),
    ] {
        let (mut chain, post) = with_post(kind);
        for change in 0..6 {
            chain
                .submit(vec![vote("alice", &post, 1000 + change)], None)
                .unwrap();
            chain.produce(at(6 + i64::from(change) * 3));
        }
        let sixth = chain.submit(vec![vote("alice", &post, 2000)], None);
        assert_eq!(sixth.map(drop), last, "{kind:?}");
    }
}

#[test]
fn weight_zero_takes_a_vote_back_and_is_refused_without_one() {
    let (mut chain, post) = with_post(ChainKind::Hive);
    let nothing = chain.submit(vec![vote("alice", &post, 0)], None);
    assert_eq!(nothing, Err(Refusal::ZeroWeight));
    chain
        .submit(vec![vote("alice", &post, 5000)], None)
        .unwrap();
    chain.produce(at(6));
    chain.submit(vec![vote("alice", &post, 0)], None).unwrap();
    chain.produce(at(9));
    let standing = chain.post(&post).unwrap().vote_of(&name("alice")).unwrap();
    assert_eq!((standing.weight, standing.rshares), (0, 0));
}

#[test]
fn unknown_posts_and_voters_and_weights_out_of_range_are_refused() {
    let (mut chain, post) = with_post(ChainKind::Hive);
    let ghost = post_id("ghost");
    for (operation, refusal) in [
        (
            vote("alice", &ghost, 100),
            Refusal::UnknownPost(ghost.clone()),
        ),
        (
            vote("ghost", &post, 100),
            Refusal::UnknownAccount(name("ghost")),
        ),
        (vote("alice", &post, 10_001), Refusal::WeightOutOfRange),
        (vote("alice", &post, i16::MIN), Refusal::WeightOutOfRange),
    ] {
        assert_eq!(chain.submit(vec![operation], None), Err(refusal));
    }
}

#[test]
fn an_author_can_disallow_upvotes_but_not_downvotes() {
    let (mut chain, post) = with_post(ChainKind::Hive);
    let options = Operation::CommentOptions {
        post: post.clone(),
        max_accepted_payout: NO_PAYOUT_LIMIT,
        allow_votes: false,
    };
    chain.submit(vec![options], None).unwrap();
    let up = chain.submit(vec![vote("alice", &post, 100)], None);
    assert_eq!(up, Err(Refusal::VotesNotAllowed));
    chain
        .submit(vec![vote("alice", &post, -100)], None)
        .unwrap();
}

#[test]
fn a_vote_after_payout_is_accepted_and_recorded_on_steem_only() {
    for (kind, recorded) in [(ChainKind::Hive, false), (ChainKind::Steem, true)] {
        let (mut chain, post) = with_post(kind);
        chain.produce(at(3) + state::PAYOUT_AFTER);
        let mana = chain.account(&name("alice")).unwrap().voting;
        chain
            .submit(vec![vote("alice", &post, 5000)], None)
            .unwrap();
        chain.produce(at(6) + state::PAYOUT_AFTER);
        let standing = chain.post(&post).unwrap().vote_of(&name("alice"));
        assert_eq!(standing.is_some(), recorded, "{kind:?}");
        assert_eq!(standing.map_or(0, |vote| vote.rshares), 0);
        assert_eq!(chain.account(&name("alice")).unwrap().voting, mana);
    }
}

#[test]
fn a_vote_costs_2_percent_of_the_maximum_on_hive_and_of_the_current_mana_on_steem() {
    for (kind, left) in [(ChainKind::Hive, 48), (ChainKind::Steem, 49)] {
        let (mut chain, post) = with_post(kind);
        chain.set_mana(&name("alice"), 5000);
        chain
            .submit(vec![vote("alice", &post, 10_000)], None)
            .unwrap();
        chain.produce(at(6));
        let alice = chain.account(&name("alice")).unwrap();
        assert_eq!(alice.voting.current, USUAL_STAKE / 100 * left, "{kind:?}");
    }
}

#[test]
fn hive_refuses_a_vote_that_costs_more_than_the_current_mana() {
    let (mut chain, post) = with_post(ChainKind::Hive);
    chain.set_mana(&name("alice"), 150);
    let full = chain.submit(vec![vote("alice", &post, 10_000)], None);
    assert_eq!(
        full,
        Err(Refusal::NotEnoughMana {
            voting: USUAL_STAKE / 10_000 * 150,
            required: USUAL_STAKE / 50,
        })
    );
    chain
        .submit(vec![vote("alice", &post, 7500)], None)
        .unwrap();
}

#[test]
fn pending_votes_count_as_spent_mana() {
    let (mut chain, post) = with_post(ChainKind::Hive);
    let other = post_id("other");
    chain.submit(vec![comment(&other, None)], None).unwrap();
    chain.set_mana(&name("alice"), 300);
    chain
        .submit(vec![vote("alice", &post, 10_000)], None)
        .unwrap();
    let second = chain.submit(vec![vote("alice", &other, 10_000)], None);
    assert!(
        matches!(second, Err(Refusal::NotEnoughMana { .. })),
        "{second:?}"
    );
}

#[test]
fn steem_refuses_votes_below_the_dust_threshold() {
    let (mut chain, post) = with_post(ChainKind::Steem);
    chain.create_account(&name("poor"), 1_000_000_000);
    let vote = chain.submit(vec![vote("poor", &post, 10_000)], None);
    assert_eq!(vote, Err(Refusal::TooSmall));
}

#[test]
fn a_downvote_uses_the_downvote_bar_first() {
    let (mut chain, post) = with_post(ChainKind::Hive);
    chain
        .submit(vec![vote("alice", &post, -10_000)], None)
        .unwrap();
    chain.produce(at(6));
    let alice = chain.account(&name("alice")).unwrap();
    assert_eq!(alice.voting.current, USUAL_STAKE);
    assert_eq!(alice.downvote.current, USUAL_STAKE / 4 - USUAL_STAKE / 50);
    chain.alter_account(&name("alice"), |alice| {
        (alice.downvote.current, alice.downvote.updated) = (0, at(6));
    });
    chain
        .submit(vec![vote("alice", &post, -5000)], None)
        .unwrap();
    chain.produce(at(6));
    let alice = chain.account(&name("alice")).unwrap();
    assert_eq!(alice.voting.current, USUAL_STAKE - USUAL_STAKE / 100);
}

#[test]
fn a_voter_without_rights_or_credits_is_refused() {
    let (mut chain, post) = with_post(ChainKind::Hive);
    chain.alter_account(&name("alice"), |alice| alice.can_vote = false);
    chain.alter_account(&name("carol"), |carol| carol.credits = 0);
    let declined = chain.submit(vec![vote("alice", &post, 100)], None);
    assert_eq!(declined, Err(Refusal::VotingRightsDeclined));
    let spent = chain.submit(vec![vote("carol", &post, 100)], None);
    assert!(
        matches!(spent, Err(Refusal::NotEnoughCredits { .. })),
        "{spent:?}"
    );
}

#[test]
fn a_signer_needs_the_authority_of_voter_and_application() {
    let (mut chain, post) = with_post(ChainKind::Hive);
    let (app, signer) = (name("my.app"), name("hivesigner"));
    chain.create_account(&app, USUAL_STAKE);
    chain.alter_account(&name("alice"), |alice| alice.posting = vec![name("my.app")]);
    let cast = |chain: &mut Chain| {
        chain
            .submit(vec![vote("alice", &post, 100)], Some(&signer))
            .map(drop)
    };
    assert!(matches!(
        cast(&mut chain),
        Err(Refusal::MissingPostingAuthority { .. })
    ));
    chain.alter_account(&app, |app| app.posting = vec![signer.clone()]);
    assert_eq!(cast(&mut chain), Ok(()));
}

#[test]
fn a_transaction_is_applied_as_a_whole_or_not_at_all() {
    let (mut chain, post) = with_post(ChainKind::Hive);
    let votes = vec![
        vote("alice", &post, 100),
        vote("alice", &post_id("ghost"), 100),
    ];
    chain.submit(votes, None).unwrap_err();
    assert_eq!(chain.pending(), 0);
    chain.produce(at(6));
    assert!(chain.post(&post).unwrap().vote_of(&name("alice")).is_none());
    assert_eq!(
        chain.account(&name("alice")).unwrap().voting.current,
        USUAL_STAKE
    );
}

#[test]
fn only_a_post_without_replies_and_votes_can_be_deleted() {
    let (mut chain, post) = with_post(ChainKind::Hive);
    let reply = PostId::new(name("carol"), "reply");
    chain
        .submit(vec![comment(&reply, Some(&post))], None)
        .unwrap();
    let with_reply = chain.submit(vec![Operation::DeleteComment(post.clone())], None);
    assert_eq!(with_reply, Err(Refusal::DeleteWithReplies));
    chain
        .submit(vec![Operation::DeleteComment(reply)], None)
        .unwrap();
    chain.submit(vec![vote("alice", &post, 100)], None).unwrap();
    let with_vote = chain.submit(vec![Operation::DeleteComment(post.clone())], None);
    assert_eq!(with_vote, Err(Refusal::DeleteWithVotes));
    chain.produce(at(6));
    chain.submit(vec![vote("alice", &post, 0)], None).unwrap();
    chain
        .submit(vec![Operation::DeleteComment(post.clone())], None)
        .unwrap();
    chain.produce(at(9));
    assert!(chain.post(&post).is_none());
}
