//! Whatever answers come in whatever order: no vote is lost, and none is sent twice at a time.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;

/// One thing that happens.
#[derive(Debug, Clone)]
enum Step {
    Hold(usize, bool),
    /// A request that is on its way is answered.
    Answer(usize, Answer),
    /// What nodes were asked for is answered, or not.
    Looked(bool),
    Refreshed(bool),
    Pass(i64),
    TakeToken(usize),
    GiveToken(usize),
    TokensChanged,
    /// The row of a vote is ours, moved by so much.
    Amend(usize, i64),
    /// The row of a vote is over.
    Over(usize),
    Rules(bool),
    Stands(usize),
}

const VOTERS: [&str; 3] = ["alice", "amy", "ann"];
const POSTS: [&str; 2] = ["post", "other"];

fn key_of(number: usize) -> VoteKey {
    key(VOTERS[number % 3], POSTS[number / 3 % 2])
}

fn answers() -> impl Strategy<Value = Answer> {
    prop_oneof![
        3 => Just(accepted()),
        3 => Just(unknown()),
        3 => Just(passing()),
        1 => Just(passing_after(100)),
        2 => Just(Answer::Token("invalid".to_owned())),
        1 => Just(Answer::UnknownPost("unknown".to_owned())),
        1 => Just(Answer::NoMana("no mana".to_owned())),
        1 => Just(Answer::Final("no".to_owned())),
        1 => Just(Answer::Done(Done::Identical)),
        1 => Just(Answer::Done(Done::Duplicate)),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0..6usize, any::<bool>()).prop_map(|(vote, tried)| Step::Hold(vote, tried)),
        6 => (0..6usize, answers()).prop_map(|(vote, answer)| Step::Answer(vote, answer)),
        5 => any::<bool>().prop_map(Step::Looked),
        3 => any::<bool>().prop_map(Step::Refreshed),
        6 => (1..15_000i64).prop_map(Step::Pass),
        1 => (0..3usize).prop_map(Step::TakeToken),
        2 => (0..3usize).prop_map(Step::GiveToken),
        2 => Just(Step::TokensChanged),
        2 => (0..6usize, -5_000..5_000i64).prop_map(|(vote, by)| Step::Amend(vote, by)),
        1 => (0..6usize).prop_map(Step::Over),
        1 => any::<bool>().prop_map(Step::Rules),
        1 => (0..6usize).prop_map(Step::Stands),
    ];
    prop::collection::vec(step, 1..120)
}

/// The caster, and what its surroundings owe it.
#[derive(Default)]
struct Owed {
    on_their_way: HashSet<VoteKey>,
    looks: Vec<Vec<PostId>>,
    refreshes: Vec<Account>,
    /// Votes that were handed over and are not over.
    open: HashSet<VoteKey>,
    /// Votes that were over before their answer came.
    settled: HashSet<VoteKey>,
}

impl Owed {
    /// Takes in what the caster does, which must be right.
    fn take(&mut self, play: &mut Play, limit: usize) {
        for action in play.act(Caster::poll) {
            match action {
                Action::Look(posts) => self.looks.push(posts),
                Action::Count(_) => panic!("no rule has a limit"),
                // Asked after a refusal for lack of mana.
                Action::Weigh(voters) => {
                    let nobody = Response::Weigh(voters, Ok(Vec::new()));
                    play.act(|caster, world| caster.take(nobody, world));
                }
                Action::Send(request) => {
                    assert!(self.open.contains(&request.key), "sent though it is over");
                    assert!(
                        self.on_their_way.insert(request.key),
                        "sent twice at a time"
                    );
                    assert!(self.on_their_way.len() <= limit);
                }
                Action::Refresh { voter, .. } => {
                    assert!(!self.refreshes.contains(&voter), "two refreshes at a time");
                    self.refreshes.push(voter);
                }
                Action::Tell(_) => {}
                Action::Report(report) => match report.outcome {
                    Outcome::Later { hold: true, .. } => {}
                    _ => {
                        assert!(
                            self.open.remove(&report.key) || self.settled.remove(&report.key),
                            "two ends: {report:?}"
                        );
                        // The table has it a moment later.
                        let row = Vote {
                            key: report.key,
                            status: Status::Cast,
                            ..vote("alice", "post", 0)
                        };
                        play.daemon.caster.amend(row, US);
                    }
                },
            }
        }
        assert_eq!(play.daemon.caster.in_flight(), self.on_their_way.len());
    }
}

