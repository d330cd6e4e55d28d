//! A complete rule file.

use std::collections::HashMap;
use std::ops::Range;
use std::str::Utf8Error;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::report::{Report, Reported, Values};
use crate::diagnostic::suggestion::closest;
use crate::diagnostic::{Finding, Problem};
use crate::rules::language::accounts;
use crate::rules::language::keys::Kind;
use crate::rules::language::lists::{self, Lists, Scope};
use crate::rules::language::rule_table::{self, RuleTable};
use crate::rules::rule::{Rule, RuleId};
use crate::toml_reader::item::{Item, Wanted, quoted};
use crate::toml_reader::table::Table;
use crate::toml_reader::{settings, syntax, timezone};

/// Result of reading a file.
#[derive(Debug, Default)]
pub struct Checked {
    /// In the order of the text. Empty if there is an error: one invalid rule makes the file invalid.
    pub rules: Vec<Rule>,
    /// Byte range of each rule's header.
    pub headers: Vec<Range<usize>>,
    /// Expiry moments of the enabled rules, with the byte ranges of their values.
    pub expiries: Vec<(DateTime<Utc>, Range<usize>)>,
    /// Errors and warnings, in the order of the text.
    pub problems: Vec<Problem>,
    /// Names of the lists that the rules use, including those that are not defined.
    pub uses: Vec<Arc<str>>,
}

impl Checked {
    /// Whether the file has no errors; it may have warnings.
    pub fn is_valid(&self) -> bool {
        !self.problems.iter().any(Problem::is_error)
    }
}

/// The paths of a file.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Path relative to the rules folder, separated by `/`: the first part of the identifiers of its rules.
    pub relative: &'a str,
    /// Path to show in messages.
    pub shown: &'a str,
}

/// Reads a single file. Its rules can use only the lists that it defines.
pub fn read(path: &str, text: &str) -> Checked {
    let place = Place {
        relative: path,
        shown: path,
    };
    read_with_lists(place, text, &Lists::new(lists::defined_in(path, text)))
}

/// Reads one of several files that share `lists`.
pub fn read_with_lists(place: Place<'_>, text: &str, lists: &Lists) -> Checked {
    let (mut checked, problems) = settings::read_guarded(place.shown, text, |values| {
        read_with(values, place, text, lists)
    });
    checked.problems = problems;
    checked
}

/// Reads a file; its problems are returned separately.
fn read_with(
    values: Values,
    place: Place<'_>,
    text: &str,
    lists: &Lists,
) -> (Checked, Vec<Problem>) {
    let mut report = Report::with(text, values);
    let root = syntax::parse(&mut report);
    let scope = Scope::new(lists, place.shown);
    let mut read = read_root(place.relative, &root, &scope, &mut report);
    if report.has_errors() {
        read.clear();
    }
    let expiries = read.iter().filter(|read| read.rule.enabled);
    let expiries = expiries.filter_map(|read| Some((read.rule.expires?, read.expires.clone()?)));
    let expiries = expiries.collect();
    let (rules, headers) = read
        .into_iter()
        .map(|read| (read.rule, read.header))
        .unzip();
    let checked = Checked {
        rules,
        headers,
        expiries,
        problems: Vec::new(),
        uses: scope.into_used(),
    };
    (checked, report.into_problems(place.shown))
}

/// The problem of a file that is not UTF-8, with the position of the first invalid byte.
pub fn not_text(path: &str, bytes: &[u8], error: Utf8Error) -> Vec<Problem> {
    let text = String::from_utf8_lossy(bytes);
    let at = error.valid_up_to();
    let ((), problems) = settings::read_guarded(path, &text, |values| {
        let mut report = Report::with(&text, values);
        let finding = Finding::at(at..at + '\u{fffd}'.len_utf8(), "this is not UTF-8 text");
        report.error(finding.help("save the file in the encoding UTF-8"));
        ((), report.into_problems(path))
    });
    problems
}

/// A rule and its position.
struct Placed {
    rule: Rule,
    header: Range<usize>,
    /// Position of the value of `expires`.
    expires: Option<Range<usize>>,
}

fn read_root<'t>(
    path: &str,
    root: &'t DeTable<'t>,
    scope: &Scope<'_>,
    report: &mut Report<'t>,
) -> Vec<Placed> {
    let mut table = Table::new(root, 0..0, "a rule file");
    let voters = match table.take("voters") {
        Some(item) => accounts::read(&item, scope, report).map(Some),
        None => Ok(None),
    };
    // A file with an unknown time zone is an error anyway.
    let zone = table
        .take("timezone")
        .map(|item| timezone::read(&item, report));
    let zone = zone.and_then(Result::ok).unwrap_or(Tz::UTC);
    if let Some(item) = table.take("lists") {
        scope.check_definitions(&item, report);
    }
    let mut tables = Vec::new();
    for kind in [Kind::Author, Kind::Trail] {
        if let Some(item) = table.take(kind.key()) {
            collect(kind, &item, &mut tables, report);
        }
    }
    // The precedence of rules is their order in the text, where both kinds can be mixed.
    tables.sort_by_key(|(_, table)| table.header.start);
    table.refuse_the_rest(report, belongs_elsewhere);

    let mut names = Names::default();
    let mut rules = Vec::with_capacity(tables.len());
    for (kind, table) in tables {
        let mut table = RuleTable {
            table,
            report,
            scope,
            kind,
            timezone: zone,
        };
        let header = table.table.header.clone();
        let name = names.name(kind, &mut table);
        let id = RuleId::new(path, name.as_deref().unwrap_or(""));
        let rule = rule_table::read(&mut table, id, &voters);
        let expires = table.table.take("expires").map(|item| item.span);
        table
            .table
            .refuse_the_rest(table.report, |key, _| belongs_in_other_rule(kind, key));
        if let (Ok(_), Ok(rule)) = (name, rule) {
            rules.push(Placed {
                rule,
                header,
                expires,
            });
        }
    }
    rules
}

