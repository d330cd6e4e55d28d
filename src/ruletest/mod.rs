//! Unit tests for rules: posts and votes with their times, and the expected votes.
//!
//! [`file::read`] reads a test file and builds blocks from its posts and votes, and [`Test::run`] replays them with
//! [`Replay`].

pub mod difference;
mod events;
mod fields;
pub mod file;

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::account::Account;
use crate::chain::block::Block;
use crate::clock::Clock;
use crate::network::ChainKind;
use crate::post::VoteKey;
use crate::replay::recordings::{self, FileError};
use crate::rules::set::RuleSet;
use crate::ruletest::difference::Difference;
use crate::simulate::mana::Start;
use crate::simulate::replay::Replay;
use crate::weight::Weight;

/// A test file.
#[derive(Debug)]
pub struct TestFile {
    /// Rule files and folders to test.
    pub rules: Vec<PathBuf>,
    /// Chain that determines the mana of a vote.
    pub chain: ChainKind,
    /// In the order of the file.
    pub tests: Vec<Test>,
}

/// Events and the expected votes.
#[derive(Debug)]
pub struct Test {
    /// As its author called it.
    pub name: String,
    /// What happens.
    pub source: Source,
    /// Mana of voters at the start; 100 % for others.
    pub mana: HashMap<Account, Weight>,
    /// End of the test, for schedules; `None` for the last moment in the test.
    pub until: Option<DateTime<Utc>>,
    /// All votes that must be cast.
    pub expected: Vec<Expected>,
}

/// Source of the blocks of a test.
#[derive(Debug)]
pub enum Source {
    /// Blocks built from the posts and votes in the file.
    Blocks(Vec<Block>),
    /// Recorded blocks.
    Files(Vec<PathBuf>),
}

/// An expected vote.
#[derive(Debug)]
pub struct Expected {
    /// Who votes on what.
    pub key: VoteKey,
    /// The weight cast.
    pub weight: Weight,
    /// When the vote is due.
    pub due_at: DateTime<Utc>,
    /// `file.toml:name`; `None` for any rule.
    pub rule: Option<String>,
}

impl Test {
    /// Runs the test and returns the differences from the expected votes.
    ///
    /// # Errors
    /// A file of recorded blocks cannot be used.
    pub fn run(
        &self,
        rules: &Arc<RuleSet>,
        chain: ChainKind,
    ) -> Result<Vec<Difference>, FileError> {
        let blocks = match &self.source {
            Source::Blocks(blocks) => Cow::Borrowed(blocks),
            Source::Files(files) => {
                let (blocks, _) = recordings::read_all(files, Clock::system().now())?;
                Cow::Owned(blocks)
            }
        };
        let start = Start {
            kind: chain,
            mana_of: self.mana.clone(),
            ..Start::default()
        };
        let mut replay = Replay::new(rules, start);
        for block in blocks.iter() {
            replay.block(block);
        }
        let last_expected = self.expected.iter().map(|expected| expected.due_at).max();
        if let Some(until) = self.until.or(last_expected) {
            replay.go_on_until(until);
        }
        Ok(difference::between(&self.expected, &replay.finish()))
    }
}
