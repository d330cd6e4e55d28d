//! Blocks of several files, put in order.

use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use crate::chain::block::Block;
use crate::chain::recording::{RecordingError, parse_recording};

/// Gaps that are named one by one.
const NAMED_GAPS: usize = 5;

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

/// Reads the blocks of one file, in its order, as they can be at `now`.
///
/// # Errors
/// When it cannot be read, or is no recording: the place where it stops being one.
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

/// Sorts `blocks` by number and drops doubles, the later ones. Tells what is odd about them, a line each.
pub fn put_in_order(blocks: &mut Vec<Block>) -> Vec<String> {
    let mut warnings = Vec::new();
    blocks.sort_by_key(|block| block.num);
    blocks.dedup_by(|double, first| {
        if double.num == first.num && double.id != first.id {
            warnings.push(format!(
                "there are two blocks {} with different ids: only the first is played",
                first.num
            ));
        }
        double.num == first.num
    });
    let gaps = blocks
        .windows(2)
        .map(|pair| (pair[0].num + 1, pair[1].num - 1))
        .filter(|(first, last)| first <= last);
    let gaps: Vec<_> = gaps.collect();
    for (first, last) in gaps.iter().take(NAMED_GAPS) {
        warnings.push(match first == last {
            true => format!("block {first} is missing: what happened in it is not played"),
            false => {
                format!("blocks {first} to {last} are missing: what happened in them is not played")
            }
        });
    }
    if gaps.len() > NAMED_GAPS {
        warnings.push(format!(
            "there are {} more gaps like that",
            gaps.len() - NAMED_GAPS
        ));
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
    fn blocks_are_sorted_doubles_dropped_and_gaps_told() {
        let mut all = blocks(&[9, 3, 1, 3, 4]);
        assert_eq!(
            put_in_order(&mut all),
            [
                "block 2 is missing: what happened in it is not played",
                "blocks 5 to 8 are missing: what happened in them is not played",
            ]
        );
        assert_eq!(all, blocks(&[1, 3, 4, 9]));
    }

    #[test]
    fn of_many_gaps_only_the_first_are_named() {
        let mut all = blocks(&[1, 3, 5, 7, 9, 11, 13, 15]);
        let warnings = put_in_order(&mut all);
        assert_eq!(warnings.len(), 6);
        assert_eq!(warnings[5], "there are 2 more gaps like that");
    }

    #[test]
    fn of_two_branches_the_first_is_played() {
        let mut all = blocks(&[1, 2, 2]);
        all[2].id = "0000000200".to_owned();
        let warnings = put_in_order(&mut all);
        assert_eq!(all, blocks(&[1, 2]));
        assert!(warnings[0].contains("two blocks 2"), "{warnings:?}");
    }
}
