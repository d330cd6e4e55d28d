//! Parses recorded blocks in all usual forms: a block, an array of blocks, an answer of a node
//! (`get_block`, `get_block_range`, a batch), or one of these per line.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::chain::block::Block;
use crate::chain::parse::BlockError;

/// Deepest nesting of a block. A batch of answers to `get_block_range` has five levels.
const MAX_DEPTH: usize = 8;

/// An error in a recording, with its position.
#[derive(Debug, thiserror::Error)]
#[error("line {line}, column {column}: {fault}")]
pub struct RecordingError {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// What is wrong there.
    pub fault: RecordingFault,
}

/// The kind of error in a recording.
#[derive(Debug, thiserror::Error)]
pub enum RecordingFault {
    /// The file holds nothing.
    #[error("the file holds no blocks")]
    Empty,
    /// The text is not JSON; says why.
    #[error("this is not JSON: {0}")]
    NotJson(String),
    /// A block that cannot be read; says why.
    #[error("{0}")]
    BadBlock(String),
    /// JSON that is neither a block nor something with blocks in it.
    #[error(
        "this is neither a block nor a list of blocks: expected an object with `timestamp` and \
         `transactions`, an array of those, or a node's answer to `get_block` or `get_block_range`"
    )]
    NotABlock,
    /// A JSON-RPC error instead of a block; holds its message.
    #[error("this is a node's error, not a block: {0}")]
    NodeError(String),
    /// It is nested too deep.
    #[error("the blocks are nested too deep")]
    TooDeep,
}

/// Reads all blocks of a recording, in the order of the file, as they can be at `now`.
///
/// An answer that says that a block is not there yet (`"result": null`) is passed over.
///
/// # Errors
/// The first place that is not JSON or not a block. A file without anything in it is an error.
pub fn parse_recording(text: &str, now: DateTime<Utc>) -> Result<Vec<Block>, RecordingError> {
    let mut reader = Reader {
        text: text.strip_prefix('\u{feff}').unwrap_or(text),
        blocks: Vec::new(),
        now,
    };
    let text = reader.text;
    if text.trim_ascii().is_empty() {
        return Err(reader.error(text, RecordingFault::Empty));
    }
    let values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    for value in values {
        match value {
            Ok(value) => reader.read(value.get(), 0)?,
            Err(error) => {
                // The position of the stream is the start of the value; that of the error is exact.
                let fault = RecordingFault::NotJson(without_position(&error));
                return Err(RecordingError {
                    line: error.line(),
                    column: error.column(),
                    fault,
                });
            }
        }
    }
    Ok(reader.blocks)
}

struct Reader<'a> {
    text: &'a str,
    blocks: Vec<Block>,
    now: DateTime<Utc>,
}

/// The keys that tell what an object is. `null` counts as absent.
#[derive(Deserialize)]
struct Keys<'a> {
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    blocks: Option<&'a RawValue>,
    #[serde(borrow, default)]
    block: Option<&'a RawValue>,
    #[serde(default)]
    jsonrpc: Option<IgnoredAny>,
    #[serde(default)]
    timestamp: Option<IgnoredAny>,
    #[serde(default)]
    transactions: Option<IgnoredAny>,
}

impl<'a> Reader<'a> {
    /// Reads the blocks in `json`, a slice of the text.
    fn read(&mut self, json: &'a str, depth: usize) -> Result<(), RecordingError> {
        if depth > MAX_DEPTH {
            return Err(self.error(json, RecordingFault::TooDeep));
        }
        match json.as_bytes().first() {
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(json)
                    .map_err(|error| self.error(json, not_json(&error)))?;
                for item in items {
                    self.read(item.get(), depth + 1)?;
                }
                Ok(())
            }
            Some(b'{') => self.read_object(json, depth),
            // A node's answer for a block that it does not have, without its frame.
            _ if json == "null" => Ok(()),
            _ => Err(self.error(json, RecordingFault::NotABlock)),
        }
    }

    fn read_object(&mut self, json: &'a str, depth: usize) -> Result<(), RecordingError> {
        let keys: Keys<'_> =
            serde_json::from_str(json).map_err(|error| self.error(json, not_json(&error)))?;
        if keys.timestamp.is_some() && keys.transactions.is_some() {
            let block =
                Block::from_json(json, self.now).map_err(|error| self.bad_block(json, &error))?;
            self.blocks.push(block);
            return Ok(());
        }
        // In lists of operations, `block` is a number.
        let block = keys.block.filter(|block| block.get().starts_with('{'));
        if let Some(inner) = keys.result.or(keys.blocks).or(block) {
            return self.read(inner.get(), depth + 1);
        }
        if let Some(error) = keys.error {
            let message = node_message(error);
            return Err(self.error(json, RecordingFault::NodeError(message)));
        }
        // The answer of `block_api` for a block that it does not have yet is `{}`.
        let is_empty = depth > 0 && json[1..json.len() - 1].trim_ascii().is_empty();
        if keys.jsonrpc.is_some() || is_empty {
            return Ok(());
        }
        Err(self.error(json, RecordingFault::NotABlock))
    }

    fn bad_block(&self, json: &str, error: &BlockError) -> RecordingError {
        let mut at = self.error(json, RecordingFault::BadBlock(error.to_string()));
        if let BlockError::Json(inner) = error {
            at.fault =
                RecordingFault::BadBlock(format!("not a block: {}", without_position(inner)));
            // The position of the error is relative to the start of the block.
            at.column = match inner.line() {
                1 => at.column + inner.column(),
                _ => inner.column(),
            };
            at.line += inner.line().saturating_sub(1);
        }
        at
    }

    /// An error at the start of `place`, a slice of the text.
    fn error(&self, place: &str, fault: RecordingFault) -> RecordingError {
        let offset = (place.as_ptr() as usize).wrapping_sub(self.text.as_ptr() as usize);
        let before = self.text.get(..offset).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        RecordingError {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            fault,
        }
    }
}

