//! `[lists]`: names for lists of accounts or tags, which the rules of every file can use.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use toml::de::DeValue;

use crate::account::{Account, AccountError};
use crate::diagnostic::Finding;
use crate::diagnostic::position::{Lines, Position};
use crate::diagnostic::report::{Report, Reported};
use crate::diagnostic::suggestion::closest;
use crate::rules::language::filters;
use crate::toml_reader::item::{Item, Wanted, quoted};
use crate::toml_reader::syntax;
use crate::toml_reader::table::Table;

/// Prefix of a value that refers to a list.
pub(super) const PREFIX: &str = "list:";

const WANTED: Wanted = Wanted {
    what: "a list of accounts or tags",
    example: "[\"bob\", \"carol\"]",
};

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

    /// Help where this list cannot be used.
    fn fix_it(&self) -> String {
        format!("the list is defined at {}: fix it there", self.place())
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
    let mut report = Report::new(text);
    let root = syntax::parse(&mut report);
    let is_toml = !report.has_errors();
    let Some(item) = Table::new(&root, 0..0, "").take("lists") else {
        return Vec::new();
    };
    let DeValue::Table(entries) = item.value else {
        return Vec::new();
    };
    let path: Arc<str> = path.into();
    let mut lists = Vec::new();
    let lines = Lines::of(text);
    for (name, value) in entries {
        let members = members(&definition(name.get_ref(), name.span(), value), &mut report);
        lists.push(Arc::new(List {
            name: (&**name.get_ref()).into(),
            path: path.clone(),
            position: lines.position(text, name.span().start),
            // Members may be missing if the file has syntax errors.
            members: members.ok().filter(|_| is_toml),
            held_back: false,
            accounts: OnceLock::new(),
        }));
    }
    lists
}

fn definition<'t>(
    name: &'t str,
    key_span: Range<usize>,
    value: &'t toml::Spanned<DeValue<'t>>,
) -> Item<'t> {
    Item {
        key: name,
        key_span,
        value: value.get_ref(),
        span: value.span(),
        as_text: false,
    }
}

fn members(item: &Item<'_>, report: &mut Report<'_>) -> Result<Vec<Box<str>>, Reported> {
    let mut members = Vec::new();
    let mut seen = HashSet::new();
    let mut failed = None;
    for member in item.list(WANTED, report)? {
        match read_member(&member, report) {
            // Accounts and tags are compared in this form.
            Ok(text) if !seen.insert(text.trim_start_matches(['@', '#']).to_lowercase()) => {
                let message = format!(
                    "{} is listed twice in the list `{}`",
                    quoted(text),
                    item.key
                );
                let finding = Finding::at(member.span, message).label("again here");
                report.warning(finding.help("remove one of the two"));
            }
            Ok(text) => members.push(text.into()),
            Err(reported) => failed = Some(reported),
        }
    }
    failed.map_or(Ok(members), Err)
}

