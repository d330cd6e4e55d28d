//! Decides, moment by moment, what is to be done about the votes that are held: look at a post, send a
//! vote, refresh a token, report. Does none of it: time, rules, tokens and answers are passed in, so that
//! a test plays days in milliseconds.

pub mod answers;
mod decide;
mod finish;
pub mod held;
pub mod known;
pub mod lane;
pub mod scout;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;

use crate::account::Account;
use crate::network::ChainKind;
use crate::post::{PostId, VoteKey};
use crate::rules::rule::RuleId;
use crate::rules::set::RuleSet;
use crate::votes::caster::finish::report;
use crate::votes::caster::held::{Held, LOOK_AFTER, Stage};
use crate::votes::caster::known::{Known, Need};
use crate::votes::caster::lane::{Admission, Lanes, Limits};
use crate::votes::caster::scout::Question;
use crate::votes::change::{Outcome, Report};
use crate::votes::vote::{Status, Vote};
use crate::weight::Weight;

/// So long before it is due the post of a vote is looked at, so that its request can leave on time.
const LOOK_AHEAD: TimeDelta = TimeDelta::seconds(1);
/// Look-ups ahead of time are gathered to such moments, so that one serves many votes.
const GATHER_MILLIS: i64 = 250;
/// A vote that waits longer than this is given back.
const HOLD_AT_MOST: TimeDelta = TimeDelta::seconds(90);

/// What the caster works by.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Tells what a vote costs.
    pub kind: ChainKind,
    /// Everything but broadcasting.
    pub dry_run: bool,
    pub limits: Limits,
    pub retry_for: Duration,
    pub confirm_within: Duration,
}

/// What the caster may look at while it decides.
pub struct World<'a> {
    pub now: DateTime<Utc>,
    pub rules: &'a RuleSet,
    /// The access token of a voter, if there is one that can be used.
    pub token: &'a dyn Fn(&Account) -> Option<SecretString>,
    /// 0 to 1, anew each time: spreads what would come together.
    pub chance: &'a dyn Fn() -> f64,
}

/// What is to be done now.
#[derive(Debug)]
pub enum Action {
    /// Ask a node for these posts.
    Look(Vec<PostId>),
    /// Ask the table for the votes of the last week of these voters by these rules.
    Count(Vec<(Account, RuleId)>),
    /// Ask a node for the mana of these voters.
    Weigh(Vec<Account>),
    /// Send this vote to the signer.
    Send(Request),
    /// Refresh the token of this voter, which the signer refused.
    Refresh {
        voter: Account,
        refused: SecretString,
    },
    /// Write down what came of a vote.
    Report(Report),
}

/// One request to the signer.
#[derive(Debug)]
pub struct Request {
    pub key: VoteKey,
    pub weight: Weight,
    pub token: SecretString,
}

/// Every vote that is claimed, and when there is something to do about it.
#[derive(Debug)]
pub struct Caster {
    settings: Settings,
    held: HashMap<VoteKey, Held>,
    /// When there is something to do about which vote; of those at one moment, the oldest due comes first.
    agenda: BTreeSet<(DateTime<Utc>, DateTime<Utc>, VoteKey)>,
    lanes: Lanes,
    known: Known,
    /// Voters whose token is being refreshed, with the votes that wait for it.
    refreshing: HashMap<Account, Vec<VoteKey>>,
    /// Votes on posts that may turn out to be edits, and votes that no block has shown, by the post that a
    /// node is being asked for.
    questions: HashMap<PostId, Vec<Question>>,
    /// Those that nobody could answer, and when to ask again, in that order.
    unanswered: Vec<(DateTime<Utc>, Question)>,
    /// Votes that the signer took and that the table does not know to be cast yet: they are nobody else's.
    unwritten: HashSet<VoteKey>,
    actions: Vec<Action>,
    stopping: bool,
}

