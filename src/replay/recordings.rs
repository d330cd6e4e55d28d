//! Reads blocks from files and sorts them.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::chain::block::Block;
use crate::chain::recording::{RecordingError, parse_recording};

/// Maximum number of gaps that are listed individually.
const LISTED_GAPS: usize = 5;

/// Why a file of blocks cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {error}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        error: std::io::Error,
    },
    /// The file holds something else than blocks.
    #[error("{}:{}:{}: {}", .path.display(), .error.line, .error.column, .error.fault)]
    NoRecording {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        error: RecordingError,
    },
}

/// Reads the blocks of one file, in its order. A block from after `now` is an error.
///
/// # Errors
/// The file cannot be read, or does not contain blocks; the error has its position.
pub fn read(path: &Path, now: DateTime<Utc>) -> Result<Vec<Block>, FileError> {
    let text = fs::read_to_string(path).map_err(|error| FileError::Unreadable {
        path: path.to_owned(),
        error,
    })?;
    parse_recording(&text, now).map_err(|error| FileError::NoRecording {
        path: path.to_owned(),
        error,
    })
}

/// Sorts `blocks` by number, and keeps the first of several with the same number. Returns warnings about conflicts and
/// gaps, one line each.
pub fn put_in_order(blocks: &mut Vec<Block>) -> Vec<String> {
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
        .map(|pair| (pair[0].num + 1, pair[1].num - 1))
        .filter(|(first, last)| first <= last);
    let gaps: Vec<_> = gaps.collect();
    for (first, last) in gaps.iter().take(LISTED_GAPS) {
        warnings.push(match first == last {
            true => format!("block {first} is missing: its operations are not replayed"),
            false => {
                format!("blocks {first} to {last} are missing: their operations are not replayed")
            }
        });
    }
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
