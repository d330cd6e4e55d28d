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

/// Seconds after the start.
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
fn a_vote_is_on_the_post_once_it_is_in_a_block() {
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
fn blocks_form_a_chain() {
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
fn a_block_is_never_older_than_the_one_before_and_has_whole_seconds() {
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
fn a_post_is_created_at_the_time_of_its_block_and_an_edit_leaves_that() {
    let (mut chain, post) = with_post(ChainKind::Hive);
    assert_eq!(chain.post(&post).unwrap().created, at(3));
    chain.submit(vec![comment(&post, None)], None).unwrap();
    chain.produce(at(60));
    assert_eq!(chain.post(&post).unwrap().created, at(3));
}

#[test]
fn an_identical_vote_is_refused_and_a_changed_one_is_not() {
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
fn steem_wants_three_seconds_between_votes_and_hive_does_not() {
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
fn steem_allows_five_changes_of_a_vote() {
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
fn weight_zero_takes_a_vote_back_and_needs_one_to_take_back() {
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
fn what_is_unknown_or_out_of_range_is_refused() {
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
fn upvotes_can_be_switched_off_by_the_author_and_downvotes_cannot() {
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
fn a_vote_after_payout_is_accepted_and_on_hive_does_nothing() {
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
fn hive_takes_two_percent_of_the_maximum_and_steem_of_what_is_there() {
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
fn hive_refuses_a_vote_whose_cost_is_not_there() {
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
fn mana_that_is_pending_is_spent() {
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
fn steem_refuses_dust() {
    let (mut chain, post) = with_post(ChainKind::Steem);
    chain.create_account(&name("poor"), 1_000_000_000);
    let vote = chain.submit(vec![vote("poor", &post, 10_000)], None);
    assert_eq!(vote, Err(Refusal::TooSmall));
}

#[test]
fn a_downvote_draws_on_its_own_bar_first() {
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
fn declined_rights_and_spent_credits_refuse_votes() {
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
fn a_signer_acts_only_for_those_who_trust_it_through_their_application() {
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
    let trust = Operation::AccountUpdate {
        account: app,
        posting: vec![signer.clone()],
    };
    chain.submit(vec![trust], None).unwrap();
    assert_eq!(cast(&mut chain), Ok(()));
}

#[test]
fn a_transaction_is_taken_whole_or_not_at_all() {
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
fn a_post_with_replies_or_votes_cannot_be_deleted_and_others_can() {
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
