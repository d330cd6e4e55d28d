//! When schedules that vote on posts of one author run next, and which of its posts they choose then. The choice is
//! the daemon's own [`Choice`], as if all these runs came one after the other.

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

/// For each rule with a schedule its next run; `None` if it never runs.
pub type NextRuns = HashMap<RuleId, Option<DateTime<Utc>>>;

/// What schedules vote on when they run next.
#[derive(Debug, Default)]
pub struct Choices {
    /// The author's newest posts, which are the only ones looked at, and when they were published.
    pub newest: HashMap<PostId, DateTime<Utc>>,
    /// The post that each rule has chosen for each voter, and when it was published.
    pub chosen: HashMap<(RuleId, Account), (PostId, DateTime<Utc>)>,
    /// The rule that has each vote, if several have chosen the same post.
    pub votes: HashMap<VoteKey, RuleId>,
}

/// The next runs after `now` of the schedules that vote on posts of `author`.
pub fn next_runs(rules: &RuleSet, author: &Account, now: DateTime<Utc>) -> NextRuns {
    let rules = with_schedule(rules, author);
    rules
        .map(|(rule, schedule)| {
            // An expression that cannot be read is an error in its file.
            let timetable = Timetable::new(schedule).ok();
            let next = timetable.and_then(|timetable| timetable.next(now));
            (rule.id.clone(), next)
        })
        .collect()
}

/// What each rule votes on when it runs next after `now`, given the `newest` posts of `author`. `ask` returns the
/// existing rows of votes, and is called a few times at most. If only one `voter` is asked about, the choices for
/// others are made without rows.
///
/// # Errors
/// The error of `ask`.
pub async fn choose<E>(
    rules: &RuleSet,
    voter: Option<&Account>,
    author: &Account,
    now: DateTime<Utc>,
    newest: Vec<Content>,
    ask: impl AsyncFn(&[VoteKey]) -> Result<Vec<Vote>, E>,
) -> Result<Choices, E> {
    let published = newest.iter();
    let published = published.map(|content| (content.post.clone(), content.created));
    let mut choices = Choices {
        newest: published.collect(),
        ..Choices::default()
    };
    let posts: Vec<Post> = newest.into_iter().map(Post::from).collect();
    let posts = HashMap::from([(author.clone(), posts)]);
    let mut runs: BTreeMap<DateTime<Utc>, Vec<Run>> = BTreeMap::new();
    for (rule, due) in next_runs(rules, author, now) {
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
        let mut choice = Choice::new(runs, rules, &posts, false);
        loop {
            let mut questions = choice.questions();
            questions.retain(|key| voter.is_none_or(|voter| key.voter == *voter));
            if questions.is_empty() {
                break;
            }
            choice.answer(&ask(&questions).await?, &planned);
        }
        for (rule, key) in choice.chosen() {
            if let Some(created) = choices.newest.get(&key.post) {
                let chosen = (key.post.clone(), *created);
                choices.chosen.insert((rule.id.clone(), key.voter), chosen);
            }
        }
        for plan in choice.plans(None) {
            planned.insert(plan.key.clone());
            choices.votes.insert(plan.key, plan.ask.rule);
        }
    }
    Ok(choices)
}

/// Whether a schedule votes on posts of `author`, as `voter` if given. If not, nothing needs to be looked up.
pub fn any(rules: &RuleSet, voter: Option<&Account>, author: &Account) -> bool {
    with_schedule(rules, author)
        .any(|(rule, _)| voter.is_none_or(|voter| rule.voters.contains(voter)))
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
