//! `/api/oauth2/token`, `/api/oauth2/token/revoke` and `/api/me`.

use serde_json::{Value, json};

use super::input::Input;
use super::token::Role;
use super::{Signer, SignerKind, unauthorized};
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

impl Signer {
    /// Issues new tokens for a code or a refresh token. The old ones stay valid.
    pub(super) fn token(&self, input: &Input) -> Result<Reply, Reply> {
        let token = self.authenticate(input, &[Role::Code, Role::Refresh])?;
        // The real process dies without a string to hash.
        let Some(Value::String(secret)) = input.fields.get("client_secret") else {
            return Err(Reply::Crash);
        };
        if *secret != self.client_secret {
            let text = "The code or secret is not valid";
            return Err(unauthorized("invalid_grant", text));
        }
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
        let token = self.authenticate(input, &[Role::Access, Role::Login, Role::Refresh])?;
        let scope: &[&str] = match token.role {
            Role::Refresh => return Err(Reply::Crash),
            Role::Login => &["login"],
            _ => &SCOPE,
        };
        let user = &token.user;
        let mut me = json!({"user": user, "_id": user, "name": user, "scope": scope});
        if let Some(account) = self.world.chain().account(user) {
            me["account"] = account.json(user);
            me["account"]["json_metadata"] = json!("{}");
            me["account"]["posting_json_metadata"] = json!("{}");
            me["user_metadata"] = json!({});
        }
        Ok(Reply::json(200, me))
    }
}
