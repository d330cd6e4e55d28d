//! The keys of a rule file: where each belongs, and which work in this version.

/// Keys at the top of a file, beside `[[author]]` and `[[trail]]`.
pub const FILE: [&str; 3] = ["voters", "timezone", "lists"];

/// Keys of `[[author]]` and `[[trail]]` alike.
pub const BOTH: [&str; 23] = [
    "name",
    "voters",
    "enabled",
    "weight",
    "delay",
    "max_age",
    "limit",
    "min_mana",
    "below_min_mana",
    "window",
    "kind",
    "tags",
    "communities",
    "apps",
    "text",
    "words",
    "payout",
    "max_votes",
    "expires",
    "self_votes",
    "note",
    "authors",
    "except",
];

/// Keys of `[[author]]` only.
pub const AUTHOR: [&str; 1] = ["schedule"];

/// Keys of `[[trail]]` only.
pub const TRAIL: [&str; 4] = ["leaders", "min_leader_weight", "downvotes", "agree"];

/// What the language has but this version does not act on: refused, so that no rule votes on more
/// than its author wants. To make one work, take it out of here. [`LISTS`] are not even read yet.
pub const NOT_YET: &[&str] = &[];

/// `[lists]`, and `"list:friends"` in a list.
pub const LISTS: &str = "lists";

/// `authors = "*"`.
pub const ANYONE: &str = "*";

/// What to do about something that is [`NOT_YET`] supported.
pub const NOT_YET_HELP: &str = "this version cannot act on it: take it out";
