//! The decision of a rule with a schedule: when it runs next, and whether it votes on this post then.

use chrono::{DateTime, Utc};

use super::Decider;
use crate::explain::schedule::next_time;
use crate::explain::{Found, Says, no, shown, unknown};
use crate::rules::rule::{Rule, Schedule};
use crate::votes::asks::Ask;
use crate::votes::schedules::choice::NEWEST;
use crate::votes::verdict::{is_too_old, too_old};

impl Decider<'_> {
    /// The vote that `ask` will be when the schedule runs next.
    pub(super) fn at_next_run(
        &self,
        rule: &Rule,
        schedule: &Schedule,
        ask: Ask,
    ) -> Result<Found, Found> {
        let Some(&Some(next)) = self.case.next_runs.get(&rule.id) else {
            let (cron, zone) = (&schedule.cron, schedule.timezone);
            let why = format!("`{cron}` ({zone}) never runs: there is no such time in 40 years");
            return Err(no("schedule", why));
        };
        let when = next_time(schedule, next);
        self.by_choice(rule, next, &when)?;
        let weight = ask.weight;
        let due_at = rule.due_from(next);
        let at = self.by_moment(rule, &self.vote(Ask { due_at, ..ask }));
        let at = at.map_err(|(says, condition, why)| {
            (says, condition, format!("{why}; it runs at {when}"))
        })?;
        let moment = match at == next {
            true => when,
            false => format!("{}, after {when}", shown(at)),
        };
        let why = format!("{weight} at {moment}; no newer post comes first");
        Ok((Says::Votes { weight, at }, "schedule", why))
    }

    /// Whether the rule votes on the post when the schedule runs at `next`, which is described by `when`.
    fn by_choice(&self, rule: &Rule, next: DateTime<Utc>, when: &str) -> Result<(), Found> {
        let (content, _) = self.case.post()?;
        if !content.allow_votes {
            return Err(no("post", "its author lets nobody vote on it"));
        }
        if let Some(expires) = rule.expires.filter(|_| !rule.in_force(next)) {
            let off = shown(expires);
            let why = format!("it never runs again: the rule is off from {off}, before {when}");
            return Err(no("expires", why));
        }
        if is_too_old(rule, content.created, rule.due_from(next)) {
            let why = format!("{}; it runs at {when}", too_old(content, false));
            return Err(no("max_age", why));
        }
        let choices = self.known.choices.as_ref().map_err(|why| {
            let why = format!(
                "which post is the newest to vote on is not known ({why}); it runs at {when}"
            );
            unknown("schedule", why)
        })?;
        let key = self.key();
        let Some(published) = choices.newest.get(&key.post) else {
            let author = &key.post.author;
            let why = format!(
                "it is not among the newest {NEWEST} posts of @{author}, and no others are looked at; it runs at {when}"
            );
            return Err(no("schedule", why));
        };
        let pair = (rule.id.clone(), self.voter.clone());
        if let Some((chosen, created)) = choices.chosen.get(&pair)
            && *chosen != key.post
            && created >= published
        {
            let created = shown(*created);
            let why = format!("{chosen} of {created} is newer and comes first at {when}");
            return Err(no("schedule", why));
        }
        let Some(first) = choices.votes.get(&key) else {
            let why = format!("the voter has voted on it already; it runs at {when}");
            return Err(no("schedule", why));
        };
        if *first == rule.id {
            return Ok(());
        }
        let how = match self.case.next_runs.get(first) {
            Some(Some(earlier)) if *earlier < next => "its schedule runs first",
            _ => "comes first",
        };
        Err(no("precedence", format!("{first} has the post: {how}")))
    }
}
