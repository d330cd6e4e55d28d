//! Plays the caster against a simulated signer, node and clock: days pass in milliseconds, and every
//! request, look-up and report is noted with its moment.

mod changes;
mod conditions;
mod failures;
mod moments;
mod pacing;
mod random;
mod tokens;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};

use crate::account::Account;
use crate::cast::caster::{Action, Caster, Settings, World};
use crate::cast::lane::Limits;
use crate::chain::content::{Content, StandingVotes};
use crate::chain::mana::{AccountState, Manabar};
use crate::config::ChainKind;
use crate::post::{PostId, VoteKey};
use crate::queue::change::{Misfit, Outcome, Report};
use crate::queue::vote::{Origin, PastVote, Status, Vote};
use crate::rules::language;
use crate::rules::rule::RuleId;
use crate::rules::set::RuleSet;
use crate::signer::answer::{Answer, Done};
use crate::weight::Weight;

const US: &str = "this-daemon";
const RULES: &str = "
    voters = ['alice', 'amy', 'ann']
    [[author]]
    name = 'favourites'
    authors = ['bob', 'carol']
    weight = '50%'
    delay = '5m'
    [[trail]]
    name = 'follow'
    leaders = ['curie']
    weight = { scale = '50%' }
";

/// The timestamp of the block with the posts: the zero of all times below.
fn start() -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn millis(at: DateTime<Utc>) -> i64 {
    (at - start()).num_milliseconds()
}

/// So many milliseconds after the block with the posts.
fn after(millis: i64) -> DateTime<Utc> {
    start() + TimeDelta::milliseconds(millis)
}

fn account(name: &str) -> Account {
    Account::parse(name).unwrap()
}

/// The vote of `voter` on `@bob/permlink`.
fn key(voter: &str, permlink: &str) -> VoteKey {
    VoteKey {
        voter: account(voter),
        post: PostId::new(account("bob"), permlink),
    }
}

fn percent(whole: i64) -> Weight {
    Weight::from_hundredths(whole * 100).unwrap()
}

/// A vote by the rule `favourites`, claimed by us.
fn vote(voter: &str, permlink: &str, due: i64) -> Vote {
    Vote {
        key: key(voter, permlink),
        weight: percent(50),
        rule: RuleId::new("friends.toml", "favourites"),
        origin: Origin::Author,
        status: Status::Queued,
        reason: None,
        due_at: after(due),
        cast_at: None,
        attempts: 0,
        next_attempt_at: after(due),
        claimed_by: Some(US.to_owned()),
        claimed_until: None,
        trx_id: None,
        block_num: None,
        event_block: 100,
        event_at: start(),
        leader: None,
        leader_weight: None,
        rivals: Vec::new(),
        recasts: 0,
        created_at: start(),
        updated_at: start(),
    }
}

/// A vote by the rule `follow` after a vote of `@curie` at 80 %.
fn trail_vote(voter: &str, permlink: &str, due: i64) -> Vote {
    Vote {
        rule: RuleId::new("friends.toml", "follow"),
        origin: Origin::Trail,
        weight: percent(40),
        leader: Some(account("curie")),
        leader_weight: Some(percent(80)),
        ..vote(voter, permlink, due)
    }
}

/// `@bob/permlink` as it was published at zero.
fn content(permlink: &str) -> Content {
    Content {
        post: PostId::new(account("bob"), permlink),
        created: start(),
        last_update: Some(start()),
        parent_author: String::new(),
        parent_permlink: "photo".to_owned(),
        title: String::new(),
        body: String::new(),
        json_metadata: String::new(),
        pending_payout: 0,
        max_accepted_payout: 1_000_000_000,
        allow_votes: true,
        votes: StandingVotes::default(),
    }
}

fn rules(text: &str) -> RuleSet {
    let read = language::file::read("friends.toml", text);
    assert!(read.is_good(), "{:?}", read.problems);
    RuleSet::new(read.rules.into_iter().map(Arc::new).collect())
}

fn settings() -> Settings {
    Settings {
        kind: ChainKind::Hive,
        dry_run: false,
        limits: Limits {
            max_in_flight: 32,
            requests_per_second: 0.0,
            vote_interval: Duration::ZERO,
        },
        retry_for: Duration::from_secs(600),
        confirm_within: Duration::from_secs(120),
    }
}

fn accepted() -> Answer {
    Answer::Done(Done::Accepted {
        trx_id: Some("5ea1".to_owned()),
    })
}

fn unknown() -> Answer {
    Answer::Unknown("the signer did not answer within 10 s".to_owned())
}

fn passing() -> Answer {
    Answer::Passing {
        text: "the signer asks for fewer requests (429)".to_owned(),
        retry_after: None,
    }
}

fn passing_after(seconds: u64) -> Answer {
    Answer::Passing {
        text: "the signer asks for fewer requests (429)".to_owned(),
        retry_after: Some(Duration::from_secs(seconds)),
    }
}

