//! Causes that keep many votes back, each reported once: a posting authority that is missing, and mana that is used up.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::held::{FIRST_PAUSE, LONGEST_PAUSE, after};
use crate::account::Account;
use crate::backoff::Backoff;
use crate::votes::limits::Refused;
use crate::weight::Weight;

/// Time in which the request that tries a missing authority is answered; no other request is sent meanwhile.
const ANSWERED_WITHIN: TimeDelta = TimeDelta::seconds(15);

/// What keeps votes back at present.
#[derive(Debug, Default)]
pub(super) struct Episodes {
    /// Missing posting authorities: of a voter for the application, or under `None` of the application for the signer.
    authorities: HashMap<Option<Account>, Authority>,
    /// Voters whose mana is used up, with the smallest vote that was refused for it.
    mana: HashMap<Account, Refused>,
}

/// What is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// The voter's mana pays for its votes again.
    NoMana,
    /// The voter has given its posting authority back.
    NoAuthority,
    /// The application has given its posting authority back.
    AppHasNone,
}

#[derive(Debug)]
struct Authority {
    /// What the signer says.
    text: String,
    /// No request is sent before then.
    until: DateTime<Utc>,
    refused_at: DateTime<Utc>,
    backoff: Backoff,
}

impl Episodes {
    /// Notes that a vote of `weight` was refused to `voter` since its mana is used up. Returns whether the episode begins.
    pub(super) fn lacks_mana(
        &mut self,
        voter: &Account,
        weight: Weight,
        now: DateTime<Utc>,
    ) -> bool {
        let before = self.short_of_mana(voter);
        let magnitude = before.map_or(weight.magnitude(), |before| {
            before.magnitude.min(weight.magnitude())
        });
        let refused = Refused { magnitude, at: now };
        self.mana.insert(voter.clone(), refused);
        before.is_none()
    }

    /// Notes that a vote of `weight` of `voter` was accepted. Returns what is over by that.
    pub(super) fn accepted(&mut self, voter: &Account, weight: Weight) -> Vec<Over> {
        let mut over = Vec::new();
        let short = self.short_of_mana(voter);
        if short.is_some_and(|refused| refused.magnitude <= weight.magnitude()) {
            self.mana.remove(voter);
            over.push(Over::NoMana);
        }
        for (whose, what) in [
            (Some(voter.clone()), Over::NoAuthority),
            (None, Over::AppHasNone),
        ] {
            if self.authorities.remove(&whose).is_some() {
                over.push(what);
            }
        }
        over
    }

    /// Notes that a request which left at `sent_at` was refused. Returns whether the episode begins.
    pub(super) fn refuse(
        &mut self,
        whose: Option<Account>,
        text: &str,
        sent_at: DateTime<Utc>,
        now: DateTime<Utc>,
        chance: f64,
    ) -> bool {
        let begins = !self.authorities.contains_key(&whose);
        let authority = self.authorities.entry(whose).or_insert_with(|| Authority {
            text: text.to_owned(),
            until: now,
            refused_at: DateTime::UNIX_EPOCH,
            backoff: Backoff::new(FIRST_PAUSE, LONGEST_PAUSE),
        });
        // Requests that were in flight together are one refusal.
        if sent_at >= authority.refused_at {
            authority.until = after(now, authority.backoff.next(chance));
            authority.refused_at = now;
        }
        begins
    }

    /// Until when nothing is sent for `voter`, and what the signer says of the authority that is missing; `None` if
    /// something may be sent.
    pub(super) fn no_authority(
        &self,
        voter: &Account,
        now: DateTime<Utc>,
    ) -> Option<(DateTime<Utc>, String)> {
        let of_voter = self.authorities.get(&Some(voter.clone()));
        let both = of_voter.into_iter().chain(self.authorities.get(&None));
        let blocks = both.filter(|authority| authority.until > now);
        let last = blocks.max_by_key(|authority| authority.until)?;
        Some((last.until, last.text.clone()))
    }

    /// A request of `voter` leaves: it tries the authorities that are missing, and others wait for its answer.
    pub(super) fn sent(&mut self, voter: &Account, now: DateTime<Utc>) {
        for whose in [Some(voter.clone()), None] {
            if let Some(authority) = self.authorities.get_mut(&whose) {
                authority.until = now + ANSWERED_WITHIN;
            }
        }
    }

    /// The vote that was refused to `voter` since its mana is used up.
    pub(super) fn short_of_mana(&self, voter: &Account) -> Option<Refused> {
        self.mana.get(voter).copied()
    }
}
