//! `condenser_api`, which both chains have.

use serde_json::{Map, Value, json};

use super::rpc::RpcError;
use super::{View, time};
use crate::account::Account;
use crate::network::ChainKind;
use crate::post::PostId;
use crate::sandbox::chain::block::{Block, Transaction};
use crate::sandbox::chain::operation::{MEMO_KEY, authority};
use crate::sandbox::chain::state::{AccountState, Manabar};

/// Most names in one call.
const MAX_NAMES: usize = 1000;

impl View<'_> {
    pub(super) fn condenser(&self, name: &str, params: &Value) -> Result<Value, RpcError> {
        match name {
            "get_dynamic_global_properties" => Ok(self.properties()),
            "get_block" => {
                let num = params[0]
                    .as_u64()
                    .ok_or_else(|| RpcError::invalid_params("block_num must be a number"))?;
                Ok(self
                    .block(num)
                    .map_or(Value::Null, |block| self.condenser_block(block)))
            }
            "get_accounts" => self.condenser_accounts(&params[0]),
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
                let limit = limit(&params[0]["limit"]);
                let newest = self.newest_posts(author, None, limit);
                Ok(newest.iter().map(|post| self.content(post)).collect())
            }
            "get_discussions_by_author_before_date" => {
                let author = text(&params[0], "author")?;
                let start = params[1].as_str().filter(|permlink| !permlink.is_empty());
                let newest = self.newest_posts(author, start, limit(&params[3]));
                Ok(newest.iter().map(|post| self.content(post)).collect())
            }
            "get_config" => Ok(self.config()),
            "get_version" => Ok(self.version()),
            _ => Err(RpcError::unknown_method(name)),
        }
    }

    /// Block `num`, unless it is above the head of this node.
    pub(super) fn block(&self, num: u64) -> Option<&Block> {
        let num = u32::try_from(num).ok().filter(|&num| num <= self.head)?;
        self.chain.block(num)
    }

    /// The newest posts of `author`, newest first, from permlink `start` on.
    pub(super) fn newest_posts(
        &self,
        author: &str,
        start: Option<&str>,
        limit: usize,
    ) -> Vec<PostId> {
        let author = Account::from_chain(author);
        let Some(account) = self.chain.account(&author) else {
            return Vec::new();
        };
        let newest = account.posts.iter().rev();
        newest
            .skip_while(|permlink| start.is_some_and(|start| ***permlink != *start))
            .take(limit)
            .map(|permlink| PostId::new(author.clone(), permlink))
            .collect()
    }

    fn properties(&self) -> Value {
        let kind = self.chain.kind();
        let head = self
            .block(u64::from(self.head))
            .unwrap_or(self.chain.head());
        let mut properties = json!({
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
        });
        let more = match kind {
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
        };
        extend(&mut properties, more);
        properties
    }

    fn condenser_block(&self, block: &Block) -> Value {
        let transactions: Vec<Value> = (0..)
            .zip(&block.transactions)
            .map(|(index, trx)| self.condenser_transaction(block, index, trx))
            .collect();
        let mut value = block_frame(block);
        value["transactions"] = Value::Array(transactions);
        value
    }

    fn condenser_transaction(&self, block: &Block, index: u32, trx: &Transaction) -> Value {
        let kind = self.chain.kind();
        let operations: Vec<Value> = trx.operations.iter().map(|op| op.condenser(kind)).collect();
        let mut value = transaction_frame(trx);
        value["operations"] = Value::Array(operations);
        value["transaction_id"] = json!(&*trx.id);
        value["block_num"] = json!(block.num);
        value["transaction_num"] = json!(index);
        value
    }

    fn condenser_accounts(&self, names: &Value) -> Result<Value, RpcError> {
        let names = names
            .as_array()
            .ok_or_else(|| RpcError::invalid_params("names must be an array"))?;
        if names.len() > MAX_NAMES {
            return Err(RpcError::assertion(
                "names.size() <= 1000",
                "Cannot get more than 1000 accounts",
            ));
        }
        let known = names.iter().filter_map(|name| {
            let name = Account::from_chain(name.as_str()?);
            Some(self.account(&name, self.chain.account(&name)?))
        });
        Ok(known.collect())
    }

    /// An account in the form of `condenser_api`.
    fn account(&self, name: &Account, account: &AccountState) -> Value {
        let kind = self.chain.kind();
        let dollar = match kind {
            ChainKind::Hive => json!({"hbd_balance": "0.000 HBD", "balance": "1.000 HIVE"}),
            ChainKind::Steem => json!({"sbd_balance": "0.000 SBD", "balance": "1.000 STEEM"}),
        };
        let max = i128::from(account.max_mana().max(1));
        let mut value = json!({
            "id": account.id,
            "name": name.as_str(),
            "owner": authority(&[]),
            "active": authority(&[]),
            "posting": authority(&account.posting),
            "memo_key": MEMO_KEY,
            "json_metadata": "",
            "posting_json_metadata": "",
            "created": time(account.created),
            "can_vote": account.can_vote,
            "vesting_shares": vests(account.vesting_shares),
            "delegated_vesting_shares": vests(account.delegated),
            "received_vesting_shares": vests(account.received),
            "vesting_withdraw_rate": "0.000000 VESTS",
            "to_withdraw": 0,
            "withdrawn": 0,
            "next_vesting_withdrawal": "1969-12-31T23:59:59",
            "voting_manabar": manabar(&account.voting),
            "downvote_manabar": manabar(&account.downvote),
            "voting_power": i128::from(account.voting.current) * 10_000 / max,
            "last_vote_time": time(account.last_vote),
            "post_count": account.post_count,
            "reputation": 0,
        });
        extend(&mut value, dollar);
        value
    }

    fn config(&self) -> Value {
        let (prefix, id) = match self.chain.kind() {
            ChainKind::Hive => (
                "HIVE",
                "beeab0de00000000000000000000000000000000000000000000000000000000",
            ),
            ChainKind::Steem => (
                "STEEM",
                "0000000000000000000000000000000000000000000000000000000000000000",
            ),
        };
        let mut config = Map::new();
        for (name, value) in [
            ("BLOCK_INTERVAL", json!(3)),
            ("CHAIN_ID", json!(id)),
            ("VOTING_MANA_REGENERATION_SECONDS", json!(432_000)),
            ("CASHOUT_WINDOW_SECONDS", json!(604_800)),
            ("UPVOTE_LOCKOUT_SECONDS", json!(43_200)),
        ] {
            config.insert(format!("{prefix}_{name}"), value);
        }
        Value::Object(config)
    }

    fn version(&self) -> Value {
        let version = match self.chain.kind() {
            ChainKind::Hive => "1.28.7",
            ChainKind::Steem => "0.23.0",
        };
        json!({"blockchain_version": version, "hive_revision": "sandbox", "fc_revision": "sandbox"})
    }
}

