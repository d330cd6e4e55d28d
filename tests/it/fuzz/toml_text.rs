//! Changes of the text of a TOML file at keys, values and types.

use fastrand::Rng;

use super::json::change_a_text;
use super::{odd_character, pick};

/// Values of every type, well-formed and not.
const VALUES: [&str; 40] = [
    "\"50%\"",
    "50",
    "50%",
    "0.5",
    "-0",
    "'0%'",
    "'100000%'",
    "'12,5%'",
    "true",
    "yes",
    "[]",
    "[[]]",
    "['bob', 5]",
    "['@Bob', 'list:friends']",
    "'*'",
    "''",
    "\"\\u001b[2J\"",
    "{}",
    "{ any = ['x'], any = ['y'] }",
    "{ scale = '50%', max = '40%' }",
    "2027-02-30",
    "2027-01-01T00:00:00Z",
    "9999-12-31T23:59:59-23:59",
    "08:00",
    "'8:00'",
    "'5m'",
    "'99999999999999999999d'",
    "'1h 1h'",
    "9223372036854775808",
    "1e400",
    "nan",
    "'0 0 31 2 *'",
    "'* * * * * *'",
    "'Europe/Amsterdam'",
    "'CET'",
    "\"\"\"\nx\n\"\"\"",
    "'''",
    "\"C:\\Users\"",
    "«50%»",
    "# nothing",
];

const HEADERS: [&str; 10] = [
    "[[author]]",
    "[[trail]]",
    "[author]",
    "[lists]",
    "[[author",
    "[author]]",
    "[[[author]]]",
    "[signer]",
    "[lists.x]",
    "[]",
];

/// `text` after a few changes.
pub fn mutated(text: &str, rng: &mut Rng) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..rng.usize(0..5) {
        change(&mut lines, rng);
    }
    let end = *pick(rng, &["\n", "\n", "\n", "\r\n", "\r", "\n\u{feff}"]);
    let mut text = lines.join(end);
    match rng.u8(..12) {
        0 => change_a_text(&mut text, rng),
        1 => {
            let place = rng.usize(..=text.len());
            let place = (0..=place).rev().find(|at| text.is_char_boundary(*at));
            text.truncate(place.unwrap_or_default());
        }
        2 => text.insert(0, '\u{feff}'),
        _ => {}
    }
    text
}

fn change(lines: &mut Vec<String>, rng: &mut Rng) {
    if lines.is_empty() {
        lines.push((*pick(rng, &HEADERS)).to_owned());
    }
    let (at, other) = (rng.usize(..lines.len()), rng.usize(..lines.len()));
    let split = |line: &str| {
        let (key, value) = line.split_once('=')?;
        Some((key.to_owned(), value.to_owned()))
    };
    match rng.u8(..12) {
        0 => lines.swap(at, other),
        1 => lines.insert(at, lines[other].clone()),
        2 => drop(lines.remove(at)),
        3 => lines.insert(at, (*pick(rng, &HEADERS)).to_owned()),
        4 | 5 => {
            if let Some((key, _)) = split(&lines[at]) {
                lines[at] = format!("{key}= {}", pick(rng, &VALUES));
            }
        }
        6 => {
            if let (Some((key, _)), Some((_, value))) = (split(&lines[at]), split(&lines[other])) {
                lines[at] = format!("{key}={value}");
            }
        }
        7 => {
            if let Some((key, value)) = split(&lines[at]) {
                let mut key = key.trim().to_owned();
                change_a_text(&mut key, rng);
                lines[at] = format!("{key} ={value}");
            }
        }
        8 => {
            if let Some((key, value)) = split(&lines[at]) {
                lines[at] = match rng.u8(..3) {
                    0 => format!("{key}= [{value}]"),
                    1 => format!("{key}= {{ {key} = {value} }}"),
                    _ => format!("{key}= {}{}", "[".repeat(rng.usize(1..200)), value),
                };
            }
        }
        9 => lines[at].extend(std::iter::repeat_n(odd_character(rng), rng.usize(1..400))),
        _ => {
            let mut characters: Vec<char> = lines[at].chars().collect();
            let place = rng.usize(..=characters.len());
            match rng.bool() {
                true => characters.insert(place, odd_character(rng)),
                false if place < characters.len() => drop(characters.remove(place)),
                false => {}
            }
            lines[at] = characters.into_iter().collect();
        }
    }
}
