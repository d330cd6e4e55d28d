//! Control characters and invisible characters, shown as TOML escapes them.

use std::borrow::Cow;
use std::fmt::Write as _;

/// `text` with invisible characters escaped: `\u001B` for the escape character. Tabs and line breaks stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(must_be_escaped) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match must_be_escaped(character) {
            true => escape(character, &mut shown),
            false => shown.push(character),
        }
    }
    Cow::Owned(shown)
}

/// Whether a character is shown as its escape.
pub(super) fn must_be_escaped(character: char) -> bool {
    match character {
        '\t' | '\n' => false,
        // Of no width, or turning the direction of what follows.
        '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' => true,
        '\u{feff}' => true,
        _ => character.is_control(),
    }
}

/// Adds the escape of `character` as TOML writes it.
pub fn escape(character: char, out: &mut String) {
    match character {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        _ => {
            // Writing to a text cannot fail.
            let _ = write!(out, "\\u{:04X}", u32::from(character));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_escaped_and_the_rest_stays() {
        for (text, shown) in [
            ("bob\t\n", "bob\t\n"),
            ("é 👩‍🌾", "é 👩‍🌾"),
            ("\u{1b}[2J\u{0}\r", "\\u001B[2J\\u0000\\r"),
            ("a\u{200b}b\u{202e}c\u{9b}", "a\\u200Bb\\u202Ec\\u009B"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }
}
