//! No message and no drawing shows a value of the configuration, however broken it is.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::Index;

use crate::config::environment::variables;
use crate::config::load::read;
use crate::config::{ConfigFailure, load};
use crate::diagnostic::Problem;
use crate::diagnostic::render::render;
use crate::rules::language::file;
use crate::toml_reader::settings::KEYS;

/// Everything that any command prints of a failure.
fn printed(failure: &ConfigFailure) -> String {
    let problems = failure.problems.iter().cloned().map(Problem::from);
    let drawn: String = problems.map(|problem| render(&problem, false)).collect();
    format!("{drawn}{failure}{failure:?}")
}

/// The same of a rule file with this text.
fn printed_as_rules(text: &str) -> String {
    let problems = file::read("a.toml", text).problems;
    let drawn: String = problems
        .iter()
        .map(|problem| render(problem, false))
        .collect();
    format!("{drawn}{problems:?}")
}

fn failure(text: &str, environment: &[(&str, &str)]) -> ConfigFailure {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("curatord.toml");
    std::fs::write(&file, text).unwrap();
    for (name, secret) in [
        ("secret", "hunter2\nhunter2"),
        ("url", "mysql://u:hunter2@h"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, secret).unwrap();
        std::fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    }
    let pairs = environment.iter();
    let pairs = pairs.map(|(name, value)| (name.to_string(), value.to_string()));
    load(Some(&file), pairs).expect_err(text)
}

#[test]
fn no_mistake_shows_a_value() {
    for text in [
        "[signer]\nclient_secret = 'hunter2'\ntimeout = 5",
        "[signer]\nclient_secrt = 'hunter2'",
        "[signer]\nclient_secret = hunter2",
        "[signer]\nclient_secret = 'hunter2\ntimeout = 5",
        "[signer]\nclient_secret = ['hunter2']",
        "[signer]\nclient_secret_file = 'hunter2'",
        "[signer]\nclient_secret_file = 'secret'",
        "[signer]\nclient_secret.hunter2 = 1",
        "[signer]\nhunter2 = 1",
        "[hunter2]\nclient_secret = 1",
        "[signer]\nhunter2 = 1\nhunter2 = 2",
        "[signer]\nurl = 'https://u:hunter2@h/api'",
        "[signer]\nurl = 'hunter2.com'",
        "[signer]\nclient_id = 'hunter2!'\ntimeout = 'hunter2'",
        "[signer]\ntimeout = '7 hunter2'\nmax_in_flight = 'hunter2'",
        "[database]\nurl = 'mysql://u:hunter2@h'",
        "[database]\nurl = 'sqlite:?hunter2'",
        "[database]\nurl = 'hunter2'\nurl_file = 'x'",
        "[database]\nurl_file = 'url'",
        "[database]\ntimezone = 'hunter2'",
        "signer = { client_secret = 'hunter2', timeout = 5 }",
        "signer = 'hunter2'\nrules = ['hunter2']",
        "[network]\nnodes = ['https://u:hunter2@h', 'x']",
        "[network]\nnodes = 'hunter2'\nkind = 'hunter2'\nstart = 'hunter2'",
        "nodes = 'https://u:hunter2@h'\n[network]\nnodes = 'https://u:hunter2@h'",
        "client_secret = '''\nhunter2\n'''\ntimeout = 5",
        "[http]\nlisten = 'hunter2'",
        "# client_secret = 'hunter2'\nx = 1",
    ] {
        let shown = printed(&failure(text, &[]));
        assert!(!shown.contains("hunter2"), "{text}\n{shown}");
        assert!(!shown.contains('│'), "{text}\n{shown}");
    }
}

#[test]
fn numbers_are_values_too() {
    for text in [
        "[signer]\nmax_in_flight = '7777777'",
        "[signer]\ntimeout = 7777777",
        "[signer]\ntimeout = '7777777'",
        "[signer]\ntimeout = '7777777.7 Seconds'",
        "[signer]\nclient_secret = 7777777",
    ] {
        let shown = printed(&failure(text, &[]));
        assert!(!shown.contains("7777777"), "{text}\n{shown}");
    }
}

