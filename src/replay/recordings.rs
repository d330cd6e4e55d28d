//! Reads blocks from files and sorts them.

use std::fs;
use std::path::PathBuf;

use chrono::{DateTime, Utc};

use crate::chain::block::Block;
use crate::chain::recording::parse_recording;

/// Maximum number of gaps that are listed individually.
const LISTED_GAPS: usize = 5;

/// Why a file of blocks cannot be used, with the file and the position in it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct FileError(String);

/// Reads the blocks of all files in the order of their numbers. Also returns warnings about conflicts and gaps, one
/// line each. A block from after `now` is an error.
///
/// # Errors
/// A file cannot be read, or does not contain blocks.
pub fn read_all(
    files: &[PathBuf],
    now: DateTime<Utc>,
) -> Result<(Vec<Block>, Vec<String>), FileError> {
    let mut blocks = Vec::new();
    for path in files {
        let shown = path.display();
        let text = fs::read_to_string(path)
            .map_err(|error| FileError(format!("{shown}: cannot be read: {error}")))?;
        let read = parse_recording(&text, now).map_err(|error| {
            let (line, column, fault) = (error.line, error.column, error.fault);
            FileError(format!("{shown}:{line}:{column}: {fault}"))
        })?;
        blocks.extend(read);
    }
    let warnings = put_in_order(&mut blocks);
    Ok((blocks, warnings))
}

/// Sorts `blocks` by number, and keeps the first of several with the same number. Returns warnings.
fn put_in_order(blocks: &mut Vec<Block>) -> Vec<String> {
    let mut warnings = Vec::new();
    blocks.sort_by_key(|block| block.num);
    blocks.dedup_by(|duplicate, first| {
        if duplicate.num == first.num && duplicate.id != first.id {
            warnings.push(format!(
                "block {} occurs twice with different ids: only the first is replayed",
                first.num
            ));
        }
        duplicate.num == first.num
    });
    let gaps = blocks
        .windows(2)
        .map(|pair| (pair[0].num + 1, pair[1].num - 1));
    let gaps: Vec<_> = gaps.filter(|(first, last)| first <= last).collect();
    warnings.extend(
        gaps.iter()
            .take(LISTED_GAPS)
            .map(|(first, last)| match first == last {
                true => format!("block {first} is missing: its operations are not replayed"),
                false => {
                    format!(
                        "blocks {first} to {last} are missing: their operations are not replayed"
                    )
                }
            }),
    );
    if gaps.len() > LISTED_GAPS {
        warnings.push(format!("{} more gaps follow", gaps.len() - LISTED_GAPS));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn blocks(numbers: &[u32]) -> Vec<Block> {
        let block = |num: &u32| Block {
            num: *num,
            id: format!("{num:08x}"),
            previous: String::new(),
            timestamp: DateTime::UNIX_EPOCH,
            operations: Vec::new(),
        };
        numbers.iter().map(block).collect()
    }

    #[test]
    fn blocks_are_sorted_duplicates_dropped_and_gaps_reported() {
        let mut all = blocks(&[9, 3, 1, 3, 4]);
        assert_eq!(
            put_in_order(&mut all),
            [
                "block 2 is missing: its operations are not replayed",
                "blocks 5 to 8 are missing: their operations are not replayed",
            ]
        );
        assert_eq!(all, blocks(&[1, 3, 4, 9]));
    }

    #[test]
    fn only_the_first_gaps_are_listed() {
        let mut all = blocks(&[1, 3, 5, 7, 9, 11, 13, 15]);
        let warnings = put_in_order(&mut all);
        assert_eq!(warnings.len(), 6);
        assert_eq!(warnings[5], "2 more gaps follow");
    }

    #[test]
    fn of_two_branches_the_first_is_replayed() {
        let mut all = blocks(&[1, 2, 2]);
        all[2].id = "0000000200".to_owned();
        let warnings = put_in_order(&mut all);
        assert_eq!(all, blocks(&[1, 2]));
        assert!(warnings[0].contains("block 2 occurs twice"), "{warnings:?}");
    }
}
