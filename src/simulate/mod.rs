//! Plays rules over recorded blocks and tells the votes they would cast.
//!
//! The decisions are those of the daemon: [`Planner`] says what a block means for votes, [`fold`] what becomes
//! of them, [`verdict`] and [`limits`] whether one goes out when it is due, and [`Agenda`] and [`Choice`] what
//! schedules vote on. In place of the database, the nodes and the clock there are a table in memory, the posts
//! that the blocks have shown, mana that is reckoned, and the blocks' own time.

pub mod mana;
pub mod posts;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::account::Account;
use crate::chain::block::{Block, OperationBody};
use crate::post::VoteKey;
use crate::replay::summary::{self, Summary};
use crate::rules::facts::Facts;
use crate::rules::rule::{Authors, RuleId};
use crate::rules::set::RuleSet;
use crate::simulate::mana::{Mana, Start};
use crate::simulate::posts::Posts;
use crate::votes::caster::scout::{is_right, report};
use crate::votes::change::{Batch, Change, Cursor, Outcome, Report};
use crate::votes::fold::{Context, fold};
use crate::votes::limits::{self, LIMITS_LOOK_BACK};
use crate::votes::planner::Planner;
use crate::votes::schedules::agenda::{Agenda, Run, scheduled};
use crate::votes::schedules::choice::{self, Choice};
use crate::votes::verdict::{self, Post, Verdict};
use crate::votes::vote::{Origin, PastVote, Status, Vote};
use crate::weight::Weight;

/// A vote that the rules would cast.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayedVote {
    pub key: VoteKey,
    pub weight: Weight,
    pub due_at: DateTime<Utc>,
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
    /// Why votes were planned but not cast.
    pub not_cast: BTreeMap<VoteKey, String>,
    pub summary: Summary,
}

/// Rules at work on blocks, block by block.
#[derive(Debug)]
pub struct Replay<'r> {
    rules: &'r RuleSet,
    start: Start,
    planner: Planner,
    /// What the daemon has in its table of votes.
    rows: HashMap<VoteKey, Vote>,
    /// Queued votes by the moment at which there is something to decide.
    agenda: BTreeSet<(DateTime<Utc>, VoteKey)>,
    schedules: Agenda,
    posts: Posts,
    /// From the first block on.
    mana: Option<Mana>,
    /// Our own votes by voter and rule, as limits count them.
    past: HashMap<(Account, RuleId), Vec<PastVote>>,
    cast: Vec<ReplayedVote>,
    /// The newest block.
    newest: Option<Cursor>,
    /// The last moment at which something happened.
    now: DateTime<Utc>,
}

impl<'r> Replay<'r> {
    /// Nothing has happened yet.
    pub fn new(rules: &'r RuleSet, start: Start) -> Self {
        Self {
            rules,
            start,
            planner: Planner::default(),
            rows: HashMap::new(),
            agenda: BTreeSet::new(),
            schedules: Agenda::new(Vec::new()),
            posts: Posts::new(authors_with_schedules(rules)),
            mana: None,
            past: HashMap::new(),
            cast: Vec::new(),
            newest: None,
            now: DateTime::<Utc>::MIN_UTC,
        }
    }

    /// Plays `block`, and before it what was due until then: the daemon, too, learns of a block only when
    /// its time has come.
    pub fn block(&mut self, block: &Block) {
        if self.mana.is_none() {
            self.mana = Some(Mana::new(self.start.clone(), block.timestamp));
            self.schedules.update(self.rules, block.timestamp);
        }
        self.go_on_until(block.timestamp);
        self.posts.block(block);
        self.spend_by_hand(block);
        self.newest = Some(Cursor {
            block_num: block.num,
            block_id: block.id.clone(),
            block_time: block.timestamp,
            recent: Vec::new(),
        });
        let batch = self.planner.block(self.rules, block);
        self.write(&batch, block.timestamp);
        self.check_planned(&batch, block.timestamp);
    }

    /// Plays on until `end` without any more blocks: casts what is due, and runs schedules.
    pub fn go_on_until(&mut self, end: DateTime<Utc>) {
        loop {
            let due = self.agenda.first().map(|(at, _)| *at);
            let wake = self.schedules.next_wake().filter(|wake| *wake <= end);
            match (due.filter(|due| *due <= end), wake) {
                (Some(due), wake) if wake.is_none_or(|wake| due <= wake) => self.cast_first(),
                (_, Some(wake)) => self.run_schedules(wake),
                _ => break,
            }
        }
        self.now = self.now.max(end);
    }

