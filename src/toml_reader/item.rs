//! A value with its key and place, and the plain types it can be read as.

use std::fmt::Display;
use std::ops::{Range, RangeInclusive};

use toml::de::DeValue;

use crate::diagnostic::Finding;
use crate::diagnostic::report::{Report, Reported};
use crate::diagnostic::suggestion::{alternatives, closest};
use crate::diagnostic::visible::escape;
use crate::toml_reader::table::Table;

/// A key and its value. The items of a list carry the key of the list.
#[derive(Debug, Clone)]
pub struct Item<'t> {
    /// The key, without quotes.
    pub key: &'t str,
    /// Where the key stands, in bytes.
    pub key_span: Range<usize>,
    /// The value.
    pub value: &'t DeValue<'t>,
    /// Where the value stands, in bytes.
    pub span: Range<usize>,
    /// Comes from the environment, where every value is text: numbers are parsed from it.
    pub as_text: bool,
}

/// The kind of value that a key needs, for messages.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// `a duration`
    pub what: &'static str,
    /// An example in TOML: `"5m"` with its quotes.
    pub example: &'static str,
}

impl<'t> Item<'t> {
    /// `an integer`: what the value is.
    pub fn type_name(&self) -> &'static str {
        match self.value {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number with decimals",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(written) if written.date.is_none() => "a time of day",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(array) if array.iter().all(|item| item.get_ref().is_table()) => {
                if array.is_empty() {
                    "a list"
                } else {
                    "a list of tables"
                }
            }
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        }
    }

    /// `write weight = "50%"`: how to give this key the `value`, which is TOML.
    pub fn write(&self, value: impl Display) -> String {
        if self.as_text {
            let value = value.to_string();
            return format!("write {}={}", self.key, value.trim_matches('"'));
        }
        format!("write `{} = {value}`", self.key)
    }

    /// Reports that the value is of the wrong type.
    pub fn wrong_type(&self, wanted: Wanted, report: &mut Report<'_>) -> Reported {
        self.wrong_type_with(wanted, self.write(wanted.example), report)
    }

    /// Reports that the value is of the wrong type, with other help than the example.
    pub fn wrong_type_with(
        &self,
        wanted: Wanted,
        help: String,
        report: &mut Report<'_>,
    ) -> Reported {
        let message = format!(
            "`{}` must be {}, not {}",
            self.key,
            wanted.what,
            self.type_name()
        );
        report.error(Finding::at(self.span.clone(), message).help(help))
    }

    /// Reports `message` about the value.
    pub fn refuse(
        &self,
        message: impl Into<String>,
        help: impl Into<String>,
        report: &mut Report<'_>,
    ) -> Reported {
        report.error(Finding::at(self.span.clone(), message).help(help))
    }

    /// A text.
    pub fn text(&self, wanted: Wanted, report: &mut Report<'_>) -> Result<&'t str, Reported> {
        match self.value {
            DeValue::String(text) => Ok(text),
            _ => Err(self.wrong_type(wanted, report)),
        }
    }

    /// `true` or `false`.
    pub fn boolean(&self, report: &mut Report<'_>) -> Result<bool, Reported> {
        let wanted = Wanted {
            what: "true or false",
            example: "true",
        };
        match self.value {
            DeValue::Boolean(value) => Ok(*value),
            DeValue::String(text) => match text.to_lowercase().as_str() {
                "true" if self.as_text => Ok(true),
                "false" if self.as_text => Ok(false),
                "false" | "no" | "off" => {
                    Err(self.wrong_type_with(wanted, self.write("false"), report))
                }
                _ => Err(self.wrong_type(wanted, report)),
            },
            _ => Err(self.wrong_type(wanted, report)),
        }
    }

    /// A whole number in `range`.
    pub fn integer(
        &self,
        range: RangeInclusive<u32>,
        report: &mut Report<'_>,
    ) -> Result<u32, Reported> {
        let wanted = Wanted {
            what: "a whole number",
            example: "2",
        };
        let number = match self.value {
            DeValue::Integer(digits) => i64::from_str_radix(digits.as_str(), digits.radix()).ok(),
            DeValue::String(text) => match text.trim().parse::<i64>() {
                Ok(number) if self.as_text => Some(number),
                Ok(number) => {
                    let help = match report.quotable(number) {
                        Some(number) => self.write(number),
                        None => self.write(wanted.example),
                    };
                    return Err(self.wrong_type_with(wanted, help, report));
                }
                Err(_) => return Err(self.wrong_type(wanted, report)),
            },
            _ => return Err(self.wrong_type(wanted, report)),
        };
        let fitting = number.and_then(|number| u32::try_from(number).ok());
        match fitting {
            Some(number) if range.contains(&number) => Ok(number),
            _ => {
                let (start, end) = (range.start(), range.end());
                let is_low = number.is_some_and(|number| number < i64::from(*start));
                let (bounds, nearest) = match is_low {
                    true => (format!("at least {start}"), start),
                    false => (format!("at most {end}"), end),
                };
                Err(self.refuse(
                    format!("`{}` must be {bounds}", self.key),
                    self.write(nearest),
                    report,
                ))
            }
        }
    }

    /// A number that is not negative and at most `max`.
    pub fn number(&self, max: f64, report: &mut Report<'_>) -> Result<f64, Reported> {
        let wanted = Wanted {
            what: "a number",
            example: "10",
        };
        let number: Option<f64> = match self.value {
            DeValue::Integer(digits) => i64::from_str_radix(digits.as_str(), digits.radix())
                .ok()
                .map(|number| number as f64),
            DeValue::Float(digits) => digits.as_str().parse().ok(),
            DeValue::String(text) if self.as_text => text.trim().parse().ok(),
            _ => return Err(self.wrong_type(wanted, report)),
        };
        match number {
            Some(number) if (0.0..=max).contains(&number) => Ok(number),
            _ => Err(self.refuse(
                format!("`{}` must be a number from 0 to {max}", self.key),
                self.write(wanted.example),
                report,
            )),
        }
    }

    /// One of a few words.
    pub fn choice<T: Copy>(
        &self,
        words: &[(&'static str, T)],
        report: &mut Report<'_>,
    ) -> Result<T, Reported> {
        let all = alternatives(words.iter().map(|(word, _)| *word));
        let DeValue::String(text) = self.value else {
            let message = format!("`{}` must be {all}, not {}", self.key, self.type_name());
            let example = words.first().map_or("", |(word, _)| word);
            return Err(self.refuse(message, self.write(format_args!("\"{example}\"")), report));
        };
        if let Some((_, value)) = words.iter().find(|(word, _)| word == text) {
            return Ok(*value);
        }
        let help = match closest(text, words.iter().map(|(word, _)| *word)) {
            Some(meant) => self.write(format_args!("\"{meant}\"")),
            None if self.as_text => format!("write one of {all}"),
            None => format!("write one of {all}, in quotes"),
        };
        let message = match report.quotable(text) {
            Some(text) => format!("`{}` must be {all}, not \"{text}\"", self.key),
            None => format!("`{}` must be {all}", self.key),
        };
        Err(self.refuse(message, help, report))
    }

    /// The items of a list that is not empty.
    pub fn list(&self, wanted: Wanted, report: &mut Report<'_>) -> Result<Vec<Item<'t>>, Reported> {
        let DeValue::Array(array) = self.value else {
            let text = self.value.as_str().and_then(|text| report.quotable(text));
            let help = match text {
                Some(text) => self.write(format_args!("[{}]", quoted(text))),
                None => self.write(wanted.example),
            };
            return Err(self.wrong_type_with(wanted, help, report));
        };
        if array.is_empty() {
            return Err(self.refuse(
                format!("`{}` is an empty list", self.key),
                format!(
                    "{}, or leave the key out if it is not needed",
                    self.write(wanted.example)
                ),
                report,
            ));
        }
        let items = array.iter().map(|value| Item {
            key: self.key,
            key_span: self.key_span.clone(),
            value: value.get_ref(),
            span: value.span(),
            as_text: self.as_text,
        });
        Ok(items.collect())
    }

    /// A table, called by its key.
    pub fn table(&self, wanted: Wanted, report: &mut Report<'_>) -> Result<Table<'t>, Reported> {
        match self.value {
            DeValue::Table(table) => Ok(Table::new(
                table,
                self.span.clone(),
                format!("`{}`", self.key),
            )),
            _ => Err(self.wrong_type(wanted, report)),
        }
    }
}

/// `text` as TOML writes it: `"text"`.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            _ if character.is_control() => escape(character, &mut out),
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}
