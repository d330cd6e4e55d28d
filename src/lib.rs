//! Casts curators' votes on Hive and Steem, on time, from rule files.
//!
//! # A map
//!
//! A vote flows one way. What is decided about it stands in [`votes`], which is pure; the tasks around it read,
//! write and send.
//!
//! ```text
//! node ──blocks──▶ chain ──operations──▶ rules ──asks──▶ queue ──due votes──▶ cast ──▶ signer
//!                                          ▲ files        │ database           │
//!                                        watcher          └──────◀── outcome ──┘
//! ```
//!
//! | module | holds |
//! | --- | --- |
//! | [`account`], [`address`], [`weight`], [`post`], [`network`], [`moment`], [`clock`], [`backoff`], [`stop`], [`visible`] | the words that all others use |
//! | [`chain`] | blocks and operations, the nodes and their failover, the stream of blocks, mana |
//! | [`rules`] | a rule, its filters and hours; the language ([`rules::language`]), the files ([`rules::files`]), and the set in force, which finds the rules about an account by one look-up ([`rules::set`]) |
//! | [`votes`] | every decision: who asks ([`votes::asks`]), what a block means ([`votes::planner`]), what a change makes of a row ([`votes::fold`]), whether a vote goes out ([`votes::verdict`]) and when ([`votes::caster`]), and why not ([`votes::reason`]) |
//! | [`store`] | the tables, on SQLite, MySQL and MariaDB |
//! | [`queue`] | the task that writes rows and hands them to the caster ([`queue::writer`]) |
//! | [`signer`] | the HTTP API, what its answers mean ([`signer::answer`]), the voters' tokens ([`signer::keeper`]) |
//! | [`cast`] | the task that does what [`votes::caster`] decides |
//! | [`daemon`] | the wiring of all tasks, the reader of blocks, the runs of schedules |
//! | [`simulate`] | one daemon in memory around the real caster |
//! | [`replay`], [`ruletest`], [`explain`] | rules played over blocks, rules tested, decisions explained |
//! | [`sandbox`] | a simulated chain and signer, for `demo`, `sandbox` and the tests |
//! | [`config`], [`toml_reader`], [`diagnostic`], [`cli`] | settings, reading TOML, problems shown in their place, commands |
//! | [`database_url`], [`private_file`] | how a connection to a server is protected, and files with secrets that others can read |
//!
//! # The tasks
//!
//! The daemon is eight tasks, started and stopped by [`daemon::run`]: the *watcher* of rule files, the *writer*, the
//! *caster*, the *token keeper*, the *reader* of blocks, the *schedules*, *housekeeping*, and *reports* (bad files and
//! lost nodes, for `error_log`). A task owns its state; tasks talk over bounded channels. One that panics, returns or
//! hangs ends the process.
//!
//! # One vote, from block to confirmation
//!
//! 1. [`chain::stream`] reads block 90 000 123: `@bob` publishes `@bob/my-garden`. The reader hands the block to the
//!    [`votes::planner::Planner`].
//! 2. The planner finds the rules about `@bob` in the [`rules::set::RuleSet`]. The rule `friends.toml:favourites`
//!    votes as `@alice` with 50 %, five minutes after publication: it asks for the vote, as a
//!    [`votes::change::Plan`], which goes to the [`queue::writer`] together with the new cursor. Every other rule
//!    that matches asks as well.
//! 3. The writer has the store apply both in one transaction. [`votes::fold::fold`] decides what the row becomes:
//!    `queued`, due at the block's timestamp plus five minutes, by the ask that comes first in the files.
//!    The caster has a node asked at once for the post. An ask that the post does not suit drops out: an edit, or a
//!    trail whose filters turn the post away. The next one has the vote then.
//! 4. Half a minute before it is due, the writer claims the row for this daemon and hands it to the
//!    [`votes::caster::Caster`], which keeps it on a timer in memory.
//! 5. A second before, the caster has a node asked for the post: it is still there, and `@alice` has not voted on it
//!    by hand. The rule is looked up again, as its file is now.
//! 6. At the moment itself, with a place free in `@alice`'s lane, the request leaves: [`signer::client`] posts
//!    it with the token from the [`signer::book::TokenBook`], and [`signer::answer::judge`] says what the
//!    answer means.
//! 7. It was accepted: the report goes through the [`queue::journal::Journal`] to the writer, and the row is
//!    `cast`.
//! 8. A few seconds later a block holds the vote. The planner sees that one of our voters voted
//!    ([`votes::change::Seen`]), and the row is `confirmed`. Had no block shown it in time, the caster would
//!    look for it on the post, and cast it again if it were not there.
//!
//! # Four copies of a row
//!
//! | copy | why |
//! | --- | --- |
//! | the row in the table | the truth, for every daemon and after a restart |
//! | the writer's, of rows that it wrote or claimed | votes go on while the database is away: what it will make of the rows is computed from them |
//! | the caster's, of votes that it holds | due to the millisecond, with what only this daemon knows: its attempts, and what an answer left open |
//! | the scout's, of votes whose post is being looked at | votes that are due much later are not held, and their posts are looked at all the same |
//!
//! # Invariants
//!
//! | invariant | test that guards it |
//! | --- | --- |
//! | each change makes of each state what it should | `every_change_makes_of_every_state_what_it_should` |
//! | a batch written twice does what it does once | `a_batch_that_is_written_twice_does_what_it_does_once` |
//! | a fork leaves what reading only its new branch leaves | `a_fork_leaves_what_reading_only_its_new_branch_leaves` |
//! | a confirmed vote stays as it is | `a_confirmed_vote_stays_as_it_is` |
//! | no vote is lost, and none is sent twice at a time | `no_vote_is_lost_and_none_is_sent_twice_at_a_time` |
//! | the daemon casts what a replay says | `random_rules_and_events_plan_the_same_votes` |
//! | what an older version queued is cast after an upgrade | `what_another_rule_asked_for_before_an_upgrade_is_kept` |
//! | a task that fails ends the process, and what was accepted is written | `every_stage_that_panics_ends_the_process` |
//! | nothing that hangs keeps a daemon from stopping | `database_signer_and_nodes_that_hang_together_hold_up_no_stop_and_no_vote_is_lost` |
//! | no moment from outside makes a sum overflow | `no_moment_makes_a_check_panic` |
//! | no value of `curatord.toml` is shown | `no_breakage_shows_a_secret` |
//! | no file makes `check` show a secret | `no_file_makes_check_show_a_secret` |
//! | [`votes`] knows no store, signer or task | `votes_decide_without_input_output_or_time` |

pub mod account;
pub mod address;
pub mod backoff;
pub mod cast;
pub mod chain;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod database_url;
pub mod diagnostic;
pub mod explain;
pub mod http_client;
pub mod moment;
pub mod network;
pub mod post;
pub mod private_file;
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
pub mod visible;
pub mod votes;
pub mod weight;
