//! `[lists]`: names for lists of accounts or tags, which the rules of every file can use.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use toml::de::DeValue;

use crate::account::{Account, AccountError};
use crate::diagnostic::Finding;
use crate::diagnostic::report::{Report, Reported};
use crate::diagnostic::suggestion::closest;
use crate::diagnostic::text::{Position, Text};
use crate::rules::metadata::tag;
use crate::toml_reader::item::{Item, Wanted, quoted};
use crate::toml_reader::syntax;
use crate::toml_reader::table::Table;

/// Prefix of a value that refers to a list.
pub(super) const PREFIX: &str = "list:";

const WANTED: Wanted = Wanted::new("a list of accounts or tags", "[\"bob\", \"carol\"]");

/// The definition of a list.
#[derive(Debug, Clone)]
pub struct List {
    /// Name without `list:`.
    pub name: Arc<str>,
    /// Path of the file to show in messages.
    path: Arc<str>,
    /// Position of the name.
    position: Position,
    /// As written; `None` if the definition has an error.
    members: Option<Vec<Box<str>>>,
    /// Not in force because its file is invalid.
    held_back: bool,
    /// The members as accounts, parsed when a rule first uses them.
    accounts: OnceLock<Accounts>,
}

/// The members as accounts, or the first member that is not an account.
type Accounts = Result<Vec<Account>, (Box<str>, AccountError)>;

impl List {
    /// `friends.toml:3:1`
    fn place(&self) -> String {
        format!("{}:{}", self.path, self.position)
    }

    /// A copy that is not in force because its file is invalid.
    pub fn held_back(&self) -> Self {
        Self {
            held_back: true,
            ..self.clone()
        }
    }

    fn accounts(&self, members: &[Box<str>]) -> &Accounts {
        self.accounts.get_or_init(|| {
            let members = members.iter().map(|member| &**member);
            let read =
                |member: &str| Account::parse(member).map_err(|error| (member.into(), error));
            members.map(read).collect()
        })
    }
}

/// A list that can be used, and its members.
type Found<'a> = (&'a List, &'a [Box<str>]);

/// Compares definitions by their meaning, not by their position.
impl PartialEq for List {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.members, self.held_back)
            == (&other.name, &other.members, other.held_back)
    }
}

/// The lists that the file at `path` defines. Errors are not reported here, but when the file is read.
pub fn defined_in(path: &str, text: &str) -> Vec<Arc<List>> {
    // Most files define no lists and need no parsing. A backslash can be an escape in a key.
    if !text.contains("lists") && !text.contains('\\') {
        return Vec::new();
    }
    let report = Report::new(text);
    let root = syntax::parse(&report);
    let is_toml = !report.has_errors();
    let lists = Table::new(&root, 0..0, "", &report).take("lists");
    let Some(entries) = lists.and_then(|item| item.value.as_table()) else {
        return Vec::new();
    };
    let path: Arc<str> = path.into();
    let lines = Text::from(text);
    let list = |(name, value)| {
        let item = Item::entry(name, value, &report);
        Arc::new(List {
            name: item.key.into(),
            path: path.clone(),
            position: lines.position(item.key_span.start),
            // Members may be missing if the file has syntax errors.
            members: members(&item).ok().filter(|_| is_toml),
            held_back: false,
            accounts: OnceLock::new(),
        })
    };
    entries.iter().map(list).collect()
}

fn members(item: &Item<'_>) -> Result<Vec<Box<str>>, Reported> {
    if let Some(text) = item.quotable_text() {
        let names = text.split([',', ';', ' ']).filter(|name| !name.is_empty());
        let names: Vec<_> = names.map(quoted).collect();
        let help = match names.is_empty() {
            true => item.such_as(WANTED),
            false => item.write(format_args!("[{}]", names.join(", "))),
        };
        return Err(item.wrong_type_with(WANTED, help));
    }
    let mut seen = HashSet::new();
    let mut members = Vec::new();
    item.each(WANTED, |member| {
        let text = read_member(&member)?;
        // Accounts and tags are compared in this form.
        if seen.insert(text.trim_start_matches(['@', '#']).to_lowercase()) {
            members.push(text.into());
            return Ok(());
        }
        let (text, list) = (quoted(text), item.key);
        let message = format!("{text} is listed twice in the list `{list}`");
        let finding = Finding::at(member.span, message).label("again here");
        member.report.warning(finding.help("remove one of the two"));
        Ok(())
    })?;
    Ok(members)
}

