//! Statistics of the votes in the demo.

use std::collections::HashMap;
use std::fmt::Write;

use chrono::TimeDelta;

use crate::cli::counted;
use crate::post::VoteKey;
use crate::votes::status::Status;
use crate::votes::vote::Vote;

/// Counts votes by status.
#[derive(Debug, Default)]
pub struct Tally {
    now: HashMap<VoteKey, Status>,
    /// Lateness of votes with a delay, in milliseconds.
    delayed: Vec<i64>,
    /// Time from the block to the request of votes without a delay, in milliseconds.
    at_once: Vec<i64>,
}

/// Time from due to cast; `None` if the vote was not cast.
pub fn lateness(row: &Vote) -> Option<TimeDelta> {
    Some(row.cast_at? - row.ask().due_at)
}

/// Whether a vote was due at the time of its block, so that its lateness includes the time to read the block.
pub fn is_at_once(row: &Vote) -> bool {
    row.ask().due_at <= row.ask().at
}

impl Tally {
    /// Records the status of a vote.
    pub fn take(&mut self, row: &Vote) {
        self.now.insert(row.key.clone(), row.status);
    }

    /// Records the lateness of a vote that was just cast.
    pub fn cast(&mut self, row: &Vote) {
        let late = lateness(row).unwrap_or_default().num_milliseconds();
        match is_at_once(row) {
            true => self.at_once.push(late),
            false => self.delayed.push(late),
        }
    }

    /// Whether no vote is queued or unconfirmed.
    pub fn is_settled(&self) -> bool {
        self.count(Status::Queued) + self.count(Status::Cast) == 0
    }

    fn count(&self, status: Status) -> usize {
        self.now.values().filter(|now| **now == status).count()
    }

    /// The summary that is printed at the end.
    pub fn summary(&self) -> String {
        let cast = self.delayed.len() + self.at_once.len();
        let mut text = format!("{} cast", counted(cast, "vote"));
        for (status, what) in [
            (Status::Confirmed, "confirmed in a block"),
            (Status::Cast, "not in a block yet"),
            (Status::Skipped, "skipped"),
            (Status::Withdrawn, "withdrawn"),
            (Status::Failed, "failed"),
            (Status::Queued, "still queued"),
        ] {
            match self.count(status) {
                0 => {}
                count => _ = write!(text, ", {count} {what}"),
            }
        }
        text.push('\n');
        let mut delayed = self.delayed.clone();
        delayed.sort_unstable();
        if let Some(worst) = delayed.last() {
            let count = counted(delayed.len(), "vote");
            let median = delayed[(delayed.len() - 1) / 2];
            _ = writeln!(
                text,
                "{count} with a delay: at most {worst} ms late, median {median} ms"
            );
        }
        if let (Some(first), Some(last)) = (self.at_once.iter().min(), self.at_once.iter().max()) {
            let count = counted(self.at_once.len(), "vote");
            _ = writeln!(
                text,
                "{count} without a delay: {first} to {last} ms after the block with the leader's vote"
            );
        }
        text
    }
}