#[test]
fn no_mistake_in_a_variable_shows_its_value() {
    for (name, value) in [
        ("CURATORD_DATABASE__URL", "x://u:hunter2@h"),
        ("CURATORD_DATABASE__URL_FILE", "/hunter2"),
        ("CURATORD_SIGNER__URL", "x://u:hunter2@h"),
        ("CURATORD_SIGNER__CLIENT_SECRT", "hunter2"),
        ("CURATORD_SIGNER__CLIENT_SECRET_FILE", "hunter2"),
        ("CURATORD_SIGNER__CLIENT_ID", "hunter2!"),
        ("CURATORD_NETWORK__KIND", "hunter2"),
        ("CURATORD_NETWORK__NODES", "hunter2, https://a.example"),
        ("CURATORD_DATABASE__TIMEZONE", "hunter2"),
        ("CURATORD_TOKENS__REFRESH_AHEAD", "hunter2"),
    ] {
        let shown = printed(&failure("", &[(name, value)]));
        assert!(!shown.contains("hunter2"), "{name}: {shown}");
        assert!(shown.contains(name), "{name}: {shown}");
    }
}

#[test]
fn a_signer_of_ones_own_is_not_named_as_the_source_of_what_is_missing() {
    let none = variables([]);
    let text = "[signer]\nurl = 'https://signer.example/hunter2'";
    let config = read(Some(PathBuf::from("c.toml")), text, None, &none).unwrap();
    let told = config.ready_to_run().unwrap_err().to_string();
    assert!(told.contains("get them from your signer"), "{told}");
    assert!(!told.contains("hunter2"), "{told}");
}

#[test]
fn a_mistake_is_told_with_its_place() {
    for (text, place) in [
        (
            "[signer]\nclient_secrt = 'x'",
            ":2:1: unknown key `client_secrt` in `[signer]`",
        ),
        ("[signer]\n  xyz = 'x'", ":2:3: unknown key in `[signer]`"),
        (
            "[signer]\nclient_secret = x",
            ":2:17: a text must stand in quotes",
        ),
        (
            "[network]\nkind = 'x'",
            ":2:8: `kind` must be hive or steem",
        ),
    ] {
        let shown = failure(text, &[]).to_string();
        assert!(shown.contains(&format!("curatord.toml{place}")), "{shown}");
    }
}

#[test]
fn a_configuration_among_the_rules_is_not_drawn() {
    for (text, key, place) in [
        ("[signer]\nclient_secret = 'hunter2'", "signer", "1:2"),
        (
            "x = 1\n\"client_secret\" = 'hunter2'",
            "client_secret",
            "2:1",
        ),
        (
            "client_secret = 'hunter2'\nvoters = 5",
            "client_secret",
            "1:1",
        ),
        ("signer.client_secret = 'hunter2'", "signer", "1:1"),
        ("x = { y = [{ url = 'hunter2' }] }", "url", "1:14"),
        ("\"\\u0075rl\" = 'hunter2'", "url", "1:1"),
        ("[database\nurl = 'hunter2'", "database", "1:2"),
        ("url = hunter2", "url", "1:1"),
        ("url: hunter2", "url", "1:1"),
        ("client_secret hunter2\n", "client_secret", "1:1"),
        (
            "voters = ['alice'\n[network]\nnodes = ['hunter2']",
            "network",
            "2:2",
        ),
        (
            "[[author]]\nvoters = ['alice']\nretry_for = 'hunter2'\nweight = 5",
            "retry_for",
            "3:1",
        ),
    ] {
        let problems = file::read("a.toml", text).problems;
        let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [format!(
                "a.toml:{place}: `{key}` belongs in curatord.toml, not here (this looks like curatord.toml: check \
                 that with `curatord check --config FILE`)"
            )],
            "{text}"
        );
        let shown = printed_as_rules(text);
        assert!(
            !shown.contains("hunter2") && !shown.contains('│'),
            "{shown}"
        );
    }
}

#[test]
fn a_rule_file_that_mentions_a_secret_is_told_of_its_mistakes_without_its_lines() {
    for text in [
        "# client_secret = 'hunter2'\nweight = 5",
        "# url_file = 'hunter2'\nvoters = [",
        "x = { client_secret = hunter2 }",
        "[[author]]\nvoters = ['alice'] # client_secret: hunter2\nauthors = ['bob', 'bob']\nweight = '5%'",
    ] {
        let shown = printed_as_rules(text);
        assert!(shown.contains("a.toml:"), "{shown}");
        assert!(
            !shown.contains("hunter2") && !shown.contains('│'),
            "{shown}"
        );
    }
}

#[test]
fn a_rule_file_is_drawn_whatever_its_lists_and_members_are_called() {
    for text in [
        "[lists]\nstart = ['alice']\nurl = ['bob']\n[[author]]\nvoters = 5",
        "[lists]\nstart = ['alice']\nurl = ['bob'\n",
        "voters = [\n  'start',\n  'tokens'\n]\nauthors = [\n",
        "# tokens: none\nvoters = 5",
        "note = 'see url = x'\nvoters = 5",
    ] {
        let shown = printed_as_rules(text);
        assert!(shown.contains('│'), "{shown}");
        assert!(!shown.contains("curatord.toml"), "{shown}");
    }
}

