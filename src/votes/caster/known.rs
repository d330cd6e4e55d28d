//! What the caster was told of posts, of votes that went out before, and of mana; and what it still has to
//! ask for before it can decide.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};

use super::held::Held;
use super::world::{Looks, Sight};
use crate::account::Account;
use crate::chain::mana::AccountState;
use crate::network::ChainKind;
use crate::post::{PostId, VoteKey};
use crate::rules::facts::{Facts, SharedCache};
use crate::rules::rule::RuleId;
use crate::votes::verdict::Post;
use crate::votes::vote::PastVote;
use crate::weight::Weight;

/// Age after which what a node said of a post serves nobody.
const POST_FORGOTTEN: TimeDelta = TimeDelta::seconds(13);
/// Votes before are read anew after this: other daemons cast too.
const PAST_FRESH: TimeDelta = TimeDelta::seconds(30);
/// Mana is carried forward for so long before it is asked for again.
const MANA_FRESH: TimeDelta = TimeDelta::minutes(10);
/// What a node did not know is asked for again after this.
const UNKNOWN_FRESH: TimeDelta = TimeDelta::milliseconds(500);

/// Something that somebody must be asked for.
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
    /// As the table has them.
    written: Vec<PastVote>,
    /// Ours, on their way or just cast: the table may not have them yet.
    ours: Vec<PastVote>,
}

/// A post as somebody saw it.
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

    /// Hands the post to `judge`, with what rules ask about it.
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

/// What is known, and what was asked for.
#[derive(Debug, Default)]
pub struct Known {
    posts: HashMap<PostId, Looked>,
    past: HashMap<(Account, RuleId), Past>,
    mana: HashMap<Account, (DateTime<Utc>, Option<AccountState>)>,
    /// What is asked for, with the votes that cannot go on without.
    asked: HashMap<Need, Vec<VoteKey>>,
    wanted: BTreeSet<Need>,
}

impl Known {
    /// The post of `held`, if what was seen of it still serves at `now`. `exact` refuses what serves only because
    /// the post is young.
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
            // A post that was not there yet may be there a moment later.
            Sight::Missing => within(looks.missing),
            Sight::Unseen => within(looks.fresh),
        };
        serves.then_some(looked)
    }

    /// The votes of `voter` by `rule` so far, where they are known at `now`.
    pub fn past(
        &self,
        voter: &Account,
        rule: &RuleId,
        now: DateTime<Utc>,
    ) -> Option<impl Iterator<Item = &PastVote>> {
        let past = self.past.get(&(voter.clone(), rule.clone()))?;
        (now - past.read_at < PAST_FRESH).then(|| past.written.iter().chain(&past.ours))
    }

    /// The mana of `voter`, where it is known at `now`; `None` within where no node knows the account.
    pub fn mana(&self, voter: &Account, now: DateTime<Utc>) -> Option<Option<&AccountState>> {
        let (at, state) = self.mana.get(voter)?;
        let fresh = if state.is_some() {
            MANA_FRESH
        } else {
            UNKNOWN_FRESH
        };
        (now - *at < fresh).then_some(state.as_ref())
    }

    /// Has somebody asked, unless that is under way; `waiting` cannot go on before the answer.
    pub fn ask(&mut self, need: Need, waiting: Option<&VoteKey>) {
        let wanted = &mut self.wanted;
        let asked = self.asked.entry(need).or_insert_with_key(|need| {
            wanted.insert(need.clone());
            Vec::new()
        });
        asked.extend(waiting.cloned());
    }

    /// What is to be asked for now.
    pub fn take_wanted(&mut self) -> BTreeSet<Need> {
        std::mem::take(&mut self.wanted)
    }

    /// The answer to what was asked for has come, whatever it is: the votes that waited.
    pub fn answered(&mut self, need: &Need) -> Vec<VoteKey> {
        self.asked.remove(need).unwrap_or_default()
    }

    /// Somebody said what a post is like.
    pub fn set_post(&mut self, post: PostId, sight: Sight, now: DateTime<Utc>) {
        self.posts.insert(post, Looked::new(sight, now));
    }

    /// What was seen of the post last.
    pub fn just_seen(&self, post: &PostId) -> Option<&Looked> {
        self.posts.get(post)
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

    /// A node said what mana a voter has.
    pub fn set_mana(&mut self, voter: Account, state: Option<AccountState>, now: DateTime<Utc>) {
        self.mana.insert(voter, (now, state));
    }

    /// A vote of ours leaves.
    pub fn sent(&mut self, key: &VoteKey, rule: &RuleId, now: DateTime<Utc>) {
        if let Some(past) = self.past.get_mut(&(key.voter.clone(), rule.clone())) {
            past.ours.push(PastVote {
                post: key.post.clone(),
                at: now,
            });
        }
    }

    /// A vote that left was not taken.
    pub fn refused(&mut self, key: &VoteKey, rule: &RuleId) {
        if let Some(past) = self.past.get_mut(&(key.voter.clone(), rule.clone())) {
            past.ours.retain(|vote| vote.post != key.post);
        }
    }

    /// A vote of ours leaves, or would but for a dry run: it costs mana.
    pub fn taken(&mut self, voter: &Account, weight: Weight, kind: ChainKind, now: DateTime<Utc>) {
        if let Some((_, Some(state))) = self.mana.get_mut(voter) {
            state.spend(kind, weight, now);
        }
    }

    /// The voter voted by other means, or a vote of ours was refused: its mana is not what we think.
    pub fn voted_elsewhere(&mut self, voter: &Account) {
        self.mana.remove(voter);
    }

    /// Lets go of what serves nobody any more.
    pub fn forget(&mut self, now: DateTime<Utc>) {
        self.posts
            .retain(|_, looked| now - looked.at < POST_FORGOTTEN);
        self.mana.retain(|_, (at, _)| now - *at < MANA_FRESH);
        self.past
            .retain(|_, past| now - past.read_at < PAST_FRESH || !past.ours.is_empty());
    }
}
