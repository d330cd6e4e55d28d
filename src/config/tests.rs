//! The settings that a configuration gives, and the messages about invalid ones.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono_tz::Tz;
use secrecy::ExposeSecret;
use tempfile::TempDir;
use toml::de::DeTable;

use crate::config::environment::variables;
use crate::config::layers::Layers;
use crate::config::load::read_root;
use crate::config::{Config, ConfigFailure, Start, load};
use crate::diagnostic::report::Report;
use crate::network::{ChainKind, Follow};
use crate::toml_reader::settings::KEYS;

/// A folder with a configuration in it.
struct Folder {
    folder: TempDir,
    file: PathBuf,
}

impl Folder {
    fn with(text: &str) -> Self {
        let mut builder = tempfile::Builder::new();
        let private = Permissions::from_mode(0o700);
        let folder = builder.permissions(private).tempdir().unwrap();
        let file = folder.path().join("curatord.toml");
        std::fs::write(&file, text).unwrap();
        Self { folder, file }
    }

    fn load(&self, environment: &[(&str, &str)]) -> Result<Config, ConfigFailure> {
        let pairs = environment
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()));
        load(Some(&self.file), pairs)
    }

    /// Puts a secret into a file that only its owner may read.
    fn write_secret(&self, name: &str, secret: &str) {
        let path = self.path(name);
        std::fs::write(&path, secret).unwrap();
        std::fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What is wrong, a line each, with the folder left out.
    fn problems(&self, environment: &[(&str, &str)]) -> Vec<String> {
        let failure = self
            .load(environment)
            .expect_err("the configuration is taken for good");
        let folder = format!("{}/", self.folder.path().display());
        failure
            .to_string()
            .lines()
            .map(|line| line.replace(&folder, ""))
            .collect()
    }
}

fn config(text: &str, environment: &[(&str, &str)]) -> Config {
    Folder::with(text).load(environment).unwrap()
}

#[test]
fn settings_that_are_not_given_have_defaults() {
    let folder = Folder::with("");
    let config = folder.load(&[]).unwrap();
    assert_eq!(config.path.as_ref(), Some(&folder.file));
    assert_eq!(config.rules, folder.path("rules"));
    let database = format!("sqlite://{}", folder.path("curatord.db").display());
    assert_eq!(config.database.url.expose_secret(), database);
    assert_eq!(config.database.timezone, Tz::UTC);
    let network = &config.network;
    assert_eq!(
        (network.kind, network.follow, network.start),
        (ChainKind::Hive, Follow::Head, Start::Last)
    );
    assert_eq!(
        network.nodes,
        ["https://api.hive.blog", "https://api.deathwing.me"]
    );
    assert_eq!(
        (network.vote_interval, network.block_interval.as_secs()),
        (Duration::ZERO, 3)
    );
    assert_eq!(config.signer.url, "https://hivesigner.com");
    assert_eq!(
        (
            config.signer.max_in_flight,
            config.signer.requests_per_second
        ),
        (32, 0.0)
    );
    assert_eq!(config.signer.timeout.as_secs(), 10);
    assert_eq!(config.tokens.refresh_ahead.as_secs(), 56 * 3_600);
    assert_eq!(config.casting.retry_for.as_secs(), 600);
    assert_eq!(config.casting.confirm_within.as_secs(), 120);
    assert_eq!(config.http.listen, "127.0.0.1:9393");
}

#[test]
fn steem_has_its_own_defaults_which_the_file_overrides() {
    let preset = config("network.kind = 'steem'", &[]);
    assert_eq!(preset.network.nodes, ["https://api.steemit.com"]);
    assert_eq!(preset.network.vote_interval.as_secs(), 3);
    assert_eq!(preset.signer.url, "https://steemlogin.com");
    let given = config(
        "[network]\nkind = 'steem'\nvote_interval = '4s'\n[signer]\nurl = 'http://localhost:8080/'",
        &[],
    );
    assert_eq!(given.network.vote_interval.as_secs(), 4);
    assert_eq!(given.signer.url, "http://localhost:8080");
}

