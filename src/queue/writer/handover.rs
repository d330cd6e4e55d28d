//! What the caster, and people who read the log, are told of rows as they change.

use super::Run;
use crate::votes::vote::{Origin, Status, Vote};

/// What the caster is told.
#[derive(Debug)]
pub enum Handover {
    /// Votes that were just planned, ours to cast or not: is the post a post, and does it belong to the rule?
    Plan(Vec<Vote>),
    /// Votes that are ours to cast; with each, whether a daemon before us may have tried.
    Hold(Vec<(Vote, bool)>),
    /// Rows that changed; those that are held change with them.
    Amend(Vec<Vote>),
    /// Votes that were cast and not seen in a block in time: are they on the chain?
    Confirm(Vec<Vote>),
}

impl Handover {
    fn is_empty(&self) -> bool {
        match self {
            Self::Hold(votes) => votes.is_empty(),
            Self::Plan(votes) | Self::Amend(votes) | Self::Confirm(votes) => votes.is_empty(),
        }
    }
}

impl Run {
    /// Passes on how rows are now.
    pub(super) async fn hand_over(&mut self, rows: Vec<Vote>, only_announced: bool) {
        let (mut plan, mut hold, mut amend) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            if !only_announced {
                tell_of(&row);
                if let Some(observer) = &self.writer.observer {
                    // Whoever watches and is too slow misses some.
                    let _ = observer.try_send(row.clone());
                }
            }
            let ours = row.status == Status::Queued
                && row.claimed_by.as_deref() == Some(&*self.writer.owner);
            let before = self.known.get(&row.key);
            let known = self.known.held().contains_key(&row.key);
            let planned = row.status == Status::Queued
                && row.attempts == 0
                && matches!(row.origin, Origin::Author | Origin::Trail)
                && before.is_none_or(|before| before.cause() != row.cause());
            // Withdrawn, but should it never have been its rule's, something else asks for it.
            let contended = row.status == Status::Withdrawn && !row.rivals.is_empty();
            match ours || only_announced {
                true => self.known.hold(row.clone()),
                false => self.known.let_go(&row),
            }
            if planned || contended {
                plan.push(row);
            } else if ours && !known {
                let tried = row.attempts > 0;
                hold.push((row, tried));
            } else {
                amend.push(row);
            }
        }
        self.tell(Handover::Plan(plan)).await;
        self.tell(Handover::Hold(hold)).await;
        self.tell(Handover::Amend(amend)).await;
    }

    pub(super) async fn tell(&self, handover: Handover) {
        if !handover.is_empty() && self.writer.caster.send(handover).await.is_err() {
            tracing::debug!("the caster has stopped");
        }
    }
}

/// One line for people about what became of a vote.
fn tell_of(row: &Vote) {
    let Vote {
        key,
        weight,
        rule,
        due_at,
        ..
    } = row;
    let (voter, post, rule) = (key.voter.as_str(), key.post.to_string(), rule.as_str());
    let reason = row.reason.as_deref().unwrap_or("no reason is known");
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
