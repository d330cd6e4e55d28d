//! One rule after the other, for one voter: the first condition that decides.

mod by_schedule;

use chrono::{DateTime, TimeDelta, Utc};

use crate::account::Account;
use crate::explain::cause::{self, Cause, NoCause, listed};
use crate::explain::known::Known;
use crate::explain::shared::Shared;
use crate::explain::{Decision, Says, shown};
use crate::post::VoteKey;
use crate::rules::rule::{Authors, Rule, RuleId, Trigger};
use crate::votes::asks::{Ask, Asks};
use crate::votes::limits::by_mana;
use crate::votes::reason::Reason;
use crate::votes::schedules::agenda::scheduled;
use crate::votes::schedules::choice::counts;
use crate::votes::status::{Origin, Status};
use crate::votes::verdict::{Post, Verdict, by_post, is_too_old, too_old};
use crate::votes::vote::Vote;
use crate::weight::Weight;

/// A block is read so much later than it is stamped, and may stamp a post a little before its own time.
const READ_WITHIN: TimeDelta = TimeDelta::seconds(10);

/// Something that decided: what the rule says, the condition, and its value.
type Found = (Says, &'static str, String);

/// Goes through the rules of one voter, those first that ask first for a vote.
pub struct Decider<'a> {
    shared: &'a Shared<'a>,
    known: &'a Known,
    voter: &'a Account,
    taken: Option<Taken>,
}

/// The rule that has the post for this voter.
struct Taken {
    by: RuleId,
    how: String,
    /// Its vote is there, or will be. To a schedule a vote that came to nothing is none.
    stands: bool,
}

impl<'a> Decider<'a> {
    pub fn new(shared: &'a Shared<'a>, voter: &'a Account) -> Self {
        let row = shared.known.row(voter);
        let taken = row.filter(|row| row.ask().origin != Origin::Hand);
        Self {
            shared,
            known: shared.known,
            voter,
            taken: taken.map(|row| Taken {
                by: row.ask().rule.clone(),
                how: row.status.to_string(),
                stands: counts(row, false),
            }),
        }
    }

    /// What `rule`, the next one, comes to.
    pub fn decide(&mut self, rule: &Rule) -> Decision {
        let found = match scheduled(rule) {
            Some((_, schedule)) => self.at_a_time(rule, schedule),
            None => self.after_an_event(rule),
        };
        let (says, condition, why) = match found {
            Ok(found) | Err(found) => found,
        };
        Decision {
            rule: rule.id.clone(),
            says,
            condition,
            why,
        }
    }

    /// What decides of a rule that votes when somebody publishes or votes; `Err` holds what is against a vote, or
    /// leaves it open.
    fn after_an_event(&mut self, rule: &Rule) -> Result<Found, Found> {
        let row = self.known.row(self.voter);
        let ours = row.filter(|row| row.ask().rule == rule.id);
        if let Some(over) = ours.and_then(over) {
            return Err(over);
        }
        let cause = self.cause(rule)?;
        self.by_people(row)?;
        match &self.taken {
            Some(first) if first.by != rule.id => return Err(first.has_the_post()),
            _ => {}
        }
        let weight = cause.weight;
        if let Some(row) = ours {
            return self.queued(rule, row, weight);
        }
        self.by_reading(&cause)?;
        let mut taken = Taken {
            by: rule.id.clone(),
            how: "comes first".to_owned(),
            stands: false,
        };
        // The window is asked later, at that moment.
        let vote = self.vote(rule, &cause, cause.at + rule.delay);
        let at = self.by_moment(rule, &vote);
        taken.stands = at.is_ok();
        self.taken = Some(taken);
        let at = at?;
        let why = format!("{weight} at {}", shown(at));
        Ok((Says::Votes { weight, at }, "would vote", why))
    }

    /// What makes the rule vote.
    fn cause(&self, rule: &Rule) -> Result<Cause, Found> {
        self.by_names(rule)?;
        self.by_filters(rule)?;
        cause::of(rule, self.voter, self.known).map_err(|no| match no {
            NoCause::Not(condition, why) => (Says::No, condition, why),
            NoCause::Unknown(condition, why) => (Says::Unknown, condition, why),
        })
    }

    /// Whether anything is against the vote that is queued.
    fn queued(&self, rule: &Rule, row: &Vote, weight: Weight) -> Result<Found, Found> {
        let at = self.by_moment(rule, row)?;
        let why = format!("{weight}, due {}", shown(at));
        Ok((Says::Queued { weight, at }, "queue", why))
    }

