//! The column `asks`: what asks for a queued vote beside the rule that has it, as JSON.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::value::{Field, Value, json};
use crate::account::Account;
use crate::moment;
use crate::rules::rule::RuleId;
use crate::votes::asks::Ask;
use crate::weight::Weight;

#[derive(Serialize, Deserialize)]
struct StoredAsk {
    rule: String,
    origin: String,
    weight: i64,
    /// Milliseconds since 1970, like the other moment.
    due_at: i64,
    event_block: u32,
    event_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    leader: Option<(String, i64)>,
}

/// The text for the column; `None` for most votes, which nothing else asks for.
pub(super) fn write(asks: &[Ask]) -> Option<String> {
    let asks: Vec<StoredAsk> = asks.iter().map(StoredAsk::from).collect();
    (!asks.is_empty()).then(|| json(&asks))
}

impl Field for Vec<Ask> {
    type Sql = Option<String>;

    fn read(stored: Self::Sql) -> Option<Self> {
        let Some(text) = stored else {
            return Some(Vec::new());
        };
        let asks: Vec<StoredAsk> = serde_json::from_str(&text).ok()?;
        asks.into_iter().map(StoredAsk::into_ask).collect()
    }

    fn write(&self) -> Value<'_> {
        write(self).into()
    }
}

impl From<&Ask> for StoredAsk {
    fn from(ask: &Ask) -> Self {
        let leader = ask.leader.as_ref();
        Self {
            rule: ask.rule.as_str().to_owned(),
            origin: ask.origin.as_str().to_owned(),
            weight: ask.weight.hundredths().into(),
            due_at: ask.due_at.timestamp_millis(),
            event_block: ask.block,
            event_at: ask.at.timestamp_millis(),
            leader: leader
                .map(|(name, weight)| (name.as_str().to_owned(), weight.hundredths().into())),
        }
    }
}

impl StoredAsk {
    fn into_ask(self) -> Option<Ask> {
        let moment = |millis| {
            let moment = DateTime::<Utc>::from_timestamp_millis(millis)?;
            moment::stored("asks", moment).ok()
        };
        let leader = match self.leader {
            Some((name, weight)) => {
                Some((Account::from_chain(&name), Weight::from_hundredths(weight)?))
            }
            None => None,
        };
        Some(Ask {
            rule: RuleId::from_stored(&self.rule),
            origin: self.origin.parse().ok()?,
            weight: Weight::from_hundredths(self.weight)?,
            due_at: moment(self.due_at)?,
            block: self.event_block,
            at: moment(self.event_at)?,
            leader,
        })
    }
}
