//! Plays rules over blocks, and returns the votes that they would cast.
//!
//! The posts are those that the blocks have shown, mana is carried forward, the signer accepts everything, and the
//! time is that of the blocks.

use std::collections::{HashMap, HashSet};
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
use crate::votes::change::{Batch, Change, Cursor};
use crate::votes::planner::Planner;
use crate::votes::schedules::agenda::{Agenda, Run, scheduled};
use crate::votes::schedules::choice::{self, Choice};
use crate::votes::status::Status;
use crate::votes::vote::{PastVotes, Vote};

/// Votes are claimed when they are due: until then everything may still change them.
const AT_ONCE: TimeDelta = TimeDelta::milliseconds(1);

/// The result of a replay.
#[derive(Debug)]
pub struct Played {
    /// Every planned vote as it ended, by due time, then by the block that caused it. The block of a schedule's vote
    /// is the newest one at that time.
    pub rows: Vec<Vote>,
    /// The mana of each voter on the days on which it voted.
    pub mana: Vec<(Account, Vec<Day>)>,
}

impl Played {
    /// The votes that the rules would cast.
    pub fn cast(&self) -> impl Iterator<Item = &Vote> {
        self.rows.iter().filter(|row| was_cast(row))
    }
}

/// Why a vote was not cast; `None` if it was.
pub fn why_not_cast(row: &Vote) -> Option<String> {
    let ended = matches!(
        row.status,
        Status::Skipped | Status::Withdrawn | Status::Failed
    );
    let reason = row.reason.as_ref().filter(|_| ended)?;
    Some(reason.to_string())
}

fn was_cast(row: &Vote) -> bool {
    matches!(row.status, Status::Cast | Status::Confirmed)
}

/// Plays rules over blocks, block by block.
#[derive(Debug)]
pub struct Replay {
    daemon: Simulation<Recorded>,
    planner: Planner,
    schedules: Agenda,
    /// The newest block.
    newest: Option<Cursor>,
}

/// The posts that the blocks have shown, and the mana of the voters.
#[derive(Debug)]
struct Recorded {
    posts: Posts,
    mana: Mana,
}

impl Replay {
    /// A replay without any blocks yet.
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
        };
        let began = DateTime::UNIX_EPOCH;
        Self {
            daemon: Simulation::new(Arc::clone(rules), settings, AT_ONCE, recorded, began),
            planner: Planner::default(),
            schedules: Agenda::new(Vec::new()),
            newest: None,
        }
    }

    /// Plays `block`, and before it everything due until its time: the daemon does not know a block earlier either.
    pub fn block(&mut self, block: &Block) {
        if self.newest.is_none() {
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

    /// Plays until `end` without more blocks: casts the votes that are due, and runs schedules.
    pub fn go_on_until(&mut self, end: DateTime<Utc>) {
        while let Some(time) = self.schedules.next_wake().filter(|time| *time <= end) {
            self.daemon.run_until(time);
            self.run_schedules();
        }
        self.daemon.run_until(end);
    }

    /// Casts the votes that are still queued after the last block, and returns the result.
    pub fn finish(mut self) -> Played {
        while let Some(next) = self.daemon.next_wake() {
            self.daemon.run_until(next);
        }
        let mut rows = self.daemon.table.into_rows();
        let order = |row: &Vote| (row.ask().due_at, row.ask().block);
        rows.sort_by(|left, right| {
            let by_time = order(left).cmp(&order(right));
            by_time.then_with(|| left.key.cmp(&right.key))
        });
        Played {
            rows,
            mana: self.daemon.surroundings.mana.over_time(self.daemon.now),
        }
    }

    /// Spends the mana of votes in `block` that the voters cast by other means. If the rules have voted on the post
    /// before, the vote in the block counts as that vote.
    fn spend_by_hand(&mut self, block: &Block) {
        for operation in &block.operations {
            let OperationBody::Vote(vote) = &operation.body else {
                continue;
            };
            let key = VoteKey {
                voter: vote.voter.clone(),
                post: vote.post.clone(),
            };
            let is_ours = self.daemon.table.rows().get(&key).is_some_and(was_cast);
            if self.daemon.rules.is_voter(&vote.voter) && !is_ours {
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
        // The chain's own limit is not simulated: a vote that it would refuse for lack of mana counts as cast.
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
