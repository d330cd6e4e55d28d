//! The task around the caster: performs what [`Caster`] decides, and returns the results to it.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use crate::cast::outbox::Outbox;
use crate::chain::nodes::Nodes;
use crate::clock::Clock;
use crate::config::Config;
use crate::queue::journal::Journal;
use crate::rules::set::RuleSet;
use crate::signer::book::TokenBook;
use crate::signer::client::SignerClient;
use crate::signer::keeper::RefreshRequest;
use crate::stop::{Stop, result_of};
use crate::store::Store;
use crate::votes::caster::lane::Limits;
use crate::votes::caster::{
    Action, Caster, Looks, Notice, PostChange, Request, Response, Settings, Sight, World,
};
use crate::votes::change::{Batch, Change};
use crate::votes::handover::Handover;
use crate::votes::limits::LIMITS_LOOK_BACK;

/// Most posts in one call to the nodes.
const LOOK_TOGETHER: usize = 200;

/// What the caster works with.
pub struct Parts {
    /// Whether to do everything but broadcast.
    pub dry_run: bool,
    /// The configuration, which may change while the task runs.
    pub config: watch::Receiver<Arc<Config>>,
    /// This daemon, as the table names it.
    pub owner: String,
    /// The time.
    pub clock: Clock,
    /// The rules in force.
    pub rules: watch::Receiver<Arc<RuleSet>>,
    /// The nodes of the chain.
    pub nodes: Nodes,
    /// The tables, for the earlier votes that limits count.
    pub store: Arc<Store>,
    /// The HTTP API of the signer.
    pub signer: SignerClient,
    /// The access tokens of the voters.
    pub tokens: TokenBook,
    /// The way to the token keeper: tokens that were refused.
    pub refreshes: mpsc::Sender<RefreshRequest>,
    /// From the writer: rows as they are written.
    pub handovers: mpsc::Receiver<Handover>,
    /// From the reader: what blocks change about posts.
    pub post_changes: mpsc::Receiver<Vec<PostChange>>,
    /// The way to the writer: reports.
    pub journal: Journal,
    /// Signalled at the end, once every request is reported.
    pub settled: oneshot::Sender<()>,
}

/// Casts the votes that are handed over until `stop`; then waits for outstanding answers.
pub async fn run(mut parts: Parts, stop: Stop) {
    let settings = |parts: &Parts| settings(&parts.config.borrow(), parts.dry_run);
    let mut caster = Caster::new(settings(&parts));
    let mut tasks = JoinSet::new();
    let mut outbox = Outbox::default();
    let mut new_tokens = parts.tokens.subscribe();
    let mut new_rules = parts.rules.clone();
    let mut stopping = false;
    let journal = parts.journal.clone();
    loop {
        for action in with_world(&parts, |world| caster.poll(world)) {
            start(action, &parts, &mut tasks, &mut outbox);
        }
        let now = parts.clock.now();
        if stopping && outbox.is_empty() && caster.in_flight() == 0 {
            break;
        }
        let busy = !stopping && caster.is_busy(now);
        let hand_over = outbox.due(busy);
        let ready = hand_over.is_some_and(|at| at <= now);
        let next = caster.next_wake(now).filter(|_| !stopping);
        let wake = hand_over.filter(|_| !ready).into_iter().chain(next).min();
        tokio::select! {
            biased;
            () = stop.overdue() => break,
            () = stop.requested(), if !stopping => {
                caster.stop();
                stopping = true;
            }
            Some(response) = tasks.join_next() => {
                let mut next = Some(response);
                while let Some(response) = next.and_then(result_of) {
                    with_world(&parts, |world| caster.take(response, world));
                    next = tasks.try_join_next();
                }
            }
            Some(changes) = parts.post_changes.recv() => {
                caster.posts_changed(changes, parts.clock.now());
            }
            Some(handover) = parts.handovers.recv() => {
                caster.hand_over(handover, &parts.owner, parts.clock.now());
            }
            place = journal.place(), if ready => match place {
                Some(place) => place.send(outbox.take()),
                None => {
                    let lost = outbox.take().changes.len();
                    tracing::error!(votes = lost, "the writer has stopped: outcomes of votes are not written");
                    caster.stop();
                    stopping = true;
                }
            },
            Ok(()) = parts.config.changed() => caster.set(settings(&parts)),
            Ok(()) = new_tokens.changed() => with_world(&parts, |world| caster.tokens_changed(world)),
            Ok(()) = new_rules.changed() => with_world(&parts, |world| caster.rules_changed(world)),
            () = parts.clock.sleep_until(wake.unwrap_or_default()), if wake.is_some() => {}
        }
    }
    let unanswered = with_world(&parts, |world| caster.abandon(world));
    if !unanswered.is_empty() {
        tracing::warn!(
            votes = unanswered.len(),
            "stopped before the signer had answered: the next start looks for these votes on the chain"
        );
    }
    let mut last = outbox.take();
    let unanswered = unanswered.into_iter().map(Change::Report);
    last.changes.extend(unanswered);
    if last != Batch::default() {
        // The writer may be waiting for room in this channel, and accepts nothing meanwhile.
        parts.handovers.close();
        parts.journal.write(last).await;
    }
    // The writer may be gone.
    let _ = parts.settled.send(());
}

