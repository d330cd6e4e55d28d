//! `condenser_api`, which both chains have.

use serde_json::{Value, json};

use super::View;
use super::constants::WITNESS;
use super::content::object;
use super::history::filter;
use super::rpc::RpcError;
use crate::account::Account;
use crate::network::ChainKind;
use crate::post::PostId;
use crate::sandbox::chain::block::Block;
use crate::sandbox::chain::operation::{Form, MEMO_KEY, time};

impl View<'_> {
    pub(super) fn condenser(&self, name: &str, params: &Value) -> Result<Value, RpcError> {
        match name {
            "get_dynamic_global_properties" => Ok(self.properties()),
            "get_block" => {
                let block = self.block(number(&params[0], "block_num")?);
                Ok(block.map_or(Value::Null, |block| {
                    self.block_json(block, Form::CondenserApi)
                }))
            }
            "get_content" => {
                let post = post_id(&params[0], &params[1])?;
                Ok(self.content(&post))
            }
            "get_active_votes" => {
                let post = post_id(&params[0], &params[1])?;
                Ok(self.active_votes(&post))
            }
            "get_discussions_by_blog" => {
                let author = text(&params[0]["tag"], "tag")?;
                let newest = self.blog(author, &params[0]["start_permlink"], &params[0]["limit"]);
                Ok(newest.iter().map(|post| self.content(post)).collect())
            }
            "get_discussions_by_author_before_date" => {
                let author = text(&params[0], "author")?;
                let newest = self.newest_posts(author, &params[1], &params[3]);
                Ok(newest.iter().map(|post| self.content(post)).collect())
            }
            "get_block_header" => {
                let num = number(&params[0], "block_num")?;
                Ok(self.block(num).map_or(Value::Null, header))
            }
            "get_ops_in_block" => {
                let num = number(&params[0], "block_num")?;
                let only_virtual = params[1].as_bool().unwrap_or_default();
                Ok(self.operations_in_block(num, only_virtual, Form::CondenserApi))
            }
            "get_transaction" => self.transaction(text(&params[0], "id")?, Form::CondenserApi),
            "get_account_history" => {
                let account = text(&params[0], "account")?;
                let filter = filter(&params[3], &params[4]);
                self.history(account, &params[1], &params[2], filter, Form::CondenserApi)
            }
            _ => self.condenser_accounts(name, params),
        }
    }

    /// Block `num`, unless it is above the head of this node.
    pub(super) fn block(&self, num: u64) -> Option<&Block> {
        let num = u32::try_from(num).ok().filter(|&num| num <= self.head)?;
        self.chain.block(num)
    }

    /// The newest posts of `author`, newest first, from permlink `start` on if it is one: up to 100, by
    /// default 20.
    pub(super) fn newest_posts(&self, author: &str, start: &Value, limit: &Value) -> Vec<PostId> {
        let author = Account::from_chain(author);
        let posts = self.chain.account(&author).map(|account| &account.posts);
        let newest = posts.into_iter().flatten().rev();
        page(
            newest.map(|permlink| PostId::new(author.clone(), permlink)),
            start,
            limit,
        )
    }

    /// The same with posts of others that `author` has reblogged, at the moment of that.
    pub(super) fn blog(&self, author: &str, start: &Value, limit: &Value) -> Vec<PostId> {
        let author = Account::from_chain(author);
        let Some(account) = self.chain.account(&author) else {
            return Vec::new();
        };
        let own = account
            .posts
            .iter()
            .map(|permlink| PostId::new(author.clone(), permlink));
        let own = own.map(|post| (self.chain.post(&post).map(|state| state.created), post));
        let reblogs = account
            .reblogs
            .iter()
            .cloned()
            .map(|(at, post)| (Some(at), post));
        let mut blog: Vec<_> = own.chain(reblogs).collect();
        blog.retain(|(_, post)| self.chain.post(post).is_some());
        blog.sort_by_key(|(at, _)| *at);
        page(blog.into_iter().rev().map(|(_, post)| post), start, limit)
    }

    pub(super) fn properties(&self) -> Value {
        let head = self
            .block(u64::from(self.head))
            .unwrap_or(self.chain.head());
        let mut properties = object(json!({
            "head_block_number": head.num,
            "head_block_id": head.id,
            "time": time(head.timestamp),
            "current_witness": WITNESS,
            "last_irreversible_block_num": self.chain.irreversible(head.num),
            "total_vesting_shares": "448144916705.468383 VESTS",
            "vote_power_reserve_rate": 10,
            "downvote_pool_percent": 2500,
            "maximum_block_size": 65536,
            "current_aslot": head.num + 5000,
            "recent_slots_filled": "340282366920938463463374607431768211455",
            "participation_count": 128,
        }));
        properties.extend(object(match self.chain.kind() {
            ChainKind::Hive => json!({
                "reverse_auction_seconds": 0,
                "early_voting_seconds": 86_400,
                "mid_voting_seconds": 172_800,
                "total_vesting_fund_hive": "149190428.013 HIVE",
                "current_supply": "157464400.971 HIVE",
                "virtual_supply": "161253662.237 HIVE",
                "current_hbd_supply": "2413759.427 HBD",
                "hbd_print_rate": 10_000,
            }),
            ChainKind::Steem => json!({
                "reverse_auction_seconds": 300,
                "total_vesting_fund_steem": "149190428.013 STEEM",
                "current_supply": "157464400.971 STEEM",
                "virtual_supply": "161253662.237 STEEM",
                "current_sbd_supply": "2413759.427 SBD",
                "sbd_print_rate": 10_000,
            }),
        }));
        Value::Object(properties)
    }

    /// A transaction with its place in the chain.
    pub(super) fn transaction_json(&self, block: &Block, index: usize, form: Form) -> Value {
        let transaction = &block.transactions[index];
        let operations = transaction.operations.iter();
        let operations = operations.map(|operation| operation.json(self.chain.kind(), form));
        json!({
            "ref_block_num": transaction.ref_block_num,
            "ref_block_prefix": transaction.ref_block_prefix,
            "expiration": time(transaction.expiration),
            "operations": operations.collect::<Vec<_>>(),
            "extensions": [],
            "signatures": [],
            "transaction_id": transaction.id,
            "block_num": block.num,
            "transaction_num": index,
        })
    }

    pub(super) fn block_json(&self, block: &Block, form: Form) -> Value {
        let transactions: Vec<Value> = (0..block.transactions.len())
            .map(|index| {
                let mut transaction = self.transaction_json(block, index, form);
                if form == Form::BlockApi
                    && let Value::Object(fields) = &mut transaction
                {
                    fields.retain(|name, _| !PLACE.contains(&name.as_str()));
                }
                transaction
            })
            .collect();
        let ids: Vec<&str> = block.transactions.iter().map(|trx| &*trx.id).collect();
        json!({
            "block_id": block.id,
            "previous": block.previous,
            "timestamp": time(block.timestamp),
            "witness": WITNESS,
            "witness_signature": "00",
            "signing_key": MEMO_KEY,
            "transaction_merkle_root": NO_ROOT,
            "extensions": [],
            "transactions": transactions,
            "transaction_ids": ids,
        })
    }
}

