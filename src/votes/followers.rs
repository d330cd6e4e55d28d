//! The leaders whose votes on a post a trail follows, and what a change of their votes means for its own.

use std::collections::HashSet;

use crate::account::Account;
use crate::rules::rule::{Rule, Trigger};
use crate::votes::change::{Followed, FollowedBy, LeaderVote};
use crate::weight::Weight;

/// The leaders of a trail whose votes on a post stand and are followed, latest first.
pub struct Followers<'v>(Vec<&'v LeaderVote>);

impl<'v> Followers<'v> {
    /// The followed leaders among `votes`, which are in the order of the blocks. If leaders must agree, only those that
    /// agree with the latest.
    pub fn of(rule: &Rule, votes: &'v [LeaderVote]) -> Self {
        let all = Self::of_both_signs(rule, votes);
        match all.0.first() {
            Some(latest) if rule.needs_agreement() => {
                let upvotes = latest.weight.hundredths() > 0;
                all.only(upvotes)
            }
            _ => all,
        }
    }

    /// The leaders among `votes` who agree in sufficient number: they may have agreed before the latest voted the other
    /// way. If none do, the same as [`Self::of`].
    pub fn agreeing(rule: &Rule, votes: &'v [LeaderVote]) -> Self {
        let latest = Self::of(rule, votes);
        if latest.agree(rule) || !rule.needs_agreement() {
            return latest;
        }
        let agreed = [true, false].map(|upvotes| Self::of_sign(rule, votes, upvotes));
        let agreed = agreed.into_iter().find(|followers| followers.agree(rule));
        agreed.unwrap_or(latest)
    }

    /// The leaders that vote up, or else those that vote down.
    fn of_sign(rule: &Rule, votes: &'v [LeaderVote], upvotes: bool) -> Self {
        Self::of_both_signs(rule, votes).only(upvotes)
    }

    fn of_both_signs(rule: &Rule, votes: &'v [LeaderVote]) -> Self {
        let Trigger::Trail(trail) = &rule.trigger else {
            return Self(Vec::new());
        };
        let mut seen = HashSet::new();
        let latest = votes.iter().rev().filter(|vote| seen.insert(&vote.leader));
        let followed = latest.filter(|vote| {
            trail.leaders.contains(&vote.leader) && rule.followed_weight(vote.weight).is_some()
        });
        Self(followed.collect())
    }

    fn only(mut self, upvotes: bool) -> Self {
        self.0
            .retain(|vote| (vote.weight.hundredths() > 0) == upvotes);
        self
    }

    /// Their votes, latest first.
    pub fn votes(&self) -> &[&'v LeaderVote] {
        &self.0
    }

    /// Whether there are as many as the rule asks for.
    pub fn agree(&self, rule: &Rule) -> bool {
        matches!(&rule.trigger, Trigger::Trail(trail) if self.0.len() >= trail.agree.get() as usize)
    }

    fn follow(&self, leader: &Account) -> bool {
        self.0.iter().any(|vote| &vote.leader == leader)
    }

    /// The latest of them.
    fn latest(&self, rule: &Rule) -> Option<Followed> {
        let vote = self.0.first()?;
        let weight = rule.followed_weight(vote.weight)?;
        Some(Followed {
            leader: vote.leader.clone(),
            leader_weight: vote.weight,
            weight,
        })
    }
}

/// What the last of the `standing` votes, to which the rule gives `weight`, means for queued votes that follow the
/// same leader's vote among those `before`: which of them are concerned, and what they follow from now on.
pub(super) fn change_of(
    rule: &Rule,
    before: &[LeaderVote],
    standing: &[LeaderVote],
    weight: Option<Weight>,
) -> Option<(FollowedBy, Option<Followed>)> {
    let vote = standing.last()?;
    let was = before.iter().rev().find(|was| was.leader == vote.leader)?;
    let upvotes = was.weight.hundredths() > 0;
    // Leaders who agree on a downvote keep no upvote alive, and vice versa, whichever came last.
    let agreed = |votes| match rule.needs_agreement() {
        true => Followers::of_sign(rule, votes, upvotes),
        false => Followers::of(rule, votes),
    };
    let (were, are) = (agreed(before), agreed(standing));
    if !were.agree(rule) || !were.follow(&vote.leader) {
        return None;
    }
    let follows = FollowedBy::Leader(vote.leader.clone());
    if !are.agree(rule) {
        // Too few leaders are left: none of them is followed any more.
        return match rule.needs_agreement() {
            true => Some((FollowedBy::Agreement { upvotes }, None)),
            false => Some((follows, None)),
        };
    }
    let now = match weight.filter(|_| are.follow(&vote.leader)) {
        Some(weight) => Some(Followed {
            leader: vote.leader.clone(),
            leader_weight: vote.weight,
            weight,
        }),
        None => are.latest(rule),
    };
    Some((follows, now))
}
