//! `/api/oauth2/token`, `/api/oauth2/token/revoke` and `/api/me`.

use serde_json::{Value, json};

use super::input::Input;
use super::token::Role;
use super::{Signer, SignerKind, unauthorized};
use crate::account::Account;
use crate::sandbox::chain::operation::{MEMO_KEY, authority};
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
    pub(super) fn token(&self, input: &Input) -> Reply {
        let token = match self.authenticate(input, &[Role::Code, Role::Refresh]) {
            Ok(token) => token,
            Err(reply) => return reply,
        };
        // The real process dies without a string to hash.
        let Some(Value::String(secret)) = input.fields.get("client_secret") else {
            return Reply::Crash;
        };
        if *secret != self.client_secret {
            return unauthorized("invalid_grant", "The code or secret is not valid");
        }
        let issued = self.issue_tokens(&token.user);
        Reply::json(
            200,
            json!({
                "access_token": issued.access,
                "refresh_token": issued.refresh,
                "expires_in": issued.expires_in,
                "username": token.user.as_str(),
            }),
        )
    }

    /// Revokes the access token. HiveSigner answers with success and does nothing.
    pub(super) fn revoke_token(&self, input: &Input) -> Reply {
        if let Err(reply) = self.authenticate(input, &[Role::Access, Role::Login]) {
            return reply;
        }
        if self.kind == SignerKind::SteemConnect
            && let Some(token) = &input.token
        {
            self.revoke(token);
        }
        Reply::json(200, json!({"success": true}))
    }

    /// The user of the token.
    pub(super) fn me(&self, input: &Input) -> Reply {
        let token = match self.authenticate(input, &[Role::Access, Role::Login, Role::Refresh]) {
            Ok(token) if token.role == Role::Refresh => return Reply::Crash,
            Ok(token) => token,
            Err(reply) => return reply,
        };
        let user = token.user.as_str();
        let scope = match token.role {
            Role::Login => json!(["login"]),
            _ => json!(SCOPE),
        };
        let mut me = json!({"user": user, "_id": user, "name": user});
        let account = self.account_of(&token.user);
        let is_known = account.is_some();
        if let Some(account) = account {
            me["account"] = account;
        }
        me["scope"] = scope;
        if is_known {
            me["user_metadata"] = json!({});
        }
        Reply::json(200, me)
    }

    fn account_of(&self, name: &Account) -> Option<Value> {
        let chain = self.world.chain();
        let account = chain.account(name)?;
        Some(json!({
            "id": account.id,
            "name": name.as_str(),
            "owner": authority(&[]),
            "active": authority(&[]),
            "posting": authority(&account.posting),
            "memo_key": MEMO_KEY,
            "json_metadata": "{}",
            "posting_json_metadata": "{}",
            "created": account.created.format("%Y-%m-%dT%H:%M:%S").to_string(),
        }))
    }
}
