//! A value with its key and place, and the plain types it can be read as.

use std::borrow::Cow;
use std::fmt::Display;
use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::DeValue;

use crate::diagnostic::Finding;
use crate::diagnostic::report::{Report, Reported};
use crate::diagnostic::suggestion::{alternatives, closest};
use crate::visible::escape;

/// A key and its value. The items of a list carry the key of the list.
#[derive(Debug, Clone)]
pub struct Item<'t> {
    /// The key, without quotes.
    pub key: &'t str,
    /// The place of the key, in bytes.
    pub key_span: Range<usize>,
    /// The value.
    pub value: &'t DeValue<'t>,
    /// The place of the value, in bytes.
    pub span: Range<usize>,
    /// Whether it comes from the environment, where every value is text: numbers are parsed from it.
    pub as_text: bool,
    /// Receives the problems of the value.
    pub report: &'t Report<'t>,
}

/// The kind of value that a key needs, for messages.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// `a duration`
    pub what: &'static str,
    /// An example in TOML: `"5m"` with its quotes.
    pub example: &'static str,
}

impl Wanted {
    /// `what` with an `example`.
    pub const fn new(what: &'static str, example: &'static str) -> Self {
        Self { what, example }
    }
}

impl<'t> Item<'t> {
    /// An entry of a table.
    pub fn entry(
        key: &'t Spanned<Cow<'t, str>>,
        value: &'t Spanned<DeValue<'t>>,
        report: &'t Report<'t>,
    ) -> Self {
        Self {
            key: key.get_ref(),
            key_span: key.span(),
            value: value.get_ref(),
            span: value.span(),
            as_text: false,
            report,
        }
    }

    /// `an integer`: what the value is.
    pub fn type_name(&self) -> &'static str {
        match self.value {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number with decimals",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(written) if written.date.is_none() => "a time of day",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(array)
                if !array.is_empty() && array.iter().all(|item| item.get_ref().is_table()) =>
            {
                "a list of tables"
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

    /// `write weight = "1%" for one percent, weight = "100%" for all`: the ways to give this key a value whose meaning
    /// is open. Each is a value in TOML and what it means; of a single way the meaning is left out.
    pub fn write_one_of(&self, ways: &[(String, String)]) -> Option<String> {
        let entry = |value: &str| match self.as_text {
            true => format!("{}={}", self.key, value.trim_matches('"')),
            false => format!("`{} = {value}`", self.key),
        };
        match ways {
            [] => None,
            [(only, _)] => Some(self.write(only)),
            _ => {
                let ways = ways.iter();
                let ways = ways.map(|(value, meaning)| format!("{} for {meaning}", entry(value)));
                Some(format!("write {}", ways.collect::<Vec<_>>().join(", ")))
            }
        }
    }

    /// Help where the value cannot be understood: what to write, with an example.
    pub fn such_as(&self, wanted: Wanted) -> String {
        let write = self.write(wanted.example);
        let entry = write.strip_prefix("write ").unwrap_or(&write);
        format!("write {}, such as {entry}", wanted.what)
    }

    /// The value, if it is a text that messages may quote.
    pub fn quotable_text(&self) -> Option<&'t str> {
        self.report.quotable(self.value.as_str()?)
    }

    /// The values, if it is a text or a list of texts that messages may quote.
    pub fn quotable_texts(&self) -> Option<Vec<&'t str>> {
        let texts = match self.value {
            DeValue::String(text) => vec![&**text],
            DeValue::Array(members) => {
                let texts = members.iter().map(|member| member.get_ref().as_str());
                texts.collect::<Option<Vec<_>>>()?
            }
            _ => return None,
        };
        self.report
            .quotable(texts)
            .filter(|texts| !texts.is_empty())
    }

    /// Reports that the value is of the wrong type.
    pub fn wrong_type(&self, wanted: Wanted) -> Reported {
        self.wrong_type_with(wanted, self.such_as(wanted))
    }

    /// Reports that the value is of the wrong type, with other help than the example.
    pub fn wrong_type_with(&self, wanted: Wanted, help: String) -> Reported {
        let message = format!(
            "`{}` must be {}, not {}",
            self.key,
            wanted.what,
            self.type_name()
        );
        self.refuse(message, help)
    }

