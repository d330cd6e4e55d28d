//! Values as both databases hold them, and how our own types become such values.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use sqlx::Arguments;
use sqlx::mysql::MySqlArguments;
use sqlx::sqlite::SqliteArguments;

use super::moment::MomentText;
use crate::account::Account;
use crate::moment;
use crate::rules::rule::RuleId;
use crate::votes::asks::Ask;
use crate::votes::reason::Reason;
use crate::votes::status::{Origin, Status};
use crate::weight::Weight;

/// A value that is bound to a statement, by itself or in the JSON text that carries many rows.
#[derive(Clone)]
pub(super) enum Value<'a> {
    Null,
    Number(i64),
    Text(Cow<'a, str>),
    Moment(DateTime<Utc>),
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Number(number) => serializer.serialize_i64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Moment(moment) => serializer.collect_str(&MomentText(*moment)),
        }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

/// Binds values for MySQL. A moment is sent as `naive_utc`, which sqlx sends as DATETIME like our
/// columns; it would send a `DateTime` as TIMESTAMP, which ends in 2038.
pub(super) fn for_mysql<'a>(
    values: impl IntoIterator<Item = Value<'a>>,
) -> Result<MySqlArguments, sqlx::Error> {
    let mut arguments = MySqlArguments::default();
    for value in values {
        match value {
            Value::Null => Arguments::add(&mut arguments, None::<i64>),
            Value::Number(number) => Arguments::add(&mut arguments, number),
            Value::Text(text) => Arguments::add(&mut arguments, text),
            Value::Moment(moment) => Arguments::add(&mut arguments, moment.naive_utc()),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

/// Binds values for SQLite, where a moment is a text that sorts.
pub(super) fn for_sqlite<'a>(
    values: impl IntoIterator<Item = Value<'a>>,
) -> Result<SqliteArguments, sqlx::Error> {
    let mut arguments = SqliteArguments::default();
    for value in values {
        match value {
            Value::Null => Arguments::add(&mut arguments, None::<i64>),
            Value::Number(number) => Arguments::add(&mut arguments, number),
            Value::Text(text) => Arguments::add(&mut arguments, text),
            Value::Moment(moment) => Arguments::add(&mut arguments, MomentText(moment).to_string()),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(arguments)
}

/// One of our types that a column holds.
pub(super) trait Field: Sized {
    /// What the database holds: `i64`, `String`, `DateTime<Utc>`, or an `Option` of one of them.
    type Sql;

    /// `None` for a value that curatord never writes.
    fn read(stored: Self::Sql) -> Option<Self>;

    fn write(&self) -> Value<'_>;
}

impl<T: Field> Field for Option<T> {
    type Sql = Option<T::Sql>;

    fn read(stored: Self::Sql) -> Option<Self> {
        match stored {
            None => Some(None),
            Some(stored) => T::read(stored).map(Some),
        }
    }

    fn write(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, T::write)
    }
}

macro_rules! fields {
    ($($type:ty, as $sql:ty: $read:expr, $write:expr;)+) => {
        $(impl Field for $type {
            type Sql = $sql;

            fn read(stored: $sql) -> Option<Self> {
                let read: fn($sql) -> Option<Self> = $read;
                read(stored)
            }

            fn write(&self) -> Value<'_> {
                let write: fn(&Self) -> Value<'_> = $write;
                write(self)
            }
        })+
    };
}

fields! {
    DateTime<Utc>, as DateTime<Utc>: possible, |at| Value::Moment(*at);
    String, as String: Some, |text| text.as_str().into();
    Arc<str>, as String: |text| Some(text.into()), |text| text.as_ref().into();
    Account, as String: |name| Some(Account::from_chain(&name)), |name| name.as_str().into();
    RuleId, as String: |rule| Some(RuleId::from_stored(&rule)), |rule| rule.as_str().into();
    Origin, as String: |word| word.parse().ok(), |origin| origin.as_str().into();
    Status, as String: |word| word.parse().ok(), |status| status.as_str().into();
    u32, as i64: |number| number.try_into().ok(), |number| Value::Number((*number).into());
    Reason, as String: |text| Some(Reason::from_stored(text)), |reason| reason.to_string().into();
    Weight, as i64: Weight::from_hundredths, |weight| Value::Number(weight.hundredths().into());
    // Numbers and ids of blocks.
    Vec<(u32, String)>, as String: |text| serde_json::from_str(&text).ok(), |blocks| json(blocks).into();
    // NULL for most votes, for which no other rule asks.
    Vec<Ask>, as Option<String>: read_asks, write_asks;
}

fn read_asks(stored: Option<String>) -> Option<Vec<Ask>> {
    let Some(text) = stored else {
        return Some(Vec::new());
    };
    let asks: Vec<Ask> = serde_json::from_str(&text).ok()?;
    let weight = |weight: Weight| Weight::from_hundredths(weight.hundredths().into());
    let is_possible = |ask: &Ask| {
        let mut weights = [ask.weight]
            .into_iter()
            .chain(ask.leader.iter().map(|leader| leader.1));
        let moments = [ask.due_at, ask.at];
        weights.all(|found| weight(found).is_some())
            && moments.iter().all(|at| moment::stored("asks", *at).is_ok())
    };
    asks.iter().all(is_possible).then_some(asks)
}

fn write_asks(asks: &Vec<Ask>) -> Value<'_> {
    match asks.is_empty() {
        true => Value::Null,
        false => json(asks).into(),
    }
}

/// The JSON text of a value.
pub(super) fn json(value: &(impl Serialize + ?Sized)) -> String {
    // Serializing fails only for maps whose keys are not strings, and there are no maps here.
    serde_json::to_string(value).unwrap_or_default()
}

/// The moment, if it is plausible. 1970 stands for the end of a claim that was taken away.
fn possible(at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    match at == DateTime::UNIX_EPOCH {
        true => Some(at),
        false => moment::stored("a column", at).ok(),
    }
}
