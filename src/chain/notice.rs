//! Notices about the health of nodes.

use std::fmt;

/// A change in which nodes answer. An outage is reported once when it begins and once when it ends,
/// regardless of how often the node is tried in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeNotice {
    /// An outage of this node began. Other nodes are used, if there are any.
    Down {
        /// The node's host, with a port that is not the scheme's own.
        node: String,
        /// What it did wrong.
        fault: String,
    },
    /// The outage of this node is over: it has answered for a whole cooldown.
    Up {
        /// The node's host, with a port that is not the scheme's own.
        node: String,
    },
    /// An outage of all nodes began. `faults` lists the fault of each.
    AllDown {
        /// What each node did wrong.
        faults: String,
    },
    /// The first node answered after an outage of all.
    AnyUp {
        /// The node's host, with a port that is not the scheme's own.
        node: String,
    },
}

impl fmt::Display for NodeNotice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Down { node, fault } => write!(formatter, "the node {node} {fault}"),
            Self::Up { node } => write!(formatter, "the node {node} answers reliably again"),
            Self::AllDown { faults } => write!(
                formatter,
                "no node answers: {faults}; no blocks are read until one does; check the network and `network.nodes`"
            ),
            Self::AnyUp { node } => write!(formatter, "the node {node} answers again"),
        }
    }
}
