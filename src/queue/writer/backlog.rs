//! Groups batches that wait for the database, announces them to the caster while the database is slow, and splits
//! batches with a row that the database refuses.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::waiting::Waiting;
use super::{GROUP, PATIENCE, Run, context};
use crate::post::VoteKey;
use crate::votes::change::{Batch, Change};
use crate::votes::error_entry::ErrorEntry;
use crate::votes::fold;
use crate::votes::status::ErrorKind;
use crate::votes::vote::Vote;

impl Run {
    /// Merges the small batches in front into one, but for those that a refused row has split. An undo must come first in
    /// its batch; and nothing is added to votes
    /// that were announced to the caster, since it may have sent them by then.
    pub(super) fn gather(&mut self) {
        let Some(mut first) = self.waiting.pop_front() else {
            return;
        };
        while let Some(next) = self.waiting.pop_front_if(|next| {
            !first.alone
                && !next.alone
                && first.batch.changes.len() + next.batch.changes.len() <= GROUP
                && next.batch.undo_above.is_none()
                && next.announced == first.announced
                && !(first.announced.is_some() && first.plans())
        }) {
            let into = Arc::make_mut(&mut first.batch);
            let next = Arc::unwrap_or_clone(next.batch);
            into.changes.extend(next.changes);
            into.leader_votes.extend(next.leader_votes);
            into.errors.extend(next.errors);
            into.schedule_runs.extend(next.schedule_runs);
            into.schedules_gone.extend(next.schedules_gone);
            into.cursor = next.cursor.or(into.cursor.take());
        }
        self.waiting.push_front(first);
    }

    /// Tells the caster what the rows will be, for batches that the database does not write promptly.
    pub(super) async fn announce(&mut self, now: DateTime<Utc>) {
        let away = self.away_since.is_some();
        let mut rows = Vec::new();
        for waiting in &mut self.waiting {
            if waiting.announced.is_some() || !(away || now - waiting.since >= PATIENCE) {
                continue;
            }
            waiting.announced = Some(now);
            let existing: Vec<Vote> = match waiting.batch.undo_above {
                Some(_) => self.known.rows().cloned().collect(),
                None => {
                    let keys: BTreeSet<_> = waiting.batch.changes.iter().map(Change::key).collect();
                    let rows = keys.into_iter().filter_map(|key| self.known.get(key));
                    rows.cloned().collect()
                }
            };
            let rules = self.writer.rules.borrow().clone();
            let position = |id: &_| rules.position(id);
            let confirm_within = self.writer.config.borrow().casting.confirm_within;
            let context = context(&self.writer.owner, now, now, confirm_within, &position);
            let folded = fold::fold(existing, &waiting.batch, &context);
            rows.extend(folded.new.into_iter().chain(folded.changed));
        }
        if !rows.is_empty() {
            self.hand_over(rows, true).await;
        }
    }

    /// Splits the batch in front, of which the database refuses a row, into batches of one row each. Such a batch is set
    /// aside: into `error_log`, with the row as JSON.
    pub(super) fn split(&mut self, error: &str) {
        let Some(front) = self.waiting.pop_front() else {
            return;
        };
        let Waiting {
            batch,
            since,
            announced,
            ..
        } = front;
        let batch = Arc::unwrap_or_clone(batch);
        if !batch.is_single() {
            for part in batch.into_parts().into_iter().rev() {
                self.waiting.push_front(Waiting {
                    batch: Arc::new(part),
                    since,
                    announced,
                    alone: true,
                });
            }
            return;
        }
        self.changes_waiting -= batch.changes.len();
        let text = format!("the database refused this row, and it is set aside: {error}");
        tracing::error!("{text}");
        if batch.errors.is_empty() {
            let now = self.writer.clock.now();
            let mut entry = ErrorEntry::new(ErrorKind::Database, text, now);
            if let Some(VoteKey { voter, post }) = batch.changes.first().map(Change::key) {
                entry.voter = voter.as_str().to_owned();
                entry.author = post.author.as_str().to_owned();
                entry.permlink = post.permlink.to_string();
            }
            self.take(Batch {
                errors: vec![entry],
                ..Batch::default()
            });
        }
    }
}
