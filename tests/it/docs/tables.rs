//! The tables name everything that there is, and nothing else.

use curatord::rules::language::keys::{self, Holds, Key};
use curatord::store::Store;
use curatord::toml_reader::settings::SECTIONS;
use curatord::votes::status::ErrorKind;
use curatord::votes::status::{Origin, Status};
use sqlx::{Connection, SqliteConnection};
use toml::{Table, Value};

use super::page::Page;

/// `limit` and `limit.per_day`, with the keys themselves.
fn with_inner(keys: &'static [Key]) -> Vec<(String, &'static Key)> {
    let mut all = Vec::new();
    for key in keys {
        all.push((key.name.to_owned(), key));
        if let Holds::Table(inner) | Holds::PercentageOrTable(inner) = key.holds {
            let inner = inner.iter();
            all.extend(inner.map(|one| (format!("{}.{}", key.name, one.name), one)));
        }
    }
    all
}

#[test]
fn every_key_of_the_rule_language_is_in_the_reference_with_its_default() {
    let page = Page::read("docs/rules.md");
    let sections: [(&str, &'static [Key]); 4] = [
        ("Keys at the top of a file", &keys::FILE),
        ("Keys of every rule", &keys::BOTH),
        ("Keys of `[[author]]`", &keys::AUTHOR),
        ("Keys of `[[trail]]`", &keys::TRAIL),
    ];
    for (title, keys) in sections {
        let known = with_inner(keys);
        let names: Vec<_> = known.iter().map(|(name, _)| name.clone()).collect();
        assert_eq!(sorted(page.names(title)), sorted(names), "{title}");
        for row in page.rows(title) {
            let name = row[0].replace('`', "");
            let (_, key) = known.iter().find(|(known, _)| *known == name).unwrap();
            let is_value = toml::from_str::<Table>(&format!("x = {}", key.default)).is_ok();
            match key.default {
                _ if key.required => assert_eq!(row[1], "required", "{name}"),
                value if is_value => assert_eq!(row[1], format!("`{value}`"), "{name}"),
                _ => {}
            }
        }
    }
}

/// Every key of the configuration, as `database.url`, with its default, which the packaged file gives it: the file
/// holds every key, which a test of `config` sees to, and those without a default in comments. Only the database has
/// another place there.
pub fn settings() -> Vec<(String, Option<Value>)> {
    let text = include_str!("../../../packaging/curatord.toml");
    let table: Table = toml::from_str(text).unwrap();
    let mut settings = Vec::new();
    for (name, value) in table {
        match value {
            Value::Table(section) => settings.extend(
                section
                    .into_iter()
                    .map(|(key, value)| (format!("{name}.{key}"), Some(value))),
            ),
            value => settings.push((name, Some(value))),
        }
    }
    let mut section = String::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[') {
            name.trim_end_matches(']').clone_into(&mut section);
        }
        let described = line.strip_prefix("#     ");
        if let Some((key, _)) = described.and_then(|line| line.split_once(" = ")) {
            let name = format!("{section}.{key}");
            if settings.iter().all(|(known, _)| *known != name) {
                settings.push((name, None));
            }
        }
    }
    let database = settings.iter_mut().find(|(name, _)| name == "database.url");
    database.unwrap().1 = Some("sqlite://curatord.db".into());
    settings
}

/// As TOML.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => format!("\"{text}\""),
        Value::Integer(number) => number.to_string(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(written).collect();
            format!("[{}]", items.join(", "))
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_key_of_the_configuration_is_in_the_reference_with_its_default() {
    let page = Page::read("docs/configuration.md");
    let mut told = page.rows("Top of the file");
    for section in SECTIONS {
        let rows = page.rows(&format!("`[{section}]`"));
        told.extend(rows.into_iter().map(|mut row| {
            row[0] = format!("{section}.{}", row[0].replace('`', ""));
            row
        }));
    }
    let mut told: Vec<_> = told
        .into_iter()
        .map(|row| (row[0].replace('`', ""), row[1].clone()))
        .collect();
    let mut known: Vec<_> = settings()
        .into_iter()
        .map(|(name, value)| match value {
            Some(value) if value.as_str() != Some("") => (name, format!("`{}`", written(&value))),
            _ => (name, String::new()),
        })
        .collect();
    told.sort();
    known.sort();
    assert_eq!(told, known);
}

#[test]
fn every_status_and_origin_and_type_of_error_is_described() {
    // What is added to one of them does not compile here until it is in the list, too.
    let statuses = {
        use Status::{Cast, Confirmed, DryRun, Failed, Queued, Skipped, Withdrawn};
        match Queued {
            Queued | Cast | Confirmed | Failed | Skipped | Withdrawn | DryRun => {}
        }
        [Queued, Cast, Confirmed, Failed, Skipped, Withdrawn, DryRun]
    };
    let origins = {
        use Origin::{Author, Hand, Schedule, Trail};
        match Author {
            Author | Trail | Schedule | Hand => {}
        }
        [Author, Trail, Schedule, Hand]
    };
    let types = {
        use ErrorKind::{Chain, Database, Hand, Refresh, Rules, Schedule, Signer, Trail, Vote};
        match Vote {
            Vote | Trail | Schedule | Hand | Refresh | Rules | Chain | Signer | Database => {}
        }
        [
            Vote, Trail, Schedule, Hand, Refresh, Rules, Chain, Signer, Database,
        ]
    };
    let page = Page::read("docs/tables.md");
    assert_eq!(page.names("Status"), statuses.map(Status::as_str));
    assert_eq!(page.names("Origin"), origins.map(Origin::as_str));
    assert_eq!(page.names("Type"), types.map(ErrorKind::as_str));
    for row in page.rows("Reason") {
        let status = row[0].replace('`', "");
        assert!(page.names("Status").contains(&status), "{row:?}");
    }
}

#[tokio::test]
async fn every_table_and_every_column_that_others_may_read_is_described() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("t.db").display());
    drop(
        Store::open(&url.clone().into(), chrono_tz::Tz::UTC)
            .await
            .unwrap(),
    );
    let mut database = SqliteConnection::connect(&url).await.unwrap();
    let ask = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let tables: Vec<String> = sqlx::query_scalar(ask)
        .fetch_all(&mut database)
        .await
        .unwrap();
    let page = Page::read("docs/tables.md");
    let told = page.names("Tables").into_iter().map(|cell| {
        let cell = cell.trim_start_matches('[');
        cell.split(']').next().unwrap_or_default().to_owned()
    });
    assert_eq!(sorted(told.collect()), sorted(tables));

    for table in ["votes", "steem_authorization", "error_log"] {
        let ask = "SELECT name FROM pragma_table_info(?)";
        let columns = sqlx::query_scalar(ask).bind(table);
        let columns: Vec<String> = columns.fetch_all(&mut database).await.unwrap();
        let told = page.names(&format!("`{table}`"));
        assert_eq!(sorted(told), sorted(columns), "{table}");
    }
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names
}
