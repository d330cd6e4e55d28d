//! The daemon in memory: the real planner, table transitions and caster, with posts, mana, signer and clock played.
//! What `replay` and rule tests decide is what the daemon decides, by construction.
//!
//! [`Simulation`] is the daemon; [`Surroundings`] is what it asks. [`replay::Replay`] plays blocks with the posts that
//! these blocks show and a signer that accepts everything; the tests of [`crate::votes`] play failures.

pub mod mana;
mod posts;
pub mod replay;
pub mod table;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;

use crate::account::Account;
use crate::chain::mana::AccountState;
use crate::post::PostId;
use crate::rules::rule::RuleId;
use crate::rules::set::RuleSet;
use crate::votes::answer::Answer;
use crate::votes::caster::{Action, Caster, Notice, Request, Response, Settings, Sight, World};
use crate::votes::change::{Batch, Change, Report};
use crate::votes::handover::Handover;
use crate::votes::vote::{PastVotes, Vote};

use table::{OWNER, Table};

/// What comes of a question, and how long the answer takes; `None` never comes.
pub type Later<T> = Option<(TimeDelta, T)>;

/// What the simulated daemon asks: nodes, the signer, and the tokens.
pub trait Surroundings {
    /// What is seen of posts.
    fn look(&mut self, posts: &[PostId], now: DateTime<Utc>) -> Later<Result<Vec<Sight>, String>>;
    /// The votes of these voters by these rules that went out before.
    fn count(
        &mut self,
        pairs: &[(Account, RuleId)],
        table: &Table,
        now: DateTime<Utc>,
    ) -> Later<Option<PastVotes>>;
    /// The mana of voters.
    fn weigh(
        &mut self,
        voters: &[Account],
        now: DateTime<Utc>,
    ) -> Later<Result<Vec<AccountState>, String>>;
    /// The signer's answer to a request that leaves now.
    fn send(&mut self, request: &Request, now: DateTime<Utc>) -> Later<Answer>;
    /// Whether a token is refreshed.
    fn refresh(
        &mut self,
        voter: &Account,
        refused: &SecretString,
        now: DateTime<Utc>,
    ) -> Later<Result<(), String>>;
    /// The token of a voter.
    fn token(&self, voter: &Account) -> Option<SecretString>;
    /// A number from 0 to 1 that spreads pauses; 0.5 spreads nothing.
    fn chance(&self) -> f64 {
        0.5
    }
    /// Called with each notice of the caster.
    fn told(&mut self, _: &Notice) {}
    /// Called with each report of the caster.
    fn reported(&mut self, _: &Report) {}
}

/// A daemon in memory.
#[derive(Debug)]
pub struct Simulation<S> {
    /// The rules in force.
    pub rules: Arc<RuleSet>,
    /// The rows of votes.
    pub table: Table,
    /// The real caster.
    pub caster: Caster,
    /// Nodes, signer and tokens.
    pub surroundings: S,
    now: DateTime<Utc>,
    /// By the moment at which it comes back, then in the order of the questions.
    pending: BTreeMap<(DateTime<Utc>, u64), Response>,
    questions: u64,
}

impl<S: Surroundings> Simulation<S> {
    /// A daemon that has nothing to do. Votes due within `horizon` are claimed.
    pub fn new(
        rules: Arc<RuleSet>,
        settings: Settings,
        horizon: TimeDelta,
        surroundings: S,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            rules,
            table: Table::new(horizon),
            caster: Caster::new(settings),
            surroundings,
            now,
            pending: BTreeMap::new(),
            questions: 0,
        }
    }

    /// The moment up to which everything has happened.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// Lets the clock stand at `now`, or where it stands if that is later.
    pub fn set_now(&mut self, now: DateTime<Utc>) {
        self.now = self.now.max(now);
    }

    /// When something happens next.
    pub fn next_wake(&self) -> Option<DateTime<Utc>> {
        let back = self.pending.first_key_value().map(|((at, _), _)| *at);
        let caster = self.caster.next_wake(self.now);
        back.into_iter()
            .chain(caster)
            .chain(self.table.next_claim())
            .min()
    }

    /// Lets time pass up to `end`, with everything that happens on the way.
    pub fn run_until(&mut self, end: DateTime<Utc>) {
        self.act();
        while let Some(next) = self.next_wake().filter(|next| *next <= end) {
            self.set_now(next);
            self.act();
        }
        self.set_now(end);
        self.act();
    }

    /// Writes what happened, and tells the caster.
    pub fn write(&mut self, batch: &Batch) {
        let mut handover = Handover::default();
        for (row, before) in self.table.write(batch, &self.rules, self.now) {
            let is_held = self.caster.holds(&row.key);
            handover.add(row, before.as_ref(), is_held, OWNER);
        }
        self.caster.hand_over(handover, OWNER, self.now);
    }

    /// Calls the caster with the world as it is.
    pub fn with_caster<T>(&mut self, act: impl FnOnce(&mut Caster, &World<'_>) -> T) -> T {
        let surroundings = &self.surroundings;
        let world = World {
            now: self.now,
            rules: &self.rules,
            token: &|voter| surroundings.token(voter),
            chance: &|| surroundings.chance(),
        };
        act(&mut self.caster, &world)
    }

    /// Does everything that is to be done now.
    pub fn act(&mut self) {
        loop {
            for row in self.table.claim(self.now) {
                let tried = row.attempted(self.now);
                let row = Vote {
                    claimed_by: Some(OWNER.to_owned()),
                    ..row
                };
                self.caster.hold(row, tried, self.now);
            }
            let actions = self.with_caster(Caster::poll);
            let idle = actions.is_empty();
            for action in actions {
                self.perform(action);
            }
            let back = self.pending.first_entry();
            match back.filter(|back| back.key().0 <= self.now) {
                Some(back) => {
                    let back = back.remove();
                    self.with_caster(|caster, world| caster.take(back, world));
                }
                None if idle => break,
                None => {}
            }
        }
    }

    fn perform(&mut self, action: Action) {
        let (now, ask) = (self.now, &mut self.surroundings);
        let back = match action {
            Action::Look(posts) => {
                let answer = ask.look(&posts, now);
                answer.map(|(takes, answer)| (takes, Response::Look(posts, answer)))
            }
            Action::Count(pairs) => {
                let answer = ask.count(&pairs, &self.table, now);
                answer.map(|(takes, answer)| (takes, Response::Count(pairs, answer)))
            }
            Action::Weigh(voters) => {
                let answer = ask.weigh(&voters, now);
                answer.map(|(takes, answer)| (takes, Response::Weigh(voters, answer)))
            }
            Action::Send(request) => {
                let answer = ask.send(&request, now);
                answer.map(|(takes, answer)| (takes, Response::Send(request.key, now, answer)))
            }
            Action::Refresh { voter, refused } => {
                let answer = ask.refresh(&voter, &refused, now);
                answer.map(|(takes, answer)| (takes, Response::Refresh(voter, answer)))
            }
            Action::Tell(notice) => {
                ask.told(&notice);
                return;
            }
            Action::Report(report) => {
                ask.reported(&report);
                return self.write(&Batch {
                    changes: vec![Change::Report(report)],
                    ..Batch::default()
                });
            }
        };
        if let Some((takes, back)) = back {
            self.questions += 1;
            self.pending.insert((now + takes, self.questions), back);
        }
    }
}
