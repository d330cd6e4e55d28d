//! Queries of `explain` to the nodes and the database, for all voters at once.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;

use crate::account::Account;
use crate::chain::content::Content;
use crate::chain::mana::AccountState;
use crate::chain::nodes::Nodes;
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
    pub async fn look_up(&self, nodes: &Nodes, database: &Database) -> Known {
        let voters = voters(self.rules, self.voter);
        let from_database = async {
            let (store, newest) = tokio::join!(open(database), self.newest(nodes));
            let store = match store {
                Ok(store) => store,
                Err(why) => return (Err(why.clone()), newest.and(Err(why))),
            };
            let tables = self.tables(&store, &voters).await;
            let choices = match newest {
                Ok(newest) => self.choices(&store, newest).await,
                Err(why) => Err(why),
            };
            (tables.map_err(|error| error.to_string()), choices)
        };
        let (content, mana, (tables, choices)) = tokio::join!(
            self.content(nodes),
            self.mana(nodes, &voters),
            from_database,
        );
        Known {
            now: self.now,
            post: self.post.clone(),
            content,
            tables,
            mana,
            choices,
        }
    }

    async fn content(&self, nodes: &Nodes) -> Told<Option<Content>> {
        let found = nodes.contents(std::slice::from_ref(self.post)).await;
        found
            .map(|contents| contents.into_iter().next().flatten())
            .map_err(|error| error.to_string())
    }

    /// The author's newest posts, if a schedule needs them.
    async fn newest(&self, nodes: &Nodes) -> Told<Vec<Content>> {
        let author = &self.post.author;
        if !schedule::any(self.rules, self.voter, author) {
            return Ok(Vec::new());
        }
        let found = nodes.newest_posts(author, NEWEST).await;
        found.map_err(|error| error.to_string())
    }

    /// The posts that schedules choose at their next times.
    async fn choices(&self, store: &Store, newest: Vec<Content>) -> Told<Choices> {
        let rows = async |keys: &[VoteKey]| store.votes(keys).await;
        let author = &self.post.author;
        schedule::choose(self.rules, self.voter, author, self.now, newest, rows)
            .await
            .map_err(|error| error.to_string())
    }

    /// The mana of the voters that have rules with `min_mana`.
    async fn mana(
        &self,
        nodes: &Nodes,
        voters: &[Account],
    ) -> Told<HashMap<Account, AccountState>> {
        let weighed = self.pairs(voters, |rule| rule.min_mana.is_some());
        let names: HashSet<&Account> = weighed.into_iter().map(|(voter, _)| voter).collect();
        if names.is_empty() {
            return Ok(HashMap::new());
        }
        let names: Vec<Account> = names.into_iter().cloned().collect();
        let states = nodes
            .accounts(&names)
            .await
            .map_err(|error| error.to_string())?;
        let named = states
            .into_iter()
            .map(|state| (state.account.clone(), state));
        Ok(named.collect())
    }

    /// The data in the database about the post and the voters.
    async fn tables(&self, store: &Store, voters: &[Account]) -> Result<Tables, StoreError> {
        let key = |voter: &Account| VoteKey {
            voter: voter.clone(),
            post: self.post.clone(),
        };
        let keys: Vec<VoteKey> = voters.iter().map(key).collect();
        let votes = store.votes(&keys).await?;
        let limited = self.pairs(voters, |rule| !rule.limit.is_empty());
        let limited: Vec<(Account, RuleId)> = limited
            .into_iter()
            .map(|(voter, rule)| (voter.clone(), rule.id.clone()))
            .collect();
        let past = store
            .past_votes(&limited, self.now - LIMITS_LOOK_BACK, false)
            .await?;
        let mut leader_votes = store.leader_votes().await?;
        leader_votes.retain(|vote| vote.post == *self.post);
        let tokens = store.tokens(voters).await?;
        let usable = tokens
            .into_iter()
            .filter(|row| !row.access_token.expose_secret().is_empty());
        Ok(Tables {
            votes: votes
                .into_iter()
                .map(|row| (row.key.voter.clone(), row))
                .collect(),
            leader_votes,
            past,
            with_token: usable.map(|row| row.voter).collect(),
            read_until: store.cursor().await?.map(|cursor| cursor.block_time),
        })
    }

    /// The rules for the author that match `ask`, with each of their voters.
    fn pairs<'a>(
        &'a self,
        voters: &[Account],
        ask: impl Fn(&Rule) -> bool,
    ) -> Vec<(&'a Account, &'a Rule)> {
        let voters: HashSet<&Account> = voters.iter().collect();
        let rules = self.rules.rules().iter();
        rules
            .filter(|rule| rule.covers_author(&self.post.author) && ask(rule))
            .flat_map(|rule| rule.voters.iter().map(move |voter| (voter, &**rule)))
            .filter(|(voter, _)| voters.contains(voter))
            .collect()
    }
}

async fn open(database: &Database) -> Told<Store> {
    Store::open(&database.url, database.timezone)
        .await
        .map_err(|error| error.to_string())
}
