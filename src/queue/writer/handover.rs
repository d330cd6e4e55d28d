//! Passes changed rows on to the caster and to the log.

use super::Run;
use crate::votes::handover::{Handover, is_ours};
use crate::votes::reason::Reason;
use crate::votes::status::Status;
use crate::votes::vote::Vote;

impl Run {
    /// Passes on rows as they are now; `only_announced` says that they are not written yet.
    pub(super) async fn hand_over(&mut self, rows: Vec<Vote>, only_announced: bool) {
        let mut handover = Handover::default();
        let owner = &*self.writer.owner;
        for row in rows {
            if !only_announced {
                log(&row);
                self.writer.tally.count(row.status);
                if let Some(observer) = &self.writer.observer {
                    // An observer that is too slow misses some.
                    let _ = observer.try_send(row.clone());
                }
            }
            let is_held = self.known.held().contains_key(&row.key);
            handover.add(row.clone(), self.known.get(&row.key), is_held, owner);
            match only_announced || is_ours(&row, owner) {
                true => self.known.hold(row),
                false => self.known.let_go(&row),
            }
        }
        self.tell(handover).await;
    }

    /// Hands rows to the caster. Once the writer is asked to stop, the caster has stopped already and needs none.
    pub(super) async fn tell(&self, handover: Handover) {
        if handover.is_empty() {
            return;
        }
        let sent = self.stop.or(self.writer.caster.send(handover)).await;
        if sent.is_none_or(|sent| sent.is_err()) {
            tracing::debug!("the caster has stopped");
        }
    }
}

/// Logs one line about what became of a vote.
fn log(row: &Vote) {
    let (key, ask) = (&row.key, row.ask());
    let (weight, rule, attempts) = (ask.weight, ask.rule.as_str(), row.attempts);
    let (voter, post) = (key.voter.as_str(), key.post.to_string());
    let reported = row.reason.as_ref().is_some_and(Reason::is_reported);
    let reason = row.reason.as_ref().map(ToString::to_string);
    let reason = reason.as_deref().unwrap_or("no reason is known");
    match row.status {
        Status::Queued if attempts == 0 && row.reason.is_none() => {
            let due_at = ask.due_at.format("%F %T%.3f");
            tracing::info!(voter, post, rule, %due_at, "queued: {weight} for {key}");
        }
        Status::Queued | Status::Failed | Status::Skipped if reported => {
            tracing::debug!(
                voter,
                post,
                rule,
                attempts,
                "{}: {key}: {reason}",
                row.status
            );
        }
        Status::Queued => {
            tracing::info!(voter, post, rule, attempts, "waits: {key}: {reason}");
        }
        Status::Cast => {
            let late = row.cast_at.map(|at| at - ask.due_at).unwrap_or_default();
            let late_ms = late.num_milliseconds();
            tracing::info!(voter, post, rule, late_ms, "cast: {weight} for {key}");
        }
        Status::Confirmed => {
            tracing::debug!(voter, post, rule, block = row.block_num, "confirmed: {key}");
        }
        Status::DryRun => {
            let text = format!("dry run: {weight} for {key} would have been cast");
            tracing::info!(voter, post, rule, "{text}");
        }
        Status::Failed => {
            tracing::warn!(voter, post, rule, attempts, "failed: {key}: {reason}");
        }
        Status::Skipped | Status::Withdrawn => {
            tracing::info!(voter, post, rule, "{}: {key}: {reason}", row.status);
        }
    }
}
