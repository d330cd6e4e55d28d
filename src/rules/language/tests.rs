//! Tests of reading rule files: the resulting rules, and the problems of invalid files.

use std::num::NonZeroU32;
use std::time::Duration;

use chrono::{DateTime, NaiveTime, Utc, Weekday};
use chrono_tz::Tz;
use proptest::prelude::*;

use crate::account::Account;
use crate::diagnostic::render::render;
use crate::rules::language::file::read;
use crate::rules::language::keys::{self, Holds, Key, Kind};
use crate::rules::rule::{
    Authors, BelowMinMana, Downvotes, Limit, Payout, PostKind, Range, Rule, Schedule, TrailWeight,
    Trigger, Window,
};
use crate::weight::Weight;

fn rules(text: &str) -> Vec<Rule> {
    let file = read("a.toml", text);
    assert_eq!(file.problems, [], "{text}");
    file.rules
}

/// A rule of this kind with the lines `keys`.
fn rule(kind: &str, keys: &str) -> Rule {
    let text = format!("voters = [\"alice\"]\n[[{kind}]]\n{keys}\n");
    let mut file = read("a.toml", &text);
    assert_eq!(file.problems, [], "{text}");
    file.rules.remove(0)
}

fn author(keys: &str) -> Rule {
    rule(
        "author",
        &format!("authors = [\"bob\"]\nweight = \"50%\"\n{keys}"),
    )
}

fn names(accounts: &[Account]) -> Vec<&str> {
    accounts.iter().map(Account::as_str).collect()
}

fn moment(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[test]
fn a_key_that_is_left_out_has_its_default() {
    let rule = author("");
    assert_eq!(rule.id.as_str(), "a.toml:author-1");
    assert_eq!(names(&rule.voters), ["alice"]);
    assert!(rule.enabled);
    assert_eq!(rule.delay, Duration::ZERO);
    assert_eq!(rule.max_age, Duration::from_secs(6 * 86_400 + 12 * 3_600));
    assert_eq!(rule.kind, PostKind::Posts);
    assert_eq!(rule.limit, Limit::default());
    assert_eq!(rule.payout, Payout::default());
    let Trigger::Author(own) = rule.trigger else {
        panic!("no author rule");
    };
    assert_eq!(own.weight, Weight::clamped(5_000));
    assert!(matches!(own.authors, Authors::Listed(authors) if names(&authors) == ["bob"]));
}

#[test]
fn rules_are_in_the_order_of_the_text_and_default_names_count_by_kind() {
    let text = "
        voters = ['@Alice']
        [[trail]]
        leaders = ['curie']
        weight = '10%'
        [[author]]
        authors = ['bob']
        weight = '-10%'
        voters = ['carol']
        [[trail]]
        name = 'named'
        leaders = ['curie']
        weight = '10%'
        [[trail]]
        leaders = ['curie']
        weight = '10%'
        [[author]]
        authors = ['bob']
        weight = '100%'";
    let rules = rules(text);
    let ids: Vec<_> = rules.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "a.toml:trail-1",
            "a.toml:author-1",
            "a.toml:named",
            "a.toml:trail-3",
            "a.toml:author-2"
        ]
    );
    assert_eq!(names(&rules[0].voters), ["alice"]);
    assert_eq!(
        names(&rules[1].voters),
        ["carol"],
        "its own voters replace the file's"
    );
}

#[test]
fn a_file_without_rules_is_valid() {
    for text in [
        "",
        "# nothing yet\n",
        "voters = ['alice']\ntimezone = 'Europe/Amsterdam'",
    ] {
        assert!(rules(text).is_empty());
    }
    assert!(rules("\u{feff}# with a byte order mark\n").is_empty());
}

#[test]
fn weights_of_trails_are_fixed_or_scaled() {
    for (weight, meant) in [
        ("'12.5%'", TrailWeight::Fixed(1_250)),
        (
            "{ scale = '1000%' }",
            TrailWeight::Scaled {
                scale: 100_000,
                offset: 0,
                min: 0,
                max: 10_000,
            },
        ),
        (
            "{ scale = '50%', offset = '-5%', min = '1%', max = '40%' }",
            TrailWeight::Scaled {
                scale: 5_000,
                offset: -500,
                min: 100,
                max: 4_000,
            },
        ),
    ] {
        let rule = rule("trail", &format!("leaders = ['curie']\nweight = {weight}"));
        let Trigger::Trail(trail) = rule.trigger else {
            panic!("no trail");
        };
        assert_eq!(trail.weight, meant);
    }
}

