//! Causes that keep many votes back, each reported once: a posting authority that is missing, and mana that is used up.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::Caster;
use super::held::{FIRST_PAUSE, LONGEST_PAUSE, WaitsFor, after};
use super::world::{Action, Notice, World};
use crate::account::Account;
use crate::backoff::Backoff;
use crate::post::VoteKey;
use crate::votes::error_entry::ErrorEntry;
use crate::votes::limits::Refused;
use crate::votes::reason::Reason;
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
    /// Notes that a request which left at `sent_at` was refused. Returns whether the episode begins.
    fn refuse(
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

impl Caster {
    /// A vote was refused since a posting authority is missing: it waits for that, until the time for retries is over.
    pub(super) fn refused_for_authority(
        &mut self,
        key: &VoteKey,
        of_app: bool,
        text: String,
        sent_at: DateTime<Utc>,
        world: &World<'_>,
    ) {
        let whose = (!of_app).then(|| key.voter.clone());
        let chance = (world.chance)();
        let episodes = &mut self.episodes;
        let begins = episodes.refuse(whose, &text, sent_at, world.now, chance);
        if begins {
            let retry_for = self.settings.retry_for.as_secs();
            let told = format!("{text}: votes wait for it for up to {retry_for} s each");
            self.report_once(key, told, &text, world);
        }
        let until = self.episodes.no_authority(&key.voter, world.now);
        let until = until.map_or(world.now, |(until, _)| until);
        self.await_authority(key, until, text, world);
    }

    /// Has the vote wait until the next request may be sent or one is accepted.
    pub(super) fn await_authority(
        &mut self,
        key: &VoteKey,
        until: DateTime<Utc>,
        text: String,
        world: &World<'_>,
    ) {
        let now = world.now;
        let Some(held) = self.held.get_mut(key) else {
            return;
        };
        held.tries.first.get_or_insert(now);
        let deadline = held.deadline(self.settings.retry_for);
        let trouble = Reason::Reported(Box::new(text.into()));
        if now >= deadline && !held.tried() {
            return self.give_up(key, Some(trouble), world);
        }
        let until = if now < deadline { until.min(deadline) } else { until };
        // The row says already what the vote waits for.
        let is_known = held.tries.trouble.as_ref().is_some_and(Reason::is_reported);
        if is_known {
            return self.attend_at(key, until, WaitsFor::Authority);
        }
        held.tries.trouble = Some(trouble);
        self.wait(key, until, None, WaitsFor::Authority, world);
    }

    /// A vote was refused since the voter's mana is used up.
    pub(super) fn refused_for_mana(&mut self, key: &VoteKey, text: &str, world: &World<'_>) {
        let Some(weight) = self.held.get(key).map(|held| held.vote.ask().weight) else {
            return;
        };
        let before = self.episodes.short_of_mana(&key.voter);
        let refused = Refused {
            magnitude: before.map_or(weight.magnitude(), |before| {
                before.magnitude.min(weight.magnitude())
            }),
            at: world.now,
        };
        self.episodes.mana.insert(key.voter.clone(), refused);
        if before.is_none() {
            let voter = &key.voter;
            let told = format!(
                "@{voter} has not enough mana: votes that it cannot pay for are skipped until it has ({text})"
            );
            self.report_once(key, told, text, world);
        }
    }

    /// Writes one row to `error_log` and one line to the log for all votes that the cause keeps back.
    fn report_once(&mut self, key: &VoteKey, told: String, error: &str, world: &World<'_>) {
        let held = self.held.get(key);
        let error = held.map(|held| ErrorEntry::of_vote(&held.vote, error, world.now));
        self.actions.push(Action::Tell(Notice { text: told, error }));
    }

    /// The signer accepted a vote: what kept votes like it back is over.
    pub(super) fn accepted_again(&mut self, key: &VoteKey, weight: Weight, world: &World<'_>) {
        let voter = &key.voter;
        let short = self.episodes.short_of_mana(voter);
        if short.is_some_and(|refused| refused.magnitude <= weight.magnitude()) {
            self.episodes.mana.remove(voter);
            let text = format!("@{voter} has enough mana again");
            self.actions.push(Action::Tell(Notice { text, error: None }));
        }
        let mut back = false;
        for whose in [Some(voter.clone()), None] {
            if self.episodes.authorities.remove(&whose).is_some() {
                let text = match whose {
                    Some(voter) => format!("the posting authority of @{voter} is back"),
                    None => "the posting authority of the application is back".to_owned(),
                };
                self.actions.push(Action::Tell(Notice { text, error: None }));
                back = true;
            }
        }
        if back {
            let episodes = std::mem::take(&mut self.episodes);
            let may_go = |voter: &Account| episodes.no_authority(voter, world.now).is_none();
            self.wake(WaitsFor::Authority, |held| may_go(&held.vote.key.voter), world.now);
            self.episodes = episodes;
        }
    }
}
