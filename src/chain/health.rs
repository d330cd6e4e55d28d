//! Which node to ask next, and which outages to report. Pure: the caller passes the time.

use std::time::Duration;

use tokio::time::Instant;

use crate::chain::node_error::NodeFault;
use crate::chain::notice::NodeNotice;

/// Shortest pause for a node that limits rates, also if it asks for none or for 0 s.
const MIN_RATE_LIMIT: Duration = Duration::from_secs(1);

/// Longest pause for a node that limits rates.
const MAX_RATE_LIMIT: Duration = Duration::from_secs(300);

/// The state of all nodes, in order of preference.
#[derive(Debug)]
pub(crate) struct Health {
    nodes: Vec<NodeHealth>,
    /// How long a failed node is passed over.
    cooldown: Duration,
    all_down: bool,
}

#[derive(Debug)]
struct NodeHealth {
    name: String,
    /// Passed over until then while another node answers; probed after that.
    cooldown_until: Option<Instant>,
    /// Whether it lags. Only an answer with its head ends that.
    is_behind: bool,
    /// Not asked at all before then.
    rate_limited_until: Option<Instant>,
    /// Whether an outage was reported and is not over.
    reported: bool,
    /// The first answer since the last failure during a reported outage.
    healthy_since: Option<Instant>,
}

/// A node to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    pub node: usize,
    /// Whether this is a retry after a failure while other nodes work: the timeout is shorter.
    pub is_probe: bool,
}

impl Health {
    pub fn new(names: impl IntoIterator<Item = String>, cooldown: Duration) -> Self {
        let healthy = |name| NodeHealth {
            name,
            cooldown_until: None,
            is_behind: false,
            rate_limited_until: None,
            reported: false,
            healthy_since: None,
        };
        Self {
            nodes: names.into_iter().map(healthy).collect(),
            cooldown,
            all_down: false,
        }
    }

    /// The nodes to ask, in this order: working ones by preference, then failed ones. After its
    /// cooldown a preferred node is first again for one caller, as a probe; other callers pass it
    /// over until it has answered.
    pub fn turns(&mut self, asks_for_head: bool, now: Instant) -> Vec<Turn> {
        let cooldown = self.cooldown;
        let (mut turns, mut cooling) = (Vec::new(), Vec::new());
        for (index, node) in self.nodes.iter_mut().enumerate() {
            if node.rate_limited_for(now).is_some() {
                continue;
            }
            let mut turn = Turn {
                node: index,
                is_probe: false,
            };
            match node.cooldown_until {
                None => turns.push(turn),
                Some(until)
                    if until <= now && turns.is_empty() && (asks_for_head || !node.is_behind) =>
                {
                    node.cooldown_until = Some(now + cooldown);
                    turn.is_probe = true;
                    turns.push(turn);
                }
                Some(until) => cooling.push((until, turn)),
            }
        }
        if turns.len() == 1 {
            // No other node works, so a short timeout gains nothing.
            turns[0].is_probe = false;
        }
        cooling.sort_by_key(|(until, _)| *until);
        turns.extend(cooling.into_iter().map(|(_, turn)| turn));
        turns
    }

    /// How long from `now` the node's rate limit lasts; `None` without one.
    pub fn rate_limited_for(&self, node: usize, now: Instant) -> Option<Duration> {
        self.nodes[node].rate_limited_for(now)
    }

    /// Records an answer. `with_head` means that it proved the node not to lag.
    pub fn answered(&mut self, node: usize, with_head: bool, now: Instant) -> Vec<NodeNotice> {
        let mut notices = Vec::new();
        let cooldown = self.cooldown;
        let node = &mut self.nodes[node];
        if std::mem::take(&mut self.all_down) {
            notices.push(NodeNotice::AnyUp {
                node: node.name.clone(),
            });
        }
        if node.is_behind && !with_head {
            return notices;
        }
        node.cooldown_until = None;
        node.is_behind = false;
        if node.reported {
            let since = *node.healthy_since.get_or_insert(now);
            // A single answer between two failures does not end an outage.
            if now.duration_since(since) >= cooldown {
                node.reported = false;
                node.healthy_since = None;
                notices.push(NodeNotice::Up {
                    node: node.name.clone(),
                });
            }
        }
        notices
    }

    /// Records a failure.
    pub fn failed(&mut self, node: usize, fault: &NodeFault, now: Instant) -> Option<NodeNotice> {
        if !fault.is_outage() {
            return None;
        }
        let node = &mut self.nodes[node];
        node.cooldown_until = Some(now + self.cooldown);
        node.is_behind = matches!(fault, NodeFault::Behind(_));
        node.healthy_since = None;
        if let NodeFault::TooManyRequests(wait) = fault {
            node.rate_limited_until = Some(now + rate_limit(*wait));
        }
        if std::mem::replace(&mut node.reported, true) {
            return None;
        }
        Some(NodeNotice::Down {
            node: node.name.clone(),
            fault: fault.to_string(),
        })
    }

    /// Records that no node answered.
    pub fn all_failed(&mut self, faults: String) -> Option<NodeNotice> {
        let reported = std::mem::replace(&mut self.all_down, true);
        (!reported).then_some(NodeNotice::AllDown { faults })
    }
}

