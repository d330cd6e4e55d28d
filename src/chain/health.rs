//! Which node to ask next, and what to say about those that do not answer. Pure: the time is given.

use std::time::Duration;

use tokio::time::Instant;

use crate::chain::node_error::NodeFault;
use crate::chain::notice::NodeNotice;

/// A node that limits rates is left alone for this long at least, whether it says for how long or not: some say 0.
const MIN_RATE_LIMIT: Duration = Duration::from_secs(1);

/// No node is left alone for longer than this, whatever it says.
const MAX_RATE_LIMIT: Duration = Duration::from_secs(300);

/// The state of all nodes, in order of preference.
#[derive(Debug)]
pub(crate) struct Health {
    nodes: Vec<NodeHealth>,
    /// How long a node that was left is passed over.
    cooldown: Duration,
    all_down: bool,
}

#[derive(Debug)]
struct NodeHealth {
    name: String,
    /// Passed over until then, as long as another answers.
    cooldown_until: Option<Instant>,
    /// It lags: only its head can tell that it does so no longer.
    is_behind: bool,
    /// Not to be asked before then at all.
    rate_limited_until: Option<Instant>,
    /// Its outage was told and is not over.
    reported: bool,
    /// Since when it has answered, while an outage is told.
    healthy_since: Option<Instant>,
}

/// A node to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    pub node: usize,
    /// It was left before and others are there: it must answer soon.
    pub is_probe: bool,
}

impl Health {
    pub fn new(names: impl IntoIterator<Item = String>, cooldown: Duration) -> Self {
        let well = |name| NodeHealth {
            name,
            cooldown_until: None,
            is_behind: false,
            rate_limited_until: None,
            reported: false,
            healthy_since: None,
        };
        Self {
            nodes: names.into_iter().map(well).collect(),
            cooldown,
            all_down: false,
        }
    }

    /// The nodes to ask, one after another until one answers: those in use in order of preference,
    /// then those that were left. A node whose rest is over is put in its place again, for this one
    /// caller: the others pass it over until it has answered.
    pub fn turns(&mut self, asks_for_head: bool, now: Instant) -> Vec<Turn> {
        let cooldown = self.cooldown;
        let (mut turns, mut resting) = (Vec::new(), Vec::new());
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
                Some(until) => resting.push((until, turn)),
            }
        }
        if turns.len() == 1 {
            // Where nobody else is in use there is no hurry.
            turns[0].is_probe = false;
        }
        resting.sort_by_key(|(until, _)| *until);
        turns.extend(resting.into_iter().map(|(_, turn)| turn));
        turns
    }

    /// A node asked us to leave it alone for this long from `now`.
    pub fn rate_limited_for(&self, node: usize, now: Instant) -> Option<Duration> {
        self.nodes[node].rate_limited_for(now)
    }

    /// A node answered; `with_head` where it proved that it does not lag.
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
            // One good answer between two bad ones does not make two outages.
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

    /// A node did not do what it should.
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

    /// No node answered.
    pub fn all_failed(&mut self, faults: String) -> Option<NodeNotice> {
        let reported = std::mem::replace(&mut self.all_down, true);
        (!reported).then_some(NodeNotice::AllDown { faults })
    }
}

/// For how long a node is left alone that says `wait`.
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
    fn a_node_that_was_left_is_asked_last_and_first_again_after_a_minute_by_one_caller() {
        let (mut health, now) = (three(), Instant::now());
        assert_eq!(order(&mut health, now), [0, 1, 2]);
        health.failed(0, &NodeFault::Empty, now);
        assert_eq!(order(&mut health, now + 59 * SECOND), [1, 2, 0]);
        let turns = health.turns(false, now + MINUTE);
        assert_eq!((turns[0].node, turns[0].is_probe), (0, true));
        assert_eq!(
            order(&mut health, now + MINUTE),
            [1, 2, 0],
            "another caller meanwhile"
        );
        health.answered(0, false, now + MINUTE);
        assert_eq!(order(&mut health, now + MINUTE), [0, 1, 2]);
    }

    #[test]
    fn a_node_that_lagged_is_taken_back_only_when_its_head_is_new() {
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
    fn a_node_that_limits_rates_is_not_asked_before_it_allows_it() {
        let (mut health, now) = (three(), Instant::now());
        health.failed(0, &NodeFault::TooManyRequests(Some(5 * SECOND)), now);
        health.failed(1, &NodeFault::TooManyRequests(None), now);
        assert_eq!(order(&mut health, now), [2]);
        assert_eq!(health.rate_limited_for(0, now + SECOND), Some(4 * SECOND));
        assert_eq!(order(&mut health, now + SECOND), [2, 1]);
        assert_eq!(order(&mut health, now + 5 * SECOND).len(), 3);
    }

    #[test]
    fn a_node_that_limits_rates_for_no_time_at_all_is_left_alone_all_the_same() {
        let (mut health, now) = (three(), Instant::now());
        health.failed(0, &NodeFault::TooManyRequests(Some(Duration::ZERO)), now);
        assert_eq!(order(&mut health, now), [1, 2]);
        assert!(order(&mut health, now + SECOND).contains(&0));
    }

    #[test]
    fn an_outage_is_told_once_however_often_the_node_is_tried() {
        let (mut health, now) = (three(), Instant::now());
        assert!(health.failed(0, &NodeFault::Empty, now).is_some());
        assert_eq!(health.failed(0, &NodeFault::Empty, now + MINUTE), None);
        assert_eq!(health.answered(0, false, now + 2 * MINUTE), []);
        assert_eq!(
            health.failed(0, &NodeFault::Empty, now + 2 * MINUTE + SECOND),
            None
        );
        let well = now + 3 * MINUTE;
        assert_eq!(health.answered(0, false, well), []);
        let back = NodeNotice::Up {
            node: "a".to_owned(),
        };
        assert_eq!(health.answered(0, false, well + MINUTE), [back]);
        assert_eq!(health.answered(0, false, well + 2 * MINUTE), []);
        assert!(
            health
                .failed(0, &NodeFault::Empty, well + 3 * MINUTE)
                .is_some()
        );
    }

    #[test]
    fn the_end_of_all_answers_is_told_once_and_the_first_answer_after_it() {
        let (mut health, now) = (three(), Instant::now());
        assert!(health.all_failed("x".to_owned()).is_some());
        assert_eq!(health.all_failed("x".to_owned()), None);
        let again = NodeNotice::AnyUp {
            node: "b".to_owned(),
        };
        assert_eq!(health.answered(1, false, now), [again]);
        assert_eq!(health.answered(1, false, now), []);
    }

    #[test]
    fn a_node_that_lacks_a_method_is_not_left() {
        let (mut health, now) = (three(), Instant::now());
        assert_eq!(health.failed(0, &NodeFault::MethodNotFound("m"), now), None);
        assert_eq!(order(&mut health, now), [0, 1, 2]);
    }
}
