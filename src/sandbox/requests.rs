//! The log of requests to a listener, for tests.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;

use crate::account::Account;
use crate::post::PostId;

/// One request. Each call of a JSON-RPC batch is a request of its own.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Request {
    /// `condenser_api.get_block` and so on at a node; `broadcast`, `token`, `me` or `revoke` at the
    /// signer.
    pub method: String,
    /// The user of its token.
    pub voter: Option<Account>,
    /// The post and the weight, in hundredths of a percent, of the first vote of a broadcast.
    pub vote: Option<(PostId, i64)>,
    /// The fingerprint of its token, as in [`super::IssuedTokens::access_fingerprint`].
    pub token: Option<String>,
    /// When its last byte arrived.
    pub arrived: DateTime<Utc>,
    /// The number of requests in flight at this listener then, with this one.
    pub in_flight: usize,
}

impl Request {
    fn is_by(&self, voter: &str) -> bool {
        self.voter
            .as_ref()
            .is_some_and(|name| name.as_str() == voter)
    }
}

/// The requests to one listener, in order of arrival.
#[derive(Debug, Default)]
pub struct Requests(watch::Sender<Log>);

#[derive(Debug, Default)]
struct Log {
    requests: Vec<Request>,
    in_flight: usize,
}

impl Requests {
    /// All requests so far.
    pub fn all(&self) -> Vec<Request> {
        self.0.borrow().requests.clone()
    }

    /// The number of requests for this method.
    pub fn count(&self, method: &str) -> usize {
        self.count_where(|request| request.method == method)
    }

    /// The number of requests for this method by this voter.
    pub fn count_of(&self, method: &str, voter: &str) -> usize {
        self.count_where(|request| request.method == method && request.is_by(voter))
    }

    fn count_where(&self, wanted: impl Fn(&Request) -> bool) -> usize {
        let log = self.0.borrow();
        log.requests
            .iter()
            .filter(|request| wanted(request))
            .count()
    }

    /// The broadcasts of this voter's vote on this post.
    pub fn broadcasts(&self, voter: &str, post: &PostId) -> Vec<Request> {
        let log = self.0.borrow();
        let of = |request: &&Request| {
            request.method == "broadcast"
                && request.is_by(voter)
                && request.vote.as_ref().is_some_and(|(name, _)| name == post)
        };
        log.requests.iter().filter(of).cloned().collect()
    }

    /// The number of requests in flight, with those that hang.
    pub fn in_flight(&self) -> usize {
        self.0.borrow().in_flight
    }

    /// The highest number of requests in flight at once.
    pub fn most_in_flight(&self) -> usize {
        let log = self.0.borrow();
        let in_flight = log.requests.iter().map(|request| request.in_flight);
        in_flight.max().unwrap_or(0)
    }

    /// Waits until `enough` is true of the requests so far; false after `timeout`.
    pub async fn wait_until(&self, timeout: Duration, enough: impl Fn(&[Request]) -> bool) -> bool {
        let mut log = self.0.subscribe();
        let wait = log.wait_for(|log| enough(&log.requests));
        tokio::time::timeout(timeout, wait).await.is_ok()
    }

    /// Logs a new request. It is in flight until the guard is dropped.
    pub(super) fn arrive(&self, mut request: Request) -> InFlight<'_> {
        self.0.send_modify(|log| {
            log.in_flight += 1;
            request.in_flight = log.in_flight;
            log.requests.push(request);
        });
        InFlight(self)
    }
}

/// A guard for a request in flight.
pub(super) struct InFlight<'a>(&'a Requests);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        // Nobody waits for the end of a request.
        self.0.0.send_if_modified(|log| {
            log.in_flight -= 1;
            false
        });
    }
}
