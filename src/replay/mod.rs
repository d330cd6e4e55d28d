//! Plays rules over recorded blocks and tells the votes they would cast.
//!
//! The decisions are those of the daemon: [`Planner`] says what a block means for votes, [`fold`] what becomes
//! of them, and [`verdict`] whether one goes out when it is due. In place of the database, the nodes and
//! the clock there are a table in memory, the posts that the blocks have shown, and the blocks' own time.

pub mod fetch;
pub mod recordings;

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::cast::verdict::{self, Post, Verdict};
use crate::chain::block::{Block, Comment, OperationBody};
use crate::chain::content::Content;
use crate::post::{PostId, VoteKey};
use crate::queue::change::{Batch, Change, Outcome, Report};
use crate::queue::planner::Planner;
use crate::queue::transition::{Context, fold};
use crate::queue::vote::{Status, Vote};
use crate::rules::rule::RuleId;
use crate::rules::set::RuleSet;
use crate::weight::Weight;

/// A vote that the rules would cast.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayedVote {
    pub key: VoteKey,
    pub weight: Weight,
    pub due_at: DateTime<Utc>,
    pub rule: RuleId,
    /// The number of the block with the post or the leader's vote that caused it.
    pub block: u32,
}

/// Rules at work on blocks, block by block.
#[derive(Debug)]
pub struct Replay<'r> {
    rules: &'r RuleSet,
    planner: Planner,
    /// What the daemon has in its table of votes.
    rows: HashMap<VoteKey, Vote>,
    /// Queued votes by the moment at which there is something to decide.
    agenda: BTreeSet<(DateTime<Utc>, VoteKey)>,
    /// Posts that the blocks have shown; `None` once deleted.
    posts: HashMap<PostId, Option<Content>>,
    cast: Vec<ReplayedVote>,
}

impl<'r> Replay<'r> {
    /// Nothing has happened yet.
    pub fn new(rules: &'r RuleSet) -> Self {
        Self {
            rules,
            planner: Planner::default(),
            rows: HashMap::new(),
            agenda: BTreeSet::new(),
            posts: HashMap::new(),
            cast: Vec::new(),
        }
    }

    /// Plays `block`, and before it what was due until then: the daemon, too, learns of a block only when
    /// its time has come.
    pub fn block(&mut self, block: &Block) {
        self.cast_until(block.timestamp);
        self.remember_posts(block);
        let batch = self.planner.block(self.rules, block);
        self.write(&batch, block.timestamp);
    }

    /// Casts what is still queued after the last block, and tells every vote of the replay, by due time,
    /// then by the block that caused it.
    pub fn finish(mut self) -> Vec<ReplayedVote> {
        self.cast_until(DateTime::<Utc>::MAX_UTC);
        self.cast.sort_by(|left, right| {
            let order = |vote: &ReplayedVote| (vote.due_at, vote.block);
            order(left)
                .cmp(&order(right))
                .then_with(|| left.key.cmp(&right.key))
        });
        self.cast
    }

    fn cast_until(&mut self, end: DateTime<Utc>) {
        while let Some((at, key)) = self.agenda.first().cloned().filter(|(at, _)| *at <= end) {
            let Some(vote) = self.rows.get(&key) else {
                self.agenda.pop_first();
                continue;
            };
            let mut weight = vote.weight;
            let outcome = match self.judge(vote, at) {
                Verdict::Cast(now) => {
                    weight = now;
                    self.cast.push(ReplayedVote {
                        key: key.clone(),
                        weight,
                        due_at: vote.due_at,
                        rule: vote.rule.clone(),
                        block: vote.event_block,
                    });
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
                weight,
                attempts: 0,
                at,
                outcome,
            };
            let batch = Batch {
                changes: vec![Change::Report(report)],
                ..Batch::default()
            };
            self.write(&batch, at);
        }
    }

    fn judge(&self, vote: &Vote, now: DateTime<Utc>) -> Verdict {
        let rule = match verdict::by_rule(vote, self.rules, now) {
            Ok(rule) => rule,
            Err(verdict) => return verdict,
        };
        let post = match self.posts.get(&vote.key.post) {
            Some(Some(content)) => Post::Here(content),
            Some(None) => Post::Unknown,
            None => Post::Unasked,
        };
        verdict::by_post(vote, rule, post, false, now)
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

    fn remember_posts(&mut self, block: &Block) {
        for operation in &block.operations {
            match &operation.body {
                OperationBody::Comment(comment) => self.remember(comment, block.timestamp),
                OperationBody::DeleteComment(post) => {
                    self.posts.insert(post.clone(), None);
                }
                OperationBody::CommentOptions(_) | OperationBody::Vote(_) => {}
            }
        }
    }

    fn remember(&mut self, comment: &Comment, at: DateTime<Utc>) {
        match self.posts.get_mut(&comment.post) {
            Some(Some(content)) => content.last_update = Some(at),
            // An edit of a post from before the recording, of which the rest is not known.
            None if comment.is_patch() => {}
            _ => {
                let content = content_of(comment, at);
                self.posts.insert(comment.post.clone(), Some(content));
            }
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

/// A new post as a node would tell of it. Its texts are left out: no condition asks for them.
fn content_of(comment: &Comment, created: DateTime<Utc>) -> Content {
    Content {
        post: comment.post.clone(),
        created,
        last_update: Some(created),
        parent_author: comment.parent_author.clone(),
        parent_permlink: comment.parent_permlink.clone(),
        title: String::new(),
        body: String::new(),
        json_metadata: String::new(),
        pending_payout: 0,
        max_accepted_payout: i64::MAX,
        allow_votes: true,
        votes: Vec::new(),
    }
}
