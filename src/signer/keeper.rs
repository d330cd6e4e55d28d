//! Keeps every voter's token good: refreshes it ahead of its expiry and at once when it is refused, and
//! notices what other programs write to the table.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::account::Account;
use crate::backoff::Backoff;
use crate::clock::Clock;
use crate::config::Config;
use crate::queue::journal::Journal;
use crate::signer::book::TokenBook;
use crate::signer::client::{RefreshError, SignerClient};
use crate::signer::refresh::{LEASE, Refreshed, refresh};
use crate::signer::refresh_time::refresh_at;
use crate::store::{NewToken, Store, StoreError, TokenRow};
use crate::votes::error_entry::{ErrorEntry, ErrorKind};

/// Between two refreshes that nobody waits for: 20 a second.
const PACE: TimeDelta = TimeDelta::milliseconds(50);
/// Refreshes that nobody waits for, at a time.
const MOST_AT_A_TIME: usize = 4;
/// Delay after the first failed refresh, and the longest after more of them.
const FIRST_DELAY: Duration = Duration::from_secs(1);
const LONGEST_DELAY: Duration = Duration::from_secs(60);
/// A dead refresh token is tried again after this, in case the signer was wrong.
const TRY_THE_DEAD_AFTER: TimeDelta = TimeDelta::hours(1);
/// At the end, new tokens that are on their way are awaited for so long.
const LAST_REFRESHES: Duration = Duration::from_secs(8);
/// Then a database that was away has so long to take those that wait for it.
const LAST_SAVE: Duration = Duration::from_secs(2);

/// Somebody was refused and asks for a new token.
#[derive(Debug)]
pub struct RefreshRequest {
    pub voter: Account,
    /// The access token that the signer did not take.
    pub refused: SecretString,
    /// `Err` says why there is no new one, for people.
    pub reply: oneshot::Sender<Result<(), String>>,
}

/// What the keeper works with.
pub struct Keeper {
    pub store: Arc<Store>,
    pub signer: SignerClient,
    pub book: TokenBook,
    pub journal: Journal,
    pub clock: Clock,
    /// This daemon, for the lease on a refresh.
    pub owner: String,
    /// May change while it runs.
    pub config: watch::Receiver<Arc<Config>>,
}

/// What is known of the refreshing of one voter's token.
struct State {
    refresh_at: DateTime<Utc>,
    expires_at: Option<DateTime<Utc>>,
    /// Known once we have refreshed it ourselves.
    life: Option<Duration>,
    backoff: Backoff,
    /// Why the refresh token does not work any more.
    dead: Option<String>,
    in_flight: bool,
    waiting: Vec<oneshot::Sender<Result<(), String>>>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            refresh_at: DateTime::UNIX_EPOCH,
            expires_at: None,
            life: None,
            backoff: Backoff::new(FIRST_DELAY, LONGEST_DELAY),
            dead: None,
            in_flight: false,
            waiting: Vec::new(),
        }
    }
}

impl Keeper {
    /// Reads the tokens that the table holds and keeps them good until `cancel`. `polls` says when to look
    /// for rows that others wrote.
    pub async fn run(
        self,
        mut requests: mpsc::Receiver<RefreshRequest>,
        mut polls: mpsc::Receiver<()>,
        cancel: CancellationToken,
    ) {
        let mut run = Run {
            keeper: &self,
            cancel: &cancel,
            states: HashMap::new(),
            agenda: BTreeSet::new(),
            not_before: DateTime::UNIX_EPOCH,
            unsaved: Vec::new(),
            config: self.config.borrow().clone(),
            tasks: JoinSet::new(),
            running: 0,
        };
        run.poll().await;
        let mut config = self.config.clone();
        loop {
            run.start_due().await;
            let wake = run.next_wake();
            tokio::select! {
                () = cancel.cancelled() => break,
                Some(request) = requests.recv() => run.request(request),
                Some(()) = polls.recv() => run.poll().await,
                Ok(()) = config.changed() => run.application_may_have_changed(),
                Some(done) = run.tasks.join_next(), if !run.tasks.is_empty() => match done {
                    Ok((voter, result)) => run.finished(voter, result).await,
                    Err(error) => tracing::error!(%error, "a token refresh broke off"),
                },
                () = self.clock.sleep_until(wake.unwrap_or_default()), if wake.is_some() => {}
            }
        }
        // New tokens that came back are worth waiting for: the old ones may be void.
        let last = async {
            while let Some(Ok((voter, result))) = run.tasks.join_next().await {
                run.finished(voter, result).await;
            }
        };
        if tokio::time::timeout(LAST_REFRESHES, last).await.is_err() {
            tracing::warn!("stopped before the signer had answered every refresh of a token");
        }
        let saved = tokio::time::timeout(LAST_SAVE, run.save()).await;
        if saved.is_err() || !run.unsaved.is_empty() {
            let voters: Vec<_> = run
                .unsaved
                .iter()
                .map(|(old, _)| old.voter.as_str())
                .collect();
            tracing::error!(
                voters = voters.join(", "),
                "the database stayed away: new tokens are lost, and these voters may have to log in again"
            );
        }
    }
}

