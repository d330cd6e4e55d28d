//! A hedged request: it goes to one node after another, and to the next one early if a node is slow.

use std::future::Future;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio_util::task::TaskTracker;

use crate::chain::health::Turn;
use crate::chain::node_error::NodeError;
use crate::stop::result_of;

/// What nodes replied to one request, in order of arrival.
pub(super) struct Replies<T> {
    pub answers: Vec<(Turn, T)>,
    pub faults: Vec<NodeError>,
}

/// Asks the nodes in turn, each after the last one replied or took `hedge_after`, until one answer
/// `is_enough`, which is the last of the answers then.
///
/// Requests in flight go on after that: whether a node answers decides whether it is used again.
pub(super) async fn ask<T, F>(
    turns: Vec<Turn>,
    hedge_after: Duration,
    ask_one: impl Fn(Turn) -> F,
    is_enough: impl Fn(&T) -> bool,
) -> Replies<T>
where
    T: Send + 'static,
    F: Future<Output = Result<T, NodeError>> + Send + 'static,
{
    let mut replies = Replies {
        answers: Vec::new(),
        faults: Vec::new(),
    };
    // A tracker that is dropped lets its tasks go on; each ends by its own timeout.
    let requests = TaskTracker::new();
    let start = |turn| {
        let reply = ask_one(turn);
        requests.spawn(async move { (turn, reply.await) })
    };
    let mut turns = turns.into_iter();
    let mut in_flight: FuturesUnordered<_> = turns.next().map(start).into_iter().collect();
    while !in_flight.is_empty() {
        let can_hedge = !turns.as_slice().is_empty();
        tokio::select! {
            biased;
            Some(ended) = in_flight.next() => match result_of(ended) {
                Some((turn, Ok(answer))) => {
                    let ends = is_enough(&answer);
                    replies.answers.push((turn, answer));
                    if ends {
                        break;
                    }
                }
                Some((_, Err(fault))) => replies.faults.push(fault),
                None => {}
            },
            () = tokio::time::sleep(hedge_after), if can_hedge => {
                in_flight.extend(turns.next().map(start));
            }
        }
        if in_flight.is_empty() {
            in_flight.extend(turns.next().map(start));
        }
    }
    replies
}
