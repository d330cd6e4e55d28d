//! What the owner of the nodes should know about their health.

use std::fmt;

/// Something changed in which nodes answer. An outage is told once when it begins and once when it
/// is over, however often the node is tried between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeNotice {
    /// An outage of this node began: it is left for others while there are any.
    Left { node: String, fault: String },
    /// The node has answered well for a while again.
    Back { node: String },
    /// No node answers any more. Each node's fault is listed.
    NoneAnswers { faults: String },
    /// After that a node answered.
    AnswersAgain { node: String },
}

impl fmt::Display for NodeNotice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Left { node, fault } => write!(formatter, "the node {node} {fault}"),
            Self::Back { node } => write!(formatter, "the node {node} answers well again"),
            Self::NoneAnswers { faults } => write!(
                formatter,
                "no node answers: {faults}; no block is read until one does: check the network and `network.nodes`"
            ),
            Self::AnswersAgain { node } => write!(formatter, "the node {node} answers: going on"),
        }
    }
}
