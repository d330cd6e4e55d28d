//! Lists shared between files, while the files change.

use std::fs;

use chrono::{DateTime, TimeDelta, Utc};
use curatord::diagnostic::render::render;
use curatord::rules::files::library::{Library, News, Reload, parse};
use curatord::rules::files::read;
use curatord::rules::files::snapshot::FileNow;
use curatord::rules::rule::{Authors, Rule, Trigger};
use curatord::rules::set::RuleSet;

const START: DateTime<Utc> = DateTime::UNIX_EPOCH;

const LISTS: &str = "[lists]\nfriends = ['bob', 'carol']\n";
const USES: &str = "[[author]]\nvoters = ['alice']\nauthors = ['list:friends']\nweight = '50%'\n";
const BAD_RULE: &str = "[[author]]\nvoters = ['alice']\nauthors = ['erin']\nweight = 50\n";

/// The daemon's rules over time.
struct Daemon {
    library: Library,
    set: RuleSet,
}

impl Daemon {
    fn new() -> Self {
        Self {
            library: Library::new(parse),
            set: RuleSet::default(),
        }
    }

    /// Replaces all files, and returns what is reported: one line per file, sorted.
    fn sees(&mut self, files: &[(&str, &str)]) -> Vec<String> {
        self.sees_at(START, files)
    }

    fn sees_at(&mut self, now: DateTime<Utc>, files: &[(&str, &str)]) -> Vec<String> {
        let files = files.iter().map(|(relative, text)| FileNow {
            relative: (*relative).to_owned(),
            contents: Ok((*text).into()),
        });
        let Reload { set, changes, .. } = self.library.update(&Ok(files.collect()), now);
        if let Some(set) = set {
            self.set = RuleSet::new(set.rules().to_vec());
        }
        let mut reports: Vec<_> = changes
            .iter()
            .map(|change| match &change.news {
                News::Good { rules, .. } => format!("{}: {rules} rules", change.file),
                News::Removed => format!("{}: removed", change.file),
                News::Bad(bad) => format!("{} (keeps {})", bad.errors.join("; "), bad.kept),
            })
            .collect();
        reports.sort();
        reports
    }

    /// The authors of the rule; empty if it does not exist.
    fn authors(&self, rule: &str) -> String {
        let rule = self.set.rules().iter().find(|one| one.id.as_str() == rule);
        rule.map_or_else(|| "no such rule".to_owned(), |rule| authors(rule))
    }
}

fn authors(rule: &Rule) -> String {
    match &rule.trigger {
        Trigger::Author(author) => match &author.authors {
            Authors::Listed(authors) => {
                let names: Vec<_> = authors.iter().map(|author| author.as_str()).collect();
                names.join(" ")
            }
            Authors::Anyone => "*".to_owned(),
        },
        Trigger::Trail(_) => "a trail".to_owned(),
    }
}

#[test]
fn a_list_can_be_used_in_every_file() {
    let mut daemon = Daemon::new();
    daemon.sees(&[("a.toml", USES), ("z/lists.toml", LISTS)]);
    assert_eq!(daemon.authors("a.toml:author-1"), "bob carol");
}

#[test]
fn a_list_can_be_mixed_with_accounts_and_lists_and_each_account_counts_once() {
    let text = "voters = ['list:us']\n[lists]\nus = ['@Alice', 'dave']\nfriends = ['bob', 'Carol']\n\
                [[author]]\nauthors = ['carol', 'list:friends', 'list:us', 'erin']\nexcept = ['list:us']\nweight = '1%'\n\
                tags = { any = ['list:art', 'list:us'] }\n\
                [[trail]]\nleaders = ['list:friends']\nauthors = ['list:us']\nweight = '1%'\nagree = 2\n";
    let mut daemon = Daemon::new();
    let reports = daemon.sees(&[
        ("a.toml", text),
        ("b.toml", "[lists]\nart = ['#Painting']\n"),
    ]);
    assert_eq!(reports, ["a.toml: 2 rules", "b.toml: 0 rules"]);
    let rule = &daemon.set.rules()[0];
    assert_eq!(authors(rule), "carol bob alice dave erin");
    assert_eq!(rule.voters.len(), 2);
    assert_eq!(rule.tags.any, ["painting", "@alice", "dave"]);
}

