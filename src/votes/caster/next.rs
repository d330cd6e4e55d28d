//! What an answer of the signer makes of a vote: a pure function of the held vote, the answer and the time.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::held::{Flight, Held, LOOK_AFTER, Meanwhile, after};
use crate::votes::answer::{Answer, Done};
use crate::votes::change::Outcome;
use crate::votes::limits::MANA_MAY_BE_BACK;
use crate::votes::reason::Reason;
use crate::votes::verdict::POST_MAY_BE_NEW;

/// Retry delay while the signer's node does not know a young post.
const POST_MAY_BE_KNOWN: TimeDelta = TimeDelta::seconds(1);

/// When a request was sent and answered, and whether its rule waits for mana.
pub struct Answered {
    pub sent_at: DateTime<Utc>,
    pub now: DateTime<Utc>,
    pub confirm_within: Duration,
    /// Whether the rule makes its votes wait for mana.
    pub waits_for_mana: bool,
}

/// What comes next for a vote.
#[derive(Debug, PartialEq)]
pub enum Next {
    /// It is over for this daemon.
    Finish(Outcome),
    /// Another daemon has it.
    LetGo,
    /// It is unclear whether the request reached the chain: look there at that time.
    Unclear(Reason, DateTime<Utc>),
    /// Try again at that time.
    Later(Reason, DateTime<Utc>),
    /// Try again after a pause, which the signer may ask for, until the time for retries is over.
    Retry(Reason, Option<Duration>),
    /// Get a new token.
    Refresh(Reason),
    /// Wait for a posting authority: that of the application, or else that of the voter.
    NoAuthority { of_app: bool, text: String },
}

/// What `answer` makes of a vote whose request was in flight.
pub fn next(held: &Held, flight: &Flight, answer: Answer, at: &Answered) -> Next {
    let now = at.now;
    match answer {
        Answer::Done(done) => Next::Finish(accepted(held, done, at)),
        // The block has already decided: only the attempt is recorded.
        _ if flight.meanwhile == Meanwhile::Over => Next::Finish(Outcome::Later {
            next_attempt_at: now,
            due_at: None,
            reason: None,
            hold: false,
        }),
        _ if flight.meanwhile == Meanwhile::Elsewhere => Next::LetGo,
        Answer::Unknown(text) => Next::Unclear(text.into(), now + LOOK_AFTER),
        Answer::Passing { text, retry_after } => Next::Retry(text.into(), retry_after),
        Answer::UnknownPost(text) if now - held.vote.ask().at < POST_MAY_BE_NEW => {
            Next::Later(text.into(), now + POST_MAY_BE_KNOWN)
        }
        Answer::Token(text) if held.tries.refreshed => {
            Next::Finish(Outcome::Failed(Reason::NewTokenRefused(text)))
        }
        Answer::Token(text) => Next::Refresh(text.into()),
        Answer::NoAuthority { of_app, text } => Next::NoAuthority { of_app, text },
        Answer::NoMana(text) => {
            let reason = Reason::Reported(Box::new(text.into()));
            match at.waits_for_mana {
                true => Next::Later(reason, now + MANA_MAY_BE_BACK),
                false => Next::Finish(Outcome::Failed(reason)),
            }
        }
        Answer::UnknownPost(text) | Answer::Final(text) => {
            Next::Finish(Outcome::Failed(text.into()))
        }
    }
}

/// What an accepted request makes of a vote.
fn accepted(held: &Held, done: Done, at: &Answered) -> Outcome {
    let first = held.vote.attempts == 1 && !held.tried();
    let trx_id = match done {
        Done::Accepted { trx_id } => trx_id,
        // A known transaction need not be in a block yet.
        Done::Duplicate => None,
        Done::Identical if first => return Outcome::Skipped(Reason::VotedByHand),
        Done::Identical => return Outcome::Confirmed,
    };
    Outcome::Cast {
        trx_id,
        cast_at: at.sent_at,
        check_at: after(at.now, at.confirm_within),
    }
}
