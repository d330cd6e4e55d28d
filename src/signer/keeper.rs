//! Keeps the tokens of all voters valid: refreshes them ahead of their expiry or at once when the signer
//! refuses one, and takes over rows that other programs write to the table.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinError, JoinSet};

use crate::account::Account;
use crate::backoff::Backoff;
use crate::clock::{self, Clock};
use crate::config::Config;
use crate::queue::journal::Journal;
use crate::signer::book::TokenBook;
use crate::signer::client::{RefreshError, SignerClient};
use crate::signer::refresh::{LEASE, Refreshed, refresh};
use crate::signer::refresh_time::refresh_at;
use crate::stop::{Stop, result_of};
use crate::store::{NewToken, RowDoubt, Store, StoreError, TokenMarks, TokenRow};
use crate::votes::error_entry::ErrorEntry;
use crate::votes::status::ErrorKind;

/// Pause between two refreshes that no vote waits for: 20 per second.
const PACE: TimeDelta = TimeDelta::milliseconds(50);
/// Refreshes at a time that no vote waits for.
const MAX_CONCURRENT: usize = 4;
/// Delay after the first failed refresh, and the longest after more of them.
const FIRST_DELAY: Duration = Duration::from_secs(1);
const LONGEST_DELAY: Duration = Duration::from_secs(60);
/// Delay before a refused refresh token is tried again, in case the signer was wrong.
const DEAD_RETRY_DELAY: TimeDelta = TimeDelta::hours(1);
/// Time after a successful refresh in which the same voter's token is not refreshed again, whatever the signer says about it.
const AT_MOST_EVERY: TimeDelta = TimeDelta::seconds(60);
/// Interval between two looks at the table for rows that others wrote.
const POLL_EVERY: Duration = Duration::from_secs(3);

/// A request for a new access token after a refusal.
#[derive(Debug)]
pub struct RefreshRequest {
    /// Whose token it is.
    pub voter: Account,
    /// The access token that the signer refused.
    pub refused: SecretString,
    /// Receives `Ok` when a new token is available, or the reason why none is.
    pub reply: oneshot::Sender<Result<(), String>>,
}

/// The task that keeps tokens valid.
pub struct Keeper {
    /// Holds the tokens, and the leases on refreshing them.
    pub store: Arc<Store>,
    /// Refreshes tokens.
    pub signer: SignerClient,
    /// Gets every new token.
    pub book: TokenBook,
    /// Takes errors for `error_log`.
    pub journal: Journal,
    /// The time.
    pub clock: Clock,
    /// The name of this daemon, for leases on refreshes.
    pub owner: String,
    /// May change while it runs.
    pub config: watch::Receiver<Arc<Config>>,
}

/// The state of one voter's token.
struct State {
    refresh_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    /// Known after the first refresh.
    life: Option<Duration>,
    /// When this daemon refreshed it last.
    refreshed_at: Option<DateTime<Utc>>,
    backoff: Backoff,
    /// Why the signer refused the refresh token.
    dead: Option<String>,
    in_flight: bool,
    /// Where to report the outcome of the refresh.
    waiting: Vec<oneshot::Sender<Result<(), String>>>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            refresh_at: DateTime::UNIX_EPOCH,
            expires_at: None,
            life: None,
            refreshed_at: None,
            backoff: Backoff::new(FIRST_DELAY, LONGEST_DELAY),
            dead: None,
            in_flight: false,
            waiting: Vec::new(),
        }
    }
}

impl State {
    /// The earliest moment for the next refresh.
    fn not_before(&self) -> DateTime<Utc> {
        let refreshed_at = self.refreshed_at.unwrap_or(DateTime::UNIX_EPOCH);
        refreshed_at + AT_MOST_EVERY
    }
}

impl Keeper {
    /// Reads the tokens that the table holds and keeps them good until it is to stop.
    pub async fn run(self, mut requests: mpsc::Receiver<RefreshRequest>, stop: Stop) {
        let mut run = Run {
            keeper: &self,
            stop: &stop,
            states: HashMap::new(),
            agenda: BTreeSet::new(),
            not_before: DateTime::UNIX_EPOCH,
            unsaved: Vec::new(),
            config: self.config.borrow().clone(),
            application_refused: false,
            told: HashSet::new(),
            tasks: JoinSet::new(),
            running: 0,
        };
        let mut polls = clock::every(POLL_EVERY);
        let mut config = self.config.clone();
        loop {
            run.start_due().await;
            let wake = run.next_wake();
            tokio::select! {
                biased;
                () = stop.requested() => break,
                _ = polls.tick() => run.poll().await,
                Some(request) = requests.recv() => run.request(request),
                Ok(()) = config.changed() => run.application_may_have_changed(),
                Some(done) = run.tasks.join_next() => run.finished(done).await,
                () = self.clock.sleep_until(wake.unwrap_or_default()), if wake.is_some() => {}
            }
        }
        run.finish().await;
    }
}

