//! `block_api`, `database_api` and `bridge`, which nodes of Hive have besides `condenser_api`.

use serde_json::{Value, json};

use super::condenser::{block_frame, limit, post_id, text, transaction_frame};
use super::content::parent;
use super::rpc::RpcError;
use super::{View, time};
use crate::sandbox::chain::block::{Block, Transaction};

impl View<'_> {
    pub(super) fn block_api(&self, name: &str, params: &Value) -> Result<Value, RpcError> {
        match name {
            "get_block" => {
                let num = number(&params["block_num"], "block_num")?;
                let block = self.block(num).map(|block| self.api_block(block));
                Ok(block.map_or_else(|| json!({}), |block| json!({"block": block})))
            }
            "get_block_range" if self.has_block_range => {
                let start = number(&params["starting_block_num"], "starting_block_num")?;
                let count = number(&params["count"], "count")?;
                if !(1..=1000).contains(&count) {
                    return Err(RpcError::assertion(
                        "count > 0 && count <= 1000",
                        "You can request at most 1000 blocks",
                    ));
                }
                let blocks: Vec<Value> = (start..start.saturating_add(count))
                    .map_while(|num| self.block(num))
                    .map(|block| self.api_block(block))
                    .collect();
                Ok(json!({"blocks": blocks}))
            }
            _ => Err(RpcError::unknown_method(name)),
        }
    }

    pub(super) fn database_api(&self, name: &str, params: &Value) -> Result<Value, RpcError> {
        match name {
            "find_comments" => {
                let names = params["comments"]
                    .as_array()
                    .ok_or_else(|| RpcError::invalid_params("comments must be an array"))?;
                let mut comments = Vec::new();
                for pair in names {
                    let id = post_id(&pair[0], &pair[1])?;
                    if let Some(post) = self.chain.post(&id) {
                        let (parent_author, parent_permlink) = parent(post);
                        comments.push(json!({
                            "id": post.id,
                            "author": id.author.as_str(),
                            "permlink": &*id.permlink,
                            "parent_author": parent_author,
                            "parent_permlink": parent_permlink,
                            "created": time(post.created),
                            "last_update": time(post.edited),
                            "cashout_time": time(post.cashout()),
                            "net_rshares": post.net_rshares(),
                            "allow_votes": post.allow_votes,
                            "children": post.children,
                        }));
                    }
                }
                Ok(json!({"comments": comments}))
            }
            "find_votes" => {
                let id = post_id(&params["author"], &params["permlink"])?;
                let votes: Vec<Value> = self
                    .chain
                    .post(&id)
                    .into_iter()
                    .flat_map(|post| post.votes())
                    .map(|vote| {
                        json!({
                            "voter": vote.voter.as_str(),
                            "author": id.author.as_str(),
                            "permlink": &*id.permlink,
                            "weight": vote.rshares.max(0),
                            "rshares": vote.rshares,
                            "vote_percent": vote.weight,
                            "last_update": time(vote.time),
                            "num_changes": vote.changes,
                        })
                    })
                    .collect();
                Ok(json!({"votes": votes}))
            }
            _ => Err(RpcError::unknown_method(name)),
        }
    }

    pub(super) fn bridge(&self, name: &str, params: &Value) -> Result<Value, RpcError> {
        match name {
            "get_account_posts" => {
                let author = text(&params["account"], "account")?;
                let start = params["start_permlink"]
                    .as_str()
                    .filter(|text| !text.is_empty());
                let newest = self.newest_posts(author, start, limit(&params["limit"]));
                let posts = newest.iter().filter_map(|name| {
                    let post = self.chain.post(name)?;
                    Some(self.bridge_post(name, post))
                });
                Ok(posts.collect())
            }
            "get_post" => {
                let id = post_id(&params["author"], &params["permlink"])?;
                let post = self.chain.post(&id).ok_or_else(|| {
                    RpcError::invalid_params(&format!(
                        "Post {}/{} does not exist",
                        id.author, id.permlink
                    ))
                })?;
                Ok(self.bridge_post(&id, post))
            }
            _ => Err(RpcError::unknown_method(name)),
        }
    }

    fn api_block(&self, block: &Block) -> Value {
        let transactions: Vec<Value> = block
            .transactions
            .iter()
            .map(|trx| self.api_transaction(trx))
            .collect();
        let mut value = block_frame(block);
        value["transactions"] = Value::Array(transactions);
        value
    }

    fn api_transaction(&self, trx: &Transaction) -> Value {
        let kind = self.chain.kind();
        let operations: Vec<Value> = trx.operations.iter().map(|op| op.block_api(kind)).collect();
        let mut value = transaction_frame(trx);
        value["operations"] = Value::Array(operations);
        value
    }
}

fn number(value: &Value, name: &str) -> Result<u64, RpcError> {
    value
        .as_u64()
        .ok_or_else(|| RpcError::invalid_params(&format!("{name} must be a number")))
}
