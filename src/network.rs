//! Which chain this is, and how close to its head it is read.

/// The chain that nodes and signer speak for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainKind {
    Hive,
    Steem,
}

/// Up to which block the chain is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follow {
    /// The newest block, which a fork may still undo.
    Head,
    /// The newest block that can no longer be undone.
    Irreversible,
}
