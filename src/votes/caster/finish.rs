//! How a vote leaves the caster's hands: sent, tried again later, or over.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::held::{Held, Stage};
use super::lane::Admission;
use super::{Action, Caster, HOLD_AT_MOST, Request, World};
use crate::post::VoteKey;
use crate::votes::change::{Outcome, Report};
use crate::weight::Weight;

impl Caster {
    pub(super) fn send(&mut self, key: &VoteKey, weight: Weight, world: &World<'_>) {
        let Some(held) = self.held.get_mut(key) else {
            return;
        };
        if held.first_attempt.is_some() && world.now > held.deadline(self.settings.retry_for) {
            let why = held.trouble.take().unwrap_or_default();
            return self.finish(
                key,
                Outcome::Failed(gave_up(&why, self.settings.retry_for)),
                world,
            );
        }
        held.vote.weight = weight;
        if self.settings.dry_run {
            self.known.sent(key, &held.vote.rule, world.now);
            self.known
                .taken(&key.voter, weight, self.settings.kind, world.now);
            return self.finish(key, Outcome::DryRun, world);
        }
        let Some(token) = (world.token)(&key.voter) else {
            held.lacks_token = true;
            let voter = &key.voter;
            let trouble =
                format!("there is no usable token for @{voter}: `curatord auth import` brings one");
            return self.passing(key, trouble, None, world);
        };
        match self.lanes.admit(key, held.vote.due_at, world.now) {
            Admission::Go => {
                held.stage = Stage::InFlight;
                held.vote.attempts += 1;
                held.first_attempt.get_or_insert(world.now);
                held.lacks_token = false;
                held.sent_with = Some(token.clone());
                self.known.sent(key, &held.vote.rule, world.now);
                self.actions.push(Action::Send(Request {
                    key: key.clone(),
                    weight,
                    token,
                }));
            }
            Admission::LaneFull => held.stage = Stage::Queueing,
            Admission::TooSoon(at) | Admission::Full(Some(at)) => self.attend_at(key, at),
            Admission::Full(None) => self.attend_at(key, world.now),
        }
    }

    /// A failure that passes: once more after a pause, until the deadline. `asked` is the pause that the signer
    /// asked for: where it ends after the deadline, nothing is sent any more.
    pub(super) fn passing(
        &mut self,
        key: &VoteKey,
        trouble: String,
        asked: Option<Duration>,
        world: &World<'_>,
    ) {
        let Some(held) = self.held.get_mut(key) else {
            return;
        };
        held.first_attempt.get_or_insert(world.now);
        let pause = held.pause(asked, (world.chance)());
        let at = after(world.now, pause);
        let retry_for = self.settings.retry_for;
        let deadline = held.deadline(retry_for);
        if world.now >= deadline && !held.tried() {
            return self.finish(key, Outcome::Failed(gave_up(&trouble, retry_for)), world);
        }
        if let Some(asked) = asked.filter(|asked| after(world.now, *asked) > deadline) {
            let why = asked_for_too_long(&trouble, asked, retry_for);
            if !held.tried() {
                return self.finish(key, Outcome::Failed(why), world);
            }
            // A request before may have reached the chain: it is looked there once more, after the deadline.
            held.trouble = Some(why);
            let look_at = deadline.max(world.now) + TimeDelta::seconds(1);
            return self.later(key, look_at, world);
        }
        held.trouble = Some(trouble);
        // One last attempt at the deadline itself, not a minute short of it.
        let at = if world.now < deadline {
            at.min(deadline)
        } else {
            at
        };
        self.later(key, at, world);
    }

    /// Attends to the vote at `at`, and writes down that it waits.
    pub(super) fn later(&mut self, key: &VoteKey, at: DateTime<Utc>, world: &World<'_>) {
        self.wait(key, at, None, world);
    }

    /// Likewise; `due_at` is set where the moment it is due moved.
    pub(super) fn wait(
        &mut self,
        key: &VoteKey,
        at: DateTime<Utc>,
        due_at: Option<DateTime<Utc>>,
        world: &World<'_>,
    ) {
        let Some(held) = self.held.get_mut(key) else {
            return;
        };
        // Only who holds it knows how long it has been tried.
        let hold = held.first_attempt.is_some() || at - world.now <= HOLD_AT_MOST;
        let outcome = Outcome::Later {
            next_attempt_at: at,
            due_at,
            reason: held.trouble.clone(),
            hold,
        };
        let report = report(held, outcome, world.now);
        self.actions.push(Action::Report(report));
        match (hold, due_at) {
            (true, Some(_)) => self.look_ahead(key, at),
            (true, None) => self.attend_at(key, at),
            (false, _) => self.drop_vote(key),
        }
    }

    pub(super) fn finish(&mut self, key: &VoteKey, outcome: Outcome, world: &World<'_>) {
        if let Some(held) = self.held.get(key) {
            match outcome {
                Outcome::Cast { .. } => {
                    self.unwritten.insert(key.clone());
                }
                Outcome::Confirmed | Outcome::DryRun => {}
                _ => self.known.refused(key, &held.vote.rule),
            }
            let report = report(held, outcome, world.now);
            self.actions.push(Action::Report(report));
        }
        self.drop_vote(key);
    }
}

/// `pause` after `now`.
fn after(now: DateTime<Utc>, pause: Duration) -> DateTime<Utc> {
    now + TimeDelta::from_std(pause).unwrap_or_default()
}

fn asked_for_too_long(trouble: &str, asked: Duration, retry_for: Duration) -> String {
    format!(
        "{trouble}: it wants to be left alone for {} s, and `casting.retry_for` ({} s) ends before that: \
         make it longer to have votes wait",
        asked.as_secs(),
        retry_for.as_secs()
    )
}

fn gave_up(trouble: &str, retry_for: Duration) -> String {
    format!(
        "tried for {} s without success: {trouble}",
        retry_for.as_secs()
    )
}

pub(super) fn report(held: &Held, outcome: Outcome, now: DateTime<Utc>) -> Report {
    Report {
        key: held.vote.key.clone(),
        origin: held.vote.origin,
        event_block: held.vote.event_block,
        rule: held.rechosen.then(|| held.vote.rule.clone()),
        weight: held.vote.weight,
        attempts: held.vote.attempts,
        at: now,
        outcome,
    }
}
