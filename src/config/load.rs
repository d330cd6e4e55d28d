//! Finds and reads the configuration, and reports all mistakes at once.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};
use url::Url;

use crate::config::environment::{Variables, variables};
use crate::config::layers::{Layers, Section};
use crate::config::place::{self, Found, Refused};
use crate::config::{Config, sections};
use crate::diagnostic::report::{Report, Reported, Values};
use crate::diagnostic::{Finding, PlainProblem};
use crate::private_file::Exposed;
use crate::toml_reader::item::{Item, Wanted};
use crate::toml_reader::settings::SECTIONS;
use crate::toml_reader::syntax;
use crate::toml_reader::table::Table;

/// Places where the file is looked for unless it is named, in this order.
pub(super) const PLACES: [&str; 2] = ["curatord.toml", "/etc/curatord/curatord.toml"];

/// Why there is no configuration. `Display` writes one line per problem.
#[derive(Debug, thiserror::Error)]
#[error("{}", lines(.problems))]
pub struct ConfigFailure {
    /// Everything that is wrong, in the order of the file. Never empty; quotes no value.
    pub problems: Vec<PlainProblem>,
    /// The rules folder, if it could be read.
    pub rules: Option<PathBuf>,
}

fn lines(problems: &[PlainProblem]) -> String {
    let lines: Vec<_> = problems.iter().map(PlainProblem::to_string).collect();
    lines.join("\n")
}

/// Reads the file at `explicit`, else the first that exists of `./curatord.toml` and
/// `/etc/curatord/curatord.toml`, else none. Variables `CURATORD_SECTION__KEY` of `environment` override it; the
/// rest has defaults.
///
/// # Errors
/// Everything that is wrong with it.
pub fn load(
    explicit: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Config, ConfigFailure> {
    match find(explicit)? {
        Some(found) => {
            let Found {
                path,
                text,
                exposed,
            } = found;
            read(Some(path), &text, exposed.as_ref(), &variables(environment))
        }
        None => read(None, "", None, &variables(environment)),
    }
}

/// The file; `None` where there is none.
fn find(explicit: Option<&Path>) -> Result<Option<Found>, ConfigFailure> {
    let candidates = match explicit {
        Some(path) => vec![path],
        None => PLACES.iter().map(Path::new).collect(),
    };
    for path in candidates {
        match place::open(path, explicit.is_some()) {
            Ok(file) => return Ok(Some(file)),
            Err(Refused::Unreadable(error))
                if error.kind() == ErrorKind::NotFound && explicit.is_none() => {}
            Err(refused) => {
                let finding = Finding::whole(format!("cannot read the configuration: {refused}"));
                let shown = path.to_string_lossy();
                return Err(ConfigFailure {
                    problems: vec![PlainProblem::of_file(
                        &shown,
                        finding.help(refused.help(path)),
                    )],
                    rules: None,
                });
            }
        }
    }
    Ok(None)
}

/// Reads the `text` of the file at `path`, overridden by the variables. Where the file is `exposed` to other users, a
/// secret in it is an error.
pub(super) fn read(
    path: Option<PathBuf>,
    text: &str,
    exposed: Option<&Exposed>,
    variables: &Variables,
) -> Result<Config, ConfigFailure> {
    let folder = path
        .as_deref()
        .and_then(Path::parent)
        .unwrap_or(Path::new(""))
        .to_owned();
    let report = Report::with(text, Values::Hidden);
    let root = syntax::parse(&report);
    if let (Some(exposed), Some(key)) = (exposed, secret_in(&root)) {
        let message = format!("other users can read this file, which holds a secret in `{key}`");
        report.warning(Finding::whole(message).help(format!("type `{}`", exposed.command)));
    }
    let mut layers = Layers::new(&report, variables, &folder);
    let (rules, config) = read_root(&root, path.clone(), &mut layers);
    layers.refuse_other_variables();
    let Layers { problems, .. } = layers;
    let shown = path
        .as_deref()
        .unwrap_or(Path::new(PLACES[0]))
        .to_string_lossy();
    let has_syntax_errors = report.has_syntax_errors();
    let mut all = report.into_plain_problems(&shown);
    all.extend(problems);
    match config {
        Ok(config) if !all.iter().any(PlainProblem::is_error) => Ok(Config {
            warnings: all,
            ..config
        }),
        _ => Err(ConfigFailure {
            problems: all,
            rules: rules.ok().filter(|_| !has_syntax_errors),
        }),
    }
}

pub(super) fn read_root<'t>(
    root: &'t DeTable<'t>,
    path: Option<PathBuf>,
    layers: &mut Layers<'t>,
) -> (Result<PathBuf, Reported>, Result<Config, Reported>) {
    let mut top = Table::new(root, 0..0, "the configuration", layers.report);
    let mut failed = None;
    let tables = SECTIONS.map(|name| {
        let item = top.take(name)?;
        const TABLE: Wanted = Wanted {
            what: "a table",
            example: "{ }",
        };
        let help = format!("its keys belong below a line `[{name}]`");
        match &item.value {
            toml::de::DeValue::Table(table) => Some(Table::new(
                table,
                item.span,
                format!("`[{name}]`"),
                layers.report,
            )),
            _ => {
                failed = Some(item.wrong_type_with(TABLE, help));
                None
            }
        }
    });
    let mut section = Section::new("", Some(top), layers);
    let rules = section.find_in("rules", folder_of_rules);
    section.refuse_the_rest();
    let rules = rules.map(|rules| rules.unwrap_or_else(|| layers.folder.join("rules")));

    let [database, network, signer, tokens, casting, http] = tables;
    let database = sections::database(Section::new("database", database, layers));
    let (kind, network) = sections::network(Section::new("network", network, layers));
    let signer = sections::signer(Section::new("signer", signer, layers), kind);
    let tokens = sections::tokens(Section::new("tokens", tokens, layers));
    let casting = sections::casting(Section::new("casting", casting, layers));
    let http = sections::http(Section::new("http", http, layers));
    let names_database = layers.names_database();
    let config = || {
        failed.map_or(Ok(()), Err)?;
        Ok(Config {
            path,
            warnings: Vec::new(),
            names_database,
            rules: rules.clone()?,
            database: database?,
            network: network?,
            signer: signer?,
            tokens: tokens?,
            casting: casting?,
            http: http?,
        })
    };
    let config = config();
    (rules, config)
}

