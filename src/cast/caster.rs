//! Decides, moment by moment, what is to be done about the votes that are held: look at a post, send a
//! vote, refresh a token, report. Does none of it: time, rules, tokens and answers are passed in, so that
//! a test plays days in milliseconds.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;

use crate::account::Account;
use crate::cast::held::{Held, LOOK_AFTER, Stage};
use crate::cast::lane::{Admission, Lanes, Limits};
use crate::cast::verdict::{POST_MAY_BE_NEW, Post, Verdict, by_post, by_rule, edit_of, is_edit};
use crate::chain::content::Content;
use crate::config::Config;
use crate::post::{PostId, VoteKey};
use crate::queue::change::{Outcome, Report};
use crate::queue::transition::VOTED_BY_HAND;
use crate::queue::vote::{Status, Vote};
use crate::rules::set::RuleSet;
use crate::signer::answer::{Answer, Done};
use crate::weight::Weight;

/// So long before it is due the post of a vote is looked at, so that its request can leave on time.
const LOOK_AHEAD: TimeDelta = TimeDelta::seconds(1);
/// Look-ups ahead of time are gathered to such moments, so that one serves many votes.
const GATHER_MILLIS: i64 = 250;
/// What a node said of a post is good for so long.
const FRESH: TimeDelta = TimeDelta::seconds(3);
/// A post so young is not looked at twice.
const YOUNG: TimeDelta = TimeDelta::seconds(10);
/// A vote that waits longer than this is given back.
const HOLD_AT_MOST: TimeDelta = TimeDelta::seconds(90);

/// A vote that the signer takes and no block shows is cast anew so often.
const MOST_RECASTS: u32 = 3;

/// What the caster works by.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Everything but broadcasting.
    pub dry_run: bool,
    pub limits: Limits,
    pub retry_for: Duration,
    pub confirm_within: Duration,
}

impl Settings {
    /// As the configuration has them.
    pub fn new(config: &Config, dry_run: bool) -> Self {
        Self {
            dry_run,
            limits: Limits {
                max_in_flight: config.signer.max_in_flight,
                requests_per_second: config.signer.requests_per_second,
                vote_interval: config.network.vote_interval,
            },
            retry_for: config.casting.retry_for,
            confirm_within: config.casting.confirm_within,
        }
    }
}

/// What the caster may look at while it decides.
pub struct World<'a> {
    pub now: DateTime<Utc>,
    pub rules: &'a RuleSet,
    /// The access token of a voter, if there is one that can be used.
    pub token: &'a dyn Fn(&Account) -> Option<SecretString>,
    /// 0 to 1, anew each time: spreads what would come together.
    pub chance: &'a dyn Fn() -> f64,
}

/// What is to be done now.
#[derive(Debug)]
pub enum Action {
    /// Ask a node for these posts.
    Look(Vec<PostId>),
    /// Send this vote to the signer.
    Send(Request),
    /// Refresh the token of this voter, which the signer refused.
    Refresh {
        voter: Account,
        refused: SecretString,
    },
    /// Write down what came of a vote.
    Report(Report),
}

/// One request to the signer.
#[derive(Debug)]
pub struct Request {
    pub key: VoteKey,
    pub weight: Weight,
    pub token: SecretString,
}

/// Every vote that is claimed, and when there is something to do about it.
#[derive(Debug)]
pub struct Caster {
    settings: Settings,
    held: HashMap<VoteKey, Held>,
    /// When there is something to do about which vote; of those at one moment, the oldest due comes first.
    agenda: BTreeSet<(DateTime<Utc>, DateTime<Utc>, VoteKey)>,
    lanes: Lanes,
    /// What nodes said of posts, and when; `None` where they know no such post.
    looks: HashMap<PostId, (DateTime<Utc>, Option<Content>)>,
    /// Posts that a node is being asked for, with the votes that cannot go on without.
    looking: HashMap<PostId, Vec<VoteKey>>,
    /// Voters whose token is being refreshed, with the votes that wait for it.
    refreshing: HashMap<Account, Vec<VoteKey>>,
    /// Votes on posts that may turn out to be edits, and votes that no block has shown, by the post that a
    /// node is being asked for.
    questions: HashMap<PostId, Vec<Question>>,
    actions: Vec<Action>,
    wanted: HashSet<PostId>,
    stopping: bool,
}

/// What is asked about a vote that is not held.
#[derive(Debug)]
enum Question {
    /// Does a post make us vote, or an edit of one?
    IsEdit(Vote),
    /// Is the vote that the signer took on the chain?
    IsThere(Vote),
}

