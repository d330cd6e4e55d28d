//! The simulated chain: blocks, accounts, posts and votes, by the rules of Hive and Steem about votes.
//! It does no I/O and reads no clock: the producer of a block passes the time.
//!
//! Like a real node, the chain evaluates a transaction at submission, on top of the head block and the
//! pending transactions. The next block makes it visible. Each block records its changes, so that a
//! fork can undo the newest ones.

pub mod account;
pub mod asset;
pub mod block;
mod evaluate;
mod json;
pub mod operation;
pub mod refusal;
pub mod state;
pub mod vote;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use chrono::{DateTime, Duration, SubsecRound, Utc};

use self::block::{Block, Transaction, block_id, digest};
use self::operation::{Form, Operation};
use self::refusal::Refusal;
use self::state::{AccountState, Manabar, PostState, Rewards, Table, Undo};
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
    accounts: Table<Account, AccountState>,
    posts: Table<PostId, PostState>,
    pending: Vec<Transaction>,
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
            accounts: Table::default(),
            posts: Table::default(),
            pending: Vec::new(),
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
        self.accounts.at_head(name)
    }

    /// The names of all accounts, in no order.
    pub fn account_names(&self) -> impl Iterator<Item = &Account> {
        self.accounts.names_at_head()
    }

    /// A post as of the head block.
    pub fn post(&self, name: &PostId) -> Option<&PostState> {
        self.posts.at_head(name)
    }

    /// The number of transactions that wait for the next block.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Creates an account with `stake` in micro-VESTS and full mana, unless it exists.
    pub fn create_account(&mut self, name: &Account, stake: i64) {
        if self.accounts.at_head(name).is_some() {
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
            voting: full(stake),
            downvote: full(stake / 4),
            can_vote: true,
            credits: i64::MAX,
            coins: 1000,
            rewards: Rewards {
                coins: 50,
                dollars: 100,
                vests: 100_000_000,
            },
            json_metadata: "{}".to_owned(),
            posting_json_metadata: "{}".to_owned(),
            ..AccountState::default()
        };
        self.accounts.set_at_head(name.clone(), account);
    }

    /// Changes an account directly, without an operation. A fork does not undo the change.
    pub fn alter_account(&mut self, name: &Account, change: impl Fn(&mut AccountState)) {
        for block in &mut self.blocks {
            if let Some(undo) = &mut block.undo
                && let Some(Some(account)) = undo.accounts.get_mut(name)
            {
                change(account);
            }
        }
        self.accounts.alter(name, change);
    }

    /// Sets the voting mana of an account in hundredths of a percent of its maximum.
    pub fn set_mana(&mut self, name: &Account, hundredths: u16) {
        let now = self.head().timestamp;
        self.alter_account(name, |account| {
            let current = i128::from(account.vesting_shares) * i128::from(hundredths) / 10_000;
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
        let head = self.head();
        let texts: Vec<String> = operations
            .iter()
            .map(|operation| operation.json(self.kind, Form::CondenserApi).to_string())
            .collect();
        let id: Arc<str> = digest((&head.id, &texts, signed_by)).into();
        self.push(Transaction {
            id: Arc::clone(&id),
            operations,
            expiration: head.timestamp + Duration::seconds(60),
            ref_block_num: (head.num & 0xffff) as u16,
            ref_block_prefix: u32::from_str_radix(&head.id[8..16], 16).unwrap_or_default(),
            signed_by: signed_by.cloned(),
        })?;
        Ok(id)
    }

    fn push(&mut self, transaction: Transaction) -> Result<(), Refusal> {
        if self.known.contains(&transaction.id) {
            return Err(Refusal::Duplicate {
                trx_id: transaction.id.to_string(),
            });
        }
        // A single operation needs no copy, since it is checked before its first change.
        let before = (transaction.operations.len() > 1).then(|| {
            let (accounts, posts) = (&self.accounts.pending, &self.posts.pending);
            (accounts.clone(), posts.clone(), self.created.clone())
        });
        if let Err(refusal) = self.evaluate(&transaction) {
            if let Some(before) = before {
                (self.accounts.pending, self.posts.pending, self.created) = before;
            }
            return Err(refusal);
        }
        self.known.insert(Arc::clone(&transaction.id));
        self.pending.push(transaction);
        Ok(())
    }

    /// Produces a block of everything pending and returns its number. Its time is `timestamp` in whole
    /// seconds, or that of the head if it is later.
    pub fn produce(&mut self, timestamp: DateTime<Utc>) -> u32 {
        let previous = self.head().id.clone();
        let timestamp = timestamp.trunc_subsecs(0).max(self.head().timestamp);
        let num = self.head().num + 1;
        let transactions = std::mem::take(&mut self.pending);
        for name in std::mem::take(&mut self.created) {
            if let Some(post) = self.posts.get_mut(&name) {
                (post.created, post.edited) = (timestamp, timestamp);
            }
        }
        let ids: Vec<&Arc<str>> = transactions.iter().map(|trx| &trx.id).collect();
        let id = block_id(num, (&previous, timestamp, &ids, self.branch));
        let accounts = std::mem::take(&mut self.accounts.pending);
        let posts = std::mem::take(&mut self.posts.pending);
        let undo = Undo {
            accounts: self.accounts.apply(accounts),
            posts: self.posts.apply(posts),
        };
        self.blocks.push(Block {
            num,
            id,
            previous,
            timestamp,
            transactions,
            undo: Some(undo),
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
        self.accounts.pending.clear();
        self.posts.pending.clear();
        self.created.clear();
        let mut dropped = Vec::new();
        while dropped.len() < depth && self.blocks.len() > 1 {
            let Some(undo) = self.blocks.last_mut().and_then(|block| block.undo.take()) else {
                break;
            };
            self.accounts.apply(undo.accounts);
            self.posts.apply(undo.posts);
            dropped.extend(self.blocks.pop());
        }
        let undone = dropped.iter().flat_map(|block| &block.transactions);
        for transaction in undone.chain(&pending) {
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
}
