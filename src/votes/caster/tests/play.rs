//! A caster at work: its surroundings are played, and what it does is written down.

use super::*;

/// A request that left.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sent {
    pub(super) at: i64,
    pub(super) key: VoteKey,
    pub(super) weight: Weight,
    pub(super) token: String,
}

/// What has yet to come back.
enum Pending {
    Look(Vec<PostId>),
    Count(Vec<(Account, RuleId)>),
    Weigh(Vec<Account>),
    Answer(VoteKey, DateTime<Utc>, Answer),
    Refresh(Account),
}

/// The caster, its surroundings, and what it did.
pub(super) struct Play {
    pub(super) caster: Caster,
    pub(super) now: DateTime<Utc>,
    pub(super) rules: RuleSet,
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
    pending: Vec<(DateTime<Utc>, Pending)>,

    pub(super) looks: Vec<(i64, Vec<PostId>)>,
    pub(super) counts: Vec<(i64, Vec<(Account, RuleId)>)>,
    pub(super) weighs: Vec<(i64, Vec<Account>)>,
    pub(super) sent: Vec<Sent>,
    pub(super) refreshes: Vec<(i64, Account, String)>,
    pub(super) reports: Vec<Report>,
}

impl Play {
    /// At zero, with the usual rules, tokens for all voters, a signer that accepts and the post
    /// `@bob/post`.
    pub(super) fn new() -> Self {
        Self::with(settings())
    }

    pub(super) fn with(settings: Settings) -> Self {
        let mut play = Self {
            caster: Caster::new(settings),
            now: start(),
            rules: rules(RULES),
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
            pending: Vec::new(),
            looks: Vec::new(),
            counts: Vec::new(),
            weighs: Vec::new(),
            sent: Vec::new(),
            refreshes: Vec::new(),
            reports: Vec::new(),
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
        let tokens = &self.tokens;
        let world = World {
            now: self.now,
            rules: &self.rules,
            token: &|voter| tokens.get(voter).cloned().map(SecretString::from),
            chance: &|| self.chance,
        };
        act(&mut self.caster, &world)
    }

    pub(super) fn hold(&mut self, vote: Vote) {
        self.caster.hold(vote, false, self.now);
    }

    /// A vote was just planned, and is held at once.
    pub(super) fn plan(&mut self, vote: Vote) {
        self.caster.plan(vec![vote], US, self.now);
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
        let end = after(millis);
        let mut idle_steps = 0;
        loop {
            self.poll();
            self.pending.sort_by_key(|(at, _)| *at);
            if self.pending.first().is_some_and(|(at, _)| *at <= self.now) {
                let (_, pending) = self.pending.remove(0);
                self.come_back(pending);
                continue;
            }
            let wake = self.caster.next_wake(self.now);
            let next = self.pending.first().map(|(at, _)| *at);
            let Some(next) = wake.into_iter().chain(next).min() else {
                break;
            };
            if next > end {
                break;
            }
            idle_steps = if next > self.now { 0 } else { idle_steps + 1 };
            assert!(idle_steps < 100, "wakes again and again and does nothing");
            self.now = self.now.max(next);
        }
        self.now = self.now.max(end);
        self.poll();
    }

    pub(super) fn poll(&mut self) {
        for action in self.act(Caster::poll) {
            let at = millis(self.now);
            match action {
                Action::Look(posts) => {
                    self.looks.push((at, posts.clone()));
                    let back = self.now + self.look_takes;
                    self.pending.push((back, Pending::Look(posts)));
                }
                Action::Count(pairs) => {
                    self.counts.push((at, pairs.clone()));
                    let back = self.now + self.look_takes;
                    self.pending.push((back, Pending::Count(pairs)));
                }
                Action::Weigh(voters) => {
                    self.weighs.push((at, voters.clone()));
                    let back = self.now + self.look_takes;
                    self.pending.push((back, Pending::Weigh(voters)));
                }
                Action::Send(request) => {
                    self.sent.push(Sent {
                        at,
                        key: request.key.clone(),
                        weight: request.weight,
                        token: request.token.expose_secret().to_owned(),
                    });
                    let answer = self.answers.pop_front().or_else(|| self.otherwise.clone());
                    if let Some(answer) = answer {
                        let back = self.now + self.answer_takes;
                        let pending = Pending::Answer(request.key, self.now, answer);
                        self.pending.push((back, pending));
                    }
                }
                Action::Refresh { voter, refused } => {
                    let refused = refused.expose_secret().to_owned();
                    self.refreshes.push((at, voter.clone(), refused));
                    self.pending.push((self.now, Pending::Refresh(voter)));
                }
                Action::Report(report) => self.reports.push(report),
            }
        }
    }

    fn come_back(&mut self, pending: Pending) {
        match pending {
            Pending::Look(posts) => {
                let answer = match &self.nodes_away {
                    Some(why) => Err(why.clone()),
                    None => Ok(posts
                        .iter()
                        .map(|post| self.posts.get(post).cloned())
                        .collect()),
                };
                self.act(|caster, world| caster.looked(posts, answer, world));
            }
            Pending::Count(pairs) => {
                let answer = match &self.past {
                    Some(past) => Ok(pairs
                        .iter()
                        .filter_map(|pair| past.get_key_value(pair))
                        .map(|((voter, rule), past)| (voter.clone(), rule.clone(), past.clone()))
                        .collect()),
                    None => Err("the database is away".to_owned()),
                };
                self.act(|caster, world| caster.counted(pairs, answer, world));
            }
            Pending::Weigh(voters) => {
                let answer = match &self.nodes_away {
                    Some(why) => Err(why.clone()),
                    None => Ok(voters
                        .iter()
                        .filter_map(|voter| self.mana.get(voter).cloned())
                        .collect()),
                };
                self.act(|caster, world| caster.weighed(voters, answer, world));
            }
            Pending::Answer(key, sent_at, answer) => {
                self.act(|caster, world| caster.answered(&key, answer, sent_at, world));
            }
            Pending::Refresh(voter) => {
                let result = match self.refresh_results.pop_front() {
                    Some(Ok(token)) => {
                        self.give_token(voter.as_str(), token);
                        Ok(())
                    }
                    Some(Err(why)) => Err(why.to_owned()),
                    None => return,
                };
                self.act(|caster, world| caster.refreshed(&voter, result, world));
            }
        }
    }

    /// The signer answers a request for which it had no answer yet.
    pub(super) fn answer(&mut self, key: &VoteKey, answer: Answer) {
        let sent_at = self.now;
        self.act(|caster, world| caster.answered(key, answer, sent_at, world));
        self.poll();
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

    /// The only end there was: the vote was not its rule's.
    pub(super) fn misfit(&self) -> &Misfit {
        match self.end() {
            Outcome::Unfit(misfit) => misfit,
            other => panic!("it was: {other:?}"),
        }
    }

    /// The only end there was.
    pub(super) fn end(&self) -> &Outcome {
        match &self.ends()[..] {
            [end] => end,
            ends => panic!("not one end: {ends:?}"),
        }
    }

    pub(super) fn failure(&self) -> &str {
        match self.end() {
            Outcome::Failed(why) => why,
            other => panic!("not failed: {other:?}"),
        }
    }
}