/// A request that left.
#[derive(Debug, Clone, PartialEq)]
struct Sent {
    at: i64,
    key: VoteKey,
    weight: Weight,
    token: String,
}

/// What has yet to come back.
enum Pending {
    Look(Vec<PostId>),
    Count(Vec<(Account, RuleId)>),
    Weigh(Vec<Account>),
    Answer(VoteKey, DateTime<Utc>, Answer),
    Refresh(Account),
}

/// The caster, its surroundings, and what it did.
struct Play {
    caster: Caster,
    now: DateTime<Utc>,
    rules: RuleSet,
    tokens: HashMap<Account, String>,
    /// What spreads pauses: 0.5 spreads nothing.
    chance: f64,
    /// Posts as nodes tell of them.
    posts: HashMap<PostId, Content>,
    /// Votes that went out before, as the table tells of them; `None` while it is away.
    past: Option<HashMap<(Account, RuleId), Vec<PastVote>>>,
    /// Mana as nodes tell of it.
    mana: HashMap<Account, AccountState>,
    /// Why no node answers.
    nodes_away: Option<String>,
    /// How long a node takes, and the signer.
    look_takes: TimeDelta,
    answer_takes: TimeDelta,
    /// The signer's answers in turn; then `otherwise`, and where there is none it never answers.
    answers: VecDeque<Answer>,
    otherwise: Option<Answer>,
    /// What the keeper says to a refresh; it never answers when there is none left.
    refresh_results: VecDeque<Result<&'static str, &'static str>>,
    pending: Vec<(DateTime<Utc>, Pending)>,

    looks: Vec<(i64, Vec<PostId>)>,
    counts: Vec<(i64, Vec<(Account, RuleId)>)>,
    weighs: Vec<(i64, Vec<Account>)>,
    sent: Vec<Sent>,
    refreshes: Vec<(i64, Account, String)>,
    reports: Vec<Report>,
}

impl Play {
    /// At zero, with the usual rules, tokens for all voters, a signer that accepts and the post
    /// `@bob/post`.
    fn new() -> Self {
        Self::with(settings())
    }

    fn with(settings: Settings) -> Self {
        let mut play = Self {
            caster: Caster::new(settings),
            now: start(),
            rules: rules(RULES),
            tokens: HashMap::new(),
            chance: 0.5,
            posts: HashMap::new(),
            past: Some(HashMap::new()),
            mana: HashMap::new(),
            nodes_away: None,
            look_takes: TimeDelta::zero(),
            answer_takes: TimeDelta::zero(),
            answers: VecDeque::new(),
            otherwise: Some(accepted()),
            refresh_results: VecDeque::new(),
            pending: Vec::new(),
            looks: Vec::new(),
            counts: Vec::new(),
            weighs: Vec::new(),
            sent: Vec::new(),
            refreshes: Vec::new(),
            reports: Vec::new(),
        };
        for voter in ["alice", "amy", "ann"] {
            play.give_token(voter, &format!("token-of-{voter}"));
        }
        play.publish(content("post"));
        play
    }

    fn publish(&mut self, content: Content) {
        self.posts.insert(content.post.clone(), content);
    }

    fn give_token(&mut self, voter: &str, token: &str) {
        self.tokens.insert(account(voter), token.to_owned());
    }

    /// A vote stands on the post from now on.
    fn stands(&mut self, key: &VoteKey, weight: Weight) {
        let content = self.posts.get_mut(&key.post).unwrap();
        content.votes.set(key.voter.clone(), weight);
    }