#[test]
fn the_environment_overrides_the_file() {
    let text = "rules = 'a'\n[network]\nnodes = ['https://a.example']\nstart = 5\n[signer]\ntimeout = '1s'";
    let config = config(
        text,
        &[
            ("CURATORD_RULES", "elsewhere"),
            (
                "CURATORD_NETWORK__NODES",
                "https://b.example, https://c.example",
            ),
            ("CURATORD_NETWORK__START", "7"),
            ("CURATORD_SIGNER__TIMEOUT", "2s"),
            ("CURATORD_SIGNER__REQUESTS_PER_SECOND", "2.5"),
            ("CURATORD_SIGNER__MAX_IN_FLIGHT", "4"),
            ("CURATORD_DATABASE__URL", "mysql://u:p@localhost/votes"),
            ("CURATORD_HTTP__LISTEN", ""),
            // Set by container systems for a service of that name.
            ("CURATORD_PORT", "tcp://10.0.0.1:80"),
        ],
    );
    assert_eq!(
        config.rules,
        Path::new("elsewhere"),
        "relative to the working directory"
    );
    assert_eq!(
        config.network.nodes,
        ["https://b.example", "https://c.example"]
    );
    assert_eq!(config.network.start, Start::Block(7));
    assert_eq!(
        (config.signer.timeout.as_secs(), config.signer.max_in_flight),
        (2, 4)
    );
    assert_eq!(config.signer.requests_per_second, 2.5);
    assert_eq!(
        config.database.url.expose_secret(),
        "mysql://u:p@localhost/votes"
    );
    assert_eq!(config.http.listen, "");
}

#[test]
fn paths_are_relative_to_the_file() {
    let folder = Folder::with("rules = '../rules'\n[database]\nurl = 'sqlite://data/c.db?mode=rw'");
    let config = folder.load(&[]).unwrap();
    assert_eq!(config.rules, folder.path("../rules"));
    let url = format!("sqlite://{}?mode=rw", folder.path("data/c.db").display());
    assert_eq!(config.database.url.expose_secret(), url);
    let absolute = Folder::with("rules = '/r'\n[database]\nurl = 'sqlite:///c.db'")
        .load(&[])
        .unwrap();
    assert_eq!(absolute.rules, Path::new("/r"));
    assert_eq!(absolute.database.url.expose_secret(), "sqlite:///c.db");
}

#[test]
fn secrets_come_from_files_without_their_last_line_break() {
    let folder =
        Folder::with("[database]\nurl_file = 'url'\n[signer]\nclient_secret_file = 'secret'");
    folder.write_secret("url", "mariadb://u:p@h/d\n");
    folder.write_secret("secret", "s3cret\r\n");
    let config = folder.load(&[]).unwrap();
    assert_eq!(config.database.url.expose_secret(), "mariadb://u:p@h/d");
    assert_eq!(config.signer.client_secret.expose_secret(), "s3cret");
    assert!(!format!("{config:?}").contains("s3cret"));
}

#[test]
fn a_secret_given_twice_is_refused() {
    let folder = Folder::with("[signer]\nclient_secret = 'a'\nclient_secret_file = 'secret'");
    assert_eq!(
        folder.problems(&[]),
        [
            "curatord.toml:3:22: `client_secret_file` and `client_secret` are both given (remove one of the \
          two)"
        ]
    );
    let environment = [
        ("CURATORD_DATABASE__URL", "sqlite://a.db"),
        ("CURATORD_DATABASE__URL_FILE", "url"),
    ];
    assert_eq!(Folder::with("").problems(&environment).len(), 1);
}

#[test]
fn a_secret_in_the_environment_beats_both_ways_to_give_it_in_the_file() {
    let text = "[signer]\nclient_secret_file = 'nowhere'\n[database]\nurl = 'sqlite://a.db'";
    let folder = Folder::with(text);
    folder.write_secret("url", "sqlite:///b.db");
    let url_file = folder.path("url").display().to_string();
    let config = folder.load(&[
        ("CURATORD_SIGNER__CLIENT_SECRET", "x"),
        ("CURATORD_DATABASE__URL_FILE", &url_file),
    ]);
    let config = config.unwrap();
    assert_eq!(config.signer.client_secret.expose_secret(), "x");
    assert_eq!(config.database.url.expose_secret(), "sqlite:///b.db");
}

#[test]
fn an_empty_secret_is_none_given() {
    let folder = Folder::with("[signer]\nclient_secret = ''\nclient_secret_file = 'secret'");
    folder.write_secret("secret", "x");
    assert_eq!(
        folder
            .load(&[])
            .unwrap()
            .signer
            .client_secret
            .expose_secret(),
        "x"
    );
}

#[test]
fn missing_required_settings_are_named_with_the_ways_to_set_them() {
    let folder = Folder::with("[signer]\nclient_secret = 'x'");
    let missing = folder
        .load(&[])
        .unwrap()
        .ready_to_run()
        .unwrap_err()
        .to_string();
    assert_eq!(
        missing,
        format!(
            "signer.client_id is not set: get it from https://hivesigner.com, and set it in `[signer]` of {} \
             or as CURATORD_SIGNER__CLIENT_ID",
            folder.file.display()
        )
    );
    let id = ("CURATORD_SIGNER__CLIENT_ID", "my.app");
    assert_eq!(folder.load(&[id]).unwrap().ready_to_run(), Ok(()));
}

