//! Help that mends what it is about, and says so in words that people use.

use crate::rules::language::file::read;
use crate::rules::language::keys::Kind;

/// What is said of the line `keys` in an author rule or, with leaders, in a trail: message and help.
fn told(keys: &str) -> Vec<(String, String)> {
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
fn what_the_help_says_to_write_is_good() {
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
        let told = told(keys);
        assert_eq!(told.len(), 1, "{keys}: {told:?}");
        let help = &told[0].1;
        let meant = help
            .strip_prefix("write `")
            .and_then(|help| help.split('`').next())
            .unwrap_or_else(|| panic!("{keys}: {help}"));
        assert_eq!(self::told(meant), [], "{keys} led to {meant}");
    }
}

#[test]
fn everybody_is_told_how_to_be_named() {
    for (keys, told) in [
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
                "`authors = \"*\"` does not stand in a trail",
                "take `authors` out: a trail follows votes on everybody's posts",
            ),
        ),
    ] {
        let (message, help) = told;
        assert_eq!(
            self::told(keys),
            [(message.to_owned(), help.to_owned())],
            "{keys}"
        );
    }
}

#[test]
fn rules_that_never_vote_are_warned_of() {
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
            "`alice` is the only leader of this trail and its only voter",
        ),
    ] {
        let told = told(keys);
        assert_eq!(told.len(), 1, "{keys}: {told:?}");
        assert_eq!(told[0].0, message);
        assert!(told[0].1.contains("never votes"), "{told:?}");
    }
    for keys in [
        "leaders = ['curie']\ndelay = '1d'\nmax_age = '2d'",
        "communities = { any = ['hive-1'] }\nkind = 'all'",
        "communities = { none = ['hive-1'] }\nkind = 'comments'",
    ] {
        assert_eq!(told(keys), [], "{keys}");
    }
}

#[test]
fn a_leader_among_the_voters_is_told_who_follows() {
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
        assert_eq!(told(keys)[0].1, help, "{keys}");
    }
}

#[test]
fn a_key_that_is_like_no_other_is_answered_with_those_there_are() {
    for (line, kind) in [
        ("foo = 1", Kind::Author),
        ("foo = 1\nleaders = ['curie']", Kind::Trail),
    ] {
        let told = told(line);
        assert_eq!(told.len(), 1, "{told:?}");
        let help = &told[0].1;
        for key in kind.keys() {
            let name = format!("`{}`", key.name);
            assert_eq!(help.matches(&name).count(), 1, "{name} in {help}");
        }
    }
}