/// How long not to ask a node that limits rates and asks for a pause of `wait`.
pub fn rate_limit(wait: Option<Duration>) -> Duration {
    wait.unwrap_or_default()
        .clamp(MIN_RATE_LIMIT, MAX_RATE_LIMIT)
}

impl NodeHealth {
    fn rate_limited_for(&self, now: Instant) -> Option<Duration> {
        let left = self.rate_limited_until?.checked_duration_since(now)?;
        (!left.is_zero()).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const SECOND: Duration = Duration::from_secs(1);

    fn three() -> Health {
        Health::new(["a", "b", "c"].map(str::to_owned), MINUTE)
    }

    fn order(health: &mut Health, now: Instant) -> Vec<usize> {
        let turns = health.turns(false, now);
        turns.iter().map(|turn| turn.node).collect()
    }

    #[test]
    fn a_failed_node_is_asked_last_and_probed_by_one_caller_after_its_cooldown() {
        let (mut health, now) = (three(), Instant::now());
        assert_eq!(order(&mut health, now), [0, 1, 2]);
        health.failed(0, &NodeFault::Empty, now);
        assert_eq!(order(&mut health, now + 59 * SECOND), [1, 2, 0]);
        let turns = health.turns(false, now + MINUTE);
        assert_eq!((turns[0].node, turns[0].is_probe), (0, true));
        assert_eq!(
            order(&mut health, now + MINUTE),
            [1, 2, 0],
            "another caller during the probe"
        );
        health.answered(0, false, now + MINUTE);
        assert_eq!(order(&mut health, now + MINUTE), [0, 1, 2]);
    }

    #[test]
    fn a_lagging_node_is_used_again_only_after_it_shows_a_new_head() {
        let (mut health, now) = (three(), Instant::now());
        health.failed(0, &NodeFault::Behind(MINUTE), now);
        health.answered(0, false, now);
        let later = now + MINUTE;
        assert_eq!(order(&mut health, later), [1, 2, 0]);
        assert_eq!(health.turns(true, later)[0].node, 0);
        health.answered(0, true, later);
        assert_eq!(order(&mut health, later), [0, 1, 2]);
    }

    #[test]
    fn a_rate_limited_node_is_not_asked_before_its_limit_ends() {
        let (mut health, now) = (three(), Instant::now());
        health.failed(0, &NodeFault::TooManyRequests(Some(5 * SECOND)), now);
        health.failed(1, &NodeFault::TooManyRequests(None), now);
        assert_eq!(order(&mut health, now), [2]);
        assert_eq!(health.rate_limited_for(0, now + SECOND), Some(4 * SECOND));
        assert_eq!(order(&mut health, now + SECOND), [2, 1]);
        assert_eq!(order(&mut health, now + 5 * SECOND).len(), 3);
    }

    #[test]
    fn a_rate_limit_of_zero_counts_as_one_second() {
        let (mut health, now) = (three(), Instant::now());
        health.failed(0, &NodeFault::TooManyRequests(Some(Duration::ZERO)), now);
        assert_eq!(order(&mut health, now), [1, 2]);
        assert!(order(&mut health, now + SECOND).contains(&0));
    }

    #[test]
    fn an_outage_is_reported_once_until_the_node_has_been_healthy_for_a_minute() {
        let (mut health, now) = (three(), Instant::now());
        assert!(health.failed(0, &NodeFault::Empty, now).is_some());
        assert_eq!(health.failed(0, &NodeFault::Empty, now + MINUTE), None);
        assert_eq!(health.answered(0, false, now + 2 * MINUTE), []);
        assert_eq!(
            health.failed(0, &NodeFault::Empty, now + 2 * MINUTE + SECOND),
            None
        );
        let healthy = now + 3 * MINUTE;
        assert_eq!(health.answered(0, false, healthy), []);
        let up = NodeNotice::Up {
            node: "a".to_owned(),
        };
        assert_eq!(health.answered(0, false, healthy + MINUTE), [up]);
        assert_eq!(health.answered(0, false, healthy + 2 * MINUTE), []);
        assert!(
            health
                .failed(0, &NodeFault::Empty, healthy + 3 * MINUTE)
                .is_some()
        );
    }

    #[test]
    fn an_outage_of_all_nodes_and_the_first_answer_after_it_are_reported_once() {
        let (mut health, now) = (three(), Instant::now());
        assert!(health.all_failed("x".to_owned()).is_some());
        assert_eq!(health.all_failed("x".to_owned()), None);
        let any_up = NodeNotice::AnyUp {
            node: "b".to_owned(),
        };
        assert_eq!(health.answered(1, false, now), [any_up]);
        assert_eq!(health.answered(1, false, now), []);
    }

    #[test]
    fn a_missing_method_is_not_an_outage() {
        let (mut health, now) = (three(), Instant::now());
        assert_eq!(health.failed(0, &NodeFault::MethodNotFound("m"), now), None);
        assert_eq!(order(&mut health, now), [0, 1, 2]);
    }
}
