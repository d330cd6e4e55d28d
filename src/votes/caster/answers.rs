//! What comes back to the caster: what nodes and the table say, new tokens, and the signer's answers.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::account::Account;
use crate::chain::content::Content;
use crate::chain::mana::AccountState;
use crate::post::{PostId, VoteKey};
use crate::rules::rule::{BelowMinMana, RuleId};
use crate::votes::answer::{Answer, Done};
use crate::votes::caster::held::{Held, LOOK_AFTER, Stage};
use crate::votes::caster::known::Need;
use crate::votes::caster::{Action, Caster, World};
use crate::votes::change::Outcome;
use crate::votes::fold::VOTED_BY_HAND;
use crate::votes::verdict::POST_MAY_BE_NEW;
use crate::votes::vote::{PastVote, Status};

/// A vote that the chain refused for want of mana, by a rule that waits for it, is tried again after this.
const MANA_MAY_BE_BACK: TimeDelta = TimeDelta::minutes(5);

/// The votes of a voter by a rule in the last week.
pub type Counted = (Account, RuleId, Vec<PastVote>);

impl Caster {
    /// What a node said of the posts it was asked for; `Err` where no node answered.
    pub fn looked(
        &mut self,
        posts: Vec<PostId>,
        answer: Result<Vec<Option<Content>>, String>,
        world: &World<'_>,
    ) {
        self.known.forget(world.now);
        match answer {
            Ok(contents) => {
                for (post, content) in posts.into_iter().zip(contents) {
                    self.answer_questions(&post, content.as_ref(), world);
                    self.known.set_post(post.clone(), content, world.now);
                    self.go_on(&Need::Post(post), world);
                }
            }
            Err(trouble) => {
                for post in posts {
                    for question in self.questions.remove(&post).unwrap_or_default() {
                        self.ask_again(question, world.now);
                    }
                    self.come_back(&Need::Post(post), &trouble, world);
                }
            }
        }
    }

    /// What the table said of the votes it was asked for; `Err` where it did not, and those that we know of
    /// must do: votes go out although the database is away.
    pub fn counted(
        &mut self,
        pairs: Vec<(Account, RuleId)>,
        answer: Result<Vec<Counted>, String>,
        world: &World<'_>,
    ) {
        let mut counted: Option<HashMap<_, _>> = answer.ok().map(|counted| {
            let by_pair = |(voter, rule, past)| ((voter, rule), past);
            counted.into_iter().map(by_pair).collect()
        });
        for pair in pairs {
            let (voter, rule) = pair.clone();
            match &mut counted {
                // Where the table has no row there was no vote.
                Some(counted) => {
                    let past = counted.remove(&pair).unwrap_or_default();
                    self.known.set_past(voter, rule, past, world.now);
                }
                None => self.known.keep_past(voter, rule, world.now),
            }
            let (voter, rule) = pair;
            self.go_on(&Need::Past(voter, rule), world);
        }
    }

    /// What a node said of the mana of voters; `Err` where no node answered.
    pub fn weighed(
        &mut self,
        voters: Vec<Account>,
        answer: Result<Vec<AccountState>, String>,
        world: &World<'_>,
    ) {
        match answer {
            Ok(states) => {
                let states = states
                    .into_iter()
                    .map(|state| (state.account.clone(), state));
                let mut states: HashMap<_, _> = states.collect();
                for voter in voters {
                    let state = states.remove(&voter);
                    self.known.set_mana(voter.clone(), state, world.now);
                    self.go_on(&Need::Mana(voter), world);
                }
            }
            Err(trouble) => {
                for voter in voters {
                    self.come_back(&Need::Mana(voter), &trouble, world);
                }
            }
        }
    }

    /// The votes that waited for this go on.
    fn go_on(&mut self, need: &Need, world: &World<'_>) {
        for key in self.known.answered(need) {
            self.resume(&key, Stage::Asking, world.now);
        }
    }

    /// Nobody answered: the votes that waited for this are tried again later.
    fn come_back(&mut self, need: &Need, trouble: &str, world: &World<'_>) {
        for key in self.known.answered(need) {
            if self.is_at(&key, Stage::Asking) {
                self.passing(&key, trouble.to_owned(), None, world);
            }
        }
    }

    /// The token of `voter` was refreshed, or not.
    pub fn refreshed(&mut self, voter: &Account, result: Result<(), String>, world: &World<'_>) {
        for key in self.refreshing.remove(voter).unwrap_or_default() {
            let Some(held) = self
                .held
                .get_mut(&key)
                .filter(|held| held.stage == Stage::Refreshing)
            else {
                continue;
            };
            match &result {
                Ok(()) => {
                    held.refreshed = true;
                    self.resume(&key, Stage::Refreshing, world.now);
                }
                Err(trouble) => self.passing(&key, trouble.clone(), None, world),
            }
        }
    }

