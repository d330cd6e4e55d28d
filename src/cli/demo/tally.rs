//! What came of all votes, in numbers.

use std::collections::HashMap;
use std::fmt::Write;

use chrono::TimeDelta;

use crate::post::VoteKey;
use crate::votes::status::Status;
use crate::votes::vote::Vote;

/// Counts votes by what became of them.
#[derive(Debug, Default)]
pub struct Tally {
    now: HashMap<VoteKey, Status>,
    /// How late the requests of votes with a delay left, in milliseconds.
    delayed: Vec<i64>,
    /// How long after the block that asked for them the others left.
    at_once: Vec<i64>,
}

/// How late a vote's request left; `None` if it did not.
pub fn lateness(row: &Vote) -> Option<TimeDelta> {
    Some(row.cast_at? - row.ask().due_at)
}

/// Whether a vote was due with the very block that asked for it: the time it takes to see the block counts
/// then.
pub fn is_at_once(row: &Vote) -> bool {
    row.ask().due_at <= row.ask().at
}

impl Tally {
    /// Takes in how a vote stands now.
    pub fn take(&mut self, row: &Vote) {
        self.now.insert(row.key.clone(), row.status);
    }

    /// Takes in a vote that was just cast.
    pub fn cast(&mut self, row: &Vote) {
        let late = lateness(row).unwrap_or_default().num_milliseconds();
        match is_at_once(row) {
            true => self.at_once.push(late),
            false => self.delayed.push(late),
        }
    }

    /// Whether nothing is on its way any more.
    pub fn is_settled(&self) -> bool {
        self.count(Status::Queued) + self.count(Status::Cast) == 0
    }

    fn count(&self, status: Status) -> usize {
        self.now.values().filter(|now| **now == status).count()
    }

    /// A few lines for the end.
    pub fn summary(&self) -> String {
        let cast = self.delayed.len() + self.at_once.len();
        let mut text = format!("{} cast", votes(cast));
        for (status, what) in [
            (Status::Confirmed, "seen in a block"),
            (Status::Cast, "in no block yet"),
            (Status::Skipped, "skipped"),
            (Status::Withdrawn, "withdrawn"),
            (Status::Failed, "failed"),
            (Status::Queued, "still waiting at the end"),
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
            let (count, middle) = (votes(delayed.len()), delayed[(delayed.len() - 1) / 2]);
            _ = writeln!(
                text,
                "{count} with a delay: at worst {worst} ms late, half of them at most {middle} ms"
            );
        }
        if let (Some(first), Some(last)) = (self.at_once.iter().min(), self.at_once.iter().max()) {
            let count = votes(self.at_once.len());
            _ = writeln!(
                text,
                "{count} without a delay: {first} to {last} ms after the block with the leader's vote"
            );
        }
        text
    }
}

fn votes(count: usize) -> String {
    match count {
        1 => "1 vote".to_owned(),
        _ => format!("{count} votes"),
    }
}
