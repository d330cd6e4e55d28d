//! Unit tests for rules: posts and votes with their times, and the expected votes.
//!
//! [`file::read`] reads a test file, [`TestFile::read_rules`] reads the rules that it tests, and [`Test::run`] runs one
//! test: it builds blocks from the posts and votes, and replays them with [`Replay`].

pub mod blocks;
pub mod difference;
mod fields;
pub mod file;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::account::Account;
use crate::chain::block::Block;
use crate::clock::Clock;
use crate::network::ChainKind;
use crate::post::{PostId, VoteKey};
use crate::replay::recordings::{self, FileError};
use crate::rules::files::read::{self, RuleFiles};
use crate::rules::set::RuleSet;
use crate::ruletest::difference::Difference;
use crate::simulate::mana::Start;
use crate::simulate::replay::{Played, Replay};
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
    /// Posts and votes in the file itself.
    Events(Vec<Event>),
    /// Recorded blocks.
    Files(Vec<PathBuf>),
}

/// An event at a moment.
#[derive(Debug)]
pub struct Event {
    /// When it happens.
    pub at: DateTime<Utc>,
    /// What happens.
    pub what: What,
}

/// A post or a vote.
#[derive(Debug)]
pub enum What {
    /// A post or comment is published.
    Post(Post),
    /// Somebody votes by hand.
    Vote {
        /// Who votes.
        voter: Account,
        /// The post or comment voted on.
        post: PostId,
        /// 0 takes the vote back.
        weight: Weight,
    },
}

/// A new post or comment.
#[derive(Debug)]
pub struct Post {
    /// Its author and permlink.
    pub id: PostId,
    /// Empty where the test does not say.
    pub title: String,
    /// Empty where the test does not say.
    pub body: String,
    /// Its `json_metadata.tags`.
    pub tags: Vec<String>,
    /// Its `json_metadata.app`.
    pub app: Option<String>,
    /// The community it is published in.
    pub community: Option<String>,
    /// Post that this is a comment on; `None` for a post.
    pub parent: Option<PostId>,
    /// Whether the author declines payout.
    pub declined: bool,
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

impl TestFile {
    /// Reads the rules that are tested.
    pub fn read_rules(&self) -> RuleFiles {
        read::read_all(&self.rules)
    }
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
            Source::Events(events) => blocks::of_events(events),
            Source::Files(files) => {
                let mut blocks = Vec::new();
                for file in files {
                    blocks.extend(recordings::read(file, Clock::system().now())?);
                }
                recordings::put_in_order(&mut blocks);
                blocks
            }
        };
        let played = self.play(rules, chain, &blocks);
        Ok(difference::between(&self.expected, &played))
    }

    fn play(&self, rules: &Arc<RuleSet>, kind: ChainKind, blocks: &[Block]) -> Played {
        let start = Start {
            kind,
            mana_of: self.mana.clone(),
            ..Start::default()
        };
        let mut replay = Replay::new(rules, start);
        for block in blocks {
            replay.block(block);
        }
        let last_expected = self.expected.iter().map(|expected| expected.due_at).max();
        if let Some(until) = self.until.or(last_expected) {
            replay.go_on_until(until);
        }
        replay.finish()
    }
}
