//! How a vote leaves the caster: sent, to be tried again later, or over.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::Caster;
use super::held::{Flight, Meanwhile, State, WaitsFor, after};
use super::lane::Admission;
use super::world::{Action, Request, World};
use crate::post::VoteKey;
use crate::votes::change::{Outcome, Report};
use crate::votes::reason::Reason;
use crate::weight::Weight;

/// Longest wait for which an untried vote stays held; with a longer wait its claim is given back.
const HOLD_AT_MOST: TimeDelta = TimeDelta::seconds(90);

impl Caster {
    pub(super) fn send(&mut self, key: &VoteKey, weight: Weight, world: &World<'_>) {
        let Some(held) = self.held.get_mut(key) else {
            return;
        };
        let retry_for = self.settings.retry_for;
        if held.tries.first.is_some() && world.now > held.deadline(retry_for) {
            let trouble = held.tries.trouble.take();
            return self.give_up(key, trouble, world);
        }
        held.vote.asks.first.weight = weight;
        if self.settings.dry_run {
            self.known.sent(key, &held.vote.ask().rule, world.now);
            self.known
                .taken(&key.voter, weight, self.settings.kind, world.now);
            return self.finish(key, Outcome::DryRun, world);
        }
        let Some(token) = (world.token)(&key.voter) else {
            let trouble = Reason::NoToken(key.voter.clone());
            return self.retry(key, trouble, None, WaitsFor::Token, world);
        };
        if let Some((until, text)) = self.episodes.no_authority(&key.voter, world.now) {
            return self.await_authority(key, until, text, world);
        }
        match self.lanes.admit(key, held.vote.ask().due_at, world.now) {
            Admission::Go => {
                self.episodes.sent(&key.voter, world.now);
                held.vote.attempts += 1;
                held.tries.first.get_or_insert(world.now);
                held.state = State::InFlight(Flight {
                    token: token.clone(),
                    meanwhile: Meanwhile::Ours,
                });
                self.known.sent(key, &held.vote.ask().rule, world.now);
                self.known
                    .taken(&key.voter, weight, self.settings.kind, world.now);
                self.actions.push(Action::Send(Request {
                    key: key.clone(),
                    weight,
                    token,
                }));
            }
            Admission::LaneFull => held.state = State::Queueing,
            Admission::TooSoon(at) | Admission::Full(Some(at)) => {
                self.attend_at(key, at, WaitsFor::Moment);
            }
            Admission::Full(None) => self.attend_at(key, world.now, WaitsFor::Moment),
        }
    }

    /// Tries again after a pause, until the deadline. `asked` is the pause that the signer asked for: if it ends after
    /// the deadline, nothing more is sent.
    pub(super) fn retry(
        &mut self,
        key: &VoteKey,
        trouble: Reason,
        asked: Option<Duration>,
        waits_for: WaitsFor,
        world: &World<'_>,
    ) {
        let Some(held) = self.held.get_mut(key) else {
            return;
        };
        let (now, retry_for) = (world.now, self.settings.retry_for);
        held.tries.first.get_or_insert(now);
        let at = after(now, held.pause(asked, (world.chance)()));
        let deadline = held.deadline(retry_for);
        if now >= deadline && !held.tried() {
            return self.give_up(key, Some(trouble), world);
        }
        if let Some(asked) = asked.filter(|asked| after(now, *asked) > deadline) {
            let why = Reason::PauseTooLong {
                asked,
                retry_for,
                trouble: Box::new(trouble),
            };
            if !held.tried() {
                return self.finish(key, Outcome::Failed(why), world);
            }
            // An earlier request may have reached the chain: look there once more, after the deadline.
            held.tries.trouble = Some(why);
            let look_at = deadline.max(now) + TimeDelta::seconds(1);
            return self.later(key, look_at, world);
        }
        held.tries.trouble = Some(trouble);
        // The last attempt is at the deadline itself, not a minute before.
        let at = if now < deadline { at.min(deadline) } else { at };
        self.wait(key, at, None, waits_for, world);
    }

    /// Attends to the vote at `at`, and reports that it waits.
    pub(super) fn later(&mut self, key: &VoteKey, at: DateTime<Utc>, world: &World<'_>) {
        self.wait(key, at, None, WaitsFor::Moment, world);
    }

    /// Attends to the vote at `at`, and reports that it waits; `due_at` is the new due moment if that moved.
    pub(super) fn wait(
        &mut self,
        key: &VoteKey,
        at: DateTime<Utc>,
        due_at: Option<DateTime<Utc>>,
        waits_for: WaitsFor,
        world: &World<'_>,
    ) {
        let Some(held) = self.held.get_mut(key) else {
            return;
        };
        // What waits ends when the post is too old, not minutes after.
        let ends = self.known.too_old_from(&held.vote, world.rules);
        let at = match ends.filter(|ends| due_at.is_none() && *ends > world.now) {
            Some(ends) => at.min(ends),
            None => at,
        };
        // Only the daemon that holds it knows since when it has been tried.
        let hold = held.tries.first.is_some() || at - world.now <= HOLD_AT_MOST;
        let outcome = Outcome::Later {
            next_attempt_at: at,
            due_at,
            reason: held.tries.trouble.clone(),
            hold,
        };
        let report = Report::of(&held.vote, outcome, world.now);
        self.actions.push(Action::Report(report));
        match (hold, due_at) {
            (true, Some(_)) => self.look_ahead(key, at),
            (true, None) => self.attend_at(key, at, waits_for),
            (false, _) => self.drop_vote(key),
        }
    }

    pub(super) fn give_up(&mut self, key: &VoteKey, trouble: Option<Reason>, world: &World<'_>) {
        let reason = Reason::GaveUp {
            after: self.settings.retry_for,
            trouble: trouble.map(Box::new),
        };
        self.finish(key, Outcome::Failed(reason), world);
    }

    pub(super) fn finish(&mut self, key: &VoteKey, outcome: Outcome, world: &World<'_>) {
        if let Some(held) = self.held.get(key) {
            match outcome {
                Outcome::Cast { .. } => {
                    self.unwritten.insert(key.clone());
                }
                Outcome::Confirmed | Outcome::DryRun => {}
                _ => self.known.refused(key, &held.vote.ask().rule),
            }
            let report = Report::of(&held.vote, outcome, world.now);
            self.actions.push(Action::Report(report));
        }
        self.drop_vote(key);
    }
}
