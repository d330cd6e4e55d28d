//! Whether lines of a file may be drawn. `curatord check` can be pointed at any file, so only what looks like our own
//! files is drawn, and only if nothing in it looks like a secret.

/// The keys and tables that make a text look like rules or tests.
const OURS: [&str; 9] = [
    "voters", "authors", "leaders", "author", "trail", "lists", "weight", "rules", "test",
];

/// Words that tell a secret wherever they stand, even in a comment.
const ANYWHERE: [&str; 4] = ["client_secret", "url_file", "password", "-----begin"];

/// Words that tell a secret as a part of a key.
const IN_KEYS: [&str; 12] = [
    "secret",
    "token",
    "passw",
    "passphrase",
    "pwd",
    "credential",
    "apikey",
    "api_key",
    "api-key",
    "access_key",
    "private",
    "posting",
];

/// Shortest run of letters and digits that looks like a secret with capitals, and without.
const MIXED_RUN: usize = 12;
const RUN: usize = 20;

/// Whether problems of `text` may be shown with its lines and values.
pub(super) fn may_be_drawn(text: &str) -> bool {
    is_ours(text) && !holds_secret(text)
}

/// Whether a line begins with a key or a table of ours.
fn is_ours(text: &str) -> bool {
    let word = |line: &str| {
        let start =
            line.trim_start_matches(|c: char| c.is_whitespace() || "[\"'\u{feff}".contains(c));
        let end = start.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        start[..end.unwrap_or(start.len())].to_owned()
    };
    text.lines().any(|line| OURS.contains(&&*word(line)))
}

fn holds_secret(text: &str) -> bool {
    let lower = text.to_lowercase();
    ANYWHERE.iter().any(|word| lower.contains(word))
        || lower.lines().any(is_key_of_a_secret)
        || lower.split("://").skip(1).any(begins_with_a_user)
        || text
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(is_random)
}

/// `api_token = …`, `export TOKEN=…`, `"access_token": …`, but no comment.
fn is_key_of_a_secret(line: &str) -> bool {
    let line = line.trim_start();
    let end = line.find(['=', ':']).unwrap_or(0);
    let key = &line[..end];
    !line.starts_with('#') && IN_KEYS.iter().any(|word| key.contains(word))
}

/// `user:password@host/…`: what follows `://`.
fn begins_with_a_user(address: &str) -> bool {
    let end = address.find(|c: char| c == '/' || c == '"' || c == '\'' || c.is_whitespace());
    address[..end.unwrap_or(address.len())].contains('@')
}

/// Whether letters and digits are mixed as in keys and tokens, and not as in names.
fn is_random(run: &str) -> bool {
    let has = |wanted: fn(&u8) -> bool| run.as_bytes().iter().any(wanted);
    let least = match has(u8::is_ascii_uppercase) {
        true => MIXED_RUN,
        false => RUN,
    };
    run.len() >= least && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_and_tests_may_be_drawn() {
        for text in [
            "voters = ['alice']",
            "\u{feff}[[author]]\nweight = 50%",
            "author = [1]",
            "  [ lists ]\nx = ['photo2024daily']",
            "[[trail]]\nnote = 'https://peakd.com/@bob/my-walk-20240501t120000000z'",
            "# tokens: none\nvoters = 5",
            "voters = ['tokens']\ntags = ['hive-174578', 'token']",
            "rules = 'a.toml'\n[[test]]\nname = 'x'",
        ] {
            assert!(may_be_drawn(text), "{text}");
        }
    }

    #[test]
    fn other_files_and_secrets_may_not() {
        for text in [
            "",
            "<html>",
            "DB_PASS=hunter2",
            "hunter2",
            "[registry]\nx = 'hunter2'",
            "weights: hunter2",
            "voters = ['alice']\nPassword: hunter2",
            "voters = ['alice']\napi_key = 'hunter2'",
            "voters = ['alice']\nexport TOKEN=hunter2",
            "voters = ['alice'] # mysql://u:hunter2@db/x",
            "voters = ['alice']\nnote = '5Jx7cQZ9KpqR4'",
            "voters = ['alice']\nnote = '0123456789abcdef0123'",
        ] {
            assert!(!may_be_drawn(text), "{text}");
        }
    }
}
