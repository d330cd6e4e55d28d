//! The tokens of all voters in memory.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;

use crate::account::Account;
use crate::store::TokenRow;

/// The tokens of all voters, shared by the caster and the keeper. Cheap to clone.
#[derive(Clone)]
pub struct TokenBook {
    entries: Arc<RwLock<Entries>>,
    /// Number of changes, for tasks that wait for a token.
    changes: Arc<watch::Sender<u64>>,
}

type Entries = HashMap<Account, Entry>;

struct Entry {
    row: TokenRow,
    /// The mark of the row in the table, which changes with the row.
    mark: u64,
    /// Whether the signer refuses the access token and no new one is available.
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
    /// The access token of `voter`, unless it is missing or refused. It may be past its expiry:
    /// HiveSigner still accepts it, and a refusal by SteemConnect leads to a refresh.
    pub fn access_token(&self, voter: &Account) -> Option<SecretString> {
        let entries = self.read();
        let entry = entries.get(voter)?;
        let usable = !entry.refused && !entry.row.access_token.expose_secret().is_empty();
        usable.then(|| entry.row.access_token.clone())
    }

    /// Marks the access token of `voter` as refused by the signer, until the row of `voter` changes.
    pub fn refuse(&self, voter: &Account) {
        if let Some(entry) = self.write().get_mut(voter) {
            entry.refused = true;
        }
    }

    /// The row of `voter`.
    pub fn row(&self, voter: &Account) -> Option<TokenRow> {
        self.read().get(voter).map(|entry| entry.row.clone())
    }

    /// The voters whose row in the table differs from the one in the book, by the `marks` of the
    /// table. Removes voters without a row.
    pub fn outdated(&self, marks: &[(Account, u64)]) -> Vec<Account> {
        let voters: HashSet<&Account> = marks.iter().map(|(voter, _)| voter).collect();
        let mut entries = self.write();
        entries.retain(|voter, _| voters.contains(voter));
        marks
            .iter()
            .filter(|(voter, mark)| entries.get(voter).is_none_or(|entry| entry.mark != *mark))
            .map(|(voter, _)| voter.clone())
            .collect()
    }

    /// Sets rows as read from the table, with their `marks`.
    pub fn update(&self, rows: Vec<TokenRow>, marks: &[(Account, u64)]) {
        if rows.is_empty() {
            return;
        }
        let marks: HashMap<&Account, u64> =
            marks.iter().map(|(voter, mark)| (voter, *mark)).collect();
        let mut entries = self.write();
        for row in rows {
            let mark = marks.get(&row.voter).copied().unwrap_or_default();
            entries.insert(row.voter.clone(), Entry::new(row, mark));
        }
        drop(entries);
        self.count_change();
    }

    /// Sets a row that was just refreshed. The table may not have it yet.
    pub fn replace(&self, row: TokenRow) {
        let mut entries = self.write();
        let mark = entries.get(&row.voter).map_or(0, |entry| entry.mark);
        entries.insert(row.voter.clone(), Entry::new(row, mark));
        drop(entries);
        self.count_change();
    }

    /// A receiver that changes with every change of the book.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn count_change(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    fn read(&self) -> RwLockReadGuard<'_, Entries> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Entries> {
        self.entries.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn new(row: TokenRow, mark: u64) -> Self {
        Self {
            row,
            mark,
            refused: false,
        }
    }
}
