//! What comes back to the caster: answers of nodes, the table and the signer, and new tokens.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use super::Caster;
use super::held::{Held, State, WaitsFor};
use super::known::Need;
use super::next::{Answered, Next, next};
use super::scout::{self, Kind, Question};
use super::world::{Action, Response, Sight, World};
use crate::account::Account;
use crate::chain::mana::AccountState;
use crate::post::{PostId, VoteKey};
use crate::rules::rule::RuleId;
use crate::votes::answer::{Answer, Done};
use crate::votes::reason::Reason;
use crate::votes::verdict::unsuited;
use crate::votes::vote::PastVotes;

impl Caster {
    /// Takes in what an action brought back.
    pub fn take(&mut self, response: Response, world: &World<'_>) {
        match response {
            Response::Look(posts, answer) => self.looked(posts, answer, world),
            Response::Count(pairs, past) => self.counted(pairs, past, world),
            Response::Weigh(voters, answer) => self.weighed(voters, answer, world),
            Response::Send(key, sent_at, answer) => self.answered(&key, answer, sent_at, world),
            Response::Refresh(voter, result) => self.refreshed(&voter, result, world),
        }
    }

    pub(super) fn looked(
        &mut self,
        posts: Vec<PostId>,
        answer: Result<Vec<Sight>, String>,
        world: &World<'_>,
    ) {
        self.known.forget(world.now);
        match answer {
            Ok(sights) => {
                for (post, sight) in posts.into_iter().zip(sights) {
                    self.known.set_post(post.clone(), sight, world.now);
                    for question in self.scout.take(&post) {
                        self.answer_question(question, world);
                    }
                    self.go_on(&Need::Post(post), world);
                }
            }
            Err(trouble) => {
                for post in posts {
                    for question in self.scout.take(&post) {
                        self.keep_question(question, world.now);
                    }
                    self.come_back(&Need::Post(post), &trouble, world);
                }
            }
        }
    }

    /// Answers a question about a vote whose post was just seen.
    fn answer_question(&mut self, question: Question, world: &World<'_>) {
        let Some(looked) = self.known.just_seen(&question.vote.key.post) else {
            return;
        };
        let key = &question.vote.key;
        if question.kind == Kind::Suits
            && let Some(held) = self.held.get_mut(key)
            && !looked.is_missing()
        {
            if held.is_waiting() && held.awaits_first_look() {
                held.looked = true;
                let dropped = looked.show(|post| unsuited(&held.vote, post, world.rules));
                let had_it = held.vote.ask().cause();
                if dropped.iter().any(|ask| ask.cause == had_it) {
                    self.drop_out(key, dropped, world);
                }
            }
            return;
        }
        match looked.show(|post| scout::answer(question, post, world.rules, world.now)) {
            Ok(report) => self.actions.extend(report.map(Action::Report)),
            Err(question) => self.keep_question(question, world.now),
        }
    }

    /// Keeps a question that no node could answer, to ask it again later, unless it is decided by now.
    fn keep_question(&mut self, question: Question, now: DateTime<Utc>) {
        let held = self.held.get(&question.vote.key);
        if !held.is_some_and(|held| held.looked) {
            self.scout.keep(question, now);
        }
    }

    /// Where the table did not answer, the votes of this run must do: votes go out although the database is away.
    fn counted(
        &mut self,
        pairs: Vec<(Account, RuleId)>,
        mut past: Option<PastVotes>,
        world: &World<'_>,
    ) {
        for pair in pairs {
            // Where the table has no row there was no vote.
            let written = past
                .as_mut()
                .map(|past| past.remove(&pair).unwrap_or_default());
            self.known.set_past(pair.clone(), written, world.now);
            self.go_on(&Need::Past(pair.0, pair.1), world);
        }
    }

