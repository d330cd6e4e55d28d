//! The configuration as it may be shown: mistakes are drawn in their lines, and a line, or one beside
//! it, can hold a secret.

use std::sync::Arc;

/// Keys whose values anybody may see. All others, mistyped ones among them, may be secrets.
const PUBLIC: [&str; 17] = [
    "rules",
    "timezone",
    "kind",
    "nodes",
    "follow",
    "vote_interval",
    "block_interval",
    "start",
    "client_id",
    "max_in_flight",
    "requests_per_second",
    "timeout",
    "refresh_ahead",
    "retry_for",
    "confirm_within",
    "listen",
    "client_secret_file",
];

/// The text of a file with what may be a secret replaced by stars, byte by byte, so that every place
/// stays where it is.
pub(super) fn file(text: &str) -> Arc<str> {
    let mut shown = String::with_capacity(text.len());
    // Lines without a key go on with the value of the one before.
    let mut public = true;
    let mut in_signer = false;
    for line in text.split_inclusive('\n') {
        let is_header = line.trim_start().starts_with('[') && !line.contains(['"', '\'']);
        let (before, after) = match key_of(line) {
            Some((before, key, after)) if !is_header => {
                public = is_public(key, after) || (in_signer && is_web_address(key, after));
                (before, after)
            }
            _ => {
                if is_header {
                    in_signer = line
                        .split('#')
                        .next()
                        .is_some_and(|header| header.trim() == "[signer]");
                }
                public |= is_header || line.trim_start().starts_with('#');
                ("", line)
            }
        };
        shown.push_str(before);
        shown.push_str(&if public {
            without_userinfo(after)
        } else {
            stars(after)
        });
    }
    shown.into()
}

/// The value of `key` in `section` as it may be shown.
pub(super) fn value(section: &str, key: &str, text: &str) -> String {
    match is_public(key, text) || (section == "signer" && is_web_address(key, text)) {
        true => without_userinfo(text),
        false => stars(text),
    }
}

/// `client_secret` in `signer.client_secret = "…"` and in `# client_secret = "…"`, with what stands
/// before and after the `=`.
fn key_of(line: &str) -> Option<(&str, &str, &str)> {
    let (before, after) = line.split_at(line.find('=')? + 1);
    let words = before.trim_end_matches('=').trim_end();
    let word = words
        .rsplit(|c: char| c.is_whitespace() || c == '#')
        .next()?;
    let is_key = |c: char| c.is_ascii_alphanumeric() || "_-.\"'".contains(c);
    let last = word.rsplit('.').next()?.trim_matches(['"', '\'']);
    word.chars().all(is_key).then_some((before, last, after))
}

fn is_public(key: &str, value: &str) -> bool {
    let value = value.trim_start().trim_start_matches(['"', '\'']);
    match key {
        // Of the signer, or of a database without a password.
        "url" => ["http://", "https://", "sqlite:"]
            .iter()
            .any(|start| value.starts_with(start)),
        "url_file" => true,
        key => PUBLIC.contains(&key),
    }
}

/// Whether `value` is the signer's address and not that of a database in the wrong place: without a password,
/// though it may lack its `https://`.
fn is_web_address(key: &str, value: &str) -> bool {
    let address = value.split('#').next().unwrap_or(value);
    key == "url" && !address.contains(['@', '?']) && !address.contains("://")
}

fn stars(text: &str) -> String {
    let star = |character: char| match character {
        // Quotes and blanks give nothing away and keep the line readable.
        '\n' | '\r' | ' ' | '"' | '\'' => character.to_string(),
        _ => "*".repeat(character.len_utf8()),
    };
    text.chars().map(star).collect()
}

/// Stars for `user:password` in `https://user:password@host`.
fn without_userinfo(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let end = after
            .find(['"', '\'', ' ', ',', '\n'])
            .unwrap_or(after.len());
        let userinfo = after[..end].rfind('@').unwrap_or(0);
        shown.push_str(&stars(&after[..userinfo]));
        rest = &after[userinfo..];
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn secrets_are_starred_where_they_stand_and_the_rest_is_as_it_was() {
        for (text, shown) in [
            (
                "client_secret = \"s3cret\"\n",
                "client_secret = \"******\"\n",
            ),
            ("client_secrt = 's3cret'", "client_secrt = '******'"),
            ("# signer.client_secret=abc", "# signer.client_secret=***"),
            ("url = \"mysql://u:pw@h/d\"", "url = \"****************\""),
            ("url = \"https://u:pw@h/d\"", "url = \"https://****@h/d\""),
            ("url = \"sqlite://a.db\"", "url = \"sqlite://a.db\""),
            (
                "x = \"\"\"\nabc\n\"\"\"\n[signer]\n",
                "x = \"\"\"\n***\n\"\"\"\n[signer]\n",
            ),
            (
                "nodes = [\n \"https://a?b=c\",\n]\n",
                "nodes = [\n \"https://a?b=c\",\n]\n",
            ),
            (
                "signer = { client_secret = \"é\" }",
                "signer = * ************* * \"**\" *",
            ),
            ("timeout = \"10s\" # fine", "timeout = \"10s\" # fine"),
            (
                "[signer]\nurl = \"hivesigner.com\"\n[database]\nurl = \"name\"",
                "[signer]\nurl = \"hivesigner.com\"\n[database]\nurl = \"****\"",
            ),
            (
                "[signer]\nurl = \"mysql://h/d?password=x\"",
                "[signer]\nurl = \"**********************\"",
            ),
            (
                "[signer]\nurl = \"u:pw@h/d\"",
                "[signer]\nurl = \"********\"",
            ),
        ] {
            assert_eq!(&*file(text), shown);
            assert_eq!(file(text).len(), text.len());
        }
    }

    proptest! {
        #[test]
        fn every_place_stays_where_it_is(text in "([a-z]{1,6}|[\\[\\]='\"/:@#é \n]|url|signer){0,40}") {
            let shown = file(&text);
            prop_assert_eq!(shown.len(), text.len());
            let breaks = |text: &str| text.match_indices('\n').map(|(at, _)| at).collect::<Vec<_>>();
            prop_assert_eq!(breaks(&shown), breaks(&text));
        }
    }
}
