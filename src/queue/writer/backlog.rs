//! Groups batches that wait for the database, announces them to the caster when it is slow, and splits those of
//! which it refuses a row.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::waiting::Waiting;
use super::{GROUP, PATIENCE, Run, context};
use crate::store::StoreError;
use crate::votes::change::Batch;
use crate::votes::fold;
use crate::votes::vote::Vote;

impl Run {
    /// Makes one batch of the small ones in front. An undo must come first in its batch; and nothing is added
    /// to votes that the caster was told of, since it may have sent them when the rest happens.
    pub(super) fn gather(&mut self) {
        let Some(mut first) = self.waiting.pop_front() else {
            return;
        };
        while let Some(next) = self.waiting.front() {
            let size = first.batch.changes.len() + next.batch.changes.len();
            if size > GROUP
                || next.batch.undo_above.is_some()
                || next.announced != first.announced
                || (first.announced.is_some() && first.plans())
            {
                break;
            }
            let Some(next) = self.waiting.pop_front() else {
                break;
            };
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

    /// Tells the caster what will become of the rows, where the database takes its time.
    pub(super) async fn announce(&mut self, now: DateTime<Utc>) {
        let away = self.away_since.is_some();
        let mut rows = Vec::new();
        for waiting in &mut self.waiting {
            if waiting.announced.is_some() || !(away || now - waiting.since >= PATIENCE) {
                continue;
            }
            waiting.announced = Some(now);
            let keys = waiting.batch.changes.iter().map(|change| change.key());
            let existing: Vec<Vote> = match waiting.batch.undo_above {
                Some(_) => self.known.rows().cloned().collect(),
                None => {
                    let mut keys: Vec<_> = keys.collect();
                    keys.sort();
                    keys.dedup();
                    keys.into_iter()
                        .filter_map(|key| self.known.get(key))
                        .cloned()
                        .collect()
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

    /// One bad row must not hold up all others: they are written one by one, and it is left out.
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
            let what = batch.changes.first().map(|change| change.key().to_string());
            tracing::error!(%error, vote = what, "the database refused a row: it was left out");
            return;
        }
        let rest = Batch {
            undo_above: batch.undo_above,
            schedule_runs: batch.schedule_runs,
            schedules_gone: batch.schedules_gone,
            cursor: batch.cursor,
            ..Batch::default()
        };
        let changes = batch.changes.into_iter().map(|change| Batch {
            changes: vec![change],
            ..Batch::default()
        });
        let votes = batch.leader_votes.into_iter().map(|vote| Batch {
            leader_votes: vec![vote],
            ..Batch::default()
        });
        let errors = batch.errors.into_iter().map(|entry| Batch {
            errors: vec![entry],
            ..Batch::default()
        });
        let undo = rest.undo_above.map(|above| Batch {
            undo_above: Some(above),
            ..Batch::default()
        });
        let cursor = Batch {
            undo_above: None,
            ..rest
        };
        let parts: Vec<Batch> = undo
            .into_iter()
            .chain(changes)
            .chain(votes)
            .chain(errors)
            .chain([cursor])
            .collect();
        for part in parts.into_iter().rev() {
            self.waiting.push_front(Waiting {
                batch: Arc::new(part),
                since,
                announced,
            });
        }
    }
}