    /// The tokens in the table changed: votes that wait for one may go on.
    pub fn tokens_changed(&mut self, world: &World<'_>) {
        let has_token = |held: &Held| (world.token)(&held.vote.key.voter).is_some();
        self.wake(|held| held.lacks_token && has_token(held), world.now);
    }

    /// The rule files changed: votes whose file had errors when they were due, and has none any more, go on.
    pub fn rules_changed(&mut self, world: &World<'_>) {
        let has_rule = |held: &Held| !world.rules.is_unreadable(&held.vote.rule);
        self.wake(|held| held.lacks_rule && has_rule(held), world.now);
    }

    /// Those of the waiting votes that can go on do so now.
    fn wake(&mut self, can_go_on: impl Fn(&Held) -> bool, now: DateTime<Utc>) {
        let waiting = self.held.values();
        let awake = waiting.filter(|held| held.stage == Stage::Waiting && can_go_on(held));
        let keys: Vec<VoteKey> = awake.map(|held| held.vote.key.clone()).collect();
        for key in keys {
            self.attend_at(&key, now);
        }
    }

    /// The signer's answer to a request that left at `sent_at`.
    pub fn answered(
        &mut self,
        key: &VoteKey,
        answer: Answer,
        sent_at: DateTime<Utc>,
        world: &World<'_>,
    ) {
        for next in self.lanes.answered(&key.voter) {
            self.resume(&next, Stage::Queueing, world.now);
        }
        let Some(held) = self.held.get_mut(key) else {
            return;
        };
        held.stage = Stage::Waiting;
        let refused = held.sent_with.take();
        let (rule, weight) = (held.vote.rule.clone(), held.vote.weight);
        if !matches!(answer, Answer::Done(_) | Answer::Unknown(_)) {
            self.known.refused(key, &rule);
        }
        let first = held.vote.attempts == 1 && !held.tried();
        let settled = held.settled;
        match answer {
            Answer::Done(done) => {
                self.lanes.voted(&key.voter, world.now);
                self.known
                    .taken(&key.voter, weight, self.settings.kind, world.now);
                let check_at = world.now
                    + TimeDelta::from_std(self.settings.confirm_within).unwrap_or_default();
                let outcome = match done {
                    Done::Accepted { trx_id } => Outcome::Cast {
                        trx_id,
                        cast_at: sent_at,
                        check_at,
                    },
                    // A transaction that is known already need not be in a block yet.
                    Done::Duplicate => Outcome::Cast {
                        trx_id: None,
                        cast_at: sent_at,
                        check_at,
                    },
                    Done::Identical if first => Outcome::Skipped(VOTED_BY_HAND.to_owned()),
                    Done::Identical => Outcome::Confirmed,
                };
                self.finish(key, outcome, world);
            }
            // The block has shown what the answer does not tell: only the attempt is written down.
            _ if settled.is_some_and(|status| status != Status::Queued) => {
                let outcome = Outcome::Later {
                    next_attempt_at: world.now,
                    due_at: None,
                    reason: None,
                    hold: false,
                };
                self.finish(key, outcome, world);
            }
            // Somebody else has it now.
            _ if settled.is_some() => self.drop_vote(key),
            Answer::Unknown(trouble) => {
                let now = world.now;
                held.unclear_until = Some(now + LOOK_AFTER);
                held.trouble = Some(trouble);
                let _ = held.pause(None, 0.5);
                self.later(key, now + LOOK_AFTER, world);
            }
            Answer::Passing { text, retry_after } => self.passing(key, text, retry_after, world),
            Answer::UnknownPost(text) if world.now - held.vote.event_at < POST_MAY_BE_NEW => {
                held.trouble = Some(text);
                let at = world.now + TimeDelta::seconds(1);
                self.later(key, at, world);
            }
            Answer::Token(text) if held.refreshed => {
                let text =
                    format!("the signer refuses the token that it has just handed out: {text}");
                self.finish(key, Outcome::Failed(text), world);
            }
            Answer::Token(text) => {
                held.trouble = Some(text);
                held.stage = Stage::Refreshing;
                let waiting = self.refreshing.entry(key.voter.clone()).or_default();
                waiting.push(key.clone());
                if waiting.len() == 1
                    && let Some(refused) = refused
                {
                    self.actions.push(Action::Refresh {
                        voter: key.voter.clone(),
                        refused,
                    });
                }
            }
            Answer::NoMana(text) if waits_for_mana(world, &rule) => {
                self.known.voted_elsewhere(&key.voter);
                held.trouble = Some(text);
                self.later(key, world.now + MANA_MAY_BE_BACK, world);
            }
            Answer::UnknownPost(text) | Answer::NoMana(text) | Answer::Final(text) => {
                self.finish(key, Outcome::Failed(text), world);
            }
        }
    }
}

/// Whether the rule has its votes wait for mana.
fn waits_for_mana(world: &World<'_>, rule: &RuleId) -> bool {
    let rule = world.rules.rule(rule);
    rule.is_some_and(|rule| rule.min_mana.is_some() && rule.below_min_mana == BelowMinMana::Wait)
}
