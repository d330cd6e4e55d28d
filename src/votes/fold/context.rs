//! What a change depends on besides the row, and steps that several changes share.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::votes::asks::Position;
use crate::votes::reason::Reason;
use crate::votes::status::Status;
use crate::votes::vote::Vote;

/// What a change depends on besides the row.
pub struct Context<'a> {
    /// The name of this daemon.
    pub owner: &'a str,
    /// The moment of the decision.
    pub now: DateTime<Utc>,
    /// A vote due before then is claimed for `owner` as it is queued.
    pub claim_before: DateTime<Utc>,
    /// When such a claim ends unless it is renewed.
    pub claim_until: DateTime<Utc>,
    /// Time after casting within which a block must show the vote.
    pub confirm_within: Duration,
    /// The order of precedence of the rules.
    pub position: &'a Position<'a>,
}

/// The row, ended and claimed by nobody.
pub(super) fn ended(row: Vote, status: Status, reason: Reason) -> Vote {
    Vote {
        status,
        reason: Some(reason),
        ..row.free()
    }
}

/// The row, claimed if it is due soon, or else free.
pub(super) fn hold_if_soon(row: Vote, context: &Context<'_>) -> Vote {
    if row.next_attempt_at < context.claim_before {
        row.held(context.owner, context.claim_until)
    } else {
        row.free()
    }
}
