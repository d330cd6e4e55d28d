//! What the owner of the nodes should know about their health.

use std::fmt;

/// Something changed in which nodes answer. An outage is told once when it begins and once when it
/// is over, however often the node is tried between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeNotice {
    /// An outage of this node began: it is left for others while there are any.
    Down { node: String, fault: String },
    /// The node has answered well for a while again.
    Up { node: String },
    /// No node answers any more. Each node's fault is listed.
    AllDown { faults: String },
    /// After that a node answered.
    AnyUp { node: String },
}

impl fmt::Display for NodeNotice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Down { node, fault } => write!(formatter, "the node {node} {fault}"),
            Self::Up { node } => write!(formatter, "the node {node} answers well again"),
            Self::AllDown { faults } => write!(
                formatter,
                "no node answers: {faults}; no block is read until one does: check the network and `network.nodes`"
            ),
            Self::AnyUp { node } => write!(formatter, "the node {node} answers: going on"),
        }
    }
}
