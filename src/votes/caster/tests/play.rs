//! A caster at work: its surroundings are played, and what it does is written down.

use std::ops::{Deref, DerefMut};

use super::*;
use crate::simulate::table::Table;
use crate::simulate::{Later, Simulation, Surroundings};
use crate::votes::vote::PastVotes;

/// A request that left.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sent {
    pub(super) at: i64,
    pub(super) key: VoteKey,
    pub(super) weight: Weight,
    pub(super) token: String,
}

/// What the simulated daemon asks, as the test has it, and what was asked.
pub(super) struct Script {
    pub(super) tokens: HashMap<Account, String>,
    /// What spreads pauses: 0.5 spreads nothing.
    pub(super) chance: f64,
    /// Posts as nodes tell of them.
    pub(super) posts: HashMap<PostId, Content>,
    /// Votes that went out before, as the table tells of them; `None` while it is away.
    pub(super) past: Option<HashMap<(Account, RuleId), Vec<PastVote>>>,
    /// Mana as nodes tell of it.
    pub(super) mana: HashMap<Account, AccountState>,
    /// Why no node answers.
    pub(super) nodes_away: Option<String>,
    /// How long a node takes, and the signer.
    pub(super) look_takes: TimeDelta,
    pub(super) answer_takes: TimeDelta,
    /// The signer's answers in turn; then `otherwise`, and where there is none it never answers.
    pub(super) answers: VecDeque<Answer>,
    pub(super) otherwise: Option<Answer>,
    /// What the keeper says to a refresh; it never answers when there is none left.
    pub(super) refresh_results: VecDeque<Result<&'static str, &'static str>>,

    pub(super) looks: Vec<(i64, Vec<PostId>)>,
    pub(super) counts: Vec<(i64, Vec<(Account, RuleId)>)>,
    pub(super) weighs: Vec<(i64, Vec<Account>)>,
    pub(super) sent: Vec<Sent>,
    pub(super) refreshes: Vec<(i64, Account, String)>,
    pub(super) reports: Vec<Report>,
    pub(super) notices: Vec<Notice>,
}

impl Surroundings for Script {
    fn look(&mut self, posts: &[PostId], now: DateTime<Utc>) -> Later<Result<Vec<Sight>, String>> {
        self.looks.push((millis(now), posts.to_vec()));
        let answer = match &self.nodes_away {
            Some(why) => Err(why.clone()),
            None => Ok(posts
                .iter()
                .map(|post| Sight::from(self.posts.get(post).cloned()))
                .collect()),
        };
        Some((self.look_takes, answer))
    }

    fn count(
        &mut self,
        pairs: &[(Account, RuleId)],
        _: &Table,
        now: DateTime<Utc>,
    ) -> Later<Option<PastVotes>> {
        self.counts.push((millis(now), pairs.to_vec()));
        let answer = self.past.as_ref().map(|past| {
            let asked = pairs.iter().filter_map(|pair| past.get_key_value(pair));
            asked
                .map(|(pair, past)| (pair.clone(), past.clone()))
                .collect()
        });
        Some((self.look_takes, answer))
    }

    fn weigh(
        &mut self,
        voters: &[Account],
        now: DateTime<Utc>,
    ) -> Later<Result<Vec<AccountState>, String>> {
        self.weighs.push((millis(now), voters.to_vec()));
        let answer = match &self.nodes_away {
            Some(why) => Err(why.clone()),
            None => Ok(voters
                .iter()
                .filter_map(|voter| self.mana.get(voter).cloned())
                .collect()),
        };
        Some((self.look_takes, answer))
    }

    fn send(&mut self, request: &Request, now: DateTime<Utc>) -> Later<Answer> {
        self.sent.push(Sent {
            at: millis(now),
            key: request.key.clone(),
            weight: request.weight,
            token: request.token.expose_secret().to_owned(),
        });
        let answer = self.answers.pop_front().or_else(|| self.otherwise.clone());
        Some((self.answer_takes, answer?))
    }

    fn refresh(
        &mut self,
        voter: &Account,
        refused: &SecretString,
        now: DateTime<Utc>,
    ) -> Later<Result<(), String>> {
        let refused = refused.expose_secret().to_owned();
        self.refreshes.push((millis(now), voter.clone(), refused));
        let result = match self.refresh_results.pop_front()? {
            Ok(token) => {
                self.tokens.insert(voter.clone(), token.to_owned());
                Ok(())
            }
            Err(why) => Err(why.to_owned()),
        };
        Some((TimeDelta::zero(), result))
    }

    fn token(&self, voter: &Account) -> Option<SecretString> {
        self.tokens.get(voter).cloned().map(SecretString::from)
    }

    fn chance(&self) -> f64 {
        self.chance
    }

    fn told(&mut self, notice: &Notice) {
        self.notices.push(notice.clone());
    }

    fn reported(&mut self, report: &Report) {
        self.reports.push(report.clone());
    }
}

/// The daemon at work, and what it did.
pub(super) struct Play {
    pub(super) daemon: Simulation<Script>,
}

impl Deref for Play {
    type Target = Script;

    fn deref(&self) -> &Script {
        &self.daemon.surroundings
    }
}

