//! The environment variables that set something.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::DeValue;

pub(super) const PREFIX: &str = "CURATORD_";

/// Variables of tests and benchmarks: databases, and the folder of libraries of others.
const OTHERS: [&str; 3] = [
    "CURATORD_TEST_MYSQL",
    "CURATORD_TEST_CLIENTS",
    "CURATORD_BENCH_MYSQL",
];

/// An environment variable that sets something.
pub(super) struct Variable {
    /// `CURATORD_SIGNER__URL`
    pub name: String,
    pub value: DeValue<'static>,
    /// The value as it was given; positions of mistakes refer to it.
    pub text: String,
}

/// The variables that are ours, by section (empty for the top of the file) and key.
pub(super) type Variables = BTreeMap<(String, String), Variable>;

/// Picks the variables that begin with our prefix, so that a mistyped one is noticed, except those that container
/// systems set by themselves.
pub(super) fn variables(environment: impl IntoIterator<Item = (String, String)>) -> Variables {
    let mut variables = Variables::new();
    for (name, text) in environment {
        let Some(words) = name.strip_prefix(PREFIX) else {
            continue;
        };
        if OTHERS.contains(&name.as_str()) || is_of_a_container_system(words, &text) {
            continue;
        }
        let (section, key) = words.split_once("__").unwrap_or(("", words));
        let place = (section.to_lowercase(), key.to_lowercase());
        let value = match place.1.as_str() {
            // The one list; commas separate its items.
            "nodes" => {
                let nodes = text
                    .split(',')
                    .map(str::trim)
                    .filter(|node| !node.is_empty());
                let whole = 0..text.len();
                let item = |node: &str| {
                    Spanned::new(whole.clone(), DeValue::String(node.to_owned().into()))
                };
                let mut array = toml::de::DeArray::new();
                nodes.for_each(|node| array.push(item(node)));
                DeValue::Array(array)
            }
            _ => DeValue::String(text.trim().to_owned().into()),
        };
        variables.insert(place, Variable { name, value, text });
    }
    variables
}

/// Whether Kubernetes or Docker set the variable for a service called `curatord`, or `curatord-` and more:
/// `CURATORD_SERVICE_HOST`, `CURATORD_PORT_9393_TCP_ADDR`, `CURATORD_PORT=tcp://10.0.0.1:9393`.
fn is_of_a_container_system(words: &str, text: &str) -> bool {
    let words: Vec<&str> = words.split('_').collect();
    let has = |pair: [&str; 2]| words.windows(2).any(|two| two == pair);
    let of_port = words.windows(3).any(|three| {
        let [port, number, protocol] = three else {
            return false;
        };
        *port == "PORT"
            && number.parse::<u16>().is_ok()
            && ["TCP", "UDP", "SCTP"].contains(protocol)
    });
    let is_port = words.last() == Some(&"PORT") && text.contains("://");
    is_port || of_port || has(["SERVICE", "HOST"]) || has(["SERVICE", "PORT"])
}

#[cfg(test)]
mod tests {
    fn problems(environment: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("curatord.toml");
        std::fs::write(&file, "").unwrap();
        let pairs = environment
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()));
        match crate::config::load(Some(&file), pairs) {
            Ok(_) => Vec::new(),
            Err(failure) => failure.to_string().lines().map(str::to_owned).collect(),
        }
    }

    #[test]
    fn a_mistyped_variable_is_not_passed_over() {
        let general = "there is no such setting (settings are called CURATORD_SECTION__KEY)";
        for (name, told) in [
            (
                "CURATORD_SIGNER_CLIENT_ID",
                "there is no such setting (did you mean CURATORD_SIGNER__CLIENT_ID?)",
            ),
            (
                "CURATORD_RULE",
                "there is no such setting (did you mean CURATORD_RULES?)",
            ),
            ("CURATORD_FOO__BAR", general),
            (
                "CURATORD_SIGNER",
                "there is no such setting (did you mean CURATORD_SIGNER__URL?)",
            ),
            ("CURATORD___", general),
        ] {
            assert_eq!(problems(&[(name, "x")]), [format!("{name}: {told}")]);
        }
    }

    #[test]
    fn what_others_set_by_our_name_is_passed_over() {
        let set = [
            ("CURATORD_PORT", "tcp://10.0.0.1:9393"),
            ("CURATORD_PORT_9393_TCP", "tcp://10.0.0.1:9393"),
            ("CURATORD_PORT_9393_TCP_ADDR", "10.0.0.1"),
            ("CURATORD_SERVICE_HOST", "10.0.0.1"),
            ("CURATORD_SERVICE_PORT_METRICS", "9393"),
            ("CURATORD_MYSQL_SERVICE_PORT", "3306"),
            ("CURATORD_TEST_MYSQL", "mysql://tests@127.0.0.1/"),
            ("CURATORD_BENCH_MYSQL", "mysql://tests@127.0.0.1/"),
            ("CURATOR", "x"),
            ("CURATORD_BIN", "/usr/bin/curatord"),
            ("CURATORD_FOO", "x"),
            ("CURATORD_", "x"),
        ];
        assert_eq!(problems(&set), [""; 0]);
    }
}
