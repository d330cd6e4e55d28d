//! Random rule files, from keys with valid or nearly valid values.

use curatord::rules::language::keys::{self, Holds, Key, Kind};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// Lists that every generated file may use, and their definitions.
pub const LISTS: &str =
    "[lists]\nfriends = ['bob', '@Carol']\nart = ['#Photography', 'painting']\n";

/// A file with its own [`LISTS`]; most are valid.
pub fn file() -> impl Strategy<Value = String> {
    rules().prop_map(|rules| format!("voters = ['alice']\n{LISTS}{rules}"))
}

/// Some rules, without the keys of the file.
pub fn rules() -> impl Strategy<Value = String> {
    let rule = select(vec![Kind::Author, Kind::Trail]).prop_flat_map(rule);
    prop::collection::vec(rule, 0..5).prop_map(|rules| rules.concat())
}

fn rule(kind: Kind) -> impl Strategy<Value = String> {
    let optional: Vec<&Key> = kind
        .keys()
        .filter(|key| !key.required && key.name != "name")
        .collect();
    let most = optional.len().min(5);
    subsequence(optional, 0..=most).prop_flat_map(move |some| {
        let required = kind.keys().filter(|key| key.required);
        let lines: Vec<_> = required.chain(some).map(line).collect();
        lines.prop_map(move |lines| format!("\n[[{}]]\n{}", kind.key(), lines.concat()))
    })
}

fn line(key: &'static Key) -> impl Strategy<Value = String> {
    value(key).prop_map(|value| format!("{} = {value}\n", key.name))
}

/// The example, or another value of the same type.
fn value(key: &'static Key) -> BoxedStrategy<String> {
    let example = Just(key.example.to_owned());
    prop_oneof![1 => example, 3 => of_kind(&key.holds)].boxed()
}

fn of_kind(holds: &'static Holds) -> BoxedStrategy<String> {
    let one_of = |values: &[&'static str]| select(values.to_vec()).prop_map(str::to_owned).boxed();
    let accounts = [
        "['bob']",
        "['@Bob', 'c-3po.art']",
        "['list:friends']",
        "['list:friends', 'erin']",
        "['list:art']",
    ];
    match holds {
        Holds::Accounts => one_of(&accounts),
        Holds::AccountsOrAnyone => {
            prop_oneof![4 => one_of(&accounts), 1 => Just("'*'".to_owned())].boxed()
        }
        Holds::Words => one_of(&[
            "['art']",
            "['#Art', 'list:art']",
            "['list:friends']",
            "['hive-174578', 'x']",
        ]),
        Holds::Texts => one_of(&["['Long Read']", "[' ', 'ü']", "['list:x']"]),
        Holds::Days => one_of(&["['mon']", "['Sat', 'SUN']"]),
        Holds::Percentage => {
            let bounds = prop_oneof![0..=10_000i32, -1_000..=100_000i32];
            let written = (bounds, select(vec!["", "0", " "])).prop_map(|(value, end)| {
                let (blank, zero) = if end == " " { (" ", "") } else { ("", end) };
                format!("'{}.{:02}{zero}{blank}%'", value / 100, value.abs() % 100)
            });
            prop_oneof![written, one_of(&["'+5%'", "'100%'", "'-0.5%'", "'7 %'"])].boxed()
        }
        Holds::Duration => one_of(&[
            "'0s'",
            "'1d'",
            "' 1h  30m '",
            "'90m'",
            "'6d23h59m'",
            "'1w'",
            "'5 s'",
            "'10ms'",
        ]),
        Holds::Text => one_of(&[
            "'x'",
            "''",
            "'0 18 * * *'",
            "'*/5 0 18 * * 1-5'",
            "'@hourly'",
            "'0 0 29 2 *'",
        ]),
        Holds::Flag => one_of(&["true", "false"]),
        Holds::Count(_) => one_of(&["0", "1", "2", "0x10", "1_000", "4294967295"]),
        Holds::Amount => one_of(&["0", "10", "0.5", "1e3", "1e8"]),
        Holds::Date => one_of(&[
            "2027-01-01",
            "2027-03-28T02:30:00",
            "2027-01-01 00:00:00Z",
            "2028-02-29T23:59:60+05:30",
        ]),
        Holds::TimeOfDay => one_of(&["'00:00'", "'8:00'", "'23:59'", "'24:00'"]),
        Holds::Timezone => one_of(&[
            "'UTC'",
            "'Etc/GMT+12'",
            "'America/Port-au-Prince'",
            "'EST5EDT'",
        ]),
        Holds::Choice(words) => select(words.to_vec())
            .prop_map(|word| format!("'{word}'"))
            .boxed(),
        Holds::Table(keys) => table(keys),
        Holds::PercentageOrTable(keys) => {
            prop_oneof![of_kind(&Holds::Percentage), table(keys)].boxed()
        }
        Holds::Rules(_) | Holds::Lists => unreachable!("these stand at the top of a file"),
    }
}

fn table(keys: &'static [Key]) -> BoxedStrategy<String> {
    let optional: Vec<&Key> = keys.iter().filter(|key| !key.required).collect();
    let least = usize::from(optional.len() == keys.len());
    let most = optional.len();
    subsequence(optional, least..=most)
        .prop_flat_map(|some| {
            let required = keys.iter().filter(|key| key.required);
            let entries: Vec<_> = required.chain(some).map(line).collect();
            entries.prop_map(|entries| {
                let entries: Vec<_> = entries.iter().map(|entry| entry.trim()).collect();
                format!("{{ {} }}", entries.join(", "))
            })
        })
        .boxed()
}

/// Every key in the tables of keys is generated.
#[test]
fn most_generated_files_are_valid() {
    use curatord::rules::language::file::read;
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut good = 0;
    let mut unseen: Vec<_> = keys::BOTH
        .iter()
        .map(|key| key.name)
        .filter(|name| *name != "name")
        .collect();
    for _ in 0..300 {
        let text = file().new_tree(&mut runner).unwrap().current();
        if read("a.toml", &text).is_valid() {
            good += 1;
            unseen.retain(|name| !text.contains(&format!("\n{name} = ")));
        }
    }
    assert!(good >= 60, "only {good} of 300");
    assert_eq!(unseen, [""; 0]);
}