#[test]
fn a_changed_list_changes_the_rules_of_other_files_that_use_it() {
    let mut daemon = Daemon::new();
    let other = USES.replace("friends", "others");
    let more = "[lists]\nfriends = ['bob', 'erin']\nothers = ['frank']\n";
    let lists = "[lists]\nfriends = ['bob', 'carol']\nothers = ['frank']\n";
    daemon.sees(&[("a.toml", USES), ("b.toml", &other), ("lists.toml", lists)]);
    let reports = daemon.sees(&[("a.toml", USES), ("b.toml", &other), ("lists.toml", more)]);
    assert_eq!(reports, ["a.toml: 1 rules", "lists.toml: 0 rules"]);
    assert_eq!(daemon.authors("a.toml:author-1"), "bob erin");
    assert_eq!(daemon.authors("b.toml:author-1"), "frank");
}

#[test]
fn a_list_can_move_to_another_file() {
    let mut daemon = Daemon::new();
    daemon.sees(&[("a.toml", USES), ("x.toml", LISTS)]);
    let reports = daemon.sees(&[("a.toml", USES), ("b.toml", LISTS)]);
    assert_eq!(reports, ["b.toml: 0 rules", "x.toml: removed"]);
    assert_eq!(daemon.authors("a.toml:author-1"), "bob carol");
}

#[test]
fn files_that_use_a_removed_list_keep_their_last_valid_rules() {
    let mut daemon = Daemon::new();
    daemon.sees(&[("a.toml", USES), ("lists.toml", LISTS)]);
    let reports = daemon.sees(&[("a.toml", USES)]);
    let missing = "a.toml:3:12: there is no list `friends` \
                   (define it below a line `[lists]`, in any rule file) (keeps 1)";
    assert_eq!(reports, [missing, "lists.toml: removed"]);
    assert_eq!(daemon.authors("a.toml:author-1"), "bob carol");
    let reports = daemon.sees(&[
        ("a.toml", USES),
        ("b.toml", "[lists]\nfriends = ['erin']\n"),
    ]);
    assert_eq!(reports, ["a.toml: 1 rules", "b.toml: 0 rules"]);
    assert_eq!(daemon.authors("a.toml:author-1"), "erin");
}

#[test]
fn an_invalid_file_keeps_its_last_valid_lists() {
    let mut daemon = Daemon::new();
    daemon.sees(&[("a.toml", USES), ("lists.toml", LISTS)]);
    let worse = format!("[lists]\nfriends = ['mallory']\n{BAD_RULE}");
    let reports = daemon.sees(&[("a.toml", USES), ("lists.toml", &worse)]);
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert_eq!(daemon.authors("a.toml:author-1"), "bob carol");
    let broken = "[lists]\nfriends = ['mallory'\n";
    daemon.sees(&[("a.toml", USES), ("lists.toml", broken)]);
    assert_eq!(daemon.authors("a.toml:author-1"), "bob carol");
    let fixed = worse.replace("weight = 50", "weight = '50%'");
    daemon.sees(&[("a.toml", USES), ("lists.toml", &fixed)]);
    assert_eq!(daemon.authors("a.toml:author-1"), "mallory");
}

#[test]
fn lists_of_a_file_that_was_never_valid_are_not_used() {
    let mut daemon = Daemon::new();
    let lists = format!("{LISTS}{BAD_RULE}");
    let reports = daemon.sees(&[("a.toml", USES), ("lists.toml", &lists)]);
    assert_eq!(
        reports[0],
        "a.toml:3:12: the list `friends` cannot be used: its file has an error \
         (it is defined at lists.toml:2:1: fix that file) (keeps 0)"
    );
    assert_eq!(daemon.authors("a.toml:author-1"), "no such rule");
    let reports = daemon.sees(&[("a.toml", USES), ("lists.toml", LISTS)]);
    assert_eq!(reports, ["a.toml: 1 rules", "lists.toml: 0 rules"]);
}

#[test]
fn a_file_with_an_invalid_rule_reports_only_that() {
    let text = format!("{LISTS}{USES}{BAD_RULE}");
    let reports = Daemon::new().sees(&[("a.toml", &text)]);
    assert_eq!(
        reports,
        [
            "a.toml:10:10: `weight` must be a percentage in quotes, not a whole number \
          (write `weight = \"50%\"`) (keeps 0)"
        ]
    );
}

#[test]
fn files_that_use_a_list_that_no_longer_fits_keep_their_last_valid_rules() {
    let mut daemon = Daemon::new();
    daemon.sees(&[("a.toml", USES), ("lists.toml", LISTS)]);
    let tags = "[lists]\nfriends = ['long_exposure']\n";
    let reports = daemon.sees(&[("a.toml", USES), ("lists.toml", tags)]);
    assert_eq!(
        reports[0],
        "a.toml:3:12: the list `friends` cannot be used for `authors`: \"long_exposure\" is not an account: \
         an account name holds only a-z, 0-9, '-' and '.' \
         (the list is defined at lists.toml:2:1: fix it there) (keeps 1)"
    );
    assert_eq!(daemon.authors("a.toml:author-1"), "bob carol");
}

