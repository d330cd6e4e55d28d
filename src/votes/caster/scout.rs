//! Questions about votes other than at their moment: whether the post suits those that ask for a new vote, and
//! whether a vote that was cast has reached the chain.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::post::PostId;
use crate::rules::set::RuleSet;
use crate::votes::change::{Outcome, Report};
use crate::votes::reason::Reason;
use crate::votes::verdict::{POST_MAY_BE_NEW, Post, unsuited};
use crate::votes::vote::Vote;

/// Delay before a question that no node could answer is asked again.
const ASK_AGAIN: TimeDelta = TimeDelta::seconds(3);
/// Most questions that are kept to be asked again.
const MOST_UNANSWERED: usize = 100_000;
/// How often a vote that the signer accepts and no block shows is cast again.
const MOST_RECASTS: u32 = 3;

/// A question about one vote.
#[derive(Debug)]
pub enum Question {
    /// Does the post suit those that ask for the vote?
    Suits(Box<Vote>),
    /// Is the vote that the signer accepted on the chain?
    Landed(Box<Vote>),
}

/// The questions that are open.
#[derive(Debug, Default)]
pub struct Scout {
    /// Those for which a node is being asked, by post.
    asked: HashMap<PostId, Vec<Question>>,
    /// Those that nobody could answer, and when to ask again, in that order.
    unanswered: Vec<(DateTime<Utc>, Question)>,
}

impl Question {
    /// The post that answers it.
    pub fn post(&self) -> &PostId {
        &self.vote().key.post
    }

    /// The vote that it is about.
    pub fn vote(&self) -> &Vote {
        match self {
            Self::Suits(vote) | Self::Landed(vote) => vote,
        }
    }
}

impl Scout {
    /// A question for which its post is asked for; returns the post.
    pub fn ask(&mut self, question: Question) -> PostId {
        let post = question.post().clone();
        self.asked.entry(post.clone()).or_default().push(question);
        post
    }

    /// The questions about `post`, which somebody has seen or nobody could tell of.
    pub fn take(&mut self, post: &PostId) -> Vec<Question> {
        self.asked.remove(post).unwrap_or_default()
    }

    /// Nobody could answer: keeps the question until it is asked again, as long as the vote is not due.
    pub fn keep(&mut self, question: Question, now: DateTime<Utc>) {
        let is_open = match &question {
            Question::Suits(vote) => vote.next_attempt_at > now,
            // The table asks again by itself.
            Question::Landed(_) => false,
        };
        if is_open && self.unanswered.len() < MOST_UNANSWERED {
            self.unanswered.push((now + ASK_AGAIN, question));
        }
    }

    /// When the next question is to be asked again.
    pub fn next_wake(&self) -> Option<DateTime<Utc>> {
        self.unanswered.first().map(|(at, _)| *at)
    }

    /// The questions that are to be asked again by `now`.
    pub fn due(&mut self, now: DateTime<Utc>) -> Vec<Question> {
        let due = self.unanswered.partition_point(|(at, _)| *at <= now);
        self.unanswered
            .drain(..due)
            .map(|(_, question)| question)
            .collect()
    }
}

/// What the post says to a vote that nobody holds; `None` where nothing changes.
///
/// # Errors
/// The question, if it is to be asked again: a node that is a little behind may know the post a moment later.
pub fn answer(
    question: Question,
    post: Post<'_>,
    rules: &RuleSet,
    now: DateTime<Utc>,
) -> Result<Option<Report>, Question> {
    let (vote, outcome) = match question {
        Question::Landed(vote) => {
            let outcome = landed(&vote, post, now);
            (vote, outcome)
        }
        Question::Suits(vote) => {
            if matches!(post, Post::Missing) && now - vote.ask().at < POST_MAY_BE_NEW {
                return Err(Question::Suits(vote));
            }
            let dropped = unsuited(&vote, post, rules);
            if dropped.iter().all(|ask| ask.cause != vote.ask().cause()) {
                return Ok(None);
            }
            (vote, Outcome::Unsuited(dropped))
        }
    };
    Ok(Some(Report::of(&vote, outcome, now)))
}

/// What the post says of a vote that the signer accepted.
fn landed(vote: &Vote, post: Post<'_>, now: DateTime<Utc>) -> Outcome {
    let Post::Here(content, _) = post else {
        return Outcome::Failed(Reason::PostDeleted);
    };
    match content.votes.of(&vote.key.voter) {
        Some(weight) if weight == vote.ask().weight => Outcome::Confirmed,
        Some(_) => Outcome::Skipped(Reason::VotedByHand),
        None if vote.recasts >= MOST_RECASTS => Outcome::Failed(Reason::NeverInBlock {
            times: MOST_RECASTS + 1,
        }),
        None => Outcome::Recast { at: now },
    }
}
