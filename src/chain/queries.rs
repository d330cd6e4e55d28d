//! The calls to the nodes.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::account::Account;
use crate::chain::answers::{self, Head};
use crate::chain::block::Block;
use crate::chain::content::Content;
use crate::chain::mana::AccountState;
use crate::chain::node_error::NodeFault;
use crate::chain::nodes::{AskedNode, Nodes, NodesError};
use crate::chain::parse::number_in_id;
use crate::chain::rpc::{Answer, BATCH, Call};
use crate::post::PostId;

/// Accounts in one call. Nodes accept about 1,000, but each takes 3 to 10 kB of the answer.
const ACCOUNTS_PER_CALL: usize = 200;

/// Batches of posts in flight at a time for one caller.
const CONCURRENT_BATCHES: usize = 4;

/// Factor on the timeout for a range of blocks.
const RANGE_TIMEOUT_FACTOR: u32 = 3;

/// Factor on the hedging delay for a range of blocks, which takes many times as long as other answers.
const RANGE_HEDGE_FACTOR: u32 = 8;

/// Most entries of a blog that nodes return in one call.
const MAX_BLOG_POSTS: usize = 100;

impl Nodes {
    /// The head of the first node whose head is not behind the clock by more than `max_lag`; if all
    /// are, the newest of their heads.
    ///
    /// # Errors
    /// If no node answers.
    pub async fn head(&self) -> Result<Head, NodesError> {
        let limits = self.limits();
        let max_lag = TimeDelta::from_std(limits.max_lag).unwrap_or(TimeDelta::MAX);
        let clock = self.clock();
        let is_fresh = move |head: &Head| clock.now() - head.time <= max_lag;
        let head_of = |asked: AskedNode| async move {
            let call = Call {
                method: "condenser_api.get_dynamic_global_properties",
                params: json!([]),
            };
            asked
                .call(&call, |json| answers::head(json, asked.now()))
                .await
        };
        let mut replies = self
            .ask_until(is_fresh, true, limits.hedge_after, head_of)
            .await;
        let found = replies.answers.pop_if(|(_, head)| is_fresh(head));
        let behind = replies.answers;
        let newest = found.map(|(_, head)| head).or_else(|| {
            let heads = behind.iter().map(|(_, head)| head);
            heads.max_by_key(|head| (head.time, head.num)).cloned()
        });
        let Some(newest) = newest else {
            return Err(self.all_failed(replies.faults));
        };
        for (turn, head) in behind {
            let by = newest.time - head.time;
            if by > max_lag {
                self.failed(turn, NodeFault::Behind(by.to_std().unwrap_or_default()));
            } else {
                // All nodes lag: the chain stands still or our clock is wrong, which is no fault of a node.
                self.answered(turn, true);
            }
        }
        Ok(newest)
    }

    /// The block with number `num`; `None` if the node does not have it yet.
    ///
    /// # Errors
    /// If no node answers.
    pub async fn block(&self, num: u32) -> Result<Option<Block>, NodesError> {
        self.ask(self.limits().hedge_after, move |asked| async move {
            let answer = asked.node().call(&get_block(num), asked.timeout()).await?;
            read_block(num, &answer, asked.now())
        })
        .await
    }

    /// Up to `count` blocks from number `from` on, without gaps. There may be fewer or none if the
    /// chain or the answer ends early. A node without block `from` is passed over for one that has it.
    ///
    /// # Errors
    /// If no node answers.
    pub async fn blocks(&self, from: u32, count: u32) -> Result<Vec<Block>, NodesError> {
        let hedge_after = self.limits().hedge_after * RANGE_HEDGE_FACTOR;
        let blocks_of = |asked: AskedNode| async move { asked.blocks(from, count).await };
        let answer = self.ask(hedge_after, blocks_of).await;
        answer.or_else(|error| {
            // A node that does not have the block has answered too.
            let mut faults = error.faults.iter().map(|error| &error.fault);
            match faults.any(|fault| *fault == NodeFault::BlockNotFound) {
                true => Ok(Vec::new()),
                false => Err(error),
            }
        })
    }

