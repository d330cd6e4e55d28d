//! Answers that do not depend on what happens on the chain: configuration, prices, witnesses, funds and
//! the parameters of resource credits.

use serde_json::{Value, json};

use crate::network::ChainKind;
use crate::sandbox::chain::asset::with_nai;

/// The witness of all blocks.
pub(super) const WITNESS: &str = "witness.sandbox";

/// Names of the resources that resource credits pay for.
const RESOURCES: [&str; 5] = [
    "resource_history_bytes",
    "resource_new_accounts",
    "resource_market_bytes",
    "resource_state_bytes",
    "resource_execution_time",
];

/// The answer of `condenser_api` to a method without arguments; `None` if it has no such method.
pub(super) fn condenser(kind: ChainKind, head: u32, name: &str) -> Option<Value> {
    Some(match name {
        "get_config" => config(kind),
        "get_version" => version(kind),
        "get_chain_properties" => chain_properties(kind),
        "get_witness_schedule" => witness_schedule(kind, head),
        "get_feed_history" => feed_history(kind),
        "get_current_median_history_price" => price(kind),
        "get_reward_fund" => reward_fund(kind),
        "get_hardfork_version" => json!(hardfork(kind)),
        _ => return None,
    })
}

/// The same of `database_api`.
pub(super) fn database(kind: ChainKind, head: u32, name: &str) -> Option<Value> {
    Some(match name {
        "get_config" => config(kind),
        "get_version" => version(kind),
        "get_hardfork_properties" => hardfork_properties(kind),
        "get_witness_schedule" => with_nai(witness_schedule(kind, head)),
        "get_feed_history" => with_nai(feed_history(kind)),
        "get_current_price_feed" => with_nai(price(kind)),
        "get_reward_funds" => with_nai(json!({"funds": [reward_fund(kind)]})),
        _ => return None,
    })
}

/// The same of `rc_api`.
pub(super) fn credits(name: &str) -> Option<Value> {
    Some(match name {
        "get_resource_params" => resource_params(),
        "get_resource_pool" => resource_pool(),
        _ => return None,
    })
}

/// `get_config`, equal in `condenser_api` and `database_api`.
fn config(kind: ChainKind) -> Value {
    let (prefix, id, coin, dollar) = match kind {
        ChainKind::Hive => ("HIVE", HIVE_ID, "HIVE", "HBD"),
        ChainKind::Steem => ("STEEM", STEEM_ID, "STEEM", "SBD"),
    };
    let symbol = |nai: &str, decimals| json!({"nai": nai, "decimals": decimals});
    let chain = [
        ("100_PERCENT", json!(10_000)),
        ("1_PERCENT", json!(100)),
        ("ADDRESS_PREFIX", json!("STM")),
        ("BLOCKCHAIN_VERSION", json!(version_number(kind))),
        ("BLOCK_INTERVAL", json!(3)),
        ("CASHOUT_WINDOW_SECONDS", json!(604_800)),
        ("CHAIN_ID", json!(id)),
        ("MAX_ACCOUNT_NAME_LENGTH", json!(16)),
        ("MAX_PERMLINK_LENGTH", json!(256)),
        ("MAX_TIME_UNTIL_EXPIRATION", json!(3600)),
        ("MIN_ACCOUNT_NAME_LENGTH", json!(3)),
        ("UPVOTE_LOCKOUT_SECONDS", json!(43_200)),
        ("VOTING_MANA_REGENERATION_SECONDS", json!(432_000)),
    ];
    chain
        .into_iter()
        .map(|(name, value)| (format!("{prefix}_{name}"), value))
        .chain([
            ("IS_TEST_NET".to_owned(), json!(false)),
            (format!("{coin}_SYMBOL"), symbol("@@000000021", 3)),
            (format!("{dollar}_SYMBOL"), symbol("@@000000013", 3)),
            ("VESTS_SYMBOL".to_owned(), symbol("@@000000037", 6)),
        ])
        .collect::<serde_json::Map<_, _>>()
        .into()
}

const HIVE_ID: &str = "beeab0de00000000000000000000000000000000000000000000000000000000";
const STEEM_ID: &str = "0000000000000000000000000000000000000000000000000000000000000000";

fn version_number(kind: ChainKind) -> &'static str {
    match kind {
        ChainKind::Hive => "1.28.7",
        ChainKind::Steem => "0.23.0",
    }
}

/// The version of the newest hard fork.
fn hardfork(kind: ChainKind) -> &'static str {
    match kind {
        ChainKind::Hive => "1.28.0",
        ChainKind::Steem => "0.23.0",
    }
}