impl Caster {
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            held: HashMap::new(),
            agenda: BTreeSet::new(),
            lanes: Lanes::new(settings.limits),
            looks: HashMap::new(),
            looking: HashMap::new(),
            refreshing: HashMap::new(),
            questions: HashMap::new(),
            actions: Vec::new(),
            wanted: HashSet::new(),
            stopping: false,
        }
    }

    /// Works by other settings from now on.
    pub fn set(&mut self, settings: Settings) {
        self.settings = settings;
        self.lanes.set(settings.limits);
    }

    /// Nothing goes out any more.
    pub fn stop(&mut self) {
        self.stopping = true;
    }

    /// What to write of the requests whose answer is not awaited any longer: nobody knows what came of them.
    pub fn abandon(&mut self, world: &World<'_>) -> Vec<Report> {
        let outcome = || Outcome::Later {
            next_attempt_at: world.now + LOOK_AFTER,
            due_at: None,
            reason: Some("stopped before the signer had answered".to_owned()),
            hold: false,
        };
        let in_flight = self
            .held
            .values()
            .filter(|held| held.stage == Stage::InFlight && held.settled.is_none());
        in_flight
            .map(|held| report(held, outcome(), world.now))
            .collect()
    }

    /// Requests whose answer is awaited.
    pub fn in_flight(&self) -> usize {
        self.lanes.in_flight()
    }

    /// Votes held.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether no vote is held.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Holds a vote that was just claimed; `tried` says that a daemon before us may have cast it. One that is
    /// held already stays as it is.
    pub fn hold(&mut self, vote: Vote, tried: bool) {
        if let Some(held) = self.held.get_mut(&vote.key) {
            held.ours_again(vote);
            return;
        }
        let key = vote.key.clone();
        let held = Held::new(vote, tried);
        let at = first_attention(&held);
        self.held.insert(key.clone(), held);
        self.enter(&key, at);
    }

    /// Takes in how a row stands now that something else than the caster changed it. Rows that are not held
    /// stay so.
    pub fn amend(&mut self, row: Vote, owner: &str) {
        if row.block_num.is_some() {
            let by_hand = row.status == Status::Skipped;
            let at = if by_hand {
                row.event_at
            } else {
                row.cast_at.unwrap_or(row.updated_at)
            };
            self.lanes.voted(&row.key.voter, at);
        }
        let Some(held) = self.held.get_mut(&row.key) else {
            return;
        };
        let ours = row.status == Status::Queued && row.claimed_by.as_deref() == Some(owner);
        match (ours, held.stage) {
            (false, Stage::InFlight) => held.settled = Some(row.status),
            (false, _) => self.drop_vote(&row.key),
            (true, Stage::InFlight) => held.ours_again(row),
            (true, _) => {
                let moved = held.vote.due_at != row.due_at;
                held.vote.weight = row.weight;
                held.vote.leader = row.leader;
                held.vote.leader_weight = row.leader_weight;
                held.vote.rule = row.rule;
                held.vote.origin = row.origin;
                held.vote.event_block = row.event_block;
                held.vote.event_at = row.event_at;
                held.vote.due_at = row.due_at;
                if moved {
                    let key = row.key;
                    self.attend_at(&key, row.next_attempt_at);
                }
            }
        }
    }

    /// Finds out about votes on new posts whether they are posts at all, long before they are due.
    pub fn check(&mut self, votes: Vec<Vote>) {
        for vote in votes {
            self.ask(Question::IsEdit(vote));
        }
    }

    /// Finds out about votes that the signer took and no block has shown.
    pub fn confirm(&mut self, votes: Vec<Vote>) {
        for vote in votes {
            self.ask(Question::IsThere(vote));
        }
    }

    fn ask(&mut self, question: Question) {
        let (Question::IsEdit(vote) | Question::IsThere(vote)) = &question;
        let post = vote.key.post.clone();
        self.questions
            .entry(post.clone())
            .or_default()
            .push(question);
        self.want(&post);
    }

    /// Has a node asked for the post, unless that is under way.
    fn want(&mut self, post: &PostId) -> &mut Vec<VoteKey> {
        self.looking.entry(post.clone()).or_insert_with(|| {
            self.wanted.insert(post.clone());
            Vec::new()
        })
    }

    /// When there is something to do, unless something happens before.
    pub fn next_wake(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.stopping {
            return None;
        }
        let (first, ..) = self.agenda.first()?;
        match self.lanes.full(now) {
            // An answer wakes us, or the next request is allowed, but look-ups ahead go on.
            Some(Admission::Full(until)) if *first <= now => until,
            _ => Some(*first),
        }
    }

    /// Everything that is to be done by `world.now`.
    pub fn poll(&mut self, world: &World<'_>) -> Vec<Action> {
        while let Some((at, _, key)) = self.agenda.first().cloned() {
            if at > world.now || self.stopping {
                break;
            }
            let due = self
                .held
                .get(&key)
                .is_some_and(|held| held.next_at <= world.now);
            if due && self.lanes.full(world.now).is_some() {
                break;
            }
            self.agenda.pop_first();
            self.attend(&key, world);
        }
        if !self.wanted.is_empty() {
            let mut posts: Vec<PostId> = self.wanted.drain().collect();
            posts.sort();
            self.actions.push(Action::Look(posts));
        }
        std::mem::take(&mut self.actions)
    }

    /// What a node said of the posts it was asked for; `Err` where no node answered.
    pub fn looked(
        &mut self,
        posts: Vec<PostId>,
        answer: Result<Vec<Option<Content>>, String>,
        world: &World<'_>,
    ) {
        self.looks
            .retain(|_, (at, _)| world.now - *at < YOUNG + FRESH);
        let mut waiting = Vec::new();
        for post in &posts {
            waiting.extend(self.looking.remove(post).unwrap_or_default());
        }
        match answer {
            Ok(contents) => {
                for (post, content) in posts.into_iter().zip(contents) {
                    for question in self.questions.remove(&post).unwrap_or_default() {
                        let report = question.answer(content.as_ref(), world);
                        self.actions.extend(report.map(Action::Report));
                    }
                    self.looks.insert(post, (world.now, content));
                }
                for key in waiting {
                    self.resume(&key, Stage::Looking, world.now);
                }
            }
            Err(trouble) => {
                for post in &posts {
                    self.questions.remove(post);
                }
                for key in waiting {
                    if self.is_at(&key, Stage::Looking) {
                        self.passing(&key, trouble.clone(), None, world);
                    }
                }
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
        let waiting: Vec<VoteKey> = self
            .held
            .iter()
            .filter(|(key, held)| {
                held.lacks_token
                    && held.stage == Stage::Waiting
                    && (world.token)(&key.voter).is_some()
            })
            .map(|(key, _)| key.clone())
            .collect();
        for key in waiting {
            self.attend_at(&key, world.now);
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
        let first = held.vote.attempts == 1 && !held.tried();
        let settled = held.settled;
        match answer {
            Answer::Done(done) => {
                self.lanes.voted(&key.voter, world.now);
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
            Answer::UnknownPost(text) | Answer::NoMana(text) | Answer::Final(text) => {
                self.finish(key, Outcome::Failed(text), world);
            }
        }
    }

    /// One vote at its moment: the conditions in the order in which they cost least.
    fn attend(&mut self, key: &VoteKey, world: &World<'_>) {
        let Some(held) = self
            .held
            .get(key)
            .filter(|held| held.stage == Stage::Waiting)
        else {
            return;
        };
        let due = held.next_at <= world.now;
        let rule = match by_rule(&held.vote, world.rules, world.now) {
            Ok(rule) => rule,
            Err(_) if !due => {
                let at = held.next_at;
                return self.attend_at(key, at);
            }
            Err(verdict) => return self.conclude(key, verdict, world),
        };
        let post = match self
            .looks
            .get(&key.post)
            .filter(|(at, content)| is_fresh(held, *at, content.as_ref(), world.now))
        {
            Some((_, Some(content))) => Post::Here(content),
            Some((_, None)) => Post::Unknown,
            None => return self.look(key, due),
        };
        if !due {
            let at = held.next_at;
            return self.attend_at(key, at);
        }
        let tried = held.tried() || held.vote.attempts > 0;
        let verdict = by_post(&held.vote, rule, post, tried, world.now);
        self.conclude(key, verdict, world);
    }

    fn conclude(&mut self, key: &VoteKey, verdict: Verdict, world: &World<'_>) {
        match verdict {
            Verdict::Cast(weight) => self.send(key, weight, world),
            Verdict::Confirmed => self.finish(key, Outcome::Confirmed, world),
            Verdict::Skip(why) => self.finish(key, Outcome::Skipped(why), world),
            Verdict::Withdraw(why) => self.finish(key, Outcome::Withdrawn(why), world),
            Verdict::Fail(why) => self.finish(key, Outcome::Failed(why), world),
            Verdict::Move { due_at } => {
                let Some(held) = self.held.get_mut(key) else {
                    return;
                };
                held.vote.due_at = due_at;
                held.first_attempt = None;
                self.wait(key, due_at, Some(due_at), world);
            }
            Verdict::Wait { until, reason } => {
                let Some(held) = self.held.get_mut(key) else {
                    return;
                };
                held.trouble = Some(reason);
                // Nobody tries meanwhile, so that the time for retries begins anew.
                held.first_attempt = None;
                self.later(key, until, world);
            }
        }
    }

    fn send(&mut self, key: &VoteKey, weight: Weight, world: &World<'_>) {
        let Some(held) = self.held.get_mut(key) else {
            return;
        };
        if held.first_attempt.is_some() && world.now > held.deadline(self.settings.retry_for) {
            let why = held.trouble.take().unwrap_or_default();
            return self.finish(
                key,
                Outcome::Failed(gave_up(&why, self.settings.retry_for)),
                world,
            );
        }
        held.vote.weight = weight;
        if self.settings.dry_run {
            return self.finish(key, Outcome::DryRun, world);
        }
        let Some(token) = (world.token)(&key.voter) else {
            held.lacks_token = true;
            let voter = &key.voter;
            let trouble =
                format!("there is no usable token for @{voter}: `curatord auth import` brings one");
            return self.passing(key, trouble, None, world);
        };
        match self.lanes.admit(key, held.vote.due_at, world.now) {
            Admission::Go => {
                held.stage = Stage::InFlight;
                held.vote.attempts += 1;
                held.first_attempt.get_or_insert(world.now);
                held.lacks_token = false;
                held.sent_with = Some(token.clone());
                self.actions.push(Action::Send(Request {
                    key: key.clone(),
                    weight,
                    token,
                }));
            }
            Admission::LaneFull => held.stage = Stage::Queueing,
            Admission::TooSoon(at) | Admission::Full(Some(at)) => self.attend_at(key, at),
            Admission::Full(None) => self.attend_at(key, world.now),
        }
    }

    /// A failure that passes: once more after a pause, until the deadline.
    fn passing(
        &mut self,
        key: &VoteKey,
        trouble: String,
        asked: Option<Duration>,
        world: &World<'_>,
    ) {
        let Some(held) = self.held.get_mut(key) else {
            return;
        };
        held.first_attempt.get_or_insert(world.now);
        let pause = held.pause(asked, (world.chance)());
        let at = world.now + TimeDelta::from_std(pause).unwrap_or_default();
        let deadline = held.deadline(self.settings.retry_for);
        if world.now >= deadline && !held.tried() {
            return self.finish(
                key,
                Outcome::Failed(gave_up(&trouble, self.settings.retry_for)),
                world,
            );
        }
        held.trouble = Some(trouble);
        // One last attempt at the deadline itself, not a minute short of it.
        let at = if world.now < deadline {
            at.min(deadline)
        } else {
            at
        };
        self.later(key, at, world);
    }

    /// Attends to the vote at `at`, and writes down that it waits.
    fn later(&mut self, key: &VoteKey, at: DateTime<Utc>, world: &World<'_>) {
        self.wait(key, at, None, world);
    }

    /// Likewise; `due_at` is set where the moment it is due moved.
    fn wait(
        &mut self,
        key: &VoteKey,
        at: DateTime<Utc>,
        due_at: Option<DateTime<Utc>>,
        world: &World<'_>,
    ) {
        let Some(held) = self.held.get_mut(key) else {
            return;
        };
        // Only who holds it knows how long it has been tried.
        let hold = held.first_attempt.is_some() || at - world.now <= HOLD_AT_MOST;
        let outcome = Outcome::Later {
            next_attempt_at: at,
            due_at,
            reason: held.trouble.clone(),
            hold,
        };
        let report = report(held, outcome, world.now);
        self.actions.push(Action::Report(report));
        if hold {
            self.attend_at(key, at)
        } else {
            self.drop_vote(key)
        }
    }

    fn finish(&mut self, key: &VoteKey, outcome: Outcome, world: &World<'_>) {
        if let Some(held) = self.held.get(key) {
            let report = report(held, outcome, world.now);
            self.actions.push(Action::Report(report));
        }
        self.drop_vote(key);
    }

    /// Asks for the post; a vote that is due cannot go on before the answer.
    fn look(&mut self, key: &VoteKey, due: bool) {
        let Some(held) = self.held.get_mut(key) else {
            return;
        };
        let at = held.next_at;
        let waiting = self.want(&key.post);
        if due {
            waiting.push(key.clone());
        }
        if !due {
            self.attend_at(key, at);
        } else if let Some(held) = self.held.get_mut(key) {
            held.stage = Stage::Looking;
        }
    }

    fn is_at(&self, key: &VoteKey, stage: Stage) -> bool {
        self.held.get(key).is_some_and(|held| held.stage == stage)
    }

    /// What the vote waited for at this stage has come. One that has gone on meanwhile goes its way.
    fn resume(&mut self, key: &VoteKey, from: Stage, now: DateTime<Utc>) {
        if let Some(held) = self.held.get_mut(key).filter(|held| held.stage == from) {
            held.stage = Stage::Waiting;
            let at = held.next_at.min(now);
            self.enter(key, at);
        }
    }

    fn attend_at(&mut self, key: &VoteKey, at: DateTime<Utc>) {
        if let Some(held) = self.held.get_mut(key) {
            held.next_at = at;
            held.stage = Stage::Waiting;
            self.enter(key, at);
        }
    }

    /// Puts the vote on the agenda, once.
    fn enter(&mut self, key: &VoteKey, at: DateTime<Utc>) {
        if let Some(held) = self.held.get(key) {
            self.agenda.insert((at, held.vote.due_at, key.clone()));
        }
    }

    fn drop_vote(&mut self, key: &VoteKey) {
        if let Some(held) = self.held.remove(key) {
            self.agenda
                .remove(&(held.next_at, held.vote.due_at, key.clone()));
            self.lanes.leave(key, held.vote.due_at);
        }
    }
}

impl Question {
    /// What the post, as it is now, makes of the vote; `None` where that changes nothing.
    fn answer(self, content: Option<&Content>, world: &World<'_>) -> Option<Report> {
        let (vote, outcome) = match (self, content) {
            (Self::IsEdit(vote), Some(content)) if is_edit(content, vote.event_at) => {
                (vote, Outcome::Withdrawn(edit_of(content)))
            }
            (Self::IsEdit(_), _) => return None,
            (Self::IsThere(vote), None) => (
                vote,
                Outcome::Failed("the post does not exist any more".to_owned()),
            ),
            (Self::IsThere(vote), Some(content)) => {
                let outcome = match content.vote_of(&vote.key.voter) {
                    Some(weight) if weight == vote.weight => Outcome::Confirmed,
                    Some(_) => Outcome::Skipped(VOTED_BY_HAND.to_owned()),
                    None if vote.recasts >= MOST_RECASTS => Outcome::Failed(format!(
                        "the signer took it {} times, but it never reached a block",
                        MOST_RECASTS + 1
                    )),
                    None => Outcome::Recast { at: world.now },
                };
                (vote, outcome)
            }
        };
        let (weight, attempts) = (vote.weight, vote.attempts);
        Some(Report {
            key: vote.key,
            weight,
            attempts,
            at: world.now,
            outcome,
        })
    }
}

/// When the post of a vote that was just claimed is to be looked at.
fn first_attention(held: &Held) -> DateTime<Utc> {
    let ahead = held.next_at - LOOK_AHEAD;
    let beyond = ahead.timestamp_millis().rem_euclid(GATHER_MILLIS);
    ahead - TimeDelta::milliseconds(beyond)
}

fn gave_up(trouble: &str, retry_for: Duration) -> String {
    format!(
        "tried for {} s without success: {trouble}",
        retry_for.as_secs()
    )
}

fn report(held: &Held, outcome: Outcome, now: DateTime<Utc>) -> Report {
    Report {
        key: held.vote.key.clone(),
        weight: held.vote.weight,
        attempts: held.vote.attempts,
        at: now,
        outcome,
    }
}

/// Whether what a node said at `at` still serves `held` at `now`.
fn is_fresh(held: &Held, at: DateTime<Utc>, content: Option<&Content>, now: DateTime<Utc>) -> bool {
    if held.unclear_until.is_some_and(|until| at < until) {
        return false;
    }
    let young = content.is_some_and(|content| now - content.created < YOUNG);
    match content {
        Some(_) => now - at < FRESH || young,
        // A post that was not there yet may be there a moment later.
        None => now - at < TimeDelta::milliseconds(500),
    }
}
