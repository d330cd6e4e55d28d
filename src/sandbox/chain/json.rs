//! The effect of operations that are kept as JSON: `custom_json`, `claim_reward_balance`,
//! `account_update` and `account_update2`. All others have none.

use serde_json::Value;

use super::Chain;
use super::operation::Operation;
use super::refusal::Refusal;
use super::state::AccountState;
use crate::account::Account;
use crate::post::PostId;

impl Chain {
    pub(super) fn apply_json(&mut self, name: &str, value: &Value) -> Result<(), Refusal> {
        match name {
            "custom_json" => {
                self.custom_json(value);
                Ok(())
            }
            "claim_reward_balance" => claim(self.account_of(value)?, value),
            "account_update" | "account_update2" => {
                update(self.account_of(value)?, value);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn account_of(&mut self, value: &Value) -> Result<&mut AccountState, Refusal> {
        self.account_mut(&account(&value["account"]))
    }

    /// Like hivemind, passes over what it does not understand.
    fn custom_json(&mut self, value: &Value) {
        let json: Value = match (value["id"].as_str(), value["json"].as_str()) {
            (Some("follow"), Some(json)) => serde_json::from_str(json).unwrap_or_default(),
            _ => return,
        };
        let (action, fields) = (json[0].as_str().unwrap_or_default(), &json[1]);
        let who = match action {
            "follow" => &fields["follower"],
            "reblog" => &fields["account"],
            _ => return,
        };
        if *who != value["required_posting_auths"][0] {
            return;
        }
        let now = self.head().timestamp;
        let Ok(who) = self.account_mut(&account(who)) else {
            return;
        };
        if action == "follow" {
            let what = fields["what"][0].as_str().unwrap_or_default();
            let names = match &fields["following"] {
                Value::Array(names) => names.as_slice(),
                name => std::slice::from_ref(name),
            };
            for name in names.iter().map(account) {
                match what {
                    "" => who.following.remove(&name),
                    what => who.following.insert(name, what.to_owned()),
                };
            }
        } else if let Some(permlink) = fields["permlink"].as_str() {
            let post = PostId::new(account(&fields["author"]), permlink);
            who.reblogs.retain(|(_, reblogged)| *reblogged != post);
            if fields["delete"].is_null() {
                who.reblogs.push((now, post));
            }
        }
    }
}

/// Whether an operation changes what posting authority cannot change: metadata other than those of
/// posting, keys and authorities.
pub(super) fn needs_active_authority(operation: &Operation) -> bool {
    let Operation::Other { name, value } = operation else {
        return false;
    };
    let metadata = value["json_metadata"].as_str().unwrap_or_default();
    let others = ["owner", "active", "posting", "memo_key"];
    name == "account_update2"
        && (!metadata.is_empty() || others.iter().any(|field| !value[field].is_null()))
}

/// Moves rewards to the balances.
fn claim(account: &mut AccountState, value: &Value) -> Result<(), Refusal> {
    let amount = |names: &[&str]| {
        let text = names.iter().find_map(|name| value[name].as_str());
        let (number, _) = text
            .and_then(|text| text.split_once(' '))
            .unwrap_or_default();
        number.replace('.', "").parse::<i64>().unwrap_or_default()
    };
    let coins = amount(&["reward_hive", "reward_steem"]);
    let dollars = amount(&["reward_hbd", "reward_sbd"]);
    let vests = amount(&["reward_vests"]);
    let there = &account.rewards;
    if coins < 0 || dollars < 0 || vests < 0 {
        return Err(Refusal::Claim(
            "reward.amount >= 0: Cannot claim a negative amount",
        ));
    }
    if coins == 0 && dollars == 0 && vests == 0 {
        return Err(Refusal::Claim("reward.amount > 0: Must claim something."));
    }
    if coins > there.coins || dollars > there.dollars || vests > there.vests {
        return Err(Refusal::Claim(
            "op.reward <= acnt.reward_balance: Cannot claim that much.",
        ));
    }
    account.rewards.coins -= coins;
    account.rewards.dollars -= dollars;
    account.rewards.vests -= vests;
    account.coins += coins;
    account.dollars += dollars;
    account.vesting_shares += vests;
    Ok(())
}

/// Changes metadata and the accounts with posting authority. Fields that are missing or empty change
/// nothing.
fn update(account: &mut AccountState, value: &Value) {
    let text = |name: &str| value[name].as_str().filter(|text| !text.is_empty());
    if let Some(metadata) = text("json_metadata") {
        account.json_metadata = metadata.to_owned();
    }
    if let Some(metadata) = text("posting_json_metadata") {
        account.posting_json_metadata = metadata.to_owned();
    }
    if let Some(posting) = value["posting"]["account_auths"].as_array() {
        let names = posting.iter().filter_map(|pair| pair[0].as_str());
        account.posting = names.map(Account::from_chain).collect();
    }
}

fn account(name: &Value) -> Account {
    Account::from_chain(name.as_str().unwrap_or_default())
}
