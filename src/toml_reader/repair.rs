//! Turns a line that is not TOML into the line that was probably meant: quotes, brackets, separators and comments as
//! TOML writes them.

use toml::de::DeTable;

use crate::toml_reader::item::quoted;

/// Quotes of other kinds than those of TOML, and the straight one that may end what they begin.
const CURLY: [char; 14] = [
    '“', '”', '„', '‟', '«', '»', '‘', '’', '‚', '‹', '›', '″', '`', '"',
];

/// The line that `line` probably means, without its comment; `None` if nothing better is known.
pub(super) fn line(line: &str) -> Option<String> {
    let plain = straight_quotes(line);
    let (code, comment) = split_comment(&plain);
    let code = code.trim().trim_end_matches([';', ',']).trim_end();
    let comment = comment.map(|words| format!("# {}", words.trim()));
    let meant = match code.chars().next() {
        None => return comment,
        Some('[') => header(code)?,
        Some(_) => entry(code)?,
    };
    Some(match comment {
        Some(comment) => format!("{meant} {comment}"),
        None => meant,
    })
}

/// `line` with straight quotes and plain spaces. Texts in straight quotes stay as they are.
fn straight_quotes(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    // The quotes that end the text: the same straight one, or any after a curly one.
    let mut ends: Option<&[char]> = None;
    for character in line.chars() {
        let is_end = ends.is_some_and(|ends| ends.contains(&character));
        match character {
            _ if is_end => {
                let is_straight = ends.is_some_and(|ends| ends.len() == 1);
                out.push(if is_straight { character } else { '"' });
                ends = None;
            }
            _ if ends.is_some() => out.push(character),
            '"' => {
                ends = Some(&['"']);
                out.push('"');
            }
            '\'' => {
                ends = Some(&['\'']);
                out.push('\'');
            }
            _ if CURLY.contains(&character) => {
                ends = Some(&CURLY);
                out.push('"');
            }
            '\u{200b}' | '\u{2060}' | '\u{feff}' => {}
            _ if character.is_whitespace() => out.push(' '),
            _ => out.push(character),
        }
    }
    match ends {
        Some([_]) if line.contains(CURLY) => line.replace(CURLY, "\""),
        _ => out,
    }
}

/// Splits off a comment. Its words are returned only if it begins with another sign than `#`.
fn split_comment(line: &str) -> (&str, Option<&str>) {
    let mut quote = None;
    let mut before = ' ';
    for (at, character) in line.char_indices() {
        let rest = &line[at..];
        let is_apart = before.is_whitespace() || "\"'])}".contains(before);
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            (None, '#') => return (&line[..at], None),
            (None, ';') if before.is_whitespace() && rest.len() > 1 => {
                return (&line[..at], Some(rest.trim_start_matches(';')));
            }
            (None, '/') if is_apart && rest.starts_with("//") => {
                return (&line[..at], Some(rest.trim_start_matches('/')));
            }
            _ => {}
        }
        before = character;
    }
    (line, None)
}

/// `[[author]]` for `[[author]`.
fn header(code: &str) -> Option<String> {
    let is_bracket = |c: char| matches!(c, '[' | ']' | ' ');
    let name = code.trim_matches(is_bracket);
    let opened = code.chars().take_while(|c| is_bracket(*c));
    let closed = code.chars().rev().take_while(|c| is_bracket(*c));
    let count = opened.filter(|c| *c == '[').count();
    let count = count.max(closed.filter(|c| *c == ']').count());
    match is_key(name) {
        true if count > 1 => Some(format!("[[{name}]]")),
        true => Some(format!("[{name}]")),
        false => None,
    }
}

fn is_key(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    !text.is_empty() && text.chars().all(is_part)
}

/// `key = value` for `key: value`.
fn entry(code: &str) -> Option<String> {
    let (key, rest) = match code.find(['=', ':']) {
        Some(at) => (&code[..at], &code[at..]),
        // `weight 50%`
        None => {
            let (key, rest) = code.split_once(' ')?;
            let begins_a_value = |c: char| c.is_ascii_digit() || "\"'[{".contains(c);
            (
                key,
                rest.trim_start()
                    .starts_with(begins_a_value)
                    .then_some(rest)?,
            )
        }
    };
    let words = key
        .split_whitespace()
        .map(|word| word.trim_matches(['"', '\'']));
    let key = words.collect::<Vec<_>>().join("_");
    let rest = rest.trim_start_matches(['=', ':', '>', ' ']);
    match is_key(&key) && !rest.is_empty() {
        true => Some(format!("{key} = {}", value(rest)?)),
        false => None,
    }
}

