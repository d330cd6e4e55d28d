//! Voting mana: how much an account has, and how much a vote costs.
//!
//! The rules are those of hived (`util/manabar.hpp`, `get_effective_vesting_shares`,
//! `hive_vote_evaluator`). Those of steemd differ in the cost only.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::account::Account;
use crate::network::ChainKind;
use crate::weight::Weight;

/// Time in which mana refills evenly, 5 days (`HIVE_VOTING_MANA_REGENERATION_SECONDS`).
const REFILL_SECONDS: i64 = 432_000;

/// Number of votes at 100 % that a full bar pays for, each 2 %: 10 votes a day
/// (`vote_power_reserve_rate`) for the 5 days of a refill.
const FULL_VOTES_PER_BAR: i128 = 50;

/// 100 % in hundredths of a percent.
const HUNDRED_PERCENT: i128 = 10_000;

/// The state of a manabar at its last change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manabar {
    /// In micro-VESTS.
    pub mana: i64,
    /// The time of the last change.
    pub updated: DateTime<Utc>,
}

/// The mana of an account at its last change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountState {
    /// Its name.
    pub account: Account,
    /// The maximum voting mana in micro-VESTS, at least 0: VESTS owned and received by delegation, less
    /// those delegated and those to be withdrawn this week.
    pub max: i64,
    /// Mana that votes draw on.
    pub voting: Manabar,
    /// Holds up to a quarter of `max`; downvotes use it first.
    pub downvote: Manabar,
}

impl Manabar {
    /// The mana at `now`, in micro-VESTS, in a bar that holds up to `max`.
    pub fn at(&self, max: i64, now: DateTime<Utc>) -> i64 {
        // A full refill is the most that counts; a clock behind that of the chain refills nothing.
        let seconds = (now - self.updated).num_seconds().clamp(0, REFILL_SECONDS);
        let refilled = i128::from(max) * i128::from(seconds) / i128::from(REFILL_SECONDS);
        narrow((i128::from(self.mana) + refilled).min(i128::from(max)))
    }
}

impl AccountState {
    /// The voting mana at `now`, in micro-VESTS.
    pub fn mana(&self, now: DateTime<Utc>) -> i64 {
        self.voting.at(self.max, now)
    }

    /// The voting mana at `now` in hundredths of a percent of the maximum, 0 to 10000, rounded down;
    /// 0 for an account without VESTS.
    pub fn percent(&self, now: DateTime<Utc>) -> u16 {
        if self.max <= 0 {
            return 0;
        }
        let hundredths = i128::from(self.mana(now)) * HUNDRED_PERCENT / i128::from(self.max);
        hundredths.clamp(0, HUNDRED_PERCENT) as u16
    }

    /// Time from `now` until the refill reaches `hundredths` of a percent of the maximum if no vote
    /// is cast: zero if it has, `None` if it never will.
    pub fn wait_for_percent(&self, hundredths: u16, now: DateTime<Utc>) -> Option<Duration> {
        if self.max <= 0 || i128::from(hundredths) > HUNDRED_PERCENT {
            return None;
        }
        let max = i128::from(self.max);
        let wanted = divide_up(max * i128::from(hundredths), HUNDRED_PERCENT);
        let lacking = (wanted - i128::from(self.mana(now))).max(0);
        let seconds = divide_up(lacking * i128::from(REFILL_SECONDS), max);
        u64::try_from(seconds).ok().map(Duration::from_secs)
    }

    /// The voting mana that a vote of `weight` costs at `now`, in micro-VESTS: a share of the maximum
    /// on Hive (since hard fork 28), of the current mana on Steem. A downvote costs only what exceeds
    /// the downvote bar.
    pub fn cost(&self, kind: ChainKind, weight: Weight, now: DateTime<Utc>) -> i64 {
        let base = match kind {
            ChainKind::Hive => self.max,
            ChainKind::Steem => self.mana(now),
        };
        let share = i128::from(base) * i128::from(weight.magnitude());
        let cost = divide_up(share, HUNDRED_PERCENT * FULL_VOTES_PER_BAR);
        let from_downvote_bar = if weight.hundredths() < 0 {
            i128::from(self.downvote.at(self.max / 4, now).max(0))
        } else {
            0
        };
        narrow((cost - from_downvote_bar).max(0))
    }

    /// Time from `now` until the refill pays for a vote of `weight` if no other is cast: zero if the mana does, `None` if
    /// it never will.
    pub fn wait_to_afford(
        &self,
        kind: ChainKind,
        weight: Weight,
        now: DateTime<Utc>,
    ) -> Option<Duration> {
        let lacking = i128::from(self.cost(kind, weight, now)) - i128::from(self.mana(now));
        if lacking <= 0 {
            return Some(Duration::ZERO);
        }
        if self.max <= 0 {
            return None;
        }
        let seconds = divide_up(lacking * i128::from(REFILL_SECONDS), i128::from(self.max));
        u64::try_from(seconds).ok().map(Duration::from_secs)
    }

