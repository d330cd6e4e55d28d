//! What the caster, and people who read the log, are told of rows as they change.

use super::Run;
use crate::votes::handover::{Handover, is_ours};
use crate::votes::status::Status;
use crate::votes::vote::Vote;

impl Run {
    /// Passes on how rows are now.
    pub(super) async fn hand_over(&mut self, rows: Vec<Vote>, only_announced: bool) {
        let mut handover = Handover::default();
        let owner = &*self.writer.owner;
        for row in rows {
            if !only_announced {
                tell_of(&row);
                self.writer.tally.count(row.status);
                if let Some(observer) = &self.writer.observer {
                    // Whoever watches and is too slow misses some.
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

    /// Tells the caster, which needs to know nothing more once the writer is to stop: the caster stopped before.
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

/// One line for people about what became of a vote.
fn tell_of(row: &Vote) {
    let (key, ask) = (&row.key, row.ask());
    let (weight, rule, due_at) = (ask.weight, &ask.rule, ask.due_at);
    let (voter, post, rule) = (key.voter.as_str(), key.post.to_string(), rule.as_str());
    let reason = row.reason.as_ref().map(ToString::to_string);
    let reason = reason.as_deref().unwrap_or("no reason is known");
    match row.status {
        Status::Queued if row.attempts == 0 && row.reason.is_none() => {
            tracing::info!(voter, post, rule, due_at = %due_at.format("%F %T%.3f"), "queued: {weight} for {key}");
        }
        Status::Queued => tracing::info!(
            voter,
            post,
            rule,
            attempts = row.attempts,
            "waits: {key}: {reason}"
        ),
        Status::Cast => {
            let late_ms = row.cast_at.map_or(0, |at| (at - due_at).num_milliseconds());
            tracing::info!(voter, post, rule, late_ms, "cast: {weight} for {key}");
        }
        Status::Confirmed => {
            tracing::debug!(voter, post, rule, block = row.block_num, "confirmed: {key}")
        }
        Status::DryRun => tracing::info!(
            voter,
            post,
            rule,
            "dry run: {weight} for {key} would have been cast"
        ),
        Status::Failed => tracing::warn!(
            voter,
            post,
            rule,
            attempts = row.attempts,
            "failed: {key}: {reason}"
        ),
        Status::Skipped => tracing::info!(voter, post, rule, "skipped: {key}: {reason}"),
        Status::Withdrawn => tracing::info!(voter, post, rule, "withdrawn: {key}: {reason}"),
    }
}