#[test]
fn the_keys_of_a_trail_are_read() {
    let rule = rule(
        "trail",
        "leaders = ['curie', 'ocd']\nweight = '1%'\nauthors = ['bob']\nexcept = ['erin']\n\
         min_leader_weight = '5%'\ndownvotes = 'only'\nagree = 2",
    );
    let Trigger::Trail(trail) = rule.trigger else {
        panic!("no trail");
    };
    assert_eq!(names(&trail.leaders), ["curie", "ocd"]);
    assert!(trail.authors.unwrap().contains("bob") && trail.except.contains("erin"));
    assert_eq!((trail.min_leader_weight, trail.agree.get()), (500, 2));
    assert_eq!(trail.downvotes, Downvotes::Only);
}

#[test]
fn the_conditions_of_a_rule_are_read() {
    let rule = author(
        "limit = { per_day = 2, per_author_per_week = 1 }
         min_mana = '85%'
         below_min_mana = 'wait'
         tags = { any = ['#Art', 'photo'], none = ['nsfw'] }
         apps = { none = ['SpamBot'] }
         text = { any = ['Long Read'] }
         words = { min = 300 }
         payout = { declined = true, max = 10.5 }
         max_votes = 0
         self_votes = true
         kind = 'all'",
    );
    assert_eq!(rule.limit.per_day, NonZeroU32::new(2));
    assert_eq!(rule.limit.per_author_per_week, NonZeroU32::new(1));
    assert_eq!(rule.min_mana, Some(Weight::clamped(8_500)));
    assert_eq!(rule.below_min_mana, BelowMinMana::Wait);
    assert_eq!(
        (rule.tags.any, rule.tags.none),
        (vec!["art".into(), "photo".into()], vec!["nsfw".into()])
    );
    assert_eq!(
        (rule.apps.none, rule.text.any),
        (vec!["spambot".into()], vec!["long read".into()])
    );
    assert_eq!(
        rule.words,
        Range {
            min: Some(300),
            max: None
        }
    );
    assert_eq!(
        rule.payout,
        Payout {
            declined: true,
            max: Some(10_500)
        }
    );
    assert_eq!(
        (rule.max_votes, rule.self_votes, rule.kind),
        (Some(0), true, PostKind::All)
    );
}

#[test]
fn times_are_in_the_time_zone_of_their_table_or_else_of_the_file() {
    let text = "
        voters = ['alice']
        timezone = 'Europe/Amsterdam'
        [[author]]
        authors = ['bob']
        weight = '50%'
        schedule = { cron = '0 18 * * MON-FRI' }
        window = { from = '22:00', to = '24:00', days = ['mon', 'Tue'], timezone = 'Asia/Tokyo' }";
    let file = read("a.toml", text);
    assert_eq!(file.problems, []);
    let Trigger::Author(own) = &file.rules[0].trigger else {
        panic!("no author rule");
    };
    let schedule = Schedule {
        cron: "0 18 * * MON-FRI".into(),
        timezone: Tz::Europe__Amsterdam,
    };
    assert_eq!(own.schedule, Some(schedule));
    let window = Window {
        from: NaiveTime::from_hms_opt(22, 0, 0).unwrap(),
        to: None,
        days: vec![Weekday::Mon, Weekday::Tue],
        timezone: Tz::Asia__Tokyo,
    };
    assert_eq!(file.rules[0].window, Some(window));
}

#[test]
fn a_rule_expires_in_the_time_zone_of_its_file() {
    for (written, meant) in [
        ("2027-01-01", "2026-12-31T23:00:00Z"),
        ("2027-01-01T12:00:00", "2027-01-01T11:00:00Z"),
        ("2027-01-01 12:00:00Z", "2027-01-01T12:00:00Z"),
        ("2027-01-01T12:00:00+05:30", "2027-01-01T06:30:00Z"),
        // Clocks skip 2:00 to 3:00 in March, and repeat it in October.
        ("2027-03-28T02:30:00", "2027-03-28T01:00:00Z"),
        ("2027-10-31T02:30:00", "2027-10-31T00:30:00Z"),
    ] {
        let text = format!(
            "voters = ['alice']\ntimezone = 'Europe/Amsterdam'\n\
             [[author]]\nauthors = ['bob']\nweight = '1%'\nexpires = {written}"
        );
        assert_eq!(
            read("a.toml", &text).rules[0].expires,
            Some(moment(meant)),
            "{written}"
        );
    }
}

#[test]
fn authors_can_be_anyone_only_with_a_filter() {
    let text =
        |keys: &str| format!("voters=['alice']\n[[author]]\nauthors='*'\nweight='1%'\n{keys}");
    for keys in [
        "tags = { any = ['art'] }",
        "tags.all = ['art']",
        "communities = { any = ['hive-1'] }",
    ] {
        let file = read("a.toml", &text(keys));
        assert_eq!(file.problems, []);
        assert!(
            matches!(&file.rules[0].trigger, Trigger::Author(own) if own.authors == Authors::Anyone)
        );
    }
    assert!(!read("a.toml", &text("tags = { none = ['nsfw'] }")).is_valid());
    assert!(!read("a.toml", &text("")).is_valid());
}