    /// Casts what is still queued after the last block, and tells what came of it all.
    pub fn finish(mut self) -> Played {
        while !self.agenda.is_empty() {
            self.cast_first();
        }
        self.cast.sort_by(|left, right| {
            let order = |vote: &ReplayedVote| (vote.due_at, vote.block);
            order(left)
                .cmp(&order(right))
                .then_with(|| left.key.cmp(&right.key))
        });
        let mana = self.mana.map(|mana| mana.over_time(self.now));
        let summary = Summary::new(&self.cast, self.rows.values(), mana.unwrap_or_default());
        let not_cast = self.rows.into_values().filter_map(|row| {
            let reason = summary::why_not_cast(&row)?.to_owned();
            Some((row.key, reason))
        });
        Played {
            votes: self.cast,
            not_cast: not_cast.collect(),
            summary,
        }
    }

    /// Decides about the vote that comes first on the agenda.
    fn cast_first(&mut self) {
        let Some((at, key)) = self.agenda.first().cloned() else {
            return;
        };
        self.now = self.now.max(at);
        let Some(vote) = self.rows.get(&key).cloned() else {
            self.agenda.pop_first();
            return;
        };
        let mut weight = vote.weight;
        let outcome = match self.judge(&vote, at) {
            Verdict::Cast(now) => {
                weight = now;
                self.went_out(&vote, weight, at);
                Outcome::Cast {
                    trx_id: None,
                    cast_at: at,
                    check_at: at,
                }
            }
            Verdict::Confirmed => Outcome::Confirmed,
            Verdict::Skip(why) => Outcome::Skipped(why),
            Verdict::Withdraw(why) => Outcome::Withdrawn(why),
            Verdict::Fail(why) => Outcome::Failed(why),
            Verdict::Move { due_at } => later(due_at, Some(due_at), None),
            Verdict::Wait { until, reason } => later(until, None, Some(reason)),
        };
        let report = Report {
            key,
            origin: vote.origin,
            event_block: vote.event_block,
            rule: None,
            weight,
            attempts: 0,
            at,
            outcome,
        };
        self.write_changes(vec![Change::Report(report)], at);
    }

    fn judge(&mut self, vote: &Vote, now: DateTime<Utc>) -> Verdict {
        let rule = match verdict::by_rule(vote, self.rules, now) {
            Ok(rule) => rule,
            Err(verdict) => return verdict,
        };
        let known = self.posts.get(&vote.key.post);
        let facts = known.flatten().map(Facts::of_content).unwrap_or_default();
        let post = match known {
            Some(Some(content)) => Post::Here(content, &facts),
            Some(None) => Post::Unknown,
            None => Post::Unasked,
        };
        let verdict = verdict::by_post(vote, rule, post, false, now);
        let (Verdict::Cast(_), Some(rule)) = (&verdict, rule) else {
            return verdict;
        };
        let VoteKey { voter, post } = &vote.key;
        let past = self.past.get(&(voter.clone(), rule.id.clone()));
        let past = past.into_iter().flatten();
        if let Some(why) = rule.limit.exceeded(past, &post.author, now) {
            return Verdict::Skip(why);
        }
        let Some(mana) = &mut self.mana else {
            return verdict;
        };
        // What no rule asks for is not simulated: a vote that the chain would refuse for lack of mana is told
        // as one that the rules cast.
        limits::by_mana(rule, Some(mana.of(voter)), now).unwrap_or(verdict)
    }

    fn went_out(&mut self, vote: &Vote, weight: Weight, at: DateTime<Utc>) {
        let VoteKey { voter, post } = &vote.key;
        if let Some(mana) = &mut self.mana {
            mana.spend(voter, weight, at);
        }
        let past = self.past.entry((voter.clone(), vote.rule.clone()));
        let past = past.or_default();
        past.retain(|vote| at - vote.at < LIMITS_LOOK_BACK);
        past.push(PastVote {
            post: post.clone(),
            at,
        });
        self.cast.push(ReplayedVote {
            key: vote.key.clone(),
            weight,
            due_at: vote.due_at,
            rule: vote.rule.clone(),
            block: vote.event_block,
        });
    }

    /// Votes in `block` that the voters cast by other means cost mana too. Where the rules have voted on the
    /// post before, what is in the block is taken for that vote.
    fn spend_by_hand(&mut self, block: &Block) {
        let Some(mana) = &mut self.mana else { return };
        for operation in &block.operations {
            let OperationBody::Vote(vote) = &operation.body else {
                continue;
            };
            if !self.rules.is_voter(&vote.voter) {
                continue;
            }
            let key = VoteKey {
                voter: vote.voter.clone(),
                post: vote.post.clone(),
            };
            let ours = self
                .rows
                .get(&key)
                .is_some_and(|row| matches!(row.status, Status::Cast | Status::Confirmed));
            if !ours {
                mana.spend(&vote.voter, vote.weight, block.timestamp);
            }
        }
    }