/// The key of the first secret in the file.
fn secret_in(root: &DeTable<'_>) -> Option<&'static str> {
    let value = |section: &str, key: &str| match root.get(section)?.get_ref() {
        DeValue::Table(table) => table.get(key).map(|value| value.get_ref()),
        _ => None,
    };
    let has_password = |address: &DeValue<'_>| match address.as_str().map(Url::parse) {
        Some(Ok(url)) => url.password().is_some_and(|password| !password.is_empty()),
        _ => false,
    };
    let is_given = |secret: &DeValue<'_>| secret.as_str().is_some_and(|text| !text.is_empty());
    let any_node = |nodes: &DeValue<'_>| match nodes {
        DeValue::Array(nodes) => nodes.iter().any(|node| has_password(node.get_ref())),
        _ => false,
    };
    let found = [
        (
            "client_secret",
            value("signer", "client_secret").is_some_and(is_given),
        ),
        ("url", value("database", "url").is_some_and(has_password)),
        ("nodes", value("network", "nodes").is_some_and(any_node)),
    ];
    let found = found.into_iter().find(|(_, holds)| *holds);
    found.map(|(key, _)| key)
}

fn folder_of_rules(item: &Item<'_>, folder: &Path) -> Result<PathBuf, Reported> {
    const WANTED: Wanted = Wanted {
        what: "the path of a folder",
        example: "\"rules\"",
    };
    let text = item.text(WANTED)?;
    if text.is_empty() {
        let message = format!("`{}` is empty", item.key);
        return Err(item.refuse(message, item.write(WANTED.example)));
    }
    Ok(folder.join(text))
}
