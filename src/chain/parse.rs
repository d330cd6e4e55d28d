//! Parses blocks in both JSON forms of nodes.
//!
//! `condenser_api` writes an operation as `["vote", {…}]`, `block_api` as
//! `{"type": "vote_operation", "value": {…}}`. Hard forks add operations and fields; unknown ones are
//! skipped without parsing.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chain::block::{Block, Operation, OperationBody};
use crate::chain::lenient::{Integer, Time};
use crate::moment::{self, Impossible};

/// An error in the JSON text of a block.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    /// It is not JSON of a block's shape.
    #[error("not a block: {0}")]
    Json(#[from] serde_json::Error),
    /// The block has no number.
    #[error("the block has no number: it needs a `block_id`")]
    NoNumber,
    /// Its timestamp cannot be true.
    #[error("not a block: {0}")]
    Moment(#[from] Impossible),
}

impl Block {
    /// Reads one block, in either shape, as it can be at `now`.
    ///
    /// An operation that concerns votes but cannot be parsed is logged and skipped, so that it does not
    /// stop the chain from being followed.
    ///
    /// # Errors
    /// When the text is not JSON, has no timestamp or transactions, tells no block number, or when the timestamp
    /// cannot be true.
    pub fn from_json(json: &str, now: DateTime<Utc>) -> Result<Self, BlockError> {
        let raw: RawBlock<'_> = serde_json::from_str(json)?;
        let num = raw.num().ok_or(BlockError::NoNumber)?;
        let operations = raw.operations(num);
        Ok(Self {
            num,
            id: raw.block_id,
            previous: raw.previous,
            timestamp: moment::past("the timestamp", raw.timestamp.0, now)?,
            operations,
        })
    }
}

/// The block number in the first 8 hex digits of a block id.
pub fn number_in_id(id: &str) -> Option<u32> {
    let digits = id.get(..8)?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(digits, 16).ok()
}

#[derive(Deserialize)]
struct RawBlock<'a> {
    #[serde(default)]
    block_id: String,
    #[serde(default)]
    previous: String,
    timestamp: Time,
    #[serde(borrow)]
    transactions: Vec<RawTransaction<'a>>,
    #[serde(default)]
    transaction_ids: Vec<String>,
    block_num: Option<Integer>,
    number: Option<Integer>,
}

#[derive(Deserialize)]
struct RawTransaction<'a> {
    #[serde(borrow, default)]
    operations: Vec<&'a RawValue>,
    transaction_id: Option<String>,
    block_num: Option<Integer>,
}

impl RawBlock<'_> {
    /// The block number: from the id if there is one, else from the block or its transactions, else
    /// from the id of the previous block.
    fn num(&self) -> Option<u32> {
        let stated = || {
            let in_transactions = || self.transactions.iter().find_map(|trx| trx.block_num);
            let in_block = self.block_num.or(self.number);
            let Integer(num) = in_block.or_else(in_transactions)?;
            u32::try_from(num).ok().filter(|num| *num > 0)
        };
        let follows = || number_in_id(&self.previous)?.checked_add(1);
        number_in_id(&self.block_id)
            .or_else(stated)
            .or_else(follows)
    }

    fn operations(&self, num: u32) -> Vec<Operation> {
        let mut operations = Vec::new();
        for (index, transaction) in self.transactions.iter().enumerate() {
            let mut trx_id: Option<Arc<str>> = None;
            for raw in &transaction.operations {
                match operation_body(raw.get()) {
                    Ok(None) => {}
                    Ok(Some(body)) => {
                        let id = trx_id.get_or_insert_with(|| {
                            let in_block = self.transaction_ids.get(index);
                            let id = in_block.or(transaction.transaction_id.as_ref());
                            id.map_or("", String::as_str).into()
                        });
                        operations.push(Operation {
                            trx_id: Arc::clone(id),
                            body,
                        });
                    }
                    Err(error) => tracing::warn!(
                        block = num,
                        transaction = index,
                        "an operation in block {num} cannot be read and is skipped: {error}"
                    ),
                }
            }
        }
        operations
    }
}

#[derive(Deserialize)]
struct TypedOperation<'a> {
    r#type: String,
    #[serde(borrow)]
    value: &'a RawValue,
}

