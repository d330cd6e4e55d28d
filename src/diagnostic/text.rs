//! A text with its lines and columns as people count them.

use std::fmt;
use std::ops::Deref;

/// A place in a text, both counted from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.line, self.column)
    }
}

/// A text with an index of its lines, so that a position is found without reading the whole text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    text: Box<str>,
    /// Offsets at which the lines begin, the first of them 0.
    starts: Vec<usize>,
}

impl Text {
    /// Number of lines, including an empty one after the last line break.
    pub(super) fn line_count(&self) -> usize {
        self.starts.len()
    }

    /// The line, counted from 0, that holds the byte at `offset`.
    pub fn line_at(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset) - 1
    }

    /// The offset at which line `index`, counted from 0, begins; the end of the text if there is no such line.
    pub(super) fn line_start(&self, index: usize) -> usize {
        self.starts.get(index).copied().unwrap_or(self.text.len())
    }

    /// Line `index`, counted from 0, without its line break.
    pub(super) fn line(&self, index: usize) -> &str {
        let line = &self.text[self.line_start(index)..self.line_start(index + 1)];
        line.strip_suffix('\n')
            .map_or(line, |line| line.strip_suffix('\r').unwrap_or(line))
    }

    /// The position of the byte at `offset`; the end of the text for an offset beyond it.
    pub fn position(&self, offset: usize) -> Position {
        let end = self.text.floor_char_boundary(offset);
        let line = self.line_at(end);
        // A byte order mark is not something that people see.
        let before = self.text[self.line_start(line)..end].trim_start_matches('\u{feff}');
        Position {
            line: line + 1,
            column: before.chars().count() + 1,
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        let after_break = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            text: text.into(),
            starts: std::iter::once(0).chain(after_break).collect(),
        }
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_both_count_from_one() {
        let text = "a = 1\nö = \"é\" # x\n";
        for (needle, place) in [
            ("a", "1:1"),
            ("1", "1:5"),
            ("ö", "2:1"),
            ("\"é", "2:5"),
            ("#", "2:9"),
        ] {
            let offset = text.find(needle).unwrap();
            let position = Text::from(text).position(offset);
            assert_eq!(position.to_string(), place, "{needle}");
        }
    }

    #[test]
    fn a_position_outside_the_text_is_its_end() {
        for (text, offset, place) in [("ab\n", 99, "2:1"), ("é", 1, "1:1"), ("", 0, "1:1")] {
            let position = Text::from(text).position(offset);
            assert_eq!(position.to_string(), place, "{text}");
        }
    }
}
