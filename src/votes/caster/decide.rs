//! What to do with a vote that is due.

use chrono::TimeDelta;

use super::Caster;
use super::held::{Held, State, WaitsFor};
use super::known::Need;
use super::world::{Action, World};
use crate::post::VoteKey;
use crate::rules::rule::Rule;
use crate::votes::change::{Outcome, Report, Unsuited};
use crate::votes::limits::{by_cost, by_mana};
use crate::votes::reason::Reason;
use crate::votes::status::Status;
use crate::votes::verdict::{NoRule, Verdict, by_post, by_rule, unsuited};
use crate::votes::vote::Vote;

/// Delay before a vote whose rule file has errors is looked at again.
const FILE_MAY_BE_GOOD: TimeDelta = TimeDelta::seconds(10);

/// The result of judging a held vote.
enum Judged {
    /// What to do, with the post in view.
    Verdict(Verdict),
    /// The rule's file has errors.
    WaitsForFile(Verdict),
    /// Nothing until these needs are met.
    Asks(Vec<Need>),
    /// Nothing until it is due: everything needed then is known.
    Ready,
    /// These asks drop out, and with them the one that has the vote.
    Unsuited(Vec<Unsuited>),
}

impl Caster {
    /// Attends to one vote. At its moment, checks the conditions, the cheapest first; ahead of it, only asks for what
    /// must be known then.
    pub(super) fn attend(&mut self, key: &VoteKey, world: &World<'_>) {
        let Some(held) = self.held.get(key).filter(|held| held.is_waiting()) else {
            return;
        };
        let due = held.next_at <= world.now;
        match self.judge(held, due, world) {
            Judged::Ready => self.attend_at_next(key),
            Judged::Unsuited(dropped) => self.drop_out(key, dropped, world),
            Judged::WaitsForFile(verdict) => self.conclude(key, verdict, WaitsFor::RuleFile, world),
            Judged::Verdict(verdict) => {
                if let Some(held) = self.held.get_mut(key) {
                    held.looked = true;
                }
                self.conclude(key, verdict, WaitsFor::Moment, world);
            }
            Judged::Asks(needs) => {
                for need in needs {
                    self.known.ask(need, due.then_some(key));
                }
                match self.held.get_mut(key).filter(|_| due) {
                    Some(held) => held.state = State::Asking,
                    None => self.attend_at_next(key),
                }
            }
        }
    }

    fn judge(&self, held: &Held, due: bool, world: &World<'_>) -> Judged {
        let (vote, now) = (&held.vote, world.now);
        let rule = match by_rule(&vote.key, vote.ask(), world.rules, now) {
            Ok(rule) => rule,
            Err(_) if !due => return Judged::Ready,
            Err(NoRule::Unreadable(reason)) => {
                let until = now + FILE_MAY_BE_GOOD;
                return Judged::WaitsForFile(Verdict::Wait { until, reason });
            }
            Err(NoRule::Gone(reason)) => return withdrawn(vote, reason),
        };
        let (voter, mut needs) = (&vote.key.voter, Vec::new());
        let exact = rule.is_some_and(Rule::watches_the_post);
        let post = self.known.post(held, exact, &self.settings.looks, now);
        if post.is_none() {
            needs.push(Need::Post(vote.key.post.clone()));
        }
        let limited = rule.filter(|rule| !rule.limit.is_empty());
        let past = limited.and_then(|rule| self.known.past(voter, &rule.id, now));
        if let (Some(rule), None) = (limited, &past) {
            needs.push(Need::Past(voter.clone(), rule.id.clone()));
        }
        let short = self.episodes.short_of_mana(voter);
        let weighed = short.is_some() || rule.is_some_and(|rule| rule.min_mana.is_some());
        let mana = match weighed {
            true => self.known.mana(voter, short.is_some(), now),
            false => None,
        };
        if weighed && mana.is_none() {
            needs.push(Need::Mana(voter.clone()));
        }
        let Some(post) = post.filter(|_| needs.is_empty()) else {
            return Judged::Asks(needs);
        };
        if !due {
            return Judged::Ready;
        }
        if held.awaits_first_look() {
            let dropped = post.show(|post| unsuited(vote, post, world.rules));
            if dropped.iter().any(|ask| ask.cause == vote.ask().cause()) {
                return Judged::Unsuited(dropped);
            }
        }
        let tried = held.tried() || vote.attempts > 0;
        let verdict = post.show(|post| by_post(vote, rule, post, tried, now));
        if let Verdict::Withdraw(reason @ Reason::NotNow(..)) = &verdict
            && !tried
        {
            return withdrawn(vote, reason.clone());
        }
        let Verdict::Cast(weight) = verdict else {
            return Judged::Verdict(verdict);
        };
        let afford = short.and_then(|refused| {
            let state = mana.flatten();
            by_cost(rule, state, refused, self.settings.kind, weight, now)
        });
        let Some(rule) = rule else {
            return Judged::Verdict(afford.unwrap_or(verdict));
        };
        // An earlier attempt is not another vote.
        let others = past.map(|past| past.filter(|past| past.post != vote.key.post));
        let limit = others.and_then(|past| rule.limit.exceeded(past, &vote.key.post.author, now));
        let mana = mana.and_then(|state| by_mana(rule, state, now));
        let declined = limit.map(Verdict::Skip).or(mana).or(afford);
        Judged::Verdict(declined.unwrap_or(verdict))
    }

    /// Reports that some asks of a held vote drop out, among them the one that has it: the table says which one has it
    /// now.
    pub(super) fn drop_out(&mut self, key: &VoteKey, dropped: Vec<Unsuited>, world: &World<'_>) {
        if let Some(held) = self.held.get_mut(key) {
            held.state = State::Deciding;
            let report = Report::of(&held.vote, Outcome::Unsuited(dropped), world.now);
            self.actions.push(Action::Report(report));
        }
    }

    fn conclude(
        &mut self,
        key: &VoteKey,
        verdict: Verdict,
        waits_for: WaitsFor,
        world: &World<'_>,
    ) {
        let outcome = match verdict {
            Verdict::Cast(weight) => return self.send(key, weight, world),
            Verdict::Confirmed => Outcome::Confirmed,
            Verdict::Skip(why) => Outcome::Skipped(why),
            Verdict::Withdraw(why) => Outcome::Withdrawn(why),
            Verdict::Fail(why) => Outcome::Failed(why),
            Verdict::Move { due_at } => {
                if let Some(held) = self.held.get_mut(key) {
                    held.vote.asks.first.due_at = due_at;
                    held.tries.first = None;
                }
                return self.wait(key, due_at, Some(due_at), WaitsFor::Moment, world);
            }
            Verdict::Wait { until, reason } => {
                if let Some(held) = self.held.get_mut(key) {
                    held.tries.trouble = Some(reason);
                    // There is no attempt meanwhile: the time for retries starts over.
                    held.tries.first = None;
                }
                return self.wait(key, until, None, waits_for, world);
            }
        };
        self.finish(key, outcome, world);
    }
}

/// The ask that has the vote drops out, since its rule does not ask any more.
fn withdrawn(vote: &Vote, reason: Reason) -> Judged {
    Judged::Unsuited(vec![Unsuited {
        cause: vote.ask().cause(),
        status: Status::Withdrawn,
        reason,
    }])
}
