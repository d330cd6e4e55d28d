//! Queries of `explain` to the nodes and the database, for all voters at once.

use std::collections::{HashMap, HashSet};
use std::fmt::Display;

use anyhow::anyhow;
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;

use crate::account::Account;
use crate::chain::content::Content;
use crate::chain::mana::AccountState;
use crate::chain::nodes::{Nodes, NodesError};
use crate::config::Database;
use crate::explain::known::{Known, Tables, Told};
use crate::explain::schedule::{self, Choices};
use crate::explain::voters;
use crate::post::{PostId, VoteKey};
use crate::rules::rule::{Rule, RuleId};
use crate::rules::set::RuleSet;
use crate::store::{Store, StoreError};
use crate::votes::limits::LIMITS_LOOK_BACK;
use crate::votes::schedules::choice::NEWEST;

/// The post to explain, and for whom.
pub struct Question<'a> {
    pub rules: &'a RuleSet,
    /// `None` for all voters.
    pub voter: Option<&'a Account>,
    pub post: &'a PostId,
    pub now: DateTime<Utc>,
}

impl Question<'_> {
    /// Queries the nodes and the database; errors are part of the result.
    ///
    /// # Errors
    /// When the database refuses us, or there is none at this address.
    pub async fn look_up(&self, nodes: &Nodes, database: &Database) -> Result<Known, StoreError> {
        let voters = voters(self.rules, self.voter);
        let from_database = async {
            let store = Store::open_existing(&database.url, database.timezone);
            let (store, newest) = tokio::join!(store, self.newest(nodes));
            let store = match store {
                Err(error @ StoreError::Refused(_)) => return Err(error),
                other => told(other),
            };
            let tables = told(self.tables(&store, &voters).await);
            let choices = told(self.choices(&store, newest).await);
            if let Ok(store) = &store {
                store.close().await;
            }
            Ok((tables, choices))
        };
        let (content, mana, from_database) = tokio::join!(
            nodes.contents(std::slice::from_ref(self.post)),
            self.mana(nodes, &voters),
            from_database,
        );
        let (tables, choices) = from_database?;
        Ok(Known {
            now: self.now,
            post: self.post.clone(),
            content: told(content).map(|contents| contents.into_iter().next().flatten()),
            tables,
            mana: told(mana),
            choices,
        })
    }

    /// The author's newest posts, if a schedule needs them.
    async fn newest(&self, nodes: &Nodes) -> Result<Vec<Content>, NodesError> {
        let author = &self.post.author;
        if !schedule::any(self.rules, self.voter, author) {
            return Ok(Vec::new());
        }
        nodes.newest_posts(author, NEWEST).await
    }

    /// The posts that schedules choose at their next times.
    async fn choices(
        &self,
        store: &Told<Store>,
        newest: Result<Vec<Content>, NodesError>,
    ) -> anyhow::Result<Choices> {
        let (newest, store) = (newest?, opened(store)?);
        let rows = async |keys: &[VoteKey]| store.votes(keys).await;
        let author = &self.post.author;
        let chosen = schedule::choose(self.rules, self.voter, author, self.now, newest, rows);
        Ok(chosen.await?)
    }

    /// The mana of the voters that have rules with `min_mana`.
    async fn mana(
        &self,
        nodes: &Nodes,
        voters: &[Account],
    ) -> Result<HashMap<Account, AccountState>, NodesError> {
        let weighed = self.pairs(voters, |rule| rule.min_mana.is_some());
        let names: HashSet<Account> = weighed.into_iter().map(|(voter, _)| voter).collect();
        if names.is_empty() {
            return Ok(HashMap::new());
        }
        let names: Vec<Account> = names.into_iter().collect();
        let states = nodes.accounts(&names).await?.into_iter();
        Ok(states.map(|state| (state.account.clone(), state)).collect())
    }

    /// The data in the database about the post and the voters.
    async fn tables(&self, store: &Told<Store>, voters: &[Account]) -> anyhow::Result<Tables> {
        let store = opened(store)?;
        let keys = voters.iter().map(|voter| VoteKey {
            voter: voter.clone(),
            post: self.post.clone(),
        });
        let keys: Vec<VoteKey> = keys.collect();
        let votes = store.votes(&keys).await?.into_iter();
        let limited = self.pairs(voters, |rule| !rule.limit.is_empty());
        let since = self.now - LIMITS_LOOK_BACK;
        let past = store.past_votes(&limited, since, false).await?;
        let mut leader_votes = store.leader_votes().await?;
        leader_votes.retain(|vote| vote.post == *self.post);
        let tokens = store.tokens(voters).await?.into_iter();
        let usable = tokens.filter(|row| !row.access_token.expose_secret().is_empty());
        Ok(Tables {
            votes: votes.map(|row| (row.key.voter.clone(), row)).collect(),
            leader_votes,
            past,
            with_token: usable.map(|row| row.voter).collect(),
            read_until: store.cursor().await?.map(|cursor| cursor.block_time),
        })
    }

    /// The rules for the author that match `ask`, with each of their voters.
    fn pairs(&self, voters: &[Account], ask: impl Fn(&Rule) -> bool) -> Vec<(Account, RuleId)> {
        let voters: HashSet<&Account> = voters.iter().collect();
        let rules = self.rules.rules().iter();
        rules
            .filter(|rule| rule.covers_author(&self.post.author) && ask(rule))
            .flat_map(|rule| rule.voters.iter().map(move |voter| (voter, &rule.id)))
            .filter(|(voter, _)| voters.contains(voter))
            .map(|(voter, rule)| (voter.clone(), rule.clone()))
            .collect()
    }
}

fn told<T>(answer: Result<T, impl Display>) -> Told<T> {
    answer.map_err(|error| error.to_string())
}

fn opened(store: &Told<Store>) -> anyhow::Result<&Store> {
    store.as_ref().map_err(|why| anyhow!("{why}"))
}