struct Run<'a> {
    keeper: &'a Keeper,
    /// A look at the table ends with it.
    cancel: &'a CancellationToken,
    states: HashMap<Account, State>,
    agenda: BTreeSet<(DateTime<Utc>, Account)>,
    not_before: DateTime<Utc>,
    /// New tokens that the database has not taken yet, with the rows they replace.
    unsaved: Vec<(TokenRow, NewToken)>,
    /// As it was when it last changed.
    config: Arc<Config>,
    tasks: JoinSet<(Account, Refreshed)>,
    /// Refreshes on their way.
    running: usize,
}

impl Run<'_> {
    /// Takes in what others wrote to the table.
    async fn poll(&mut self) {
        let cancel = self.cancel;
        cancel.run_until_cancelled(self.save()).await;
        let Keeper { store, book, .. } = self.keeper;
        let read = cancel.run_until_cancelled(async {
            let marks = store.token_marks().await?;
            let rows = store.tokens(&book.outdated(&marks)).await?;
            Ok::<_, StoreError>((marks, rows))
        });
        let (marks, rows) = match read.await {
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
    }

    /// Tries what the signer refused once more where our name or secret is another.
    fn application_may_have_changed(&mut self) {
        let new = self.keeper.config.borrow().clone();
        let old = std::mem::replace(&mut self.config, new.clone());
        let (old, new) = (&old.signer, &new.signer);
        let same_secret = old.client_secret.expose_secret() == new.client_secret.expose_secret();
        if same_secret && old.client_id == new.client_id {
            return;
        }
        let now = self.keeper.clock.now();
        let refused = self.states.iter().filter(|(_, state)| state.dead.is_some());
        let voters: Vec<Account> = refused.map(|(voter, _)| voter.clone()).collect();
        for voter in voters {
            self.plan_at(&voter, now);
        }
    }

    /// Notes a row that is new: its refresh token is not known to be dead.
    fn plan(&mut self, row: &TokenRow) {
        let ahead = self.keeper.config.borrow().tokens.refresh_ahead;
        let state = self.states.entry(row.voter.clone()).or_default();
        self.agenda.remove(&(state.refresh_at, row.voter.clone()));
        state.dead = None;
        state.backoff.reset();
        state.expires_at = row.expires_at;
        // A program may write down nothing but a refresh token: there is no moment until which it serves.
        let has_access = !row.access_token.expose_secret().is_empty();
        let serves_until = row.expires_at.filter(|_| has_access);
        state.refresh_at = refresh_at(&row.voter, serves_until, state.life, ahead);
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
        if self.running >= MOST_AT_A_TIME {
            return None;
        }
        self.agenda
            .first()
            .map(|(at, _)| (*at).max(self.not_before))
    }

    /// Starts the refreshes whose time has come, no faster than the pace.
    async fn start_due(&mut self) {
        let now = self.keeper.clock.now();
        while self.running < MOST_AT_A_TIME && self.not_before <= now {
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
                self.tell_of_missing(&voter, now).await;
            }
        }
    }

    /// A token that cannot be refreshed: somebody has to log in before it expires.
    async fn tell_of_missing(&self, voter: &Account, now: DateTime<Utc>) {
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

    /// Starts a refresh, unless one is on its way or cannot be.
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

    /// Somebody's vote waits for a new token.
    fn request(&mut self, request: RefreshRequest) {
        let RefreshRequest {
            voter,
            refused,
            reply,
        } = request;
        let answer = |reply: oneshot::Sender<_>, result| {
            // Whoever asked may have given up.
            let _ = reply.send(result);
        };
        let Some(row) = self.keeper.book.row(&voter) else {
            return answer(reply, Err(format!("@{voter} has no token any more")));
        };
        if row.access_token.expose_secret() != refused.expose_secret() {
            return answer(reply, Ok(()));
        }
        if row.refresh_token.is_none() {
            self.keeper.book.refuse(&voter);
            let text = format!(
                "the token of @{voter} is refused and there is no refresh token: @{voter} must log in"
            );
            return answer(reply, Err(text));
        }
        let state = self.states.entry(voter.clone()).or_default();
        if let Some(dead) = &state.dead {
            // It died before anybody had to know: now the access token is refused too, and not tried again.
            self.keeper.book.refuse(&voter);
            return answer(reply, Err(dead.clone()));
        }
        state.waiting.push(reply);
        self.start(&voter);
    }

    async fn finished(&mut self, voter: Account, result: Refreshed) {
        self.running = self.running.saturating_sub(1);
        let now = self.keeper.clock.now();
        let answer = match result {
            Refreshed::Fresh { row, life, unsaved } => {
                tracing::info!(voter = voter.as_str(), "the token of @{voter} is refreshed");
                self.unsaved.extend(unsaved);
                self.states.entry(voter.clone()).or_default().life = Some(life);
                self.plan(&row);
                self.keeper.book.replace(row);
                Ok(())
            }
            Refreshed::Overtaken => {
                self.plan_at(&voter, now + LEASE);
                self.poll().await;
                Err(format!("somebody else is refreshing the token of @{voter}"))
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

    /// Notes a failure, tells of it once, and says it in words for whoever waits.
    async fn failed(&mut self, voter: &Account, error: RefreshError, now: DateTime<Utc>) -> String {
        let state = self.states.entry(voter.clone()).or_default();
        let delay = state.backoff.next(fastrand::f64());
        let text = format!("the token of @{voter} was not refreshed: {error}");
        let (at, tell, fingerprint) = match &error {
            RefreshError::Dead(_) => {
                let first = state.dead.replace(text.clone()).is_none();
                let expiry = state.expires_at.map_or(0, |at| at.timestamp());
                (
                    now + TRY_THE_DEAD_AFTER,
                    first,
                    Some(format!("dead:{voter}:{expiry}")),
                )
            }
            RefreshError::Passing { retry_after, .. } => {
                let delay = delay.max(retry_after.unwrap_or_default());
                (now + delay, state.backoff.failures() == 1, None)
            }
        };
        if state.dead.is_some() && !state.waiting.is_empty() {
            // The access token was refused as well: trying it again would only disturb the signer.
            self.keeper.book.refuse(voter);
        }
        self.plan_at(voter, at);
        if tell {
            tracing::warn!(voter = voter.as_str(), "{text}");
            let mut entry = ErrorEntry::new(ErrorKind::Refresh, text.clone(), now);
            entry.voter = voter.as_str().to_owned();
            entry.fingerprint = fingerprint;
            self.keeper.journal.error(entry).await;
        }
        text
    }

    /// Writes down tokens that came while the database was away. May be dropped at any moment: each stays in the
    /// list until it is stored.
    async fn save(&mut self) {
        let mut next = 0;
        while let Some((old, new)) = self.unsaved.get(next) {
            match self.keeper.store.store_refreshed(old, new).await {
                Err(StoreError::Unavailable(_)) => {
                    next += 1;
                    continue;
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(voter = old.voter.as_str(), %error, "a new token was not stored")
                }
            }
            self.unsaved.remove(next);
        }
    }
}
