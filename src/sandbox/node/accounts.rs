//! Accounts, whom they follow and their resource credits.

use serde_json::{Value, json};

use super::condenser::text;
use super::rpc::RpcError;
use super::{View, constants};
use crate::account::Account;
use crate::sandbox::chain::account::manabar;
use crate::sandbox::chain::asset::with_nai;
use crate::sandbox::chain::state::Manabar;

/// Most names in one call.
const MAX_NAMES: usize = 1000;

impl View<'_> {
    /// The methods of `condenser_api` about accounts, and those without arguments.
    pub(super) fn condenser_accounts(&self, name: &str, params: &Value) -> Result<Value, RpcError> {
        match name {
            "get_accounts" => Ok(Value::Array(self.accounts(&params[0])?)),
            "lookup_account_names" => self.accounts_or_null(&params[0]),
            "lookup_accounts" => {
                let start = text(&params[0], "lower_bound_name")?;
                Ok(json!(self.names_from(start, limit(&params[1], 1000))))
            }
            "get_account_count" => Ok(json!(self.chain.account_names().count())),
            "get_followers" | "get_following" => {
                let account = text(&params[0], "account")?;
                let what = params[2].as_str().filter(|what| !what.is_empty());
                let (what, start) = (
                    what.unwrap_or("blog"),
                    params[1].as_str().unwrap_or_default(),
                );
                let (follows, other) = match name {
                    "get_followers" => (self.followers(account, what), "follower"),
                    _ => (self.following(account, what), "following"),
                };
                let follows = follows.into_iter();
                let after = follows.filter(|follow| follow[other].as_str() > Some(start));
                Ok(after.take(limit(&params[3], 1000)).collect())
            }
            "get_follow_count" => {
                let account = text(&params[0], "account")?;
                Ok(json!({
                    "account": account,
                    "follower_count": self.followers(account, "blog").len(),
                    "following_count": self.following(account, "blog").len(),
                }))
            }
            _ => constants::condenser(self.chain.kind(), self.head, name)
                .ok_or_else(|| RpcError::UnknownMethod(name.to_owned())),
        }
    }

    /// `rc_api`.
    pub(super) fn rc_api(&self, name: &str, params: &Value) -> Result<Value, RpcError> {
        match name {
            "find_rc_accounts" => self.credits(&params["accounts"]),
            _ => constants::credits(name).ok_or_else(|| RpcError::UnknownMethod(name.to_owned())),
        }
    }

    /// The known accounts among `names`.
    pub(super) fn accounts(&self, names: &Value) -> Result<Vec<Value>, RpcError> {
        let names = self.names(names)?;
        let known = names
            .iter()
            .filter_map(|name| self.chain.account_json(name));
        Ok(known.collect())
    }

    /// `lookup_account_names`: null for an unknown account.
    fn accounts_or_null(&self, names: &Value) -> Result<Value, RpcError> {
        let names = self.names(names)?;
        Ok(names
            .iter()
            .map(|name| self.chain.account_json(name))
            .collect())
    }

    fn names(&self, names: &Value) -> Result<Vec<Account>, RpcError> {
        let names = names
            .as_array()
            .ok_or_else(|| RpcError::InvalidParams("names must be an array".to_owned()))?;
        if names.len() > MAX_NAMES {
            return Err(RpcError::Assertion(
                "names.size() <= 1000",
                "Cannot get more than 1000 accounts",
            ));
        }
        let names = names.iter().filter_map(Value::as_str);
        Ok(names.map(Account::from_chain).collect())
    }

    /// Up to `limit` names of accounts from `start` on, in alphabetical order.
    pub(super) fn names_from(&self, start: &str, limit: usize) -> Vec<&Account> {
        let names = self.chain.account_names();
        let mut names: Vec<&Account> = names.filter(|name| name.as_str() >= start).collect();
        names.sort_unstable();
        names.truncate(limit);
        names
    }

    fn followers(&self, name: &str, what: &str) -> Vec<Value> {
        let name = Account::from_chain(name);
        let everybody = self.names_from("", usize::MAX).into_iter();
        let followers = everybody.filter(|follower| {
            let account = self.chain.account(follower);
            let how = account.and_then(|account| account.following.get(&name));
            how.is_some_and(|how| how == what)
        });
        followers
            .map(|follower| follow(follower, &name, what))
            .collect()
    }

    fn following(&self, name: &str, what: &str) -> Vec<Value> {
        let name = Account::from_chain(name);
        let account = self.chain.account(&name).into_iter();
        let following = account.flat_map(|account| &account.following);
        let following = following.filter(|(_, how)| *how == what);
        following
            .map(|(followed, _)| follow(&name, followed, what))
            .collect()
    }

    /// `rc_api.find_rc_accounts`.
    fn credits(&self, names: &Value) -> Result<Value, RpcError> {
        let names = self.names(names)?;
        let known = names.iter().filter_map(|name| {
            let account = self.chain.account(name)?;
            let max = account.vesting_shares.saturating_add(2_020_748_973);
            let bar = Manabar {
                current: account.credits.min(max),
                updated: self.chain.head().timestamp,
            };
            Some(json!({
                "account": name,
                "rc_manabar": manabar(&bar),
                "max_rc_creation_adjustment": with_nai(json!("2020.748973 VESTS")),
                "max_rc": max,
                "delegated_rc": 0,
                "received_delegated_rc": 0,
            }))
        });
        Ok(json!({"rc_accounts": known.collect::<Vec<_>>()}))
    }
}

/// An account in the form of `database_api`. The texts of its owner keep their form.
pub(super) fn database_account(mut account: Value) -> Value {
    let texts = ["json_metadata", "posting_json_metadata"].map(|name| (name, account[name].take()));
    let mut account = with_nai(account);
    for (name, text) in texts {
        account[name] = text;
    }
    account
}

fn follow(follower: &Account, following: &Account, what: &str) -> Value {
    json!({"follower": follower, "following": following, "what": [what]})
}

/// A limit up to `most`, which is also its preset.
pub(super) fn limit(value: &Value, most: u64) -> usize {
    let limit = value.as_u64().unwrap_or(most).min(most);
    usize::try_from(limit).unwrap_or(usize::MAX)
}
