//! Simulated people in a sandbox: authors publish, leaders and others vote, comment and edit. The
//! same seed gives the same actions at any pace.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::people::NewPost;
use super::running::Sandbox;
use crate::post::PostId;

/// The people in a sandbox and the pace of their actions.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Publish posts.
    pub authors: Vec<String>,
    /// Vote; trails follow them.
    pub leaders: Vec<String>,
    /// Publish, vote, comment and edit, without rules about them.
    pub others: Vec<String>,
    /// Vote through the daemon, and sometimes by hand.
    pub voters: Vec<String>,
    /// Average time between two actions. The actual time varies by ±50 % and is at least 1 ms.
    pub pace: Duration,
    /// The seed of the random numbers.
    pub seed: u64,
}

impl Default for Scenario {
    /// The accounts in the example rules.
    fn default() -> Self {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Self {
            authors: names(&["bob", "carol", "photo.daily"]),
            leaders: names(&["curie"]),
            others: names(&["dave", "erin", "frank", "mallory"]),
            voters: names(&["alice", "alice.art"]),
            pace: Duration::from_secs(5),
            seed: 1,
        }
    }
}

/// Number of newest posts that are voted on, commented on or edited.
const MAX_POSTS: usize = 30;

const SUBJECTS: [&str; 8] = [
    "morning-light",
    "a-walk-by-the-sea",
    "my-garden",
    "how-i-bake-bread",
    "old-bridges",
    "birds-of-the-harbour",
    "notes-on-soil",
    "a-quiet-street",
];

impl Scenario {
    /// Runs until dropped. Starts with posts and a leader's vote, which come with the first blocks.
    pub async fn run(self, sandbox: Arc<Sandbox>) {
        let mut actors = Actors::new(&self);
        for name in self.leaders.iter().chain(&self.others).chain(&self.authors) {
            sandbox.add_account(name);
        }
        actors.begin(&sandbox);
        loop {
            let wait = self.pace.mul_f64(0.5 + actors.random.f64());
            tokio::time::sleep(wait.max(Duration::from_millis(1))).await;
            actors.act(&sandbox);
        }
    }
}

/// The people and what they have published.
struct Actors<'a> {
    people: &'a Scenario,
    random: fastrand::Rng,
    /// Newest last.
    posts: VecDeque<PostId>,
    published: usize,
}

impl<'a> Actors<'a> {
    fn new(people: &'a Scenario) -> Self {
        Self {
            people,
            random: fastrand::Rng::with_seed(people.seed),
            posts: VecDeque::new(),
            published: 0,
        }
    }

    /// Performs one action of each main kind, so that something happens immediately.
    fn begin(&mut self, sandbox: &Sandbox) {
        let people = self.people;
        let first = people.authors.first().into_iter();
        for author in first.chain(people.others.first()) {
            self.publish(sandbox, author);
        }
        if let (Some(leader), Some(post)) = (people.leaders.first(), self.posts.back()) {
            vote(sandbox, leader, post, 6000);
        }
    }

    /// Performs one random action.
    fn act(&mut self, sandbox: &Sandbox) {
        let people = self.people;
        match self.random.u32(0..100) {
            0..35 => self.publish_by_one_of(sandbox, &people.authors),
            35..50 => self.publish_by_one_of(sandbox, &people.others),
            50..75 => {
                let weight = 100 * self.random.i16(20..=100);
                self.vote_by_one_of(sandbox, &people.leaders, weight);
            }
            75..78 => self.vote_by_one_of(sandbox, &people.leaders, -5000),
            78..81 => self.vote_by_one_of(sandbox, &people.voters, 2500),
            81..90 => self.vote_by_one_of(sandbox, &people.others, 10_000),
            90..95 => self.comment(sandbox),
            _ => {
                if let Some(post) = self.some_post() {
                    sandbox.edit(&post, "Words and pictures, one typing error less.");
                }
            }
        }
    }

