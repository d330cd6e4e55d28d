//! What is known of a post when a rule is held against it.

use std::cell::OnceCell;

use serde::Deserialize;
use serde_json::Value;

use crate::chain::block::{Comment, CommentOptions};
use crate::chain::content::Content;

/// What a post is, from its comment operation or from a node; `None` stands for what nobody told.
#[derive(Debug, Default)]
pub struct Facts<'a> {
    /// False for a comment under a post.
    pub is_post: Option<bool>,
    /// The parent permlink of a post: a tag or a community. `None` for comments.
    category: Option<&'a str>,
    title: Option<&'a str>,
    body: Option<&'a str>,
    metadata: Option<&'a str>,
    /// Whether the author takes no payout.
    pub declines_payout: Option<bool>,
    /// In thousandths of HBD or SBD.
    pub pending_payout: Option<i64>,
    /// Upvotes that stand on the post.
    pub upvotes: Option<u32>,
    read: Reading<'a>,
}

/// What of a post takes work to find out, worked out when a rule first asks.
#[derive(Debug)]
enum Reading<'a> {
    Own(OnceCell<Read>),
    Kept(&'a ReadOnce),
}

impl Default for Reading<'_> {
    fn default() -> Self {
        Self::Own(OnceCell::new())
    }
}

/// Keeps what was worked out of one content, for as long as that is known: thousands of votes ask.
#[derive(Debug, Default)]
pub struct ReadOnce(OnceCell<Read>);

/// What of a post takes work to find out.
#[derive(Debug)]
struct Read {
    tags: Vec<String>,
    app: Option<String>,
    title: String,
    body: String,
    words: u32,
}

impl<'a> Facts<'a> {
    /// A new post as its operation tells it, with the options that came with it.
    pub fn of_comment(comment: &'a Comment, options: Option<&CommentOptions>) -> Self {
        Self {
            is_post: Some(comment.is_post()),
            category: comment.is_post().then_some(&*comment.parent_permlink),
            title: Some(&comment.title),
            body: Some(&comment.body),
            metadata: Some(&comment.json_metadata),
            declines_payout: Some(options.is_some_and(|options| options.max_accepted_payout == 0)),
            ..Self::default()
        }
    }

    /// A post as a node has it now.
    pub fn of_content(content: &'a Content) -> Self {
        let is_post = content.parent_author.is_empty();
        Self {
            is_post: Some(is_post),
            category: is_post.then_some(&*content.parent_permlink),
            title: Some(&content.title),
            body: Some(&content.body),
            metadata: Some(&content.json_metadata),
            declines_payout: Some(content.max_accepted_payout == 0),
            pending_payout: Some(content.pending_payout),
            upvotes: Some(content.votes.upvotes()),
            read: Reading::default(),
        }
    }

    /// Likewise; what takes work is done once for all that are made with the same `read`, which is for this
    /// content alone.
    pub fn of_content_once(content: &'a Content, read: &'a ReadOnce) -> Self {
        Self {
            read: Reading::Kept(read),
            ..Self::of_content(content)
        }
    }

    /// A post of which nobody told anything.
    pub fn unknown() -> Self {
        Self::default()
    }

    /// Whether anything at all is known of the text.
    fn is_known(&self) -> bool {
        self.body.is_some()
    }

    /// Tags in lower case without `#`; `None` where nothing is known of the post.
    pub fn tags(&self) -> Option<&[String]> {
        self.is_known().then(|| &*self.read().tags)
    }

    /// The community or tag that a post was published in; `None` for comments and where it is not known.
    pub fn community(&self) -> Option<&str> {
        self.category
    }

    /// The application it was published with, in lower case and without its version.
    pub fn app(&self) -> Option<&str> {
        self.is_known()
            .then(|| self.read().app.as_deref())
            .flatten()
    }

    /// Title and body in lower case; `None` where nothing is known of the post.
    pub fn texts(&self) -> Option<[&str; 2]> {
        self.is_known()
            .then(|| [&*self.read().title, &*self.read().body])
    }

    /// Words in the body; `None` where nothing is known of the post.
    pub fn words(&self) -> Option<u32> {
        self.is_known().then(|| self.read().words)
    }

    fn read(&self) -> &Read {
        let read = match &self.read {
            Reading::Own(read) | Reading::Kept(ReadOnce(read)) => read,
        };
        read.get_or_init(|| {
            let metadata = Metadata::read(self.metadata.unwrap_or_default());
            let body = self.body.unwrap_or_default();
            let mut tags = metadata.tags;
            tags.extend(self.category.map(tag));
            Read {
                tags,
                app: metadata.app,
                title: self.title.unwrap_or_default().to_lowercase(),
                body: body.to_lowercase(),
                words: u32::try_from(body.split_whitespace().count()).unwrap_or(u32::MAX),
            }
        })
    }
}

/// What `json_metadata` should hold and often does not: whatever cannot be read counts as missing.
#[derive(Debug, Default, PartialEq)]
struct Metadata {
    tags: Vec<String>,
    app: Option<String>,
}

#[derive(Deserialize)]
struct RawMetadata {
    #[serde(default)]
    tags: Value,
    #[serde(default)]
    app: Value,
}

impl Metadata {
    fn read(text: &str) -> Self {
        let Ok(raw) = serde_json::from_str::<RawMetadata>(text) else {
            return Self::default();
        };
        let tags = match raw.tags {
            Value::Array(tags) => tags
                .into_iter()
                .filter_map(|value| match value {
                    Value::String(text) => Some(tag(&text)),
                    Value::Number(number) => Some(number.to_string()),
                    _ => None,
                })
                .collect(),
            Value::String(text) => text.split([' ', ',']).map(tag).collect(),
            _ => Vec::new(),
        };
        let app = match raw.app {
            Value::String(text) => Some(text),
            _ => None,
        };
        let name = app.as_deref().and_then(|app| app.split('/').next());
        Self {
            tags: tags
                .into_iter()
                .filter(|tag: &String| !tag.is_empty())
                .collect(),
            app: name
                .map(|name| name.trim().to_lowercase())
                .filter(|name| !name.is_empty()),
        }
    }
}

/// A tag as rules have it.
fn tag(text: &str) -> String {
    text.trim().trim_start_matches('#').to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(metadata: &str) -> Vec<String> {
        Metadata::read(metadata).tags
    }

    #[test]
    fn tags_are_read_from_whatever_people_put_there() {
        assert_eq!(
            tags(r##"{"tags": ["Photo", "#nature", 7, null, ["x"], ""]}"##),
            ["photo", "nature", "7"]
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
    fn an_app_is_known_without_its_version() {
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
        fn no_metadata_upsets(text in "\\PC*") {
            Metadata::read(&text);
        }
    }
}
