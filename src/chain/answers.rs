//! Parses answers of nodes other than blocks: head, posts and accounts.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::Error;

use crate::account::Account;
use crate::chain::content::Content;
use crate::chain::lenient::{Amount, Integer, Text, Time};
use crate::chain::mana::{AccountState, Manabar};
use crate::moment;
use crate::post::PostId;
use crate::weight::Weight;

/// The head of the chain (`condenser_api.get_dynamic_global_properties`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The number of the newest block.
    pub num: u32,
    /// The id of the newest block, 40 hex digits.
    pub id: String,
    /// The timestamp of the newest block.
    pub time: DateTime<Utc>,
    /// The number of the newest block that can no longer be undone.
    pub irreversible: u32,
}

type Answer<T> = Result<T, serde_json::Error>;

/// Reads `get_dynamic_global_properties`, as it can be at `now`.
pub(crate) fn head(json: &str, now: DateTime<Utc>) -> Answer<Head> {
    #[derive(Deserialize)]
    struct Raw {
        head_block_number: Integer,
        head_block_id: String,
        time: Time,
        last_irreversible_block_num: Integer,
    }
    let raw: Raw = serde_json::from_str(json)?;
    Ok(Head {
        num: block_number(raw.head_block_number),
        id: raw.head_block_id,
        time: moment::past("`time`", raw.time.0, now).map_err(Error::custom)?,
        irreversible: block_number(raw.last_irreversible_block_num),
    })
}

fn block_number(Integer(num): Integer) -> u32 {
    num.clamp(0, i64::from(u32::MAX)) as u32
}

/// Reads `get_content`, as it can be at `now`: `None` where the post does not exist.
pub(crate) fn content(json: &str, now: DateTime<Utc>) -> Answer<Option<Content>> {
    if matches!(json, "null" | "{}") {
        return Ok(None);
    }
    // A post that does not exist has an empty author; its other fields differ from node to node.
    let name: RawName = serde_json::from_str(json)?;
    if name.author.0.is_empty() {
        return Ok(None);
    }
    let raw: RawContent = serde_json::from_str(json)?;
    let past = |whose, Time(moment)| moment::past(whose, moment, now).map_err(Error::custom);
    let updated = raw.last_update.map(|time| past("`last_update`", time));
    let votes = raw.active_votes.unwrap_or_default();
    let votes = votes
        .iter()
        .map(|vote| (Account::from_chain(&vote.voter), vote.weight()))
        .collect();
    Ok(Some(Content {
        post: PostId::new(Account::from_chain(&name.author.0), &name.permlink.0),
        created: past("`created`", raw.created)?,
        last_update: updated.transpose()?,
        parent_author: raw.parent_author.0,
        parent_permlink: raw.parent_permlink.0,
        title: raw.title.0,
        body: raw.body.0,
        json_metadata: raw.json_metadata.0,
        pending_payout: raw.pending_payout_value.map_or(0, thousandths),
        // A node that omits it means the default of the chain: 1,000,000 HBD or SBD.
        max_accepted_payout: raw.max_accepted_payout.map_or(1_000_000_000, thousandths),
        allow_votes: raw.allow_votes.unwrap_or(true),
        votes,
    }))
}

fn thousandths(amount: Amount) -> i64 {
    amount.with_decimals(3)
}

#[derive(Deserialize)]
struct RawName {
    author: Text,
    #[serde(default)]
    permlink: Text,
}

#[derive(Deserialize)]
struct RawContent {
    created: Time,
    #[serde(default)]
    last_update: Option<Time>,
    #[serde(default)]
    parent_author: Text,
    #[serde(default)]
    parent_permlink: Text,
    #[serde(default)]
    title: Text,
    #[serde(default)]
    body: Text,
    #[serde(default)]
    json_metadata: Text,
    #[serde(default)]
    pending_payout_value: Option<Amount>,
    #[serde(default)]
    max_accepted_payout: Option<Amount>,
    #[serde(default)]
    allow_votes: Option<bool>,
    #[serde(default)]
    active_votes: Option<Vec<RawVote>>,
}

#[derive(Deserialize)]
struct RawVote {
    voter: String,
    #[serde(default)]
    percent: Option<Integer>,
    #[serde(default)]
    rshares: Option<Integer>,
}

impl RawVote {
    /// The weight. If the node omits it, ±100 % by the sign of the vote: that the vote exists matters
    /// more than its weight.
    fn weight(&self) -> Weight {
        match (self.percent, self.rshares) {
            (Some(Integer(percent)), _) => Weight::clamped(percent),
            (None, Some(Integer(rshares))) => Weight::clamped(rshares.signum() * 10_000),
            (None, None) => Weight::FULL,
        }
    }
}

