//! Files that are no rule files, but that somebody points `curatord check` at: no secret in them is shown.

use std::path::Path;

use curatord::diagnostic::Problem;
use curatord::diagnostic::render::render;
use curatord::rules::language::file::read;
use curatord::ruletest;
use fastrand::Rng;

use super::toml_text::mutated;
use super::{fuzz, pick};

/// Kinds of files that hold `SECRET`.
const FILES: [&str; 22] = [
    "DB_HOST=db\nDB_PASS=SECRET\nAPI=SECRET\n",
    "[client]\nuser = curatord\npassword = SECRET\n",
    "machine example.org login bob password SECRET\n",
    "db.example.org:3306:curatord:bob:SECRET\n",
    "[{\"voter\": \"alice\", \"access_token\": \"SECRET\", \"refresh_token\": \"SECRET\", \"expires_in\": 604800}]\n",
    "{\"access_token\":\"SECRET\",\"refresh_token\":\"SECRET\",\"expires_in\":604800,\"username\":\"alice\"}\n",
    "5SECRET\n",
    "SECRET\n",
    "posting = \"5SECRET\"\n",
    "-----BEGIN OPENSSH PRIVATE KEY-----\nSECRET\nSECRET\n-----END OPENSSH PRIVATE KEY-----\n",
    "mysql://curatord:SECRET@db.example.org/curatord\n",
    "services:\n  db:\n    environment:\n      MARIADB_ROOT_PASSWORD: SECRET\n",
    "[registry]\ntoken = \"SECRET\"\n",
    "[default]\naws_access_key_id = SECRET\naws_secret_access_key = SECRET\n",
    "[signer]\nclient_id = \"my.app\"\nclient_secret = \"SECRET\"\ntimeout = 5\n",
    "[database]\nurl = \"mysql://u:SECRET@h/d\"\n",
    "voters = [\"alice\"]\nclient_secret = \"SECRET\"\n[[author]]\nweight = 5\n",
    "voters = [\"alice\"]\nnote = \"key 5SECRET\"\n[[author]]\nweight = 5\npasswd = \"SECRET\"\n",
    "export TOKEN=SECRET\nexport WEIGHT=5\n",
    "[Service]\nEnvironment=CURATORD_SIGNER__CLIENT_SECRET=SECRET\n",
    "root:$6$SECRET$SECRET:19000:0:99999:7:::\n",
    "name: app\ncredentials: SECRET\nweight: 5\n",
];

/// Letters and digits that stand nowhere else.
fn secret(rng: &mut Rng) -> String {
    const LETTERS: &[u8] = b"QXZJKVW246789";
    (0..24).map(|_| char::from(*pick(rng, LETTERS))).collect()
}

/// Whether a piece of `secret` stands in `shown` that is long enough to be of use.
fn gives_away(shown: &str, secret: &str) -> bool {
    let pieces = secret.as_bytes().windows(12);
    pieces
        .map(String::from_utf8_lossy)
        .any(|piece| shown.contains(&*piece))
}

fn drawn(problems: &[Problem]) -> String {
    let drawn: String = problems
        .iter()
        .map(|problem| render(problem, false))
        .collect();
    format!("{drawn}{problems:?}")
}

fn assert_hidden(text: &str, secret: &str) {
    let shown = drawn(&read("a.toml", text).problems);
    assert!(!gives_away(&shown, secret), "{text}\n{shown}");
    if let Err(problems) = ruletest::file::read(Path::new("a.toml"), text) {
        let shown = drawn(&problems);
        assert!(!gives_away(&shown, secret), "{text}\n{shown}");
    }
}

#[test]
fn no_file_makes_check_show_a_secret() {
    let mut rng = Rng::with_seed(1);
    for file in FILES {
        let secret = secret(&mut rng);
        assert_hidden(&file.replace("SECRET", &secret), &secret);
    }
}

#[test]
fn no_file_that_is_damaged_makes_check_show_a_secret() {
    let make = |rng: &mut Rng| {
        let secret = secret(rng);
        let file = pick(rng, &FILES).replace("SECRET", &secret);
        format!("{secret}\n{}", mutated(&file, rng))
    };
    fuzz(make, |input| {
        let (secret, text) = input.split_once('\n').unwrap();
        assert_hidden(text, secret);
    });
}
