//! An account in the form of `condenser_api`, which signers pass on.

use serde_json::{Map, Value, json};

use super::Chain;
use super::operation::{MEMO_KEY, authority, time};
use super::state::{AccountState, Manabar};
use crate::account::Account;
use crate::network::ChainKind;

impl Chain {
    /// An account in the form of `condenser_api`.
    pub fn account_json(&self, name: &Account) -> Option<Value> {
        let account = self.account(name)?;
        let parts = [
            profile(name, account),
            self.balances(account),
            voting(account),
            unused(),
        ];
        let fields = parts.into_iter().filter_map(|part| match part {
            Value::Object(fields) => Some(fields),
            _ => None,
        });
        Some(fields.flatten().collect::<Map<_, _>>().into())
    }

    /// The amounts of an account, and moments, whose names differ between the chains.
    fn balances(&self, account: &AccountState) -> Value {
        let (coin, dollar) = match self.kind() {
            ChainKind::Hive => ("hive", "hbd"),
            ChainKind::Steem => ("steem", "sbd"),
        };
        let amount = |thousandths: i64, symbol: &str| {
            let (whole, rest) = (thousandths / 1000, thousandths % 1000);
            json!(format!("{whole}.{rest:03} {}", symbol.to_uppercase()))
        };
        let created = time(account.created);
        let named = [
            ("balance".to_owned(), amount(account.coins, coin)),
            ("savings_balance".to_owned(), amount(0, coin)),
            ("vesting_balance".to_owned(), amount(0, coin)),
            (format!("{dollar}_balance"), amount(account.dollars, dollar)),
            (format!("savings_{dollar}_balance"), amount(0, dollar)),
            (
                format!("reward_{dollar}_balance"),
                amount(account.rewards.dollars, dollar),
            ),
            (
                format!("reward_{coin}_balance"),
                amount(account.rewards.coins, coin),
            ),
            (
                format!("reward_vesting_{coin}"),
                amount(account.rewards.vests / 1_800_000, coin),
            ),
            (format!("{dollar}_seconds"), json!("0")),
            (format!("{dollar}_seconds_last_update"), json!(created)),
            (format!("{dollar}_last_interest_payment"), json!(created)),
            (format!("savings_{dollar}_seconds"), json!("0")),
            (
                format!("savings_{dollar}_seconds_last_update"),
                json!(created),
            ),
            (
                format!("savings_{dollar}_last_interest_payment"),
                json!(created),
            ),
        ];
        named.into_iter().collect::<Map<_, _>>().into()
    }
}

fn profile(name: &Account, account: &AccountState) -> Value {
    let created = time(account.created);
    json!({
        "id": account.id,
        "name": name,
        "owner": authority(&[]),
        "active": authority(&[]),
        "posting": authority(&account.posting),
        "memo_key": MEMO_KEY,
        "json_metadata": account.json_metadata,
        "posting_json_metadata": account.posting_json_metadata,
        "created": created,
        "last_account_update": created,
        "last_owner_update": created,
        "last_account_recovery": created,
        "last_post": created,
        "last_root_post": created,
        "post_count": account.post_count,
        "recovery_account": "",
        "reset_account": "null",
        "reputation": 0,
    })
}

fn voting(account: &AccountState) -> Value {
    let max = i128::from(account.vesting_shares.max(1));
    json!({
        "can_vote": account.can_vote,
        "vesting_shares": vests(account.vesting_shares),
        "reward_vesting_balance": vests(account.rewards.vests),
        "voting_manabar": manabar(&account.voting),
        "downvote_manabar": manabar(&account.downvote),
        "voting_power": i128::from(account.voting.current) * 10_000 / max,
        "last_vote_time": time(account.last_vote),
    })
}

/// Fields of what the sandbox has not: delegations, withdrawals, witnesses.
fn unused() -> Value {
    json!({
        "delegated_vesting_shares": vests(0),
        "received_vesting_shares": vests(0),
        "vesting_withdraw_rate": vests(0),
        "post_voting_power": vests(0),
        "to_withdraw": 0,
        "withdrawn": 0,
        "withdraw_routes": 0,
        "next_vesting_withdrawal": "1969-12-31T23:59:59",
        "governance_vote_expiration_ts": "1969-12-31T23:59:59",
        "comment_count": 0,
        "curation_rewards": 0,
        "posting_rewards": 0,
        "lifetime_vote_count": 0,
        "mined": false,
        "delayed_votes": [],
        "open_recurrent_transfers": 0,
        "pending_claimed_accounts": 0,
        "pending_transfers": 0,
        "previous_owner_update": "1970-01-01T00:00:00",
        "proxied_vsf_votes": [0, 0, 0, 0],
        "proxy": "",
        "savings_withdraw_requests": 0,
        "witness_votes": [],
        "witnesses_voted_for": 0,
    })
}

/// Micro-VESTS in the form of nodes: `1000000.000000 VESTS`.
fn vests(micro: i64) -> String {
    format!("{}.{:06} VESTS", micro / 1_000_000, micro % 1_000_000)
}

/// A manabar. Like hived, writes large numbers as strings and small ones as numbers.
pub fn manabar(bar: &Manabar) -> Value {
    let current = match u32::try_from(bar.current) {
        Ok(small) => json!(small),
        Err(_) => json!(bar.current.to_string()),
    };
    json!({"current_mana": current, "last_update_time": bar.updated.timestamp()})
}