/// The witness of all blocks.
const WITNESS: &str = "witness.sandbox";

/// The fields of a block in both forms.
pub(super) fn block_frame(block: &Block) -> Value {
    let ids: Vec<&str> = block.transactions.iter().map(|trx| &*trx.id).collect();
    json!({
        "block_id": block.id,
        "previous": block.previous,
        "timestamp": time(block.timestamp),
        "witness": WITNESS,
        "witness_signature": "00",
        "signing_key": MEMO_KEY,
        "transaction_merkle_root": "0000000000000000000000000000000000000000",
        "extensions": [],
        "transaction_ids": ids,
    })
}

/// The fields of a transaction in both forms.
pub(super) fn transaction_frame(trx: &Transaction) -> Value {
    json!({
        "ref_block_num": trx.ref_block_num,
        "ref_block_prefix": trx.ref_block_prefix,
        "expiration": time(trx.expiration),
        "extensions": [],
        "signatures": [],
    })
}

/// Micro-VESTS in the form of nodes: `1000000.000000 VESTS`.
fn vests(micro: i64) -> String {
    format!("{}.{:06} VESTS", micro / 1_000_000, micro % 1_000_000)
}

/// A manabar. Like hived, writes large numbers as strings and small ones as numbers.
fn manabar(bar: &Manabar) -> Value {
    let current = match u32::try_from(bar.current) {
        Ok(small) => json!(small),
        Err(_) => json!(bar.current.to_string()),
    };
    json!({"current_mana": current, "last_update_time": bar.updated.timestamp()})
}

fn extend(value: &mut Value, more: Value) {
    if let (Value::Object(into), Value::Object(more)) = (value, more) {
        into.extend(more);
    }
}

pub(super) fn post_id(author: &Value, permlink: &Value) -> Result<PostId, RpcError> {
    let author = text(author, "author")?;
    let permlink = text(permlink, "permlink")?;
    Ok(PostId::new(Account::from_chain(author), permlink))
}

pub(super) fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, RpcError> {
    value
        .as_str()
        .ok_or_else(|| RpcError::invalid_params(&format!("{name} must be a string")))
}

/// A limit up to 100, by default 20.
pub(super) fn limit(value: &Value) -> usize {
    let limit = value.as_u64().unwrap_or(20).min(100);
    usize::try_from(limit).unwrap_or(100)
}