#[test]
fn the_first_of_two_definitions_in_file_order_counts() {
    let mut daemon = Daemon::new();
    daemon.sees(&[("b.toml", LISTS), ("c.toml", USES)]);
    let other = "[lists]\nfriends = ['erin']\n";
    let reports = daemon.sees(&[("a.toml", other), ("b.toml", LISTS), ("c.toml", USES)]);
    let twice = "b.toml:2:1: the list `friends` is defined twice \
                 (it is also defined at a.toml:2:1: rename one of the two) (keeps 0)";
    assert_eq!(reports, ["a.toml: 0 rules", twice, "c.toml: 1 rules"]);
    assert_eq!(daemon.authors("c.toml:author-1"), "erin");
    let reports = daemon.sees(&[("b.toml", LISTS), ("c.toml", USES)]);
    assert_eq!(
        reports,
        ["a.toml: removed", "b.toml: 0 rules", "c.toml: 1 rules"]
    );
    assert_eq!(daemon.authors("c.toml:author-1"), "bob carol");
}

#[test]
fn files_that_use_each_others_lists_are_valid_or_invalid_together() {
    let mut daemon = Daemon::new();
    let one = format!(
        "[lists]\nones = ['bob']\n{}",
        USES.replace("friends", "twos")
    );
    let two = format!(
        "[lists]\ntwos = ['erin']\n{}",
        USES.replace("friends", "ones")
    );
    let reports = daemon.sees(&[("a.toml", &one), ("b.toml", &two)]);
    assert_eq!(reports, ["a.toml: 1 rules", "b.toml: 1 rules"]);
    let worse = two.replace("'50%'", "50").replace("erin", "mallory");
    daemon.sees(&[("a.toml", &one), ("b.toml", &worse)]);
    assert_eq!(daemon.authors("a.toml:author-1"), "erin");
    let mut daemon = Daemon::new();
    let reports = daemon.sees(&[("a.toml", &one), ("b.toml", &worse)]);
    assert_eq!(reports.len(), 2, "{reports:?}");
    assert_eq!(daemon.set.rules().len(), 0);
    let reports = daemon.sees(&[("a.toml", &one), ("b.toml", &two)]);
    assert_eq!(reports, ["a.toml: 1 rules", "b.toml: 1 rules"]);
}

#[test]
fn an_emptied_file_keeps_its_lists_for_two_seconds() {
    let mut daemon = Daemon::new();
    daemon.sees(&[("a.toml", USES), ("lists.toml", LISTS)]);
    let empty = [("a.toml", USES), ("lists.toml", "")];
    assert_eq!(daemon.sees(&empty), [""; 0]);
    let reports = daemon.sees_at(START + TimeDelta::seconds(2), &empty);
    assert_eq!(reports.len(), 2, "{reports:?}");
    assert_eq!(daemon.authors("a.toml:author-1"), "bob carol");
}

/// Output of `curatord check` for these files.
fn drawn(files: &[(&str, &str)], read: impl Fn(&std::path::Path) -> read::RuleFiles) -> String {
    let root = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(root.path().join(name), text).unwrap();
    }
    let problems = read(root.path()).problems;
    let drawn: Vec<_> = problems
        .iter()
        .map(|problem| render(problem, false))
        .collect();
    drawn
        .join("\n")
        .replace(&format!("{}/", root.path().display()), "")
}

#[test]
fn problems_with_lists_of_other_files_show_both_positions() {
    let files = [
        (
            "a.toml",
            "[lists]\nfriends = ['bob']\nart = ['long_exposure']\n",
        ),
        (
            "b.toml",
            "voters = ['list:art']\n[lists]\nfriends = ['erin']\n",
        ),
        ("c.toml", "voters = ['list:frends']\n"),
    ];
    insta::assert_snapshot!("places", drawn(&files, read::read));
}

#[test]
fn an_undefined_list_is_a_warning_when_only_some_files_are_checked() {
    let files = [
        ("a.toml", USES),
        ("b.toml", "voters = ['list:frends', 'alice']\n"),
    ];
    let read_one = |root: &std::path::Path| {
        read::check_some(
            &[root.join("a.toml"), root.join("b.toml")],
            DateTime::UNIX_EPOCH,
        )
    };
    insta::assert_snapshot!("some", drawn(&files, read_one));
    let whole = |root: &std::path::Path| {
        read::check_some(
            &[root.join("a.toml"), root.to_owned()],
            DateTime::UNIX_EPOCH,
        )
    };
    let lists = [("a.toml", USES), ("lists.toml", LISTS)];
    assert_eq!(drawn(&lists, whole), "", "no file counts twice");
}
