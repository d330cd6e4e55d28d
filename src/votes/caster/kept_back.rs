//! What the caster does about causes that keep many votes back.

use chrono::{DateTime, Utc};

use super::Caster;
use super::episodes::Over;
use super::held::WaitsFor;
use super::world::{Action, Notice, World};
use crate::account::Account;
use crate::post::VoteKey;
use crate::votes::error_entry::ErrorEntry;
use crate::votes::reason::Reason;
use crate::weight::Weight;

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
        let until = if now < deadline {
            until.min(deadline)
        } else {
            until
        };
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
        let voter = &key.voter;
        if self.episodes.lacks_mana(voter, weight, world.now) {
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
        self.actions
            .push(Action::Tell(Notice { text: told, error }));
    }

    /// The signer accepted a vote: what kept votes like it back is over.
    pub(super) fn accepted_again(&mut self, key: &VoteKey, weight: Weight, world: &World<'_>) {
        let voter = &key.voter;
        let over = self.episodes.accepted(voter, weight);
        for over in &over {
            let text = match over {
                Over::NoMana => format!("@{voter} has enough mana again"),
                Over::NoAuthority => format!("the posting authority of @{voter} is back"),
                Over::AppHasNone => "the posting authority of the application is back".to_owned(),
            };
            self.actions
                .push(Action::Tell(Notice { text, error: None }));
        }
        if over.iter().any(|over| *over != Over::NoMana) {
            let episodes = std::mem::take(&mut self.episodes);
            let may_go = |voter: &Account| episodes.no_authority(voter, world.now).is_none();
            self.wake(
                WaitsFor::Authority,
                |held| may_go(&held.vote.key.voter),
                world.now,
            );
            self.episodes = episodes;
        }
    }
}
