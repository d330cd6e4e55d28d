//! Questions about votes that are not due: whether the post suits the asks for a new vote, and whether a vote that
//! was cast has reached the chain.

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
/// Largest number of questions that are kept to be asked again.
const MOST_UNANSWERED: usize = 100_000;
/// How often a vote that the signer accepts but no block shows is cast again.
const MOST_RECASTS: u32 = 3;

/// A question about one vote, which a look at its post answers.
#[derive(Debug)]
pub struct Question {
    pub kind: Kind,
    pub vote: Box<Vote>,
}

/// What a question asks.
#[derive(Debug, PartialEq, Eq)]
pub enum Kind {
    /// Whether the post suits the asks for the vote.
    Suits,
    /// Whether the vote that the signer accepted is on the chain.
    Landed,
}

/// The questions that are open.
#[derive(Debug, Default)]
pub struct Scout {
    /// Questions for which a node is being asked, by post.
    asked: HashMap<PostId, Vec<Question>>,
    /// Questions that no node could answer, and when to ask again, in that order.
    unanswered: Vec<(DateTime<Utc>, Question)>,
}

impl Scout {
    /// Adds a question; returns the post to look at.
    pub fn ask(&mut self, question: Question) -> PostId {
        let post = question.vote.key.post.clone();
        self.asked.entry(post.clone()).or_default().push(question);
        post
    }

    /// Takes out the questions about `post`, which was looked at or could not be.
    pub fn take(&mut self, post: &PostId) -> Vec<Question> {
        self.asked.remove(post).unwrap_or_default()
    }

    /// Keeps a question that no node could answer, to ask it again, while the vote is not due.
    pub fn keep(&mut self, question: Question, now: DateTime<Utc>) {
        // Whether a vote has landed is asked again by the table.
        let is_open = question.kind == Kind::Suits && question.vote.next_attempt_at > now;
        if is_open && self.unanswered.len() < MOST_UNANSWERED {
            self.unanswered.push((now + ASK_AGAIN, question));
        }
    }

    /// When to ask the next question again.
    pub fn next_wake(&self) -> Option<DateTime<Utc>> {
        self.unanswered.first().map(|(at, _)| *at)
    }

    /// Takes out the questions to ask again by `now`.
    pub fn due(&mut self, now: DateTime<Utc>) -> Vec<Question> {
        let due = self.unanswered.partition_point(|(at, _)| *at <= now);
        self.unanswered
            .drain(..due)
            .map(|(_, question)| question)
            .collect()
    }
}

/// What the post means for a vote that is not held; `None` if nothing changes.
///
/// # Errors
/// The question, if it must be asked again: a node that is a little behind may know the post a moment later.
pub fn answer(
    question: Question,
    post: Post<'_>,
    rules: &RuleSet,
    now: DateTime<Utc>,
) -> Result<Option<Report>, Question> {
    let vote = &question.vote;
    if question.kind == Kind::Landed {
        return Ok(Some(Report::of(vote, landed(vote, post, now), now)));
    }
    if matches!(post, Post::Missing) && now - vote.ask().at < POST_MAY_BE_NEW {
        return Err(question);
    }
    let dropped = unsuited(vote, post, rules);
    let had_it = vote.ask().cause();
    let drops_out = dropped.iter().any(|ask| ask.cause == had_it);
    Ok(drops_out.then(|| Report::of(vote, Outcome::Unsuited(dropped), now)))
}

/// What the post shows about a vote that the signer accepted.
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
