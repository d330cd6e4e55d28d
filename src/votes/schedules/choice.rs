//! The posts that a run votes on: for every voter and author the newest that matches and has no vote yet. Pure: the table
//! is asked in rounds, since mostly the newest post is chosen.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::account::Account;
use crate::chain::content::Content;
use crate::post::VoteKey;
use crate::rules::facts::Facts;
use crate::rules::rule::Rule;
use crate::rules::set::RuleSet;
use crate::votes::asks::Ask;
use crate::votes::change::{Cursor, Plan};
use crate::votes::schedules::agenda::{Run, scheduled};
use crate::votes::status::{Origin, Status};
use crate::votes::verdict::is_too_old;
use crate::votes::vote::Vote;
use crate::weight::Weight;

/// Number of posts of an author that are considered.
pub const NEWEST: usize = 20;

/// The choice of votes for some runs.
#[derive(Debug)]
pub struct Choice<'a> {
    open: Vec<Wish<'a>>,
    chosen: Vec<Wish<'a>>,
    dry_run: bool,
}

/// One vote that a rule wants.
#[derive(Debug, Clone)]
struct Wish<'a> {
    rule: &'a Rule,
    /// The rule's place in the order of precedence.
    place: u32,
    weight: Weight,
    voter: &'a Account,
    due_at: DateTime<Utc>,
    /// The posts that match, newest first.
    posts: Arc<[&'a Post]>,
    /// The index of the post that is considered now.
    at: usize,
}

/// A post, and who has voted on it.
#[derive(Debug)]
pub struct Post {
    content: Content,
    voters: HashSet<Account>,
}

impl From<Content> for Post {
    fn from(content: Content) -> Self {
        // A vote that was taken back counts: the voter does not want one there.
        let voters = content.votes.voters().cloned();
        Self {
            voters: voters.collect(),
            content,
        }
    }
}

impl<'a> Choice<'a> {
    /// What `runs` may vote on, given the newest posts of authors; authors that are missing in `posts` are left out. In a
    /// dry run, votes of dry runs count as votes.
    pub fn new(
        runs: impl IntoIterator<Item = &'a Run>,
        rules: &'a RuleSet,
        posts: &'a HashMap<Account, Vec<Post>>,
        dry_run: bool,
    ) -> Self {
        let mut open = Vec::new();
        for run in runs {
            let Some(rule) = rules.rule(&run.rule).filter(|rule| rule.in_force(run.due)) else {
                continue;
            };
            let (Some((author_rule, _)), Some(place)) =
                (scheduled(rule), rules.position(&run.rule))
            else {
                continue;
            };
            let window = rule.window.as_ref();
            let due_at = window.map_or(run.due, |window| window.open_from(run.due));
            for author in &run.authors {
                let Some(posts) = posts.get(author).filter(|_| rule.covers_author(author)) else {
                    continue;
                };
                let matching = posts.iter().filter(|post| matches(rule, post, due_at));
                let mut matching: Vec<&Post> = matching.collect();
                matching.sort_by_key(|post| std::cmp::Reverse(post.content.created));
                let matching: Arc<[&Post]> = matching.into();
                let voters = rule.voters.iter();
                open.extend(
                    voters
                        .filter(|voter| rules.votes_as(rule, voter, author))
                        .map(|voter| Wish {
                            rule,
                            place,
                            weight: author_rule.weight,
                            voter,
                            due_at,
                            posts: matching.clone(),
                            at: 0,
                        }),
                );
            }
        }
        let mut choice = Self {
            open,
            chosen: Vec::new(),
            dry_run,
        };
        choice.pass_over(|_| false);
        choice
    }

    /// The votes to read from the table; none when the choice is complete.
    pub fn questions(&self) -> Vec<VoteKey> {
        self.open.iter().filter_map(Wish::key).collect()
    }

    /// Takes in the rows of these votes; `planned` are votes that may not be in the table yet.
    pub fn answer(&mut self, rows: &[Vote], planned: &HashSet<VoteKey>) {
        let rows = rows.iter().filter(|row| counts(row, self.dry_run));
        let taken: HashSet<&VoteKey> = rows.map(|row| &row.key).chain(planned).collect();
        let (again, chosen) = std::mem::take(&mut self.open)
            .into_iter()
            .partition(|wish| wish.key().is_none_or(|key| taken.contains(&key)));
        self.open = again;
        self.chosen.extend::<Vec<_>>(chosen);
        self.pass_over(|wish| wish.key().is_some_and(|key| taken.contains(&key)));
    }

    /// The chosen votes, each with its rule; two rules may have chosen the same.
    pub fn chosen(&self) -> impl Iterator<Item = (&'a Rule, VoteKey)> {
        let chosen = self.chosen.iter();
        chosen.filter_map(|wish| Some((wish.rule, wish.key()?)))
    }

    /// The plans, one for each voter and post: if two rules chose the same, the earlier rule has it.
    pub fn plans(self, newest_block: Option<&Cursor>) -> Vec<Plan> {
        let mut plans: BTreeMap<VoteKey, Wish<'a>> = BTreeMap::new();
        for wish in self.chosen {
            let Some(key) = wish.key() else { continue };
            let earlier = plans
                .get(&key)
                .is_some_and(|other| other.place <= wish.place);
            if !earlier {
                plans.insert(key, wish);
            }
        }
        let plan = |(key, wish): (VoteKey, Wish<'a>)| {
            let created = wish.posts.get(wish.at).map(|post| post.content.created);
            Plan {
                key,
                ask: Ask {
                    rule: wish.rule.id.clone(),
                    origin: Origin::Schedule,
                    weight: wish.weight,
                    due_at: wish.due_at,
                    block: newest_block.map_or(0, |cursor| cursor.block_num),
                    at: created.unwrap_or(wish.due_at),
                    leader: None,
                },
                may_be_edit: false,
            }
        };
        plans.into_iter().map(plan).collect()
    }

    /// Moves on to the next post if the voter has voted on this one, according to the post itself or `taken`; drops wishes
    /// that have no post left.
    fn pass_over(&mut self, taken: impl Fn(&Wish<'_>) -> bool) {
        self.open.retain_mut(|wish| {
            while let Some(post) = wish.posts.get(wish.at) {
                if !post.voters.contains(wish.voter) && !taken(wish) {
                    return true;
                }
                wish.at += 1;
            }
            false
        });
    }
}

impl Wish<'_> {
    fn key(&self) -> Option<VoteKey> {
        let post = self.posts.get(self.at)?;
        Some(VoteKey {
            voter: self.voter.clone(),
            post: post.content.post.clone(),
        })
    }
}

/// Whether the rule matches the post at `due_at`.
fn matches(rule: &Rule, post: &Post, due_at: DateTime<Utc>) -> bool {
    let content = &post.content;
    !is_too_old(rule, content.created, due_at)
        && content.allow_votes
        && rule.admits(&Facts::of_content(content)).is_ok()
}

/// Whether the row shows that the voter has voted on the post, will vote, or must not.
pub fn counts(row: &Vote, dry_run: bool) -> bool {
    match row.status {
        Status::Queued | Status::Cast | Status::Confirmed => true,
        Status::Skipped => row.is_by_hand(),
        Status::DryRun => dry_run || row.is_by_hand(),
        Status::Failed | Status::Withdrawn => false,
    }
}