impl Owed {
    /// How many votes the caster must know of: those that are open, and those that are over but unanswered.
    fn known(&self) -> usize {
        self.open.union(&self.on_their_way).count()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_vote_is_lost_and_none_is_sent_twice_at_a_time(steps in steps(), interval in 0..4u64) {
        let limits = Limits {
            max_in_flight: 3,
            requests_per_second: 0.0,
            vote_interval: Duration::from_secs(interval),
        };
        let mut play = Play::with(Settings { limits, ..settings() });
        play.publish(content("other"));
        let mut owed = Owed::default();
        for step in steps {
            apply(step, &mut play, &mut owed);
            owed.take(&mut play, 3);
            prop_assert_eq!(play.daemon.caster.held.len(), owed.known());
        }
        // From now on everything works: whatever is still open comes to its end.
        play.daemon.rules = Arc::new(rules(RULES));
        for voter in VOTERS {
            play.give_token(voter, "good");
        }
        play.act(Caster::tokens_changed);
        for _ in 0..2_000 {
            owed.take(&mut play, 3);
            settle(&mut play, &mut owed);
            owed.take(&mut play, 3);
            if owed.open.is_empty() {
                break;
            }
            let wake = play.daemon.caster.next_wake(play.now());
            play.daemon.set_now(wake.map_or(play.now(), |wake| wake.max(play.now())) + TimeDelta::milliseconds(1));
        }
        prop_assert!(owed.open.is_empty(), "left over: {:?}", owed.open);
        prop_assert!(play.daemon.caster.held.is_empty());
    }
}

fn apply(step: Step, play: &mut Play, owed: &mut Owed) {
    match step {
        Step::Hold(number, tried) => {
            let due = millis(play.now()) + 1_000 * (number as i64 - 3);
            let vote = Vote {
                key: key_of(number),
                ..vote("alice", "post", due)
            };
            owed.settled.remove(&vote.key);
            owed.open.insert(vote.key.clone());
            let now = play.now();
            play.daemon.caster.hold(vote, tried, now);
        }
        Step::Answer(number, answer) => {
            let key = key_of(number);
            if owed.on_their_way.remove(&key) {
                let sent_at = play.now();
                play.act(|caster, world| caster.answered(&key, answer, sent_at, world));
            }
        }
        Step::Looked(well) => {
            if let Some(posts) = owed.looks.pop() {
                let answer = match well {
                    true => Ok(posts
                        .iter()
                        .map(|post| Sight::from(play.posts.get(post).cloned()))
                        .collect()),
                    false => Err("no node answers".to_owned()),
                };
                play.act(|caster, world| caster.looked(posts, answer, world));
            }
        }
        Step::Refreshed(well) => {
            if let Some(voter) = owed.refreshes.pop() {
                let result = well.then_some(()).ok_or("the signer is away".to_owned());
                play.act(|caster, world| caster.refreshed(&voter, result, world));
            }
        }
        Step::Pass(millis) => {
            let now = play.now() + TimeDelta::milliseconds(millis);
            play.daemon.set_now(now);
        }
        Step::TakeToken(voter) => {
            play.tokens.remove(&account(VOTERS[voter]));
        }
        Step::GiveToken(voter) => play.give_token(VOTERS[voter], "another"),
        Step::TokensChanged => play.act(Caster::tokens_changed),
        Step::Amend(number, by) => {
            let key = key_of(number);
            if owed.open.contains(&key) {
                let due = millis(play.now()) + by;
                let row = Vote {
                    key,
                    ..vote("alice", "post", due)
                };
                play.daemon.caster.amend(row, US);
            }
        }
        Step::Over(number) => {
            let key = key_of(number);
            if owed.open.remove(&key) && owed.on_their_way.contains(&key) {
                owed.settled.insert(key.clone());
            }
            let row = Vote {
                key,
                status: Status::Confirmed,
                claimed_by: None,
                ..vote("alice", "post", 0)
            };
            play.daemon.caster.amend(row, US);
        }
        Step::Rules(known) => {
            play.daemon.rules = Arc::new(match known {
                true => rules(RULES),
                false => rules("").with_unreadable(vec!["friends.toml".to_owned()]),
            });
        }
        Step::Stands(number) => play.stands(&key_of(number), percent(50)),
    }
}

/// Answers everything that is owed, well.
fn settle(play: &mut Play, owed: &mut Owed) {
    for posts in std::mem::take(&mut owed.looks) {
        let contents = posts
            .iter()
            .map(|post| Sight::from(play.posts.get(post).cloned()))
            .collect();
        play.act(|caster, world| caster.looked(posts, Ok(contents), world));
    }
    for voter in std::mem::take(&mut owed.refreshes) {
        play.act(|caster, world| caster.refreshed(&voter, Ok(()), world));
    }
    for key in std::mem::take(&mut owed.on_their_way) {
        let sent_at = play.now();
        play.act(|caster, world| caster.answered(&key, accepted(), sent_at, world));
    }
}