    /// What stands in the rule alone.
    fn by_names(&self, rule: &Rule) -> Result<(), Found> {
        let (author, now) = (&self.known.post.author, self.known.now);
        if !rule.enabled {
            return Err(no("enabled", "the rule is switched off".to_owned()));
        }
        if !rule.in_force(now) {
            let since = rule.expires.map(shown).unwrap_or_default();
            return Err(no("expires", format!("the rule is off since {since}")));
        }
        if !self.shared.rules.votes_as(rule, self.voter, author) {
            return Err(no("self_votes", "it is the voter's own post".to_owned()));
        }
        if rule.covers_author(author) {
            return Ok(());
        }
        let (except, authors) = match &rule.trigger {
            Trigger::Author(of) => {
                let authors = match &of.authors {
                    Authors::Listed(authors) => listed(authors),
                    Authors::Anyone => "*".to_owned(),
                };
                (&of.except, authors)
            }
            Trigger::Trail(of) => {
                let mut authors: Vec<_> = of.authors.iter().flatten().collect();
                authors.sort();
                (&of.except, listed(authors))
            }
        };
        Err(if except.contains(author) {
            no("except", format!("@{author} is left out"))
        } else {
            no("authors", format!("@{author} is none of {authors}"))
        })
    }

    /// What the post is.
    fn by_filters(&self, rule: &Rule) -> Result<(), Found> {
        match (&self.shared.facts, &self.known.content) {
            (Some(facts), _) => rule
                .admits(facts)
                .map_err(|refusal| no(refusal.key, refusal.to_string())),
            (None, Ok(_)) => Err(no("post", "no node knows it".to_owned())),
            // Whether a leader has voted may be known all the same.
            (None, Err(_)) => Ok(()),
        }
    }

    /// Who has voted already, by other means than rules; `row` is the voter's, where it counts.
    fn by_people(&self, row: Option<&Vote>) -> Result<(), Found> {
        if let Some(row) = row.filter(|row| row.is_by_hand()) {
            let why = format!("the voter voted {} by other means", row.ask().weight);
            return Err(no("by hand", why));
        }
        if let Some(row) = row.filter(|row| row.ask().origin == Origin::Hand) {
            let why = format!(
                "a vote of {} was asked for: {}",
                row.ask().weight,
                row.status
            );
            return Err(no("by hand", why));
        }
        // What an attempt of ours left on the post is not a person's.
        let ours = self.known.row(self.voter).is_some_and(|row| {
            row.attempts > 0 || matches!(row.status, Status::Cast | Status::Confirmed)
        });
        let standing = self.known.standing(self.voter);
        match standing.filter(|_| !ours) {
            Some(weight) => {
                let why = format!("the voter voted {weight} by other means");
                Err(no("by hand", why))
            }
            None => Ok(()),
        }
    }

    /// Whether the block with the cause is still to be read: each is read once.
    fn by_reading(&self, cause: &Cause) -> Result<(), Found> {
        let tables = self.known.tables.as_ref().ok();
        let read = tables.and_then(|tables| tables.read_until);
        match read {
            Some(read) if cause.at + READ_WITHIN < read => {
                let what = match &cause.leader {
                    Some((leader, _)) => format!("the vote of @{leader}"),
                    None => "the post".to_owned(),
                };
                let why = format!(
                    "{what} of {} was read when the rule was not in force, or did not match it",
                    shown(cause.at)
                );
                Err(no("queue", why))
            }
            _ => Ok(()),
        }
    }

    /// The vote as it would be queued.
    fn vote(&self, rule: &Rule, cause: &Cause, due_at: DateTime<Utc>) -> Vote {
        let key = VoteKey {
            voter: self.voter.clone(),
            post: self.known.post.clone(),
        };
        let ask = Ask {
            rule: rule.id.clone(),
            origin: cause.origin,
            weight: cause.weight,
            due_at,
            block: 0,
            at: cause.at,
            leader: cause.leader.clone(),
        };
        Vote::queued(key, Asks::new(ask), self.known.now)
    }