    /// The current state of each post, in the order of `posts`; `None` for one that does not exist.
    ///
    /// # Errors
    /// If no node answers.
    pub async fn contents(&self, posts: &[PostId]) -> Result<Vec<Option<Content>>, NodesError> {
        let batches: Vec<Arc<[PostId]>> = posts.chunks(BATCH).map(Into::into).collect();
        let read = |posts: Arc<[PostId]>| {
            self.ask(self.limits().hedge_after, move |asked| {
                let posts = posts.clone();
                async move { asked.contents(&posts).await }
            })
        };
        let batches: Vec<_> = stream::iter(batches)
            .map(read)
            .buffered(CONCURRENT_BATCHES)
            .try_collect()
            .await?;
        Ok(batches.into_iter().flatten().collect())
    }

    /// The accounts with their mana, without those that do not exist.
    ///
    /// # Errors
    /// If no node answers.
    pub async fn accounts(&self, names: &[Account]) -> Result<Vec<AccountState>, NodesError> {
        let mut states = Vec::with_capacity(names.len());
        for names in names.chunks(ACCOUNTS_PER_CALL) {
            let call = Call {
                method: "condenser_api.get_accounts",
                params: json!([names]),
            };
            let read = |asked: AskedNode| {
                let call = call.clone();
                async move { asked.call(&call, answers::accounts).await }
            };
            states.extend(self.ask(self.limits().hedge_after, read).await?);
        }
        Ok(states)
    }

    /// The newest posts of an author, newest first, without reblogs: up to `limit`, and up to 100.
    ///
    /// # Errors
    /// If no node answers.
    pub async fn newest_posts(
        &self,
        author: &Account,
        limit: usize,
    ) -> Result<Vec<Content>, NodesError> {
        let read = |asked: AskedNode| {
            let author = author.clone();
            async move { asked.newest_posts(&author, limit).await }
        };
        let mut posts = self.ask(self.limits().hedge_after, read).await?;
        posts.truncate(limit);
        // Lists of posts lack the weights of votes.
        let contents = self.contents(&posts).await?;
        Ok(contents.into_iter().flatten().collect())
    }
}

impl AskedNode {
    /// Makes one call and reads its answer.
    async fn call<T>(
        &self,
        call: &Call,
        read: impl FnOnce(&str) -> Result<T, serde_json::Error>,
    ) -> Result<T, NodeFault> {
        let answer = self.node().call(call, self.timeout()).await?;
        read(answer.get()).map_err(|error| unreadable(call, &error))
    }

    /// Makes a call that nodes of Hive know. `None` if this node is none or lacks the method, so that an
    /// older one has to do.
    async fn call_on_hive(
        &self,
        call: &Call,
        timeout: Duration,
    ) -> Result<Option<Answer>, NodeFault> {
        let node = self.node();
        if !self.is_of_hive() || node.lacks(call.method) {
            return Ok(None);
        }
        match node.call(call, timeout).await {
            Err(NodeFault::MethodNotFound(method)) => {
                let name = node.name();
                tracing::info!(
                    node = name,
                    "the node {name} lacks `{method}`: using an older method"
                );
                node.remember_lack(method);
                Ok(None)
            }
            answer => answer.map(Some),
        }
    }

    async fn blocks(&self, from: u32, count: u32) -> Result<Vec<Block>, NodeFault> {
        let timeout = self.timeout() * RANGE_TIMEOUT_FACTOR;
        let range = Call {
            method: "block_api.get_block_range",
            params: json!({"starting_block_num": from, "count": count}),
        };
        if let Some(answer) = self.call_on_hive(&range, timeout).await? {
            return read_range(from, &range, &answer, self.now());
        }
        let count = count.min(BATCH as u32);
        let calls: Vec<_> = (from..from.saturating_add(count)).map(get_block).collect();
        let answers = self.node().batch(&calls, timeout).await?;
        let now = self.now();
        consecutive(
            (from..)
                .zip(answers)
                .map(|(num, answer)| read_block(num, &answer?, now)),
        )
    }

