//! What is to be done with a vote whose moment has come.

use super::held::{Held, Stage};
use super::known::Need;
use super::scout::is_right;
use super::{Caster, World};
use crate::post::VoteKey;
use crate::rules::rule::Rule;
use crate::votes::change::{Misfit, Outcome, Plan};
use crate::votes::limits::by_mana;
use crate::votes::verdict::{Post, Verdict, by_post, by_rule};

/// What a look at a held vote comes to.
enum Judged {
    /// Whatever the post is like.
    Verdict(Verdict),
    /// With the post in view.
    Looked(Verdict),
    /// Nothing, before somebody is asked.
    Asks(Vec<Need>),
    /// The vote is not its rule's.
    Unfit(Misfit),
}

impl Caster {
    /// One vote at its moment: the conditions in the order in which they cost least. Ahead of its moment
    /// only what will have to be known is asked for.
    pub(super) fn attend(&mut self, key: &VoteKey, world: &World<'_>) {
        let Some(held) = self
            .held
            .get(key)
            .filter(|held| held.stage == Stage::Waiting)
        else {
            return;
        };
        let due = held.next_at <= world.now;
        match (self.judge(held, due, world), due) {
            (Judged::Unfit(misfit), _) => self.is_unfit(key, misfit, world),
            (Judged::Verdict(verdict), true) => self.conclude(key, verdict, world),
            (Judged::Looked(verdict), true) => {
                if let Some(held) = self.held.get_mut(key) {
                    held.chosen = true;
                }
                self.conclude(key, verdict, world);
            }
            (Judged::Verdict(_) | Judged::Looked(_), false) => self.attend_at_next(key),
            (Judged::Asks(needs), due) => {
                for need in needs {
                    self.known.ask(need, due.then_some(key));
                }
                if due {
                    self.set_stage(key, Stage::Asking);
                } else {
                    self.attend_at_next(key);
                }
            }
        }
    }

    fn judge(&self, held: &Held, due: bool, world: &World<'_>) -> Judged {
        let (vote, now) = (&held.vote, world.now);
        let rule = match by_rule(vote, world.rules, now) {
            Ok(rule) => rule,
            Err(verdict) => return Judged::Verdict(verdict),
        };
        let (voter, mut needs) = (&vote.key.voter, Vec::new());
        let exact = rule.is_some_and(Rule::watches_the_post);
        let content = self.known.post(held, exact, now);
        if content.is_none() {
            needs.push(Need::Post(vote.key.post.clone()));
        }
        let limited = rule.filter(|rule| !rule.limit.is_empty());
        let past = limited.and_then(|rule| self.known.past(voter, &rule.id, now));
        if let (Some(rule), None) = (limited, &past) {
            needs.push(Need::Past(voter.clone(), rule.id.clone()));
        }
        let weighed = rule.filter(|rule| rule.min_mana.is_some());
        let mana = weighed.and_then(|_| self.known.mana(voter, now));
        if weighed.is_some() && mana.is_none() {
            needs.push(Need::Mana(voter.clone()));
        }
        let Some(content) = content.filter(|_| needs.is_empty()) else {
            return Judged::Asks(needs);
        };
        if !due {
            return Judged::Verdict(Verdict::Cast(vote.weight));
        }
        if let Some((content, facts)) = &content
            && held.awaits_first_look()
            && let Some(misfit) = is_right(vote, Some(content), facts, world.rules, now)
        {
            return Judged::Unfit(misfit);
        }
        let post = match &content {
            Some((content, facts)) => Post::Here(content, facts),
            None => Post::Unknown,
        };
        let tried = held.tried() || vote.attempts > 0;
        let verdict = by_post(vote, rule, post, tried, now);
        let (Verdict::Cast(_), Some(rule)) = (&verdict, rule) else {
            return Judged::Looked(verdict);
        };
        // An attempt before this one is no other vote.
        let others = past.map(|past| past.filter(|past| past.post != vote.key.post));
        if let Some(others) = others
            && let Some(why) = rule.limit.exceeded(others, &vote.key.post.author, now)
        {
            return Judged::Looked(Verdict::Skip(why));
        }
        if let Some(state) = mana
            && let Some(verdict) = by_mana(rule, state, now)
        {
            return Judged::Looked(verdict);
        }
        Judged::Looked(verdict)
    }

    /// The post belongs to another rule than the one that the vote was planned by: what that one says counts, its
    /// delay too.
    pub(super) fn rechoose(&mut self, key: &VoteKey, plan: Plan, world: &World<'_>) {
        let Some(held) = self.held.get_mut(key) else {
            return;
        };
        held.vote.rule = plan.rule;
        held.vote.weight = plan.weight;
        held.vote.due_at = plan.due_at;
        held.rechosen = true;
        self.wait(key, plan.due_at, Some(plan.due_at), world);
    }

    fn conclude(&mut self, key: &VoteKey, verdict: Verdict, world: &World<'_>) {
        if let Some(held) = self.held.get_mut(key) {
            held.lacks_rule = matches!(verdict, Verdict::Wait { .. })
                && world.rules.is_unreadable(&held.vote.rule);
        }
        match verdict {
            Verdict::Cast(weight) => self.send(key, weight, world),
            Verdict::Confirmed => self.finish(key, Outcome::Confirmed, world),
            Verdict::Skip(why) => self.finish(key, Outcome::Skipped(why), world),
            Verdict::Withdraw(why) => self.finish(key, Outcome::Withdrawn(why), world),
            Verdict::Fail(why) => self.finish(key, Outcome::Failed(why), world),
            Verdict::Move { due_at } => {
                let Some(held) = self.held.get_mut(key) else {
                    return;
                };
                held.vote.due_at = due_at;
                held.first_attempt = None;
                self.wait(key, due_at, Some(due_at), world);
            }
            Verdict::Wait { until, reason } => {
                let Some(held) = self.held.get_mut(key) else {
                    return;
                };
                held.trouble = Some(reason);
                // Nobody tries meanwhile, so that the time for retries begins anew.
                held.first_attempt = None;
                self.later(key, until, world);
            }
        }
    }
}
