//! `limit` and `min_mana`: whether earlier votes and the voter's mana allow one more vote.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use crate::account::Account;
use crate::chain::mana::AccountState;
use crate::network::ChainKind;
use crate::rules::rule::{BelowMinMana, Limit, Rule};
use crate::votes::reason::Reason;
use crate::votes::verdict::Verdict;
use crate::votes::vote::PastVote;
use crate::weight::Weight;

/// The longest time that a limit looks back over: 168 hours.
pub const LIMITS_LOOK_BACK: TimeDelta = TimeDelta::hours(168);
/// Retry delay after "not enough mana".
pub const MANA_MAY_BE_BACK: TimeDelta = TimeDelta::minutes(5);
/// Longest interval between two checks of a vote that waits for mana.
const LOOK_AGAIN: TimeDelta = TimeDelta::minutes(5);

impl Limit {
    /// Whether nothing is limited.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The limit that one more vote on a post of `author` at `now` would exceed, after the `past` votes of the
    /// same rule and voter; `None` if it exceeds none.
    pub fn exceeded<'a>(
        &self,
        past: impl IntoIterator<Item = &'a PastVote>,
        author: &Account,
        now: DateTime<Utc>,
    ) -> Option<Reason> {
        let (mut day, mut week, mut author_day, mut author_week) = (0, 0, 0, 0);
        for vote in past {
            let of_author = u32::from(&vote.post.author == author);
            if now - vote.at < LIMITS_LOOK_BACK {
                week += 1;
                author_week += of_author;
            }
            if now - vote.at < TimeDelta::hours(24) {
                day += 1;
                author_day += of_author;
            }
        }
        let limits = [
            ("per_day", self.per_day, day),
            ("per_week", self.per_week, week),
            ("per_author_per_day", self.per_author_per_day, author_day),
            ("per_author_per_week", self.per_author_per_week, author_week),
        ];
        let exceeded = limits
            .into_iter()
            .find(|(_, limit, votes)| limit.is_some_and(|limit| *votes >= limit.get()));
        exceeded.map(|(key, _, votes)| Reason::Limit { key, votes })
    }
}

/// The verdict of the voter's mana on a vote by `rule` at `now`; `None` if it is enough.
pub fn by_mana(rule: &Rule, state: Option<&AccountState>, now: DateTime<Utc>) -> Option<Verdict> {
    let min = rule.min_mana?;
    let Some(state) = state else {
        return Some(Verdict::Fail(Reason::NoAccount));
    };
    let has = state.percent(now);
    if has >= min.magnitude() {
        return None;
    }
    let reason = Reason::MinMana { has, min };
    Some(match rule.below_min_mana {
        BelowMinMana::Skip => Verdict::Skip(reason),
        BelowMinMana::Wait => {
            let refill = state.wait_for_percent(min.magnitude(), now);
            let refill = refill
                .and_then(|wait| TimeDelta::from_std(wait).ok())
                .unwrap_or(LOOK_AGAIN);
            Verdict::Wait {
                until: now + refill.clamp(TimeDelta::seconds(1), LOOK_AGAIN),
                reason,
            }
        }
    })
}

/// A vote that the chain refused since the voter's mana is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// Its magnitude, in hundredths of a percent.
    pub magnitude: u16,
    /// When it was refused.
    pub at: DateTime<Utc>,
}

/// The verdict on a vote of `weight` of a voter whose mana is used up, by the voter's mana and by what was `refused`;
/// `None` if the mana pays for it.
pub fn by_cost(
    rule: Option<&Rule>,
    state: Option<&AccountState>,
    refused: Refused,
    kind: ChainKind,
    weight: Weight,
    now: DateTime<Utc>,
) -> Option<Verdict> {
    let refill = state.map_or(Some(Duration::ZERO), |state| {
        state.wait_to_afford(kind, weight, now)
    });
    let refill = refill.and_then(|wait| TimeDelta::from_std(wait).ok());
    // Where the node and the chain's refusal differ, the refusal counts.
    let refused_until = match weight.magnitude() >= refused.magnitude {
        true => refused.at + MANA_MAY_BE_BACK,
        false => now,
    };
    let until = refused_until.max(now + refill.unwrap_or(MANA_MAY_BE_BACK));
    if until <= now {
        return None;
    }
    let reason = Reason::NotEnoughMana { until };
    Some(match rule.is_some_and(Rule::waits_for_mana) {
        true => Verdict::Wait {
            until: until.clamp(now + TimeDelta::seconds(1), now + LOOK_AGAIN),
            reason,
        },
        false => Verdict::Skip(reason),
    })
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::post::PostId;

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hours)
    }

    fn past(votes: &[(&str, i64)]) -> Vec<PastVote> {
        votes
            .iter()
            .map(|(author, hours)| PastVote {
                post: PostId::new(Account::from_chain(author), "p"),
                at: at(*hours),
            })
            .collect()
    }

    fn exceeded(limit: Limit, votes: &[(&str, i64)], now: i64) -> Option<String> {
        let exceeded = limit.exceeded(&past(votes), &Account::from_chain("bob"), at(now));
        exceeded.map(|reason| reason.to_string())
    }

    #[test]
    fn a_day_slides() {
        let limit = Limit {
            per_day: NonZeroU32::new(2),
            ..Limit::default()
        };
        let votes = [("bob", 1), ("carol", 10)];
        assert_eq!(
            exceeded(limit, &votes, 24).as_deref(),
            Some("limit.per_day: 2 votes were cast already")
        );
        assert_eq!(exceeded(limit, &votes, 25), None);
    }

    #[test]
    fn a_week_slides() {
        let limit = Limit {
            per_week: NonZeroU32::new(1),
            ..Limit::default()
        };
        assert!(exceeded(limit, &[("carol", 0)], 167).is_some());
        assert_eq!(exceeded(limit, &[("carol", 0)], 168), None);
    }

    #[test]
    fn an_author_has_a_limit_of_its_own() {
        let day = Limit {
            per_author_per_day: NonZeroU32::new(1),
            ..Limit::default()
        };
        assert_eq!(exceeded(day, &[("carol", 1), ("carol", 2)], 3), None);
        assert!(exceeded(day, &[("bob", 1)], 3).is_some());
        let week = Limit {
            per_author_per_week: NonZeroU32::new(1),
            ..Limit::default()
        };
        assert!(exceeded(week, &[("bob", 1)], 100).is_some());
        assert_eq!(exceeded(week, &[("carol", 1)], 100), None);
    }
}
