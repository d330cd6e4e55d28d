//! Tokens that are refused, refreshed, missing or new.

use super::*;

const DUE: i64 = 300_000;

fn refused() -> Answer {
    Answer::Token("The token has invalid role".to_owned())
}

#[test]
fn a_refused_token_is_refreshed_once_and_the_vote_goes_out_with_the_new_one() {
    let mut play = Play::new();
    play.answers = [refused()].into();
    play.refresh_results = [Ok("fresh")].into();
    play.hold(vote("alice", "post", DUE));
    play.run_until(DUE + 1_000);
    let refresh = (DUE, account("alice"), "token-of-alice".to_owned());
    assert_eq!(play.refreshes, [refresh]);
    let tokens: Vec<_> = play.sent.iter().map(|sent| &*sent.token).collect();
    assert_eq!(tokens, ["token-of-alice", "fresh"]);
    assert!(matches!(play.end(), Outcome::Cast { .. }));
}

#[test]
fn a_token_refused_right_after_a_refresh_that_worked_is_final() {
    let mut play = Play::new();
    play.answers = [refused(), refused()].into();
    play.refresh_results = [Ok("fresh")].into();
    play.hold(vote("alice", "post", DUE));
    play.run_until(DUE + 60_000);
    assert_eq!((play.refreshes.len(), play.sent.len()), (1, 2));
    assert!(play.failure().contains("just handed out"));
}

#[test]
fn votes_refused_together_share_one_refresh() {
    let mut play = Play::new();
    play.answers = [refused(), refused(), refused()].into();
    play.refresh_results = [Ok("fresh")].into();
    for permlink in ["post", "second", "third"] {
        play.publish(content(permlink));
        play.hold(vote("alice", permlink, DUE));
    }
    play.run_until(DUE + 1_000);
    assert_eq!((play.refreshes.len(), play.sent.len()), (1, 6));
    assert_eq!(play.ends().len(), 3);
}

#[test]
fn a_vote_refused_after_its_token_was_replaced_does_not_cost_the_new_one() {
    let mut play = Play::new();
    play.otherwise = None;
    play.publish(content("second"));
    play.hold(vote("alice", "post", DUE));
    play.hold(vote("alice", "second", DUE));
    play.run_until(DUE);
    play.refresh_results = [Ok("fresh")].into();
    play.answer(&key("alice", "post"), refused());
    play.run_until(DUE + 100);
    play.answer(&key("alice", "second"), refused());
    play.run_until(DUE + 200);
    let asked: Vec<_> = play
        .refreshes
        .iter()
        .map(|(_, _, token)| &**token)
        .collect();
    assert!(!asked.contains(&"fresh"), "{asked:?}");
}

#[test]
fn a_vote_refused_when_its_voter_has_no_token_any_more_waits_for_one() {
    let mut play = Play::new();
    play.otherwise = None;
    play.hold(vote("alice", "post", DUE));
    play.run_until(DUE);
    play.tokens.clear();
    play.refresh_results = [Err("there is no token any more")].into();
    play.answer(&key("alice", "post"), refused());
    play.run_until(DUE + 5_000);
    play.otherwise = Some(accepted());
    play.give_token("alice", "new");
    play.act(Caster::tokens_changed);
    play.run_until(DUE + 120_000);
    assert!(matches!(play.end(), Outcome::Cast { .. }));
}

#[test]
fn a_refresh_that_fails_is_a_passing_failure() {
    let mut play = Play::new();
    play.answers = [refused(), refused()].into();
    play.refresh_results = [Err("the signer is away"), Ok("fresh")].into();
    play.hold(vote("alice", "post", DUE));
    play.run_until(DUE + 60_000);
    assert_eq!(play.sent_at(), [DUE, DUE + 1_000, DUE + 1_000]);
    assert!(matches!(play.end(), Outcome::Cast { .. }));
}

#[test]
fn a_vote_without_a_token_goes_out_the_moment_one_comes() {
    let mut play = Play::new();
    play.tokens.clear();
    play.hold(vote("alice", "post", DUE));
    play.run_until(DUE + 42_123);
    assert_eq!(play.sent, []);
    play.give_token("alice", "new");
    play.act(Caster::tokens_changed);
    play.run_until(DUE + 42_123);
    assert_eq!(play.sent_at(), [DUE + 42_123]);
}

#[test]
fn a_vote_without_a_token_fails_when_the_time_for_retries_is_over_and_says_what_to_do() {
    let mut play = Play::new();
    play.tokens.remove(&account("alice"));
    play.hold(vote("alice", "post", DUE));
    play.hold(vote("amy", "post", DUE));
    play.run_until(DUE + 599_000);
    assert_eq!(play.ends().len(), 1, "only the other voter's is over");
    play.reports.clear();
    play.run_until(DUE + 700_000);
    assert!(play.failure().contains("no usable token for @alice"));
    assert!(play.failure().contains("curatord auth import"));
    assert_eq!(play.reports.last().unwrap().attempts, 0);
}

#[test]
fn a_change_of_tokens_does_not_send_a_vote_that_is_on_its_way() {
    let mut play = Play::new();
    play.tokens.clear();
    play.otherwise = None;
    play.hold(vote("alice", "post", DUE));
    play.run_until(DUE);
    play.give_token("alice", "new");
    play.act(Caster::tokens_changed);
    play.run_until(DUE + 1_000);
    play.give_token("amy", "somebody else's");
    play.act(Caster::tokens_changed);
    play.run_until(DUE + 2_000);
    assert_eq!(play.sent.len(), 1);
}
