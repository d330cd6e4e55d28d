//! A complete rule file.

use std::collections::HashMap;
use std::ops::Range;
use std::str::Utf8Error;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::report::{Report, Reported};
use crate::diagnostic::suggestion::{alternatives, closest};
use crate::diagnostic::{Finding, Problem};
use crate::rules::language::keys::Kind;
use crate::rules::language::lists::{self, Lists, Scope};
use crate::rules::language::rule_table::RuleTable;
use crate::rules::language::{accounts, keys, whole_rule};
use crate::rules::rule::{Rule, RuleId};
use crate::toml_reader::item::{Item, Wanted, quoted};
use crate::toml_reader::table::{Meant, Table};
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
    let (checked, problems) = settings::read_guarded(place.shown, text, |report| {
        let root = syntax::parse_with(report, |root, report| {
            read_root(
                place.relative,
                root,
                &Scope::new(lists, place.shown),
                report,
            );
        });
        let scope = Scope::new(lists, place.shown);
        let mut read = read_root(place.relative, &root, &scope, report);
        if report.has_errors() {
            read.clear();
        }
        let mut checked = Checked::default();
        for Placed {
            rule,
            header,
            expires,
        } in read
        {
            if let (true, Some(from), Some(span)) = (rule.enabled, rule.expires, expires) {
                checked.expiries.push((from, span));
            }
            checked.rules.push(rule);
            checked.headers.push(header);
        }
        checked.uses = scope.into_used();
        checked
    });
    Checked {
        problems,
        ..checked
    }
}

