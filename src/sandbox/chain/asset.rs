//! The two forms of amounts in the answers of nodes.

use serde_json::{Value, json};

/// Turns amounts from the form of `condenser_api`, `1.000 HBD`, into that of the other APIs, at any
/// depth. Only for values without texts of people.
pub fn with_nai(value: Value) -> Value {
    match value {
        Value::String(text) => nai(&text).unwrap_or(Value::String(text)),
        Value::Array(values) => values.into_iter().map(with_nai).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (name, with_nai(value)))
            .collect(),
        other => other,
    }
}

/// An amount as an object; `None` if the text is no amount.
fn nai(text: &str) -> Option<Value> {
    let (number, symbol) = text.split_once(' ')?;
    let (nai, precision) = match symbol {
        "HBD" | "SBD" => ("@@000000013", 3),
        "HIVE" | "STEEM" => ("@@000000021", 3),
        "VESTS" => ("@@000000037", 6),
        _ => return None,
    };
    let (whole, rest) = number.split_once('.')?;
    let amount: i64 = format!("{whole}{rest}").parse().ok()?;
    (rest.len() == precision)
        .then(|| json!({"amount": amount.to_string(), "precision": precision, "nai": nai}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_number_of_their_asset_outside_condenser_api() {
        let value = json!({"a": "1.000 HIVE", "b": ["0.300 HBD", 5, "words"], "c": {"d": "2.000000 VESTS"}});
        let amount = |amount: &str, precision, nai: &str| json!({"amount": amount, "precision": precision, "nai": nai});
        assert_eq!(
            with_nai(value),
            json!({
                "a": amount("1000", 3, "@@000000021"),
                "b": [amount("300", 3, "@@000000013"), 5, "words"],
                "c": {"d": amount("2000000", 6, "@@000000037")},
            })
        );
        for text in ["1.00 HBD", "x.000 HBD", "1.000 COINS", "1 HBD"] {
            assert_eq!(with_nai(json!(text)), json!(text));
        }
    }
}
