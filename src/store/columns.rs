//! The columns of our tables, each named once. A column that a migration adds to a table, and that is a
//! field of its type, needs one line here.

use super::table::{Column, Kind, Table, columns, table, text};
use super::value::{Field, Value};
use crate::account::Account;
use crate::post::{PostId, VoteKey};
use crate::votes::asks::{Ask, Asks};
use crate::votes::change::{Cursor, LeaderVote, ScheduleRun};
use crate::votes::error_entry::ErrorEntry;
use crate::votes::vote::Vote;
use crate::weight::Weight;

const NUMBER: Kind = Kind::of("BIGINT");
const MOMENT: Kind = Kind::of("DATETIME(3)");
const SECOND: Kind = Kind::of("DATETIME");
const NAME: Kind = text!("VARCHAR(16)");
const PERMLINK: Kind = text!("VARCHAR(256)");
const WORD: Kind = text!("VARCHAR(10)");
const ID: Kind = text!("VARCHAR(64)");
const TEXT: Kind = text!("TEXT");
const LONG_TEXT: Kind = text!("MEDIUMTEXT");
const REASON: Kind = TEXT.cut_to(4_000);
/// An id that the signer made: its length is not to be trusted.
const TRX_ID: Kind = ID.cut_to(64);
/// A name in `error_log`, which may be another program's table.
const LOGGED_NAME: Kind = text!("VARCHAR(20)").cut_to(20);
const LOGGED_PERMLINK: Kind = PERMLINK.cut_to(256);
/// As much as MySQL's TEXT holds of characters of 4 bytes: a row that is set aside is kept whole.
const LOGGED_TEXT: Kind = TEXT.cut_to(16_000);

table! {
    votes: Vote as vote {
        status: WORD,
        reason: REASON,
        cast_at: MOMENT,
        attempts: NUMBER,
        next_attempt_at: MOMENT,
        claimed_by: ID,
        claimed_until: MOMENT,
        trx_id: TRX_ID,
        block_num: NUMBER,
        recasts: NUMBER,
        created_at: MOMENT,
        updated_at: MOMENT,
    }
    and {
        voter: NAME = vote.key.voter.write(),
        author: NAME = vote.key.post.author.write(),
        permlink: PERMLINK = vote.key.post.permlink.write(),
        rule: TEXT = vote.ask().rule.write(),
        origin: WORD = vote.ask().origin.write(),
        weight: NUMBER = vote.ask().weight.write(),
        due_at: MOMENT = vote.ask().due_at.write(),
        event_block: NUMBER = vote.ask().block.write(),
        event_at: MOMENT = vote.ask().at.write(),
        leader: NAME = leader(vote).map_or(Value::Null, |(name, _)| name.write()),
        leader_weight: NUMBER = leader(vote).map_or(Value::Null, |(_, weight)| weight.write()),
        asks: LONG_TEXT = vote.asks.others.write(),
    }
    make {
        key: VoteKey { voter, post: PostId { author, permlink } },
        asks: Asks {
            first: Ask {
                rule,
                origin,
                weight,
                due_at,
                block: event_block,
                at: event_at,
                leader: Option::zip(leader, leader_weight),
            },
            others: asks,
        }
    }
}

fn leader(vote: &Vote) -> Option<&(Account, Weight)> {
    vote.ask().leader.as_ref()
}

// The key of a row of `votes`.
table! {
    votes: VoteKey as key { voter: NAME }
    and { author: NAME = key.post.author.write(), permlink: PERMLINK = key.post.permlink.write() }
    make { post: PostId { author, permlink } }
}

table! {
    leader_votes: LeaderVote as vote { leader: NAME, weight: NUMBER, block_num: NUMBER }
    and {
        author: NAME = vote.post.author.write(),
        permlink: PERMLINK = vote.post.permlink.write(),
        voted_at: MOMENT = vote.at.write(),
    }
    make { post: PostId { author, permlink }, at: voted_at }
}

table! {
    chain_cursor: Cursor as cursor {
        block_num: NUMBER,
        block_id: ID,
        block_time: MOMENT,
        recent: LONG_TEXT,
    }
}

table! {
    schedule_runs: ScheduleRun as run { rule: TEXT, schedule: TEXT, last_run_at: MOMENT }
}

/// Rows of `error_log` are only written.
impl Table for ErrorEntry {
    const COLUMNS: &'static [Column] = columns! {
        voter: LOGGED_NAME,
        author: LOGGED_NAME,
        permlink: LOGGED_PERMLINK,
        weight: NUMBER,
        type: WORD,
        error: LOGGED_TEXT,
        timestamp: SECOND,
    };

    fn values(&self) -> Vec<Value<'_>> {
        vec![
            self.voter.write(),
            self.author.write(),
            self.permlink.write(),
            Value::Number(self.weight.map_or(0, Weight::whole_percent).into()),
            self.kind.as_str().into(),
            self.error.write(),
            self.at.format("%Y-%m-%d %H:%M:%S").to_string().into(),
        ]
    }
}

// JSON texts that are not rows of a table.
pub(super) const IDS: &[Column] = columns! { id: NUMBER };
pub(super) const VOTERS_AND_RULES: &[Column] = columns! { voter: NAME, rule: TEXT };
