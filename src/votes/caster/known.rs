//! What the caster knows about posts, earlier votes and mana, and what it must still ask for before it can decide.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};

use super::held::Held;
use super::world::{Looks, PostChange, Sight};
use crate::account::Account;
use crate::chain::block::CommentOptions;
use crate::chain::mana::AccountState;
use crate::network::ChainKind;
use crate::post::{PostId, VoteKey};
use crate::rules::facts::{Facts, SharedCache};
use crate::rules::rule::RuleId;
use crate::rules::set::RuleSet;
use crate::votes::status::Origin;
use crate::votes::verdict::{POST_MAY_BE_NEW, Post};
use crate::votes::vote::{PastVote, Vote};
use crate::weight::Weight;

/// Age after which a node's answer about a post is dropped.
const POST_FORGOTTEN: TimeDelta = TimeDelta::seconds(13);
/// Age up to which the earlier votes of a voter are valid: other daemons cast, too.
const PAST_FRESH: TimeDelta = TimeDelta::seconds(30);
/// Age up to which mana is computed forward before it is asked for again.
const MANA_FRESH: TimeDelta = TimeDelta::minutes(10);
/// The same for a voter whose mana is used up.
const SHORT_MANA_FRESH: TimeDelta = TimeDelta::minutes(1);
/// Age up to which "no node knows the account" is valid.
const UNKNOWN_FRESH: TimeDelta = TimeDelta::milliseconds(500);

/// Something that a node or the table must be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Need {
    /// A post as it is now: a node.
    Post(PostId),
    /// The votes of a voter by a rule in the last week: the table.
    Past(Account, RuleId),
    /// The mana of a voter: a node.
    Mana(Account),
}

/// Votes of one voter by one rule.
#[derive(Debug, Default)]
struct Past {
    read_at: DateTime<Utc>,
    /// Those in the table.
    written: Vec<PastVote>,
    /// Those of this daemon in flight or just cast: the table may not hold them yet.
    ours: Vec<PastVote>,
}

/// The result of a look at a post.
#[derive(Debug)]
pub struct Looked {
    at: DateTime<Utc>,
    sight: Sight,
    read: SharedCache,
}

impl Looked {
    fn new(sight: Sight, at: DateTime<Utc>) -> Self {
        Self {
            at,
            sight,
            read: SharedCache::default(),
        }
    }

    /// Whether no node knows it.
    pub fn is_missing(&self) -> bool {
        matches!(self.sight, Sight::Missing)
    }

    /// Hands the post to `judge`, with the facts that rules use.
    pub fn show<T>(&self, judge: impl FnOnce(Post<'_>) -> T) -> T {
        match &self.sight {
            Sight::Here(content) => {
                let facts = Facts::of_content_cached(content, &self.read);
                judge(Post::Here(content, &facts))
            }
            Sight::Missing => judge(Post::Missing),
            Sight::Unseen => judge(Post::Unseen),
        }
    }
}

/// What is known, and what has been asked for.
#[derive(Debug, Default)]
pub struct Known {
    posts: HashMap<PostId, Looked>,
    /// Options that blocks have set lately, which nodes may not tell of yet.
    options: HashMap<PostId, (DateTime<Utc>, CommentOptions)>,
    past: HashMap<(Account, RuleId), Past>,
    mana: HashMap<Account, (DateTime<Utc>, Option<AccountState>)>,
    /// What has been asked for, with the votes that wait for it.
    asked: HashMap<Need, Vec<VoteKey>>,
    wanted: BTreeSet<Need>,
}

impl Known {
    /// The post of `held`, if the last look is still valid at `now`. With `exact`, a look is not valid longer because the
    /// post is young.
    pub fn post(
        &self,
        held: &Held,
        exact: bool,
        looks: &Looks,
        now: DateTime<Utc>,
    ) -> Option<&Looked> {
        let looked = self.posts.get(&held.vote.key.post)?;
        let unclear = held.tries.unclear_until;
        if unclear.is_some_and(|until| looked.at < until) {
            return None;
        }
        let within = |most: TimeDelta| {
            let age = now - looked.at;
            age < most || age.is_zero()
        };
        let serves = match &looked.sight {
            Sight::Here(content) => {
                within(looks.fresh) || (!exact && now - content.created < looks.young)
            }
            // A post that does not exist yet may exist a moment later.
            Sight::Missing => within(looks.missing),
            Sight::Unseen => within(looks.fresh),
        };
        serves.then_some(looked)
    }

    /// The votes of `voter` by `rule` so far, if they are known at `now`.
    pub fn past(
        &self,
        voter: &Account,
        rule: &RuleId,
        now: DateTime<Utc>,
    ) -> Option<impl Iterator<Item = &PastVote>> {
        let past = self.past.get(&(voter.clone(), rule.clone()))?;
        (now - past.read_at < PAST_FRESH).then(|| past.written.iter().chain(&past.ours))
    }

    /// The mana of `voter`, if it is known at `now`; the inner `None` means that no node knows the account. With `short`,
    /// the voter's mana is used up, and more of it may come from elsewhere.
    pub fn mana(
        &self,
        voter: &Account,
        short: bool,
        now: DateTime<Utc>,
    ) -> Option<Option<&AccountState>> {
        let (at, state) = self.mana.get(voter)?;
        let fresh = match (state, short) {
            (None, _) => UNKNOWN_FRESH,
            (Some(_), true) => SHORT_MANA_FRESH,
            (Some(_), false) => MANA_FRESH,
        };
        (now - *at < fresh).then_some(state.as_ref())
    }

