//! Looks up what to vote on: the newest posts at a node, and existing votes in the table.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream;

use crate::account::Account;
use crate::chain::nodes::{Nodes, NodesError};
use crate::daemon::schedules::Attempt;
use crate::post::VoteKey;
use crate::rules::set::RuleSet;
use crate::store::{Store, StoreError};
use crate::votes::change::{Batch, Change};
use crate::votes::schedules::choice::{Choice, NEWEST, Post};

/// Number of authors that are looked up at a time.
const AUTHORS_AT_A_TIME: usize = 8;

/// One look-up for runs that are due together.
pub struct LookUp {
    pub store: Arc<Store>,
    pub nodes: Nodes,
    pub rules: Arc<RuleSet>,
    /// Whether votes of dry runs count as votes.
    pub dry_run: bool,
    pub attempts: Vec<Attempt>,
    /// Votes that may not be in the table yet.
    pub planned: HashSet<VoteKey>,
}

/// The result of a look-up.
#[derive(Debug, Default)]
pub struct Found {
    /// The votes, and the runs that they complete.
    pub batch: Batch,
    /// Runs to repeat, with the remaining authors, and why.
    pub failed: Vec<(Attempt, String)>,
}

impl LookUp {
    pub async fn run(self) -> Found {
        let (posts, errors) = self.newest_posts().await;
        match self.choose(&posts, &errors).await {
            Ok(found) => found,
            Err(error) => {
                let why = error.to_string();
                let attempts = self.attempts.into_iter();
                Found {
                    batch: Batch::default(),
                    failed: attempts.map(|attempt| (attempt, why.clone())).collect(),
                }
            }
        }
    }

    /// The newest posts of all authors, each looked up once; and the errors of the authors for whom that failed.
    async fn newest_posts(&self) -> (HashMap<Account, Vec<Post>>, HashMap<Account, String>) {
        let authors = self
            .attempts
            .iter()
            .flat_map(|attempt| &attempt.run.authors);
        let authors: BTreeSet<Account> = authors.cloned().collect();
        let answers = stream::iter(authors).map(|author| async move {
            let answer = self.nodes.newest_posts(&author, NEWEST).await;
            (author, answer)
        });
        let answers: Vec<_> = answers.buffer_unordered(AUTHORS_AT_A_TIME).collect().await;
        let (mut posts, mut errors) = (HashMap::new(), HashMap::new());
        for (author, answer) in answers {
            match answer {
                Ok(newest) => {
                    posts.insert(author, newest.into_iter().map(Post::from).collect());
                }
                Err(error) if is_unknown_account(&error) => {
                    tracing::warn!("there is no account @{author}: no schedule votes on its posts");
                    posts.insert(author, Vec::new());
                }
                Err(error) => {
                    tracing::debug!(%author, %error, "the newest posts could not be looked up");
                    errors.insert(author, error.to_string());
                }
            }
        }
        (posts, errors)
    }

    async fn choose(
        &self,
        posts: &HashMap<Account, Vec<Post>>,
        errors: &HashMap<Account, String>,
    ) -> Result<Found, StoreError> {
        let runs = self.attempts.iter().map(|attempt| &attempt.run);
        let mut choice = Choice::new(runs, &self.rules, posts, self.dry_run);
        loop {
            let questions = choice.questions();
            if questions.is_empty() {
                break;
            }
            let rows = self.store.votes(&questions).await?;
            choice.answer(&rows, &self.planned);
        }
        // Read after the votes and not before: another daemon that ran the same times wrote both at once, so its votes
        // are never mistaken for votes of an earlier time.
        let stored = self.store.schedule_runs().await?;
        let stored: HashMap<_, _> = stored
            .into_iter()
            .map(|run| (run.rule.clone(), run))
            .collect();
        let cursor = self.store.cursor().await?;

        let mut found = Found::default();
        let mut others = HashSet::new();
        for attempt in &self.attempts {
            let run = &attempt.run;
            let by_another = !attempt.stored
                && (stored.get(&run.rule)).is_some_and(|stored| {
                    stored.schedule == run.schedule && stored.last_run_at >= run.due
                });
            if by_another {
                tracing::debug!(rule = %run.rule, "another daemon has run this time");
                others.insert(&run.rule);
                continue;
            }
            let mut left = run.authors.clone();
            left.retain(|author| errors.contains_key(author));
            let why = left.first().and_then(|author| errors.get(author));
            // The run is stored with its first votes: after a crash an author may be left out, but no vote is cast twice.
            let some_found = left.is_empty() || left.len() < run.authors.len();
            if some_found && !attempt.stored {
                found.batch.schedule_runs.push(run.done());
            }
            if let Some(why) = why {
                let mut rest = attempt.clone();
                rest.stored |= some_found;
                rest.run.authors = left;
                found.failed.push((rest, why.clone()));
            }
        }
        let plans = choice.plans(cursor.as_ref()).into_iter();
        let ours = plans.filter(|plan| !others.contains(&plan.ask.rule));
        found.batch.changes.extend(ours.map(Change::Plan));
        tracing::debug!(
            runs = self.attempts.len(),
            votes = found.batch.changes.len(),
            failed = found.failed.len(),
            "looked up what schedules vote on"
        );
        Ok(found)
    }
}

fn is_unknown_account(error: &NodesError) -> bool {
    let mut faults = error.faults.iter();
    !error.faults.is_empty() && faults.all(|error| error.fault.is_post_not_found())
}
