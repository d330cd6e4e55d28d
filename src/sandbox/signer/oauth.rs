//! `/api/oauth2/token`, `/api/oauth2/token/revoke`, `/api/me` and `/api/decode`.

use serde_json::{Value, json};

use super::input::Input;
use super::token::Role;
use super::{Signer, SignerKind};
use crate::sandbox::endpoint::Reply;

/// The operations that an access token allows.
pub(super) const SCOPE: [&str; 7] = [
    "vote",
    "comment",
    "delete_comment",
    "comment_options",
    "custom_json",
    "claim_reward_balance",
    "account_update2",
];

const ANY: [Role; 4] = [Role::Access, Role::Login, Role::Code, Role::Refresh];

impl Signer {
    /// Issues new tokens for a code or a refresh token. The old ones stay valid.
    pub(super) fn token(&self, input: &Input) -> Result<Reply, Reply> {
        let token = self.authenticate(input, &[Role::Code, Role::Refresh])?;
        let issued = self.issue_tokens(&token.user);
        let body = json!({
            "access_token": issued.access,
            "refresh_token": issued.refresh,
            "expires_in": issued.expires_in,
            "username": token.user,
        });
        Ok(Reply::json(200, body))
    }

    /// Revokes the access token. HiveSigner answers with success and does nothing.
    pub(super) fn revoke_token(&self, input: &Input) -> Result<Reply, Reply> {
        self.authenticate(input, &[Role::Access, Role::Login])?;
        if self.kind == SignerKind::SteemConnect
            && let Some(token) = &input.token
        {
            self.revoke(token);
        }
        Ok(Reply::json(200, json!({"success": true})))
    }

    /// The user of the token.
    pub(super) fn me(&self, input: &Input) -> Result<Reply, Reply> {
        let token = self.authenticate(input, &ANY)?;
        let scope: &[&str] = match token.role {
            Role::Login => &["login"],
            _ => &SCOPE,
        };
        let user = &token.user;
        let mut me = json!({"user": user, "_id": user, "name": user, "scope": scope});
        if let Some(account) = self.world.chain().account_json(user) {
            me["user_metadata"] = user_metadata(&account);
            me["account"] = account;
        }
        Ok(Reply::json(200, me))
    }

    /// Decodes a memo for the account of the signer. One that is not encrypted is passed on; the sandbox
    /// has no key for the others.
    pub(super) fn decode(&self, input: &Input) -> Result<Reply, Reply> {
        let token = self.authenticate(input, &ANY)?;
        let memo = input.fields.get("memo").and_then(Value::as_str);
        let memo = memo
            .filter(|memo| !memo.starts_with('#'))
            .unwrap_or_default();
        let body = json!({"memoDecoded": memo, "username": token.user});
        Ok(Reply::json(200, body))
    }
}

/// The metadata of an account: those of posting if they have a profile with a version, else the others.
fn user_metadata(account: &Value) -> Value {
    let read = |field: &str| {
        let text = account[field].as_str().unwrap_or_default();
        serde_json::from_str::<Value>(text).unwrap_or_else(|_| json!({}))
    };
    let metadata = read("posting_json_metadata");
    match metadata["profile"]["version"].is_null() {
        true => read("json_metadata"),
        false => metadata,
    }
}