    /// Looks whether the trails that were planned in `batch` have the right posts, as the daemon does once a
    /// node has told it of them. Once only: what a post has become is asked again when its vote is due.
    fn check_planned(&mut self, batch: &Batch, now: DateTime<Utc>) {
        let planned = batch.changes.iter().filter_map(|change| match change {
            Change::Plan(plan) => Some((plan.key.clone(), plan.event_block)),
            _ => None,
        });
        let planned: BTreeMap<VoteKey, u32> = planned.collect();
        let mut unchecked: BTreeSet<VoteKey> = planned.keys().cloned().collect();
        // What has the vote instead is looked at in turn.
        while !unchecked.is_empty() {
            let mut reports = Vec::new();
            for key in std::mem::take(&mut unchecked) {
                let trail = |row: &&Vote| {
                    // A leader may take the vote back in the block of the vote.
                    let contended = row.status == Status::Withdrawn && !row.rivals.is_empty();
                    let is_new = planned.get(&key) == Some(&row.event_block);
                    (row.status == Status::Queued || contended)
                        && row.origin == Origin::Trail
                        && is_new
                };
                let Some(row) = self.rows.get(&key).filter(trail) else {
                    continue;
                };
                let content = match self.posts.get(&key.post) {
                    // Gone: it is found out when the vote is due.
                    Some(None) => continue,
                    known => known.flatten(),
                };
                let facts = content.map_or_else(Facts::unknown, Facts::of_content);
                if let Some(misfit) = is_right(row, content, &facts, self.rules, now) {
                    let unfit = Outcome::Unfit(Box::new(misfit));
                    reports.push(Change::Report(report(row.clone(), unfit, now)));
                    unchecked.insert(key);
                }
            }
            self.write_changes(reports, now);
        }
        // Who has the votes is settled.
        for key in planned.keys() {
            if let Some(row) = self.rows.get_mut(key) {
                row.rivals.clear();
            }
        }
    }

    /// Runs the schedules whose posts are looked up at `now`.
    fn run_schedules(&mut self, now: DateTime<Utc>) {
        let runs = self.schedules.due(now);
        let posts = self.posts_of(&runs);
        let mut choice = Choice::new(&runs, self.rules, &posts, false);
        loop {
            let questions = choice.questions();
            if questions.is_empty() {
                break;
            }
            let rows = questions.iter().filter_map(|key| self.rows.get(key));
            let rows: Vec<Vote> = rows.cloned().collect();
            choice.answer(&rows, &HashSet::new());
        }
        let plans = choice.plans(self.newest.as_ref());
        self.write_changes(plans.into_iter().map(Change::Plan).collect(), now);
    }

    fn posts_of(&self, runs: &[Run]) -> HashMap<Account, Vec<choice::Post>> {
        let authors = runs.iter().flat_map(|run| &run.authors);
        let posts = authors.map(|author| {
            let posts = self.posts.newest_of(author).into_iter();
            (author.clone(), posts.map(choice::Post::from).collect())
        });
        posts.collect()
    }

    fn write_changes(&mut self, changes: Vec<Change>, now: DateTime<Utc>) {
        let batch = Batch {
            changes,
            ..Batch::default()
        };
        self.write(&batch, now);
    }

    /// Writes `batch` as the daemon's database would.
    fn write(&mut self, batch: &Batch, now: DateTime<Utc>) {
        let keys: BTreeSet<&VoteKey> = batch.changes.iter().map(Change::key).collect();
        let existing = keys.into_iter().filter_map(|key| self.rows.get(key));
        let context = Context {
            owner: "",
            now,
            // Nobody holds votes here: until they are cast everything may still change them.
            claim_before: DateTime::<Utc>::MIN_UTC,
            claim_until: now,
            confirm_within: Duration::ZERO,
            position: &|rule| self.rules.position(rule),
        };
        let rows = fold(existing.cloned().collect(), batch, &context);
        for row in rows.new.into_iter().chain(rows.changed) {
            let key = row.key.clone();
            if let Some(before) = self.rows.get(&key) {
                self.agenda.remove(&(before.next_attempt_at, key.clone()));
            }
            if row.status == Status::Queued {
                self.agenda.insert((row.next_attempt_at, key.clone()));
            }
            self.rows.insert(key, row);
        }
    }
}

fn later(
    next_attempt_at: DateTime<Utc>,
    due_at: Option<DateTime<Utc>>,
    reason: Option<String>,
) -> Outcome {
    Outcome::Later {
        next_attempt_at,
        due_at,
        reason,
        hold: false,
    }
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
