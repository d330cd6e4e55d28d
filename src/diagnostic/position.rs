//! Lines and columns as people count them.

use std::fmt;

/// A place in a text, both counted from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

impl Position {
    /// The place of the byte at `offset`; beyond the end of the text, its end.
    pub fn of(text: &str, offset: usize) -> Self {
        let mut end = offset.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &text[..end];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        // A byte order mark is not something that people see.
        let line = before[line_start..].trim_start_matches('\u{feff}');
        Self {
            line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
            column: line.chars().count() + 1,
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
            assert_eq!(Position::of(text, offset).to_string(), place, "{needle}");
        }
    }

    #[test]
    fn places_outside_the_text_are_its_end() {
        assert_eq!(Position::of("ab\n", 99).to_string(), "2:1");
        assert_eq!(Position::of("é", 1).to_string(), "1:1");
        assert_eq!(Position::of("", 0).to_string(), "1:1");
    }
}