    async fn contents(&self, posts: &[PostId]) -> Result<Vec<Option<Content>>, NodeFault> {
        let call = |post: &PostId| Call {
            method: "condenser_api.get_content",
            params: json!([post.author, *post.permlink]),
        };
        let calls: Vec<_> = posts.iter().map(call).collect();
        let answers = self.node().batch(&calls, self.timeout()).await?;
        let answers = posts.iter().zip(&calls).zip(answers);
        answers
            .map(|((post, call), answer)| match answer {
                Err(fault) if fault.is_post_not_found() => Ok(None),
                answer => read_content(post, call, &answer?, self.now()),
            })
            .collect()
    }

    async fn newest_posts(&self, author: &Account, limit: usize) -> Result<Vec<PostId>, NodeFault> {
        let posts = Call {
            method: "bridge.get_account_posts",
            params: json!({"sort": "posts", "account": author, "limit": limit.min(MAX_BLOG_POSTS)}),
        };
        let read = |json: &str| answers::posts_of(json, author);
        if let Some(answer) = self.call_on_hive(&posts, self.timeout()).await? {
            return read(answer.get()).map_err(|error| unreadable(&posts, &error));
        }
        // A blog includes reblogs, so more entries than wanted are requested.
        let blog = Call {
            method: "condenser_api.get_discussions_by_blog",
            params: json!([{"tag": author, "limit": (3 * limit).min(MAX_BLOG_POSTS), "truncate_body": 1}]),
        };
        self.call(&blog, read).await
    }
}

fn read_content(
    post: &PostId,
    call: &Call,
    answer: &RawValue,
    now: DateTime<Utc>,
) -> Result<Option<Content>, NodeFault> {
    match answers::content(answer.get(), now).map_err(|error| unreadable(call, &error))? {
        Some(content) if content.post != *post => Err(NodeFault::Unreadable {
            method: call.method,
            why: format!("it is not about the requested post {post}"),
        }),
        content => Ok(content),
    }
}

fn get_block(num: u32) -> Call {
    Call {
        method: "condenser_api.get_block",
        params: json!([num]),
    }
}

fn read_block(num: u32, answer: &RawValue, now: DateTime<Utc>) -> Result<Option<Block>, NodeFault> {
    if matches!(answer.get(), "null" | "{}") {
        return Ok(None);
    }
    let unreadable = |why| NodeFault::Unreadable {
        method: "condenser_api.get_block",
        why,
    };
    let block =
        Block::from_json(answer.get(), now).map_err(|error| unreadable(error.to_string()))?;
    // Forks are told by these two ids.
    let previous = number_in_id(&block.previous);
    if number_in_id(&block.id) != Some(num) || previous != num.checked_sub(1) {
        return Err(unreadable(format!(
            "it is not block {num}, but `{}`",
            block.id
        )));
    }
    Ok(Some(block))
}

fn read_range(
    from: u32,
    call: &Call,
    answer: &RawValue,
    now: DateTime<Utc>,
) -> Result<Vec<Block>, NodeFault> {
    #[derive(Deserialize)]
    struct Range<'a> {
        #[serde(borrow)]
        blocks: Vec<&'a RawValue>,
    }
    let range: Range<'_> =
        serde_json::from_str(answer.get()).map_err(|error| unreadable(call, &error))?;
    consecutive(
        (from..)
            .zip(range.blocks)
            .map(|(num, raw)| read_block(num, raw, now)),
    )
}

/// The blocks before the first that is missing or unreadable. That is a fault only if there are none.
fn consecutive(
    answers: impl Iterator<Item = Result<Option<Block>, NodeFault>>,
) -> Result<Vec<Block>, NodeFault> {
    let mut blocks = Vec::new();
    for answer in answers {
        match answer {
            Ok(Some(block)) => blocks.push(block),
            Err(fault) if blocks.is_empty() => return Err(fault),
            Ok(None) | Err(_) => break,
        }
    }
    if blocks.is_empty() {
        return Err(NodeFault::BlockNotFound);
    }
    Ok(blocks)
}

fn unreadable(call: &Call, error: &serde_json::Error) -> NodeFault {
    NodeFault::Unreadable {
        method: call.method,
        why: error.to_string(),
    }
}
