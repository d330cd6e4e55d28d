//! Groups batches that wait for the database, announces them to the caster while the database is slow, and splits
//! batches with a row that the database refuses.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::waiting::Waiting;
use super::{GROUP, PATIENCE, Run, context};
use crate::store::StoreError;
use crate::votes::change::Change;
use crate::votes::fold;
use crate::votes::vote::Vote;

impl Run {
    /// Merges the small batches in front into one. An undo must come first in its batch; and nothing is added to votes
    /// that were announced to the caster, since it may have sent them by then.
    pub(super) fn gather(&mut self) {
        let Some(mut first) = self.waiting.pop_front() else {
            return;
        };
        while let Some(next) = self.waiting.pop_front_if(|next| {
            first.batch.changes.len() + next.batch.changes.len() <= GROUP
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

    /// Splits the batch in front, so that the refused row alone is left out and all others are written.
    pub(super) fn split(&mut self, error: &StoreError) {
        let Some(Waiting {
            batch,
            since,
            announced,
        }) = self.waiting.pop_front()
        else {
            return;
        };
        let batch = Arc::unwrap_or_clone(batch);
        if batch.changes.len() + batch.errors.len() + batch.leader_votes.len() <= 1
            && batch.undo_above.is_none()
        {
            self.changes_waiting -= batch.changes.len();
            let vote = batch.changes.first().map(|change| change.key().to_string());
            tracing::error!(%error, vote, "the database refused a row: it was left out");
            return;
        }
        let parts = batch.into_parts();
        for part in parts.into_iter().rev() {
            self.waiting.push_front(Waiting {
                batch: Arc::new(part),
                since,
                announced,
            });
        }
    }
}
