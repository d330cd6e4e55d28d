//! The calls to the nodes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::account::Account;
use crate::chain::answers::{self, Head};
use crate::chain::block::Block;
use crate::chain::content::Content;
use crate::chain::health::Turn;
use crate::chain::hedged::HedgedRequest;
use crate::chain::mana::AccountState;
use crate::chain::node_error::NodeFault;
use crate::chain::nodes::{Inner, Nodes, NodesError};
use crate::chain::parse::number_in_id;
use crate::chain::rpc::{Answer, BATCH, Call};
use crate::network::ChainKind;
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
        let inner = self.inner();
        let max_lag =
            chrono::Duration::from_std(inner.limits.max_lag).unwrap_or(chrono::Duration::MAX);
        let is_fresh = move |inner: &Inner, head: &Head| inner.clock.now() - head.time <= max_lag;
        let mut request = HedgedRequest::new(
            self,
            inner.turns(true),
            inner.limits.hedge_after,
            |nodes: Self, turn| async move {
                let inner = nodes.inner();
                let head = inner.head_of(turn).await?;
                if is_fresh(inner, &head) {
                    inner.answered(turn, true);
                }
                Ok(head)
            },
        );
        let (mut faults, mut behind) = (Vec::new(), Vec::new());
        let mut found = None;
        while let Some((turn, answer)) = request.next().await {
            match answer {
                Ok(head) if is_fresh(inner, &head) => {
                    found = Some(head);
                    break;
                }
                Ok(head) => behind.push((turn, head)),
                Err(error) => faults.push(error),
            }
        }
        let newest = found.or_else(|| {
            let heads = behind.iter().map(|(_, head)| head);
            heads.max_by_key(|head| (head.time, head.num)).cloned()
        });
        let Some(newest) = newest else {
            return Err(inner.all_failed(faults));
        };
        for (turn, head) in behind {
            let by = newest.time - head.time;
            if by > max_lag {
                inner.failed(turn, NodeFault::Behind(by.to_std().unwrap_or_default()));
            } else {
                // All nodes lag: the chain stands still or our clock is wrong, which is no fault of a node.
                inner.answered(turn, true);
            }
        }
        Ok(newest)
    }

    /// The block with number `num`; `None` if the node does not have it yet.
    ///
    /// # Errors
    /// If no node answers.
    pub async fn block(&self, num: u32) -> Result<Option<Block>, NodesError> {
        self.ask(self.hedge_after(), move |nodes, turn| async move {
            let answer = nodes.inner().call(turn, &get_block(num)).await?;
            read_block(num, &answer, nodes.inner().clock.now())
        })
        .await
    }

    /// Up to `count` blocks from number `from` on, without gaps. There may be fewer or none if the
    /// chain or the answer ends early. A node without block `from` is passed over for one that has it.
    ///
    /// # Errors
    /// If no node answers.
    pub async fn blocks(&self, from: u32, count: u32) -> Result<Vec<Block>, NodesError> {
        let hedge_after = self.hedge_after() * RANGE_HEDGE_FACTOR;
        let blocks_of =
            |nodes: Self, turn| async move { nodes.inner().blocks_of(turn, from, count).await };
        match self.ask(hedge_after, blocks_of).await {
            // A node that does not have the block has answered too.
            Err(error)
                if error
                    .faults
                    .iter()
                    .any(|error| error.fault == NodeFault::BlockNotFound) =>
            {
                Ok(Vec::new())
            }
            answer => answer,
        }
    }

    /// The current state of each post, in the order of `posts`; `None` for one that does not exist.
    ///
    /// # Errors
    /// If no node answers.
    pub async fn contents(&self, posts: &[PostId]) -> Result<Vec<Option<Content>>, NodesError> {
        let batches: Vec<Arc<[PostId]>> = posts.chunks(BATCH).map(Into::into).collect();
        let read = |posts: Arc<[PostId]>| {
            self.ask(self.hedge_after(), move |nodes, turn| {
                let posts = posts.clone();
                async move { nodes.inner().contents_of(turn, &posts).await }
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
            let call = Arc::new(Call {
                method: "condenser_api.get_accounts",
                params: json!([names]),
            });
            let read = |nodes: Self, turn| {
                let call = call.clone();
                async move {
                    let answer = nodes.inner().call(turn, &call).await?;
                    answers::accounts(answer.get()).map_err(|error| unreadable(&call, &error))
                }
            };
            states.extend(self.ask(self.hedge_after(), read).await?);
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
        let read = |nodes: Self, turn| {
            let author = author.clone();
            async move { nodes.inner().posts_of(turn, &author, limit).await }
        };
        let mut posts = self.ask(self.hedge_after(), read).await?;
        posts.truncate(limit);
        // Lists of posts lack the weights of votes.
        let contents = self.contents(&posts).await?;
        Ok(contents.into_iter().flatten().collect())
    }
}

impl Nodes {
    fn hedge_after(&self) -> Duration {
        self.inner().limits.hedge_after
    }
}

impl Inner {
    async fn call(&self, turn: Turn, call: &Call) -> Result<Answer, NodeFault> {
        self.node(turn).node.call(call, self.timeout(turn)).await
    }

    async fn head_of(&self, turn: Turn) -> Result<Head, NodeFault> {
        let call = Call {
            method: "condenser_api.get_dynamic_global_properties",
            params: json!([]),
        };
        let answer = self.call(turn, &call).await?;
        answers::head(answer.get(), self.clock.now()).map_err(|error| unreadable(&call, &error))
    }

    async fn blocks_of(&self, turn: Turn, from: u32, count: u32) -> Result<Vec<Block>, NodeFault> {
        let in_use = self.node(turn);
        let timeout = self.timeout(turn) * RANGE_TIMEOUT_FACTOR;
        if self.kind == ChainKind::Hive && !in_use.lacks_block_range.load(Ordering::Relaxed) {
            let call = Call {
                method: "block_api.get_block_range",
                params: json!({"starting_block_num": from, "count": count}),
            };
            match in_use.node.call(&call, timeout).await {
                Ok(answer) => return read_range(from, &call, &answer, self.clock.now()),
                Err(fault) => self.remember_lack(turn, &in_use.lacks_block_range, fault)?,
            }
        }
        let count = count.min(BATCH as u32);
        let calls: Vec<_> = (from..from.saturating_add(count)).map(get_block).collect();
        let answers = in_use.node.batch(&calls, timeout).await?;
        let now = self.clock.now();
        consecutive(
            (from..)
                .zip(answers)
                .map(|(num, answer)| read_block(num, &answer?, now)),
        )
    }

    async fn contents_of(
        &self,
        turn: Turn,
        posts: &[PostId],
    ) -> Result<Vec<Option<Content>>, NodeFault> {
        let call = |post: &PostId| Call {
            method: "condenser_api.get_content",
            params: json!([post.author, *post.permlink]),
        };
        let calls: Vec<_> = posts.iter().map(call).collect();
        let answers = self
            .node(turn)
            .node
            .batch(&calls, self.timeout(turn))
            .await?;
        let mut contents = Vec::with_capacity(posts.len());
        for ((post, call), answer) in posts.iter().zip(&calls).zip(answers) {
            let answer = match answer {
                Err(fault) if fault.is_post_not_found() => {
                    contents.push(None);
                    continue;
                }
                answer => answer?,
            };
            let content = answers::content(answer.get(), self.clock.now())
                .map_err(|error| unreadable(call, &error))?;
            if content
                .as_ref()
                .is_some_and(|content| content.post != *post)
            {
                return Err(NodeFault::Unreadable {
                    method: call.method,
                    why: format!("it is not about the requested post {post}"),
                });
            }
            contents.push(content);
        }
        Ok(contents)
    }

    async fn posts_of(
        &self,
        turn: Turn,
        author: &Account,
        limit: usize,
    ) -> Result<Vec<PostId>, NodeFault> {
        let in_use = self.node(turn);
        let read = |call: &Call, answer: &Answer| {
            answers::posts_of(answer.get(), author).map_err(|error| unreadable(call, &error))
        };
        if self.kind == ChainKind::Hive && !in_use.lacks_bridge.load(Ordering::Relaxed) {
            let call = Call {
                method: "bridge.get_account_posts",
                params: json!({"sort": "posts", "account": author, "limit": limit.min(MAX_BLOG_POSTS)}),
            };
            match self.call(turn, &call).await {
                Ok(answer) => return read(&call, &answer),
                Err(fault) => self.remember_lack(turn, &in_use.lacks_bridge, fault)?,
            }
        }
        // A blog includes reblogs, so more entries than wanted are requested.
        let call = Call {
            method: "condenser_api.get_discussions_by_blog",
            params: json!([{"tag": author, "limit": (3 * limit).min(MAX_BLOG_POSTS), "truncate_body": 1}]),
        };
        let answer = self.call(turn, &call).await?;
        read(&call, &answer)
    }

    /// Remembers that a node lacks a method. Returns any other fault.
    fn remember_lack(
        &self,
        turn: Turn,
        lacks: &AtomicBool,
        fault: NodeFault,
    ) -> Result<(), NodeFault> {
        let NodeFault::MethodNotFound(method) = fault else {
            return Err(fault);
        };
        let name = self.node(turn).node.name();
        tracing::info!(
            node = name,
            "the node {name} lacks `{method}`: using an older method"
        );
        lacks.store(true, Ordering::Relaxed);
        Ok(())
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
