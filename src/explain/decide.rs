//! The decision of each rule for one voter: the first condition that decides.

mod by_schedule;

use chrono::{DateTime, TimeDelta, Utc};

use crate::account::Account;
use crate::chain::content::Content;
use crate::explain::cause::{self, listed};
use crate::explain::known::Known;
use crate::explain::schedule::{NextRuns, next_runs};
use crate::explain::{Decision, Found, Says, no, shown, unknown};
use crate::post::VoteKey;
use crate::rules::facts::Facts;
use crate::rules::rule::{Authors, Rule, RuleId, Trigger};
use crate::rules::set::RuleSet;
use crate::votes::asks::{Ask, Asks};
use crate::votes::limits::by_mana;
use crate::votes::reason::Reason;
use crate::votes::schedules::agenda::scheduled;
use crate::votes::schedules::choice::counts;
use crate::votes::status::{Origin, Status};
use crate::votes::verdict::{Post, Verdict, by_post, is_too_old, too_old};
use crate::votes::vote::Vote;

/// Maximum time from the timestamp of a block until the daemon reads it. A block can also stamp a post a little
/// before its own time.
const READ_WITHIN: TimeDelta = TimeDelta::seconds(10);

/// The rules and the post, prepared once for all voters: there may be tens of thousands of them.
pub struct Case<'a> {
    pub rules: &'a RuleSet,
    pub known: &'a Known,
    /// The post, and what filters see of it.
    post: Result<(&'a Content, Facts<'a>), Found>,
    pub next_runs: NextRuns,
}

impl<'a> Case<'a> {
    pub fn new(rules: &'a RuleSet, known: &'a Known) -> Self {
        let post = match &known.content {
            Ok(Some(content)) => Ok((content, Facts::of_content(content))),
            Ok(None) => Err(no("post", "no node knows it")),
            Err(why) => Err(unknown("post", why)),
        };
        Self {
            rules,
            known,
            post,
            next_runs: next_runs(rules, &known.post.author, known.now),
        }
    }

    /// The post, and what filters see of it.
    ///
    /// # Errors
    /// No node knows the post, or none answered.
    pub fn post(&self) -> Result<&(&'a Content, Facts<'a>), Found> {
        self.post.as_ref().map_err(Clone::clone)
    }
}

/// Decides the rules of one voter in the order in which they ask for a vote.
pub struct Decider<'a> {
    case: &'a Case<'a>,
    known: &'a Known,
    voter: &'a Account,
    row: Option<&'a Vote>,
    taken: Option<Taken>,
}

/// The rule that has the post for this voter.
struct Taken {
    by: RuleId,
    how: String,
    /// Its vote exists or will exist. For a schedule a vote that was not cast does not count.
    stands: bool,
}

impl<'a> Decider<'a> {
    pub fn new(case: &'a Case<'a>, voter: &'a Account) -> Self {
        let row = case.known.row(voter);
        // A queued vote whose rule no longer votes as this voter goes to the next rule that asks for it.
        let has_rule = |row: &Vote| {
            let mut rules = case.rules.rules_of(voter);
            row.status != Status::Queued || rules.any(|rule| rule.id == row.ask().rule)
        };
        let by_rule = row.filter(|row| row.ask().origin != Origin::Hand && has_rule(row));
        Self {
            case,
            known: case.known,
            voter,
            row,
            taken: by_rule.map(|row| Taken {
                by: row.ask().rule.clone(),
                how: row.status.to_string(),
                stands: counts(row, false),
            }),
        }
    }

    /// The decision of `rule`, which asks next.
    pub fn decide(&mut self, rule: &Rule) -> Decision {
        let (says, condition, why) = self.find(rule).unwrap_or_else(|against| against);
        Decision {
            rule: rule.id.clone(),
            concerns_author: rule.covers_author(&self.known.post.author) || condition == "except",
            says,
            condition,
            why,
        }
    }

