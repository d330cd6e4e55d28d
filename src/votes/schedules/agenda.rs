//! When each rule with a schedule runs, and its last run. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};

use crate::account::Account;
use crate::rules::rule::{AuthorRule, Authors, Rule, RuleId, Schedule, Trigger};
use crate::rules::schedule::Timetable;
use crate::rules::set::RuleSet;
use crate::votes::change::{Batch, ScheduleRun};

/// Time before votes are due at which posts are looked up: as long as two requests to a node mostly take, and no longer,
/// because a post published after the look-up does not count.
const LEAD: TimeDelta = TimeDelta::milliseconds(1_000);
/// Additional lead for each author whose posts are looked up for the same time.
const LEAD_PER_AUTHOR: TimeDelta = TimeDelta::milliseconds(50);
/// Longest time by which a look-up begins before its votes are due.
pub const LONGEST_LEAD: TimeDelta = TimeDelta::minutes(1);
/// Longest delay with which a time is not missed: its votes are still due at that time.
const LATE: TimeDelta = TimeDelta::seconds(1);

/// The times of all rules with a schedule.
#[derive(Debug, Default)]
pub struct Agenda {
    entries: BTreeMap<RuleId, Entry>,
    /// The last runs of rules of which nothing is known now, because their files have errors.
    unknown: HashMap<RuleId, ScheduleRun>,
}

#[derive(Debug)]
struct Entry {
    /// Expression and time zone, as stored in the table.
    schedule: String,
    timetable: Timetable,
    /// The next time to run.
    next: Option<DateTime<Utc>>,
    authors: Vec<Account>,
}

/// One time of one rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The rule.
    pub rule: RuleId,
    /// The schedule, as stored in the table.
    pub schedule: String,
    /// When its votes are due: the time itself, or now if it was missed.
    pub due: DateTime<Utc>,
    /// Whose posts are voted on.
    pub authors: Vec<Account>,
}

impl Run {
    /// What is stored after the run.
    pub fn done(&self) -> ScheduleRun {
        ScheduleRun {
            rule: self.rule.clone(),
            schedule: self.schedule.clone(),
            last_run_at: self.due,
        }
    }
}

impl Agenda {
    /// Continues after earlier runs.
    pub fn new(stored: Vec<ScheduleRun>) -> Self {
        let unknown = stored.into_iter().map(|run| (run.rule.clone(), run));
        Self {
            entries: BTreeMap::new(),
            unknown: unknown.collect(),
        }
    }

    /// Takes in the rules as they are at `now`; returns what to store. A rule that is new, enabled again, or has another
    /// schedule than before has no past.
    pub fn update(&mut self, rules: &RuleSet, now: DateTime<Utc>) -> Batch {
        let mut batch = Batch::default();
        let mut before = std::mem::take(&mut self.entries);
        for rule in rules.rules() {
            let Some((author, schedule)) = scheduled(rule).filter(|_| rule.in_force(now)) else {
                continue;
            };
            let text = stored_as(schedule);
            let authors = authors(author);
            if let Some(entry) = before
                .remove(&rule.id)
                .filter(|entry| entry.schedule == text)
            {
                let entry = Entry { authors, ..entry };
                self.entries.insert(rule.id.clone(), entry);
                continue;
            }
            let timetable = match Timetable::new(schedule) {
                Ok(timetable) => timetable,
                Err(error) => {
                    tracing::error!(rule = %rule.id, %error, "a schedule that was valid before cannot be read");
                    continue;
                }
            };
            let stored = self.unknown.remove(&rule.id);
            let since = stored
                .filter(|run| run.schedule == text)
                .map(|run| run.last_run_at);
            if since.is_none() {
                batch.schedule_runs.push(ScheduleRun {
                    rule: rule.id.clone(),
                    schedule: text.clone(),
                    last_run_at: now,
                });
            }
            let next = timetable.next(since.unwrap_or(now));
            match next {
                Some(next) => {
                    tracing::debug!(rule = %rule.id, next = %next.format("%F %T"), "scheduled")
                }
                None => tracing::warn!(rule = %rule.id, "the schedule of {} never comes", rule.id),
            }
            let entry = Entry {
                schedule: text,
                timetable,
                next,
                authors,
            };
            self.entries.insert(rule.id.clone(), entry);
        }
        let gone = before.into_keys();
        batch
            .schedules_gone
            .extend(gone.filter(|rule| !self.entries.contains_key(rule)));
        self.unknown.retain(|rule, _| {
            let unreadable = rules.rule(rule).is_none() && rules.is_unreadable(rule);
            if !unreadable {
                batch.schedules_gone.push(rule.clone());
            }
            unreadable
        });
        batch
    }

    /// When the next look-up begins.
    pub fn next_wake(&self) -> Option<DateTime<Utc>> {
        self.leads()
            .into_iter()
            .map(|(time, lead)| time - lead)
            .min()
    }

    /// The runs whose look-ups begin by `now`, each once. Several missed times of a rule are one run, due now.
    pub fn due(&mut self, now: DateTime<Utc>) -> Vec<Run> {
        let leads = self.leads();
        let mut runs = Vec::new();
        for (rule, entry) in &mut self.entries {
            let Some(time) = entry.next else { continue };
            if leads.get(&time).is_none_or(|lead| time - *lead > now) {
                continue;
            }
            let due = if now - time > LATE { now } else { time };
            entry.next = entry.timetable.next(due);
            runs.push(Run {
                rule: rule.clone(),
                schedule: entry.schedule.clone(),
                due,
                authors: entry.authors.clone(),
            });
        }
        runs
    }

    /// Whether `rule` still has this schedule.
    pub fn has(&self, rule: &RuleId, schedule: &str) -> bool {
        (self.entries.get(rule)).is_some_and(|entry| entry.schedule == schedule)
    }

    /// For the next time of each rule, how long before it look-ups begin.
    fn leads(&self) -> BTreeMap<DateTime<Utc>, TimeDelta> {
        let mut authors: BTreeMap<DateTime<Utc>, HashSet<&Account>> = BTreeMap::new();
        for entry in self.entries.values() {
            if let Some(time) = entry.next {
                authors.entry(time).or_default().extend(&entry.authors);
            }
        }
        let lead = |authors: HashSet<&Account>| {
            let count = i32::try_from(authors.len()).unwrap_or(i32::MAX);
            LONGEST_LEAD.min(LEAD + LEAD_PER_AUTHOR.checked_mul(count).unwrap_or(LONGEST_LEAD))
        };
        authors
            .into_iter()
            .map(|(time, authors)| (time, lead(authors)))
            .collect()
    }
}

/// The author rule and its schedule, if the rule has one.
pub fn scheduled(rule: &Rule) -> Option<(&AuthorRule, &Schedule)> {
    match &rule.trigger {
        Trigger::Author(author) => Some((author, author.schedule.as_ref()?)),
        Trigger::Trail(_) => None,
    }
}

fn authors(rule: &AuthorRule) -> Vec<Account> {
    match &rule.authors {
        Authors::Listed(names) => {
            let kept = names.iter().filter(|name| !rule.except.contains(*name));
            kept.cloned().collect()
        }
        // Not possible in a file: a rule with a schedule lists its authors.
        Authors::Anyone => Vec::new(),
    }
}

fn stored_as(schedule: &Schedule) -> String {
    format!("{} {}", schedule.cron, schedule.timezone)
}
