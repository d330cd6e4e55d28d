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
        let mut quoted = help.split('`').skip(1);
        let meant = quoted.next().unwrap_or_else(|| panic!("{keys}: {help}"));
        assert_eq!(self::problems(meant), [], "{keys} led to {meant}");
    }
}

#[test]
fn the_help_keeps_what_the_writer_meant() {
    for (keys, help) in [
        (
            "weight = 0.5",
            "write `weight = \"0.5%\"` for 0.5 percent, `weight = \"50%\"` for the factor 0.5",
        ),
        ("weight = 5000", "write `weight = \"50%\"`"),
        ("weight = '50 percent'", "write `weight = \"50%\"`"),
        ("weight = '.5%'", "write `weight = \"0.5%\"`"),
        ("weight = 50%", "write `weight = \"50%\"`"),
        ("weight == \"50%\"", "write `weight = \"50%\"`"),
        ("weight = \"50%\",", "write `weight = \"50%\"`"),
        ("weight = «50%»", "write `weight = \"50%\"`"),
        (
            "tags = ['art']",
            "write `tags = { any = [\"art\"] }` for posts with one of them, `tags = { none = [\"art\"] }` for posts without them",
        ),
        ("enabled = no", "write `enabled = false`"),
        ("enabled = False", "write `enabled = false`"),
        ("self_votes = 1", "write `self_votes = true`"),
        (
            "window = { from = '9am', to = '22:00' }",
            "write `from = \"09:00\"`",
        ),
        (
            "window = { from = '8:00', to = '5 p.m.' }",
            "write `to = \"17:00\"`",
        ),
        (
            "window = { from = 0830, to = '22:00' }",
            "write `window = { from = \"08:30\", to = '22:00' }`",
        ),
        (
            "window = { from = '08:00', to = '22:00', days = 'fri-mon' }",
            "write `days = [\"fri\", \"sat\", \"sun\", \"mon\"]`",
        ),
        (
            "window = { from = '08:00', to = '22:00', days = ['weekdays'] }",
            "write \"mon\", \"tue\", \"wed\", \"thu\", \"fri\"",
        ),
        ("expires = 31.12.2030", "write `expires = 2030-12-31`"),
        (
            "expires = '31 December 2030'",
            "write `expires = 2030-12-31`",
        ),
        (
            "expires = '01/02/2030'",
            "write `expires = 2030-02-01` for 1 February 2030, `expires = 2030-01-02` for 2 January 2030",
        ),
        ("payout = { max = '25 HBD' }", "write `max = 25`"),
        ("payout = { max = '$2.50' }", "write `max = 2.5`"),
        ("payout = 20", "write `payout = { max = 20 }`"),
        ("delay = 5min", "write `delay = \"5m\"`"),
        (
            "delay = 'half a year'",
            "write a duration, such as `delay = \"5m\"`",
        ),
        (
            "leaders = ['curie']\ndownvotes = true",
            "write `downvotes = \"follow\"` for upvotes and downvotes, `downvotes = \"only\"` for downvotes alone",
        ),
        (
            "schedule = { cron = '0 18 * * FRI-MON' }",
            "write `cron = \"0 18 * * FRI,SAT,SUN,MON\"`",
        ),
        (
            "schedule = { cron = '0 22-2 * * *' }",
            "write `cron = \"0 22,23,0,1,2 * * *\"`",
        ),
        (
            "schedule = { cron = '0 9, * * *' }",
            "write `cron = \"0 9 * * *\"`",
        ),
        ("max-age = '1d'", "write `max_age = '1d'`"),
        ("per_day = 2", "write `limit = { per_day = 2 }`"),
        (
            "except = 'https://peakd.com/@dave/a-post'",
            "write `except = [\"dave\"]`",
        ),
        (
            "except = 'dave and erin'",
            "write `except = [\"dave\", \"erin\"]`",
        ),
    ] {
        let problems = problems(keys);
        assert_eq!(problems.len(), 1, "{keys}: {problems:?}");
        assert_eq!(problems[0].1, help, "{keys}");
    }
}

#[test]
fn what_cannot_work_although_it_is_valid_is_a_warning() {
    for (keys, message) in [
        (
            "except = ['friends']",
            "\"friends\" is an account here, and also the name of a list",
        ),
        (
            "communities = { none = ['photography'] }",
            "\"photography\" is not a community",
        ),
    ] {
        let problems = problems(keys);
        assert_eq!(problems.len(), 1, "{keys}: {problems:?}");
        assert_eq!(problems[0].0, message, "{keys}");
    }
}

#[test]
fn a_field_that_the_parser_would_pass_over_is_refused() {
    for cron in [
        "0 18 15 * L",
        "0 18,,19 * * *",
        "0 18 * * *,MON",
        "0 18 * * MON,",
        "0 18 * */0 *",
    ] {
        let keys = format!("schedule = {{ cron = '{cron}' }}");
        assert_eq!(problems(&keys).len(), 1, "{cron}");
    }
    for cron in [
        "0 18 L * *",
        "0 18 15W * *",
        "0 18 * * FRI#2",
        "0 18 * * 5L",
        "*/10 9-17/2 1,15 JAN-mar 0-7",
    ] {
        let keys = format!("schedule = {{ cron = '{cron}' }}");
        assert_eq!(problems(&keys), [], "{cron}");
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