    fn act<T>(&mut self, act: impl FnOnce(&mut Caster, &World<'_>) -> T) -> T {
        let tokens = &self.tokens;
        let world = World {
            now: self.now,
            rules: &self.rules,
            token: &|voter| tokens.get(voter).cloned().map(SecretString::from),
            chance: &|| self.chance,
        };
        act(&mut self.caster, &world)
    }

    fn hold(&mut self, vote: Vote) {
        self.caster.hold(vote, false, self.now);
    }

    /// A vote was just planned, and is held at once.
    fn plan(&mut self, vote: Vote) {
        self.caster.plan(vec![vote], US, self.now);
    }

    /// A vote was just planned that is not due for long: nobody holds it yet.
    fn plan_for_later(&mut self, vote: Vote) {
        self.plan(Vote {
            claimed_by: None,
            ..vote
        });
    }

    /// Lets time pass up to `millis` after zero, with everything that happens on the way.
    fn run_until(&mut self, millis: i64) {
        let end = after(millis);
        let mut idle_steps = 0;
        loop {
            self.poll();
            self.pending.sort_by_key(|(at, _)| *at);
            if self.pending.first().is_some_and(|(at, _)| *at <= self.now) {
                let (_, pending) = self.pending.remove(0);
                self.come_back(pending);
                continue;
            }
            let wake = self.caster.next_wake(self.now);
            let next = self.pending.first().map(|(at, _)| *at);
            let Some(next) = wake.into_iter().chain(next).min() else {
                break;
            };
            if next > end {
                break;
            }
            idle_steps = if next > self.now { 0 } else { idle_steps + 1 };
            assert!(idle_steps < 100, "wakes again and again and does nothing");
            self.now = self.now.max(next);
        }
        self.now = self.now.max(end);
        self.poll();
    }

    fn poll(&mut self) {
        for action in self.act(Caster::poll) {
            let at = millis(self.now);
            match action {
                Action::Look(posts) => {
                    self.looks.push((at, posts.clone()));
                    let back = self.now + self.look_takes;
                    self.pending.push((back, Pending::Look(posts)));
                }
                Action::Count(pairs) => {
                    self.counts.push((at, pairs.clone()));
                    let back = self.now + self.look_takes;
                    self.pending.push((back, Pending::Count(pairs)));
                }
                Action::Weigh(voters) => {
                    self.weighs.push((at, voters.clone()));
                    let back = self.now + self.look_takes;
                    self.pending.push((back, Pending::Weigh(voters)));
                }
                Action::Send(request) => {
                    self.sent.push(Sent {
                        at,
                        key: request.key.clone(),
                        weight: request.weight,
                        token: request.token.expose_secret().to_owned(),
                    });
                    let answer = self.answers.pop_front().or_else(|| self.otherwise.clone());
                    if let Some(answer) = answer {
                        let back = self.now + self.answer_takes;
                        let pending = Pending::Answer(request.key, self.now, answer);
                        self.pending.push((back, pending));
                    }
                }
                Action::Refresh { voter, refused } => {
                    let refused = refused.expose_secret().to_owned();
                    self.refreshes.push((at, voter.clone(), refused));
                    self.pending.push((self.now, Pending::Refresh(voter)));
                }
                Action::Report(report) => self.reports.push(report),
            }
        }
    }

    fn come_back(&mut self, pending: Pending) {
        match pending {
            Pending::Look(posts) => {
                let answer = match &self.nodes_away {
                    Some(why) => Err(why.clone()),
                    None => Ok(posts
                        .iter()
                        .map(|post| self.posts.get(post).cloned())
                        .collect()),
                };
                self.act(|caster, world| caster.looked(posts, answer, world));
            }
            Pending::Count(pairs) => {
                let answer = match &self.past {
                    Some(past) => Ok(pairs
                        .iter()
                        .filter_map(|pair| past.get_key_value(pair))
                        .map(|((voter, rule), past)| (voter.clone(), rule.clone(), past.clone()))
                        .collect()),
                    None => Err("the database is away".to_owned()),
                };
                self.act(|caster, world| caster.counted(pairs, answer, world));
            }
            Pending::Weigh(voters) => {
                let answer = match &self.nodes_away {
                    Some(why) => Err(why.clone()),
                    None => Ok(voters
                        .iter()
                        .filter_map(|voter| self.mana.get(voter).cloned())
                        .collect()),
                };
                self.act(|caster, world| caster.weighed(voters, answer, world));
            }
            Pending::Answer(key, sent_at, answer) => {
                self.act(|caster, world| caster.answered(&key, answer, sent_at, world));
            }
            Pending::Refresh(voter) => {
                let result = match self.refresh_results.pop_front() {
                    Some(Ok(token)) => {
                        self.give_token(voter.as_str(), token);
                        Ok(())
                    }
                    Some(Err(why)) => Err(why.to_owned()),
                    None => return,
                };
                self.act(|caster, world| caster.refreshed(&voter, result, world));
            }
        }
    }

    /// The signer answers a request for which it had no answer yet.
    fn answer(&mut self, key: &VoteKey, answer: Answer) {
        let sent_at = self.now;
        self.act(|caster, world| caster.answered(key, answer, sent_at, world));
        self.poll();
    }

    /// The moments at which requests left.
    fn sent_at(&self) -> Vec<i64> {
        self.sent.iter().map(|sent| sent.at).collect()
    }

    fn looked_at(&self) -> Vec<i64> {
        self.looks.iter().map(|(at, _)| *at).collect()
    }

    /// What became of votes that are over, in order.
    fn ends(&self) -> Vec<&Outcome> {
        let outcomes = self.reports.iter().map(|report| &report.outcome);
        outcomes
            .filter(|outcome| !matches!(outcome, Outcome::Later { .. }))
            .collect()
    }

    /// The only end there was: the vote was not its rule's.
    fn misfit(&self) -> &Misfit {
        match self.end() {
            Outcome::Unfit(misfit) => misfit,
            other => panic!("it was: {other:?}"),
        }
    }

    /// The only end there was.
    fn end(&self) -> &Outcome {
        match &self.ends()[..] {
            [end] => end,
            ends => panic!("not one end: {ends:?}"),
        }
    }

    fn failure(&self) -> &str {
        match self.end() {
            Outcome::Failed(why) => why,
            other => panic!("not failed: {other:?}"),
        }
    }
}
