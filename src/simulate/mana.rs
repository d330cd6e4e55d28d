//! The voters' mana as it would have been: what they start with, what their votes cost, what flows back.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, Utc};

use crate::account::Account;
use crate::chain::mana::{AccountState, Manabar};
use crate::network::ChainKind;
use crate::weight::Weight;

/// Everybody owns so much, in micro-VESTS: all is told in percent, and so much divides evenly.
const MAX: i64 = 1_000_000_000_000;

/// What a replay starts with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The chain, which tells what a vote costs.
    pub kind: ChainKind,
    /// The mana of every voter, 0 to 100 %.
    pub mana: Weight,
    /// Of those who have another.
    pub mana_of: HashMap<Account, Weight>,
}

impl Default for Start {
    fn default() -> Self {
        Self {
            kind: ChainKind::Hive,
            mana: Weight::FULL,
            mana_of: HashMap::new(),
        }
    }
}

/// The mana of a voter on one day, UTC, in hundredths of a percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// The day, in UTC.
    pub day: NaiveDate,
    /// After the vote that left the least.
    pub lowest: u16,
    /// At midnight, or where the replay ended.
    pub at_end: u16,
}

/// The mana of all voters who have voted or were asked how much they have.
#[derive(Debug)]
pub struct Mana {
    start: Start,
    since: DateTime<Utc>,
    voters: BTreeMap<Account, Voter>,
}

#[derive(Debug)]
struct Voter {
    state: AccountState,
    days: Vec<Day>,
}

impl Mana {
    /// Everybody has what `start` says at `since`.
    pub fn new(start: Start, since: DateTime<Utc>) -> Self {
        Self {
            start,
            since,
            voters: BTreeMap::new(),
        }
    }

    /// Everybody has what the start says at `since`: the time of the first block.
    pub fn begin(&mut self, since: DateTime<Utc>) {
        self.since = since;
    }

    /// The mana of `voter`, to be reckoned forward from its last change.
    pub fn of(&mut self, voter: &Account) -> &AccountState {
        &self.voter(voter).state
    }

    /// A vote by `voter` went out.
    pub fn spend(&mut self, voter: &Account, weight: Weight, now: DateTime<Utc>) {
        let kind = self.start.kind;
        let Voter { state, days } = self.voter(voter);
        let today = now.date_naive();
        if let Some(last) = days.last_mut().filter(|last| last.day != today) {
            last.at_end = state.percent(end_of(last.day).min(now));
        }
        state.spend(kind, weight, now);
        let left = state.percent(now);
        match days.last_mut().filter(|last| last.day == today) {
            Some(last) => last.lowest = last.lowest.min(left),
            None => days.push(Day {
                day: today,
                lowest: left,
                at_end: left,
            }),
        }
    }

    /// The days on which each voter voted, in a replay that ends at `end`.
    pub fn over_time(self, end: DateTime<Utc>) -> Vec<(Account, Vec<Day>)> {
        let days = |(account, mut voter): (Account, Voter)| {
            if let Some(last) = voter.days.last_mut() {
                last.at_end = voter.state.percent(end_of(last.day).min(end));
            }
            (account, voter.days)
        };
        let voters = self.voters.into_iter().map(days);
        voters.filter(|(_, days)| !days.is_empty()).collect()
    }

    fn voter(&mut self, voter: &Account) -> &mut Voter {
        let (start, since) = (&self.start, self.since);
        self.voters.entry(voter.clone()).or_insert_with(|| {
            let part = start.mana_of.get(voter).copied().unwrap_or(start.mana);
            let bar = |max: i64, part: u16| Manabar {
                mana: max / 10_000 * i64::from(part),
                updated: since,
            };
            Voter {
                state: AccountState {
                    account: voter.clone(),
                    max: MAX,
                    voting: bar(MAX, part.magnitude()),
                    downvote: bar(MAX / 4, Weight::FULL.magnitude()),
                },
                days: Vec::new(),
            }
        })
    }
}

/// The midnight after `day`.
fn end_of(day: NaiveDate) -> DateTime<Utc> {
    day.succ_opt()
        .and_then(|next| next.and_hms_opt(0, 0, 0))
        .map_or(DateTime::<Utc>::MAX_UTC, |midnight| midnight.and_utc())
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::hours(hours)
    }

    fn over_time(kind: ChainKind, votes: &[(i64, i64)]) -> Vec<(u16, u16)> {
        let start = Start {
            kind,
            mana: Weight::clamped(5_000),
            ..Start::default()
        };
        let mut mana = Mana::new(start, at(0));
        let alice = Account::from_chain("alice");
        for (hours, weight) in votes {
            mana.spend(&alice, Weight::clamped(*weight), at(*hours));
        }
        let (_, days) = mana.over_time(at(60)).remove(0);
        days.iter().map(|day| (day.lowest, day.at_end)).collect()
    }

    #[test]
    fn a_full_vote_costs_two_percent_of_the_maximum_on_hive_and_of_what_is_there_on_steem() {
        assert_eq!(over_time(ChainKind::Hive, &[(0, 10_000)])[0].0, 4_800);
        assert_eq!(over_time(ChainKind::Steem, &[(0, 10_000)])[0].0, 4_900);
        assert_eq!(over_time(ChainKind::Steem, &[(0, 5_000)])[0].0, 4_950);
    }

    #[test]
    fn a_day_ends_at_midnight_or_with_the_replay() {
        // 20 % a day flow back: 10 % from noon to midnight, and from midnight to the end at noon.
        let votes = [(12, 10_000), (12, 10_000), (48, 5_000)];
        assert_eq!(
            over_time(ChainKind::Hive, &votes),
            [(5_600, 6_600), (8_500, 9_500)]
        );
    }
}
