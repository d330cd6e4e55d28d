//! The lines of the log about votes, each said once.

use std::collections::HashMap;

use crate::account::Account;
use crate::votes::reason::Reason;
use crate::votes::status::Status;
use crate::votes::vote::Vote;

/// Logs what becomes of votes.
#[derive(Default)]
pub(super) struct Said {
    /// What keeps the votes of each voter waiting. It keeps all of them waiting, at every try, and is said once.
    waits: HashMap<Account, Reason>,
}

impl Said {
    /// Logs one line about what became of a vote.
    pub(super) fn log(&mut self, row: &Vote) {
        let is_news = self.is_news(row);
        log(row, is_news);
    }

    /// Whether a vote waits for something that keeps no other vote of this voter waiting, since one was cast.
    fn is_news(&mut self, row: &Vote) -> bool {
        let voter = &row.key.voter;
        match (row.status, &row.reason) {
            (Status::Queued, Some(reason)) => {
                let before = self.waits.insert(voter.clone(), reason.clone());
                before.as_ref() != Some(reason)
            }
            (Status::Cast | Status::Confirmed, _) => {
                self.waits.remove(voter);
                true
            }
            _ => true,
        }
    }
}

/// Whether a person can do something about it.
fn is_trouble(reason: &Reason) -> bool {
    reason.condition().is_none()
        && !matches!(
            reason,
            Reason::PostNotKnownYet | Reason::ReachedNoBlock | Reason::VotedByHand
        )
}

/// Logs one line; with `is_news` unset at the level for details.
fn log(row: &Vote, is_news: bool) {
    let (key, ask) = (&row.key, row.ask());
    let (weight, rule, attempts) = (ask.weight, ask.rule.as_str(), row.attempts);
    let (voter, post) = (key.voter.as_str(), key.post.to_string());
    let reason = row.reason.as_ref().map(ToString::to_string);
    let reason = reason.as_deref().unwrap_or("no reason is known");
    match row.status {
        Status::Queued if attempts == 0 && row.reason.is_none() => {
            let due_at = ask.due_at.format("%F %T%.3f");
            tracing::info!(voter, post, rule, %due_at, "queued: {weight} for {key}");
        }
        // One line said so for all votes with this cause.
        Status::Queued | Status::Failed | Status::Skipped
            if row.reason.as_ref().is_some_and(Reason::is_reported) =>
        {
            tracing::debug!(
                voter,
                post,
                rule,
                attempts,
                "{}: {key}: {reason}",
                row.status
            );
        }
        Status::Queued if !is_news => {
            tracing::debug!(voter, post, rule, attempts, "waits: {key}: {reason}");
        }
        Status::Queued if row.reason.as_ref().is_some_and(is_trouble) => {
            tracing::warn!(voter, post, rule, attempts, "waits: {key}: {reason}");
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

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::post::{PostId, VoteKey};
    use crate::rules::rule::RuleId;
    use crate::votes::asks::{Ask, Asks};
    use crate::votes::status::Origin;
    use crate::weight::Weight;

    fn row(voter: &str, permlink: &str, status: Status, reason: Option<Reason>) -> Vote {
        let at = DateTime::UNIX_EPOCH;
        let key = VoteKey {
            voter: Account::from_chain(voter),
            post: PostId::new(Account::from_chain("bob"), permlink),
        };
        let ask = Ask {
            rule: RuleId::from_stored("f.toml:x"),
            origin: Origin::Author,
            weight: Weight::clamped(100),
            due_at: at,
            block: 1,
            at,
            leader: None,
        };
        Vote {
            status,
            reason,
            ..Vote::queued(key, Asks::new(ask), at)
        }
    }

    #[test]
    fn what_keeps_all_votes_of_a_voter_waiting_is_said_once() {
        let no_token = |voter| Some(Reason::NoToken(Account::from_chain(voter)));
        let queued = |voter, permlink, reason| row(voter, permlink, Status::Queued, reason);
        let mut said = Said::default();
        for (row, is_news) in [
            (queued("alice", "a", no_token("alice")), true),
            (queued("alice", "a", no_token("alice")), false),
            (queued("alice", "b", no_token("alice")), false),
            (queued("carol", "a", no_token("carol")), true),
            (queued("alice", "a", Some(Reason::ReachedNoBlock)), true),
            (queued("alice", "c", None), true),
            (row("carol", "b", Status::Cast, None), true),
            (queued("carol", "a", no_token("carol")), true),
        ] {
            assert_eq!(said.is_news(&row), is_news, "{row:?}");
        }
        assert!(is_trouble(&no_token("alice").unwrap()));
        assert!(!is_trouble(&Reason::PostNotKnownYet));
    }
}
