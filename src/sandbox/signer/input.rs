//! The contents of a request to the signer, from its header, query, form or JSON.

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;
use serde_json::{Map, Value};

use super::html;
use crate::account::Account;
use crate::post::PostId;
use crate::sandbox::endpoint::Reply;

/// A parsed request.
#[derive(Debug)]
pub(super) struct Input {
    pub method: String,
    pub path: String,
    /// The path with the query.
    pub target: String,
    /// From `Authorization`, or from `access_token`, `code` or `refresh_token` in the query or the body,
    /// in this order.
    pub token: Option<String>,
    /// The fields of the query, and of the body if the query has none of the name. Content types that the real server ignores add none.
    pub fields: Map<String, Value>,
}

impl Input {
    /// Parses a request.
    ///
    /// # Errors
    /// Returns the answer to a JSON request whose body is neither an object nor an array.
    pub fn read(head: &Parts, body: &[u8]) -> Result<Self, Reply> {
        let header = |name| {
            let value = head.headers.get(name);
            value
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
        };
        let kind = header(CONTENT_TYPE);
        let mut fields = if kind.starts_with("application/json") {
            json_fields(body)?
        } else if kind.starts_with("application/x-www-form-urlencoded") {
            form_fields(body)
        } else {
            Map::new()
        };
        let query = head.uri.query().unwrap_or_default();
        fields.extend(form_fields(query.as_bytes()));
        Ok(Self {
            method: head.method.to_string(),
            path: head.uri.path().to_owned(),
            target: head
                .uri
                .path_and_query()
                .map_or("", PathAndQuery::as_str)
                .to_owned(),
            token: token(header(AUTHORIZATION), &fields),
            fields,
        })
    }

    /// The post and the weight of the first vote in a broadcast.
    pub fn first_vote(&self) -> Option<(PostId, i64)> {
        let vote = &self.fields.get("operations")?[0][1];
        let author = Account::from_chain(vote["author"].as_str()?);
        let post = PostId::new(author, vote["permlink"].as_str()?);
        Some((post, vote["weight"].as_i64().unwrap_or_default()))
    }
}

fn json_fields(body: &[u8]) -> Result<Map<String, Value>, Reply> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        // It has no fields, but is accepted.
        Ok(Value::Array(_)) => Ok(Map::new()),
        Ok(_) => Err(html(
            400,
            "SyntaxError: Unexpected token in JSON at position 0",
        )),
        Err(_) => Err(html(400, "SyntaxError: Unexpected end of JSON input")),
    }
}

fn form_fields(text: &[u8]) -> Map<String, Value> {
    url::form_urlencoded::parse(text)
        .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
        .collect()
}

/// The token in the header or the fields. The prefixes `Bearer` and `Basic` are case-sensitive.
fn token(header: &str, fields: &Map<String, Value>) -> Option<String> {
    let bare = header
        .strip_prefix("Bearer")
        .or_else(|| header.strip_prefix("Basic"));
    let bare = bare.filter(|rest| rest.starts_with(char::is_whitespace));
    let header = bare.unwrap_or(header).trim();
    if !header.is_empty() {
        return Some(header.to_owned());
    }
    ["access_token", "code", "refresh_token"]
        .iter()
        .filter_map(|name| fields.get(*name)?.as_str())
        .find(|token| !token.is_empty())
        .map(str::to_owned)
}
