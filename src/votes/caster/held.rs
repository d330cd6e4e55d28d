//! A vote that the caster holds, and how often and how long it is tried.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;

use crate::votes::vote::{Status, Vote};

/// After an unclear answer the chain is not asked before this: votes landed up to six seconds after their
/// client had given up.
pub const LOOK_AFTER: TimeDelta = TimeDelta::seconds(10);
/// The first pause between two attempts; every further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// A vote that is claimed so long after its event was looked at when it was planned.
const FIRST_LOOK_WITHIN: TimeDelta = TimeDelta::seconds(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A claimed vote, with what only this daemon knows of it.
#[derive(Debug, Clone)]
pub struct Held {
    pub vote: Vote,
    /// When there is something to do about it.
    pub next_at: DateTime<Utc>,
    pub stage: Stage,
    /// A request may have reached the chain: look there first, and not before then.
    pub unclear_until: Option<DateTime<Utc>>,
    /// When the first request of this daemon left.
    pub first_attempt: Option<DateTime<Utc>>,
    /// Failures in a row, for the pause between them.
    pub failures: u32,
    /// What went wrong last.
    pub trouble: Option<String>,
    /// The token was refreshed for this vote: a second refusal is final.
    pub refreshed: bool,
    /// The token of the request whose answer is awaited.
    pub sent_with: Option<SecretString>,
    /// Whose the vote is was decided at the first look at its post.
    pub chosen: bool,
    /// It is another rule than the one that the table names.
    pub rechosen: bool,
    /// There was no token to send it with.
    pub lacks_token: bool,
    /// The file of its rule had errors when it was due.
    pub lacks_rule: bool,
    /// The table says that it is over, or somebody else's; only the answer is awaited.
    pub settled: Option<Status>,
}

/// What the vote waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Its time.
    Waiting,
    /// What the table makes of it: its rule does not want it, and something else may.
    Deciding,
    /// What somebody was asked for.
    Asking,
    /// A new token.
    Refreshing,
    /// A free place in its voter's lane.
    Queueing,
    /// The signer's answer.
    InFlight,
}

impl Held {
    /// Holds a vote as the table has it at `now`. `tried` says that somebody may have cast it before us.
    pub fn new(vote: Vote, tried: bool, now: DateTime<Utc>) -> Self {
        Self {
            chosen: now - vote.event_at >= FIRST_LOOK_WITHIN,
            next_at: vote.next_attempt_at,
            unclear_until: tried.then_some(vote.next_attempt_at),
            vote,
            stage: Stage::Waiting,
            first_attempt: None,
            failures: 0,
            trouble: None,
            refreshed: false,
            sent_with: None,
            rechosen: false,
            lacks_token: false,
            lacks_rule: false,
            settled: None,
        }
    }

    /// The table says that it is ours although it had said that it was over. The request that is on its way
    /// stays as it is; after it, the row counts.
    pub fn ours_again(&mut self, row: Vote) {
        if self.settled.take().is_some() {
            self.vote = Vote {
                weight: self.vote.weight,
                attempts: self.vote.attempts.max(row.attempts),
                ..row
            };
        }
    }

    /// Whether it is still to be seen if the vote is its rule's.
    pub fn awaits_first_look(&self) -> bool {
        !self.chosen && !self.tried() && self.vote.attempts == 0
    }

    /// Whether a request of ours may have reached the chain.
    pub fn tried(&self) -> bool {
        self.unclear_until.is_some()
    }

    /// Until when a vote that fails for a passing cause is tried: `retry_for` after it is due, or after its
    /// first attempt, whichever is later.
    pub fn deadline(&self, retry_for: Duration) -> DateTime<Utc> {
        let from = self
            .first_attempt
            .map_or(self.vote.due_at, |first| first.max(self.vote.due_at));
        from + TimeDelta::from_std(retry_for).unwrap_or(TimeDelta::MAX)
    }

    /// The pause after one more failure: 1 s doubling to 60 s, ±20 %, and at least what the server asked
    /// for. `chance` is 0 to 1.
    pub fn pause(&mut self, asked: Option<Duration>, chance: f64) -> Duration {
        let pause = FIRST_PAUSE * 2u32.saturating_pow(self.failures.min(10));
        self.failures += 1;
        let pause = pause
            .min(LONGEST_PAUSE)
            .mul_f64(0.8 + 0.4 * chance.clamp(0.0, 1.0));
        asked.map_or(pause, |asked| asked.max(pause))
    }
}