/// Collects the tables of `[[author]]` or `[[trail]]`.
fn collect<'t>(
    kind: Kind,
    item: &Item<'t>,
    tables: &mut Vec<(Kind, Table<'t>)>,
    report: &mut Report<'t>,
) {
    let name = format!("`[[{}]]`", kind.key());
    let help = format!("each rule begins with a line {name}");
    match item.value {
        DeValue::Array(array) => {
            for value in array {
                match value.get_ref() {
                    DeValue::Table(table) => {
                        tables.push((kind, Table::new(table, value.span(), name.clone())));
                    }
                    _ => {
                        let message =
                            format!("`{}` must contain rules, which are tables", kind.key());
                        report.error(Finding::at(value.span(), message).help(help.clone()));
                    }
                }
            }
        }
        DeValue::Table(_) => {
            let message = format!("the header of a rule has double brackets: {name}");
            let finding = Finding::at(item.key_span.clone(), message);
            report.error(finding.help(format!("write {name}: a file can contain many rules")));
        }
        _ => {
            let message = format!("`{}` is not a key but a table: {name}", kind.key());
            report.error(Finding::at(item.key_span.clone(), message).help(help));
        }
    }
}

/// The names of the rules in a file, with their positions.
#[derive(Default)]
struct Names {
    taken: HashMap<String, Range<usize>>,
    authors: usize,
    trails: usize,
}

impl Names {
    /// The name of the next rule: the value of `name`, or its kind and number.
    fn name(&mut self, kind: Kind, table: &mut RuleTable<'_, '_>) -> Result<String, Reported> {
        let count = match kind {
            Kind::Author => &mut self.authors,
            Kind::Trail => &mut self.trails,
        };
        *count += 1;
        let given = table.read("name", |item, report| {
            Ok((check_name(item, report)?.to_owned(), item.span.clone()))
        })?;
        let by_position = given.is_none();
        let (name, span) = given.unwrap_or_else(|| {
            (
                format!("{}-{count}", kind.key()),
                table.table.header.clone(),
            )
        });
        let Some(first) = self.taken.get(&name) else {
            self.taken.insert(name.clone(), span);
            return Ok(name);
        };
        let message = match by_position {
            true => format!("the default name of this rule is `{name}`, which another rule has"),
            false => format!("two rules have the name `{name}`"),
        };
        let finding = Finding::at(span, message)
            .also(first.clone(), format!("`{name}` is used here"))
            .help("give each rule in a file its own `name`");
        Err(table.report.error(finding))
    }
}

fn check_name<'t>(item: &Item<'t>, report: &mut Report<'_>) -> Result<&'t str, Reported> {
    /// Maximum length in characters: path and name together must fit the database column.
    const MAX_LENGTH: usize = 100;
    const WANTED: Wanted = Wanted {
        what: "a text",
        example: "\"favourites\"",
    };
    let name = item.text(WANTED, report)?;
    let why = if name.trim().is_empty() {
        "a name cannot be empty"
    } else if name.chars().count() > MAX_LENGTH {
        "a name has at most 100 characters"
    } else if name.chars().any(char::is_control) {
        "a name cannot contain line breaks or other control characters"
    } else {
        return Ok(name);
    };
    Err(item.refuse(why, item.write(WANTED.example), report))
}

/// Help for a key that is not allowed at the top of a file.
fn belongs_elsewhere(key: &str, value: &DeValue<'_>) -> Option<String> {
    let is_tables = match value {
        DeValue::Array(array) => array.iter().all(|item| item.get_ref().is_table()),
        value => value.is_table(),
    };
    if is_tables && let Some(kind) = closest(key, ["author", "trail"]) {
        return Some(format!("did you mean `[[{kind}]]`?"));
    }
    match (Kind::Author.has(key), Kind::Trail.has(key)) {
        (true, true) => Some(format!(
            "`{key}` belongs below a line `[[author]]` or `[[trail]]`"
        )),
        (true, false) => Some(format!("`{key}` belongs below a line `[[author]]`")),
        (false, true) => Some(format!("`{key}` belongs below a line `[[trail]]`")),
        (false, false) => None,
    }
}

/// Help for a key that is not allowed in this kind of rule.
fn belongs_in_other_rule(kind: Kind, key: &str) -> Option<String> {
    let (others, other) = match kind {
        Kind::Author => (Kind::Trail, "`[[trail]]`"),
        Kind::Trail => (Kind::Author, "`[[author]]`"),
    };
    if others.has(key) {
        return Some(format!("`{key}` is a key of {other}"));
    }
    match key {
        "timezone" => Some("`timezone` belongs at the top of the file, above all rules".into()),
        "author" | "leader" | "voter" => {
            Some(format!("did you mean `{key}s = [{}]`?", quoted("alice")))
        }
        "vote" | "percent" | "power" | "strength" => {
            Some("did you mean `weight = \"50%\"`?".to_owned())
        }
        _ => None,
    }
}
