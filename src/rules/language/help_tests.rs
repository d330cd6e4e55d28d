//! Tests of help messages: following the help makes the file valid.

use crate::rules::language::file::read;
use crate::rules::language::keys::Kind;

/// Message and help of the problems of the line `keys` in an author rule or, with leaders, in a trail.
fn problems(keys: &str) -> Vec<(String, String)> {
    let rule = match keys.contains("leaders") {
        true => format!("[[trail]]\nweight = '50%'\n{keys}"),
        false if keys.contains("weight") => format!("[[author]]\nauthors = ['bob']\n{keys}"),
        false => format!("[[author]]\nweight = '50%'\nauthors = ['bob']\n{keys}"),
    };
    let text = format!("voters = ['alice']\n[lists]\nfriends = ['carol', 'dave']\n{rule}\n");
    let problems = read("a.toml", &text).problems.into_iter();
    problems
        .map(|problem| {
            let plain = problem.plain;
            (plain.message, plain.help.unwrap_or_default())
        })
        .collect()
}

#[test]
fn the_key_that_the_help_suggests_is_valid() {
    for keys in [
        "weight = '12,5%'",
        "weight = '12,5'",
        "weight = 12.5",
        "expires = '2027-12-31'",
        "except = 'dave'",
        "except = 'dave, erin'",
        "except = 'list:friends, erin'",
        "except = 'Nobody Of That Name'",
        "leaders = 'list:friends'",
        "delay = '1.5h'",
        "schedule = '0 18 * * *'",
    ] {
        let problems = problems(keys);
        assert_eq!(problems.len(), 1, "{keys}: {problems:?}");
        let help = &problems[0].1;
        let meant = help
            .strip_prefix("write `")
            .and_then(|help| help.split('`').next())
            .unwrap_or_else(|| panic!("{keys}: {help}"));
        assert_eq!(self::problems(meant), [], "{keys} led to {meant}");
    }
}

#[test]
fn an_asterisk_in_place_of_accounts_is_refused() {
    for (keys, (message, help)) in [
        (
            "except = '*'",
            (
                "`\"*\"` is not an account",
                "`except` must name the accounts one by one",
            ),
        ),
        (
            "except = ['*']",
            (
                "`\"*\"` is not an account",
                "`except` must name the accounts one by one",
            ),
        ),
        (
            "leaders = ['curie']\nauthors = ['*']",
            (
                "`authors = \"*\"` cannot be used in a trail",
                "remove `authors`: a trail without it follows votes on all authors' posts",
            ),
        ),
    ] {
        assert_eq!(
            problems(keys),
            [(message.to_owned(), help.to_owned())],
            "{keys}"
        );
    }
}

#[test]
fn a_rule_that_never_votes_is_a_warning() {
    for (keys, message) in [
        (
            "leaders = ['curie']\ndelay = '2d'\nmax_age = '1d'",
            "`delay` (2d) is not below `max_age` (1d)",
        ),
        (
            "communities = { any = ['hive-1'] }\nkind = 'comments'",
            "only posts are in a community, and this rule votes on comments",
        ),
        (
            "leaders = ['alice']",
            "`alice` is the only leader and the only voter of this trail",
        ),
    ] {
        let problems = problems(keys);
        assert_eq!(problems.len(), 1, "{keys}: {problems:?}");
        assert_eq!(problems[0].0, message);
        assert!(problems[0].1.contains("never votes"), "{problems:?}");
    }
    for keys in [
        "leaders = ['curie']\ndelay = '1d'\nmax_age = '2d'",
        "communities = { any = ['hive-1'] }\nkind = 'all'",
        "communities = { none = ['hive-1'] }\nkind = 'comments'",
    ] {
        assert_eq!(problems(keys), [], "{keys}");
    }
}

#[test]
fn a_leader_among_the_voters_is_a_warning_that_says_who_follows() {
    for (keys, help) in [
        (
            "leaders = ['alice', 'curie']",
            "it does not follow itself; it follows the other leaders",
        ),
        (
            "leaders = ['alice']\nvoters = ['alice', 'carol']",
            "it does not follow itself; the other voters follow it",
        ),
    ] {
        assert_eq!(problems(keys)[0].1, help, "{keys}");
    }
}

#[test]
fn the_help_for_an_unknown_key_lists_all_keys() {
    for (line, kind) in [
        ("foo = 1", Kind::Author),
        ("foo = 1\nleaders = ['curie']", Kind::Trail),
    ] {
        let problems = problems(line);
        assert_eq!(problems.len(), 1, "{problems:?}");
        let help = &problems[0].1;
        for key in kind.keys() {
            let name = format!("`{}`", key.name);
            assert_eq!(help.matches(&name).count(), 1, "{name} in {help}");
        }
    }
}