/// Parses the answer of `get_accounts`.
pub(crate) fn accounts(json: &str) -> Answer<Vec<AccountState>> {
    let raw: Vec<RawAccount> = serde_json::from_str(json)?;
    Ok(raw.into_iter().map(RawAccount::state).collect())
}

#[derive(Deserialize)]
struct RawAccount {
    name: String,
    vesting_shares: Amount,
    #[serde(default)]
    delegated_vesting_shares: Option<Amount>,
    #[serde(default)]
    received_vesting_shares: Option<Amount>,
    #[serde(default)]
    vesting_withdraw_rate: Option<Amount>,
    /// In micro-VESTS, like `withdrawn`.
    #[serde(default)]
    to_withdraw: Option<Integer>,
    #[serde(default)]
    withdrawn: Option<Integer>,
    voting_manabar: RawManabar,
    /// Missing on nodes without a separate bar for downvotes.
    #[serde(default)]
    downvote_manabar: Option<RawManabar>,
}

#[derive(Deserialize, Clone, Copy)]
struct RawManabar {
    current_mana: Integer,
    /// Seconds since 1970.
    last_update_time: Integer,
}

impl RawAccount {
    fn state(self) -> AccountState {
        let micro =
            |amount: Option<Amount>| i128::from(amount.map_or(0, |amount| amount.with_decimals(6)));
        let integer =
            |number: Option<Integer>| i128::from(number.map_or(0, |Integer(number)| number));
        let left = integer(self.to_withdraw) - integer(self.withdrawn);
        let withdrawing = micro(self.vesting_withdraw_rate).min(left).max(0);
        let max = micro(Some(self.vesting_shares)) - micro(self.delegated_vesting_shares)
            + micro(self.received_vesting_shares)
            - withdrawing;
        let voting = self.voting_manabar.read();
        AccountState {
            account: Account::from_chain(&self.name),
            max: max.clamp(0, i128::from(i64::MAX)) as i64,
            voting,
            downvote: match self.downvote_manabar {
                Some(raw) => raw.read(),
                None => Manabar {
                    mana: 0,
                    updated: voting.updated,
                },
            },
        }
    }
}

impl RawManabar {
    fn read(self) -> Manabar {
        let updated = DateTime::from_timestamp(self.last_update_time.0, 0);
        Manabar {
            mana: self.current_mana.0,
            updated: updated.unwrap_or(DateTime::UNIX_EPOCH),
        }
    }
}

