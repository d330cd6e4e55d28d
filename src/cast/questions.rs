//! What is found out about votes that the caster does not hold: whether the post of a new one is what it seems,
//! and whether one that was cast has reached the chain.

use chrono::{DateTime, Utc};

use crate::cast::caster::{Action, Caster, World};
use crate::cast::known::Need;
use crate::cast::verdict::{choose_trail_by, edit_of, is_edit, too_old};
use crate::chain::content::Content;
use crate::post::PostId;
use crate::queue::change::{Outcome, Report};
use crate::queue::transition::VOTED_BY_HAND;
use crate::queue::vote::{Origin, Vote};
use crate::rules::facts::Facts;
use crate::rules::set::RuleSet;

/// A vote that the signer takes and no block shows is cast anew so often.
const MOST_RECASTS: u32 = 3;

/// What is asked about a vote.
#[derive(Debug)]
pub(super) enum Question {
    /// Is the post a post, and does it belong to the rule that the vote was planned by?
    IsRight(Vote),
    /// Is the vote that the signer took on the chain?
    IsThere(Vote),
}

impl Caster {
    /// Finds out about votes that were just planned, long before they are due.
    pub fn check(&mut self, votes: Vec<Vote>) {
        for vote in votes {
            self.ask(Question::IsRight(vote));
        }
    }

    /// Finds out about votes that the signer took and no block has shown.
    pub fn confirm(&mut self, votes: Vec<Vote>) {
        for vote in votes {
            self.ask(Question::IsThere(vote));
        }
    }

    fn ask(&mut self, question: Question) {
        let (Question::IsRight(vote) | Question::IsThere(vote)) = &question;
        let post = vote.key.post.clone();
        self.questions
            .entry(post.clone())
            .or_default()
            .push(question);
        self.known.ask(Need::Post(post), None);
    }

    /// A node said what the post is like.
    pub(super) fn answer_questions(
        &mut self,
        post: &PostId,
        content: Option<&Content>,
        world: &World<'_>,
    ) {
        for question in self.questions.remove(post).unwrap_or_default() {
            let report = match question {
                Question::IsRight(vote) => content
                    .and_then(|content| is_right(vote, Some(content), world.rules, world.now)),
                Question::IsThere(vote) => Some(is_there(vote, content, world)),
            };
            self.actions.extend(report.map(Action::Report));
        }
    }
}

/// What the post makes of a vote that was planned without knowing it; `None` where that changes nothing. Without
/// `content` nothing is known of the post, and nobody will know more later.
pub fn is_right(
    vote: Vote,
    content: Option<&Content>,
    rules: &RuleSet,
    now: DateTime<Utc>,
) -> Option<Report> {
    match vote.origin {
        Origin::Author => {
            let edited = content.filter(|content| is_edit(content, vote.event_at))?;
            Some(report(vote, Outcome::Withdrawn(edit_of(edited)), now))
        }
        Origin::Trail => {
            let facts = content.map_or_else(Facts::unknown, Facts::of_content);
            let (rule, weight) = match choose_trail_by(&vote, rules, &facts, now) {
                Ok(chosen) => chosen,
                // Its file may be about to be mended; when it is due the rule is looked up again.
                Err(_) if rules.is_unreadable(&vote.rule) => return None,
                Err(why) => return Some(report(vote, Outcome::Skipped(why), now)),
            };
            let due_at = match rule.id == vote.rule {
                true => vote.due_at,
                false => rule.due_from(vote.event_at + rule.delay),
            };
            if let Some(why) = content.and_then(|content| too_old(rule, content, due_at)) {
                let why = format!("{why}, when the vote is due");
                return Some(report(vote, Outcome::Skipped(why), now));
            }
            if rule.id == vote.rule {
                return None;
            }
            let later = Outcome::Later {
                next_attempt_at: due_at,
                due_at: Some(due_at),
                reason: None,
                hold: false,
            };
            Some(Report {
                rule: Some(rule.id.clone()),
                weight,
                ..report(vote, later, now)
            })
        }
        Origin::Schedule | Origin::Hand => None,
    }
}

/// What the post tells of a vote that the signer took.
fn is_there(vote: Vote, content: Option<&Content>, world: &World<'_>) -> Report {
    let outcome = match content.map(|content| content.vote_of(&vote.key.voter)) {
        None => Outcome::Failed("the post does not exist any more".to_owned()),
        Some(Some(weight)) if weight == vote.weight => Outcome::Confirmed,
        Some(Some(_)) => Outcome::Skipped(VOTED_BY_HAND.to_owned()),
        Some(None) if vote.recasts >= MOST_RECASTS => {
            let times = MOST_RECASTS + 1;
            Outcome::Failed(format!(
                "the signer took it {times} times, but it never reached a block"
            ))
        }
        Some(None) => Outcome::Recast { at: world.now },
    };
    report(vote, outcome, world.now)
}

fn report(vote: Vote, outcome: Outcome, now: DateTime<Utc>) -> Report {
    Report {
        key: vote.key,
        rule: None,
        weight: vote.weight,
        attempts: vote.attempts,
        at: now,
        outcome,
    }
}