    /// The vote of `rule`; `Err` is a condition against it, or one that is not known.
    fn find(&mut self, rule: &Rule) -> Result<Found, Found> {
        let schedule = scheduled(rule).map(|(_, schedule)| schedule);
        // A schedule asks again for a vote that was not cast.
        let row = self
            .row
            .filter(|row| schedule.is_none() || counts(row, false));
        let own = row.filter(|row| row.ask().rule == rule.id);
        if let Some(ended) = own.and_then(|row| self.ended(row)) {
            return Err(ended);
        }
        let ask = self.asks(rule).inspect_err(|against| {
            if own.is_some() && against.0 == Says::No {
                // The rule drops out: the next one that asks has the vote.
                self.taken = None;
            }
        })?;
        self.by_people(row)?;
        if let Some(Taken { by, how, stands }) = &self.taken
            && *by != rule.id
            && (schedule.is_none() || *stands)
        {
            return Err(no("precedence", format!("{by} has the post: {how}")));
        }
        let left = self.left_to(rule);
        match (own.or(left.as_ref()), schedule) {
            (Some(row), _) => {
                let at = self.by_moment(rule, row);
                self.taken.get_or_insert_with(|| Taken {
                    by: rule.id.clone(),
                    how: Status::Queued.to_string(),
                    stands: true,
                });
                let (weight, at) = (ask.weight, at?);
                let why = format!("{weight}, due {}", shown(at));
                Ok((Says::Queued { weight, at }, "queue", why))
            }
            (None, Some(schedule)) => self.at_next_run(rule, schedule, ask),
            (None, None) => self.after_event(rule, ask),
        }
    }

    /// What the rule asks for, as it is now.
    fn asks(&self, rule: &Rule) -> Result<Ask, Found> {
        self.by_names(rule)?;
        self.by_filters(rule)?;
        cause::of(rule, self.voter, self.case)
    }

    /// The queued vote that `rule` has because the rules before it dropped out.
    fn left_to(&self, rule: &Rule) -> Option<Vote> {
        let row = self.row.filter(|row| row.status == Status::Queued)?;
        let ask = row.asks.others.iter().find(|ask| ask.rule == rule.id)?;
        self.taken.is_none().then(|| self.vote(ask.clone()))
    }

    /// The vote that `ask` will be when the daemon reads its cause.
    fn after_event(&mut self, rule: &Rule, ask: Ask) -> Result<Found, Found> {
        self.by_reading(&ask)?;
        let weight = ask.weight;
        let at = self.by_moment(rule, &self.vote(ask));
        self.taken = Some(Taken {
            by: rule.id.clone(),
            how: "comes first".to_owned(),
            stands: at.is_ok(),
        });
        let at = at?;
        let why = format!("{weight} at {}", shown(at));
        Ok((Says::Votes { weight, at }, "would vote", why))
    }

    /// Conditions on the rule, the voter and the author alone.
    fn by_names(&self, rule: &Rule) -> Result<(), Found> {
        let (author, now) = (&self.known.post.author, self.known.now);
        if !rule.enabled {
            return Err(no("enabled", "the rule is switched off"));
        }
        if !rule.in_force(now) {
            let since = rule.expires.map(shown).unwrap_or_default();
            return Err(no("expires", format!("the rule is off since {since}")));
        }
        if !self.case.rules.votes_as(rule, self.voter, author) {
            return Err(no("self_votes", "it is the voter's own post"));
        }
        if rule.covers_author(author) {
            return Ok(());
        }
        let (except, authors) = match &rule.trigger {
            Trigger::Author(of) => match &of.authors {
                Authors::Listed(authors) => (&of.except, authors.iter().collect()),
                Authors::Anyone => (&of.except, Vec::new()),
            },
            Trigger::Trail(of) => {
                let mut authors: Vec<_> = of.authors.iter().flatten().collect();
                authors.sort();
                (&of.except, authors)
            }
        };
        Err(if except.contains(author) {
            no("except", format!("@{author} is left out"))
        } else {
            let authors = listed(authors);
            no("authors", format!("@{author} is none of {authors}"))
        })
    }

    /// The rule's filters.
    fn by_filters(&self, rule: &Rule) -> Result<(), Found> {
        match self.case.post() {
            Ok((_, facts)) => rule
                .admits(facts)
                .map_err(|refusal| no(refusal.key, refusal)),
            // The votes of leaders may be known without the post.
            Err((Says::Unknown, ..)) => Ok(()),
            Err(no_post) => Err(no_post),
        }
    }

    /// Votes of the voter by other means than rules; `row` is the voter's row if it counts.
    fn by_people(&self, row: Option<&Vote>) -> Result<(), Found> {
        let standing = self.known.standing(self.voter);
        let by_hand = |weight| {
            let why = format!("the voter voted {weight} by other means");
            Err(no("by hand", why))
        };
        if let Some(row) = row {
            let (ask, status) = (row.ask(), row.status);
            if row.is_by_hand() {
                return by_hand(standing.unwrap_or(ask.weight));
            }
            if ask.origin == Origin::Hand {
                let why = format!("a vote of {} was asked for: {status}", ask.weight);
                return Err(no("by hand", why));
            }
        }
        // A vote on the post can be the result of an attempt by the daemon.
        let ours = self.row.is_some_and(|row| {
            row.attempts > 0 || matches!(row.status, Status::Cast | Status::Confirmed)
        });
        standing.filter(|_| !ours).map_or(Ok(()), by_hand)
    }

