//! `condenser_api`, which both chains have.

use serde_json::{Value, json};

use super::View;
use super::content::object;
use super::rpc::RpcError;
use crate::account::Account;
use crate::network::ChainKind;
use crate::post::PostId;
use crate::sandbox::chain::block::Block;
use crate::sandbox::chain::operation::{Form, MEMO_KEY, time};
use crate::sandbox::chain::state::{AccountState, Manabar};

/// Most names in one call.
const MAX_NAMES: usize = 1000;

impl View<'_> {
    pub(super) fn condenser(&self, name: &str, params: &Value) -> Result<Value, RpcError> {
        match name {
            "get_dynamic_global_properties" => Ok(self.properties()),
            "get_block" => {
                let Some(num) = params[0].as_u64() else {
                    let text = "block_num must be a number".to_owned();
                    return Err(RpcError::InvalidParams(text));
                };
                let block = self.block(num);
                Ok(block.map_or(Value::Null, |block| {
                    self.block_json(block, Form::CondenserApi)
                }))
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
                let newest = self.newest_posts(author, &Value::Null, &params[0]["limit"]);
                Ok(newest.iter().map(|post| self.content(post)).collect())
            }
            "get_discussions_by_author_before_date" => {
                let author = text(&params[0], "author")?;
                let newest = self.newest_posts(author, &params[1], &params[3]);
                Ok(newest.iter().map(|post| self.content(post)).collect())
            }
            "get_config" => Ok(self.config()),
            "get_version" => Ok(self.version()),
            _ => Err(RpcError::UnknownMethod(name.to_owned())),
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
        let start = start.as_str().filter(|permlink| !permlink.is_empty());
        let limit = limit.as_u64().unwrap_or(20).min(100);
        let posts = self.chain.account(&author).map(|account| &account.posts);
        let newest = posts.into_iter().flatten().rev();
        newest
            .skip_while(|permlink| start.is_some_and(|start| ***permlink != *start))
            .take(limit as usize)
            .map(|permlink| PostId::new(author.clone(), permlink))
            .collect()
    }

    fn properties(&self) -> Value {
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

    pub(super) fn block_json(&self, block: &Block, form: Form) -> Value {
        let kind = self.chain.kind();
        let mut transactions = Vec::new();
        for (index, trx) in block.transactions.iter().enumerate() {
            let operations = trx
                .operations
                .iter()
                .map(|operation| operation.json(kind, form));
            let mut transaction = json!({
                "ref_block_num": trx.ref_block_num,
                "ref_block_prefix": trx.ref_block_prefix,
                "expiration": time(trx.expiration),
                "operations": operations.collect::<Vec<_>>(),
                "extensions": [],
                "signatures": [],
            });
            if form == Form::CondenserApi {
                transaction["transaction_id"] = json!(trx.id);
                transaction["block_num"] = json!(block.num);
                transaction["transaction_num"] = json!(index);
            }
            transactions.push(transaction);
        }
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
            "transactions": transactions,
            "transaction_ids": ids,
        })
    }

    fn condenser_accounts(&self, names: &Value) -> Result<Value, RpcError> {
        let Some(names) = names.as_array() else {
            return Err(RpcError::InvalidParams("names must be an array".to_owned()));
        };
        if names.len() > MAX_NAMES {
            return Err(RpcError::Assertion(
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
        let max = i128::from(account.vesting_shares.max(1));
        let mut value = object(account.json(name));
        value.extend(object(match self.chain.kind() {
            ChainKind::Hive => json!({"hbd_balance": "0.000 HBD", "balance": "1.000 HIVE"}),
            ChainKind::Steem => json!({"sbd_balance": "0.000 SBD", "balance": "1.000 STEEM"}),
        }));
        value.extend(object(json!({
            "json_metadata": "",
            "posting_json_metadata": "",
            "can_vote": account.can_vote,
            "vesting_shares": vests(account.vesting_shares),
            "delegated_vesting_shares": vests(0),
            "received_vesting_shares": vests(0),
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
        })));
        Value::Object(value)
    }

    fn config(&self) -> Value {
        let (prefix, id) = match self.chain.kind() {
            ChainKind::Hive => ("HIVE", "beeab0de"),
            ChainKind::Steem => ("STEEM", ""),
        };
        let name = |name: &str| format!("{prefix}_{name}");
        json!({
            name("BLOCK_INTERVAL"): 3,
            name("CHAIN_ID"): format!("{id:0<64}"),
            name("VOTING_MANA_REGENERATION_SECONDS"): 432_000,
            name("CASHOUT_WINDOW_SECONDS"): 604_800,
            name("UPVOTE_LOCKOUT_SECONDS"): 43_200,
        })
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

pub(super) fn post_id(author: &Value, permlink: &Value) -> Result<PostId, RpcError> {
    let author = text(author, "author")?;
    let permlink = text(permlink, "permlink")?;
    Ok(PostId::new(Account::from_chain(author), permlink))
}

pub(super) fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, RpcError> {
    let text = value.as_str();
    text.ok_or_else(|| RpcError::InvalidParams(format!("{name} must be a string")))
}
