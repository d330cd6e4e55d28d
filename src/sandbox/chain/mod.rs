//! The simulated chain: blocks, accounts, posts and votes, by the rules of Hive and Steem about votes.
//! It does no I/O and reads no clock: the producer of a block passes the time.
//!
//! Like a real node, the chain evaluates a transaction at submission, on top of the head block and the
//! pending transactions. The next block makes it visible. Each block records its changes, so that a
//! fork can undo the newest ones.

pub mod block;
mod evaluate;
pub mod operation;
pub mod refusal;
pub mod state;
pub mod vote;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Duration, SubsecRound, Utc};

use self::block::{Block, Transaction, block_id, digest};
use self::operation::Operation;
use self::refusal::Refusal;
use self::state::{AccountState, Draft, Layer, Manabar, PostState, State};
use crate::account::Account;
use crate::network::ChainKind;
use crate::post::PostId;

/// Number of newest blocks that a fork can undo.
const UNDO_DEPTH: usize = 64;

/// Stake of a new account in micro-VESTS: a million VESTS, about 550 HIVE.
pub const USUAL_STAKE: i64 = 1_000_000_000_000;

/// A simulated chain.
#[derive(Debug)]
pub struct Chain {
    kind: ChainKind,
    irreversible_lag: u32,
    blocks: Vec<Block>,
    state: State,
    pending: Vec<Transaction>,
    /// The changes by `pending`.
    layer: Layer,
    /// The posts that `pending` creates. The time of the next block is their creation time.
    created: Vec<PostId>,
    /// The ids of all transactions.
    known: HashSet<Arc<str>>,
    /// The number of forks so far, which makes block ids of each branch different.
    branch: u64,
    last_id: u32,
}

impl Chain {
    /// A chain with one empty block.
    pub fn new(
        kind: ChainKind,
        first_block: u32,
        irreversible_lag: u32,
        timestamp: DateTime<Utc>,
    ) -> Self {
        let first = Block {
            num: first_block,
            id: block_id(first_block, timestamp),
            previous: block_id(first_block.saturating_sub(1), "before the first"),
            timestamp: timestamp.trunc_subsecs(0),
            transactions: Vec::new(),
            undo: None,
        };
        Self {
            kind,
            irreversible_lag,
            blocks: vec![first],
            state: State::default(),
            pending: Vec::new(),
            layer: Layer::default(),
            created: Vec::new(),
            known: HashSet::new(),
            branch: 0,
            last_id: 1000,
        }
    }

    /// The chain whose rules it follows.
    pub fn kind(&self) -> ChainKind {
        self.kind
    }

    /// The newest block.
    pub fn head(&self) -> &Block {
        &self.blocks[self.blocks.len() - 1]
    }

    /// The number of the irreversible block if block `head` is the newest.
    pub fn irreversible(&self, head: u32) -> u32 {
        head.saturating_sub(self.irreversible_lag)
            .max(self.blocks[0].num)
    }

    /// Block `num`, if it exists.
    pub fn block(&self, num: u32) -> Option<&Block> {
        let index = num.checked_sub(self.blocks[0].num)?;
        self.blocks.get(usize::try_from(index).ok()?)
    }

    /// All blocks, oldest first.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// An account as of the head block.
    pub fn account(&self, name: &Account) -> Option<&AccountState> {
        self.state.accounts.get(name)
    }

    /// A post as of the head block.
    pub fn post(&self, name: &PostId) -> Option<&PostState> {
        self.state.posts.get(name)
    }

    /// The number of transactions that wait for the next block.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Creates an account with `stake` in micro-VESTS and full mana, unless it exists.
    pub fn create_account(&mut self, name: &Account, stake: i64) {
        if self.state.accounts.contains_key(name) {
            return;
        }
        self.last_id += 1;
        let now = self.head().timestamp;
        let full = |current| Manabar {
            current,
            updated: now,
        };
        let account = AccountState {
            id: self.last_id,
            created: now,
            vesting_shares: stake,
            delegated: 0,
            received: 0,
            voting: full(stake),
            downvote: full(stake / 4),
            last_vote: DateTime::UNIX_EPOCH,
            can_vote: true,
            credits: i64::MAX,
            posting: Vec::new(),
            posts: Vec::new(),
            post_count: 0,
        };
        self.state.accounts.insert(name.clone(), account);
    }

    /// Changes an account directly, without an operation. A fork does not undo the change.
    pub fn alter_account(&mut self, name: &Account, change: impl Fn(&mut AccountState)) {
        let undo = self
            .blocks
            .iter_mut()
            .filter_map(|block| block.undo.as_mut());
        for layer in undo.chain([&mut self.layer]) {
            if let Some(Some(account)) = layer.accounts.get_mut(name) {
                change(account);
            }
        }
        if let Some(account) = self.state.accounts.get_mut(name) {
            change(account);
        }
    }

    /// Sets the voting mana of an account in hundredths of a percent of its maximum.
    pub fn set_mana(&mut self, name: &Account, hundredths: u16) {
        let now = self.head().timestamp;
        self.alter_account(name, |account| {
            let current = i128::from(account.max_mana()) * i128::from(hundredths) / 10_000;
            account.voting = Manabar {
                current: i64::try_from(current).unwrap_or(i64::MAX),
                updated: now,
            };
        });
    }