fn read_member<'t>(member: &Item<'t>, report: &mut Report<'_>) -> Result<&'t str, Reported> {
    let DeValue::String(text) = member.value else {
        let message = format!(
            "a list contains accounts or tags, not {}",
            member.type_name()
        );
        return Err(member.refuse(message, "write it in quotes: \"alice\"", report));
    };
    if text.starts_with(PREFIX) {
        let help = "write its members, or name both lists where they are used: \
                    [\"list:one\", \"list:two\"]";
        return Err(member.refuse("a list cannot contain another list", help, report));
    }
    if text == "*" {
        let help = "name the accounts or tags one by one";
        return Err(member.refuse("`\"*\"` cannot be in a list", help, report));
    }
    if text.is_empty() || text.contains(char::is_whitespace) {
        let message = format!("{} is neither an account nor a tag", quoted(text));
        return Err(member.refuse(message, "write each name in quotes of its own", report));
    }
    Ok(text)
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
    pub(super) fn accounts(
        &self,
        member: &Item<'_>,
        report: &mut Report<'_>,
    ) -> Option<Result<&'a [Account], Reported>> {
        let name = list_name(member)?;
        Some(self.find(name, member, report).and_then(|found| {
            let Some((list, members)) = found else {
                return Ok(&[][..]);
            };
            list.accounts(members).as_deref().map_err(|(text, error)| {
                let message = format!(
                    "the list `{name}` cannot be used for `{}`: {} is not an account: {error}",
                    member.key,
                    quoted(text)
                );
                member.refuse(message, list.fix_it(), report)
            })
        }))
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
        report: &mut Report<'_>,
    ) -> Option<Result<Vec<String>, Reported>> {
        let name = list_name(member)?;
        Some(self.find(name, member, report).and_then(|found| {
            let Some((list, members)) = found else {
                return Ok(Vec::new());
            };
            let words = members.iter().map(|text| filters::word(text, as_apps));
            words.collect::<Result<_, _>>().map_err(|mistake| {
                let message = format!(
                    "the list `{name}` cannot be used for `{}`: {}",
                    member.key, mistake.message
                );
                member.refuse(message, list.fix_it(), report)
            })
        }))
    }

    fn find(
        &self,
        name: &str,
        member: &Item<'_>,
        report: &mut Report<'_>,
    ) -> Result<Option<Found<'a>>, Reported> {
        self.used.borrow_mut().insert(name.into());
        match self.lists.by_name.get(name) {
            Some(list) => match &list.members {
                Some(members) if !list.held_back || *list.path == *self.path => {
                    Ok(Some((list, members)))
                }
                _ => {
                    let message =
                        format!("the list `{name}` cannot be used: its file has an error");
                    let help = format!("it is defined at {}: fix that file", list.place());
                    Err(member.refuse(message, help, report))
                }
            },
            None if self.lists.partial => {
                self.missed.set(true);
                let message = format!("none of the files checked defines the list `{name}`");
                let other = "another file may define it: check the whole rules folder to be sure";
                let help = match self.near(name) {
                    Some(meant) => format!("did you mean {meant}? If not, {other}"),
                    None => other.to_owned(),
                };
                report.warning(Finding::at(member.span.clone(), message).help(help));
                Ok(None)
            }
            None => {
                let help = match self.near(name) {
                    Some(meant) => format!("did you mean {meant}?"),
                    None => "define it below a line `[lists]`, in any rule file".to_owned(),
                };
                Err(member.refuse(format!("there is no list `{name}`"), help, report))
            }
        }
    }

    /// The list with a name similar to `name`, as written in rules.
    fn near(&self, name: &str) -> Option<String> {
        let known = self.lists.by_name.keys().map(|known| &**known);
        let meant = closest(name.trim(), known)?;
        Some(quoted(&format!("{PREFIX}{meant}")))
    }

    /// Reports the errors in the lists that `item` defines.
    pub(super) fn check_definitions(&self, item: &Item<'_>, report: &mut Report<'_>) {
        const TABLE: Wanted = Wanted {
            what: "a table",
            example: "{ friends = [\"bob\", \"carol\"] }",
        };
        let DeValue::Table(entries) = item.value else {
            item.wrong_type(TABLE, report);
            return;
        };
        for (name, value) in entries {
            // Errors in the members have been reported.
            let _ = members(&definition(name.get_ref(), name.span(), value), report);
            let known = self.lists.by_name.get(&**name.get_ref());
            if let Some(first) = known.filter(|list| *list.path != *self.path) {
                let name_text = name.get_ref();
                let message = format!("the list `{name_text}` is defined twice");
                let help = format!(
                    "it is also defined at {}: rename one of the two",
                    first.place()
                );
                report.error(Finding::at(name.span(), message).help(help));
            }
        }
    }
}

/// `friends` for `"list:friends"`.
fn list_name<'t>(member: &Item<'t>) -> Option<&'t str> {
    match member.value {
        DeValue::String(text) => text.strip_prefix(PREFIX),
        _ => None,
    }
}
