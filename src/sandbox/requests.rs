//! What a listener was asked, for tests to look at.

use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;

use super::lock;
use crate::account::Account;
use crate::post::PostId;

/// One request; every member of a JSON-RPC batch is one.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// `condenser_api.get_block`…; at the signer `broadcast`, `token`, `me` or `revoke`.
    pub method: String,
    /// Whose token it came with.
    pub voter: Option<Account>,
    /// The post of the first vote of a broadcast, and its weight.
    pub vote: Option<(PostId, i64)>,
    /// Tells tokens apart without showing them; the `access_token` of an answer has the same name in
    /// [`super::IssuedTokens::access_name`].
    pub token: Option<String>,
    /// When its last byte had arrived, to the microsecond.
    pub arrived: DateTime<Utc>,
    /// How many requests were in work at this listener at that moment, this one included.
    pub in_flight: usize,
}

/// The requests of one listener, in the order of arrival.
#[derive(Debug)]
pub struct Requests {
    log: Mutex<Log>,
    changed: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Log {
    requests: Vec<Request>,
    in_flight: usize,
}

impl Default for Requests {
    fn default() -> Self {
        Self {
            log: Mutex::default(),
            changed: watch::Sender::new(()),
        }
    }
}

impl Requests {
    /// All requests so far.
    pub fn all(&self) -> Vec<Request> {
        lock(&self.log).requests.clone()
    }

    /// The number of requests for this method.
    pub fn count(&self, method: &str) -> usize {
        self.count_where(|request| request.method == method)
    }

    /// The number of requests of this voter for this method.
    pub fn count_of(&self, method: &str, voter: &str) -> usize {
        self.count_where(|request| {
            request.method == method
                && request
                    .voter
                    .as_ref()
                    .is_some_and(|name| name.as_str() == voter)
        })
    }

    /// The number of requests for which `wanted` is true.
    pub fn count_where(&self, wanted: impl Fn(&Request) -> bool) -> usize {
        lock(&self.log)
            .requests
            .iter()
            .filter(|request| wanted(request))
            .count()
    }

    /// Broadcasts of this voter's vote on this post.
    pub fn broadcasts(&self, voter: &str, post: &PostId) -> Vec<Request> {
        let log = lock(&self.log);
        let of = |request: &&Request| {
            let voter_is = request
                .voter
                .as_ref()
                .is_some_and(|name| name.as_str() == voter);
            let post_is = request.vote.as_ref().is_some_and(|(name, _)| name == post);
            request.method == "broadcast" && voter_is && post_is
        };
        log.requests.iter().filter(of).cloned().collect()
    }

    /// Requests in work right now, those that hang included.
    pub fn in_flight(&self) -> usize {
        lock(&self.log).in_flight
    }

    /// The most requests that ever were in work at once.
    pub fn most_in_flight(&self) -> usize {
        lock(&self.log)
            .requests
            .iter()
            .map(|request| request.in_flight)
            .max()
            .unwrap_or(0)
    }

    /// Forgets the requests so far.
    pub fn clear(&self) {
        lock(&self.log).requests.clear();
    }

    /// Waits until `enough` is true of the requests so far. False when `timeout` passed first.
    pub async fn wait_until(&self, timeout: Duration, enough: impl Fn(&[Request]) -> bool) -> bool {
        let mut changed = self.changed.subscribe();
        let wait = async {
            while !enough(&lock(&self.log).requests) {
                if changed.changed().await.is_err() {
                    break;
                }
            }
        };
        tokio::time::timeout(timeout, wait).await.is_ok()
    }

    /// Notes a request that has just arrived; it is in work until the answer is dropped.
    pub(super) fn arrive(&self, mut request: Request) -> InFlight<'_> {
        let mut log = lock(&self.log);
        log.in_flight += 1;
        request.in_flight = log.in_flight;
        log.requests.push(request);
        drop(log);
        self.changed.send_replace(());
        InFlight(self)
    }
}

/// A request in work.
pub(super) struct InFlight<'a>(&'a Requests);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        lock(&self.0.log).in_flight -= 1;
    }
}