/// The posts from permlink `start` on if it is one: up to 100, by default 20.
fn page(posts: impl Iterator<Item = PostId>, start: &Value, limit: &Value) -> Vec<PostId> {
    let start = start.as_str().filter(|permlink| !permlink.is_empty());
    let posts = posts.skip_while(|post| start.is_some_and(|start| *post.permlink != *start));
    posts
        .take(limit.as_u64().unwrap_or(20).min(100) as usize)
        .collect()
}

/// The fields that a transaction has in `condenser_api` only.
const PLACE: [&str; 3] = ["transaction_id", "block_num", "transaction_num"];

/// The header of a block.
pub(super) fn header(block: &Block) -> Value {
    json!({
        "previous": block.previous,
        "timestamp": time(block.timestamp),
        "witness": WITNESS,
        "transaction_merkle_root": NO_ROOT,
        "extensions": [],
    })
}

/// The root of the transactions, which the sandbox does not compute.
const NO_ROOT: &str = "0000000000000000000000000000000000000000";

pub(super) fn post_id(author: &Value, permlink: &Value) -> Result<PostId, RpcError> {
    let author = text(author, "author")?;
    let permlink = text(permlink, "permlink")?;
    Ok(PostId::new(Account::from_chain(author), permlink))
}

pub(super) fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, RpcError> {
    let text = value.as_str();
    text.ok_or_else(|| RpcError::InvalidParams(format!("{name} must be a string")))
}

pub(super) fn number(value: &Value, name: &str) -> Result<u64, RpcError> {
    let number = value.as_u64();
    number.ok_or_else(|| RpcError::InvalidParams(format!("{name} must be a number")))
}