impl Caster {
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            held: HashMap::new(),
            agenda: BTreeSet::new(),
            lanes: Lanes::new(settings.limits),
            known: Known::default(),
            refreshing: HashMap::new(),
            questions: HashMap::new(),
            unanswered: Vec::new(),
            unwritten: HashSet::new(),
            actions: Vec::new(),
            stopping: false,
        }
    }

    /// Works by other settings from now on.
    pub fn set(&mut self, settings: Settings) {
        self.settings = settings;
        self.lanes.set(settings.limits);
    }

    /// Nothing goes out any more.
    pub fn stop(&mut self) {
        self.stopping = true;
    }

    /// What to write of the requests whose answer is not awaited any longer: nobody knows what came of them.
    pub fn abandon(&mut self, world: &World<'_>) -> Vec<Report> {
        let outcome = || Outcome::Later {
            next_attempt_at: world.now + LOOK_AFTER,
            due_at: None,
            reason: Some("stopped before the signer had answered".to_owned()),
            hold: false,
        };
        let in_flight = self
            .held
            .values()
            .filter(|held| held.stage == Stage::InFlight && held.settled.is_none());
        in_flight
            .map(|held| report(held, outcome(), world.now))
            .collect()
    }

    /// Requests whose answer is awaited.
    pub fn in_flight(&self) -> usize {
        self.lanes.in_flight()
    }

    /// Votes held.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether no vote is held.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Holds a vote that was just claimed; `tried` says that a daemon before us may have cast it. One that is
    /// held already stays as it is.
    pub fn hold(&mut self, vote: Vote, tried: bool, now: DateTime<Utc>) {
        if let Some(held) = self.held.get_mut(&vote.key) {
            held.ours_again(vote);
            return;
        }
        // Taken over by another rule in the very moment.
        if self.unwritten.contains(&vote.key) {
            return;
        }
        let key = vote.key.clone();
        let held = Held::new(vote, tried, now);
        let at = first_attention(&held);
        self.held.insert(key.clone(), held);
        self.enter(&key, at);
    }

    /// Holds a vote that was just planned: nobody has looked at its post yet.
    fn hold_new(&mut self, vote: Vote, now: DateTime<Utc>) {
        let key = vote.key.clone();
        self.hold(vote, false, now);
        if let Some(held) = self.held.get_mut(&key) {
            held.chosen = false;
        }
    }

    /// Takes in how a row stands now that something else than the caster changed it. Rows that are not held
    /// stay so.
    pub fn amend(&mut self, row: Vote, owner: &str) {
        if row.block_num.is_some() {
            let by_hand = row.status == Status::Skipped;
            let at = if by_hand {
                row.event_at
            } else {
                row.cast_at.unwrap_or(row.updated_at)
            };
            self.lanes.voted(&row.key.voter, at);
            if by_hand {
                self.known.voted_elsewhere(&row.key.voter);
            }
        }
        if row.status != Status::Queued {
            self.unwritten.remove(&row.key);
        }
        let Some(held) = self.held.get_mut(&row.key) else {
            return;
        };
        let ours = row.status == Status::Queued && row.claimed_by.as_deref() == Some(owner);
        match (ours, held.stage) {
            (false, Stage::InFlight) => held.settled = Some(row.status),
            (false, _) => self.drop_vote(&row.key),
            (true, Stage::InFlight) => held.ours_again(row),
            (true, _) => {
                let moved = held.vote.due_at != row.due_at;
                // Something else has the vote now, and its post is to be looked at anew.
                if held.vote.cause() != row.cause() {
                    held.chosen = false;
                    held.rechosen = false;
                }
                let decided = held.stage == Stage::Deciding;
                held.vote.weight = row.weight;
                held.vote.leader = row.leader;
                held.vote.leader_weight = row.leader_weight;
                held.vote.rule = row.rule;
                held.vote.origin = row.origin;
                held.vote.event_block = row.event_block;
                held.vote.event_at = row.event_at;
                held.vote.due_at = row.due_at;
                held.vote.rivals = row.rivals;
                if moved || decided {
                    self.look_ahead(&row.key, row.next_attempt_at);
                }
            }
        }
    }

    /// When there is something to do, unless something happens before.
    pub fn next_wake(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.stopping {
            return None;
        }
        let ask = self.unanswered.first().map(|(at, _)| *at);
        let attend = self.agenda.first().and_then(|(first, ..)| {
            match self.lanes.full(now) {
                // An answer wakes us, or the next request is allowed, but look-ups ahead go on.
                Some(Admission::Full(until)) if *first <= now => until,
                _ => Some(*first),
            }
        });
        ask.into_iter().chain(attend).min()
    }

    /// Whether votes that are due wait for a free place.
    pub fn is_busy(&self, now: DateTime<Utc>) -> bool {
        let due = self.agenda.first().is_some_and(|(first, ..)| *first <= now);
        due && self.lanes.full(now).is_some()
    }

    /// Everything that is to be done by `world.now`.
    pub fn poll(&mut self, world: &World<'_>) -> Vec<Action> {
        if !self.stopping {
            self.ask_unanswered(world.now);
        }
        while let Some((at, _, key)) = self.agenda.first().cloned() {
            if at > world.now || self.stopping {
                break;
            }
            let due = self
                .held
                .get(&key)
                .is_some_and(|held| held.next_at <= world.now);
            if due && self.lanes.full(world.now).is_some() {
                break;
            }
            self.agenda.pop_first();
            self.attend(&key, world);
        }
        let (mut posts, mut pairs, mut voters) = (Vec::new(), Vec::new(), Vec::new());
        for need in self.known.take_wanted() {
            match need {
                Need::Post(post) => posts.push(post),
                Need::Past(voter, rule) => pairs.push((voter, rule)),
                Need::Mana(voter) => voters.push(voter),
            }
        }
        self.actions
            .extend((!posts.is_empty()).then_some(Action::Look(posts)));
        self.actions
            .extend((!pairs.is_empty()).then_some(Action::Count(pairs)));
        self.actions
            .extend((!voters.is_empty()).then_some(Action::Weigh(voters)));
        std::mem::take(&mut self.actions)
    }

    fn set_stage(&mut self, key: &VoteKey, stage: Stage) {
        if let Some(held) = self.held.get_mut(key) {
            held.stage = stage;
        }
    }

    fn attend_at_next(&mut self, key: &VoteKey) {
        if let Some(at) = self.held.get(key).map(|held| held.next_at) {
            self.attend_at(key, at);
        }
    }

    fn is_at(&self, key: &VoteKey, stage: Stage) -> bool {
        self.held.get(key).is_some_and(|held| held.stage == stage)
    }

    /// What the vote waited for at this stage has come. One that has gone on meanwhile goes its way.
    fn resume(&mut self, key: &VoteKey, from: Stage, now: DateTime<Utc>) {
        if let Some(held) = self.held.get_mut(key).filter(|held| held.stage == from) {
            held.stage = Stage::Waiting;
            let at = held.next_at.min(now);
            self.enter(key, at);
        }
    }

    fn attend_at(&mut self, key: &VoteKey, at: DateTime<Utc>) {
        if let Some(held) = self.held.get_mut(key) {
            held.next_at = at;
            held.stage = Stage::Waiting;
            self.enter(key, at);
        }
    }

    /// Likewise, with what must be known by then asked for before.
    fn look_ahead(&mut self, key: &VoteKey, at: DateTime<Utc>) {
        if let Some(held) = self.held.get_mut(key) {
            held.next_at = at;
            held.stage = Stage::Waiting;
            let first = first_attention(held);
            self.enter(key, first);
        }
    }

    /// Puts the vote on the agenda, once.
    fn enter(&mut self, key: &VoteKey, at: DateTime<Utc>) {
        if let Some(held) = self.held.get(key) {
            self.agenda.insert((at, held.vote.due_at, key.clone()));
        }
    }

    fn drop_vote(&mut self, key: &VoteKey) {
        if let Some(held) = self.held.remove(key) {
            self.agenda
                .remove(&(held.next_at, held.vote.due_at, key.clone()));
            self.lanes.leave(key, held.vote.due_at);
        }
    }
}

/// When the post of a vote that was just claimed is to be looked at.
fn first_attention(held: &Held) -> DateTime<Utc> {
    let ahead = held.next_at - LOOK_AHEAD;
    let beyond = ahead.timestamp_millis().rem_euclid(GATHER_MILLIS);
    ahead - TimeDelta::milliseconds(beyond)
}
