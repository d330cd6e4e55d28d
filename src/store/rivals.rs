//! The column `rivals`: what else asks for a vote that is queued, as JSON.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::account::Account;
use crate::post::VoteKey;
use crate::rules::rule::RuleId;
use crate::votes::change::Plan;
use crate::weight::Weight;

#[derive(Serialize, Deserialize)]
struct Rival {
    rule: String,
    origin: String,
    weight: i64,
    /// Milliseconds since 1970, like the other moment.
    due_at: i64,
    event_block: u32,
    event_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    leader: Option<(String, i64)>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    had_vote: bool,
}

/// The text for the column; nobody else asks for most votes, and then there is none.
pub(super) fn write(rivals: &[Plan]) -> Option<String> {
    let rivals: Vec<Rival> = rivals.iter().map(Rival::from).collect();
    (!rivals.is_empty()).then(|| super::rows::json(&rivals))
}

/// The rivals of the vote `key`; `None` for a text that is not ours.
pub(super) fn read(text: Option<&str>, key: &VoteKey) -> Option<Vec<Plan>> {
    let Some(text) = text else {
        return Some(Vec::new());
    };
    let rivals: Vec<Rival> = serde_json::from_str(text).ok()?;
    rivals
        .into_iter()
        .map(|rival| rival.into_plan(key))
        .collect()
}

impl From<&Plan> for Rival {
    fn from(plan: &Plan) -> Self {
        let leader = plan.leader.as_ref();
        Self {
            rule: plan.rule.as_str().to_owned(),
            origin: plan.origin.as_str().to_owned(),
            weight: plan.weight.hundredths().into(),
            due_at: plan.due_at.timestamp_millis(),
            event_block: plan.event_block,
            event_at: plan.event_at.timestamp_millis(),
            leader: leader
                .map(|(name, weight)| (name.as_str().to_owned(), weight.hundredths().into())),
            had_vote: plan.had_vote,
        }
    }
}

impl Rival {
    fn into_plan(self, key: &VoteKey) -> Option<Plan> {
        let moment = |millis| DateTime::<Utc>::from_timestamp_millis(millis);
        let leader = match self.leader {
            Some((name, weight)) => {
                Some((Account::from_chain(&name), Weight::from_hundredths(weight)?))
            }
            None => None,
        };
        Some(Plan {
            key: key.clone(),
            weight: Weight::from_hundredths(self.weight)?,
            rule: RuleId::from_stored(&self.rule),
            origin: self.origin.parse().ok()?,
            due_at: moment(self.due_at)?,
            event_block: self.event_block,
            event_at: moment(self.event_at)?,
            leader,
            // It asked for the vote when it was queued already, and counted.
            may_be_edit: false,
            had_vote: self.had_vote,
        })
    }
}
