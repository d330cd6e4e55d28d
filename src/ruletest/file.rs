//! Reads a test file. As for rule files, every error is reported with its position.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use crate::account::Account;
use crate::diagnostic::report::{Report, Reported};
use crate::diagnostic::{Finding, Problem};
use crate::network::ChainKind;
use crate::post::VoteKey;
use crate::rules::files::folder::{is_hidden, is_rule_file};
use crate::ruletest::events::{self, read_post, read_vote};
use crate::ruletest::fields::{MOMENT, account, each, mana, moment, paths, post, text, weight};
use crate::ruletest::{Expected, Source, Test, TestFile};
use crate::toml_reader::item::{Item, Wanted};
use crate::toml_reader::table::Table;
use crate::toml_reader::{settings, syntax};
use crate::weight::Weight;

const CHAINS: [(&str, ChainKind); 2] = [("hive", ChainKind::Hive), ("steem", ChainKind::Steem)];

/// Reads the test file at `path` with this `text`.
///
/// # Errors
/// All problems in the file.
pub fn read(path: &Path, text: &str) -> Result<TestFile, Vec<Problem>> {
    let shown = path.to_string_lossy();
    let (file, problems) = settings::read_guarded(&shown, text, |report| {
        read_root(path, &syntax::parse(report), report)
    });
    match file {
        Ok(file) if !problems.iter().any(Problem::is_error) => Ok(file),
        _ => Err(problems),
    }
}

fn read_root<'t>(
    path: &Path,
    root: &'t DeTable<'t>,
    report: &'t Report<'t>,
) -> Result<TestFile, Reported> {
    let mut table = Table::new(root, 0..0, "a test file", report);
    let folder = path.parent().unwrap_or(Path::new(""));
    let rules = match table.take("rules") {
        Some(item) => paths(&item, folder),
        None => rules_beside(path, report),
    };
    let chain = table.read("chain", |item| item.choice(&CHAINS));
    let tests = table.take("test");
    table.refuse_the_rest();
    if tests.is_none() {
        let finding = Finding::whole("this file contains no test");
        return Err(report.error(finding.help("start a test with a line [[test]]")));
    }
    let tests = each(tests, "[[test]]", |table| read_test(table, folder));
    Ok(TestFile {
        rules: rules?,
        chain: chain?.unwrap_or(ChainKind::Hive),
        tests: tests?,
    })
}

/// The folder of the test file as default of `rules`, unless the test file would be read as a rule file.
fn rules_beside(path: &Path, report: &Report<'_>) -> Result<Vec<PathBuf>, Reported> {
    let name = path.file_name().unwrap_or_default();
    if is_rule_file(name) && !is_hidden(name) {
        let finding = Finding::whole(
            "`rules` is missing: a test file with a name that ends in .toml must name the rules that it tests",
        );
        return Err(report.error(
            finding.help("write `rules = \"../rules/favourites.toml\"`, relative to this file"),
        ));
    }
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    Ok(vec![folder.unwrap_or(Path::new(".")).to_owned()])
}

fn read_test(mut table: Table<'_>, folder: &Path) -> Result<Test, Reported> {
    let name = table.require("name", "\"what the rules must do\"", text);
    let recordings = table.take("blocks");
    let files = recordings.as_ref().map(|item| paths(item, folder));
    let mana = table.read("mana", mana_of);
    let until = table.read("until", moment);
    let (posts, votes) = (table.take("post"), table.take("vote"));
    if let (Some(item), Some(first)) = (&recordings, posts.as_ref().or(votes.as_ref())) {
        let message = "a test has either `blocks` or its own posts and votes, not both";
        let finding = Finding::at(item.key_span.clone(), message);
        (item.report).error(finding.also(first.key_span.clone(), "the first post or vote"));
    }
    let posts = each(posts, "[[test.post]]", read_post);
    let votes = each(votes, "[[test.vote]]", read_vote);
    let expected = each(table.take("expect"), "[[test.expect]]", read_expected);
    table.refuse_the_rest();
    let source = match files {
        Some(files) => Source::Files(files?),
        None => Source::Blocks(events::blocks(posts?.into_iter().chain(votes?))),
    };
    Ok(Test {
        name: name?,
        source,
        mana: mana?.unwrap_or_default(),
        until: until?,
        expected: expected?,
    })
}

/// Reads `{ alice = "80%" }`.
fn mana_of(item: &Item<'_>) -> Result<HashMap<Account, Weight>, Reported> {
    let wanted = Wanted {
        what: "a table of voters",
        example: "{ alice = \"80%\" }",
    };
    let DeValue::Table(entries) = item.value else {
        return Err(item.wrong_type(wanted));
    };
    let mut all = HashMap::new();
    for (name, value) in entries {
        let Ok(voter) = Account::parse(name.get_ref()) else {
            let message = format!("`{}` cannot be an account", name.get_ref());
            let finding = Finding::at(name.span(), message);
            return Err(item.report.error(finding.help(item.write(wanted.example))));
        };
        let entry = Item::entry(name, value, item.report);
        all.insert(voter, mana(&entry)?);
    }
    Ok(all)
}

fn read_expected(mut table: Table<'_>) -> Result<Expected, Reported> {
    let voter = table.require("voter", "\"alice\"", account);
    let post = table.require("post", "\"@bob/a-post\"", post);
    let weight = table.require("weight", "\"50%\"", weight);
    let due_at = table.require("due", MOMENT, moment);
    let rule = table.read("rule", text);
    table.refuse_the_rest();
    Ok(Expected {
        key: VoteKey {
            voter: voter?,
            post: post?,
        },
        weight: weight?,
        due_at: due_at?,
        rule: rule?,
    })
}
