//! `[lists]`: names for lists of accounts or tags, which the rules of every file can use.

use std::cell::RefCell;
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

/// What a member of a list begins with where it stands for another list.
pub(super) const PREFIX: &str = "list:";

const WANTED: Wanted = Wanted {
    what: "a list of accounts or tags",
    example: "[\"bob\", \"carol\"]",
};

/// A list as its file defines it.
#[derive(Debug, Clone)]
pub struct List {
    /// Without `list:`.
    pub name: Arc<str>,
    /// The file, as people know it.
    path: Arc<str>,
    /// Where the name stands.
    position: Position,
    /// As written; `None` where the definition has a mistake.
    members: Option<Vec<Box<str>>>,
    /// Not in force, since its file is bad.
    held_back: bool,
    /// Worked out when a rule first asks for accounts.
    accounts: OnceLock<Accounts>,
}

/// The members as accounts, or the first that is none.
type Accounts = Result<Vec<Account>, (Box<str>, AccountError)>;

impl List {
    /// `friends.toml:3:1`
    fn place(&self) -> String {
        format!("{}:{}", self.path, self.position)
    }

    /// The same list, as one that is not in force because its file is bad.
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

/// Two definitions are equal when they mean the same, wherever they stand.
impl PartialEq for List {
    fn eq(&self, other: &Self) -> bool {
        (&self.name, &self.members, self.held_back)
            == (&other.name, &other.members, other.held_back)
    }
}

/// The lists that the file called `path` defines. Of mistakes nothing is said here: that is done when the
/// file itself is read.
pub fn defined_in(path: &str, text: &str) -> Vec<Arc<List>> {
    // Nearly all files define none, and need no look at their tree. A key can be written with escapes.
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
            // In a file with syntax errors nobody knows what is missing.
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
            // As accounts and tags are compared.
            Ok(text) if !seen.insert(text.trim_start_matches(['@', '#']).to_lowercase()) => {
                let message = format!("{} stands twice in the list `{}`", quoted(text), item.key);
                let finding = Finding::at(member.span, message).label("again here");
                report.warning(finding.help("once is enough: take one out"));
            }
            Ok(text) => members.push(text.into()),
            Err(reported) => failed = Some(reported),
        }
    }
    failed.map_or(Ok(members), Err)
}

fn read_member<'t>(member: &Item<'t>, report: &mut Report<'_>) -> Result<&'t str, Reported> {
    let DeValue::String(text) = member.value else {
        let message = format!("a list holds accounts or tags, not {}", member.type_name());
        return Err(member.refuse(message, "write it in quotes: \"alice\"", report));
    };
    if text.starts_with(PREFIX) {
        let help = "write its members, or name both lists where they are used: \
                    [\"list:one\", \"list:two\"]";
        return Err(member.refuse("a list cannot hold another list", help, report));
    }
    if text == "*" {
        let help = "name the accounts or tags one by one";
        return Err(member.refuse("`\"*\"` does not stand in a list", help, report));
    }
    if text.is_empty() || text.contains(char::is_whitespace) {
        let message = format!("{} is neither an account nor a tag", quoted(text));
        return Err(member.refuse(message, "write each name by itself, in quotes", report));
    }
    Ok(text)
}

/// The lists that rules can use, by name.
#[derive(Debug, Clone, Default)]
pub struct Lists {
    by_name: HashMap<Arc<str>, Arc<List>>,
    /// Other files may define more.
    partial: bool,
}

impl Lists {
    /// Of several lists of one name the first counts.
    pub fn new(defined: impl IntoIterator<Item = Arc<List>>) -> Self {
        let mut lists = Self::default();
        for list in defined {
            lists.by_name.entry(list.name.clone()).or_insert(list);
        }
        lists
    }

    /// Says that there may be more: then it is only doubtful to use one that is not here.
    #[must_use]
    pub fn partial(self) -> Self {
        Self {
            partial: true,
            ..self
        }
    }

    /// Whether this very definition is the one that counts.
    pub fn holds(&self, list: &Arc<List>) -> bool {
        let known = self.by_name.get(&list.name);
        known.is_some_and(|known| Arc::ptr_eq(known, list))
    }

    /// The names that mean something else in `other`, or nothing, or nothing here.
    pub fn differences(&self, other: &Self) -> HashSet<Arc<str>> {
        let differs = |name: &&Arc<str>| self.by_name.get(*name) != other.by_name.get(*name);
        let names = self.by_name.keys().chain(other.by_name.keys());
        names.filter(differs).cloned().collect()
    }
}

/// The lists as the rules of one file see them.
pub(super) struct Scope<'a> {
    lists: &'a Lists,
    /// The file, as [`defined_in`] was told.
    path: &'a str,
    asked: RefCell<BTreeSet<Arc<str>>>,
    missed: std::cell::Cell<bool>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(lists: &'a Lists, path: &'a str) -> Self {
        Self {
            lists,
            path,
            asked: RefCell::default(),
            missed: std::cell::Cell::new(false),
        }
    }

    /// The names of the lists that were asked for.
    pub(super) fn into_asked(self) -> Vec<Arc<str>> {
        self.asked.into_inner().into_iter().collect()
    }

    /// Whether a list was asked for that may be in a file nobody has read, so that its members are not known.
    pub(super) fn missed_any(&self) -> bool {
        self.missed.get()
    }

    /// The accounts of the list that `member` stands for; `None` where it stands for itself.
    ///
    /// # Errors
    /// There is no such list, or it holds something else, which has been reported.
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
                    "the list `{name}` cannot be used for `{}`: {} is no account: {error}",
                    member.key,
                    quoted(text)
                );
                let help = format!("the list is defined at {}: mend it there", list.place());
                member.refuse(message, help, report)
            })
        }))
    }

    /// The words of the list that `member` stands for, likewise. `as_apps`: they name applications.
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
                let help = format!("the list is defined at {}: mend it there", list.place());
                member.refuse(message, help, report)
            })
        }))
    }

    fn find(
        &self,
        name: &str,
        member: &Item<'_>,
        report: &mut Report<'_>,
    ) -> Result<Option<Found<'a>>, Reported> {
        self.asked.borrow_mut().insert(name.into());
        match self.lists.by_name.get(name) {
            Some(list) => match &list.members {
                Some(members) if !list.held_back || *list.path == *self.path => {
                    Ok(Some((list, members)))
                }
                _ => {
                    let message =
                        format!("the list `{name}` cannot be used: its file has a mistake");
                    let help = format!("it is defined at {}: mend that file", list.place());
                    Err(member.refuse(message, help, report))
                }
            },
            None if self.lists.partial => {
                self.missed.set(true);
                let message = format!("none of the files checked defines the list `{name}`");
                let other = "another file may: check the whole folder of rules to be sure";
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

    /// The list that somebody who wrote `name` probably meant, as rules write it.
    fn near(&self, name: &str) -> Option<String> {
        let known = self.lists.by_name.keys().map(|known| &**known);
        let meant = closest(name.trim(), known)?;
        Some(quoted(&format!("{PREFIX}{meant}")))
    }

    /// Tells what is wrong with the lists that the file defines in `item`.
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
            // What is wrong with the members has been reported.
            let _ = members(&definition(name.get_ref(), name.span(), value), report);
            let known = self.lists.by_name.get(&**name.get_ref());
            if let Some(first) = known.filter(|list| *list.path != *self.path) {
                let name_text = name.get_ref();
                let message = format!("the list `{name_text}` is defined twice");
                let help = format!(
                    "it is defined at {}, too: give one of the two another name",
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