#[test]
fn all_mistakes_are_reported_at_once() {
    let folder = Folder::with(
        "ruls = 'x'\nrules = 5\n[database]\nurl = 'postgres://u:hunter2@h/d'\ntimezone = 'Amsterdam'\n\
         [network]\nkind = 'stem'\nnodes = ['api.hive.blog', 'ftp://x']\nfollow = 'tail'\n\
         vote_interval = 3\nblock_interval = '0s'\nstart = 'now'\n\
         [signer]\nurl = 'hivesigner.com'\nclient_id = 5\nclient_secret = 12345\nmax_in_flight = 0\n\
         requests_per_second = -1\ntimeout = 'long'\n[tokens]\nrefresh = '1d'\n[casting]\nretry_for = '8d'\n\
         [http]\nlisten = 'x'\n[signr]\nclient_secret = 'hunter2'\n",
    );
    let environment = [
        ("CURATORD_SIGNER__CLIENT_SECRT", "hunter2"),
        ("CURATORD_TOKENS__REFRESH_AHEAD", "soon"),
        ("CURATORD_CASTING__CONFIRM_WITHIN", "5"),
    ];
    insta::assert_snapshot!("mistakes", folder.problems(&environment).join("\n"));
}

#[test]
fn a_database_on_several_hosts_is_refused() {
    let folder = Folder::with("");
    for url in ["mysql://h1,h2/db", "mariadb://u:p@h1:3306,h2:3306/db"] {
        let problems = folder.problems(&[("CURATORD_DATABASE__URL", url)]);
        let told = problems.iter().any(|text| text.contains("several hosts"));
        assert!(told, "{url}: {problems:?}");
    }
}

#[test]
fn help_about_a_variable_does_not_mention_quotes() {
    let folder = Folder::with("");
    let told = folder.problems(&[
        ("CURATORD_NETWORK__KIND", ""),
        ("CURATORD_SIGNER__URL", "hivesigner.org"),
    ]);
    assert_eq!(
        told,
        [
            "CURATORD_NETWORK__KIND:1:1: `CURATORD_NETWORK__KIND` must be hive or steem \
             (write CURATORD_NETWORK__KIND=hive or CURATORD_NETWORK__KIND=steem)",
            "CURATORD_SIGNER__URL:1:1: this is not an address: it must begin with https:// or http:// \
             (write it as in https://hivesigner.com)",
        ]
    );
}

#[test]
fn a_file_that_is_named_must_exist() {
    let failure = load(Some(Path::new("/nowhere/curatord.toml")), []).unwrap_err();
    assert!(
        failure
            .to_string()
            .starts_with("/nowhere/curatord.toml: cannot read the configuration: ")
    );
}

#[test]
fn rules_are_known_even_if_the_rest_is_wrong() {
    let folder = Folder::with("rules = 'r'\nnonsense = 1");
    assert_eq!(folder.load(&[]).unwrap_err().rules, Some(folder.path("r")));
}

#[test]
fn the_packaged_file_holds_every_key_with_its_default() {
    let packaged = include_str!("../../packaging/curatord.toml");
    let (folder, empty) = (Folder::with(packaged), Folder::with(""));
    let shown = |folder: &Folder| {
        let config = format!("{:?}", folder.load(&[]).unwrap());
        config.replace(&folder.folder.path().display().to_string(), "")
    };
    assert_eq!(shown(&folder), shown(&empty));
    let packaged_url = folder.load(&[]).unwrap().database.url;
    // In the folder that the unit gives to the daemon: it may not write in /etc.
    let url = "sqlite:///var/lib/curatord/curatord.db";
    assert_eq!(packaged_url.expose_secret(), url);

    let nothing = DeTable::new();
    let none = variables([]);
    let report = Report::new("");
    let mut layers = Layers::new(&report, &none, Path::new(""));
    read_root(&nothing, None, &mut layers).1.unwrap();
    let table = DeTable::parse(packaged).unwrap().into_inner();
    for (section, key) in layers.asked {
        let shared = ["rules", "timezone", "kind"];
        assert!(KEYS.contains(&key) || shared.contains(&key), "{key}");
        let given = match section {
            "" => table.contains_key(key),
            _ => table[section].get_ref().get(key).is_some(),
        };
        let described = packaged.contains(&format!("#     {key} = "));
        assert!(given || described, "{section}.{key}");
    }
}
