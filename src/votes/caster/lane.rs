//! Limits on the number of votes in flight: per voter, and in total.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::account::Account;
use crate::post::VoteKey;

/// Most votes of one voter in flight on a chain that asks for no interval between them.
const MOST_OF_ONE_VOTER: usize = 4;

/// Limits on requests in flight.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most requests in flight, of all voters.
    pub max_in_flight: usize,
    /// Most requests per second; 0 is no limit.
    pub requests_per_second: f64,
    /// Interval between two votes of one voter.
    pub vote_interval: Duration,
}

/// Counts requests in flight.
#[derive(Debug)]
pub struct Lanes {
    limits: Limits,
    in_flight: usize,
    /// The moment from which `requests_per_second` allows the next request.
    next_request: DateTime<Utc>,
    lanes: HashMap<Account, Lane>,
}

#[derive(Debug, Default)]
struct Lane {
    in_flight: usize,
    /// The moment of the last vote that the chain accepted.
    last_vote: Option<DateTime<Utc>>,
    /// Votes that are due while the lane is full, the one due first in front.
    queue: BTreeSet<(DateTime<Utc>, VoteKey)>,
}

/// Whether a vote may be sent now.
#[derive(Debug, PartialEq, Eq)]
pub enum Admission {
    /// It may, and is counted as in flight.
    Go,
    /// The total is reached: no vote may be sent before an answer comes, or before this moment.
    Full(Option<DateTime<Utc>>),
    /// The voter's lane is full: the vote waits there for an answer.
    LaneFull,
    /// The voter's interval is not over before this moment.
    TooSoon(DateTime<Utc>),
}

impl Lanes {
    /// No vote is in flight.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            in_flight: 0,
            next_request: DateTime::UNIX_EPOCH,
            lanes: HashMap::new(),
        }
    }

    /// Uses other limits from now on.
    pub fn set(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Whether `key`, due at `due`, may be sent at `now`. If its lane is full, the vote waits there.
    pub fn admit(&mut self, key: &VoteKey, due: DateTime<Utc>, now: DateTime<Utc>) -> Admission {
        if let Some(full) = self.full(now) {
            return full;
        }
        let interval = TimeDelta::from_std(self.limits.vote_interval).unwrap_or(TimeDelta::zero());
        let most = if interval.is_zero() {
            MOST_OF_ONE_VOTER
        } else {
            1
        };
        let lane = self.lanes.entry(key.voter.clone()).or_default();
        if lane.in_flight >= most {
            lane.queue.insert((due, key.clone()));
            return Admission::LaneFull;
        }
        if let Some(free) = lane
            .last_vote
            .map(|last| last + interval)
            .filter(|free| *free > now)
        {
            return Admission::TooSoon(free);
        }
        lane.in_flight += 1;
        self.in_flight += 1;
        if self.limits.requests_per_second > 0.0 {
            let gap = TimeDelta::nanoseconds((1e9 / self.limits.requests_per_second) as i64);
            self.next_request = self.next_request.max(now) + gap;
        }
        Admission::Go
    }

    /// The reason why no vote at all may be sent at `now`.
    pub fn full(&self, now: DateTime<Utc>) -> Option<Admission> {
        if self.in_flight >= self.limits.max_in_flight {
            return Some(Admission::Full(None));
        }
        (self.limits.requests_per_second > 0.0 && self.next_request > now)
            .then_some(Admission::Full(Some(self.next_request)))
    }

    /// An answer came for a vote of `voter`. Returns the votes that waited in its lane, the one due first in front.
    pub fn answered(&mut self, voter: &Account) -> Vec<VoteKey> {
        self.in_flight = self.in_flight.saturating_sub(1);
        let Some(lane) = self.lanes.get_mut(voter) else {
            return Vec::new();
        };
        lane.in_flight = lane.in_flight.saturating_sub(1);
        let in_line = std::mem::take(&mut lane.queue);
        if lane.in_flight == 0 && lane.last_vote.is_none() {
            self.lanes.remove(voter);
        }
        in_line.into_iter().map(|(_, key)| key).collect()
    }

    /// The chain accepted a vote of `voter` at `at`, whoever cast it.
    pub fn voted(&mut self, voter: &Account, at: DateTime<Utc>) {
        if self.limits.vote_interval.is_zero() {
            return;
        }
        let lane = self.lanes.entry(voter.clone()).or_default();
        lane.last_vote = lane.last_vote.max(Some(at));
    }

    /// Removes a vote that waits in its lane.
    pub fn leave(&mut self, key: &VoteKey, due: DateTime<Utc>) {
        if let Some(lane) = self.lanes.get_mut(&key.voter) {
            lane.queue.remove(&(due, key.clone()));
        }
    }

    /// The number of requests in flight.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }
}