#[test]
fn a_file_of_tests_that_is_the_configuration_is_not_drawn() {
    let text = "[signer]\nclient_secret = 'hunter2'";
    let problems = crate::ruletest::file::read(Path::new("t.toml"), text).unwrap_err();
    let drawn: String = problems
        .iter()
        .map(|problem| render(problem, false))
        .collect();
    assert!(drawn.contains("looks like curatord.toml"), "{drawn}");
    assert!(!drawn.contains("hunter2"), "{drawn}");
}

#[test]
fn no_key_of_the_rule_language_is_one_of_the_configuration() {
    use crate::rules::language::keys::Kind;
    for key in KEYS {
        assert!(!Kind::Author.has(key) && !Kind::Trail.has(key), "{key}");
    }
}

/// A slip of whoever edits the file.
#[derive(Debug, Clone)]
enum Slip {
    Remove(Index, usize),
    Insert(Index, String),
    RepeatLine(Index),
    SwapLines(Index, Index),
}

fn slip() -> impl Strategy<Value = Slip> {
    let place = any::<Index>;
    prop_oneof![
        3 => (place(), 1..12_usize).prop_map(|(at, count)| Slip::Remove(at, count)),
        3 => (place(), "([\\[\\]{}='\"#.,:\n ]|\"\"\"|\\\\|x|é){1,3}").prop_map(|(at, text)| Slip::Insert(at, text)),
        1 => place().prop_map(Slip::RepeatLine),
        1 => (place(), place()).prop_map(|(one, other)| Slip::SwapLines(one, other)),
    ]
}

impl Slip {
    fn happen(&self, text: &str) -> String {
        let characters: Vec<char> = text.chars().collect();
        let mut lines: Vec<&str> = text.split('\n').collect();
        match self {
            Self::Remove(at, count) => {
                let at = at.index(characters.len() + 1);
                let (before, after) = characters.split_at(at);
                before.iter().chain(after.iter().skip(*count)).collect()
            }
            Self::Insert(at, inserted) => {
                let (before, after) = characters.split_at(at.index(characters.len() + 1));
                let (before, after): (String, String) =
                    (before.iter().collect(), after.iter().collect());
                format!("{before}{inserted}{after}")
            }
            Self::RepeatLine(at) => {
                let at = at.index(lines.len());
                lines.insert(at, lines[at]);
                lines.join("\n")
            }
            Self::SwapLines(one, other) => {
                let (one, other) = (one.index(lines.len()), other.index(lines.len()));
                lines.swap(one, other);
                lines.join("\n")
            }
        }
    }
}

fn with_secrets(secret: &str) -> String {
    format!(
        "rules = \"rules\"\n[database]\nurl = \"mysql://u:{secret}@localhost/votes\"\n[network]\nkind = \"hive\"\n\
         nodes = [\n  \"https://u:{secret}@node.example\",\n]\n[signer]\nurl = \"https://{secret}@signer.example\"\n\
         client_id = \"my.app\"\nclient_secret = \"{secret}\" # was '{secret}'\ntimeout = \"10s\"\n\
         [tokens]\nrefresh_ahead = \"56h\"\n[http]\nlisten = \"127.0.0.1:9393\"\n"
    )
}

/// Whether `shown` holds a piece of `secret`.
fn gives_away(shown: &str, secret: &str) -> bool {
    let pieces = secret.as_bytes().windows(5);
    pieces
        .map(String::from_utf8_lossy)
        .any(|piece| shown.contains(&*piece))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_breakage_shows_a_secret(secret in "[XQZJ=.]{12,20}", slips in prop::collection::vec(slip(), 1..5)) {
        let mut text = with_secrets(&secret);
        for slip in slips {
            text = slip.happen(&text);
        }
        if let Err(failure) = read(None, &text, None, &variables([])) {
            let shown = printed(&failure);
            prop_assert!(!gives_away(&shown, &secret), "{}\n{}", text, shown);
        }
        let shown = printed_as_rules(&text);
        prop_assert!(!gives_away(&shown, &secret), "{}\n{}", text, shown);
    }

    #[test]
    fn no_text_upsets_the_reader(text in "([a-z_]{1,6}|[\\[\\]{}='\"., \n#é]|signer|client_secret|url){0,40}") {
        if let Err(failure) = read(None, &text, None, &variables([])) {
            prop_assert!(!printed(&failure).is_empty());
        }
        printed_as_rules(&text);
    }
}