/// Parses the answer of `bridge.get_account_posts` or `get_discussions_by_blog`: the posts of
/// `author`, newest first. Reblogs of other authors' posts are left out.
pub(crate) fn posts_of(json: &str, author: &Account) -> Answer<Vec<PostId>> {
    let raw: Vec<RawName> = serde_json::from_str(json)?;
    let own = raw
        .into_iter()
        .filter(|post| post.author.0 == author.as_str());
    Ok(own
        .map(|post| PostId::new(author.clone(), &post.permlink.0))
        .collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;
    use crate::network::ChainKind;

    fn now() -> DateTime<Utc> {
        "2026-06-01T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn moments_that_cannot_be_true_are_refused_by_name() {
        for time in [
            "+262142-12-31T23:59:59",
            "2026-06-02T12:00:01",
            "2015-12-31T23:59:59",
        ] {
            let json = format!(
                r#"{{"head_block_number": 5, "head_block_id": "", "time": "{time}", "last_irreversible_block_num": 4}}"#
            );
            let error = head(&json, now()).unwrap_err().to_string();
            assert!(error.starts_with("`time` cannot be "), "{error}");
            for (created, updated, named) in [
                (time, "2026-06-01T12:00:00", "`created`"),
                ("2026-06-01T12:00:00", time, "`last_update`"),
            ] {
                let json = format!(
                    r#"{{"author": "bob", "permlink": "p", "created": "{created}", "last_update": "{updated}"}}"#
                );
                let error = content(&json, now()).unwrap_err().to_string();
                assert!(error.starts_with(&format!("{named} cannot be ")), "{error}");
            }
        }
    }

    #[test]
    fn a_head_is_parsed() {
        let head = head(
            r#"{"head_block_number": 5000000, "head_block_id": "004c4b40245ffb07380a393fb2b3d841b76cdaec",
                "time": "2016-09-15T19:47:21", "last_irreversible_block_num": "4999980", "extra": {}}"#,
            now(),
        )
        .unwrap();
        assert_eq!((head.num, head.irreversible), (5_000_000, 4_999_980));
        assert_eq!(head.time.timestamp(), 1_473_968_841);
    }

    #[test]
    fn a_post_is_parsed_with_the_weights_of_its_votes() {
        let content = content(
            r#"{"author": "bob", "permlink": "post-1", "created": "2024-05-01T12:00:03", "category": "x",
                "parent_author": "", "parent_permlink": "photo", "title": "T", "body": "B",
                "json_metadata": "{\"app\":\"peakd/1\"}", "pending_payout_value": "1.234 HBD",
                "max_accepted_payout": "0.000 HBD", "allow_votes": false,
                "active_votes": [{"voter": "alice", "percent": "5000", "weight": 1, "rshares": 9},
                    {"voter": "carol", "percent": 0, "rshares": "0"}, {"voter": "dave", "rshares": "-7"}]}"#,
            now(),
        )
        .unwrap()
        .unwrap();
        assert_eq!(content.post.to_string(), "@bob/post-1");
        assert_eq!(
            (content.pending_payout, content.max_accepted_payout),
            (1234, 0)
        );
        assert!(!content.allow_votes);
        let weight = |voter| {
            content
                .votes
                .of(&Account::from_chain(voter))
                .map(Weight::hundredths)
        };
        assert_eq!(weight("alice"), Some(5000));
        assert_eq!(weight("carol"), Some(0));
        assert_eq!(weight("dave"), Some(-10_000));
        assert_eq!(weight("erin"), None);
    }

    #[test]
    fn missing_fields_of_a_post_take_defaults() {
        let json = r#"{"author": "bob", "permlink": "p", "created": "2024-05-01T12:00:03", "active_votes": null}"#;
        let content = content(json, now()).unwrap().unwrap();
        assert!(content.allow_votes && content.max_accepted_payout > 0);
    }

    #[test]
    fn a_post_that_does_not_exist_is_none() {
        for json in [
            r#"{"author": "", "permlink": "", "created": "never"}"#,
            "{}",
            "null",
        ] {
            assert_eq!(content(json, now()).unwrap(), None, "{json}");
        }
    }

    #[test]
    fn an_answer_that_is_not_a_post_is_an_error() {
        for json in [
            "5",
            "[1]",
            r#"{"title": "T"}"#,
            r#"{"author": "bob", "permlink": "p"}"#,
            r#"{"author": "bob", "created": 5}"#,
        ] {
            assert!(content(json, now()).is_err(), "{json}");
        }
    }

    #[test]
    fn the_maximum_mana_counts_delegations_and_withdrawals() {
        let json = |rate: &str| {
            format!(
                r#"[{{"name": "gtg", "vesting_shares": "17579100.476774 VESTS",
                    "delegated_vesting_shares": "1000.000000 VESTS", "received_vesting_shares": "10.000001 VESTS",
                    "vesting_withdraw_rate": "{rate} VESTS", "to_withdraw": "5000000", "withdrawn": 3000000,
                    "voting_manabar": {{"current_mana": "9908", "last_update_time": 1473968781}},
                    "downvote_manabar": {{"current_mana": 5, "last_update_time": "1467307338"}}}}]"#
            )
        };
        let without = 17_579_100_476_774 - 1_000_000_000 + 10_000_001;
        for (rate, withdrawing) in [
            ("0.000000", 0),
            ("1.500000", 1_500_000),
            ("4.000000", 2_000_000),
        ] {
            let states = accounts(&json(rate)).unwrap();
            assert_eq!(states[0].max, without - withdrawing, "{rate}");
            assert_eq!(states[0].voting.mana, 9908);
            assert_eq!(states[0].downvote.updated.timestamp(), 1_467_307_338);
        }
    }

    #[test]
    fn reblogs_are_left_out() {
        let json = r#"[{"author": "bob", "permlink": "2"}, {"author": "carol", "permlink": "x"},
            {"author": "bob", "permlink": "1", "active_votes": []}]"#;
        let posts = posts_of(json, &Account::from_chain("bob")).unwrap();
        assert_eq!(
            posts.iter().map(|post| &*post.permlink).collect::<Vec<_>>(),
            ["2", "1"]
        );
    }

    proptest! {
        #[test]
        fn no_answer_makes_the_parsers_panic(text in any::<String>(), number in any::<i64>()) {
            let account = Account::from_chain("bob");
            for json in [
                text.clone(),
                format!(r#"{{"author": "a", "permlink": "p", "created": {text:?}, "active_votes": {number}}}"#),
                format!(
                    r#"[{{"name": "a", "vesting_shares": {{"amount": {number}, "precision": {number}}},
                        "voting_manabar": {{"current_mana": {number}, "last_update_time": {number}}}}}]"#
                ),
                format!(
                    r#"{{"head_block_number": {number}, "head_block_id": {text:?}, "time": "2024-05-01T12:00:03",
                        "last_irreversible_block_num": {number}}}"#
                ),
            ] {
                let _ = head(&json, now());
                let _ = content(&json, now());
                let _ = posts_of(&json, &account);
                for state in accounts(&json).unwrap_or_default() {
                    let now = DateTime::UNIX_EPOCH;
                    let _ = (state.percent(now), state.wait_for_percent(10_000, now));
                    let _ = state.can_afford(ChainKind::Steem, Weight::clamped(number), now);
                }
            }
        }
    }
}