    fn weighed(
        &mut self,
        voters: Vec<Account>,
        answer: Result<Vec<AccountState>, String>,
        world: &World<'_>,
    ) {
        match answer {
            Ok(states) => {
                let by_account = |state: AccountState| (state.account.clone(), state);
                let mut states: HashMap<_, _> = states.into_iter().map(by_account).collect();
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

    /// Resumes the votes that waited for this.
    fn go_on(&mut self, need: &Need, world: &World<'_>) {
        for key in self.known.answered(need) {
            self.resume(&key, |state| matches!(state, State::Asking), world.now);
        }
    }

    /// Retries the votes that waited for this later: no node answered.
    fn come_back(&mut self, need: &Need, trouble: &str, world: &World<'_>) {
        for key in self.known.answered(need) {
            let held = self.held.get(&key);
            if held.is_some_and(|held| matches!(held.state, State::Asking)) {
                let trouble = Reason::Told(trouble.to_owned());
                self.retry(&key, trouble, None, WaitsFor::Moment, world);
            }
        }
    }

    pub(super) fn refreshed(
        &mut self,
        voter: &Account,
        result: Result<(), String>,
        world: &World<'_>,
    ) {
        for key in self.refreshing.remove(voter).unwrap_or_default() {
            let Some(held) = self.held.get_mut(&key) else {
                continue;
            };
            if !matches!(held.state, State::Refreshing) {
                continue;
            }
            match &result {
                Ok(()) => {
                    held.tries.refreshed = true;
                    self.resume(&key, |state| matches!(state, State::Refreshing), world.now);
                }
                Err(trouble) => {
                    let trouble = Reason::Told(trouble.clone());
                    self.retry(&key, trouble, None, WaitsFor::Moment, world);
                }
            }
        }
    }

    /// The tokens in the table changed: votes that wait for one may proceed.
    pub fn tokens_changed(&mut self, world: &World<'_>) {
        let has_token = |held: &Held| (world.token)(&held.vote.key.voter).is_some();
        self.wake(WaitsFor::Token, has_token, world.now);
    }

    /// The rule files changed: votes whose file had errors when they were due proceed once it has none.
    pub fn rules_changed(&mut self, world: &World<'_>) {
        let has_rule = |held: &Held| !world.rules.is_unreadable(&held.vote.ask().rule);
        self.wake(WaitsFor::RuleFile, has_rule, world.now);
    }

    /// Attends to the votes that wait for this and can proceed.
    pub(super) fn wake(
        &mut self,
        waits: WaitsFor,
        can_proceed: impl Fn(&Held) -> bool,
        now: DateTime<Utc>,
    ) {
        let waiting = self.held.values();
        let awake = waiting.filter(|held| {
            matches!(held.state, State::Waiting(what) if what == waits) && can_proceed(held)
        });
        let keys: Vec<VoteKey> = awake.map(|held| held.vote.key.clone()).collect();
        for key in keys {
            self.attend_at(&key, now, WaitsFor::Moment);
        }
    }

    pub(super) fn answered(
        &mut self,
        key: &VoteKey,
        answer: Answer,
        sent_at: DateTime<Utc>,
        world: &World<'_>,
    ) {
        for next in self.lanes.answered(&key.voter) {
            self.resume(&next, |state| matches!(state, State::Queueing), world.now);
        }
        let Some(held) = self.held.get_mut(key) else {
            return;
        };
        let waiting = State::Waiting(WaitsFor::Moment);
        let State::InFlight(flight) = std::mem::replace(&mut held.state, waiting) else {
            return;
        };
        let rule = &held.vote.ask().rule;
        let weight = held.vote.ask().weight;
        match &answer {
            Answer::Done(_) => self.lanes.voted(&key.voter, world.now),
            // Whether it cost mana is not known.
            Answer::Unknown(_) => self.known.voted_elsewhere(&key.voter),
            _ => {
                self.known.voted_elsewhere(&key.voter);
                self.known.refused(key, rule);
            }
        }
        let at = Answered {
            sent_at,
            now: world.now,
            confirm_within: self.settings.confirm_within,
            waits_for_mana: world
                .rules
                .rule(rule)
                .is_some_and(|rule| rule.waits_for_mana()),
        };
        let accepted = matches!(answer, Answer::Done(Done::Accepted { .. }));
        let no_mana = match &answer {
            Answer::NoMana(text) => Some(text.clone()),
            _ => None,
        };
        let next = next(held, &flight, answer, &at);
        if accepted {
            self.accepted_again(key, weight, world);
        }
        if let Some(text) = no_mana {
            self.refused_for_mana(key, &text, world);
        }
        self.follow_up(key, next, sent_at, flight.token, world);
    }

    /// Does what comes next for a vote whose request was answered.
    fn follow_up(
        &mut self,
        key: &VoteKey,
        next: Next,
        sent_at: DateTime<Utc>,
        token: SecretString,
        world: &World<'_>,
    ) {
        let Some(held) = self.held.get_mut(key) else {
            return;
        };
        match next {
            Next::Finish(outcome) => self.finish(key, outcome, world),
            Next::LetGo => self.drop_vote(key),
            Next::Unclear(trouble, look_at) => {
                held.tries.unclear_until = Some(look_at);
                held.tries.trouble = Some(trouble);
                let _ = held.pause(None, 0.5);
                self.later(key, look_at, world);
            }
            Next::Later(trouble, at) => {
                held.tries.trouble = Some(trouble);
                self.later(key, at, world);
            }
            Next::Retry(trouble, asked) => {
                self.retry(key, trouble, asked, WaitsFor::Moment, world);
            }
            Next::NoAuthority { of_app, text } => {
                self.refused_for_authority(key, of_app, text, sent_at, world);
            }
            Next::Refresh(trouble) => {
                held.tries.trouble = Some(trouble);
                held.state = State::Refreshing;
                let waiting = self.refreshing.entry(key.voter.clone()).or_default();
                waiting.push(key.clone());
                if waiting.len() == 1 {
                    self.actions.push(Action::Refresh {
                        voter: key.voter.clone(),
                        refused: token,
                    });
                }
            }
        }
    }
}
