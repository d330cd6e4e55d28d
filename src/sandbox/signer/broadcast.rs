//! `/api/broadcast`.

use chrono::Duration;
use serde_json::{Value, json};

use super::input::Input;
use super::oauth::SCOPE;
use super::token::{Role, Token};
use super::{Signer, SignerKind, unauthorized};
use crate::account::Account;
use crate::network::ChainKind;
use crate::post::PostId;
use crate::sandbox::chain::block::digest;
use crate::sandbox::chain::operation::{Form, Operation, Vote, time};
use crate::sandbox::chain::refusal::Refusal;
use crate::sandbox::endpoint::{Mode, Reply};
use crate::sandbox::faults::Answer;

impl Signer {
    /// Checks a transaction in the order of the real server and submits it to the chain.
    pub(super) fn broadcast(&self, input: &Input, mode: Mode) -> Result<Reply, Reply> {
        let token = self.authenticate(input, &[Role::Access, Role::Login])?;
        // The real process dies of anything but an array of pairs.
        let Some(Value::Array(operations)) = input.fields.get("operations") else {
            return Err(Reply::Crash);
        };
        if operations.iter().any(|operation| !operation[1].is_object()) {
            return Err(Reply::Crash);
        }
        self.allow(&token, operations, mode)?;
        let read: Result<Vec<Operation>, String> = operations.iter().map(read_operation).collect();
        let operations = read.map_err(|what| self.serialization_error(&what))?;
        self.submit(operations, &token.user, mode)
    }

    /// Checks the scope, the accounts, the author of the operations and the authorities.
    fn allow(&self, token: &Token, operations: &[Value], mode: Mode) -> Result<(), Reply> {
        let scope: &[&str] = match token.role {
            Role::Login => &["login"],
            _ => &SCOPE,
        };
        let names = operations
            .iter()
            .map(|operation| operation[0].as_str().unwrap_or_default());
        let outside: Vec<&str> = names.filter(|name| !scope.contains(name)).collect();
        if !outside.is_empty() {
            let list = outside.join(", ");
            let text =
                format!("The access_token scope does not allow the following operation(s): {list}");
            return Err(unauthorized("invalid_scope", &text));
        }
        let client = |text: String| Err(unauthorized("unauthorized_client", &text));
        let (app, user) = (token.app.as_str(), token.user.as_str());
        let chain = self.world.chain();
        let accounts = chain.account(&token.app).zip(chain.account(&token.user));
        let Some((app_account, user_account)) = accounts.filter(|_| mode != Mode::FailedToLoad)
        else {
            return client(format!(
                "The app @{app} or user @{user} account failed to load"
            ));
        };
        if operations
            .iter()
            .any(|operation| author_of(operation) != Some(user))
        {
            return client(format!(
                "This access_token allow you to broadcast transaction only for the account @{user}"
            ));
        }
        if !user_account.posting.contains(&token.app) {
            return client(format!(
                "The app @{app} doesn't have permission to broadcast for @{user}"
            ));
        }
        if !app_account.posting.contains(&self.account) {
            return client(format!(
                "Broadcaster account doesn't have permission to broadcast for @{app}"
            ));
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
        let text = format!("Unable to serialize transaction: operations: vote: {what}");
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

/// The account that an operation acts for.
fn author_of(operation: &Value) -> Option<&str> {
    let field = match operation[0].as_str()? {
        "vote" => "voter",
        "comment" | "delete_comment" | "comment_options" => "author",
        "custom_json" => return operation[1]["required_posting_auths"][0].as_str(),
        _ => "account",
    };
    operation[1][field].as_str()
}

/// Parses an operation. Operations other than votes have no effect on the chain.
///
/// # Errors
/// Returns what the serializer of the real server says about the field.
fn read_operation(operation: &Value) -> Result<Operation, String> {
    let value = &operation[1];
    let name = operation[0].as_str().unwrap_or_default();
    if name != "vote" {
        return Ok(Operation::Other {
            name: name.to_owned(),
            value: value.clone(),
        });
    }
    let text = |field: &str| {
        let text = value[field].as_str();
        text.ok_or_else(|| format!("{field}: Illegal str: Not a string"))
    };
    let (voter, author, permlink) = (text("voter")?, text("author")?, text("permlink")?);
    Ok(Operation::Vote(Vote {
        voter: Account::from_chain(voter),
        post: PostId::new(Account::from_chain(author), permlink),
        weight: read_weight(value.get("weight"))?,
    }))
}

/// Parses a whole number and, like the real serializer, truncates it to 16 bits.
fn read_weight(weight: Option<&Value>) -> Result<i16, String> {
    let illegal = |shown: String| Err(format!("weight: Illegal value: {shown} (not an integer)"));
    match weight {
        None => illegal("undefined".to_owned()),
        Some(Value::String(text)) => illegal(text.clone()),
        Some(value) => match (value.as_i64(), value.as_f64()) {
            (Some(whole), _) => Ok(whole as i16),
            (None, Some(number)) if number.fract() == 0.0 => Ok(number as i64 as i16),
            _ => illegal(value.to_string()),
        },
    }
}
