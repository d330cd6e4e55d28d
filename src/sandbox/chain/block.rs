//! Blocks and transactions of the simulated chain.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::operation::Operation;
use super::state::Undo;
use crate::account::Account;

/// A block of the simulated chain.
#[derive(Debug)]
pub struct Block {
    /// The block number, without gaps; also the first 8 hex digits of `id`.
    pub num: u32,
    /// 40 hex digits.
    pub id: String,
    /// The id of the previous block.
    pub previous: String,
    /// In whole seconds.
    pub timestamp: DateTime<Utc>,
    /// In the order in which they were applied.
    pub transactions: Vec<Transaction>,
    /// The changes that undo the block; `None` if it is too old for a fork.
    pub(super) undo: Option<Undo>,
}

impl Block {
    /// All operations, each with the id of its transaction.
    pub fn operations(&self) -> impl Iterator<Item = (&Arc<str>, &Operation)> {
        self.transactions.iter().flat_map(|transaction| {
            let operations = transaction.operations.iter();
            operations.map(move |operation| (&transaction.id, operation))
        })
    }
}

/// Operations that the chain applies together or not at all.
#[derive(Debug, Clone)]
pub struct Transaction {
    /// 40 hex digits. A digest of the operations and the head block, so that the same operations signed
    /// twice between two blocks are the same transaction.
    pub id: Arc<str>,
    /// In the order in which they are applied.
    pub operations: Vec<Operation>,
    /// No block with this timestamp or a later one may hold it.
    pub expiration: DateTime<Utc>,
    /// The lower 16 bits of the number of the block it was signed upon.
    pub ref_block_num: u16,
    /// Part of the id of the block it was signed upon.
    pub ref_block_prefix: u32,
    /// The account of the signer; `None` if people sign with their own keys.
    pub signed_by: Option<Account>,
}

/// A digest of 40 hex digits. It is not cryptographically secure.
pub fn digest(of: impl Hash) -> String {
    let part = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, &of).hash(&mut hasher);
        hasher.finish()
    };
    let mut digits = format!("{:016x}{:016x}{:016x}", part(1), part(2), part(3));
    digits.truncate(40);
    digits
}

/// The id of block `num`: its number and a digest.
pub(super) fn block_id(num: u32, of: impl Hash) -> String {
    let digest = digest(of);
    format!("{num:08x}{}", &digest[..32])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_id_starts_with_the_number() {
        let id = block_id(1_000_012, "anything");
        assert_eq!(id.len(), 40);
        assert!(id.starts_with("000f424c"), "{id}");
    }

    #[test]
    fn digests_of_different_values_differ() {
        assert_ne!(digest("one"), digest("two"));
        assert_eq!(digest("one").len(), 40);
    }
}