    fn publish_by_one_of(&mut self, sandbox: &Sandbox, names: &[String]) {
        if let Some(author) = self.random.choice(names) {
            self.publish(sandbox, author);
        }
    }

    fn publish(&mut self, sandbox: &Sandbox, author: &str) {
        self.published += 1;
        let subject = SUBJECTS[self.random.usize(..SUBJECTS.len())];
        let mut post = NewPost::new(author, &format!("{subject}-{}", self.published));
        post.title = subject.replace('-', " ");
        self.posts.push_back(sandbox.publish_post(&post));
        if self.posts.len() > MAX_POSTS {
            self.posts.pop_front();
        }
    }

    fn vote_by_one_of(&mut self, sandbox: &Sandbox, names: &[String], weight: i16) {
        let voter = self.random.choice(names).cloned();
        if let (Some(voter), Some(post)) = (voter, self.some_post())
            && post.author.as_str() != voter
        {
            vote(sandbox, &voter, &post, weight);
        }
    }

    fn comment(&mut self, sandbox: &Sandbox) {
        let author = self.random.choice(&self.people.others).cloned();
        if let (Some(author), Some(post)) = (author, self.some_post()) {
            self.published += 1;
            // Fails if a fork has removed the post.
            let _ = sandbox.comment(&post, &author, &format!("re-{}", self.published));
        }
    }

    fn some_post(&mut self) -> Option<PostId> {
        self.random.choice(self.posts.iter()).cloned()
    }
}

/// Votes. The chain may refuse an identical vote, or on Steem one within 3 s of the last.
fn vote(sandbox: &Sandbox, voter: &str, post: &PostId, weight: i16) {
    let _ = sandbox.vote(voter, post, weight);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::ChainKind;
    use crate::sandbox::SandboxConfig;
    use crate::sandbox::chain::operation::Operation;

    /// The operations of the first 200 actions, with a block after every ten.
    async fn operations(seed: u64) -> Vec<Operation> {
        let sandbox = Sandbox::start(SandboxConfig::manual(ChainKind::Hive))
            .await
            .unwrap();
        let people = Scenario {
            seed,
            ..Scenario::default()
        };
        let mut actors = Actors::new(&people);
        actors.begin(&sandbox);
        for step in 0..200 {
            if step % 10 == 0 {
                sandbox.produce_block();
            }
            actors.act(&sandbox);
        }
        sandbox.produce_block();
        let operations = sandbox.with_chain(|chain| {
            let blocks = chain.blocks().iter();
            blocks
                .flat_map(|block| block.operations())
                .map(|(_, operation)| operation.clone())
                .collect()
        });
        sandbox.shutdown().await;
        operations
    }

    #[tokio::test]
    async fn the_same_seed_gives_the_same_actions() {
        assert_eq!(operations(7).await, operations(7).await);
        assert_ne!(operations(7).await, operations(8).await);
    }

    #[tokio::test]
    async fn people_post_edit_comment_upvote_downvote_and_vote_by_hand() {
        let operations = operations(1).await;
        let votes = |wanted: &dyn Fn(&str, i16) -> bool| {
            operations.iter().any(|operation| {
                matches!(operation, Operation::Vote(vote) if wanted(vote.voter.as_str(), vote.weight))
            })
        };
        assert!(votes(&|voter, weight| voter == "curie" && weight > 0));
        assert!(votes(&|voter, weight| voter == "curie" && weight < 0));
        assert!(votes(&|voter, _| voter.starts_with("alice")));
        let mut posts = std::collections::HashSet::new();
        let comments = operations.iter().filter_map(|operation| match operation {
            Operation::Comment(comment) => Some(comment),
            _ => None,
        });
        let (replies, own): (Vec<_>, Vec<_>) =
            comments.partition(|comment| comment.parent.is_some());
        let edits = own
            .iter()
            .filter(|comment| !posts.insert(&comment.post))
            .count();
        assert!(!replies.is_empty() && edits > 0 && posts.len() > edits);
    }
}