/// Parses an operation; `None` if it does not concern votes.
fn operation_body(json: &str) -> Result<Option<OperationBody>, serde_json::Error> {
    if json.starts_with('[') {
        let (kind, value): (String, &RawValue) = serde_json::from_str(json)?;
        body_of_kind(&kind, value.get())
    } else {
        let TypedOperation { r#type, value } = serde_json::from_str(json)?;
        body_of_kind(r#type.trim_end_matches("_operation"), value.get())
    }
}

fn body_of_kind(kind: &str, value: &str) -> Result<Option<OperationBody>, serde_json::Error> {
    Ok(Some(match kind {
        "comment" => OperationBody::Comment(serde_json::from_str(value)?),
        "comment_options" => OperationBody::CommentOptions(serde_json::from_str(value)?),
        "delete_comment" => OperationBody::DeleteComment(serde_json::from_str(value)?),
        "vote" => OperationBody::Vote(serde_json::from_str(value)?),
        _ => return Ok(None),
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-06-01T12:00:00Z".parse().unwrap()
    }

    const CONDENSER: &str = r#"{
        "previous": "0000000900000000000000000000000000000000",
        "timestamp": "2024-05-01T12:00:03", "witness": "gtg", "extensions": [],
        "transactions": [
            {"ref_block_num": 1, "extensions": [], "transaction_id": "aa", "block_num": 10, "operations": [
                ["custom_json", {"id": "follow", "json": "[]"}],
                ["comment", {"parent_author": "", "parent_permlink": "photo", "author": "bob",
                    "permlink": "post-1", "title": "T", "body": "B", "json_metadata": "{}", "new": 1}],
                ["comment_options", {"author": "bob", "permlink": "post-1", "max_accepted_payout": "0.000 HBD",
                    "percent_hbd": 10000, "allow_votes": true, "extensions": []}]]},
            {"operations": [["vote", {"voter": "alice", "author": "bob", "permlink": "post-1", "weight": "-2500"}],
                ["delete_comment", {"author": "carol", "permlink": "gone"}]]}],
        "block_id": "0000000a00000000000000000000000000000000",
        "transaction_ids": ["aa", "bb"]}"#;

    const BLOCK_API: &str = r#"{
        "block_id": "0000000a00000000000000000000000000000000",
        "previous": "0000000900000000000000000000000000000000",
        "timestamp": "2024-05-01T12:00:03",
        "transactions": [
            {"operations": [
                {"type": "custom_json_operation", "value": {"id": "follow", "json": "[]"}},
                {"value": {"parent_author": "", "parent_permlink": "photo", "author": "bob",
                    "permlink": "post-1", "title": "T", "body": "B", "json_metadata": "{}"}, "type": "comment_operation"},
                {"type": "comment_options_operation", "value": {"author": "bob", "permlink": "post-1",
                    "max_accepted_payout": {"amount": "0", "precision": 3, "nai": "@@000000013"}, "allow_votes": true}}]},
            {"operations": [
                {"type": "vote_operation", "value": {"voter": "alice", "author": "bob", "permlink": "post-1", "weight": -2500}},
                {"type": "delete_comment_operation", "value": {"author": "carol", "permlink": "gone"}}]}],
        "transaction_ids": ["aa", "bb"]}"#;

    #[test]
    fn both_shapes_of_a_block_are_the_same_block() {
        let block = Block::from_json(CONDENSER, now()).unwrap();
        assert_eq!(block, Block::from_json(BLOCK_API, now()).unwrap());
        assert_eq!(block.num, 10);
        assert_eq!(block.timestamp.to_rfc3339(), "2024-05-01T12:00:03+00:00");
        let kinds: Vec<_> = block
            .operations
            .iter()
            .map(|operation| (&*operation.trx_id, &operation.body))
            .collect();
        let [
            ("aa", OperationBody::Comment(comment)),
            ("aa", OperationBody::CommentOptions(options)),
            ("bb", OperationBody::Vote(vote)),
            ("bb", OperationBody::DeleteComment(deleted)),
        ] = kinds.as_slice()
        else {
            panic!("{kinds:?}");
        };
        assert!(comment.is_post());
        assert_eq!(comment.post.to_string(), "@bob/post-1");
        assert_eq!(
            (options.max_accepted_payout, options.allow_votes),
            (0, true)
        );
        assert_eq!(vote.weight.hundredths(), -2500);
        assert_eq!(deleted.to_string(), "@carol/gone");
    }

    #[test]
    fn a_malformed_operation_does_not_hide_the_others() {
        let block = Block::from_json(
            r#"{"block_id": "0000000a00", "timestamp": "2024-05-01T12:00:03", "transactions": [{"operations": [
                7, null, "x", [], ["vote"], ["vote", {"voter": 5}], {"type": "vote_operation"},
                ["vote", {"voter": "alice", "author": "bob", "permlink": "p", "weight": 1}]]}]}"#,
            now(),
        )
        .unwrap();
        assert_eq!(block.operations.len(), 1);
    }

    #[test]
    fn without_an_id_the_number_comes_from_other_fields() {
        for (fields, num) in [
            (r#""block_num": 7, "transactions": []"#, 7),
            (r#""number": "7", "transactions": []"#, 7),
            (r#""transactions": [{"block_num": 7, "operations": []}]"#, 7),
            (r#""previous": "0000000600", "transactions": []"#, 7),
        ] {
            let json = format!(r#"{{"timestamp": "2024-05-01T12:00:03", {fields}}}"#);
            let block = Block::from_json(&json, now()).unwrap();
            assert_eq!((block.num, block.id.as_str()), (num, ""), "{fields}");
        }
        let nowhere = r#"{"timestamp": "2024-05-01T12:00:03", "transactions": []}"#;
        assert!(matches!(
            Block::from_json(nowhere, now()),
            Err(BlockError::NoNumber)
        ));
    }

    #[test]
    fn json_metadata_that_is_an_object_is_kept_as_text() {
        let block = Block::from_json(
            r#"{"block_id": "0000000a00", "timestamp": "2024-05-01T12:00:03", "transactions": [{"operations": [
                ["comment", {"author": "bob", "permlink": "p", "json_metadata": {"tags": ["a"]}, "title": null}]]}]}"#,
            now(),
        )
        .unwrap();
        let OperationBody::Comment(comment) = &block.operations[0].body else {
            panic!("{block:?}");
        };
        assert_eq!(comment.json_metadata, r#"{"tags": ["a"]}"#);
        assert_eq!(comment.title, "");
    }

    #[test]
    fn a_text_that_is_not_a_block_is_an_error() {
        for json in [
            "",
            "null",
            "{}",
            "[]",
            "<html>",
            r#"{"timestamp": 5, "transactions": []}"#,
        ] {
            assert!(Block::from_json(json, now()).is_err(), "{json}");
        }
    }

    #[test]
    fn a_block_of_an_impossible_time_is_refused() {
        let block = |time| {
            let json = format!(
                r#"{{"block_id": "0000000a00", "timestamp": "{time}", "transactions": []}}"#
            );
            Block::from_json(&json, now())
        };
        assert!(block("2016-03-24T16:05:00").is_ok());
        for (time, why) in [
            (
                "+262142-12-31T23:59:59",
                "more than a day ahead of the clock",
            ),
            ("2026-06-02T12:00:03", "more than a day ahead of the clock"),
            ("-262143-01-01T00:00:00", "before 2016"),
        ] {
            let error = block(time).unwrap_err().to_string();
            assert!(
                error.starts_with("not a block: the timestamp cannot be "),
                "{error}"
            );
            assert!(error.ends_with(why), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_moment_makes_a_block_panic(millis in any::<i64>()) {
            let time = DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::<Utc>::MAX_UTC);
            let time = time.format("%Y-%m-%dT%H:%M:%S");
            let _ = Block::from_json(&CONDENSER.replace("2024-05-01T12:00:03", &time.to_string()), now());
        }

        #[test]
        fn no_text_makes_a_block_panic(text in any::<String>()) {
            let _ = Block::from_json(&text, now());
            let _ = number_in_id(&text);
        }

        #[test]
        fn a_block_with_a_damaged_byte_never_panics(at in 0..CONDENSER.len(), byte in any::<u8>()) {
            for block in [CONDENSER, BLOCK_API] {
                let mut bytes = block.as_bytes().to_vec();
                if let Some(place) = bytes.get_mut(at) {
                    *place = byte;
                }
                let _ = Block::from_json(&String::from_utf8_lossy(&bytes), now());
            }
        }
    }
}