/// The problem of a file that is not UTF-8, with the position of the first invalid byte.
pub fn not_text(path: &str, bytes: &[u8], error: Utf8Error) -> Vec<Problem> {
    let text = String::from_utf8_lossy(bytes);
    let at = error.valid_up_to();
    let ((), problems) = settings::read_guarded(path, &text, |report| {
        let finding = Finding::at(at..at + '\u{fffd}'.len_utf8(), "this is not UTF-8 text");
        report.error(finding.help("save the file in the encoding UTF-8"));
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
    report: &'t Report<'t>,
) -> Vec<Placed> {
    let known = keys::FILE.each_ref().map(|key| key.name);
    let mut table = Table::new(root, 0..0, "a rule file", report).with_keys(&known, |_| None);
    let mut voters = table.read("voters", |item| accounts::read(item, scope));
    // A file with an unknown time zone is an error anyway.
    let zone = table.read("timezone", timezone::read);
    let timezone = zone.ok().flatten().unwrap_or(Tz::UTC);
    let lists = table.take("lists");
    let mut tables = Vec::new();
    for kind in [Kind::Author, Kind::Trail] {
        if let Some(item) = table.take(kind.key()) {
            collect(kind, &item, &mut tables);
        }
    }
    if let Some(item) = lists {
        let lacks_voters =
            matches!(voters, Ok(None)) && tables.iter().any(|(_, table)| !table.has("voters"));
        let misplaced = misplaced_in_lists(&item, lacks_voters);
        if let Some((_, reported)) = misplaced.iter().find(|(name, _)| *name == "voters") {
            voters = Err(*reported);
        }
        let misplaced: Vec<_> = misplaced.into_iter().map(|(name, _)| name).collect();
        scope.check_definitions(&item, &misplaced);
    }
    // The precedence of rules is their order in the text, where both kinds can be mixed.
    tables.sort_by_key(|(_, table)| table.header.start);
    table.refuse_the_rest_with(belongs_elsewhere);

    let mut names = Names::default();
    let mut rules = Vec::with_capacity(tables.len());
    for (kind, table) in tables {
        let known: Vec<_> = kind.keys().map(|key| key.name).collect();
        let mut table = RuleTable {
            table: table.with_keys(&known, |key| meant(kind, key)),
            scope,
            kind,
            timezone,
        };
        let header = table.table.header.clone();
        let name = names.name(&mut table);
        let id = RuleId::new(path, name.as_deref().unwrap_or(""));
        let rule = whole_rule::read(&mut table, id, &voters);
        let expires = table.table.take("expires").map(|item| item.span);
        table
            .table
            .refuse_the_rest_with(|key, _| belongs_in_other_rule(kind, key));
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

/// Reports keys of the file or of a rule that stand below `[lists]`, where they are lists; returns their names.
fn misplaced_in_lists<'t>(lists: &Item<'t>, lacks_voters: bool) -> Vec<(&'t str, Reported)> {
    let entries = lists.value.as_table().into_iter().flatten();
    let misplaced = entries.filter_map(|(name, value)| {
        let item = Item::entry(name, value, lists.report);
        let is_list = item.value.is_array();
        let in_rules = [Kind::Author, Kind::Trail]
            .iter()
            .any(|kind| kind.has(item.key));
        let place = match item.key {
            "voters" if lacks_voters || !is_list => "above all headers",
            "timezone" if !is_list => "above all headers",
            _ if in_rules && !is_list => "below the header of its rule",
            _ => return None,
        };
        let message = format!("`{}` stands below `[lists]`, so it is a list", item.key);
        let finding = Finding::at(item.key_span, message)
            .also(lists.key_span.clone(), "this header")
            .help(format!("move this line up, {place}"));
        Some((item.key, lists.report.error(finding)))
    });
    misplaced.collect()
}

/// What a key that a rule of this kind does not have probably means.
fn meant(kind: Kind, key: &str) -> Option<Meant> {
    let meant = match (key, kind) {
        ("vote" | "percent" | "percentage" | "power" | "strength", _) => "weight",
        ("exclude" | "exclude_authors" | "not_authors", _) => "except",
        ("until" | "ends" | "expiry", _) => "expires",
        ("wait" | "after", _) => "delay",
        ("user" | "users" | "account" | "accounts", Kind::Author) => "authors",
        ("curator" | "curators" | "follow" | "trails", Kind::Trail) => "leaders",
        // Alone, none of them makes a window.
        ("from" | "to" | "days" | "timezone", _) => return None,
        _ => return kind.holder(key).map(Meant::Inside),
    };
    Some(Meant::Key(meant))
}

/// Collects the tables of `[[author]]` or `[[trail]]`.
fn collect<'t>(kind: Kind, item: &Item<'t>, tables: &mut Vec<(Kind, Table<'t>)>) {
    let (key, report) = (kind.key(), item.report);
    let name = format!("`[[{key}]]`");
    let help = format!("each rule begins with a line {name}");
    let refuse = |span, message, help: &String| {
        report.error(Finding::at(span, message).help(help));
    };
    match item.value {
        DeValue::Array(array) => {
            for value in array {
                let span = value.span();
                if let DeValue::Table(table) = value.get_ref() {
                    tables.push((kind, Table::new(table, span, name.clone(), report)));
                } else {
                    let message = format!("`{key}` must contain rules, which are tables");
                    refuse(span, message, &help);
                }
            }
        }
        DeValue::Table(_) => {
            let message = format!("the header of a rule has double brackets: {name}");
            let help = format!("write {name}: a file can contain many rules");
            refuse(item.key_span.clone(), message, &help);
        }
        _ => {
            let message = format!("`{key}` is not a key but a table: {name}");
            refuse(item.key_span.clone(), message, &help);
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
    fn name(&mut self, table: &mut RuleTable<'_, '_>) -> Result<String, Reported> {
        let count = match table.kind {
            Kind::Author => &mut self.authors,
            Kind::Trail => &mut self.trails,
        };
        *count += 1;
        let given = table.read("name", |item| {
            Ok((check_name(item)?.to_owned(), item.span.clone()))
        })?;
        let by_position = given.is_none();
        let (name, span) = given.unwrap_or_else(|| {
            let name = format!("{}-{count}", table.kind.key());
            (name, table.table.header.clone())
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
        Err(table.table.report.error(finding))
    }
}

fn check_name<'t>(item: &Item<'t>) -> Result<&'t str, Reported> {
    /// Maximum length in characters: path and name together must fit the database column.
    const MAX_LENGTH: usize = 100;
    const WANTED: Wanted = Wanted::new("a text", "\"favourites\"");
    let name = item.text(WANTED)?;
    let why = if name.trim().is_empty() {
        "a name cannot be empty"
    } else if name.chars().count() > MAX_LENGTH {
        "a name has at most 100 characters"
    } else if name.chars().any(char::is_control) {
        "a name cannot contain line breaks or other control characters"
    } else {
        return Ok(name);
    };
    let line = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_LENGTH)
        .collect();
    let help = match item.report.quotable(line.trim()) {
        None | Some("") => item.such_as(WANTED),
        Some(line) => item.write(quoted(line)),
    };
    Err(item.refuse(why, help))
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
    let kinds = [Kind::Author, Kind::Trail].into_iter();
    let headers = kinds.filter(|kind| kind.has(key));
    let headers: Vec<_> = headers
        .map(|kind| format!("`[[{}]]`", kind.key()))
        .collect();
    let headers = alternatives(headers.iter().map(String::as_str));
    (!headers.is_empty()).then(|| format!("`{key}` belongs below a line {headers}"))
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
    let help = match key {
        "timezone" => {
            "move this line up, above all headers: `timezone` belongs at the top of the file"
        }
        "from" | "to" | "days" => "it belongs in `window = { from = \"08:00\", to = \"22:00\" }`",
        _ => return None,
    };
    Some(help.to_owned())
}
