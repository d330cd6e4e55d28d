//! What is found out about votes other than at their moment: whether the post of a new one is what it seems, and
//! whether one that was cast has reached the chain.

use chrono::{DateTime, TimeDelta, Utc};

use crate::chain::content::Content;
use crate::post::{PostId, VoteKey};
use crate::rules::facts::Facts;
use crate::rules::set::RuleSet;
use crate::votes::caster::held::Stage;
use crate::votes::caster::known::Need;
use crate::votes::caster::{Action, Caster, LOOK_AHEAD, World};
use crate::votes::change::{Misfit, Outcome, Plan, Report};
use crate::votes::fold::VOTED_BY_HAND;
use crate::votes::verdict::{POST_MAY_BE_NEW, choose_trail, edit_of, is_edit, too_old};
use crate::votes::vote::{Origin, Status, Vote};

/// What no node could tell is asked again after this.
const ASK_AGAIN: TimeDelta = TimeDelta::seconds(3);
/// More questions than this are not asked again.
const MOST_UNANSWERED: usize = 100_000;
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
    /// Takes in votes that were just planned, and finds out whether their posts are what they seem. Those that are
    /// ours are held.
    pub fn plan(&mut self, votes: Vec<Vote>, owner: &str, now: DateTime<Utc>) {
        for vote in votes {
            let held = self.held.get(&vote.key);
            let chosen = held.is_some_and(|held| held.chosen && held.vote.cause() == vote.cause());
            let ours = vote.claimed_by.as_deref() == Some(owner);
            // So close to its moment a vote that is held is looked at anyhow.
            let soon = ours && vote.next_attempt_at - now <= LOOK_AHEAD;
            if !chosen && !soon {
                self.ask(Question::IsRight(vote.clone()));
            }
            if self.held.contains_key(&vote.key) {
                self.amend(vote, owner);
            } else if ours {
                self.hold_new(vote, now);
            }
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

    /// Nobody could tell: asks again after a while, as long as the vote may still be given to another.
    pub(super) fn ask_again(&mut self, question: Question, now: DateTime<Utc>) {
        let Question::IsRight(vote) = &question else {
            return;
        };
        let held = self.held.get(&vote.key);
        let over = held.is_some_and(|held| held.chosen) || vote.next_attempt_at <= now;
        if !over && self.unanswered.len() < MOST_UNANSWERED {
            self.unanswered.push((now + ASK_AGAIN, question));
        }
    }

    /// Asks what nobody could tell before.
    pub(super) fn ask_unanswered(&mut self, now: DateTime<Utc>) {
        if self.unanswered.first().is_none_or(|(at, _)| *at > now) {
            return;
        }
        let later = self.unanswered.partition_point(|(at, _)| *at <= now);
        let later = self.unanswered.split_off(later);
        for (_, question) in std::mem::replace(&mut self.unanswered, later) {
            self.ask(question);
        }
    }

    /// A node said what the post is like.
    pub(super) fn answer_questions(
        &mut self,
        post: &PostId,
        content: Option<&Content>,
        world: &World<'_>,
    ) {
        let facts = content.map_or_else(Facts::unknown, Facts::of_content);
        for question in self.questions.remove(post).unwrap_or_default() {
            let report = match (question, content) {
                (Question::IsThere(vote), content) => Some(is_there(vote, content, world)),
                // A node that is a little behind may have it a moment later.
                (Question::IsRight(vote), None) => {
                    if world.now - vote.event_at < POST_MAY_BE_NEW {
                        self.ask_again(Question::IsRight(vote), world.now);
                    }
                    None
                }
                (Question::IsRight(vote), Some(content)) if self.held.contains_key(&vote.key) => {
                    self.first_look(&vote.key, content, &facts, world);
                    None
                }
                (Question::IsRight(vote), content) => {
                    let misfit = is_right(&vote, content, &facts, world.rules, world.now);
                    misfit.map(|misfit| report(vote, Outcome::Unfit(Box::new(misfit)), world.now))
                }
            };
            self.actions.extend(report.map(Action::Report));
        }
    }

    /// The first look at the post of a vote that is held, before it is due.
    fn first_look(
        &mut self,
        key: &VoteKey,
        content: &Content,
        facts: &Facts<'_>,
        world: &World<'_>,
    ) {
        let Some(held) = self.held.get_mut(key) else {
            return;
        };
        if held.stage == Stage::Waiting && held.awaits_first_look() {
            held.chosen = true;
            let misfit = is_right(&held.vote, Some(content), facts, world.rules, world.now);
            if let Some(misfit) = misfit {
                self.is_unfit(key, misfit, world);
            }
        }
    }

    /// A vote that is held turned out not to be its rule's.
    pub(super) fn is_unfit(&mut self, key: &VoteKey, misfit: Misfit, world: &World<'_>) {
        let Some(held) = self.held.get_mut(key) else {
            return;
        };
        held.chosen = true;
        match misfit.instead {
            // Nobody else asked for it: no need to wait for the table.
            Some(plan) if held.vote.rivals.is_empty() => self.rechoose(key, plan, world),
            _ => {
                held.stage = Stage::Deciding;
                let report = report(
                    held.vote.clone(),
                    Outcome::Unfit(Box::new(misfit)),
                    world.now,
                );
                self.actions.push(Action::Report(report));
            }
        }
    }
}

/// What the post makes of a vote that was planned without knowing it; `None` where that changes nothing. Without
/// `content` nothing is known of the post, and nobody will know more later. `facts` are those of `content`.
pub fn is_right(
    vote: &Vote,
    content: Option<&Content>,
    facts: &Facts<'_>,
    rules: &RuleSet,
    now: DateTime<Utc>,
) -> Option<Misfit> {
    let over = |status, why| Misfit {
        cause: vote.cause(),
        status,
        why,
        instead: None,
    };
    match vote.origin {
        Origin::Author => {
            let edited = content.filter(|content| is_edit(content, vote.event_at))?;
            Some(over(Status::Withdrawn, edit_of(edited)))
        }
        Origin::Trail => {
            let (rule, weight) = match choose_trail(vote, rules, facts, now) {
                Ok(chosen) => chosen,
                // Its file may be about to be mended; when it is due the rule is looked up again.
                Err(_) if rules.is_unreadable(&vote.rule) => return None,
                Err((status, why)) => return Some(over(status, why)),
            };
            let due_at = match rule.id == vote.rule {
                true => vote.due_at,
                false => rule.due_from(vote.event_at + rule.delay),
            };
            if let Some(why) = content.and_then(|content| too_old(rule, content, due_at)) {
                let why = format!("{why}, when the vote is due");
                return Some(over(Status::Skipped, why));
            }
            (rule.id != vote.rule).then(|| Misfit {
                instead: Some(Plan {
                    key: vote.key.clone(),
                    weight,
                    rule: rule.id.clone(),
                    origin: Origin::Trail,
                    due_at,
                    event_block: vote.event_block,
                    event_at: vote.event_at,
                    leader: vote.leader.clone().zip(vote.leader_weight),
                    may_be_edit: false,
                    had_vote: false,
                }),
                ..over(Status::Skipped, String::new())
            })
        }
        Origin::Schedule | Origin::Hand => None,
    }
}

/// What the post tells of a vote that the signer took.
fn is_there(vote: Vote, content: Option<&Content>, world: &World<'_>) -> Report {
    let outcome = match content.map(|content| content.votes.of(&vote.key.voter)) {
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

pub fn report(vote: Vote, outcome: Outcome, now: DateTime<Utc>) -> Report {
    Report {
        origin: vote.origin,
        event_block: vote.event_block,
        key: vote.key,
        rule: None,
        weight: vote.weight,
        attempts: vote.attempts,
        at: now,
        outcome,
    }
}