impl DerefMut for Play {
    fn deref_mut(&mut self) -> &mut Script {
        &mut self.daemon.surroundings
    }
}

impl Play {
    /// At zero, with the usual rules, tokens for all voters, a signer that accepts and the post
    /// `@bob/post`.
    pub(super) fn new() -> Self {
        Self::with(settings())
    }

    pub(super) fn with(settings: Settings) -> Self {
        let script = Script {
            tokens: HashMap::new(),
            chance: 0.5,
            posts: HashMap::new(),
            past: Some(HashMap::new()),
            mana: HashMap::new(),
            nodes_away: None,
            look_takes: TimeDelta::zero(),
            answer_takes: TimeDelta::zero(),
            answers: VecDeque::new(),
            otherwise: Some(accepted()),
            refresh_results: VecDeque::new(),
            looks: Vec::new(),
            counts: Vec::new(),
            weighs: Vec::new(),
            sent: Vec::new(),
            refreshes: Vec::new(),
            reports: Vec::new(),
            notices: Vec::new(),
        };
        let horizon = TimeDelta::seconds(30);
        let rules = Arc::new(rules(RULES));
        let mut play = Self {
            daemon: Simulation::new(rules, settings, horizon, script, start()),
        };
        for voter in ["alice", "amy", "ann"] {
            play.give_token(voter, &format!("token-of-{voter}"));
        }
        play.publish(content("post"));
        play
    }

    pub(super) fn publish(&mut self, content: Content) {
        self.posts.insert(content.post.clone(), content);
    }

    pub(super) fn give_token(&mut self, voter: &str, token: &str) {
        self.tokens.insert(account(voter), token.to_owned());
    }

    /// A vote stands on the post from now on.
    pub(super) fn stands(&mut self, key: &VoteKey, weight: Weight) {
        let content = self.posts.get_mut(&key.post).unwrap();
        content.votes.set(key.voter.clone(), weight);
    }

    pub(super) fn act<T>(&mut self, act: impl FnOnce(&mut Caster, &World<'_>) -> T) -> T {
        self.daemon.with_caster(act)
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.daemon.now()
    }

    /// A vote that the table has is held.
    pub(super) fn hold(&mut self, vote: Vote) {
        let now = self.now();
        self.daemon.table.put(vote.clone());
        self.daemon.caster.hold(vote, false, now);
    }

    /// Something else than the caster changed a row.
    pub(super) fn amend(&mut self, row: Vote) {
        self.daemon.table.put(row.clone());
        self.daemon.caster.amend(row, US);
    }

    /// A vote is held of which the table knows nothing.
    pub(super) fn hold_only(&mut self, vote: Vote) {
        let now = self.now();
        self.daemon.caster.hold(vote, false, now);
    }

    /// The caster is told of a row of which the table knows nothing.
    pub(super) fn amend_only(&mut self, row: Vote) {
        self.daemon.caster.amend(row, US);
    }

    /// A vote was just planned, and is held at once.
    pub(super) fn plan(&mut self, vote: Vote) {
        let now = self.now();
        self.daemon.table.put(vote.clone());
        self.daemon.caster.plan(vec![vote], US, now);
    }

    /// A vote was just planned that is not due for long: nobody holds it yet.
    pub(super) fn plan_for_later(&mut self, vote: Vote) {
        self.plan(Vote {
            claimed_by: None,
            ..vote
        });
    }

    /// Lets time pass up to `millis` after zero, with everything that happens on the way.
    pub(super) fn run_until(&mut self, millis: i64) {
        self.daemon.run_until(after(millis));
    }

    /// The signer answers a request for which it had no answer yet.
    pub(super) fn answer(&mut self, key: &VoteKey, answer: Answer) {
        let sent_at = self.now();
        self.act(|caster, world| caster.answered(key, answer, sent_at, world));
        self.daemon.act();
    }

    /// The moments at which requests left.
    pub(super) fn sent_at(&self) -> Vec<i64> {
        self.sent.iter().map(|sent| sent.at).collect()
    }

    pub(super) fn looked_at(&self) -> Vec<i64> {
        self.looks.iter().map(|(at, _)| *at).collect()
    }

    /// What became of votes that are over, in order.
    pub(super) fn ends(&self) -> Vec<&Outcome> {
        let outcomes = self.reports.iter().map(|report| &report.outcome);
        outcomes
            .filter(|outcome| !matches!(outcome, Outcome::Later { .. }))
            .collect()
    }

    /// What drops out, in the only end there was.
    pub(super) fn dropped(&self) -> &[Unsuited] {
        match self.end() {
            Outcome::Unsuited(dropped) => dropped,
            other => panic!("nothing drops out: {other:?}"),
        }
    }

    /// The only end there was.
    pub(super) fn end(&self) -> &Outcome {
        match &self.ends()[..] {
            [end] => end,
            ends => panic!("not one end: {ends:?}"),
        }
    }

    /// Alice's vote on `@bob/permlink`, as the table has it.
    pub(super) fn row(&self, permlink: &str) -> &Vote {
        &self.daemon.table.rows()[&key("alice", permlink)]
    }

    pub(super) fn failure(&self) -> String {
        match self.end() {
            Outcome::Failed(why) => why.to_string(),
            other => panic!("not failed: {other:?}"),
        }
    }
}
