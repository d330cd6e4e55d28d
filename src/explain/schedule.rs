//! When the schedules strike next that vote on posts of one author, and on which of its posts each votes then. The
//! posts are chosen by the daemon's own [`Choice`], as if all these times came one after the other.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::account::Account;
use crate::chain::content::Content;
use crate::explain::shown;
use crate::post::{PostId, VoteKey};
use crate::rules::rule::{Rule, RuleId, Schedule};
use crate::rules::schedule::Timetable;
use crate::rules::set::RuleSet;
use crate::votes::schedules::agenda::{Run, scheduled};
use crate::votes::schedules::choice::{Choice, Post};
use crate::votes::vote::Vote;

/// For each rule with a schedule when that strikes next; `None` where it never does.
pub type Strikes = HashMap<RuleId, Option<DateTime<Utc>>>;

/// What the schedules vote on when they strike next.
#[derive(Debug, Default)]
pub struct Choices {
    /// The author's newest posts, which are all that are looked at, and when they were published.
    newest: HashMap<PostId, DateTime<Utc>>,
    chosen: HashMap<(RuleId, Account), PostId>,
    /// Which rule votes, where several have chosen the same.
    votes: HashMap<VoteKey, RuleId>,
}

/// When the rules that have a schedule and cover `author` strike next after `now`.
pub fn strikes(rules: &RuleSet, author: &Account, now: DateTime<Utc>) -> Strikes {
    let rules = with_schedule(rules, author);
    rules
        .map(|(rule, schedule)| {
            // A rule with an expression that cannot be read would not have been found good.
            let timetable = Timetable::new(schedule).ok();
            let next = timetable.and_then(|timetable| timetable.next(now));
            (rule.id.clone(), next)
        })
        .collect()
}

/// What each rule votes on when it strikes next after `now`, for `voter` or for everybody, given the `newest` posts of
/// `author`. `ask` gives the rows that there are of these votes; it is called with all at once, a few times at most.
///
/// # Errors
/// That of `ask`.
pub async fn choose<E>(
    rules: &RuleSet,
    voter: Option<&Account>,
    author: &Account,
    now: DateTime<Utc>,
    newest: Vec<Content>,
    ask: impl AsyncFn(&[VoteKey]) -> Result<Vec<Vote>, E>,
) -> Result<Choices, E> {
    let mut choices = Choices {
        newest: newest
            .iter()
            .map(|content| (content.post.clone(), content.created))
            .collect(),
        ..Choices::default()
    };
    let posts: Vec<Post> = newest.into_iter().map(Post::from).collect();
    let posts = HashMap::from([(author.clone(), posts)]);
    let asked = asked_about(rules, voter, author);
    let mut runs: BTreeMap<DateTime<Utc>, Vec<Run>> = BTreeMap::new();
    for (rule, due) in strikes(&asked, author, now) {
        let Some(due) = due else { continue };
        runs.entry(due).or_default().push(Run {
            rule,
            schedule: String::new(),
            due,
            authors: vec![author.clone()],
        });
    }
    let mut planned = HashSet::new();
    for runs in runs.values() {
        let mut choice = Choice::new(runs, &asked, &posts, false);
        loop {
            let questions = choice.questions();
            if questions.is_empty() {
                break;
            }
            choice.answer(&ask(&questions).await?, &planned);
        }
        for (rule, key) in choice.chosen() {
            let chosen = (rule.id.clone(), key.voter.clone());
            choices.chosen.insert(chosen, key.post);
        }
        for plan in choice.plans(None) {
            planned.insert(plan.key.clone());
            choices.votes.insert(plan.key, plan.ask.rule);
        }
    }
    Ok(choices)
}

impl Choices {
    /// Whether the post is among those that schedules look at.
    pub fn looks_at(&self, post: &PostId) -> bool {
        self.newest.contains_key(post)
    }

    /// Which rule votes on the post.
    pub fn rule_for(&self, key: &VoteKey) -> Option<&RuleId> {
        self.votes.get(key)
    }

    /// The post that `rule` has chosen for `voter` because it is newer than `post`, and when it was published.
    pub fn chosen_before(
        &self,
        post: &PostId,
        rule: &RuleId,
        voter: &Account,
    ) -> Option<(&PostId, DateTime<Utc>)> {
        let chosen = self.chosen.get(&(rule.clone(), voter.clone()))?;
        let created = *self.newest.get(chosen)?;
        let is_newer = chosen != post && created >= *self.newest.get(post)?;
        is_newer.then_some((chosen, created))
    }
}

/// Whether there are any schedules that vote on posts of `author`: without, nothing needs to be looked up.
pub fn any(rules: &RuleSet, voter: Option<&Account>, author: &Account) -> bool {
    !asked_about(rules, voter, author).rules().is_empty()
}

/// `2026-11-23 18:00:00 in Europe/Amsterdam (2026-11-23 17:00:00 UTC), the next time of …`.
pub fn next_time(schedule: &Schedule, next: DateTime<Utc>) -> String {
    let (cron, zone) = (&schedule.cron, schedule.timezone);
    let utc = shown(next);
    let when = if zone == chrono_tz::UTC {
        utc
    } else {
        let local = next.with_timezone(&zone).format("%F %T");
        format!("{local} in {zone} ({utc})")
    };
    format!("{when}, the next time of `{cron}`")
}

fn with_schedule<'a>(
    rules: &'a RuleSet,
    author: &Account,
) -> impl Iterator<Item = (&'a Arc<Rule>, &'a Schedule)> {
    let rules = rules.rules().iter();
    rules
        .filter(|rule| rule.covers_author(author))
        .filter_map(|rule| Some((rule, scheduled(rule)?.1)))
}

/// The rules with a schedule, for the one voter alone where one is asked about.
fn asked_about(rules: &RuleSet, voter: Option<&Account>, author: &Account) -> RuleSet {
    let asked = with_schedule(rules, author).filter_map(|(rule, _)| match voter {
        None => Some(rule.clone()),
        Some(voter) if rule.voters.contains(voter) => Some(Arc::new(Rule {
            voters: vec![voter.clone()],
            ..(**rule).clone()
        })),
        Some(_) => None,
    });
    RuleSet::new(asked.collect())
}