    /// Submits a transaction for the next block and returns its id. `signed_by` is the account of the
    /// signer; `None` if people sign themselves.
    ///
    /// # Errors
    /// Returns the first refusal of an operation. None of the operations is applied then.
    pub fn submit(
        &mut self,
        operations: Vec<Operation>,
        signed_by: Option<&Account>,
    ) -> Result<Arc<str>, Refusal> {
        let transaction = self.sign(operations, signed_by);
        let id = Arc::clone(&transaction.id);
        self.push(transaction)?;
        Ok(id)
    }

    fn sign(&self, operations: Vec<Operation>, signed_by: Option<&Account>) -> Transaction {
        let head = self.head();
        let texts: Vec<String> = operations
            .iter()
            .map(|operation| operation.condenser(self.kind).to_string())
            .collect();
        let prefix = u32::from_str_radix(&head.id[8..16], 16).unwrap_or_default();
        Transaction {
            id: digest((&head.id, &texts, signed_by)).into(),
            operations,
            expiration: head.timestamp + Duration::seconds(60),
            ref_block_num: (head.num & 0xffff) as u16,
            ref_block_prefix: prefix,
            signed_by: signed_by.cloned(),
        }
    }

    fn push(&mut self, transaction: Transaction) -> Result<(), Refusal> {
        if self.known.contains(&transaction.id) {
            return Err(Refusal::Duplicate {
                trx_id: transaction.id.to_string(),
            });
        }
        let snapshot = evaluate::Snapshot::of(&transaction, &self.layer, &self.created);
        if let Err(refusal) = self.evaluate(&transaction) {
            snapshot.restore(&mut self.layer, &mut self.created);
            return Err(refusal);
        }
        self.known.insert(Arc::clone(&transaction.id));
        self.pending.push(transaction);
        Ok(())
    }

    fn evaluate(&mut self, transaction: &Transaction) -> Result<(), Refusal> {
        let now = self.head().timestamp;
        let mut evaluation = evaluate::Evaluation {
            draft: Draft {
                base: &self.state,
                layer: &mut self.layer,
            },
            created: &mut self.created,
            last_id: &mut self.last_id,
            kind: self.kind,
            now,
        };
        for operation in &transaction.operations {
            evaluation.authorise(operation, transaction.signed_by.as_ref())?;
            evaluation.apply(operation)?;
        }
        Ok(())
    }

    /// Produces a block of everything pending and returns its number. Its time is `timestamp` in whole
    /// seconds, or that of the head if it is later.
    pub fn produce(&mut self, timestamp: DateTime<Utc>) -> u32 {
        let previous = self.head().id.clone();
        let timestamp = timestamp.trunc_subsecs(0).max(self.head().timestamp);
        let num = self.head().num + 1;
        let transactions = std::mem::take(&mut self.pending);
        let mut layer = std::mem::take(&mut self.layer);
        for name in std::mem::take(&mut self.created) {
            if let Some(Some(post)) = layer.posts.get_mut(&name) {
                (post.created, post.edited) = (timestamp, timestamp);
            }
        }
        let operations = transactions.iter().flat_map(|trx| &trx.operations);
        for operation in operations {
            if let Operation::Vote(vote) = operation
                && let Some(Some(post)) = layer.posts.get_mut(&vote.post)
                && let Some(standing) = post.vote_of_mut(&vote.voter)
            {
                standing.block = num;
            }
        }
        let ids: Vec<&Arc<str>> = transactions.iter().map(|trx| &trx.id).collect();
        let id = block_id(num, (&previous, timestamp, &ids, self.branch));
        let undo = Some(self.state.apply(layer));
        self.blocks.push(Block {
            num,
            id,
            previous,
            timestamp,
            transactions,
            undo,
        });
        if let Some(old) = self.blocks.len().checked_sub(UNDO_DEPTH + 1) {
            self.blocks[old].undo = None;
        }
        num
    }

    /// Replaces the newest blocks, like a micro-fork. The new blocks have the same times and other ids,
    /// and hold the transactions whose operations `keep` accepts. Pending transactions are evaluated
    /// again. Returns the number of blocks replaced: `depth`, or as many as can be undone.
    pub fn fork(&mut self, depth: usize, mut keep: impl FnMut(&Operation) -> bool) -> usize {
        self.branch += 1;
        let pending = std::mem::take(&mut self.pending);
        self.layer = Layer::default();
        self.created.clear();
        let mut dropped = Vec::new();
        while dropped.len() < depth && self.blocks.len() > 1 {
            let Some(undo) = self.blocks.last_mut().and_then(|block| block.undo.take()) else {
                break;
            };
            self.state.apply(undo);
            dropped.extend(self.blocks.pop());
        }
        for block in dropped.iter().rev() {
            for transaction in &block.transactions {
                self.known.remove(&transaction.id);
            }
        }
        for transaction in &pending {
            self.known.remove(&transaction.id);
        }
        for block in dropped.iter().rev() {
            for transaction in &block.transactions {
                if transaction.operations.iter().all(&mut keep) {
                    // A transaction that depends on a dropped one is refused and dropped as well.
                    let _ = self.push(transaction.clone());
                }
            }
            self.produce(block.timestamp);
        }
        for transaction in pending {
            let _ = self.push(transaction);
        }
        dropped.len()
    }

    /// All accounts by name.
    pub fn accounts(&self) -> &HashMap<Account, AccountState> {
        &self.state.accounts
    }
}
