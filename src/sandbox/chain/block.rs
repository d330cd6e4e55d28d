//! Blocks and transactions.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::operation::Operation;
use super::state::Layer;
use crate::account::Account;

/// A block of the simulated chain.
#[derive(Debug)]
pub struct Block {
    /// Counts without gaps; also the first 8 hex digits of `id`.
    pub num: u32,
    /// 40 hex digits.
    pub id: String,
    pub previous: String,
    /// To the second.
    pub timestamp: DateTime<Utc>,
    pub transactions: Vec<Transaction>,
    /// What to put back when the block is undone; `None` once it is too old for that.
    pub(super) undo: Option<Layer>,
}

impl Block {
    /// Every operation with the id of its transaction.
    pub fn operations(&self) -> impl Iterator<Item = (&Arc<str>, &Operation)> {
        self.transactions.iter().flat_map(|transaction| {
            let operations = transaction.operations.iter();
            operations.map(move |operation| (&transaction.id, operation))
        })
    }
}

/// Operations that are applied together or not at all.
#[derive(Debug, Clone)]
pub struct Transaction {
    /// 40 hex digits: of the operations and the block they were signed upon, so the same operations
    /// signed twice between two blocks are the same transaction.
    pub id: Arc<str>,
    pub operations: Vec<Operation>,
    pub expiration: DateTime<Utc>,
    pub ref_block_num: u16,
    pub ref_block_prefix: u32,
    /// The signer's account where it was not the person's own key.
    pub signed_by: Option<Account>,
}

/// 40 hex digits that depend on everything given. Not secure: nothing here needs to be.
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

/// The id of block `num`: its number, then a digest.
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
    fn digests_differ_when_what_they_are_of_differs() {
        assert_ne!(digest("one"), digest("two"));
        assert_eq!(digest("one").len(), 40);
    }
}
