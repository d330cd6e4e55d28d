//! Reports to the writer, and when they are handed over.

use chrono::{DateTime, TimeDelta, Utc};

use crate::votes::change::{Batch, Change, Outcome, Report};
use crate::votes::error_entry::ErrorEntry;

/// Delay with which accepted votes are written while votes that are due wait for a free place: the database would take
/// the processor from the requests. If the daemon is killed meanwhile, the next one finds these votes on the chain.
const HOLD_BACK: TimeDelta = TimeDelta::milliseconds(250);

/// Gathers reports for the writer.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    changes: Vec<Change>,
    errors: Vec<ErrorEntry>,
    /// When the oldest of them came.
    since: DateTime<Utc>,
    /// Whether a report in it changes what is cast next.
    urgent: bool,
}

impl Outbox {
    pub fn push(&mut self, report: Report, now: DateTime<Utc>) {
        if self.is_empty() {
            self.since = now;
        }
        self.urgent |= !matches!(report.outcome, Outcome::Cast { .. });
        self.changes.push(Change::Report(report));
    }

    /// Adds a row for `error_log`.
    pub fn push_error(&mut self, entry: ErrorEntry, now: DateTime<Utc>) {
        if self.is_empty() {
            self.since = now;
        }
        self.errors.push(entry);
    }

    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.errors.is_empty()
    }

    /// When to hand it over; `busy` says that votes which are due wait for a free place. `None` if it is empty.
    pub fn due(&self, busy: bool) -> Option<DateTime<Utc>> {
        let wait = match busy && !self.urgent {
            true => HOLD_BACK,
            false => TimeDelta::zero(),
        };
        (!self.is_empty()).then(|| self.since + wait)
    }

    /// Takes everything out.
    pub fn take(&mut self) -> Batch {
        self.urgent = false;
        Batch {
            changes: std::mem::take(&mut self.changes),
            errors: std::mem::take(&mut self.errors),
            ..Batch::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Account;
    use crate::post::{PostId, VoteKey};
    use crate::rules::rule::RuleId;
    use crate::votes::asks::Cause;
    use crate::votes::status::Origin;
    use crate::weight::Weight;

    fn at(millis: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::milliseconds(millis)
    }

    fn report(outcome: Outcome) -> Report {
        Report {
            key: VoteKey {
                voter: Account::from_chain("alice"),
                post: PostId::new(Account::from_chain("bob"), "a-post"),
            },
            cause: Cause {
                rule: RuleId::new("a.toml", "b"),
                origin: Origin::Author,
                block: 7,
            },
            weight: Weight::FULL,
            attempts: 1,
            at: at(0),
            outcome,
        }
    }

    fn accepted() -> Report {
        report(Outcome::Cast {
            trx_id: None,
            cast_at: at(0),
            check_at: at(0),
        })
    }

    #[test]
    fn accepted_votes_are_held_back_only_while_votes_wait() {
        let mut outbox = Outbox::default();
        assert_eq!(outbox.due(true), None);
        outbox.push(accepted(), at(10));
        outbox.push(accepted(), at(200));
        assert_eq!(outbox.due(true), Some(at(260)));
        assert_eq!(outbox.due(false), Some(at(10)));
        assert_eq!(outbox.take().changes.len(), 2);
        assert_eq!(outbox.due(false), None);
        outbox.push(accepted(), at(300));
        assert_eq!(outbox.due(true), Some(at(550)));
    }

    #[test]
    fn other_reports_are_handed_over_at_once_with_those_that_wait() {
        let mut outbox = Outbox::default();
        outbox.push(accepted(), at(10));
        outbox.push(report(Outcome::Skipped("no".to_owned().into())), at(20));
        assert_eq!(outbox.due(true), Some(at(10)));
        assert_eq!(outbox.take().changes.len(), 2);
        outbox.push(accepted(), at(30));
        assert_eq!(outbox.due(true), Some(at(280)));
    }
}