fn read_member<'t>(member: &Item<'t>) -> Result<&'t str, Reported> {
    let DeValue::String(text) = member.value else {
        let kind = member.type_name();
        let message = format!("a list contains accounts or tags, not {kind}");
        let help = match member.value {
            DeValue::Integer(digits) => format!("write {}", quoted(digits.as_str())),
            _ => "each member is a text in quotes, such as \"alice\"".to_owned(),
        };
        return Err(member.refuse(message, help));
    };
    if text.starts_with(PREFIX) {
        let help = "name its members here, or both lists where they are used: \
                    [\"list:one\", \"list:two\"]";
        return Err(member.refuse("a list cannot contain another list", help));
    }
    if text == "*" {
        let help = "name the accounts or tags one by one";
        return Err(member.refuse("`\"*\"` cannot be in a list", help));
    }
    if text.is_empty() || text.contains(char::is_whitespace) {
        let message = format!("{} is neither an account nor a tag", quoted(text));
        return Err(member.refuse(message, each_in_quotes(text)));
    }
    Ok(text)
}

/// `write "two", "words"`
fn each_in_quotes(text: &str) -> String {
    let words = text.split_whitespace().filter(|word| *word != "#");
    let words: Vec<_> = words.map(quoted).collect();
    match words.is_empty() {
        true => "put a name between the quotes".to_owned(),
        false => format!("write {}", words.join(", ")),
    }
}

/// Why a text is not a word for a filter.
pub(super) struct Mistake {
    pub message: String,
    pub help: String,
}

/// Normalises a tag, a community or an application: lower case, without `#`.
///
/// # Errors
/// `text` is not one word, or names an application with its version.
pub(super) fn word(text: &str, as_app: bool) -> Result<String, Mistake> {
    let lower = text.to_lowercase();
    if as_app && let Some((app, _)) = lower.split_once('/') {
        return Err(Mistake {
            message: format!("{} names an app with its version", quoted(text)),
            help: format!("write {}", quoted(app)),
        });
    }
    let word = tag(text);
    if word.is_empty() || word.contains(char::is_whitespace) {
        return Err(Mistake {
            message: format!("{} is not one word", quoted(text)),
            help: each_in_quotes(text),
        });
    }
    Ok(word)
}

/// The lists that rules can use, by name.
#[derive(Debug, Clone, Default)]
pub struct Lists {
    by_name: HashMap<Arc<str>, Arc<List>>,
    /// Whether other files may define more lists.
    partial: bool,
}

impl Lists {
    /// Collects lists by name. If several have the same name, the first counts.
    pub fn new(defined: impl IntoIterator<Item = Arc<List>>) -> Self {
        let mut lists = Self::default();
        for list in defined {
            lists.by_name.entry(list.name.clone()).or_insert(list);
        }
        lists
    }

    /// Marks the lists as incomplete: using an unknown list is then a warning instead of an error.
    #[must_use]
    pub fn partial(self) -> Self {
        Self {
            partial: true,
            ..self
        }
    }

    /// Whether this definition is the one that counts for its name.
    pub fn holds(&self, list: &Arc<List>) -> bool {
        let known = self.by_name.get(&list.name);
        known.is_some_and(|known| Arc::ptr_eq(known, list))
    }

    /// The names of the lists that differ from `other`, or are defined in only one of the two.
    pub fn differences(&self, other: &Self) -> HashSet<Arc<str>> {
        let differs = |name: &&Arc<str>| self.by_name.get(*name) != other.by_name.get(*name);
        let names = self.by_name.keys().chain(other.by_name.keys());
        names.filter(differs).cloned().collect()
    }
}