fn not_json(error: &serde_json::Error) -> RecordingFault {
    RecordingFault::NotJson(without_position(error))
}

/// The message of an error without its position.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((text, _)) => text.to_owned(),
        None => text,
    }
}

fn node_message(error: &RawValue) -> String {
    #[derive(Deserialize)]
    struct Message {
        message: String,
    }
    match serde_json::from_str(error.get()) {
        Ok(Message { message }) => message,
        Err(_) => error.get().chars().take(200).collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::{DateTime, RecordingFault, Utc, parse_recording};

    fn now() -> DateTime<Utc> {
        "2026-06-01T12:00:00Z".parse().unwrap()
    }

    fn block(num: u32) -> String {
        format!(
            "{{\"block_id\": \"{num:08x}00\", \"timestamp\": \"2024-05-01T12:00:03\",\n \"transactions\": []}}"
        )
    }

    fn numbers(text: &str) -> Vec<u32> {
        let blocks = parse_recording(text, now()).unwrap();
        blocks.iter().map(|block| block.num).collect()
    }

    #[test]
    fn every_form_of_recording_is_parsed() {
        let (one, two) = (block(1), block(2));
        let line = |num| block(num).replace('\n', "");
        for text in [
            format!("[{one}, {two}]"),
            format!("{one}\n{two}"),
            format!("\u{feff}{}\r\n\r\n{}\r\n", line(1), line(2)),
            format!(r#"{{"blocks": [{one}, {two}]}}"#),
            format!(r#"{{"id": 1, "jsonrpc": "2.0", "result": {{"blocks": [{one}, {two}]}}}}"#),
            format!(r#"[{{"id": 1, "result": {one}}}, {{"result": {{"block": {two}}}}}]"#),
            format!(
                r#"{{"jsonrpc": "2.0", "result": {one}, "error": null}}
                {{"jsonrpc": "2.0", "result": {two}}}
                {{"jsonrpc": "2.0", "result": null}}
                {{"jsonrpc": "2.0", "result": {{}}}}"#
            ),
            format!("{{\"block\": {one}}} [{{\"block\": {two}}}]"),
        ] {
            assert_eq!(numbers(&text), [1, 2], "{text}");
        }
        assert!(numbers("[]").is_empty());
    }

    #[test]
    fn an_error_has_its_position() {
        let line = block(1).replace('\n', "");
        let bad_time =
            "\n[\n  {\"block_id\": \"0000000100\",\n   \"timestamp\": 7, \"transactions\": []}]";
        let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
        for (text, line, column, fault) in [
            ("", 1, 1, "no blocks"),
            (" \n", 1, 1, "no blocks"),
            (&format!("{line}\n{{\"x\": }}"), 2, 7, "not JSON"),
            (&format!("{line}\n{line}\n  5"), 3, 3, "neither a block"),
            (&format!("{line}\n{{}}"), 2, 1, "neither a block"),
            (bad_time, 4, 17, "not a block: invalid type"),
            ("<html>", 1, 1, "not JSON"),
            (
                r#"{"jsonrpc": "2.0", "error": {"code": 1, "message": "no"}}"#,
                1,
                1,
                "error, not a block: no",
            ),
            (
                r#"[{"block": 4502370, "op": ["vote", {}]}]"#,
                1,
                2,
                "neither a block",
            ),
            (&deep, 1, 10, "too deep"),
        ] {
            let error = parse_recording(text, now()).unwrap_err();
            assert!(error.to_string().contains(fault), "{text}: {error}");
            assert_eq!(
                (error.line, error.column),
                (line, column),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn a_truncated_file_is_an_error() {
        let text = format!("[{}, {}]", block(1), block(2));
        for end in 0..text.len() {
            let error = parse_recording(&text[..end], now()).unwrap_err();
            assert!(
                matches!(
                    error.fault,
                    RecordingFault::NotJson(_) | RecordingFault::Empty
                ),
                "{end}: {error}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_a_recording_panic(text in any::<String>()) {
            let _ = parse_recording(&text, now());
        }

        #[test]
        fn no_json_makes_a_recording_panic(text in r#"[\[\]{}":, a-c0-9\n]{0,40}"#) {
            let _ = parse_recording(&text, now());
        }
    }
}
