//! The APIs that nodes of Hive have besides `condenser_api`, but for `rc_api`.

use serde_json::{Value, json};

use super::accounts::{database_account, limit};
use super::condenser::{header, number, post_id, text};
use super::history::filter;
use super::rpc::RpcError;
use super::{View, constants};
use crate::sandbox::chain::asset::with_nai;
use crate::sandbox::chain::operation::{Form, parent_fields, time};
use crate::sandbox::chain::state::PostState;

impl View<'_> {
    pub(super) fn block_api(&self, name: &str, params: &Value) -> Result<Value, RpcError> {
        match name {
            "get_block" => {
                let num = number(&params["block_num"], "block_num")?;
                Ok(self.block(num).map_or_else(
                    || json!({}),
                    |block| json!({"block": self.block_json(block, Form::BlockApi)}),
                ))
            }
            "get_block_header" => {
                let block = self.block(number(&params["block_num"], "block_num")?);
                Ok(block.map_or_else(|| json!({}), |block| json!({"header": header(block)})))
            }
            "get_block_range" if self.has_block_range => {
                let start = number(&params["starting_block_num"], "starting_block_num")?;
                let count = number(&params["count"], "count")?;
                if !(1..=1000).contains(&count) {
                    return Err(RpcError::Assertion(
                        "count > 0 && count <= 1000",
                        "You can request at most 1000 blocks",
                    ));
                }
                let blocks: Vec<Value> = (start..start.saturating_add(count))
                    .map_while(|num| self.block(num))
                    .map(|block| self.block_json(block, Form::BlockApi))
                    .collect();
                Ok(json!({"blocks": blocks}))
            }
            _ => Err(RpcError::UnknownMethod(name.to_owned())),
        }
    }

    pub(super) fn database_api(&self, name: &str, params: &Value) -> Result<Value, RpcError> {
        match name {
            "find_comments" => {
                let names = params["comments"]
                    .as_array()
                    .ok_or_else(|| RpcError::InvalidParams("comments must be an array".into()))?;
                let mut comments = Vec::new();
                for pair in names {
                    let id = post_id(&pair[0], &pair[1])?;
                    if let Some(post) = self.chain.post(&id) {
                        let (parent_author, parent_permlink) =
                            parent_fields(post.parent.as_ref(), &post.category);
                        comments.push(json!({
                            "id": post.id,
                            "author": id.author,
                            "permlink": id.permlink,
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
                let post = self.chain.post(&id);
                let votes: Vec<Value> = post
                    .map_or(&[][..], PostState::votes)
                    .iter()
                    .map(|vote| {
                        json!({
                            "voter": vote.voter,
                            "author": id.author,
                            "permlink": id.permlink,
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
            "get_dynamic_global_properties" => Ok(with_nai(self.properties())),
            "find_accounts" => {
                let accounts = self.accounts(&params["accounts"])?.into_iter();
                let accounts: Vec<Value> = accounts.map(database_account).collect();
                Ok(json!({"accounts": accounts}))
            }
            "list_accounts" => {
                let start = text(&params["start"], "start")?;
                let names = self.names_from(start, limit(&params["limit"], 1000));
                let accounts = names
                    .into_iter()
                    .filter_map(|name| self.chain.account_json(name));
                let accounts: Vec<Value> = accounts.map(database_account).collect();
                Ok(json!({"accounts": accounts}))
            }
            _ => constants::database(self.chain.kind(), self.head, name)
                .ok_or_else(|| RpcError::UnknownMethod(name.to_owned())),
        }
    }

    pub(super) fn account_history_api(
        &self,
        name: &str,
        params: &Value,
    ) -> Result<Value, RpcError> {
        match name {
            "get_ops_in_block" => {
                let num = number(&params["block_num"], "block_num")?;
                let only_virtual = params["only_virtual"].as_bool().unwrap_or_default();
                let operations = self.operations_in_block(num, only_virtual, Form::BlockApi);
                Ok(json!({"ops": operations}))
            }
            "get_transaction" => self.transaction(text(&params["id"], "id")?, Form::BlockApi),
            "get_account_history" => {
                let account = text(&params["account"], "account")?;
                let (low, high) = ("operation_filter_low", "operation_filter_high");
                let filter = filter(&params[low], &params[high]);
                let (start, limit) = (&params["start"], &params["limit"]);
                let history = self.history(account, start, limit, filter, Form::BlockApi)?;
                Ok(json!({"history": history}))
            }
            _ => Err(RpcError::UnknownMethod(name.to_owned())),
        }
    }

    pub(super) fn transaction_status_api(
        &self,
        name: &str,
        params: &Value,
    ) -> Result<Value, RpcError> {
        match name {
            "find_transaction" => {
                let id = text(&params["transaction_id"], "transaction_id")?;
                Ok(self.transaction_status(id))
            }
            _ => Err(RpcError::UnknownMethod(name.to_owned())),
        }
    }

    pub(super) fn bridge(&self, name: &str, params: &Value) -> Result<Value, RpcError> {
        match name {
            "get_account_posts" => {
                let author = text(&params["account"], "account")?;
                let start = &params["start_permlink"];
                let newest = match params["sort"].as_str() {
                    Some("blog") => self.blog(author, start, &params["limit"]),
                    _ => self.newest_posts(author, start, &params["limit"]),
                };
                let posts = newest.iter().filter_map(|name| {
                    let post = self.chain.post(name)?;
                    Some(self.bridge_post(name, post))
                });
                Ok(posts.collect())
            }
            "get_post" => {
                let id = post_id(&params["author"], &params["permlink"])?;
                let Some(post) = self.chain.post(&id) else {
                    let text = format!("Post {}/{} does not exist", id.author, id.permlink);
                    return Err(RpcError::InvalidParams(text));
                };
                Ok(self.bridge_post(&id, post))
            }
            _ => Err(RpcError::UnknownMethod(name.to_owned())),
        }
    }
}