    /// When the vote goes out, by all that is looked at at that moment.
    fn by_moment(&self, rule: &Rule, vote: &Vote) -> Result<DateTime<Utc>, Found> {
        let content = match &self.known.content {
            Ok(Some(content)) => content,
            Ok(None) => return Err(no("post", "no node knows it".to_owned())),
            Err(why) => return Err((Says::Unknown, "post", why.clone())),
        };
        let mut at = vote
            .ask()
            .due_at
            .max(vote.next_attempt_at)
            .max(self.known.now);
        if !rule.in_force(at) {
            let why = format!("the rule is off when the vote is due, {}", shown(at));
            return Err(no("expires", why));
        }
        let Some(facts) = &self.shared.facts else {
            return Err(no("post", "no node knows it".to_owned()));
        };
        let post = Post::Here(content, facts);
        // It may move twice: to where the post is old enough, and to where the window opens.
        for _ in 0..3 {
            match by_post(vote, Some(rule), post, vote.attempts > 0, at) {
                Verdict::Move { due_at } => at = due_at,
                Verdict::Skip(why) | Verdict::Withdraw(why) | Verdict::Fail(why) => {
                    return Err(no(key_of(&why), why.to_string()));
                }
                Verdict::Cast(_) | Verdict::Confirmed | Verdict::Wait { .. } => break,
            }
        }
        self.by_limit(rule, at)?;
        let at = self.by_mana(rule, at)?;
        if is_too_old(rule, content.created, at) {
            let why = too_old(content, false);
            let why = format!("{why}; mana is back {}", shown(at));
            return Err(no("max_age", why));
        }
        self.by_token().map(|()| at)
    }

    fn by_limit(&self, rule: &Rule, at: DateTime<Utc>) -> Result<(), Found> {
        if rule.limit.is_empty() {
            return Ok(());
        }
        let tables = match &self.known.tables {
            Ok(tables) => tables,
            Err(why) => return Err((Says::Unknown, "limit", why.clone())),
        };
        let past = tables.past.get(&(self.voter.clone(), rule.id.clone()));
        let past = past.map_or(&[][..], Vec::as_slice);
        match rule.limit.exceeded(past, &self.known.post.author, at) {
            Some(why) => Err(no("limit", why.to_string())),
            None => Ok(()),
        }
    }

    /// When there is mana enough: at `at`, or later where the rule waits.
    fn by_mana(&self, rule: &Rule, at: DateTime<Utc>) -> Result<DateTime<Utc>, Found> {
        let Some(min) = rule.min_mana else {
            return Ok(at);
        };
        let state = match &self.known.mana {
            Ok(states) => states.get(self.voter),
            Err(why) => return Err((Says::Unknown, "min_mana", why.clone())),
        };
        match by_mana(rule, state, at) {
            Some(Verdict::Wait { reason, .. }) => {
                let refill = state.and_then(|state| state.wait_for_percent(min.magnitude(), at));
                let refill = refill.and_then(|wait| TimeDelta::from_std(wait).ok());
                match refill {
                    Some(wait) => Ok(at + wait),
                    None => Err(no("min_mana", reason.to_string())),
                }
            }
            Some(Verdict::Skip(why) | Verdict::Fail(why)) => Err(no("min_mana", why.to_string())),
            _ => Ok(at),
        }
    }

    fn by_token(&self) -> Result<(), Found> {
        match &self.known.tables {
            Ok(tables) if !tables.with_token.contains(self.voter) => {
                let why = "the voter has none: `curatord auth import` brings one".to_owned();
                Err(no("token", why))
            }
            _ => Ok(()),
        }
    }
}

impl Taken {
    fn has_the_post(&self) -> Found {
        let why = format!("{} has the post: {}", self.by, self.how);
        no("precedence", why)
    }
}

fn no(condition: &'static str, why: String) -> Found {
    (Says::No, condition, why)
}

/// The condition that a verdict rests on.
fn key_of(why: &Reason) -> &'static str {
    match why {
        Reason::MaxAge { .. } | Reason::WindowTooLate { .. } => why.condition().unwrap_or("post"),
        _ => "post",
    }
}

/// What a row says for its rule that is not queued any more.
fn over(row: &Vote) -> Option<Found> {
    let reason = row.reason.as_ref().map(ToString::to_string);
    let reason = reason.unwrap_or_default();
    let (weight, at) = (row.ask().weight, row.cast_at);
    let when = shown(at.unwrap_or(row.updated_at));
    Some(match row.status {
        Status::Queued => return None,
        Status::Cast | Status::Confirmed => {
            let why = format!("{weight} at {when}");
            (Says::Voted { weight, at }, "voted", why)
        }
        Status::Skipped if row.is_by_hand() => {
            let why = format!("the voter voted {weight} by other means");
            no("by hand", why)
        }
        Status::Skipped => no("skipped", reason),
        Status::Failed => no("failed", reason),
        Status::Withdrawn => no("withdrawn", reason),
        Status::DryRun => no("dry_run", format!("would have voted {weight} at {when}")),
    })
}