/// The caster's settings in the configuration.
fn settings(config: &Config, dry_run: bool) -> Settings {
    Settings {
        kind: config.network.kind,
        dry_run,
        limits: Limits {
            max_in_flight: config.signer.max_in_flight,
            requests_per_second: config.signer.requests_per_second,
            vote_interval: config.network.vote_interval,
        },
        retry_for: config.casting.retry_for,
        confirm_within: config.casting.confirm_within,
        looks: Looks::LIVE,
    }
}

fn with_world<T>(parts: &Parts, act: impl FnOnce(&World<'_>) -> T) -> T {
    let rules = parts.rules.borrow().clone();
    act(&World {
        now: parts.clock.now(),
        rules: &rules,
        token: &|voter| parts.tokens.access_token(voter),
        chance: &fastrand::f64,
    })
}

fn start(action: Action, parts: &Parts, tasks: &mut JoinSet<Response>, outbox: &mut Outbox) {
    match action {
        Action::Look(posts) => {
            for posts in posts.chunks(LOOK_TOGETHER) {
                let (nodes, posts) = (parts.nodes.clone(), posts.to_vec());
                tasks.spawn(async move {
                    let answer = nodes.contents(&posts).await;
                    let sights = answer.map(|posts| posts.into_iter().map(Sight::from).collect());
                    Response::Look(posts, sights.map_err(|error| error.to_string()))
                });
            }
        }
        Action::Count(pairs) => {
            let (store, dry_run) = (parts.store.clone(), parts.dry_run);
            let since = parts.clock.now() - LIMITS_LOOK_BACK;
            tasks.spawn(async move {
                let past = store.past_votes(&pairs, since, dry_run).await;
                if let Err(error) = &past {
                    tracing::warn!(%error, "limits count only the votes of this run");
                }
                Response::Count(pairs, past.ok())
            });
        }
        Action::Weigh(voters) => {
            let nodes = parts.nodes.clone();
            tasks.spawn(async move {
                let states = nodes
                    .accounts(&voters)
                    .await
                    .map_err(|error| error.to_string());
                Response::Weigh(voters, states)
            });
        }
        Action::Send(Request { key, weight, token }) => {
            let (signer, clock) = (parts.signer.clone(), parts.clock);
            tasks.spawn(async move {
                let sent_at = clock.now();
                let answer = signer.broadcast(&token, &key, weight).await;
                Response::Send(key, sent_at, answer)
            });
        }
        Action::Refresh { voter, refused } => {
            let refreshes = parts.refreshes.clone();
            tasks.spawn(async move {
                let (reply, result) = oneshot::channel();
                let request = RefreshRequest {
                    voter: voter.clone(),
                    refused,
                    reply,
                };
                let stopping = || Err("the daemon is stopping".to_owned());
                let result = match refreshes.send(request).await {
                    Ok(()) => result.await.unwrap_or_else(|_| stopping()),
                    Err(_) => stopping(),
                };
                Response::Refresh(voter, result)
            });
        }
        Action::Report(report) => outbox.push(report, parts.clock.now()),
        Action::Tell(Notice { text, error: None }) => tracing::info!("{text}"),
        Action::Tell(Notice {
            text,
            error: Some(entry),
        }) => {
            tracing::warn!("{text}");
            outbox.push_error(entry, parts.clock.now());
        }
    }
}
