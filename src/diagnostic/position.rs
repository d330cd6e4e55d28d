//! Lines and columns as people count them.

use std::fmt;

/// A place in a text, both counted from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character in the line.
    pub column: usize,
}

/// The offsets at which the lines of a text begin, so that a position is found without reading the whole text.
#[derive(Debug, Clone)]
pub struct Lines {
    /// Offsets, the first of them 0.
    starts: Vec<usize>,
}

impl Lines {
    /// The lines of `text`.
    pub fn of(text: &str) -> Self {
        let after_break = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            starts: std::iter::once(0).chain(after_break).collect(),
        }
    }

    /// Number of lines, including an empty one after the last line break.
    pub fn count(&self) -> usize {
        self.starts.len()
    }

    /// The line, counted from 0, that holds the byte at `offset`.
    pub fn holding(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset) - 1
    }

    /// The offset at which line `index`, counted from 0, begins; the end of `text` where there is no such line.
    pub fn start(&self, text: &str, index: usize) -> usize {
        self.starts.get(index).copied().unwrap_or(text.len())
    }

    /// The position of the byte at `offset` of `text`; its end for an offset beyond it.
    pub fn position(&self, text: &str, offset: usize) -> Position {
        let mut end = offset.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let line = self.holding(end);
        // A byte order mark is not something that people see.
        let before = text[self.start(text, line)..end].trim_start_matches('\u{feff}');
        Position {
            line: line + 1,
            column: before.chars().count() + 1,
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.line, self.column)
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
            assert_eq!(
                Lines::of(text).position(text, offset).to_string(),
                place,
                "{needle}"
            );
        }
    }

    #[test]
    fn places_outside_the_text_are_its_end() {
        for (text, offset, place) in [("ab\n", 99, "2:1"), ("é", 1, "1:1"), ("", 0, "1:1")] {
            let position = Lines::of(text).position(text, offset);
            assert_eq!(position.to_string(), place, "{text}");
        }
    }
}
