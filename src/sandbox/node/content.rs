//! Posts and their votes in the answers of nodes.

use serde_json::{Map, Value, json};

use super::View;
use crate::post::PostId;
use crate::sandbox::chain::operation::{dollars, parent_fields, time};
use crate::sandbox::chain::state::{PostState, StandingVote};

/// Value of votes, in micro-VESTS, per thousandth of HBD or SBD of payout.
const RSHARES_OF_A_THOUSANDTH: i64 = 1_700_000_000;

impl View<'_> {
    /// `get_content`. An unknown post has an empty author.
    pub(super) fn content(&self, name: &PostId) -> Value {
        let Some(post) = self.chain.post(name) else {
            return unknown_content();
        };
        let paid = self.is_paid(post);
        let (parent_author, parent_permlink) = parent_fields(post.parent.as_ref(), &post.category);
        let votes = post.votes();
        let mut content = self.common(name, post);
        content.extend(object(json!({
            "id": post.id,
            "parent_author": parent_author,
            "parent_permlink": parent_permlink,
            "json_metadata": post.json_metadata,
            "last_update": time(post.edited),
            "active": time(post.edited),
            "depth": u8::from(post.parent.is_some()),
            "net_votes": votes.iter().map(|vote| i64::from(vote.weight.signum())).sum::<i64>(),
            "cashout_time": if paid { "1969-12-31T23:59:59".to_owned() } else { time(post.cashout()) },
            "last_payout": if paid { time(post.cashout()) } else { "1970-01-01T00:00:00".to_owned() },
            "total_payout_value": dollars(self.chain.kind(), if paid { payout(post) } else { 0 }),
            "curator_payout_value": dollars(self.chain.kind(), 0),
            "allow_votes": post.allow_votes,
            "allow_curation_rewards": true,
            "allow_replies": true,
            "active_votes": self.active_votes(name),
            "reblogged_by": [],
        })));
        Value::Object(content)
    }

    pub(super) fn active_votes(&self, name: &PostId) -> Value {
        let post = self.chain.post(name);
        post.map_or(&[][..], PostState::votes)
            .iter()
            .map(active_vote)
            .collect()
    }

    /// A post in the form of hivemind's `bridge`, with metadata as an object and votes without weights.
    pub(super) fn bridge_post(&self, name: &PostId, post: &PostState) -> Value {
        let metadata: Value =
            serde_json::from_str(&post.json_metadata).unwrap_or_else(|_| json!({}));
        let votes: Vec<Value> = post
            .votes()
            .iter()
            .map(|vote| json!({"rshares": vote.rshares, "voter": vote.voter}))
            .collect();
        let mut content = self.common(name, post);
        content.extend(object(json!({
            "post_id": post.id,
            "json_metadata": metadata,
            "updated": time(post.edited),
            "depth": 0,
            "is_paidout": self.is_paid(post),
            "payout_at": time(post.cashout()),
            "payout": payout(post) as f64 / 1000.0,
            "stats": {"hide": false, "gray": false, "total_votes": votes.len(), "flag_weight": 0.0},
            "active_votes": votes,
            "author_reputation": 60.0,
            "blacklists": [],
            "reblogs": 0,
        })));
        Value::Object(content)
    }

    /// The fields of a post in both forms.
    fn common(&self, name: &PostId, post: &PostState) -> Map<String, Value> {
        let kind = self.chain.kind();
        let pending = if self.is_paid(post) { 0 } else { payout(post) };
        object(json!({
            "author": name.author,
            "permlink": name.permlink,
            "category": post.category,
            "title": post.title,
            "body": post.body,
            "created": time(post.created),
            "children": post.children,
            "net_rshares": post.net_rshares(),
            "pending_payout_value": dollars(kind, pending),
            "max_accepted_payout": dollars(kind, post.max_accepted_payout),
            "beneficiaries": [],
            "replies": [],
            "url": format!("/{}/{name}", post.category),
        }))
    }

    fn is_paid(&self, post: &PostState) -> bool {
        self.chain.head().timestamp >= post.cashout()
    }
}

/// The fields of a JSON object.
pub(super) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// The payout of a post in thousandths of HBD or SBD.
fn payout(post: &PostState) -> i64 {
    let worth = post.net_rshares().max(0) / RSHARES_OF_A_THOUSANDTH;
    worth.min(post.max_accepted_payout)
}

fn active_vote(vote: &StandingVote) -> Value {
    json!({
        "voter": vote.voter,
        "percent": vote.weight,
        "rshares": vote.rshares.to_string(),
        "weight": vote.rshares.max(0) / 1000,
        "reputation": 0,
        "time": time(vote.time),
    })
}

fn unknown_content() -> Value {
    json!({
        "id": 0, "author": "", "permlink": "", "category": "", "parent_author": "", "parent_permlink": "",
        "title": "", "body": "", "json_metadata": "", "created": "1970-01-01T00:00:00",
        "last_update": "1970-01-01T00:00:00", "cashout_time": "1969-12-31T23:59:59",
        "max_accepted_payout": "0.000 HBD", "pending_payout_value": "0.000 HBD", "total_payout_value": "0.000 HBD",
        "allow_votes": false, "active_votes": [], "children": 0, "net_votes": 0, "net_rshares": 0,
    })
}