#[test]
fn every_key_is_accepted_where_it_belongs_with_its_example() {
    for kind in [Kind::Author, Kind::Trail] {
        let required: String = kind.keys().filter(|key| key.required).map(line).collect();
        for key in kind.keys().filter(|key| !key.required) {
            let text = format!(
                "voters = ['alice']\n[[{}]]\n{required}{}",
                kind.key(),
                line(key)
            );
            assert!(read("a.toml", &text).is_valid(), "{text}");
            if let Holds::Table(inner) | Holds::PercentageOrTable(inner) = &key.holds {
                every_inner_key_is_known(&text, key, inner);
            }
        }
    }
    for key in &keys::FILE {
        let voters = if key.name == "voters" {
            ""
        } else {
            "voters = ['alice']\n"
        };
        let text = format!("{voters}{}", line(key));
        assert!(read("a.toml", &text).is_valid(), "{text}");
    }
}

fn line(key: &Key) -> String {
    format!("{} = {}\n", key.name, key.example)
}

/// Checks the keys `inner` of the table `key` in the valid file `text`.
fn every_inner_key_is_known(text: &str, key: &Key, inner: &[Key]) {
    for one in inner {
        let others = inner
            .iter()
            .filter(|other| other.required && other.name != one.name);
        let table: Vec<_> = others
            .chain([one])
            .map(|key| line(key).trim().to_owned())
            .collect();
        let table = format!("{} = {{ {} }}\n", key.name, table.join(", "));
        let text = text.replace(&line(key), &table);
        assert!(read("a.toml", &text).is_valid(), "{text}");
    }
}

#[test]
fn problems_are_displayed_with_the_text_underlined() {
    let text = "voters = [\"alice\", \"ålice\"]\n\n[[author]]\nname = \"x\"\n\
                authors = [\n  \"bob\",\n  \"bob\",\n]\nweight = 50\n\n[[author]]\nname = \"x\"\n";
    let problems = read("friends.toml", text).problems;
    let drawn: String = problems
        .iter()
        .map(|problem| render(problem, false) + "\n")
        .collect();
    insta::assert_snapshot!("drawn", drawn);
    assert!(render(&problems[0], true).contains("\x1b[1;31merror\x1b[0m"));
}

#[test]
fn an_invalid_rule_makes_its_file_invalid_and_a_warning_does_not() {
    let good = "voters = ['alice', 'alice']\n[[author]]\nauthors = ['bob']\nweight = '1%'\n";
    let file = read("a.toml", good);
    assert!(file.is_valid() && file.rules.len() == 1 && file.problems.len() == 1);
    assert_eq!(
        names(&file.rules[0].voters),
        ["alice"],
        "a duplicate member counts once"
    );
    let file = read("a.toml", &format!("{good}[[author]]\n"));
    assert!(!file.is_valid() && file.rules.is_empty());
}

/// Texts similar to rule files, most of them invalid.
fn almost_rules() -> impl Strategy<Value = String> {
    let of_rules = keys::BOTH.iter().chain(&keys::AUTHOR).chain(&keys::TRAIL);
    let names = of_rules.chain(&keys::FILE).map(|key| key.name);
    let key = prop::sample::select(names.collect::<Vec<_>>());
    let value = prop::sample::select(vec![
        "'50%'",
        "50",
        "'5m'",
        "['alice']",
        "['alice', 'bob', 1]",
        "{ any = ['x'] }",
        "{}",
        "'*'",
        "[]",
        "{ from = '08:00', to = '24:00' }",
        "2027-01-01",
        "08:00:00",
        "1e400",
        "-1",
        "'",
        "[",
        "{ a = {",
        "\"\"\"",
        "{ cron = '* * * * *' }",
        "0x",
        "nan",
        "'ü'",
        "\u{7}",
    ]);
    let line = prop_oneof![
        4 => (key, value).prop_map(|(key, value)| format!("{key} = {value}")),
        1 => prop::sample::select(vec!["[[author]]", "[[trail]]", "[author.limit]", "[[author", "\r", "a.b.c = 1", "[x]", "[[author.tags]]"])
            .prop_map(str::to_owned),
        1 => "\\PC{0,12}",
    ];
    prop::collection::vec(line, 0..12).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn reading_any_text_never_panics(text in almost_rules()) {
        let file = read("a.toml", &text);
        for problem in &file.problems {
            render(problem, true);
        }
        prop_assert!(file.is_valid() || file.rules.is_empty());
    }
}