    /// Asks for `need`, unless that is in progress already; `waiting` needs the answer.
    pub fn ask(&mut self, need: Need, waiting: Option<&VoteKey>) {
        let wanted = &mut self.wanted;
        let asked = self.asked.entry(need).or_insert_with_key(|need| {
            wanted.insert(need.clone());
            Vec::new()
        });
        asked.extend(waiting.cloned());
    }

    /// Takes out what to ask for now.
    pub fn take_wanted(&mut self) -> BTreeSet<Need> {
        std::mem::take(&mut self.wanted)
    }

    /// The answer has come, whatever it is: returns the votes that waited for it.
    pub fn answered(&mut self, need: &Need) -> Vec<VoteKey> {
        self.asked.remove(need).unwrap_or_default()
    }

    /// Takes in what a block changed about a post.
    pub fn post_changed(&mut self, change: PostChange, now: DateTime<Utc>) {
        match change {
            PostChange::Options(options) => {
                if let Some(looked) = self.posts.get_mut(&options.post) {
                    looked.sight.limit(&options);
                }
                self.options.insert(options.post.clone(), (now, options));
            }
            // The next look shows it.
            PostChange::Text(post) => {
                self.posts.remove(&post);
            }
            // Published again, it has options of its own.
            PostChange::Deleted(post) => {
                self.posts.remove(&post);
                self.options.remove(&post);
            }
        }
    }

    /// Takes in a look at a post.
    pub fn set_post(&mut self, post: PostId, mut sight: Sight, now: DateTime<Utc>) {
        if let Some((_, options)) = self.options.get(&post) {
            sight.limit(options);
        }
        self.posts.insert(post, Looked::new(sight, now));
    }

    /// The last look at the post.
    pub fn just_seen(&self, post: &PostId) -> Option<&Looked> {
        self.posts.get(post)
    }

    /// The first moment at which the post is too old for the rule of `vote`, if both are known.
    pub fn too_old_from(&self, vote: &Vote, rules: &RuleSet) -> Option<DateTime<Utc>> {
        let rule = rules.rule(&vote.ask().rule)?;
        let created = match self.posts.get(&vote.key.post).map(|looked| &looked.sight) {
            Some(Sight::Here(content)) => content.created,
            _ if vote.ask().origin == Origin::Author => vote.ask().at,
            _ => return None,
        };
        // Exactly at `max_age` it is not too old yet.
        let most = TimeDelta::from_std(rule.max_age).ok()?;
        created.checked_add_signed(most + TimeDelta::milliseconds(1))
    }

    /// Takes in the votes of a voter by a rule that the table holds. Where it did not answer, those of this run count.
    pub fn set_past(
        &mut self,
        pair: (Account, RuleId),
        written: Option<Vec<PastVote>>,
        now: DateTime<Utc>,
    ) {
        let past = self.past.entry(pair).or_default();
        past.read_at = now;
        if let Some(written) = written {
            past.ours
                .retain(|ours| written.iter().all(|vote| vote.post != ours.post));
            past.written = written;
        }
    }

    /// Takes in the mana of a voter.
    pub fn set_mana(&mut self, voter: Account, state: Option<AccountState>, now: DateTime<Utc>) {
        self.mana.insert(voter, (now, state));
    }

    /// A vote of this daemon is sent.
    pub fn sent(&mut self, key: &VoteKey, rule: &RuleId, now: DateTime<Utc>) {
        if let Some(past) = self.past.get_mut(&(key.voter.clone(), rule.clone())) {
            past.ours.push(PastVote {
                post: key.post.clone(),
                at: now,
            });
        }
    }

    /// A vote that was sent was not accepted.
    pub fn refused(&mut self, key: &VoteKey, rule: &RuleId) {
        if let Some(past) = self.past.get_mut(&(key.voter.clone(), rule.clone())) {
            past.ours.retain(|vote| vote.post != key.post);
        }
    }

    /// A vote of this daemon is sent, or would be without `--dry-run`: it costs mana.
    pub fn taken(&mut self, voter: &Account, weight: Weight, kind: ChainKind, now: DateTime<Utc>) {
        if let Some((_, Some(state))) = self.mana.get_mut(voter) {
            state.spend(kind, weight, now);
        }
    }

    /// The voter voted by other means, or a vote of this daemon was refused: its mana is not known any more.
    pub fn voted_elsewhere(&mut self, voter: &Account) {
        self.mana.remove(voter);
    }

    /// Drops what is not valid any more.
    pub fn forget(&mut self, now: DateTime<Utc>) {
        self.posts
            .retain(|_, looked| now - looked.at < POST_FORGOTTEN);
        self.options
            .retain(|_, (at, _)| now - *at < POST_MAY_BE_NEW);
        self.mana.retain(|_, (at, _)| now - *at < MANA_FRESH);
        self.past
            .retain(|_, past| now - past.read_at < PAST_FRESH || !past.ours.is_empty());
    }
}
