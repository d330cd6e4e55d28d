//! One question to several nodes: to one after another, and to the next one as well where a node takes long.

use std::future::Future;
use std::time::Duration;
use std::vec;

use tokio::sync::mpsc;

use crate::chain::health::Turn;
use crate::chain::node_error::{NodeError, NodeFault};
use crate::chain::nodes::Nodes;

/// The answers to one question, in the order in which they come. When it is dropped, the nodes that still owe an
/// answer are listened to all the same: whether one comes decides whether they are asked again.
pub(super) struct HedgedRequest<T, A> {
    nodes: Nodes,
    ask_one: A,
    /// Without an answer for this long, the next node is asked as well.
    hedge_after: Duration,
    /// Whom to ask next.
    turns: vec::IntoIter<Turn>,
    /// How many have been asked and have not answered.
    owing: usize,
    inbox: mpsc::Receiver<Reply<T>>,
    /// Has room for the answers of all.
    reply: mpsc::Sender<Reply<T>>,
}

type Reply<T> = (Turn, Result<T, NodeError>);

impl<T, A, F> HedgedRequest<T, A>
where
    T: Send + 'static,
    A: Fn(Nodes, Turn) -> F,
    F: Future<Output = Result<T, NodeFault>> + Send + 'static,
{
    /// Asks nobody yet.
    pub fn new(nodes: &Nodes, turns: Vec<Turn>, hedge_after: Duration, ask_one: A) -> Self {
        let (reply, inbox) = mpsc::channel(turns.len().max(1));
        Self {
            nodes: nodes.clone(),
            ask_one,
            hedge_after,
            turns: turns.into_iter(),
            owing: 0,
            inbox,
            reply,
        }
    }

    /// The next answer, or what a node did instead; `None` when all have been asked.
    pub async fn next(&mut self) -> Option<Reply<T>> {
        loop {
            if self.owing == 0 && !self.ask_next() {
                return None;
            }
            let may_ask = !self.turns.as_slice().is_empty();
            tokio::select! {
                biased;
                reply = self.inbox.recv() => {
                    self.owing -= 1;
                    return reply;
                }
                () = tokio::time::sleep(self.hedge_after), if may_ask => {
                    self.ask_next();
                }
            }
        }
    }

    /// Says whether there was somebody left to ask.
    fn ask_next(&mut self) -> bool {
        let Some(turn) = self.turns.next() else {
            return false;
        };
        let answer = (self.ask_one)(self.nodes.clone(), turn);
        let (nodes, reply) = (self.nodes.clone(), self.reply.clone());
        self.nodes.inner().requests.spawn(async move {
            let answer = answer.await;
            let answer = answer.map_err(|fault| nodes.inner().failed(turn, fault));
            // Nobody waits for it where another was sooner.
            let _ = reply.try_send((turn, answer));
        });
        self.owing += 1;
        true
    }
}
