//! A little life for the sandbox: authors publish, leaders and others vote, somebody comments or
//! edits. The same seed gives the same life, only its pace differs.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::people::NewPost;
use super::running::Sandbox;
use crate::post::PostId;

/// Who lives in the sandbox, and how fast.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// They publish.
    pub authors: Vec<String>,
    /// Their votes are worth following.
    pub leaders: Vec<String>,
    /// They publish what only leaders vote on, and vote themselves.
    pub others: Vec<String>,
    /// They vote through the daemon, and now and then by hand.
    pub voters: Vec<String>,
    /// Something happens this often on average, at least every millisecond.
    pub pace: Duration,
    pub seed: u64,
}

impl Default for Scenario {
    /// The people of the example rules.
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

/// Posts older than this many are left alone.
const REMEMBERED: usize = 30;

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
    /// Lives until dropped. The first post and the first leader's vote come with the first blocks.
    pub async fn live(self, sandbox: Arc<Sandbox>) {
        let mut life = Life::new(&self);
        for name in self.leaders.iter().chain(&self.others).chain(&self.authors) {
            sandbox.add_account(name);
        }
        life.open(&sandbox);
        loop {
            let wait = self.pace.mul_f64(0.5 + life.random.f64());
            tokio::time::sleep(wait.max(Duration::from_millis(1))).await;
            life.go_on(&sandbox);
        }
    }
}

/// The story so far.
struct Life<'a> {
    people: &'a Scenario,
    random: fastrand::Rng,
    /// Newest last.
    posts: VecDeque<PostId>,
    published: usize,
}

impl<'a> Life<'a> {
    fn new(people: &'a Scenario) -> Self {
        Self {
            people,
            random: fastrand::Rng::with_seed(people.seed),
            posts: VecDeque::new(),
            published: 0,
        }
    }

    /// One of each, so that nobody has to wait to see something.
    fn open(&mut self, sandbox: &Sandbox) {
        let people = self.people;
        for author in people
            .authors
            .iter()
            .take(1)
            .chain(people.others.iter().take(1))
        {
            self.publish(sandbox, author);
        }
        if let (Some(leader), Some(post)) = (people.leaders.first(), self.posts.back()) {
            vote(sandbox, leader, post, 6000);
        }
    }

    fn go_on(&mut self, sandbox: &Sandbox) {
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
        if self.posts.len() > REMEMBERED {
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
            // The post may have gone with a fork: then there is nothing to comment on.
            let _ = sandbox.comment(&post, &author, &format!("re-{}", self.published));
        }
    }

    fn some_post(&mut self) -> Option<PostId> {
        self.random.choice(self.posts.iter()).cloned()
    }
}

/// The chain may refuse, as it does with people: the same vote again, or too soon.
fn vote(sandbox: &Sandbox, voter: &str, post: &PostId, weight: i16) {
    let _ = sandbox.vote(voter, post, weight);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::ChainKind;
    use crate::sandbox::SandboxConfig;
    use crate::sandbox::chain::operation::Operation;

    /// What happens in the first 200 steps, a block after every ten.
    async fn story(seed: u64) -> Vec<Operation> {
        let sandbox = Sandbox::start(SandboxConfig::manual(ChainKind::Hive))
            .await
            .unwrap();
        let people = Scenario {
            seed,
            ..Scenario::default()
        };
        let mut life = Life::new(&people);
        life.open(&sandbox);
        for step in 0..200 {
            if step % 10 == 0 {
                sandbox.produce_block();
            }
            life.go_on(&sandbox);
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
    async fn the_same_seed_gives_the_same_life() {
        assert_eq!(story(7).await, story(7).await);
        assert_ne!(story(7).await, story(8).await);
    }

    #[tokio::test]
    async fn there_are_posts_edits_comments_and_votes_up_and_down_and_by_hand() {
        let story = story(1).await;
        let votes = |wanted: &dyn Fn(&str, i16) -> bool| {
            story.iter().any(|operation| {
                matches!(operation, Operation::Vote(vote) if wanted(vote.voter.as_str(), vote.weight))
            })
        };
        assert!(votes(&|voter, weight| voter == "curie" && weight > 0));
        assert!(votes(&|voter, weight| voter == "curie" && weight < 0));
        assert!(votes(&|voter, _| voter.starts_with("alice")));
        let mut posts = std::collections::HashSet::new();
        let comments = story.iter().filter_map(|operation| match operation {
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
