//! A vote that the caster holds: what it waits for, and its attempts.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;

use crate::backoff::Backoff;
use crate::votes::reason::Reason;
use crate::votes::vote::Vote;

/// Delay before the chain is looked at after an unclear answer: votes have landed up to 6 s after their client gave up.
pub const LOOK_AFTER: TimeDelta = TimeDelta::seconds(10);
/// Age of an event after which the post was already looked at when the vote was planned.
const FIRST_LOOK_WITHIN: TimeDelta = TimeDelta::seconds(60);
/// Delays between attempts.
pub const FIRST_PAUSE: Duration = Duration::from_secs(1);
pub const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A claimed vote, with what only this daemon knows about it.
#[derive(Debug, Clone)]
pub struct Held {
    pub vote: Vote,
    /// When to attend to it.
    pub next_at: DateTime<Utc>,
    pub state: State,
    /// Whether the post was looked at since the ask that has the vote got it.
    pub looked: bool,
    pub tries: Tries,
}

/// What a held vote waits for.
#[derive(Debug, Clone)]
pub enum State {
    Waiting(WaitsFor),
    /// The table's decision which ask has the vote, since the one that had it drops out.
    Deciding,
    /// An answer about the post, mana or earlier votes.
    Asking,
    /// A new token.
    Refreshing,
    /// A free place in its voter's lane.
    Queueing,
    /// The signer's answer.
    InFlight(Flight),
}

/// What a waiting vote waits for besides `next_at`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitsFor {
    Moment,
    /// A token of its voter, who had none when the vote was due.
    Token,
    /// The file of its rule, which had errors when it was due.
    RuleFile,
    /// A posting authority that is missing.
    Authority,
}

/// A request in flight.
#[derive(Debug, Clone)]
pub struct Flight {
    pub token: SecretString,
    /// What the table has said about the vote since the request was sent.
    pub meanwhile: Meanwhile,
}

/// What the table says about a vote whose request is in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meanwhile {
    Ours,
    /// It has ended: a block shows it, or its cause is gone.
    Over,
    /// Another daemon has it.
    Elsewhere,
}

/// The attempts of this daemon.
#[derive(Debug, Clone)]
pub struct Tries {
    /// Set if a request may have reached the chain: the chain is looked at first, and not before then.
    pub unclear_until: Option<DateTime<Utc>>,
    /// When the first attempt was made.
    pub first: Option<DateTime<Utc>>,
    pub backoff: Backoff,
    /// The last failure.
    pub trouble: Option<Reason>,
    /// Whether the token was refreshed for this vote: a second refusal is final.
    pub refreshed: bool,
}

impl Held {
    /// Holds a vote as it is in the table at `now`. `tried` says that another daemon may have cast it before.
    pub fn new(vote: Vote, tried: bool, now: DateTime<Utc>) -> Self {
        Self {
            next_at: vote.next_attempt_at,
            state: State::Waiting(WaitsFor::Moment),
            looked: now - vote.ask().at >= FIRST_LOOK_WITHIN,
            tries: Tries {
                unclear_until: tried.then_some(vote.next_attempt_at),
                first: None,
                backoff: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE),
                trouble: None,
                refreshed: false,
            },
            vote,
        }
    }

    /// The table says that the vote is ours although it had ended before. The request in flight keeps its weight; after
    /// it, the row counts.
    pub fn ours_again(&mut self, row: Vote) {
        let State::InFlight(flight) = &mut self.state else {
            return;
        };
        if flight.meanwhile == Meanwhile::Ours {
            return;
        }
        flight.meanwhile = Meanwhile::Ours;
        let (weight, attempts) = (self.vote.ask().weight, self.vote.attempts);
        self.vote = Vote {
            attempts: attempts.max(row.attempts),
            ..row
        };
        self.vote.asks.first.weight = weight;
    }

    /// Whether the first look at the post still decides which ask has the vote.
    pub fn awaits_first_look(&self) -> bool {
        !self.looked && !self.tried() && self.vote.attempts == 0
    }

    /// Whether it waits for `next_at`.
    pub fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting(_))
    }

    /// Whether a request of this daemon may have reached the chain.
    pub fn tried(&self) -> bool {
        self.tries.unclear_until.is_some()
    }

    /// The end of retries: `retry_for` after the vote is due or was first tried, whichever is later.
    pub fn deadline(&self, retry_for: Duration) -> DateTime<Utc> {
        let due_at = self.vote.ask().due_at;
        let from = self.tries.first.map_or(due_at, |first| first.max(due_at));
        after(from, retry_for)
    }

    /// Counts one more failure and returns the pause after it, at least the one `asked` for. `chance` is 0 to 1.
    pub fn pause(&mut self, asked: Option<Duration>, chance: f64) -> Duration {
        let pause = self.tries.backoff.next(chance);
        asked.map_or(pause, |asked| asked.max(pause))
    }
}

/// `pause` after `at`.
pub fn after(at: DateTime<Utc>, pause: Duration) -> DateTime<Utc> {
    let pause = TimeDelta::from_std(pause).unwrap_or(TimeDelta::MAX);
    at.checked_add_signed(pause)
        .unwrap_or(DateTime::<Utc>::MAX_UTC)
}
