//! Plays rules over blocks and tells the votes they would cast.
//!
//! In place of the nodes there are the posts that the blocks have shown, mana that is carried forward, and a signer
//! that accepts everything; the time is that of the blocks.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;

use super::mana::{Day, Mana, Start};
use super::posts::Posts;
use super::table::Table;
use super::{Later, Simulation, Surroundings};
use crate::account::Account;
use crate::chain::block::{Block, OperationBody};
use crate::chain::mana::AccountState;
use crate::post::{PostId, VoteKey};
use crate::rules::rule::{Authors, RuleId};
use crate::rules::set::RuleSet;
use crate::votes::answer::{Answer, Done};
use crate::votes::caster::lane::Limits;
use crate::votes::caster::{Looks, Request, Settings, Sight};
use crate::votes::change::{Batch, Change, Cursor, Outcome, Report};
use crate::votes::planner::Planner;
use crate::votes::schedules::agenda::{Agenda, Run, scheduled};
use crate::votes::schedules::choice::{self, Choice};
use crate::votes::status::Status;
use crate::votes::vote::{PastVotes, Vote};
use crate::weight::Weight;

/// Votes are claimed when they are due: until then everything may still change them.
const AT_ONCE: TimeDelta = TimeDelta::milliseconds(1);

/// A vote that the rules would cast.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayedVote {
    /// The vote.
    pub key: VoteKey,
    /// The weight of the vote.
    pub weight: Weight,
    /// When it is due.
    pub due_at: DateTime<Utc>,
    /// The rule.
    pub rule: RuleId,
    /// The number of the block with the post or the leader's vote that caused it; for a schedule the newest
    /// block then.
    pub block: u32,
}

/// What came of a replay.
#[derive(Debug)]
pub struct Played {
    /// By due time, then by the block that caused it.
    pub votes: Vec<ReplayedVote>,
    /// Every vote that was planned, as it ended.
    pub rows: Vec<Vote>,
    /// For every voter who voted, the mana on the days on which that was.
    pub mana: Vec<(Account, Vec<Day>)>,
}

/// Rules at work on blocks, block by block.
#[derive(Debug)]
pub struct Replay {
    daemon: Simulation<Recorded>,
    planner: Planner,
    schedules: Agenda,
    /// Whether a block was played.
    begun: bool,
    /// The newest block.
    newest: Option<Cursor>,
}

/// What the blocks have shown, and what the votes cost.
#[derive(Debug)]
struct Recorded {
    posts: Posts,
    mana: Mana,
    cast: Vec<ReplayedVote>,
}

impl Replay {
    /// Nothing has happened yet.
    pub fn new(rules: &Arc<RuleSet>, start: Start) -> Self {
        let settings = Settings {
            kind: start.kind,
            dry_run: false,
            limits: Limits {
                max_in_flight: usize::MAX,
                requests_per_second: 0.0,
                vote_interval: Duration::ZERO,
            },
            retry_for: Duration::MAX,
            confirm_within: Duration::ZERO,
            looks: Looks::INSTANT,
        };
        let recorded = Recorded {
            posts: Posts::new(authors_with_schedules(rules)),
            mana: Mana::new(start, DateTime::UNIX_EPOCH),
            cast: Vec::new(),
        };
        let began = DateTime::UNIX_EPOCH;
        Self {
            daemon: Simulation::new(Arc::clone(rules), settings, AT_ONCE, recorded, began),
            planner: Planner::default(),
            schedules: Agenda::new(Vec::new()),
            begun: false,
            newest: None,
        }
    }

    /// Plays `block`, and before it what was due until then: the daemon, too, learns of a block only when
    /// its time has come.
    pub fn block(&mut self, block: &Block) {
        if !self.begun {
            self.begun = true;
            self.daemon.surroundings.mana.begin(block.timestamp);
            self.schedules.update(&self.daemon.rules, block.timestamp);
        }
        self.go_on_until(block.timestamp);
        self.daemon.surroundings.posts.block(block);
        self.spend_by_hand(block);
        self.newest = Some(Cursor {
            block_num: block.num,
            block_id: block.id.clone(),
            block_time: block.timestamp,
            recent: Vec::new(),
        });
        let batch = self.planner.block(&self.daemon.rules, block);
        self.daemon.write(&batch);
        self.daemon.act();
    }

    /// Plays on until `end` without any more blocks: casts what is due, and runs schedules.
    pub fn go_on_until(&mut self, end: DateTime<Utc>) {
        while let Some(time) = self.schedules.next_wake().filter(|time| *time <= end) {
            self.daemon.run_until(time);
            self.run_schedules();
        }
        self.daemon.run_until(end);
    }

    /// Casts what is still queued after the last block, and tells what came of it all.
    pub fn finish(mut self) -> Played {
        let end = self.daemon.now();
        while let Some(next) = self.daemon.next_wake() {
            self.daemon.run_until(next);
        }
        let Recorded { mana, mut cast, .. } = self.daemon.surroundings;
        cast.sort_by(|left, right| {
            let order = |vote: &ReplayedVote| (vote.due_at, vote.block);
            order(left)
                .cmp(&order(right))
                .then_with(|| left.key.cmp(&right.key))
        });
        let end = end.max(self.daemon.now);
        Played {
            votes: cast,
            rows: self.daemon.table.into_rows(),
            mana: mana.over_time(end),
        }
    }

