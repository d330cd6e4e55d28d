//! Changes of JSON at keys, values and types, and of its text.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::{odd_character, pick};

/// `value` after a few changes, as a text that mostly is still JSON.
pub fn mutated(mut value: Value, rng: &mut Rng) -> Vec<u8> {
    for _ in 0..rng.usize(0..4) {
        let at = rng.usize(..count(&value));
        if let Some(place) = nth(&mut value, at) {
            change(place, rng);
        }
    }
    let mut text = match rng.u8(..4) {
        0 => format!("{value:#}"),
        _ => value.to_string(),
    };
    if rng.u8(..8) == 0 {
        repeat_a_key(&mut text, rng);
    }
    let mut bytes = text.into_bytes();
    match rng.u8(..24) {
        0 => bytes.truncate(rng.usize(..=bytes.len())),
        1 => {
            let at = rng.usize(..=bytes.len());
            bytes.insert(at, rng.u8(..));
        }
        2 => bytes.splice(0..0, "\u{feff}".bytes()).for_each(drop),
        3 if !bytes.is_empty() => {
            let at = rng.usize(..bytes.len());
            bytes[at] = rng.u8(..);
        }
        _ => {}
    }
    bytes
}

/// Number of values in `value`, itself included.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum(),
        _ => 0,
    }
}

/// The value that is number `at` when they are counted from the outside in.
fn nth(value: &mut Value, at: usize) -> Option<&mut Value> {
    if at == 0 {
        return Some(value);
    }
    let mut left = at - 1;
    let inner: Box<dyn Iterator<Item = &mut Value>> = match value {
        Value::Array(items) => Box::new(items.iter_mut()),
        Value::Object(fields) => Box::new(fields.values_mut()),
        _ => return None,
    };
    for item in inner {
        let here = count(item);
        if left < here {
            return nth(item, left);
        }
        left -= here;
    }
    None
}

fn change(place: &mut Value, rng: &mut Rng) {
    match (rng.u8(..12), &mut *place) {
        (0..=2, Value::Object(fields)) => change_a_key(fields, rng),
        (0..=1, Value::Array(items)) if !items.is_empty() => {
            let item = pick(rng, items).clone();
            let times = *pick(rng, &[1, 2, 60, 300]);
            items.extend(std::iter::repeat_n(item, times));
        }
        (2, Value::Array(items)) if !items.is_empty() => {
            drop(items.remove(rng.usize(..items.len())))
        }
        (0..=3, Value::String(text)) => change_a_text(text, rng),
        (3, _) => *place = json!([place.take()]),
        (4, _) => *place = Value::String(place.to_string()),
        (5, Value::String(text)) => {
            if let Ok(inner) = serde_json::from_str(text) {
                *place = inner;
            }
        }
        (6, Value::Number(number)) => *place = Value::String(number.to_string()),
        (7, Value::Number(_)) => *place = number(rng),
        _ => *place = odd(rng),
    }
}

fn change_a_key(fields: &mut Map<String, Value>, rng: &mut Rng) {
    let keys: Vec<String> = fields.keys().cloned().collect();
    let Some(key) = (!keys.is_empty()).then(|| pick(rng, &keys).clone()) else {
        return;
    };
    let Some(value) = fields.remove(&key) else {
        return;
    };
    match rng.u8(..4) {
        0 => {}
        1 => {
            let other = pick(rng, &keys).clone();
            fields.insert(other, value);
        }
        2 => {
            let mut wrong = key;
            change_a_text(&mut wrong, rng);
            fields.insert(wrong, value);
        }
        _ => {
            fields.insert(key, odd(rng));
        }
    }
}

/// Puts a character, a piece or much more into a text, or cuts it.
pub fn change_a_text(text: &mut String, rng: &mut Rng) {
    let mut characters: Vec<char> = text.chars().collect();
    let at = rng.usize(..=characters.len());
    match rng.u8(..6) {
        0 => characters.truncate(at),
        1 => {
            let times = *pick(rng, &[20, 300, 5_000, 70_000]);
            let one = odd_character(rng);
            characters
                .splice(at..at, std::iter::repeat_n(one, times))
                .for_each(drop);
        }
        2 => characters
            .splice(at..at, "{}% ../%00".chars())
            .for_each(drop),
        _ => characters.insert(at, odd_character(rng)),
    }
    *text = characters.into_iter().collect();
}

fn number(rng: &mut Rng) -> Value {
    match rng.u8(..8) {
        0 => json!(0),
        1 => json!(-1),
        2 => json!(u64::MAX),
        3 => json!(i64::MIN),
        4 => json!(1e308),
        5 => json!(0.5),
        6 => json!(rng.i64(..)),
        _ => json!(rng.u32(..)),
    }
}

/// A value of any type.
fn odd(rng: &mut Rng) -> Value {
    const TEXTS: [&str; 14] = [
        "",
        " ",
        "null",
        "{}",
        "[",
        "+262142-12-31T23:59:59",
        "-262143-01-01T00:00:00Z",
        "2026-02-30T25:61:61",
        "9999999999999999999999.999 HBD",
        "-0.001 HBD",
        "NaN",
        "ffffffffffffffffffffffffffffffffffffffff",
        "\u{1b}[2J\u{202e}\r\nINFO forged",
        "{\"tags\":[\"art\"],\"tags\":[null,1,\"nsfw\"]}",
    ];
    match rng.u8(..8) {
        0 => Value::Null,
        1 => Value::Bool(rng.bool()),
        2 => json!([]),
        3 => json!({}),
        4 => deep(rng),
        5 | 6 => Value::String((*pick(rng, &TEXTS)).to_owned()),
        _ => number(rng),
    }
}

/// Deep, but not as deep as the parser's limit.
fn deep(rng: &mut Rng) -> Value {
    let is_array = rng.bool();
    let mut value = Value::Null;
    for _ in 0..rng.usize(1..100) {
        value = if is_array {
            json!([value])
        } else {
            json!({ "a": value })
        };
    }
    value
}

/// Repeats a key of an object, which a `Value` cannot hold.
fn repeat_a_key(text: &mut String, rng: &mut Rng) {
    let starts: Vec<usize> = text.match_indices("{\"").map(|(at, _)| at + 1).collect();
    if starts.is_empty() {
        return;
    }
    let at = *pick(rng, &starts);
    let Some(length) = text[at + 1..].find('"') else {
        return;
    };
    let again = format!("{}:{},", &text[at..at + length + 2], odd(rng));
    text.insert_str(at, &again);
}
