//! Casts curators' votes on Hive and Steem, on time, from rule files.
//!
//! # A map
//!
//! A vote flows one way, through five stages; each is a folder, and each is one task that owns its state.
//!
//! ```text
//! node ──blocks──▶ chain ──operations──▶ rules ──planned votes──▶ queue ──due votes──▶ cast ──▶ signer
//!                                          ▲ files                 │ database             │
//!                                        watcher                   └──────◀── outcome ────┘
//! ```
//!
//! | module | holds |
//! | --- | --- |
//! | [`chain`] | blocks and operations, the nodes and what happens when one fails, the stream of blocks |
//! | [`rules`] | the rule language, the files it stands in, and the set of rules in force |
//! | [`queue`] | from blocks to votes ([`votes::planner`]), what becomes of a vote ([`votes::fold`]), the task that writes ([`queue::writer`]), the tables ([`store`]) |
//! | [`cast`] | when a vote goes out ([`votes::caster`]), what the rules and the post say then ([`votes::verdict`]) |
//! | [`signer`] | the HTTP API, what its answers mean ([`signer::answer`]), the voters' tokens ([`signer::keeper`]) |
//! | [`daemon`] | the wiring: one function that starts, watches and stops all of it |
//! | [`cli`], [`config`], [`diagnostic`], [`toml_reader`] | commands, settings, and mistakes shown in their place |
//! | [`replay`], [`ruletest`] | rules played over recorded blocks, and over what a test says, with the daemon's own decisions |
//! | [`explain`] | why a post was, will be or will not be voted on, for `curatord explain` |
//! | [`sandbox`] | a simulated chain and signer, for `demo`, `sandbox` and the tests |
//! | [`account`], [`weight`], [`post`], [`clock`], [`backoff`] | the words that all of them use |
//!
//! # One vote, from block to confirmation
//!
//! 1. [`chain::stream`] reads block 90 000 123: `@bob` publishes `@bob/my-garden`. The reader in [`daemon`]
//!    hands the block to the [`votes::planner::Planner`].
//! 2. The planner finds the rules about `@bob` in the [`rules::set::RuleSet`] by looking up one name. The rule
//!    `friends.toml:favourites` votes as `@alice` with 50 %, five minutes after publication: that is a
//!    [`votes::change::Plan`], and it goes to the [`queue::writer`] together with the new cursor.
//! 3. The writer has the store apply both in one transaction. What the row becomes is decided by
//!    [`votes::fold::fold`]: it is `queued`, due at the block's timestamp plus five minutes.
//!    The caster has a node asked at once whether the post is what it seems: an edit is withdrawn, and a post
//!    that is not the rule's goes to whatever else asks for it.
//! 4. Half a minute before it is due, the writer claims the row for this daemon and hands it to the
//!    [`votes::caster::Caster`], which keeps it on a timer in memory.
//! 5. A second before, the caster has a node asked for the post: it is still there, it is a post and not an
//!    edit, and `@alice` has not voted on it by hand. The rule is looked up again, as its file is now.
//! 6. At the moment itself, with a place free in `@alice`'s lane, the request leaves: [`signer::client`] posts
//!    it with the token from the [`signer::book::TokenBook`], and [`signer::answer::judge`] says what the
//!    answer means.
//! 7. It was accepted: the report goes through the [`queue::journal::Journal`] to the writer, and the row is
//!    `cast`.
//! 8. A few seconds later a block holds the vote. The planner sees that one of our voters voted
//!    ([`votes::change::Seen`]), and the row is `confirmed`. Had no block shown it in time, the caster would
//!    look for it on the post, and cast it again if it were not there.

pub mod account;
pub mod backoff;
pub mod cast;
pub mod chain;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod diagnostic;
pub mod explain;
pub mod http_client;
pub mod moment;
pub mod network;
pub mod post;
pub mod queue;
pub mod replay;
pub mod rules;
pub mod ruletest;
pub mod sandbox;
pub mod signer;
pub mod simulate;
pub mod stop;
pub mod store;
pub mod toml_reader;
pub mod votes;
pub mod weight;