struct Run<'a> {
    keeper: &'a Keeper,
    /// A look at the table ends with it.
    stop: &'a Stop,
    states: HashMap<Account, State>,
    /// The next refresh of each voter, earliest first.
    agenda: BTreeSet<(DateTime<Utc>, Account)>,
    /// The earliest time for the next refresh, by the pace.
    not_before: DateTime<Utc>,
    /// The rows that the database lacks, as they were and with their new tokens.
    unsaved: Vec<(TokenRow, NewToken)>,
    /// The configuration at its last change.
    config: Arc<Config>,
    /// Whether the signer refuses the application, which was reported then.
    application_refused: bool,
    /// What was said about rows that are left out.
    told: HashSet<String>,
    tasks: JoinSet<(Account, Refreshed)>,
    /// Number of refreshes in flight.
    running: usize,
}

impl Run<'_> {
    /// Waits for new tokens that are on their way, since the old ones may be void, and stores them.
    async fn finish(mut self) {
        let stop = self.stop;
        let last = stop.or_give_up(async {
            while let Some(done) = self.tasks.join_next().await {
                self.finished(done).await;
            }
            self.save().await;
        });
        last.await;
        if !self.tasks.is_empty() {
            tracing::warn!("stopped before the signer had answered every refresh of a token");
        }
        let unsaved = self.unsaved.iter().map(|(old, _)| old.voter.as_str());
        let unsaved: Vec<_> = unsaved.collect();
        if !unsaved.is_empty() {
            tracing::error!(
                voters = unsaved.join(", "),
                "the database stayed away: new tokens are lost, and these voters may have to log in again"
            );
        }
    }

    /// Takes in what others wrote to the table.
    async fn poll(&mut self) {
        let stop = self.stop;
        stop.or(self.save()).await;
        let Keeper { store, book, .. } = self.keeper;
        let read = stop.or(async {
            let TokenMarks { marks, doubts } = store.read_token_marks().await?;
            let rows = store.tokens(&book.outdated(&marks)).await?;
            Ok::<_, StoreError>((marks, doubts, rows))
        });
        let (marks, doubts, rows) = match read.await {
            Some(Ok(read)) => read,
            Some(Err(error)) => return error.log("the tokens cannot be read"),
            None => return,
        };
        for row in &rows {
            self.plan(row);
        }
        book.update(rows, &marks);
        self.states
            .retain(|voter, state| state.in_flight || book.row(voter).is_some());
        self.tell_doubts(doubts).await;
    }

    /// Reports each row that is left out once.
    async fn tell_doubts(&mut self, doubts: Vec<RowDoubt>) {
        let before = std::mem::take(&mut self.told);
        for doubt in doubts {
            let text = doubt.to_string();
            if !before.contains(&text) {
                tracing::warn!("{text}");
                if let RowDoubt::Unreadable { .. } = doubt {
                    let now = self.keeper.clock.now();
                    let entry = ErrorEntry::new(ErrorKind::Refresh, text.clone(), now);
                    self.keeper.journal.error(entry).await;
                }
            }
            self.told.insert(text);
        }
    }

    /// Retries refused refresh tokens if the name or secret of the application has changed.
    fn application_may_have_changed(&mut self) {
        let new = self.keeper.config.borrow().clone();
        let old = std::mem::replace(&mut self.config, new.clone());
        let (old, new) = (&old.signer, &new.signer);
        let same_secret = old.client_secret.expose_secret() == new.client_secret.expose_secret();
        if same_secret && old.client_id == new.client_id {
            return;
        }
        self.application_refused = false;
        self.retry_refused();
    }

    /// Retries all refresh tokens that were refused.
    fn retry_refused(&mut self) {
        let now = self.keeper.clock.now();
        let refused = self.states.iter().filter(|(_, state)| state.dead.is_some());
        let voters: Vec<Account> = refused.map(|(voter, _)| voter.clone()).collect();
        for voter in voters {
            self.plan_at(&voter, now);
        }
    }

    /// Plans the refresh of a new row, whose refresh token has not been refused.
    fn plan(&mut self, row: &TokenRow) {
        let ahead = self.keeper.config.borrow().tokens.refresh_ahead;
        let state = self.states.entry(row.voter.clone()).or_default();
        self.agenda.remove(&(state.refresh_at, row.voter.clone()));
        state.dead = None;
        state.backoff.reset();
        state.expires_at = row.expires_at;
        // A row may hold a refresh token only. Its expiry means nothing then.
        let has_access = !row.access_token.expose_secret().is_empty();
        let expires_at = row.expires_at.filter(|_| has_access);
        let at = refresh_at(&row.voter, expires_at, state.life, ahead);
        state.refresh_at = at.max(state.not_before());
        self.agenda.insert((state.refresh_at, row.voter.clone()));
    }

    fn plan_at(&mut self, voter: &Account, at: DateTime<Utc>) {
        if let Some(state) = self.states.get_mut(voter) {
            self.agenda.remove(&(state.refresh_at, voter.clone()));
            state.refresh_at = at;
            self.agenda.insert((at, voter.clone()));
        }
    }

    fn next_wake(&self) -> Option<DateTime<Utc>> {
        if self.running >= MAX_CONCURRENT {
            return None;
        }
        self.agenda
            .first()
            .map(|(at, _)| (*at).max(self.not_before))
    }

    /// Starts the refreshes that are due, at the pace.
    async fn start_due(&mut self) {
        let now = self.keeper.clock.now();
        while self.running < MAX_CONCURRENT && self.not_before <= now {
            let Some((at, voter)) = self.agenda.first().cloned() else {
                return;
            };
            if at > now {
                return;
            }
            self.agenda.pop_first();
            if self.start(&voter) {
                self.not_before = now + PACE;
            } else {
                self.report_missing(&voter, now).await;
            }
        }
    }

    /// Reports a voter without a refresh token, who must log in before the access token expires.
    async fn report_missing(&self, voter: &Account, now: DateTime<Utc>) {
        let Some(row) = self
            .keeper
            .book
            .row(voter)
            .filter(|row| row.refresh_token.is_none())
        else {
            return;
        };
        let when = row.expires_at.map_or("soon".to_owned(), |at| {
            format!("before {}", at.format("%F %T UTC"))
        });
        let text =
            format!("there is no refresh token for @{voter}: @{voter} must log in again {when}");
        tracing::warn!(voter = voter.as_str(), "{text}");
        let expiry = row.expires_at.map_or(0, |at| at.timestamp());
        let mut entry = ErrorEntry::new(ErrorKind::Refresh, text, now);
        entry.voter = voter.as_str().to_owned();
        entry.fingerprint = Some(format!("none:{voter}:{expiry}"));
        self.keeper.journal.error(entry).await;
    }

    /// Starts a refresh. False if one is in flight already or there is no refresh token.
    fn start(&mut self, voter: &Account) -> bool {
        let Some(row) = self.keeper.book.row(voter) else {
            return false;
        };
        let state = self.states.entry(voter.clone()).or_default();
        if state.in_flight || row.refresh_token.is_none() {
            return false;
        }
        state.in_flight = true;
        self.running += 1;
        let Keeper {
            store,
            signer,
            clock,
            owner,
            ..
        } = self.keeper;
        let (store, signer, clock, owner) =
            (Arc::clone(store), signer.clone(), *clock, owner.clone());
        self.tasks.spawn(async move {
            let voter = row.voter.clone();
            (voter, refresh(&store, &signer, &clock, &owner, row).await)
        });
        true
    }

    /// Handles the request of a vote that waits for a new token.
    fn request(&mut self, request: RefreshRequest) {
        let RefreshRequest {
            voter,
            refused,
            reply,
        } = request;
        let answer = |reply: oneshot::Sender<_>, result| {
            // The receiver may have given up.
            let _ = reply.send(result);
        };
        let Some(row) = self.keeper.book.row(&voter) else {
            return answer(reply, Err(format!("@{voter} no longer has a token")));
        };
        if row.access_token.expose_secret() != refused.expose_secret() {
            return answer(reply, Ok(()));
        }
        if row.refresh_token.is_none() {
            self.keeper.book.refuse(&voter);
            let text = format!(
                "the signer refuses the token of @{voter}, and there is no refresh token: @{voter} must log in again"
            );
            return answer(reply, Err(text));
        }
        let state = self.states.entry(voter.clone()).or_default();
        if let Some(dead) = &state.dead {
            // The access token is refused as well, so it is not tried again.
            self.keeper.book.refuse(&voter);
            return answer(reply, Err(dead.clone()));
        }
        if self.keeper.clock.now() < state.not_before() {
            let text =
                format!("the signer refuses the token of @{voter} that it gave a moment ago");
            return answer(reply, Err(text));
        }
        state.waiting.push(reply);
        self.start(&voter);
    }

    async fn finished(&mut self, ended: Result<(Account, Refreshed), JoinError>) {
        let Some((voter, result)) = result_of(ended) else {
            return;
        };
        self.running = self.running.saturating_sub(1);
        let now = self.keeper.clock.now();
        let answer = match result {
            Refreshed::Fresh { row, life, unsaved } => {
                tracing::info!(voter = voter.as_str(), "the token of @{voter} is refreshed");
                self.unsaved.extend(unsaved);
                let state = self.states.entry(voter.clone()).or_default();
                state.life = Some(life);
                state.refreshed_at = Some(now);
                if std::mem::take(&mut self.application_refused) {
                    tracing::info!("the signer accepts the application again");
                    self.retry_refused();
                }
                self.plan(&row);
                self.keeper.book.replace(row);
                Ok(())
            }
            Refreshed::Superseded => {
                self.plan_at(&voter, now + LEASE);
                self.poll().await;
                Err(format!(
                    "another program is refreshing the token of @{voter}"
                ))
            }
            Refreshed::Failed(error) => Err(self.failed(&voter, error, now).await),
        };
        let Some(state) = self.states.get_mut(&voter) else {
            return;
        };
        state.in_flight = false;
        for reply in state.waiting.drain(..) {
            let _ = reply.send(answer.clone());
        }
    }

    /// Plans the retry of a failed refresh and reports the first failure. Returns its message.
    async fn failed(&mut self, voter: &Account, error: RefreshError, now: DateTime<Utc>) -> String {
        let state = self.states.entry(voter.clone()).or_default();
        let delay = state.backoff.next(fastrand::f64());
        let mut text = format!("the token of @{voter} was not refreshed: {error}");
        let mut of = voter.as_str();
        let (at, is_first, fingerprint) = match &error {
            RefreshError::Dead(_) => {
                let first = state.dead.replace(text.clone()).is_none();
                let row = self.keeper.book.row(voter);
                let fingerprint = row.and_then(|row| row.refused_mark());
                (now + DEAD_RETRY_DELAY, first, fingerprint)
            }
            RefreshError::Application { .. } => {
                of = "";
                text = format!("no token can be refreshed: {error}");
                state.dead = Some(text.clone());
                let first = !std::mem::replace(&mut self.application_refused, true);
                (now + DEAD_RETRY_DELAY, first, None)
            }
            RefreshError::Passing { retry_after, .. } => {
                let delay = delay.max(retry_after.unwrap_or_default());
                (now + delay, state.backoff.failures() == 1, None)
            }
        };
        if state.dead.is_some() && !state.waiting.is_empty() {
            // The access token is refused as well, so it is not tried again.
            self.keeper.book.refuse(voter);
        }
        self.plan_at(voter, at);
        if is_first {
            tracing::warn!(voter = of, "{text}");
            let mut entry = ErrorEntry::new(ErrorKind::Refresh, text.clone(), now);
            entry.voter = of.to_owned();
            entry.fingerprint = fingerprint;
            self.keeper.journal.error(entry).await;
        }
        text
    }

    /// Stores tokens that came while the database did not take them. Cancel-safe: each stays in the list
    /// until it is stored.
    async fn save(&mut self) {
        let mut next = 0;
        while let Some((old, new)) = self.unsaved.get(next) {
            match self.keeper.store.store_refreshed(old, new).await {
                Ok(_) => drop(self.unsaved.remove(next)),
                // Without it the voter would have to log in again, so it is kept whatever the error is.
                Err(error) => {
                    error.log(&format!(
                        "the new token of @{} is not stored yet",
                        old.voter
                    ));
                    next += 1;
                }
            }
        }
    }
}
