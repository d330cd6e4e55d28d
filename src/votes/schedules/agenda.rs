//! What is to run when: the rules with a schedule, and how far each has run. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};

use crate::account::Account;
use crate::rules::rule::{AuthorRule, Authors, Rule, RuleId, Schedule, Trigger};
use crate::rules::schedule::Timetable;
use crate::rules::set::RuleSet;
use crate::votes::change::{Batch, ScheduleRun};

/// Posts are looked up so long before their votes are due: as long as two requests to a node mostly take,
/// and no longer, because a post published after the look-up does not count.
const LEAD: TimeDelta = TimeDelta::milliseconds(1_000);
/// And so much longer for each author of whom posts are looked up for the same time.
const LEAD_PER_AUTHOR: TimeDelta = TimeDelta::milliseconds(50);
/// Longest time by which a look-up begins before its votes are due.
pub const LONGEST_LEAD: TimeDelta = TimeDelta::minutes(1);
/// Somebody who is this late at most missed nothing: such a time is still the moment of its votes.
const LATE: TimeDelta = TimeDelta::seconds(1);

/// The times of all rules with a schedule.
#[derive(Debug, Default)]
pub struct Agenda {
    entries: BTreeMap<RuleId, Entry>,
    /// How far rules had run of which nothing is known now, because their files are bad.
    unknown: HashMap<RuleId, ScheduleRun>,
}

#[derive(Debug)]
struct Entry {
    /// Expression and zone, as a table has them.
    schedule: String,
    timetable: Timetable,
    /// The first time that was not run yet.
    next: Option<DateTime<Utc>>,
    authors: Vec<Account>,
}

/// One time of one rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The rule.
    pub rule: RuleId,
    /// As a table has it.
    pub schedule: String,
    /// When its votes are due: the time itself, or now where it was missed.
    pub due: DateTime<Utc>,
    /// Whose posts are voted on.
    pub authors: Vec<Account>,
}

impl Run {
    /// What is stored once it was run.
    pub fn done(&self) -> ScheduleRun {
        ScheduleRun {
            rule: self.rule.clone(),
            schedule: self.schedule.clone(),
            last_run_at: self.due,
        }
    }
}

impl Agenda {
    /// Goes on where earlier runs stopped.
    pub fn new(stored: Vec<ScheduleRun>) -> Self {
        let unknown = stored.into_iter().map(|run| (run.rule.clone(), run));
        Self {
            entries: BTreeMap::new(),
            unknown: unknown.collect(),
        }
    }

    /// Takes the rules as they are at `now`; returns what is to be stored of it. A rule that is new or
    /// switched on again, or has another schedule than before, has no past.
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
                    tracing::error!(rule = %rule.id, %error, "a schedule that was found good cannot be read");
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

    /// The runs whose look-ups begin by `now`. Each comes once; of times that were missed one comes, due now.
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

    /// For each time that comes next for some rule, how long before it look-ups begin.
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

/// The part of an author rule that matters here, where the rule has a schedule.
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
        // No file says so: with a schedule authors have names.
        Authors::Anyone => Vec::new(),
    }
}

fn stored_as(schedule: &Schedule) -> String {
    format!("{} {}", schedule.cron, schedule.timezone)
}
