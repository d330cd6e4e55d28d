//! The votes that this daemon holds: claimed as they come due, renewed, and released when another daemon took them.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};

use super::{Done, HORIZON, LEASE, MOST_HELD, Run, Working};
use crate::post::VoteKey;
use crate::store::StoreError;
use crate::votes::handover::Handover;
use crate::votes::status::Origin;
use crate::votes::vote::Vote;

impl Run {
    pub(super) fn renew(&self) -> Working {
        let (store, owner) = (self.writer.store.clone(), self.writer.owner.clone());
        let until = self.writer.clock.now() + LEASE;
        // While something is still to be written, the table and what this daemon holds differ.
        let expected = self
            .waiting
            .is_empty()
            .then_some(self.known.held().len() as u64);
        Box::pin(async move {
            let renewed = match store.renew(&owner, until).await {
                Ok(count) if expected.is_some_and(|expected| expected != count) => {
                    store.held(&owner).await.map(Some)
                }
                Ok(_) => Ok(None),
                Err(error) => Err(error),
            };
            Done::Renewed(renewed)
        })
    }

    pub(super) async fn renewed(&mut self, result: Result<Option<Vec<Vote>>, StoreError>) {
        match result {
            Ok(ours) => {
                self.back();
                if let Some(ours) = ours.filter(|_| self.waiting.is_empty()) {
                    self.reconcile(ours).await;
                }
            }
            Err(error) => self.away(&error),
        }
    }

    /// Holds exactly the votes that are ours in the table. They differ if another daemon, the one that reads the chain,
    /// took votes whose cause is gone or has changed, or if the answer to a claim was lost.
    async fn reconcile(&mut self, ours: Vec<Vote>) {
        let still: HashSet<&VoteKey> = ours.iter().map(|row| &row.key).collect();
        let lost: Vec<VoteKey> = self
            .known
            .held()
            .keys()
            .filter(|key| !still.contains(key))
            .cloned()
            .collect();
        let mut rows = Vec::new();
        for key in lost {
            rows.extend(self.known.lose(&key).map(Vote::free));
        }
        self.tell(Handover {
            amend: rows,
            ..Handover::default()
        })
        .await;
        self.hold(ours, self.writer.clock.now()).await;
    }

    /// Claims votes that are due soon, and votes that were cast but not seen in a block in time.
    pub(super) fn claim(&self) -> Working {
        let (store, owner) = (self.writer.store.clone(), self.writer.owner.clone());
        let now = self.writer.clock.now();
        let room = MOST_HELD.saturating_sub(self.known.held().len()) as u32;
        Box::pin(async move {
            let claimed = async {
                let due = store
                    .claim(&owner, now, now + HORIZON, now + LEASE, room)
                    .await?;
                let unconfirmed = store
                    .claim_unconfirmed(now, now + TimeDelta::minutes(1), 1_000)
                    .await?;
                Ok((due, unconfirmed))
            };
            Done::Claimed(now, claimed.await)
        })
    }

    pub(super) async fn claimed(
        &mut self,
        at: DateTime<Utc>,
        result: Result<(Vec<Vote>, Vec<Vote>), StoreError>,
    ) {
        match result {
            Ok((due, unconfirmed)) => {
                self.hold(due, at).await;
                self.tell(Handover {
                    confirm: unconfirmed,
                    ..Handover::default()
                })
                .await;
            }
            Err(error) => self.away(&error),
        }
    }

    /// Hands over rows that are ours since `at`, unless they are held already.
    async fn hold(&mut self, rows: Vec<Vote>, at: DateTime<Utc>) {
        let mut handover = Handover::default();
        for row in rows {
            let tried = row.attempted(at);
            let row = row.held(&self.writer.owner, at + LEASE);
            match self.known.held().get(&row.key) {
                None => handover.hold.push((row.clone(), tried)),
                // A person asked for it again, which only the table shows.
                Some(held) if is_new_by_hand(&row, held) => handover.amend.push(row.clone()),
                Some(_) => continue,
            }
            self.known.hold(row);
        }
        self.tell(handover).await;
    }
}

/// Whether a person asks for `row`, in another way than for the row that is `held`.
fn is_new_by_hand(row: &Vote, held: &Vote) -> bool {
    let asked = |vote: &Vote| (vote.ask().origin, vote.ask().weight, vote.ask().due_at);
    row.ask().origin == Origin::Hand && row.attempts == 0 && asked(row) != asked(held)
}
