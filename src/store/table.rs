//! What a list of columns makes of a type: rows as they are read, and rows as a JSON text carries them
//! to a statement. The lists are in [`super::columns`].

use std::borrow::Cow;
use std::fmt::Debug;

use serde::{Serialize, Serializer};
use sqlx::{ColumnIndex, Decode, Row, Type};

use super::value::{Field, Value, json};

/// A type whose values are rows of a table.
pub(super) trait Table {
    const COLUMNS: &'static [Column];

    /// The values of a row, in the order of the columns.
    fn values(&self) -> Vec<Value<'_>>;
}

/// A column of a table.
pub(super) struct Column {
    pub name: &'static str,
    pub kind: Kind,
}

/// What a column holds.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    /// The type in MySQL's JSON_TABLE; SQLite needs none.
    pub mysql: &'static str,
    /// Longer texts are cut to this number of characters.
    longest: usize,
}

impl Kind {
    pub const fn of(mysql: &'static str) -> Self {
        Self {
            mysql,
            longest: usize::MAX,
        }
    }

    pub const fn cut_to(self, longest: usize) -> Self {
        Self { longest, ..self }
    }
}

/// A kind of text. Its collation is that of our columns: with any other, MySQL would compare in
/// another way and without the index.
macro_rules! text {
    ($mysql:literal) => {
        Kind::of(concat!(
            $mysql,
            " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
        ))
    };
}

/// Lists columns by name and kind.
macro_rules! columns {
    ($($column:ident: $kind:expr),+ $(,)?) => {
        &[$(Column { name: stringify!($column), kind: $kind }),+]
    };
}

/// Stores a type in a table: `TABLE: TYPE as VALUE`, then the columns that have the name of their field.
/// For fields that are not one column follow, after `and`, the columns, each with what is written, and
/// after `make`, how these fields are made of the columns that were read.
macro_rules! table {
    ($table:ident: $type:ident as $this:ident { $($column:ident: $kind:ident),+ $(,)? }
        $(and { $($other:ident: $other_kind:ident = $write:expr),+ $(,)? } make { $($made:tt)+ })?) => {
        impl Table for $type {
            const COLUMNS: &'static [Column] = columns! {
                $($($other: $other_kind,)+)? $($column: $kind,)+
            };

            fn values(&self) -> Vec<Value<'_>> {
                let $this = self;
                vec![$($($write,)+)? $($this.$column.write()),+]
            }
        }

        impl<'r, R: sqlx::Row> sqlx::FromRow<'r, R> for $type
        where
            &'static str: sqlx::ColumnIndex<R>,
            i64: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
            String: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
            chrono::DateTime<chrono::Utc>: sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
        {
            fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
                use $crate::store::table::read;
                $($(let $other = read(row, stringify!($table), stringify!($other))?;)+)?
                $(let $column = read(row, stringify!($table), stringify!($column))?;)+
                Ok(Self { $($($made)+,)? $($column),+ })
            }
        }
    };
}

pub(super) use {columns, table, text};

/// Reads one column of a row.
pub(super) fn read<'r, R: Row, T: Field>(
    row: &'r R,
    table: &str,
    column: &'static str,
) -> Result<T, sqlx::Error>
where
    &'static str: ColumnIndex<R>,
    T::Sql: Decode<'r, R::Database> + Type<R::Database> + Debug,
{
    if let Some(value) = T::read(row.try_get(column)?) {
        return Ok(value);
    }
    let stored: T::Sql = row.try_get(column)?;
    let stored = short(format!("{stored:?}").into(), 100);
    let text = format!("{table}.{column} holds {stored}, which curatord never writes");
    Err(sqlx::Error::Decode(text.into()))
}

/// Most rows of one statement: enough that the time to reach the server does not matter.
const MOST_ROWS: usize = 1_000;

/// A row in JSON: an array of its values, in the order of the columns.
pub(super) struct Cells<'a, T>(pub &'a T);

impl<T: Table> Cells<'_, T> {
    fn values(&self) -> impl Iterator<Item = (&'static Column, Value<'_>)> {
        let fit = |(column, value): (&'static Column, _)| match value {
            Value::Text(text) => (column, Value::Text(short(text, column.kind.longest))),
            other => (column, other),
        };
        T::COLUMNS.iter().zip(self.0.values()).map(fit)
    }
}

impl<T: Table> Serialize for Cells<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.values().map(|(_, value)| value))
    }
}

/// A row in JSON for people: an object with the names of the columns, its texts uncut.
pub(super) struct Named<'a, T>(pub &'a T);

impl<T: Table> Serialize for Named<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let names = T::COLUMNS.iter().map(|column| column.name);
        serializer.collect_map(names.zip(self.0.values()))
    }
}

/// The JSON texts that carry rows to a statement, none longer than `longest` bytes unless it holds a single row.
pub(super) fn json_texts(
    rows: impl IntoIterator<Item = impl Serialize>,
    longest: usize,
) -> Vec<String> {
    let mut texts = Vec::new();
    let (mut text, mut count) = (String::new(), 0);
    for row in rows {
        let row = json(&row);
        // With the comma and the brackets.
        if count > 0 && (count == MOST_ROWS || text.len() + row.len() + 2 > longest) {
            texts.push(std::mem::take(&mut text) + "]");
            count = 0;
        }
        text.push(if count == 0 { '[' } else { ',' });
        text.push_str(&row);
        count += 1;
    }
    if count > 0 {
        texts.push(text + "]");
    }
    texts
}

/// The text, or as much of it as fits into this number of characters.
fn short(text: Cow<'_, str>, characters: usize) -> Cow<'_, str> {
    if text.len() <= characters || text.chars().count() <= characters {
        return text;
    }
    let kept = text.chars().take(characters - 1);
    kept.chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_spread_over_texts_that_are_short_enough() {
        let rows = || (100..110).map(|number| [number]);
        let one_each = json_texts(rows(), 0);
        assert_eq!(one_each.len(), 10);
        assert_eq!(one_each[0], "[[100]]");
        let texts = json_texts(rows(), 20);
        assert_eq!(texts[0], "[[100],[101],[102]]");
        assert!(texts.iter().all(|text| text.len() <= 20), "{texts:?}");
        let read = |text: &String| serde_json::from_str::<Vec<[i64; 1]>>(text).unwrap();
        let all: Vec<_> = texts.iter().flat_map(read).collect();
        assert_eq!(all, rows().collect::<Vec<_>>());
        assert_eq!(
            json_texts((0..2_500).map(|number| [number]), usize::MAX).len(),
            3
        );
        assert!(json_texts(Vec::<i64>::new(), 20).is_empty());
    }

    #[test]
    fn long_texts_are_cut_at_a_character() {
        assert_eq!(short("añ😀".into(), 3), "añ😀");
        assert_eq!(short("añ😀b".into(), 3), "añ…");
    }
}
