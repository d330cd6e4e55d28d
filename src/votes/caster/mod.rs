//! Decides at each moment what to do about the votes that are held: look at a post, send a vote, refresh a token,
//! report. Performs none of it: time, rules, tokens and answers are passed in, so that a test plays days in
//! milliseconds.

mod answers;
mod decide;
mod episodes;
mod finish;
mod held;
mod kept_back;
mod known;
pub mod lane;
mod next;
mod scout;
#[cfg(test)]
mod tests;
mod world;

use std::collections::{BTreeSet, HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};

use crate::account::Account;
use crate::post::VoteKey;
use crate::votes::change::{Outcome, Report};
use crate::votes::handover::{Handover, is_ours};
use crate::votes::reason::Reason;
use crate::votes::status::Status;
use crate::votes::vote::Vote;

pub use world::{Action, Looks, Notice, PostChange, Request, Response, Settings, Sight, World};

use episodes::Episodes;
use held::{Held, LOOK_AFTER, Meanwhile, State, WaitsFor};
use known::{Known, Need};
use lane::{Admission, Lanes};
use scout::{Kind, Question, Scout};

/// Looks ahead of time start at multiples of this, so that one look serves many votes.
const GATHER_MILLIS: i64 = 250;

/// Every vote that is claimed, and when to attend to it.
#[derive(Debug)]
pub struct Caster {
    settings: Settings,
    held: HashMap<VoteKey, Held>,
    /// When to attend to which vote; of those at one moment, the one that is due first comes first.
    agenda: BTreeSet<(DateTime<Utc>, DateTime<Utc>, VoteKey)>,
    lanes: Lanes,
    known: Known,
    episodes: Episodes,
    scout: Scout,
    /// Voters whose token is being refreshed, with the votes that wait for it.
    refreshing: HashMap<Account, Vec<VoteKey>>,
    /// Votes that the signer accepted and that the table does not show as cast yet: no other ask can have them.
    unwritten: HashSet<VoteKey>,
    actions: Vec<Action>,
    stopping: bool,
}