    /// Votes in `block` that the voters cast by other means cost mana too. Where the rules have voted on the
    /// post before, what is in the block is taken for that vote.
    fn spend_by_hand(&mut self, block: &Block) {
        for operation in &block.operations {
            let OperationBody::Vote(vote) = &operation.body else {
                continue;
            };
            if !self.daemon.rules.is_voter(&vote.voter) {
                continue;
            }
            let key = VoteKey {
                voter: vote.voter.clone(),
                post: vote.post.clone(),
            };
            let row = self.daemon.table.rows().get(&key);
            if !row.is_some_and(|row| matches!(row.status, Status::Cast | Status::Confirmed)) {
                let mana = &mut self.daemon.surroundings.mana;
                mana.spend(&vote.voter, vote.weight, block.timestamp);
            }
        }
    }

    /// Runs the schedules whose posts are looked up now.
    fn run_schedules(&mut self) {
        let runs = self.schedules.due(self.daemon.now());
        let posts = self.posts_of(&runs);
        let mut choice = Choice::new(&runs, &self.daemon.rules, &posts, false);
        loop {
            let questions = choice.questions();
            if questions.is_empty() {
                break;
            }
            let rows = self.daemon.table.rows();
            let rows = questions.iter().filter_map(|key| rows.get(key));
            let rows: Vec<Vote> = rows.cloned().collect();
            choice.answer(&rows, &HashSet::new());
        }
        let plans = choice.plans(self.newest.as_ref());
        self.daemon.write(&Batch {
            changes: plans.into_iter().map(Change::Plan).collect(),
            ..Batch::default()
        });
    }

    fn posts_of(&self, runs: &[Run]) -> HashMap<Account, Vec<choice::Post>> {
        let authors = runs.iter().flat_map(|run| &run.authors);
        let posts = authors.map(|author| {
            let posts = self.daemon.surroundings.posts.newest_of(author);
            let posts = posts.into_iter().map(choice::Post::from);
            (author.clone(), posts.collect())
        });
        posts.collect()
    }
}

impl Played {
    /// Why votes were planned but not cast.
    pub fn not_cast(&self) -> BTreeMap<&VoteKey, String> {
        let rows = self.rows.iter();
        rows.filter_map(|row| Some((&row.key, why_not_cast(row)?)))
            .collect()
    }
}

/// Why a vote was not cast; `None` where it was.
pub fn why_not_cast(row: &Vote) -> Option<String> {
    match row.status {
        Status::Skipped | Status::Withdrawn | Status::Failed => {
            row.reason.as_ref().map(ToString::to_string)
        }
        Status::Queued | Status::Cast | Status::Confirmed | Status::DryRun => None,
    }
}

impl Surroundings for Recorded {
    fn look(&mut self, posts: &[PostId], _: DateTime<Utc>) -> Later<Result<Vec<Sight>, String>> {
        let sights = posts.iter().map(|post| match self.posts.get(post) {
            Some(content) => content.cloned().into(),
            None => Sight::Unseen,
        });
        at_once(Ok(sights.collect()))
    }

    fn count(
        &mut self,
        pairs: &[(Account, RuleId)],
        table: &Table,
        now: DateTime<Utc>,
    ) -> Later<Option<PastVotes>> {
        let past = pairs.iter().map(|pair| {
            let (voter, rule) = pair;
            (pair.clone(), table.past(voter, rule, now))
        });
        at_once(Some(past.collect()))
    }

    fn weigh(
        &mut self,
        voters: &[Account],
        _: DateTime<Utc>,
    ) -> Later<Result<Vec<AccountState>, String>> {
        let states = voters.iter().map(|voter| self.mana.of(voter).clone());
        at_once(Ok(states.collect()))
    }

    fn send(&mut self, request: &Request, now: DateTime<Utc>) -> Later<Answer> {
        // What no rule asks for is not simulated: a vote that the chain would refuse for lack of mana is told as
        // one that the rules cast.
        self.mana.spend(&request.key.voter, request.weight, now);
        at_once(Answer::Done(Done::Accepted { trx_id: None }))
    }

    fn refresh(
        &mut self,
        _: &Account,
        _: &SecretString,
        _: DateTime<Utc>,
    ) -> Later<Result<(), String>> {
        at_once(Ok(()))
    }

    fn token(&self, _: &Account) -> Option<SecretString> {
        Some(SecretString::default())
    }

    fn reported(&mut self, report: &Report, row: Option<&Vote>) {
        if let (Outcome::Cast { .. }, Some(row)) = (&report.outcome, row) {
            self.cast.push(ReplayedVote {
                key: report.key.clone(),
                weight: report.weight,
                due_at: row.ask().due_at,
                rule: row.ask().rule.clone(),
                block: row.ask().block,
            });
        }
    }
}

fn at_once<T>(answer: T) -> Later<T> {
    Some((TimeDelta::zero(), answer))
}

/// The authors on whom some rule votes at fixed times.
fn authors_with_schedules(rules: &RuleSet) -> HashSet<Account> {
    let scheduled = rules.rules().iter().filter_map(|rule| scheduled(rule));
    let authors = scheduled.flat_map(|(author, _)| match &author.authors {
        Authors::Listed(names) => names.as_slice(),
        Authors::Anyone => &[],
    });
    authors.cloned().collect()
}
