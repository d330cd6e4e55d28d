//! What a rule with a schedule comes to: when it strikes next, and whether this post has its vote then.

use chrono::{DateTime, Utc};

use super::{Decider, Found, no, over};
use crate::explain::schedule::next_time;
use crate::explain::{Says, shown};
use crate::post::VoteKey;
use crate::rules::rule::{Rule, Schedule};
use crate::votes::schedules::choice::{NEWEST, counts};
use crate::votes::verdict::{is_too_old, too_old};

impl Decider<'_> {
    /// What decides of a rule that votes at fixed times; `Err` as for other rules.
    pub(super) fn at_a_time(&mut self, rule: &Rule, schedule: &Schedule) -> Result<Found, Found> {
        // A vote that came to nothing is asked for again.
        let row = self.known.row(self.voter).filter(|row| counts(row, false));
        let ours = row.filter(|row| row.ask().rule == rule.id);
        if let Some(over) = ours.and_then(over) {
            return Err(over);
        }
        let cause = self.cause(rule)?;
        self.by_people(row)?;
        match &self.taken {
            Some(first) if first.by != rule.id && first.stands => return Err(first.has_the_post()),
            _ => {}
        }
        let weight = cause.weight;
        if let Some(row) = ours {
            return self.queued(rule, row, weight);
        }
        let next = self.next_strike(rule, schedule)?;
        self.by_choice(rule, schedule, next)?;
        let when = next_time(schedule, next);
        let vote = self.vote(rule, &cause, rule.due_from(next));
        let at = self
            .by_moment(rule, &vote)
            .map_err(|(says, condition, why)| {
                (says, condition, format!("{why}; it strikes at {when}"))
            })?;
        let why = if at == next {
            format!("{weight} at {when}; no newer post comes first")
        } else {
            format!(
                "{weight} at {}, after {when}; no newer post comes first",
                shown(at)
            )
        };
        Ok((Says::Votes { weight, at }, "schedule", why))
    }

    /// When the schedule strikes next.
    fn next_strike(&self, rule: &Rule, schedule: &Schedule) -> Result<DateTime<Utc>, Found> {
        let next = self.shared.strikes.get(&rule.id).copied().flatten();
        next.ok_or_else(|| {
            let (cron, zone) = (&schedule.cron, schedule.timezone);
            let why = format!("`{cron}` ({zone}) never strikes: there is no such time in 40 years");
            no("schedule", why)
        })
    }

    /// Whether the post is the one that has its vote when the schedule strikes at `next`.
    fn by_choice(
        &self,
        rule: &Rule,
        schedule: &Schedule,
        next: DateTime<Utc>,
    ) -> Result<(), Found> {
        let (post, when) = (&self.known.post, next_time(schedule, next));
        if let Some(content) = self.known.content() {
            if !content.allow_votes {
                return Err(no("post", "its author lets nobody vote on it".to_owned()));
            }
            if let Some(expires) = rule.expires.filter(|_| !rule.in_force(next)) {
                let off = shown(expires);
                let why =
                    format!("it never strikes again: the rule is off from {off}, before {when}");
                return Err(no("expires", why));
            }
            if is_too_old(rule, content.created, rule.due_from(next)) {
                let why = too_old(content, false);
                return Err(no("max_age", format!("{why}; it strikes at {when}")));
            }
        }
        let choices = match &self.known.choices {
            Ok(choices) => choices,
            Err(why) => {
                let why = format!(
                    "which post is the newest to vote on is not known ({why}); it strikes at {when}"
                );
                return Err((Says::Unknown, "schedule", why));
            }
        };
        let key = VoteKey {
            voter: self.voter.clone(),
            post: post.clone(),
        };
        if !choices.looks_at(post) {
            let author = &post.author;
            let why = format!(
                "it is not among the newest {NEWEST} posts of @{author}, and no others are looked at; it strikes at {when}"
            );
            return Err(no("schedule", why));
        }
        if let Some((newer, created)) = choices.chosen_before(post, &rule.id, self.voter) {
            let created = shown(created);
            let why = format!("{newer} of {created} is newer and comes first at {when}");
            return Err(no("schedule", why));
        }
        match choices.rule_for(&key) {
            Some(first) if *first == rule.id => Ok(()),
            Some(first) => {
                let strikes = self.shared.strikes.get(first).copied().flatten();
                let how = match strikes {
                    Some(earlier) if earlier < next => "its schedule strikes first",
                    _ => "comes first",
                };
                Err(no("precedence", format!("{first} has the post: {how}")))
            }
            None => {
                let why = format!("the voter has voted on it already; it strikes at {when}");
                Err(no("schedule", why))
            }
        }
    }
}