    /// Warns about the value.
    pub fn warn(&self, message: impl Into<String>, help: impl Into<String>) {
        self.report
            .warning(Finding::at(self.span.clone(), message).help(help));
    }

    /// Reports `message` about the value.
    pub fn refuse(&self, message: impl Into<String>, help: impl Into<String>) -> Reported {
        self.report
            .error(Finding::at(self.span.clone(), message).help(help))
    }

    /// A text.
    pub fn text(&self, wanted: Wanted) -> Result<&'t str, Reported> {
        match self.value {
            DeValue::String(text) => Ok(text),
            _ => Err(self.wrong_type(wanted)),
        }
    }

    /// `true` or `false`.
    pub fn boolean(&self) -> Result<bool, Reported> {
        let wanted = Wanted::new("true or false", "true");
        let meant = match self.value {
            DeValue::Boolean(value) => return Ok(*value),
            DeValue::Integer(digits) => match digits.as_str() {
                "0" => Some(false),
                "1" => Some(true),
                _ => None,
            },
            DeValue::String(text) => match text.to_lowercase().trim() {
                "true" if self.as_text => return Ok(true),
                "false" if self.as_text => return Ok(false),
                "true" | "yes" | "on" | "y" | "1" => Some(true),
                "false" | "no" | "off" | "n" | "0" => Some(false),
                _ => None,
            },
            _ => None,
        };
        Err(match meant {
            Some(meant) => self.wrong_type_with(wanted, self.write(meant)),
            None => self.wrong_type(wanted),
        })
    }

    /// A whole number in `range`.
    pub fn integer(&self, range: RangeInclusive<u32>) -> Result<u32, Reported> {
        let wanted = Wanted::new("a whole number", "2");
        let number = match self.value {
            DeValue::Integer(digits) => i64::from_str_radix(digits.as_str(), digits.radix()).ok(),
            DeValue::String(text) => match text.trim().parse::<i64>() {
                Ok(number) if self.as_text => Some(number),
                _ => return Err(self.not_whole(wanted, &range)),
            },
            _ => return Err(self.not_whole(wanted, &range)),
        };
        let fitting = number.and_then(|number| u32::try_from(number).ok());
        if let Some(number) = fitting.filter(|number| range.contains(number)) {
            return Ok(number);
        }
        let is_low = number.is_some_and(|number| number < i64::from(*range.start()));
        let (bound, nearest) = match is_low {
            true => ("least", range.start()),
            false => ("most", range.end()),
        };
        let message = format!("`{}` must be at {bound} {nearest}", self.key);
        Err(self.refuse(message, self.write(nearest)))
    }

    /// Reports a value that is not a whole number, with the whole numbers that it may mean.
    fn not_whole(&self, wanted: Wanted, range: &RangeInclusive<u32>) -> Reported {
        let numbers = match self.value {
            DeValue::Float(digits) => digits.as_str().parse().into_iter().collect(),
            _ => self.quotable_text().map(numbers_in).unwrap_or_default(),
        };
        let mut ways = Vec::new();
        for number in numbers
            .iter()
            .flat_map(|number: &f64| [number.floor(), number.ceil()])
        {
            let is_in_range =
                f64::from(*range.start()) <= number && number <= f64::from(*range.end());
            let way = (format!("{number}"), format!("{number}"));
            if is_in_range && self.report.quotable(()).is_some() && !ways.contains(&way) {
                ways.push(way);
            }
        }
        let help = self.write_one_of(&ways);
        self.wrong_type_with(wanted, help.unwrap_or_else(|| self.such_as(wanted)))
    }

    /// A number that is not negative and at most `max`.
    pub fn number(&self, max: f64) -> Result<f64, Reported> {
        let wanted = Wanted::new("a number", "10");
        let number: Option<f64> = match self.value {
            DeValue::Integer(digits) => i64::from_str_radix(digits.as_str(), digits.radix())
                .ok()
                .map(|number| number as f64),
            DeValue::Float(digits) => digits.as_str().parse().ok(),
            DeValue::String(text) if self.as_text => text.trim().parse().ok(),
            _ => {
                let numbers = self.quotable_text().map(numbers_in).unwrap_or_default();
                let fitting = numbers.into_iter().filter(|number| *number <= max);
                let ways = fitting.map(|number| (format!("{number}"), format!("{number}")));
                let help = self.write_one_of(&ways.collect::<Vec<_>>());
                let help = help.unwrap_or_else(|| self.such_as(wanted));
                return Err(self.wrong_type_with(wanted, help));
            }
        };
        number
            .filter(|number| (0.0..=max).contains(number))
            .ok_or_else(|| {
                let message = format!("`{}` must be a number from 0 to {max}", self.key);
                self.refuse(message, self.such_as(wanted))
            })
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&self, words: &[(&'static str, T)]) -> Result<T, Reported> {
        let all = alternatives(words.iter().map(|(word, _)| *word));
        let DeValue::String(text) = self.value else {
            let message = format!("`{}` must be {all}, not {}", self.key, self.type_name());
            return Err(self.refuse(message, self.one_of(words)));
        };
        if let Some((_, value)) = words.iter().find(|(word, _)| word == text) {
            return Ok(*value);
        }
        let help = match closest(text, words.iter().map(|(word, _)| *word)) {
            Some(meant) => self.write(format_args!("\"{meant}\"")),
            None => self.one_of(words),
        };
        let message = match self.report.quotable(text) {
            Some(text) => format!("`{}` must be {all}, not \"{text}\"", self.key),
            None => format!("`{}` must be {all}", self.key),
        };
        Err(self.refuse(message, help))
    }

    fn one_of<T>(&self, words: &[(&'static str, T)]) -> String {
        let write = |word: &str| self.write(format_args!("\"{word}\""));
        let ways: Vec<_> = words.iter().map(|(word, _)| write(word)).collect();
        let ways = ways.iter().map(|way| way.trim_start_matches("write "));
        format!("write {}", alternatives(ways))
    }

    /// The items of a list that is not empty.
    pub fn list(&self, wanted: Wanted) -> Result<Vec<Item<'t>>, Reported> {
        let DeValue::Array(array) = self.value else {
            let help = match self.quotable_text() {
                Some(text) => self.write(format_args!("[{}]", quoted(text))),
                None => self.such_as(wanted),
            };
            return Err(self.wrong_type_with(wanted, help));
        };
        if array.is_empty() {
            let message = format!("`{}` is an empty list", self.key);
            let help = format!(
                "{}; a key that is not required can be removed",
                self.such_as(wanted)
            );
            return Err(self.refuse(message, help));
        }
        let items = array.iter().map(|value| Item {
            value: value.get_ref(),
            span: value.span(),
            ..self.clone()
        });
        Ok(items.collect())
    }

    /// Reads every item of a list that is not empty with `read`.
    ///
    /// # Errors
    /// The value is not such a list, or an item is invalid; every error has been reported.
    pub fn each<T>(
        &self,
        wanted: Wanted,
        read: impl FnMut(Item<'t>) -> Result<T, Reported>,
    ) -> Result<Vec<T>, Reported> {
        // Every item is read before the first error ends the reading.
        let read: Vec<_> = self.list(wanted)?.into_iter().map(read).collect();
        read.into_iter().collect()
    }
}

/// The readings of the only number in a text that is not negative: 25 for `25 HBD`, 1000 or 1 for `1,000`.
fn numbers_in(text: &str) -> Vec<f64> {
    let is_part = |c: char| c.is_ascii_digit() || ".,_'".contains(c);
    let has_digit = |part: &&str| part.contains(|c: char| c.is_ascii_digit());
    let mut parts = text.split(|c| !is_part(c)).filter(has_digit);
    let (Some(number), None) = (parts.next(), parts.next()) else {
        return Vec::new();
    };
    if text.contains(['-', '−']) {
        return Vec::new();
    }
    let number = number
        .trim_matches(['.', ',', '_', '\''])
        .replace(['_', '\''], "");
    let mut readings: Vec<f64> = Vec::new();
    let is_grouped = number
        .rsplit_once(',')
        .is_some_and(|(_, end)| end.len() == 3 || end.contains('.'));
    if is_grouped {
        readings.extend(number.replace(',', "").parse::<f64>());
    }
    readings.extend(number.replace(',', ".").parse::<f64>());
    readings
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
