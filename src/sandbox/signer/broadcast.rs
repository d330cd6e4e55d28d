//! `/api/broadcast`.

use chrono::Duration;
use serde_json::{Value, json};

use super::input::Input;
use super::oauth::SCOPE;
use super::token::{Role, Token};
use super::{Signer, SignerKind, operations, unauthorized};
use crate::account::Account;
use crate::network::ChainKind;
use crate::sandbox::chain::block::digest;
use crate::sandbox::chain::operation::{Form, Operation, time};
use crate::sandbox::chain::refusal::Refusal;
use crate::sandbox::endpoint::{Mode, Reply};
use crate::sandbox::faults::Answer;

impl Signer {
    /// Checks a transaction in the order of the real server and submits it to the chain.
    pub(super) fn broadcast(&self, input: &Input, mode: Mode) -> Result<Reply, Reply> {
        let token = self.authenticate(input, &[Role::Access, Role::Login])?;
        self.permit(&token, mode)?;
        // The real process dies of anything but an array of pairs.
        let Some(Value::Array(operations)) = input.fields.get("operations") else {
            return Err(Reply::Crash);
        };
        if operations.iter().any(is_fatal) {
            return Err(Reply::Crash);
        }
        allow(&token, operations)?;
        let read: Result<Vec<Operation>, String> =
            operations.iter().map(operations::read).collect();
        let operations = read.map_err(|what| self.serialization_error(&what))?;
        self.submit(operations, &token.user, mode)
    }

    /// Checks the accounts and their authorities.
    fn permit(&self, token: &Token, mode: Mode) -> Result<(), Reply> {
        let (app, user) = (&token.app, &token.user);
        let chain = self.world.chain();
        let accounts = chain.account(app).zip(chain.account(user));
        let Some((app_account, user_account)) = accounts.filter(|_| mode != Mode::FailedToLoad)
        else {
            let text = format!("The app @{app} or user @{user} account failed to load");
            return client(&text);
        };
        if !user_account.posting.contains(app) {
            let text = format!("The app @{app} doesn't have permission to broadcast for @{user}");
            return client(&text);
        }
        if !app_account.posting.contains(&self.account) {
            let text =
                format!("Broadcaster account doesn't have permission to broadcast for @{app}");
            return client(&text);
        }
        Ok(())
    }

    fn submit(
        &self,
        operations: Vec<Operation>,
        user: &Account,
        mode: Mode,
    ) -> Result<Reply, Reply> {
        if mode == Mode::Swallowed {
            let id = digest((user, operations.len(), self.world.clock.exact()));
            return Ok(Reply::json(200, json!({"result": {"id": id}})));
        }
        let mut chain = self.world.chain();
        let kind = chain.kind();
        let written = operations.iter();
        let written: Vec<Value> = written
            .map(|it| it.json(kind, Form::CondenserApi))
            .collect();
        let id = chain
            .submit(operations, Some(&self.account))
            .map_err(|refusal| self.refused(&refusal, kind, user))?;
        let head = chain.head();
        let result = match self.kind {
            SignerKind::HiveSigner => json!({"id": id}),
            SignerKind::SteemConnect => json!({
                "id": id,
                "block_num": head.num + 1,
                "trx_num": chain.pending() - 1,
                "expired": false,
                "ref_block_num": head.num & 0xffff,
                "ref_block_prefix": 0,
                "expiration": time(head.timestamp + Duration::minutes(1)),
                "operations": written,
                "extensions": [],
                "signatures": [digest(&*id)],
            }),
        };
        Ok(Reply::json(200, json!({"result": result})))
    }

    fn refused(&self, refusal: &Refusal, kind: ChainKind, user: &Account) -> Reply {
        let text = &refusal.text(kind, user);
        Reply::Answer(match self.kind {
            SignerKind::HiveSigner => Answer::rpc_error(text, refusal.data(text)),
            SignerKind::SteemConnect => Answer::json(
                500,
                json!({"error": "server_error", "error_description": text}),
            ),
        })
    }

    fn serialization_error(&self, what: &str) -> Reply {
        let text = format!("Unable to serialize transaction: operations: {what}");
        let mut body = json!({"error": "server_error", "error_description": text});
        if self.kind == SignerKind::HiveSigner {
            body["response"] = json!({
                "name": "SerializationError",
                "jse_shortmsg": "Unable to serialize transaction",
                "jse_cause": {},
                "jse_info": {},
                "message": text,
            });
        }
        Reply::json(500, body)
    }
}

/// Checks the scope and whose operations they are.
fn allow(token: &Token, operations: &[Value]) -> Result<(), Reply> {
    let scope: &[&str] = match token.role {
        Role::Login => &["login"],
        _ => &SCOPE,
    };
    let names = operations.iter().map(name);
    let outside: Vec<String> = names.filter(|name| !scope.contains(&&**name)).collect();
    if !outside.is_empty() {
        let list = outside.join(", ");
        let text =
            format!("The access_token scope does not allow the following operation(s): {list}");
        return Err(unauthorized("invalid_scope", &text));
    }
    let user = &token.user;
    if operations.iter().any(|operation| !is_own(operation, user)) {
        let text = format!(
            "This access_token allow you to broadcast transaction only for the account @{user}"
        );
        return client(&text);
    }
    Ok(())
}

fn client(text: &str) -> Result<(), Reply> {
    Err(unauthorized("unauthorized_client", text))
}

/// Whether the real process dies of an operation: it has no second element, or none of fields where
/// fields are added.
fn is_fatal(operation: &Value) -> bool {
    match operation {
        Value::String(text) => text.chars().nth(1).is_none(),
        Value::Array(pair) => {
            let value = pair.get(1).unwrap_or(&Value::Null);
            let has_fields = value.is_object() || value.is_array();
            value.is_null() || (pair[0] == "custom_json" && !has_fields)
        }
        other => other.get("1").is_none_or(Value::is_null),
    }
}

/// The first element of an operation as a text.
fn name(operation: &Value) -> String {
    match operation {
        Value::String(text) => text.chars().take(1).collect(),
        operation => match &operation[0] {
            Value::String(name) => name.clone(),
            other => other.to_string(),
        },
    }
}

/// Whether an operation acts for `user` and leaves the keys and authorities alone.
fn is_own(operation: &Value, user: &Account) -> bool {
    let (name, value) = (name(operation), &operation[1]);
    let author = match name.as_str() {
        "vote" => &value["voter"],
        "comment" | "delete_comment" | "comment_options" => &value["author"],
        "custom_json" => &value["required_posting_auths"][0],
        _ => &value["account"],
    };
    let is_set = |field: &str| match &value[field] {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        _ => true,
    };
    let is_update = name == "account_update2";
    let touches_keys = is_update && ["owner", "active", "posting"].into_iter().any(is_set);
    author.as_str() == Some(user.as_str()) && !touches_keys
}