    /// Deducts the cost of a vote of `weight` at `now` from the bars.
    pub fn spend(&mut self, kind: ChainKind, weight: Weight, now: DateTime<Utc>) {
        let (voting, downvote) = (self.mana(now), self.downvote.at(self.max / 4, now));
        let from_voting = self.cost(kind, weight, now);
        if weight.hundredths() < 0 {
            let without_bar = AccountState {
                downvote: Manabar {
                    mana: 0,
                    updated: now,
                },
                ..self.clone()
            };
            let whole = without_bar.cost(kind, weight, now);
            self.downvote = Manabar {
                mana: downvote - (whole - from_voting),
                updated: now,
            };
        }
        self.voting = Manabar {
            mana: (voting - from_voting).max(0),
            updated: now,
        };
    }

    /// Whether the mana at `now` pays for a vote of `weight`.
    pub fn can_afford(&self, kind: ChainKind, weight: Weight, now: DateTime<Utc>) -> bool {
        self.mana(now) >= self.cost(kind, weight, now)
    }
}

/// Divides by a positive number, rounding up.
fn divide_up(dividend: i128, divisor: i128) -> i128 {
    (dividend + divisor - 1) / divisor
}

fn narrow(mana: i128) -> i64 {
    mana.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stake of a recorded mainnet account: 17579100.476774 VESTS.
    const MAX: i64 = 17_579_100_476_774;

    fn start() -> DateTime<Utc> {
        DateTime::from_timestamp(1_473_968_781, 0).unwrap()
    }

    fn after(seconds: i64) -> DateTime<Utc> {
        start() + chrono::Duration::seconds(seconds)
    }

    fn account(mana: i64) -> AccountState {
        let bar = |mana| Manabar {
            mana,
            updated: start(),
        };
        AccountState {
            account: Account::from_chain("gtg"),
            max: MAX,
            voting: bar(mana),
            downvote: bar(0),
        }
    }

    #[test]
    fn mana_refills_a_fifth_a_day_and_stops_at_the_maximum() {
        let account = account(9908);
        assert_eq!(account.mana(start()), 9908);
        assert_eq!(account.mana(after(86_400)), MAX / 5 + 9908);
        assert_eq!(account.percent(after(86_400)), 2000);
        assert_eq!(account.mana(after(432_000)), MAX);
        assert_eq!(account.mana(after(i64::from(u32::MAX))), MAX);
        assert_eq!(account.percent(after(432_000)), 10_000);
    }

    #[test]
    fn a_clock_behind_the_chain_removes_no_mana() {
        assert_eq!(account(500).mana(after(-3600)), 500);
    }

    #[test]
    fn a_full_vote_costs_2_percent_of_the_maximum_on_hive_and_of_the_current_mana_on_steem() {
        let half = account(MAX / 2);
        let full = Weight::FULL;
        assert_eq!(half.cost(ChainKind::Hive, full, start()), MAX / 50 + 1);
        assert_eq!(half.cost(ChainKind::Steem, full, start()), MAX / 100 + 1);
        let tenth = Weight::clamped(1000);
        assert_eq!(half.cost(ChainKind::Hive, tenth, start()), MAX / 500 + 1);
    }

    #[test]
    fn on_hive_a_vote_needs_its_full_cost() {
        let poor = account(MAX / 100);
        assert!(!poor.can_afford(ChainKind::Hive, Weight::FULL, start()));
        assert!(poor.can_afford(ChainKind::Hive, Weight::clamped(4900), start()));
        assert!(poor.can_afford(ChainKind::Steem, Weight::FULL, start()));
    }

    #[test]
    fn a_downvote_uses_the_downvote_bar_first() {
        let full_downvote = Weight::clamped(-10_000);
        let mut account = account(0);
        account.downvote.mana = MAX / 4;
        assert_eq!(account.cost(ChainKind::Hive, full_downvote, start()), 0);
        account.downvote.mana = 0;
        assert_eq!(
            account.cost(ChainKind::Hive, full_downvote, start()),
            MAX / 50 + 1
        );
        assert_eq!(
            account.cost(ChainKind::Hive, full_downvote, after(432_000)),
            0
        );
    }

    #[test]
    fn the_wait_ends_when_the_mana_suffices() {
        let account = account(0);
        let wait = account.wait_for_percent(8500, start()).unwrap();
        let then = start() + wait;
        assert_eq!(account.percent(then), 8500);
        assert!(account.percent(then - chrono::Duration::seconds(1)) < 8500);
        assert_eq!(account.wait_for_percent(8500, then), Some(Duration::ZERO));
        assert_eq!(account.wait_for_percent(10_001, start()), None);
    }

    #[test]
    fn an_account_without_vests_has_no_mana_and_no_wait() {
        let mut account = account(0);
        account.max = 0;
        assert_eq!(account.percent(start()), 0);
        assert_eq!(account.wait_for_percent(1, start()), None);
        assert_eq!(account.cost(ChainKind::Hive, Weight::FULL, start()), 0);
    }
}