    /// Whether the daemon has yet to read the block with the cause: it reads each block once.
    fn by_reading(&self, ask: &Ask) -> Result<(), Found> {
        let tables = self.known.tables.as_ref().ok();
        let read_until = tables.and_then(|tables| tables.read_until);
        if read_until.is_none_or(|read_until| ask.at + READ_WITHIN >= read_until) {
            return Ok(());
        }
        let what = match &ask.leader {
            Some((leader, _)) => format!("the vote of @{leader}"),
            None => "the post".to_owned(),
        };
        let at = shown(ask.at);
        let why =
            format!("{what} of {at} was read when the rule was not in force, or did not match it");
        Err(no("queue", why))
    }

    /// The vote as it would be queued.
    fn vote(&self, ask: Ask) -> Vote {
        Vote::queued(self.key(), Asks::new(ask), self.known.now)
    }

    fn key(&self) -> VoteKey {
        VoteKey {
            voter: self.voter.clone(),
            post: self.known.post.clone(),
        }
    }

    /// The time at which `vote` is cast, by the conditions that are checked at that moment.
    fn by_moment(&self, rule: &Rule, vote: &Vote) -> Result<DateTime<Utc>, Found> {
        let (content, facts) = self.case.post()?;
        let due_at = vote.ask().due_at;
        let mut at = due_at.max(vote.next_attempt_at).max(self.known.now);
        if !rule.in_force(at) {
            let why = format!("the rule is off when the vote is due, {}", shown(at));
            return Err(no("expires", why));
        }
        let post = Post::Here(content, facts);
        // It can move twice: until the post is old enough, and until the window opens.
        for _ in 0..3 {
            match by_post(vote, Some(rule), post, vote.attempts > 0, at) {
                Verdict::Move { due_at } => at = due_at,
                Verdict::Skip(why) | Verdict::Withdraw(why) | Verdict::Fail(why) => {
                    return Err(no(why.condition().unwrap_or("post"), why));
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
        match &self.known.tables {
            Ok(tables) if !tables.with_token.contains(self.voter) => {
                let why = "the voter has none: `curatord auth import` brings one";
                Err(no("token", why))
            }
            _ => Ok(at),
        }
    }

    fn by_limit(&self, rule: &Rule, at: DateTime<Utc>) -> Result<(), Found> {
        if rule.limit.is_empty() {
            return Ok(());
        }
        let tables = self.known.tables.as_ref();
        let past = &tables.map_err(|why| unknown("limit", why))?.past;
        let past = past.get(&(self.voter.clone(), rule.id.clone()));
        let author = &self.known.post.author;
        let exceeded = rule.limit.exceeded(past.into_iter().flatten(), author, at);
        exceeded.map_or(Ok(()), |why| Err(no("limit", why)))
    }

    /// When the voter has enough mana: at `at`, or later if the rule waits.
    fn by_mana(&self, rule: &Rule, at: DateTime<Utc>) -> Result<DateTime<Utc>, Found> {
        let Some(min) = rule.min_mana else {
            return Ok(at);
        };
        let states = self.known.mana.as_ref();
        let state = states
            .map_err(|why| unknown("min_mana", why))?
            .get(self.voter);
        match by_mana(rule, state, at) {
            Some(Verdict::Wait { reason, .. }) => {
                let refill = state.and_then(|state| state.wait_for_percent(min.magnitude(), at));
                let refill = refill.and_then(|wait| TimeDelta::from_std(wait).ok());
                let back = refill.map(|wait| at + wait);
                back.ok_or_else(|| no("min_mana", reason))
            }
            Some(Verdict::Skip(why) | Verdict::Fail(why)) => Err(no("min_mana", why)),
            _ => Ok(at),
        }
    }

    /// What the row of a rule's own vote says if it is not queued any more.
    fn ended(&self, row: &Vote) -> Option<Found> {
        let (weight, at) = (row.ask().weight, row.cast_at);
        let when = shown(at.unwrap_or(row.updated_at));
        let reason = row.reason.as_ref().map(Reason::to_string);
        Some(match row.status {
            Status::Queued => return None,
            Status::Cast | Status::Confirmed => {
                let why = format!("{weight} at {when}");
                (Says::Voted { weight, at }, "voted", why)
            }
            Status::Skipped if row.is_by_hand() => {
                let weight = self.known.standing(self.voter).unwrap_or(weight);
                let why = format!("the voter voted {weight} by other means");
                no("by hand", why)
            }
            Status::DryRun => no("dry_run", format!("would have voted {weight} at {when}")),
            status => no(status.as_str(), reason.unwrap_or_default()),
        })
    }
}