/// `get_version`.
fn version(kind: ChainKind) -> Value {
    let (name, id) = match kind {
        ChainKind::Hive => ("hive_revision", HIVE_ID),
        ChainKind::Steem => ("steem_revision", STEEM_ID),
    };
    json!({
        "blockchain_version": version_number(kind),
        name: "sandbox",
        "fc_revision": "sandbox",
        "chain_id": id,
        "node_type": "mainnet",
    })
}

/// The price of a coin, in the form of `condenser_api`.
fn price(kind: ChainKind) -> Value {
    match kind {
        ChainKind::Hive => json!({"base": "0.300 HBD", "quote": "1.000 HIVE"}),
        ChainKind::Steem => json!({"base": "0.300 SBD", "quote": "1.000 STEEM"}),
    }
}

/// `get_feed_history`, in the form of `condenser_api`.
fn feed_history(kind: ChainKind) -> Value {
    let price = price(kind);
    json!({
        "id": 0,
        "current_median_history": price,
        "market_median_history": price,
        "current_min_history": price,
        "current_max_history": price,
        "price_history": [price],
    })
}

/// `get_chain_properties`, in the form of `condenser_api`.
fn chain_properties(kind: ChainKind) -> Value {
    let (fee, interest) = match kind {
        ChainKind::Hive => ("3.000 HIVE", "hbd_interest_rate"),
        ChainKind::Steem => ("3.000 STEEM", "sbd_interest_rate"),
    };
    json!({
        "account_creation_fee": fee,
        "maximum_block_size": 65_536,
        interest: 0,
        "account_subsidy_budget": 797,
        "account_subsidy_decay": 347_321,
    })
}

/// `get_witness_schedule`, in the form of `condenser_api`.
fn witness_schedule(kind: ChainKind, head: u32) -> Value {
    json!({
        "id": 0,
        "current_virtual_time": "0",
        "next_shuffle_block_num": (head / 21 + 1) * 21,
        "current_shuffled_witnesses": [WITNESS],
        "num_scheduled_witnesses": 1,
        "elected_weight": 1,
        "timeshare_weight": 5,
        "miner_weight": 1,
        "witness_pay_normalization_factor": 25,
        "median_props": chain_properties(kind),
        "majority_version": hardfork(kind),
        "max_voted_witnesses": 20,
        "max_miner_witnesses": 0,
        "max_runner_witnesses": 1,
        "hardfork_required_witnesses": 17,
    })
}

/// The fund that pays posts, in the form of `condenser_api`.
fn reward_fund(kind: ChainKind) -> Value {
    let balance = match kind {
        ChainKind::Hive => "700000.000 HIVE",
        ChainKind::Steem => "700000.000 STEEM",
    };
    json!({
        "id": 0,
        "name": "post",
        "reward_balance": balance,
        "recent_claims": "600000000000000000",
        "last_update": "2026-01-01T00:00:00",
        "content_constant": "2000000000000",
        "percent_curation_rewards": 5000,
        "percent_content_rewards": 10_000,
        "author_reward_curve": "linear",
        "curation_reward_curve": "linear",
    })
}

/// `get_hardfork_properties`.
fn hardfork_properties(kind: ChainKind) -> Value {
    json!({
        "id": 0,
        "processed_hardforks": ["1970-01-01T00:00:00"],
        "last_hardfork": 28,
        "current_hardfork_version": hardfork(kind),
        "next_hardfork": hardfork(kind),
        "next_hardfork_time": "1970-01-01T00:00:00",
    })
}

/// `rc_api.get_resource_params`.
fn resource_params() -> Value {
    let one = json!({
        "resource_dynamics_params": {
            "resource_unit": 1,
            "budget_per_time_unit": 43_403,
            "pool_eq": "27477487455",
            "max_pool_size": "54954974910",
            "decay_params": {"decay_per_time_unit": 3_613_026_481_u64, "decay_per_time_unit_denom_shift": 51},
            "min_decay": 0,
        },
        "price_curve_params": {"coeff_a": "12981647055416481792", "coeff_b": 1_690_658_703, "shift": 49},
    });
    let params: serde_json::Map<_, _> = RESOURCES
        .iter()
        .map(|&name| (name.to_owned(), one.clone()))
        .collect();
    json!({
        "resource_names": RESOURCES,
        "resource_params": params,
        "size_info": {
            "resource_state_bytes": {"transaction_base_size": 4_608, "comment_base_size": 22_080_000, "vote_size": 2_880_000},
            "resource_execution_time": {"transaction_time": 22_700, "vote_time": 23_800, "comment_time": 25_000},
        },
    })
}

/// `rc_api.get_resource_pool`.
fn resource_pool() -> Value {
    let pool: serde_json::Map<_, _> = RESOURCES
        .iter()
        .map(|&name| {
            let state = json!({"pool": "27000000000", "fill_level": 9826});
            (name.to_owned(), state)
        })
        .collect();
    json!({"resource_pool": pool})
}
