//! Facts about a post that rules are checked against.

use std::cell::OnceCell;

use crate::chain::block::{Comment, CommentOptions};
use crate::chain::content::Content;
use crate::rules::metadata::{Metadata, tag};

/// Facts about a post, from its comment operation or from a node. `None` means that the fact is not known.
#[derive(Debug, Default)]
pub struct Facts<'a> {
    /// False for a comment.
    pub is_post: Option<bool>,
    /// Parent permlink of a post: a tag or a community; `None` for comments.
    category: Option<&'a str>,
    title: Option<&'a str>,
    body: Option<&'a str>,
    metadata: Option<&'a str>,
    /// Whether the author declines payout.
    pub declines_payout: Option<bool>,
    /// Pending payout in thousandths of HBD or SBD.
    pub pending_payout: Option<i64>,
    /// Number of upvotes on the post.
    pub upvotes: Option<u32>,
    derived: Cache<'a>,
}

/// Cache of the derived facts, filled when a rule first needs one.
#[derive(Debug)]
enum Cache<'a> {
    Own(OnceCell<Derived>),
    Shared(&'a SharedCache),
}

impl Default for Cache<'_> {
    fn default() -> Self {
        Self::Own(OnceCell::new())
    }
}

/// Cache of the facts derived from one content, for the thousands of votes that can be checked against it.
#[derive(Debug, Default)]
pub struct SharedCache(OnceCell<Derived>);

/// Facts that are costly to derive.
#[derive(Debug)]
struct Derived {
    tags: Vec<String>,
    app: Option<String>,
    title: String,
    body: String,
    words: u32,
}

impl<'a> Facts<'a> {
    /// Facts about a new post, from its operation and the options in the same transaction.
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

    /// Facts about a post from a node.
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
            derived: Cache::default(),
        }
    }

    /// Facts about a post from a node; derived facts are kept in `cache`, which must belong to this content.
    pub fn of_content_cached(content: &'a Content, cache: &'a SharedCache) -> Self {
        Self {
            derived: Cache::Shared(cache),
            ..Self::of_content(content)
        }
    }

    /// A post about which nothing is known.
    pub fn unknown() -> Self {
        Self::default()
    }

    /// Tags in lower case without `#`; `None` if the post is not known.
    pub fn tags(&self) -> Option<&[String]> {
        self.derived().map(|derived| &*derived.tags)
    }

    /// Community or tag that the post was published in; `None` for comments and if it is not known.
    pub fn community(&self) -> Option<&str> {
        self.category
    }

    /// Application that the post was published with, in lower case and without its version.
    pub fn app(&self) -> Option<&str> {
        self.derived()?.app.as_deref()
    }

    /// Title and body in lower case; `None` if the post is not known.
    pub fn texts(&self) -> Option<[&str; 2]> {
        self.derived()
            .map(|derived| [&*derived.title, &*derived.body])
    }

    /// Number of words in the body; `None` if the post is not known.
    pub fn words(&self) -> Option<u32> {
        self.derived().map(|derived| derived.words)
    }

    fn derived(&self) -> Option<&Derived> {
        let body = self.body?;
        let cell = match &self.derived {
            Cache::Own(cell) | Cache::Shared(SharedCache(cell)) => cell,
        };
        Some(cell.get_or_init(|| {
            let metadata = Metadata::read(self.metadata.unwrap_or_default());
            let mut tags = metadata.tags;
            tags.extend(self.category.map(tag));
            Derived {
                tags,
                app: metadata.app,
                title: self.title.unwrap_or_default().to_lowercase(),
                body: body.to_lowercase(),
                words: u32::try_from(body.split_whitespace().count()).unwrap_or(u32::MAX),
            }
        }))
    }
}
