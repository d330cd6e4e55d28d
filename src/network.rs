//! The chain in use, and how close to its head it is read.

use std::time::Duration;

use clap::ValueEnum;

/// The chain that nodes and signer speak for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ChainKind {
    /// Hive.
    Hive,
    /// Steem.
    Steem,
}

impl ChainKind {
    /// The nodes used by default.
    pub fn nodes(self) -> Vec<String> {
        let nodes: &[&str] = match self {
            Self::Hive => &["https://api.hive.blog", "https://api.deathwing.me"],
            Self::Steem => &["https://api.steemit.com"],
        };
        nodes.iter().map(|&node| node.to_owned()).collect()
    }

    /// The signer used by default.
    pub fn signer(self) -> &'static str {
        match self {
            Self::Hive => "https://hivesigner.com",
            Self::Steem => "https://steemlogin.com",
        }
    }

    /// Shortest time between two votes of one voter: Steem refuses the second within 3 s; Hive has had no such
    /// limit since hard fork 26.
    pub fn vote_interval(self) -> Duration {
        match self {
            Self::Hive => Duration::ZERO,
            Self::Steem => Duration::from_secs(3),
        }
    }
}

/// Up to which block the chain is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// The newest block, which a fork may still undo.
    Head,
    /// The newest block that can no longer be undone.
    Irreversible,
}
