//! `/oauth2/authorize`: the page on which an account of the sandbox agrees to an application or refuses.

use std::fmt::Write;

use serde_json::{Map, Value, json};
use url::Url;
use url::form_urlencoded::Serializer;

use super::Signer;
use super::input::Input;
use super::token::Role;
use crate::account::Account;
use crate::sandbox::chain::Chain;
use crate::sandbox::chain::operation::{Operation, authority};
use crate::sandbox::endpoint::Reply;
use crate::sandbox::faults::Answer;
use crate::visible::visible;

/// What an application asks for.
struct Request<'a> {
    redirect_uri: &'a str,
    /// As it was sent, such as `vote,offline`.
    scope: &'a str,
    state: &'a str,
    /// Whether a code is asked for, and not a token.
    wants_code: bool,
}

impl Signer {
    /// Shows the page, or does what was chosen on it.
    pub(super) fn authorize(&self, input: &Input) -> Result<Reply, Reply> {
        let fields = &input.fields;
        let refused = |what: String| page(400, &format!("<h1>{}</h1>", shown(&what)));
        let request = self.consent_request(fields).map_err(refused)?;
        if input.method != "POST" {
            return Ok(page(
                200,
                &self.question(&request, field(fields, "account")),
            ));
        }
        let answer = match field(fields, "answer") {
            "agree" => self
                .agree(&request, field(fields, "account"))
                .map_err(refused)?,
            _ => vec![("error", "access_denied".to_owned())],
        };
        let mut query = Serializer::new(String::new());
        query.extend_pairs(answer);
        if !request.state.is_empty() {
            query.append_pair("state", request.state);
        }
        // A query in the address itself is not expected, as by the real server.
        let location = format!("{}?{}", request.redirect_uri, query.finish());
        Ok(Reply::Answer(Answer::redirect(location)))
    }

    /// The request in a query or a form.
    ///
    /// # Errors
    /// The application is unknown, or the address is not one of its own. Then nobody is sent there.
    fn consent_request<'a>(&self, fields: &'a Map<String, Value>) -> Result<Request<'a>, String> {
        let (client_id, redirect_uri) = (field(fields, "client_id"), field(fields, "redirect_uri"));
        let chain = self.world.chain();
        let app = chain.account(&Account::from_chain(client_id));
        let metadata = app.map(|app| app.posting_json_metadata.as_str());
        let metadata: Value =
            serde_json::from_str(metadata.unwrap_or_default()).unwrap_or_default();
        if client_id != self.app.as_str() || metadata["profile"]["type"] != "app" {
            return Err(format!(
                "@{client_id} is not an application of this sandbox"
            ));
        }
        let registered = metadata["profile"]["redirect_uris"].as_array();
        let is_registered = registered.is_some_and(|uris| uris.contains(&json!(redirect_uri)));
        if !is_registered || Url::parse(redirect_uri).is_err() {
            return Err(format!(
                "{redirect_uri:?} is not a redirect address that is registered for @{client_id}"
            ));
        }
        let scope = field(fields, "scope");
        Ok(Request {
            redirect_uri,
            scope,
            state: field(fields, "state"),
            wants_code: field(fields, "response_type") == "code" || scope.contains("offline"),
        })
    }

    fn question(&self, request: &Request<'_>, preset: &str) -> String {
        let app = self.app.as_str();
        let chain = self.world.chain();
        let mut names: Vec<&str> = self.people(&chain).map(Account::as_str).collect();
        names.sort_unstable();
        let mut accounts = String::new();
        for name in names {
            let selected = if name == preset { " selected" } else { "" };
            let name = escaped(name);
            // Writing to a string does not fail.
            let _ = write!(accounts, "<option{selected}>{name}</option>");
        }
        let hidden = |name: &str, value: &str| {
            let value = escaped(value);
            format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">\n")
        };
        let response_type = if request.wants_code { "code" } else { "token" };
        format!(
            "<h1>@{} asks for access</h1>\n\
             <p>It may then act for the account: {}.</p>\n\
             <p>This is a sandbox: no real account is involved.</p>\n\
             <form method=\"post\" action=\"/oauth2/authorize\">\n{}{}{}{}{}\
             <p><label>Account <select name=\"account\">{accounts}</select></label></p>\n\
             <p><button name=\"answer\" value=\"agree\">Agree</button>\n\
             <button name=\"answer\" value=\"refuse\">Refuse</button></p>\n\
             </form>",
            shown(app),
            shown(if request.scope.is_empty() {
                "posting"
            } else {
                request.scope
            }),
            hidden("client_id", app),
            hidden("redirect_uri", request.redirect_uri),
            hidden("response_type", response_type),
            hidden("scope", request.scope),
            hidden("state", request.state),
        )
    }

    /// The accounts that can agree: all but the application's and the signer's own.
    fn people<'a>(&'a self, chain: &'a Chain) -> impl Iterator<Item = &'a Account> + use<'a> {
        let names = chain.account_names();
        names.filter(|name| **name != self.app && **name != self.account)
    }

    /// Gives the application posting authority, unless it only asks who somebody is, and returns the
    /// fields of the answer.
    fn agree(
        &self,
        request: &Request<'_>,
        name: &str,
    ) -> Result<Vec<(&'static str, String)>, String> {
        let user = Account::from_chain(name);
        let only_login = request.scope == "login";
        {
            let mut chain = self.world.chain();
            if !self.people(&chain).any(|person| *person == user) {
                return Err(format!("there is no account @{name} that could agree"));
            }
            if !only_login {
                self.give_authority(&mut chain, &user);
            }
        }
        let mut answer = if request.wants_code {
            vec![("code", self.issue(Role::Code, &user))]
        } else if only_login {
            vec![
                ("access_token", self.issue(Role::Login, &user)),
                ("expires_in", "604800".to_owned()),
            ]
        } else {
            let tokens = self.issue_tokens(&user);
            vec![
                ("access_token", tokens.access),
                ("expires_in", tokens.expires_in.to_string()),
            ]
        };
        answer.push(("username", name.to_owned()));
        Ok(answer)
    }

    /// A block shows it, but it counts at once: real nodes tell what is pending.
    fn give_authority(&self, chain: &mut Chain, user: &Account) {
        let mut posting = chain
            .account(user)
            .map(|user| user.posting.clone())
            .unwrap_or_default();
        if posting.contains(&self.app) {
            return;
        }
        posting.push(self.app.clone());
        chain.alter_account(user, |user| user.posting.clone_from(&posting));
        let update = Operation::Other {
            name: "account_update".to_owned(),
            value: json!({"account": user, "posting": authority(&posting), "json_metadata": ""}),
        };
        // The chain accepts an update of an existing account.
        let _ = chain.submit(vec![update], None);
    }
}

/// A text among the fields; empty if it is missing.
fn field<'a>(fields: &'a Map<String, Value>, name: &str) -> &'a str {
    fields.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn page(status: u16, body: &str) -> Reply {
    let body = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Sandbox</title>\n\
         <style>:root {{ color-scheme: light dark }} body {{ font: 1em sans-serif; max-width: 30em; margin: 3em auto; \
         padding: 0 1em; overflow-wrap: anywhere }}</style>\n\
         </head>\n<body>\n{body}\n</body>\n</html>\n"
    );
    Reply::Answer(Answer::new(status, "text/html; charset=utf-8", body))
}

/// Text from outside as the page shows it: what cannot be seen is made visible.
fn shown(text: &str) -> String {
    escaped(&visible(text))
}

/// Text from outside in which nothing is markup.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
