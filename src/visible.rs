//! Texts from outside, made harmless: control characters and invisible characters are shown as TOML escapes them, and
//! long texts are cut. Everything that prints or stores a text from a node, a signer, a post or a file name uses this.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Longest text that is shown in one line, in characters; the rest is counted.
pub const LONGEST: usize = 1_000;

/// `text` with invisible characters escaped: `\u001B` for the escape character. Tabs and line breaks stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, must_be_escaped)
}

/// `text` as part of one line: line breaks and tabs are escaped too, and what is beyond [`LONGEST`] is cut.
pub fn one_line(text: &str) -> Cow<'_, str> {
    let breaks_line = |character| matches!(character, '\t' | '\n') || must_be_escaped(character);
    // No character takes more than 4 bytes, so most texts need not be counted.
    let cut = match text.len() > LONGEST {
        true => text.char_indices().nth(LONGEST).map(|(at, _)| at),
        false => None,
    };
    let Some(cut) = cut else {
        return escaped(text, breaks_line);
    };
    let more = text[cut..].chars().count();
    let shown = escaped(&text[..cut], breaks_line);
    format!("{shown}… ({more} more characters)").into()
}

fn escaped(text: &str, must: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&must) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match must(character) {
            true => escape(character, &mut shown),
            false => shown.push(character),
        }
    }
    Cow::Owned(shown)
}

/// Whether a character is shown as its escape.
pub fn must_be_escaped(character: char) -> bool {
    match character {
        '\t' | '\n' => false,
        // Of no width, or turning the direction of what follows.
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{180e}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0001}'..='\u{e007f}' => true,
        _ => character.is_control(),
    }
}

/// Adds the escape of `character` as TOML writes it.
pub fn escape(character: char, out: &mut String) {
    // Writing to a text cannot fail.
    let _ = match character {
        '\n' => out.write_str("\\n"),
        '\r' => out.write_str("\\r"),
        '\t' => out.write_str("\\t"),
        '\u{10000}'.. => write!(out, "\\U{:08X}", u32::from(character)),
        _ => write!(out, "\\u{:04X}", u32::from(character)),
    };
}

/// A JSON text with invisible characters escaped; its meaning stays the same.
pub fn visible_json(json: &str) -> Cow<'_, str> {
    if !json.contains(must_be_escaped) {
        return Cow::Borrowed(json);
    }
    let mut shown = String::with_capacity(json.len() + 8);
    for character in json.chars() {
        if must_be_escaped(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
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
            ("\u{61c}\u{2066}\u{ad}", "\\u061C\\u2066\\u00AD"),
            ("\u{e0041}", "\\U000E0041"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }

    #[test]
    fn a_line_holds_no_line_break_and_is_cut() {
        let forged = "bob\n2026-01-01T00:00:00Z  INFO cast\r\n";
        assert_eq!(
            one_line(forged),
            "bob\\n2026-01-01T00:00:00Z  INFO cast\\r\\n"
        );
        let fits = "é".repeat(LONGEST);
        assert_eq!(one_line(&fits), fits);
        let long = "é".repeat(70_000);
        assert_eq!(one_line(&long), format!("{fits}… (69000 more characters)"));
    }

    #[test]
    fn json_means_the_same_with_its_invisible_characters_escaped() {
        let text = "a\u{202e}b\u{e0041}\u{7f}é\n";
        let json = serde_json::to_string(text).unwrap();
        let shown = visible_json(&json);
        assert!(!shown.contains(must_be_escaped), "{shown}");
        assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
    }
}
