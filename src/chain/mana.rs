//! Voting mana: how much an account has, and what a vote takes.
//!
//! The rules are those of hived (`util/manabar.hpp`, `get_effective_vesting_shares`,
//! `hive_vote_evaluator`) and of steemd, which has the same but for the cost.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::account::Account;
use crate::network::ChainKind;
use crate::weight::Weight;

/// Mana refills evenly in 5 days (`HIVE_VOTING_MANA_REGENERATION_SECONDS`).
const REFILL_SECONDS: i64 = 432_000;

/// A full vote takes this part of the mana, 2 %: 10 votes a day
/// (`vote_power_reserve_rate`) for the 5 days of a refill.
const FULL_VOTES_PER_BAR: i128 = 50;

/// 100 % in hundredths of a percent.
const HUNDRED_PERCENT: i128 = 10_000;

/// The state of a manabar at its last change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manabar {
    /// In micro-VESTS.
    pub mana: i64,
    pub updated: DateTime<Utc>,
}

/// What an account can vote with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountState {
    pub account: Account,
    /// The maximum of the voting mana, in micro-VESTS: what it owns and was lent, less what it lent
    /// and what it withdraws this week. Never negative.
    pub max: i64,
    pub voting: Manabar,
    /// Downvotes draw on this first.
    pub downvote: Manabar,
}

impl Manabar {
    /// What is there at `now`, in micro-VESTS, when the bar holds `max` at most.
    pub fn at(&self, max: i64, now: DateTime<Utc>) -> i64 {
        // More seconds than a refill takes make no difference, and a clock behind the chain's none.
        let seconds = (now - self.updated).num_seconds().clamp(0, REFILL_SECONDS);
        let refilled = i128::from(max) * i128::from(seconds) / i128::from(REFILL_SECONDS);
        narrow((i128::from(self.mana) + refilled).min(i128::from(max)))
    }
}

impl AccountState {
    /// Voting mana at `now`, in micro-VESTS.
    pub fn mana(&self, now: DateTime<Utc>) -> i64 {
        self.voting.at(self.max, now)
    }

    /// Voting mana at `now` in hundredths of a percent of the maximum, 0 to 10000, rounded down.
    /// An account without VESTS has 0.
    pub fn percent(&self, now: DateTime<Utc>) -> u16 {
        if self.max <= 0 {
            return 0;
        }
        let hundredths = i128::from(self.mana(now)) * HUNDRED_PERCENT / i128::from(self.max);
        hundredths.clamp(0, HUNDRED_PERCENT) as u16
    }

    /// How long after `now` the refill reaches `hundredths` of a percent of the maximum if no vote is
    /// cast; zero if it is there, `None` if it never will be.
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

    /// The voting mana that a vote of this weight takes at `now`, in micro-VESTS: on Hive a part of
    /// the maximum (since hard fork 28), on Steem of what is there. A downvote takes only what the
    /// downvote bar, a quarter of the maximum, cannot give.
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

    /// Takes from the bars what a vote of this weight costs at `now`.
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

    /// Whether the mana at `now` is enough for a vote of this weight.
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

    /// A recorded account of mainnet: 17579100.476774 VESTS.
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
    fn a_clock_behind_the_chain_takes_no_mana_away() {
        assert_eq!(account(500).mana(after(-3600)), 500);
    }

    #[test]
    fn a_full_vote_costs_a_fiftieth_of_the_maximum_on_hive_and_of_what_is_there_on_steem() {
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
    fn a_downvote_draws_on_its_own_bar_first() {
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
    fn the_wait_ends_when_the_mana_is_there() {
        let account = account(0);
        let wait = account.wait_for_percent(8500, start()).unwrap();
        let then = start() + wait;
        assert_eq!(account.percent(then), 8500);
        assert!(account.percent(then - chrono::Duration::seconds(1)) < 8500);
        assert_eq!(account.wait_for_percent(8500, then), Some(Duration::ZERO));
        assert_eq!(account.wait_for_percent(10_001, start()), None);
    }

    #[test]
    fn an_account_without_vests_has_no_mana_and_waits_for_none() {
        let mut account = account(0);
        account.max = 0;
        assert_eq!(account.percent(start()), 0);
        assert_eq!(account.wait_for_percent(1, start()), None);
        assert_eq!(account.cost(ChainKind::Hive, Weight::FULL, start()), 0);
    }
}