/// The lists that the rules of one file can use.
pub(super) struct Scope<'a> {
    lists: &'a Lists,
    /// Path of the file, as given to [`defined_in`].
    path: &'a str,
    used: RefCell<BTreeSet<Arc<str>>>,
    missed: Cell<bool>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(lists: &'a Lists, path: &'a str) -> Self {
        Self {
            lists,
            path,
            used: RefCell::default(),
            missed: Cell::new(false),
        }
    }

    /// The names of the lists that were used.
    pub(super) fn into_used(self) -> Vec<Arc<str>> {
        self.used.into_inner().into_iter().collect()
    }

    /// Whether a list was used whose members are not known because it may be defined in a file that was not read.
    pub(super) fn missed_any(&self) -> bool {
        self.missed.get()
    }

    /// The accounts of the list that `member` refers to; `None` if it does not refer to a list.
    ///
    /// # Errors
    /// The list is not defined, or does not contain accounts; the error has been reported.
    pub(super) fn accounts(&self, member: &Item<'_>) -> Option<Result<&'a [Account], Reported>> {
        self.resolve(member, |list, members| {
            let accounts = list.accounts(members).as_deref();
            accounts.map_err(|(text, error)| format!("{} is not an account: {error}", quoted(text)))
        })
    }

    /// The words of the list that `member` refers to; `None` if it does not refer to a list. With `as_apps`, the words
    /// are names of applications.
    ///
    /// # Errors
    /// The list is not defined, or does not contain such words; the error has been reported.
    pub(super) fn words(
        &self,
        member: &Item<'_>,
        as_apps: bool,
    ) -> Option<Result<Vec<String>, Reported>> {
        self.resolve(member, |_, members| {
            let words = members.iter().map(|text| word(text, as_apps));
            words
                .collect::<Result<_, _>>()
                .map_err(|mistake| mistake.message)
        })
    }

    /// The members of the list that `member` refers to, in the form that `convert` gives them.
    fn resolve<T: Default>(
        &self,
        member: &Item<'_>,
        convert: impl FnOnce(&'a List, &'a [Box<str>]) -> Result<T, String>,
    ) -> Option<Result<T, Reported>> {
        let DeValue::String(text) = member.value else {
            return None;
        };
        let name = text.strip_prefix(PREFIX)?;
        Some(self.find(name, member).and_then(|found| {
            let Some((list, members)) = found else {
                return Ok(T::default());
            };
            convert(list, members).map_err(|why| {
                let key = member.key;
                let message = format!("the list `{name}` cannot be used for `{key}`: {why}");
                let place = list.place();
                member.refuse(
                    message,
                    format!("the list is defined at {place}: fix it there"),
                )
            })
        }))
    }

    /// The list `name` and its members; `None` if a file that was not read may define it.
    fn find(&self, name: &str, member: &Item<'_>) -> Result<Option<Found<'a>>, Reported> {
        self.used.borrow_mut().insert(name.into());
        let Some(list) = self.lists.by_name.get(name) else {
            return self.miss(name, member);
        };
        match &list.members {
            Some(members) if !list.held_back || *list.path == *self.path => {
                Ok(Some((list, members)))
            }
            _ => {
                let message = format!("the list `{name}` cannot be used: its file has an error");
                let help = format!("it is defined at {}: fix that file", list.place());
                Err(member.refuse(message, help))
            }
        }
    }

    /// Reports that no list `name` is known.
    fn miss(&self, name: &str, member: &Item<'_>) -> Result<Option<Found<'a>>, Reported> {
        let known = self.lists.by_name.keys().map(|known| &**known);
        let meant = closest(name.trim(), known);
        let meant = meant.map(|meant| format!("did you mean \"{PREFIX}{meant}\"?"));
        if !self.lists.partial {
            let define = || "define it below a line `[lists]`, in any rule file".to_owned();
            let message = format!("there is no list `{name}`");
            return Err(member.refuse(message, meant.unwrap_or_else(define)));
        }
        self.missed.set(true);
        let other = "another file may define it: check the whole rules folder to be sure";
        let help = match meant {
            Some(meant) => format!("{meant} If not, {other}"),
            None => other.to_owned(),
        };
        let message = format!("none of the files checked defines the list `{name}`");
        member.warn(message, help);
        Ok(None)
    }

    /// Whether a list has this name.
    pub(super) fn defines(&self, name: &str) -> bool {
        self.lists.by_name.contains_key(name)
    }

    /// Reports the errors in the lists that `item` defines, without those that are `reported` already.
    pub(super) fn check_definitions(&self, item: &Item<'_>, reported: &[&str]) {
        const TABLE: Wanted = Wanted::new("a table", "{ friends = [\"bob\", \"carol\"] }");
        let DeValue::Table(entries) = item.value else {
            item.wrong_type(TABLE);
            return;
        };
        for (name, value) in entries {
            let list = Item::entry(name, value, item.report);
            if reported.contains(&list.key) {
                continue;
            }
            // Errors in the members have been reported.
            let _ = members(&list);
            let known = self.lists.by_name.get(list.key);
            if let Some(first) = known.filter(|known| *known.path != *self.path) {
                let message = format!("the list `{}` is defined twice", list.key);
                let place = first.place();
                let help = format!("it is also defined at {place}: rename one of the two");
                (item.report).error(Finding::at(list.key_span, message).help(help));
            }
        }
    }
}
