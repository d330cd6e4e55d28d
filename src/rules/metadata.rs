//! `json_metadata` of a post, read as front ends do.
//!
//! Authors and their programs write anything there. As in a browser, the last of repeated keys counts, and one value that
//! cannot be read takes no other with it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The part of `json_metadata` that filters use. Empty if the text is not a JSON object.
#[derive(Debug, Default, PartialEq)]
pub struct Metadata {
    /// In lower case, without `#`; none is empty.
    pub tags: Vec<String>,
    /// In lower case, without its version; not empty.
    pub app: Option<String>,
}

impl Metadata {
    /// Reads the JSON of a post.
    pub fn read(json: &str) -> Self {
        if let Ok(Fields { tags, app }) = serde_json::from_str(json) {
            return Self {
                tags: tags.map_or_else(Vec::new, tags_of),
                app: app.and_then(text).and_then(|app| app_name(&app)),
            };
        }
        // Some programs encode the object twice.
        let inner: Option<String> = serde_json::from_str(json).ok();
        let is_object = |inner: &String| inner.trim_start().starts_with('{');
        inner
            .filter(is_object)
            .map_or_else(Self::default, |inner| Self::read(&inner))
    }
}

/// Normalises a tag: lower case, without `#` and blanks at its ends.
pub fn tag(text: &str) -> String {
    // A byte order mark is a blank in browsers.
    let is_blank = |c: char| c == '#' || c == '\u{feff}' || c.is_whitespace();
    text.trim_matches(is_blank).to_lowercase()
}

/// The name of an application such as `peakd/2024.1`.
fn app_name(app: &str) -> Option<String> {
    let name = app.split('/').next()?.trim().to_lowercase();
    (!name.is_empty()).then_some(name)
}

fn tags_of(value: &RawValue) -> Vec<String> {
    let tags: Vec<String> = match (list(value.get()), text(value)) {
        (Some(tags), _) => tags,
        (None, Some(words)) => list(&words).unwrap_or_else(|| {
            let words = words.split(|c: char| c == ',' || c.is_whitespace());
            words.map(tag).collect()
        }),
        (None, None) => Vec::new(),
    };
    tags.into_iter().filter(|tag| !tag.is_empty()).collect()
}

/// The tags of a JSON array; `None` if it is none.
fn list(json: &str) -> Option<Vec<String>> {
    let values: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    let texts = values.into_iter().filter_map(text);
    Some(texts.map(|text| tag(&text)).collect())
}

/// The text of a JSON string; `None` for other values, and for one that holds half a surrogate pair.
fn text(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// Values that are read later, each by itself.
#[derive(Default)]
struct Fields<'a> {
    tags: Option<&'a RawValue>,
    app: Option<&'a RawValue>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut fields = Fields::default();
        while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
            match text(key).as_deref() {
                Some("tags") => fields.tags = Some(value),
                Some("app") => fields.app = Some(value),
                _ => {}
            }
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(metadata: &str) -> Vec<String> {
        Metadata::read(metadata).tags
    }

    #[test]
    fn tags_are_read_from_lists_and_texts_and_other_forms_are_ignored() {
        assert_eq!(
            tags(r##"{"tags": ["Photo", "#nature", 7, null, ["x"], ""]}"##),
            ["photo", "nature"]
        );
        assert_eq!(
            tags(r#"{"tags": "photo nature,Art"}"#),
            ["photo", "nature", "art"]
        );
        for metadata in [
            "",
            "{",
            "[]",
            "null",
            r#"{"tags": {"a": 1}}"#,
            r#"{"tags": null}"#,
            "\"tags\"",
        ] {
            assert_eq!(tags(metadata), [""; 0], "{metadata}");
        }
    }

    #[test]
    fn a_tag_that_cannot_be_read_is_left_out_alone() {
        for cut in [r#""\ud83d""#, "1e999", "7", "null", "true", r#"{"a":[]}"#] {
            let metadata = format!(r#"{{"tags": ["art", {cut}, "nsfw"]}}"#);
            assert_eq!(tags(&metadata), ["art", "nsfw"], "{metadata}");
        }
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for other in [
            r#""\ud83d": 1"#,
            r#""image": "\ud83d""#,
            r#""size": 1e999"#,
            &format!("\"deep\": {deep}"),
        ] {
            let metadata = format!(r#"{{{other}, "tags": ["art"]}}"#);
            assert_eq!(tags(&metadata), ["art"], "{metadata}");
        }
    }

    #[test]
    fn the_last_of_repeated_keys_counts() {
        assert_eq!(tags(r#"{"tags":["art"],"tags":["nsfw"]}"#), ["nsfw"]);
        assert_eq!(tags(r#"{"tags":["art"],"t\u0061gs":"nsfw"}"#), ["nsfw"]);
        assert_eq!(tags(r#"{"tags":["art"],"tags":null}"#), [""; 0]);
        let metadata = Metadata::read(r#"{"app":"peakd/1","app":"ecency/3"}"#);
        assert_eq!(metadata.app.as_deref(), Some("ecency"));
    }

    #[test]
    fn a_text_that_holds_json_is_decoded_once_more() {
        let metadata = Metadata::read(r#""{\"tags\":[\"art\"],\"app\":\"peakd/1\"}""#);
        assert_eq!(
            (&*metadata.tags, metadata.app.as_deref()),
            (&["art".to_owned()][..], Some("peakd"))
        );
        assert_eq!(
            tags(r##"{"tags":"[\"#Art\",\"photo\"]"}"##),
            ["art", "photo"]
        );
    }

    #[test]
    fn an_array_or_a_number_is_broken_metadata() {
        for metadata in [
            r#"["art"]"#,
            r#"[["art"], "peakd"]"#,
            "7",
            "true",
            r#""[\"art\"]""#,
        ] {
            assert_eq!(Metadata::read(metadata), Metadata::default(), "{metadata}");
        }
    }

    #[test]
    fn tags_lose_hashes_and_blanks_at_both_ends() {
        let metadata = r###"{"tags":["# TavernTest", "photo#", " art\u00a0", "##", "\ufeffweb ", "c#sharp"]}"###;
        assert_eq!(
            tags(metadata),
            ["taverntest", "photo", "art", "web", "c#sharp"]
        );
    }

    #[test]
    fn an_app_is_read_without_its_version() {
        let app = |metadata| Metadata::read(metadata).app;
        assert_eq!(app(r#"{"app": "PeakD/2024.1"}"#).as_deref(), Some("peakd"));
        assert_eq!(app(r#"{"app": "ecency"}"#).as_deref(), Some("ecency"));
        for metadata in [
            r#"{"app": {"name": "x"}}"#,
            r#"{"app": ""}"#,
            r#"{"app": 7}"#,
            "{}",
        ] {
            assert_eq!(app(metadata), None, "{metadata}");
        }
    }

    proptest::proptest! {
        #[test]
        fn reading_metadata_never_panics(text in "\\PC*") {
            Metadata::read(&text);
        }
    }
}