impl Caster {
    /// A caster that holds nothing.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            held: HashMap::new(),
            agenda: BTreeSet::new(),
            lanes: Lanes::new(settings.limits),
            known: Known::default(),
            episodes: Episodes::default(),
            scout: Scout::default(),
            refreshing: HashMap::new(),
            unwritten: HashSet::new(),
            actions: Vec::new(),
            stopping: false,
        }
    }

    /// Uses other settings from now on.
    pub fn set(&mut self, settings: Settings) {
        self.settings = settings;
        self.lanes.set(settings.limits);
    }

    /// Sends nothing from now on.
    pub fn stop(&mut self) {
        self.stopping = true;
    }

    /// Reports for the requests that are still unanswered when the caster ends: their outcome is unknown.
    pub fn abandon(&mut self, world: &World<'_>) -> Vec<Report> {
        let outcome = Outcome::Later {
            next_attempt_at: world.now + LOOK_AFTER,
            due_at: None,
            reason: Some(Reason::StoppedEarly),
            hold: false,
        };
        let in_flight = self.held.values().filter(|held| {
            matches!(&held.state, State::InFlight(flight) if flight.meanwhile == Meanwhile::Ours)
        });
        in_flight
            .map(|held| Report::of(&held.vote, outcome.clone(), world.now))
            .collect()
    }

    /// The number of requests in flight.
    pub fn in_flight(&self) -> usize {
        self.lanes.in_flight()
    }

    /// Takes in rows from the writer `owner`.
    pub fn hand_over(&mut self, handover: Handover, owner: &str, now: DateTime<Utc>) {
        self.plan(handover.plan, owner, now);
        for (vote, tried) in handover.hold {
            self.hold(vote, tried, now);
        }
        for row in handover.amend {
            self.amend(row, owner);
        }
        self.confirm(handover.confirm);
    }

    /// Whether the vote is held.
    pub fn holds(&self, key: &VoteKey) -> bool {
        self.held.contains_key(key)
    }

    /// Takes in votes that were just planned, and finds out whether their posts suit the asks. Holds those that are
    /// ours.
    pub fn plan(&mut self, votes: Vec<Vote>, owner: &str, now: DateTime<Utc>) {
        for vote in votes {
            let held = self.held.get(&vote.key);
            let is_held = held.is_some();
            let looked = held
                .is_some_and(|held| held.looked && held.vote.ask().cause() == vote.ask().cause());
            let ours = is_ours(&vote, owner);
            // This close to its moment the post of a held vote is looked at in any case.
            let soon = ours && vote.next_attempt_at - now <= self.settings.looks.ahead;
            if !looked && !soon {
                self.ask(Kind::Suits, vote.clone());
            }
            if is_held {
                self.amend(vote, owner);
            } else if ours {
                let key = vote.key.clone();
                self.hold(vote, false, now);
                // Its post was not looked at yet.
                if let Some(held) = self.held.get_mut(&key) {
                    held.looked = false;
                }
            }
        }
    }

    /// Takes in what a block changed about posts: it counts for the votes that are due from now on.
    pub fn posts_changed(&mut self, changes: Vec<PostChange>, now: DateTime<Utc>) {
        for change in changes {
            self.known.post_changed(change, now);
        }
    }

    /// Finds out about votes that the signer accepted and that no block has shown.
    pub fn confirm(&mut self, votes: Vec<Vote>) {
        for vote in votes {
            self.ask(Kind::Landed, vote);
        }
    }

    fn ask(&mut self, kind: Kind, vote: Vote) {
        let vote = Box::new(vote);
        self.look_for(Question { kind, vote });
    }

    fn look_for(&mut self, question: Question) {
        let post = self.scout.ask(question);
        self.known.ask(Need::Post(post), None);
    }

    /// Holds a vote that was just claimed; `tried` says that a previous daemon may have cast it. A vote that is
    /// already held stays as it is.
    pub fn hold(&mut self, vote: Vote, tried: bool, now: DateTime<Utc>) {
        if let Some(held) = self.held.get_mut(&vote.key) {
            held.ours_again(vote);
            return;
        }
        // Another rule took it over while it was being cast.
        if self.unwritten.contains(&vote.key) {
            return;
        }
        let key = vote.key.clone();
        let held = Held::new(vote, tried, now);
        let at = self.ahead_of(held.next_at);
        self.held.insert(key.clone(), held);
        self.enter(&key, at);
    }

    /// Takes in a row that something other than the caster changed. Does not hold rows that are not held.
    pub fn amend(&mut self, row: Vote, owner: &str) {
        if row.block_num.is_some() {
            let by_hand = row.status == Status::Skipped;
            let at = match by_hand {
                true => row.ask().at,
                false => row.cast_at.unwrap_or(row.updated_at),
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
        let ours = is_ours(&row, owner);
        match (ours, &mut held.state) {
            (false, State::InFlight(flight)) => {
                flight.meanwhile = match row.status {
                    Status::Queued => Meanwhile::Elsewhere,
                    _ => Meanwhile::Over,
                };
            }
            (false, _) => self.drop_vote(&row.key),
            (true, State::InFlight(_)) => held.ours_again(row),
            (true, state) => {
                let decided = matches!(state, State::Deciding);
                let moved = held.vote.ask().due_at != row.ask().due_at;
                // Another ask has the vote now: the post must be looked at again.
                if held.vote.ask().cause() != row.ask().cause() {
                    held.looked = false;
                }
                let before = (held.next_at, held.vote.ask().due_at, row.key.clone());
                held.vote.asks = row.asks;
                if moved || decided {
                    self.agenda.remove(&before);
                    self.look_ahead(&row.key, row.next_attempt_at);
                }
            }
        }
    }

    /// When the caster must be polled again, unless something happens before.
    pub fn next_wake(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.stopping {
            return None;
        }
        let ask = self.scout.next_wake();
        let attend = self.agenda.first().and_then(|(first, ..)| {
            match self.lanes.full(now) {
                // An answer wakes the caster, or the next request is allowed; looks ahead continue.
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

    /// Everything to do by `world.now`.
    pub fn poll(&mut self, world: &World<'_>) -> Vec<Action> {
        if !self.stopping {
            for question in self.scout.due(world.now) {
                self.look_for(question);
            }
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

    fn attend_at_next(&mut self, key: &VoteKey) {
        if let Some(at) = self.held.get(key).map(|held| held.next_at) {
            self.enter(key, at);
        }
    }

    /// Attends to the vote now, since what it waited for has come. A vote that left that state meanwhile stays as it is.
    fn resume(&mut self, key: &VoteKey, from: impl Fn(&State) -> bool, now: DateTime<Utc>) {
        if let Some(held) = self.held.get_mut(key).filter(|held| from(&held.state)) {
            held.state = State::Waiting(WaitsFor::Moment);
            let at = held.next_at.min(now);
            self.enter(key, at);
        }
    }

    fn attend_at(&mut self, key: &VoteKey, at: DateTime<Utc>, waits_for: WaitsFor) {
        if let Some(held) = self.held.get_mut(key) {
            held.next_at = at;
            held.state = State::Waiting(waits_for);
            self.enter(key, at);
        }
    }

    /// Attends to the vote at `at`, and asks beforehand for what must be known by then.
    fn look_ahead(&mut self, key: &VoteKey, at: DateTime<Utc>) {
        if let Some(held) = self.held.get_mut(key) {
            // After an unclear answer the chain is not looked at before that moment.
            let at = held
                .tries
                .unclear_until
                .map_or(at, |unclear| at.max(unclear));
            held.next_at = at;
            held.state = State::Waiting(WaitsFor::Moment);
            self.enter(key, self.ahead_of(at));
        }
    }

    /// When the post of a vote that is due at `at` is to be looked at: ahead of it, and together with others.
    fn ahead_of(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let first = at - self.settings.looks.ahead;
        first - TimeDelta::milliseconds(first.timestamp_millis().rem_euclid(GATHER_MILLIS))
    }

    /// Puts the vote on the agenda.
    fn enter(&mut self, key: &VoteKey, at: DateTime<Utc>) {
        if let Some(held) = self.held.get(key) {
            self.agenda
                .insert((at, held.vote.ask().due_at, key.clone()));
        }
    }

    fn drop_vote(&mut self, key: &VoteKey) {
        if let Some(held) = self.held.remove(key) {
            let due_at = held.vote.ask().due_at;
            self.agenda.remove(&(held.next_at, due_at, key.clone()));
            self.lanes.leave(key, due_at);
        }
    }
}
