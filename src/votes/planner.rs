//! What a block means for votes: the rules that match, the leaders that are followed, and the votes in it. Pure: knows
//! only the blocks it was given.

use std::collections::{HashMap, HashSet, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};

use crate::account::Account;
use crate::chain::block::{Block, Comment, CommentOptions, OperationBody, Vote};
use crate::post::{PAYOUT_AFTER, PostId, VoteKey};
use crate::rules::facts::Facts;
use crate::rules::rule::{Rule, Trigger};
use crate::rules::set::RuleSet;
use crate::votes::asks::Ask;
use crate::votes::change::{Batch, Change, Follow, LeaderVote, Outcome, Plan, Report, Seen};
use crate::votes::followers::{Followers, change_of};
use crate::votes::reason::Reason;
use crate::votes::status::Origin;
use crate::votes::verdict::is_too_old;

/// Number of remembered posts above which only those of the last day are kept.
const MOST_POSTS: usize = 1_000_000;
/// Most blocks that a fork undoes: Steem confirms within 21, Hive within two or three.
const MOST_UNDONE: u32 = 64;
/// Interval between two removals of what is not needed any more.
const FORGET_EVERY: TimeDelta = TimeDelta::hours(1);

/// What is known from the blocks so far: which posts exist, and the votes of leaders.
#[derive(Debug, Default)]
pub struct Planner {
    /// Posts that were last seen published or deleted, and when.
    fates: HashMap<PostId, (Fate, DateTime<Utc>)>,
    /// What was known of posts before recent blocks changed it, oldest first: a fork may undo these blocks.
    before: VecDeque<Before>,
    /// Votes of leaders by post, in the order of the blocks; the last one of each leader stands.
    leader_votes: HashMap<PostId, Vec<LeaderVote>>,
    forgot_at: DateTime<Utc>,
    /// The newest block of which anything is known.
    newest: u32,
}

/// What becomes of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The next comment operation is an edit.
    Published,
    /// The next comment operation makes a new post.
    Deleted,
}

/// What was known of a post before the block `num`.
#[derive(Debug)]
struct Before {
    num: u32,
    post: PostId,
    fate: Option<(Fate, DateTime<Utc>)>,
}

impl Planner {
    /// Continues where an earlier run stopped.
    pub fn new(leader_votes: Vec<LeaderVote>) -> Self {
        let mut planner = Self::default();
        for vote in leader_votes {
            planner.newest = planner.newest.max(vote.block_num);
            planner
                .leader_votes
                .entry(vote.post.clone())
                .or_default()
                .push(vote);
        }
        for votes in planner.leader_votes.values_mut() {
            votes.sort_by_key(|vote| vote.block_num);
        }
        planner
    }

    /// What `block`, the next one, means for votes under `rules`. A block that is read again replaces what it and the
    /// later ones said before. The caller sets the cursor.
    pub fn block(&mut self, rules: &RuleSet, block: &Block) -> Batch {
        if block.num <= self.newest {
            self.undo(block.num.saturating_sub(1));
        }
        self.newest = block.num;
        let mut batch = Batch::default();
        for operation in &block.operations {
            match &operation.body {
                OperationBody::Comment(comment) => self.comment(rules, block, comment, &mut batch),
                OperationBody::DeleteComment(post) => {
                    self.learn(post, Fate::Deleted, block);
                }
                OperationBody::Vote(vote) => {
                    if rules.is_voter(&vote.voter) {
                        batch.changes.push(Change::Seen(Seen {
                            key: VoteKey {
                                voter: vote.voter.clone(),
                                post: vote.post.clone(),
                            },
                            weight: vote.weight,
                            trx_id: operation.trx_id.to_string(),
                            block_num: block.num,
                            at: block.timestamp,
                        }));
                    }
                    if rules.is_leader(&vote.voter) {
                        self.leader_vote(rules, block, vote, &mut batch);
                    }
                }
                OperationBody::CommentOptions(_) => {}
            }
        }
        self.forget(block.timestamp);
        batch
    }

    /// All blocks above `above` were undone.
    pub fn undo(&mut self, above: u32) {
        self.newest = self.newest.min(above);
        while let Some(Before { post, fate, .. }) =
            self.before.pop_back_if(|before| before.num > above)
        {
            match fate {
                Some(fate) => self.fates.insert(post, fate),
                None => self.fates.remove(&post),
            };
        }
        self.leader_votes.retain(|_, votes| {
            votes.retain(|vote| vote.block_num <= above);
            !votes.is_empty()
        });
    }

    fn comment(&mut self, rules: &RuleSet, block: &Block, comment: &Comment, batch: &mut Batch) {
        let fate = self.fates.get(&comment.post).map(|(fate, _)| *fate);
        if comment.is_patch() || fate == Some(Fate::Published) {
            return;
        }
        self.learn(&comment.post, Fate::Published, block);

        let facts = Facts::of_comment(comment, options_of(block, &comment.post));
        let author = &comment.post.author;
        let mut asked: HashSet<&Account> = HashSet::new();
        let mut too_late = Vec::new();
        let first_change = batch.changes.len();
        for rule in rules.author_rules(author) {
            let Trigger::Author(author_rule) = &rule.trigger else {
                continue;
            };
            let asks = author_rule.schedule.is_none()
                && rule.in_force(block.timestamp)
                && rule.covers_author(author)
                && rule.admits(&facts).is_ok();
            if !asks {
                continue;
            }
            let due_at = rule.due_from(block.timestamp + rule.delay);
            let opens_too_late = is_too_old(rule, block.timestamp, due_at);
            for voter in voters_of(rule, author) {
                let plan = Plan {
                    key: VoteKey {
                        voter: voter.clone(),
                        post: comment.post.clone(),
                    },
                    ask: Ask {
                        rule: rule.id.clone(),
                        origin: Origin::Author,
                        weight: author_rule.weight,
                        due_at,
                        block: block.num,
                        at: block.timestamp,
                        leader: None,
                    },
                    may_be_edit: fate != Some(Fate::Deleted),
                };
                // The first rule has the post: if it declines, no other one gets it.
                if asked.insert(voter) && opens_too_late {
                    too_late.push(declined(&plan, block));
                }
                batch.changes.push(Change::Plan(plan));
            }
        }
        batch.changes.extend(too_late);
        in_order_of_votes(&mut batch.changes[first_change..]);
    }

