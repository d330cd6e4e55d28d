//! The tokens of all voters, in memory: what the table holds, and whether it can be used.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;

use crate::account::Account;
use crate::store::TokenRow;

/// Every voter's tokens, shared by those who cast and those who refresh. Cheap to clone.
#[derive(Clone)]
pub struct TokenBook {
    entries: Arc<RwLock<HashMap<Account, Entry>>>,
    /// Counts changes, for those who wait for a token.
    changes: Arc<watch::Sender<u64>>,
}

#[derive(Clone)]
struct Entry {
    row: TokenRow,
    /// Tells whether the row in the table is still this one.
    mark: u64,
    /// The signer refuses the access token, and no new one is to be had: it is not tried any more.
    refused: bool,
}

impl Default for TokenBook {
    fn default() -> Self {
        Self {
            entries: Arc::default(),
            changes: Arc::new(watch::Sender::new(0)),
        }
    }
}

impl TokenBook {
    /// The access token of `voter`, where it has one that may work. One past its expiry may: HiveSigner goes
    /// on taking it, SteemConnect's refusal makes us refresh it.
    pub fn access_token(&self, voter: &Account) -> Option<SecretString> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get(voter)?;
        let usable = !entry.refused && !entry.row.access_token.expose_secret().is_empty();
        usable.then(|| entry.row.access_token.clone())
    }

    /// Strikes out an access token that the signer refuses, until the voter's row changes.
    pub fn refuse(&self, voter: &Account) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.get_mut(voter) {
            entry.refused = true;
        }
    }

    /// The row of `voter`.
    pub fn row(&self, voter: &Account) -> Option<TokenRow> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.get(voter).map(|entry| entry.row.clone())
    }

    /// All rows, in no order.
    pub fn rows(&self) -> Vec<TokenRow> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.values().map(|entry| entry.row.clone()).collect()
    }

    /// The voters whose row in the table is not the one in the book, given the marks in the table; those
    /// without a row any more are struck out.
    pub fn outdated(&self, marks: &[(Account, u64)]) -> Vec<Account> {
        let known: HashMap<&Account, u64> =
            marks.iter().map(|(voter, mark)| (voter, *mark)).collect();
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|voter, _| known.contains_key(voter));
        marks
            .iter()
            .filter(|(voter, mark)| entries.get(voter).is_none_or(|entry| entry.mark != *mark))
            .map(|(voter, _)| voter.clone())
            .collect()
    }

    /// Takes in rows as the table has them, with the marks they were found by.
    pub fn update(&self, rows: Vec<TokenRow>, marks: &[(Account, u64)]) {
        if rows.is_empty() {
            return;
        }
        let known: HashMap<&Account, u64> =
            marks.iter().map(|(voter, mark)| (voter, *mark)).collect();
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        for row in rows {
            let mark = known.get(&row.voter).copied().unwrap_or_default();
            entries.insert(
                row.voter.clone(),
                Entry {
                    row,
                    mark,
                    refused: false,
                },
            );
        }
        drop(entries);
        self.changes.send_modify(|count| *count += 1);
    }

    /// Takes in a row that was just refreshed; the table may not have it yet.
    pub fn replace(&self, row: TokenRow) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        let mark = entries.get(&row.voter).map_or(0, |entry| entry.mark);
        entries.insert(
            row.voter.clone(),
            Entry {
                row,
                mark,
                refused: false,
            },
        );
        drop(entries);
        self.changes.send_modify(|count| *count += 1);
    }

    /// Tells of every change.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}
