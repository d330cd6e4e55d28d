//! What blocks hold, by operation, transaction and account.

use serde_json::{Value, json};

use super::View;
use super::rpc::RpcError;
use crate::account::Account;
use crate::post::PostId;
use crate::sandbox::chain::block::{Block, Transaction};
use crate::sandbox::chain::operation::{Form, Operation, time};

/// Most entries in one answer of an account's history.
const MAX_HISTORY: u64 = 1000;

/// The bits of a filter of operations, given in two halves; `None` if it is empty. The sandbox has only
/// operations of the lower half.
pub(super) fn filter(low: &Value, high: &Value) -> Option<u64> {
    let bits = |half: &Value| match half {
        Value::String(text) => text.parse().unwrap_or_default(),
        other => other.as_u64().unwrap_or_default(),
    };
    let (low, high): (u64, u64) = (bits(low), bits(high));
    (low != 0 || high != 0).then_some(low)
}

/// The bit of an operation in the filter of `get_account_history`; 0 for one that no filter names.
fn bit(name: &str) -> u64 {
    match name {
        "vote" => 1,
        "comment" => 1 << 1,
        "account_update" => 1 << 10,
        "delete_comment" => 1 << 17,
        "custom_json" => 1 << 18,
        "comment_options" => 1 << 19,
        "claim_reward_balance" => 1 << 39,
        "account_update2" => 1 << 43,
        _ => 0,
    }
}

/// An operation with its place in a block.
struct Placed<'a> {
    block: &'a Block,
    transaction: &'a Transaction,
    trx_in_block: usize,
    op_in_trx: usize,
    operation: &'a Operation,
}

impl View<'_> {
    /// The blocks up to the head of this node, oldest first.
    fn blocks(&self) -> &[Block] {
        let blocks = self.chain.blocks();
        &blocks[..blocks.partition_point(|block| block.num <= self.head)]
    }

    /// `get_ops_in_block`. There are no virtual operations.
    pub(super) fn operations_in_block(&self, num: u64, only_virtual: bool, form: Form) -> Value {
        let block = self.block(num).filter(|_| !only_virtual);
        block
            .into_iter()
            .flat_map(placed)
            .map(|operation| self.placed(&operation, form))
            .collect()
    }

    /// `get_transaction`.
    pub(super) fn transaction(&self, id: &str, form: Form) -> Result<Value, RpcError> {
        let found = self.blocks().iter().rev().find_map(|block| {
            let index = block.transactions.iter().position(|trx| *trx.id == *id)?;
            Some(self.transaction_json(block, index, form))
        });
        found.ok_or_else(|| RpcError::UnknownTransaction(id.to_owned()))
    }

    /// `transaction_status_api.find_transaction`.
    pub(super) fn transaction_status(&self, id: &str) -> Value {
        let holds = |block: &&Block| block.transactions.iter().any(|trx| *trx.id == *id);
        let Some(block) = self.blocks().iter().rev().find(holds) else {
            return json!({"status": "unknown"});
        };
        let status = match block.num <= self.chain.irreversible(self.head) {
            true => "within_irreversible_block",
            false => "within_reversible_block",
        };
        json!({"status": status, "block_num": block.num})
    }

    /// `get_account_history`: pairs of a number and an operation, oldest first, up to number `start`,
    /// or up to the newest if it is -1. `filter` has a bit for each wanted operation.
    pub(super) fn history(
        &self,
        account: &str,
        start: &Value,
        limit: &Value,
        filter: Option<u64>,
        form: Form,
    ) -> Result<Value, RpcError> {
        let start = start.as_i64().and_then(|start| usize::try_from(start).ok());
        let limit = limit.as_u64().unwrap_or(MAX_HISTORY);
        if limit > MAX_HISTORY {
            return Err(RpcError::Assertion(
                "limit <= 1000",
                "limit is greater than maximum allowed",
            ));
        }
        let account = Account::from_chain(account);
        let operations = self.blocks().iter().flat_map(placed);
        let concerning: Vec<(usize, Placed<'_>)> = operations
            .filter(|placed| concerns(placed.operation, &account))
            .enumerate()
            .filter(|(number, _)| start.is_none_or(|start| *number <= start))
            .filter(|(_, placed)| {
                filter.is_none_or(|bits| bits & bit(placed.operation.name()) != 0)
            })
            .collect();
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let first = concerning.len().saturating_sub(limit);
        Ok(concerning[first..]
            .iter()
            .map(|(number, operation)| json!([number, self.placed(operation, form)]))
            .collect())
    }

    fn placed(&self, placed: &Placed<'_>, form: Form) -> Value {
        json!({
            "trx_id": placed.transaction.id,
            "block": placed.block.num,
            "trx_in_block": placed.trx_in_block,
            "op_in_trx": placed.op_in_trx,
            "virtual_op": false,
            "timestamp": time(placed.block.timestamp),
            "op": placed.operation.json(self.chain.kind(), form),
            "operation_id": 0,
        })
    }
}

fn placed(block: &Block) -> impl Iterator<Item = Placed<'_>> {
    let transactions = block.transactions.iter().enumerate();
    transactions.flat_map(move |(trx_in_block, transaction)| {
        let operations = transaction.operations.iter().enumerate();
        operations.map(move |(op_in_trx, operation)| Placed {
            block,
            transaction,
            trx_in_block,
            op_in_trx,
            operation,
        })
    })
}

/// Whether the history of `account` holds an operation.
fn concerns(operation: &Operation, account: &Account) -> bool {
    let is_author = |post: &PostId| post.author == *account;
    match operation {
        Operation::Vote(vote) => vote.voter == *account || is_author(&vote.post),
        Operation::Comment(comment) => {
            is_author(&comment.post) || comment.parent.as_ref().is_some_and(is_author)
        }
        Operation::CommentOptions { post, .. } | Operation::DeleteComment(post) => is_author(post),
        Operation::Other { value, .. } => {
            let is_named = |value: &Value| value.as_str() == Some(account.as_str());
            let lists = [&value["required_auths"], &value["required_posting_auths"]];
            is_named(&value["account"])
                || lists.iter().any(|list| {
                    list.as_array()
                        .is_some_and(|list| list.iter().any(is_named))
                })
        }
    }
}