    fn leader_vote(&mut self, rules: &RuleSet, block: &Block, vote: &Vote, batch: &mut Batch) {
        let standing = self.leader_votes.entry(vote.post.clone()).or_default();
        let before = standing.len();
        let cast = LeaderVote {
            leader: vote.voter.clone(),
            post: vote.post.clone(),
            weight: vote.weight,
            block_num: block.num,
            at: block.timestamp,
        };
        standing.push(cast.clone());
        batch.leader_votes.push(cast);

        let first_change = batch.changes.len();
        for rule in rules.trail_rules(&vote.voter) {
            if !rule.covers_author(&vote.post.author) {
                continue;
            }
            let key = |voter: &Account| VoteKey {
                voter: voter.clone(),
                post: vote.post.clone(),
            };
            let weight = rule.followed_weight(vote.weight);
            let change = change_of(rule, &standing[..before], standing, weight);
            if let Some((follows, now)) = change {
                let voters = rule.voters.iter().filter(|voter| *voter != &vote.voter);
                let follow = voters.map(|voter| Follow {
                    key: key(voter),
                    rule: rule.id.clone(),
                    follows: follows.clone(),
                    event_block: block.num,
                    now: now.clone(),
                });
                batch.changes.extend(follow.map(Change::Follow));
            }
            let weight = weight.filter(|_| Followers::of(rule, standing).agree(rule));
            let Some(weight) = weight.filter(|_| rule.in_force(block.timestamp)) else {
                continue;
            };
            let ask = Ask {
                rule: rule.id.clone(),
                origin: Origin::Trail,
                weight,
                due_at: rule.due_from(block.timestamp + rule.delay),
                block: block.num,
                at: block.timestamp,
                leader: Some((vote.voter.clone(), vote.weight)),
            };
            // Nobody follows itself.
            let voters = voters_of(rule, &vote.post.author).filter(|voter| *voter != &vote.voter);
            let plans = voters.map(|voter| Plan {
                key: key(voter),
                ask: ask.clone(),
                may_be_edit: false,
            });
            batch.changes.extend(plans.map(Change::Plan));
        }
        in_order_of_votes(&mut batch.changes[first_change..]);
    }

    fn learn(&mut self, post: &PostId, fate: Fate, block: &Block) {
        let before = self.fates.insert(post.clone(), (fate, block.timestamp));
        self.before.push_back(Before {
            num: block.num,
            post: post.clone(),
            fate: before,
        });
        while let Some(oldest) = self.before.front()
            && oldest.num.saturating_add(MOST_UNDONE) < block.num
        {
            self.before.pop_front();
        }
    }

    fn forget(&mut self, now: DateTime<Utc>) {
        if now - self.forgot_at < FORGET_EVERY {
            return;
        }
        self.forgot_at = now;
        let keep = if self.fates.len() > MOST_POSTS {
            TimeDelta::days(1)
        } else {
            PAYOUT_AFTER
        };
        self.fates.retain(|_, (_, at)| *at + keep > now);
        self.leader_votes
            .retain(|_, votes| votes.iter().any(|vote| vote.at + PAYOUT_AFTER > now));
    }
}

/// The options that a block sets for a post, if any: they mostly follow its comment in the same transaction.
fn options_of<'b>(block: &'b Block, post: &PostId) -> Option<&'b CommentOptions> {
    block
        .operations
        .iter()
        .rev()
        .find_map(|operation| match &operation.body {
            OperationBody::CommentOptions(options) if options.post == *post => Some(options),
            _ => None,
        })
}

/// The voters of `rule` for a post of `author`, who votes on its own posts only if the rule says so.
fn voters_of<'r>(rule: &'r Rule, author: &Account) -> impl Iterator<Item = &'r Account> {
    let voters = rule.voters.iter();
    voters.filter(move |voter| rule.self_votes || *voter != author)
}

/// Sorts changes by vote, so that each row is written once even if a large batch is cut.
fn in_order_of_votes(changes: &mut [Change]) {
    changes.sort_by(|left, right| left.key().cmp(right.key()));
}

/// The vote ends at once: the rule's window opens too late.
fn declined(plan: &Plan, block: &Block) -> Change {
    Change::Report(Report {
        key: plan.key.clone(),
        cause: plan.ask.cause(),
        weight: plan.ask.weight,
        attempts: 0,
        at: block.timestamp,
        outcome: Outcome::Skipped(Reason::WindowTooLate {
            opens: plan.ask.due_at,
        }),
    })
}

#[cfg(test)]
mod tests;