fn value(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches([',', ';']).trim_end();
    if !text.contains('\n') && DeTable::parse(&format!("x = {text}")).is_ok() {
        return Some(text.to_owned());
    }
    match text.chars().next()? {
        '[' | '(' => {
            let inside = text.trim_start_matches(['[', '(']);
            let inside = inside.trim_end_matches([']', ')', ',', ';', ' ']);
            let items = items(inside).into_iter().map(value);
            let items = items.collect::<Option<Vec<_>>>()?;
            Some(format!("[{}]", items.join(", ")))
        }
        '{' => {
            let inside = text
                .trim_start_matches('{')
                .trim_end_matches(['}', ',', ' ']);
            let entries = items(inside).into_iter().map(|item| entry(item.trim()));
            let entries = entries.collect::<Option<Vec<_>>>()?;
            Some(format!("{{ {} }}", entries.join(", ")))
        }
        _ => scalar(text),
    }
}

/// A text in quotes.
fn scalar(text: &str) -> Option<String> {
    const QUOTES: [char; 2] = ['"', '\''];
    const JUNK: [char; 6] = [']', ')', '}', ',', ';', ' '];
    let inside = match text.strip_prefix(QUOTES) {
        Some(rest) => match rest.rfind(QUOTES) {
            Some(end) if rest[end + 1..].chars().all(|c| JUNK.contains(&c)) => &rest[..end],
            Some(_) => return None,
            None => rest.trim_end_matches(JUNK),
        },
        None => text.trim_end_matches(JUNK).trim_end_matches(QUOTES),
    };
    (!inside.is_empty()).then(|| quoted(inside))
}

/// Splits at commas, and between two texts in quotes, but not inside texts and brackets.
fn items(text: &str) -> Vec<&str> {
    let mut items = Vec::new();
    let (mut start, mut depth, mut quote) = (0, 0, None);
    let mut after_text = false;
    for (at, character) in text.char_indices() {
        match (quote, character) {
            (Some(open), _) if open == character => {
                quote = None;
                after_text = true;
                continue;
            }
            (Some(_), _) => continue,
            (None, '"' | '\'') => {
                if after_text && depth == 0 {
                    items.push(&text[start..at]);
                    start = at;
                }
                quote = Some(character);
            }
            (None, '[' | '{' | '(') => depth += 1,
            (None, ']' | '}' | ')') => depth -= 1,
            (None, ',' | ';') if depth == 0 => {
                items.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        after_text &= character.is_whitespace();
    }
    items.push(&text[start..]);
    items.retain(|item| !item.trim().is_empty());
    items
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_line_with_a_slip_becomes_the_line_that_was_meant() {
        for (line, meant) in [
            ("weight = 50%", "weight = \"50%\""),
            ("weight == \"50%\"", "weight = \"50%\""),
            ("weight := '50%'", "weight = '50%'"),
            ("weight: 50%", "weight = \"50%\""),
            ("\"weight\": \"50%\",", "weight = \"50%\""),
            ("weight = \"50%\";", "weight = \"50%\""),
            ("weight = \"50%\"]]", "weight = \"50%\""),
            ("weight = \"50%", "weight = \"50%\""),
            ("weight = 50%\"", "weight = \"50%\""),
            ("weight = «50%»", "weight = \"50%\""),
            ("weight = “50%”", "weight = \"50%\""),
            ("weight = \"50%”", "weight = \"50%\""),
            ("weight = ‘50%’", "weight = \"50%\""),
            ("weight\u{a0}=\u{a0}\"50%\"", "weight = \"50%\""),
            ("weight \"50%\"", "weight = \"50%\""),
            ("min mana = '80%'", "min_mana = '80%'"),
            ("weight = \"50%\" // half", "weight = \"50%\" # half"),
            ("weight = \"50%\" ; half", "weight = \"50%\" # half"),
            ("weight = 50% # half", "weight = \"50%\""),
            ("// favourites", "# favourites"),
            ("; favourites", "# favourites"),
            ("note = \"C:\\Users\"", "note = \"C:\\\\Users\""),
            ("authors = [bob, carol]", "authors = [\"bob\", \"carol\"]"),
            (
                "authors = [\"bob\" \"carol\"]",
                "authors = [\"bob\", \"carol\"]",
            ),
            (
                "authors = (\"bob\", \"carol\")",
                "authors = [\"bob\", \"carol\"]",
            ),
            ("authors = ['bob'", "authors = ['bob']"),
            ("authors = ['bob']]", "authors = ['bob']"),
            ("limit = { per_day: 2 }", "limit = { per_day = 2 }"),
            ("limit = { per_day = 2", "limit = { per_day = 2 }"),
            (
                "window = { from = 9am, to = 5pm }",
                "window = { from = \"9am\", to = \"5pm\" }",
            ),
            ("[[author]", "[[author]]"),
            ("[author]]", "[[author]]"),
            ("[[[author]]]", "[[author]]"),
            ("[[author]];", "[[author]]"),
            ("[lists", "[lists]"),
        ] {
            assert_eq!(super::line(line).as_deref(), Some(meant), "{line}");
        }
        for line in [
            "<html>",
            "voters:",
            "- alice",
            "hello",
            "",
            "]]",
            "[\"a\", \"b\",",
        ] {
            assert_eq!(super::line(line), None, "{line}");
        }
    }
}
