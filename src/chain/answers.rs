//! Reads answers of nodes other than blocks: head, posts and accounts.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::Error;

use crate::account::Account;
use crate::chain::content::Content;
use crate::chain::lenient::{self, Amount, Integer, Time};
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
    if name.author.is_empty() {
        return Ok(None);
    }
    let raw: RawContent = serde_json::from_str(json)?;
    let past = |whose, Time(moment)| moment::past(whose, moment, now).map_err(Error::custom);
    let updated = raw.last_update.map(|time| past("`last_update`", time));
    let votes = raw.active_votes.iter().flatten();
    let thousandths = |amount: Amount| amount.with_decimals(3);
    Ok(Some(Content {
        post: PostId::new(Account::from_chain(&name.author), &name.permlink),
        created: past("`created`", raw.created)?,
        last_update: updated.transpose()?,
        parent_author: raw.parent_author,
        parent_permlink: raw.parent_permlink,
        title: raw.title,
        body: raw.body,
        json_metadata: raw.json_metadata,
        pending_payout: raw.pending_payout_value.map_or(0, thousandths),
        // A node that omits it means the default of the chain: 1,000,000 HBD or SBD.
        max_accepted_payout: raw.max_accepted_payout.map_or(1_000_000_000, thousandths),
        allow_votes: raw.allow_votes.unwrap_or(true),
        votes: votes.map(RawVote::read).collect(),
    }))
}

#[derive(Deserialize)]
struct RawName {
    #[serde(deserialize_with = "lenient::text")]
    author: String,
    #[serde(default, deserialize_with = "lenient::text")]
    permlink: String,
}

#[derive(Deserialize)]
struct RawContent {
    created: Time,
    last_update: Option<Time>,
    #[serde(default, deserialize_with = "lenient::text")]
    parent_author: String,
    #[serde(default, deserialize_with = "lenient::text")]
    parent_permlink: String,
    #[serde(default, deserialize_with = "lenient::text")]
    title: String,
    #[serde(default, deserialize_with = "lenient::text")]
    body: String,
    #[serde(default, deserialize_with = "lenient::text")]
    json_metadata: String,
    pending_payout_value: Option<Amount>,
    max_accepted_payout: Option<Amount>,
    allow_votes: Option<bool>,
    active_votes: Option<Vec<RawVote>>,
}

#[derive(Deserialize)]
struct RawVote {
    voter: Account,
    percent: Option<Integer>,
    rshares: Option<Integer>,
}

impl RawVote {
    /// The voter and the weight. If the node omits the weight, ±100 % by the sign of the vote: that the
    /// vote exists matters more than its weight.
    fn read(&self) -> (Account, Weight) {
        let weight = match (self.percent, self.rshares) {
            (Some(Integer(percent)), _) => Weight::clamped(percent),
            (None, Some(Integer(rshares))) => Weight::clamped(rshares.signum() * 10_000),
            (None, None) => Weight::FULL,
        };
        (self.voter.clone(), weight)
    }
}

/// Reads the answer of `get_accounts`.
pub(crate) fn accounts(json: &str) -> Answer<Vec<AccountState>> {
    let raw: Vec<RawAccount> = serde_json::from_str(json)?;
    Ok(raw.into_iter().map(RawAccount::state).collect())
}

#[derive(Deserialize)]
struct RawAccount {
    name: Account,
    vesting_shares: Amount,
    delegated_vesting_shares: Option<Amount>,
    received_vesting_shares: Option<Amount>,
    vesting_withdraw_rate: Option<Amount>,
    /// In micro-VESTS, like `withdrawn`.
    to_withdraw: Option<Integer>,
    withdrawn: Option<Integer>,
    voting_manabar: RawManabar,
    /// Missing on nodes without a separate bar for downvotes.
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
        let micro = |amount: Option<Amount>| i128::from(amount.map_or(0, |it| it.with_decimals(6)));
        let integer = |number: Option<Integer>| i128::from(number.map_or(0, |it| it.0));
        let left = integer(self.to_withdraw) - integer(self.withdrawn);
        let withdrawing = micro(self.vesting_withdraw_rate).min(left).max(0);
        let max = micro(Some(self.vesting_shares)) - micro(self.delegated_vesting_shares)
            + micro(self.received_vesting_shares)
            - withdrawing;
        let voting = self.voting_manabar.read();
        let none = Manabar { mana: 0, ..voting };
        AccountState {
            account: self.name,
            max: max.clamp(0, i128::from(i64::MAX)) as i64,
            voting,
            downvote: self.downvote_manabar.map_or(none, RawManabar::read),
        }
    }
}

impl RawManabar {
    fn read(self) -> Manabar {
        Manabar {
            mana: self.current_mana.0,
            updated: DateTime::from_timestamp(self.last_update_time.0, 0).unwrap_or_default(),
        }
    }
}

/// Reads the answer of `bridge.get_account_posts` or `get_discussions_by_blog`: the posts of
/// `author`, newest first. Reblogs of other authors' posts are left out.
pub(crate) fn posts_of(json: &str, author: &Account) -> Answer<Vec<PostId>> {
    let mut posts: Vec<PostId> = serde_json::from_str(json)?;
    posts.retain(|post| post.author == *author);
    Ok(posts)
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
