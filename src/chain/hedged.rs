//! A hedged request: it goes to one node after another, and to the next one early if a node is slow.

use std::future::Future;
use std::time::Duration;
use std::vec;

use tokio::sync::mpsc;

use crate::chain::health::Turn;
use crate::chain::node_error::{NodeError, NodeFault};
use crate::chain::nodes::Nodes;

/// One request to several nodes, with the replies in order of arrival.
///
/// Requests in flight go on after a drop: whether a node answers decides whether it is used again.
pub(super) struct HedgedRequest<T, A> {
    nodes: Nodes,
    ask_one: A,
    /// Time without an answer after which the next node is asked too.
    hedge_after: Duration,
    /// The nodes not asked yet.
    turns: vec::IntoIter<Turn>,
    /// Number of requests in flight.
    in_flight: usize,
    replies: mpsc::Receiver<Reply<T>>,
    /// Has room for the replies of all nodes.
    reply: mpsc::Sender<Reply<T>>,
}

type Reply<T> = (Turn, Result<T, NodeError>);

impl<T, A, F> HedgedRequest<T, A>
where
    T: Send + 'static,
    A: Fn(Nodes, Turn) -> F,
    F: Future<Output = Result<T, NodeFault>> + Send + 'static,
{
    /// A request that no node has been sent yet.
    pub fn new(nodes: &Nodes, turns: Vec<Turn>, hedge_after: Duration, ask_one: A) -> Self {
        let (reply, replies) = mpsc::channel(turns.len().max(1));
        Self {
            nodes: nodes.clone(),
            ask_one,
            hedge_after,
            turns: turns.into_iter(),
            in_flight: 0,
            replies,
            reply,
        }
    }

    /// The next answer or fault; `None` after the last node.
    pub async fn next(&mut self) -> Option<Reply<T>> {
        loop {
            if self.in_flight == 0 && !self.ask_next() {
                return None;
            }
            let can_hedge = !self.turns.as_slice().is_empty();
            tokio::select! {
                biased;
                reply = self.replies.recv() => {
                    self.in_flight -= 1;
                    return reply;
                }
                () = tokio::time::sleep(self.hedge_after), if can_hedge => {
                    self.ask_next();
                }
            }
        }
    }

    /// Asks the next node. False if none is left.
    fn ask_next(&mut self) -> bool {
        let Some(turn) = self.turns.next() else {
            return false;
        };
        let answer = (self.ask_one)(self.nodes.clone(), turn);
        let (nodes, reply) = (self.nodes.clone(), self.reply.clone());
        self.nodes.inner().requests.spawn(async move {
            let answer = answer.await;
            let answer = answer.map_err(|fault| nodes.inner().failed(turn, fault));
            // The receiver is gone if another node answered first.
            let _ = reply.try_send((turn, answer));
        });
        self.in_flight += 1;
        true
    }
}
