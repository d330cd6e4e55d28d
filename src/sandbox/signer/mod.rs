//! The API of HiveSigner and SteemConnect: tokens, `me`, broadcast and revoke, and the page on which people
//! agree to the application.
//!
//! Texts and statuses are those of the real servers. If the process of the real server would die, all
//! connections are cut.

mod broadcast;
mod consent;
mod input;
mod oauth;
mod operations;
mod token;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{Method, Request as HttpRequest, Response};
use chrono::Duration;
use serde_json::Value;

use self::input::Input;
use self::token::{Mint, Role, Token};
use super::connection::Connection;
use super::endpoint::{Endpoint, Mode, Reply, preflight};
use super::faults::Answer;
use super::lock;
use super::requests::Request;
use super::world::World;
use crate::account::Account;

/// The server that the signer simulates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignerKind {
    /// Tokens do not expire. Refusals of the chain have a `response`.
    HiveSigner,
    /// Tokens expire and can be revoked. The answer to a broadcast holds the whole transaction.
    SteemConnect,
}

/// The tokens of a voter.
#[derive(Debug, Clone, PartialEq)]
pub struct IssuedTokens {
    /// The access token.
    pub access: String,
    /// The refresh token.
    pub refresh: String,
    /// Life of the access token, in seconds.
    pub expires_in: i64,
    /// The fingerprint of the access token, as in [`Request::token`].
    pub access_fingerprint: String,
}

/// A simulated signer.
#[derive(Debug)]
pub struct Signer {
    endpoint: Arc<Endpoint>,
    world: Arc<World>,
    kind: SignerKind,
    /// The account of the application, its `client_id`.
    app: Account,
    client_secret: String,
    /// The account of the signer, which the application authorises.
    account: Account,
    mint: Mint,
    token_life: Mutex<Duration>,
    /// Fingerprints of revoked tokens.
    revoked: Mutex<HashSet<String>>,
    /// Voters whose refresh tokens are refused.
    dead: Mutex<HashSet<Account>>,
}

/// Largest body of a request, 20 MiB. A larger one is refused with 413.
const MAX_BODY: usize = 20 * 1024 * 1024;

impl Signer {
    pub(super) fn new(
        endpoint: Arc<Endpoint>,
        world: Arc<World>,
        kind: SignerKind,
        app: Account,
        client_secret: String,
        account: Account,
    ) -> Arc<Self> {
        Arc::new(Self {
            mint: Mint::new(kind, &client_secret),
            endpoint,
            world,
            kind,
            app,
            client_secret,
            account,
            token_life: Mutex::new(Duration::days(7)),
            revoked: Mutex::default(),
            dead: Mutex::default(),
        })
    }

    /// The listener, with its address, faults and log of requests.
    pub fn endpoint(&self) -> &Arc<Endpoint> {
        &self.endpoint
    }

    /// Sets the life of tokens issued from now on. The default is 7 days.
    pub fn set_token_life(&self, life: Duration) {
        *lock(&self.token_life) = life;
    }

    /// Refuses the refresh tokens of a voter, or accepts them again.
    pub fn set_refresh_dead(&self, voter: &Account, is_dead: bool) {
        let mut dead = lock(&self.dead);
        match is_dead {
            true => dead.insert(voter.clone()),
            false => dead.remove(voter),
        };
    }

    /// Revokes a token.
    pub fn revoke(&self, token: &str) {
        lock(&self.revoked).insert(token::fingerprint(token));
    }

    /// Issues new tokens for a voter.
    pub fn issue_tokens(&self, voter: &Account) -> IssuedTokens {
        let now = self.world.clock.now();
        let life = *lock(&self.token_life);
        let issue = |role, life| self.mint.issue(role, &self.app, voter, now, now + life);
        let access = issue(Role::Access, life);
        IssuedTokens {
            access_fingerprint: token::fingerprint(&access),
            access,
            // Refresh tokens of SteemConnect do not expire in practice.
            refresh: issue(Role::Refresh, Duration::days(3650)),
            expires_in: life.num_seconds(),
        }
    }

    /// Issues a token of any role, such as the code of the authorisation page. It lasts 10 minutes.
    pub fn issue(&self, role: Role, voter: &Account) -> String {
        let now = self.world.clock.now();
        let expires = now + Duration::minutes(10);
        self.mint.issue(role, &self.app, voter, now, expires)
    }

    pub(super) fn router(self: &Arc<Self>) -> Router {
        Router::new().fallback(handle).with_state(Arc::clone(self))
    }

    fn work(&self, input: &Input, mode: Mode) -> Reply {
        let path = input.path.trim_end_matches('/');
        let reply = match (input.method.as_str(), path) {
            (_, "/api/oauth2/token") => self.token(input),
            (_, "/api/oauth2/token/revoke") => self.revoke_token(input),
            (_, "/api/me") => self.me(input),
            (_, "/api/decode") => self.decode(input),
            ("POST", "/api/broadcast") => self.broadcast(input, mode),
            ("GET" | "HEAD" | "POST", "/oauth2/authorize") => self.authorize(input),
            ("GET" | "HEAD", _) => {
                let site = match self.kind {
                    SignerKind::HiveSigner => "https://hivesigner.com",
                    SignerKind::SteemConnect => "https://steemconnect.com",
                };
                let location = format!("{site}{}", input.target);
                Ok(Reply::Answer(Answer::redirect(location)))
            }
            _ => Err(html(
                404,
                &format!("Cannot {} {}", input.method, input.path),
            )),
        };
        reply.unwrap_or_else(|refusal| refusal)
    }

    /// The token of a request, if it is valid and has one of these roles. A code or a refresh token
    /// needs the secret of the application.
    fn authenticate(&self, input: &Input, roles: &[Role]) -> Result<Token, Reply> {
        let wrong = || unauthorized("invalid_grant", "The token has invalid role");
        let text = input.token.as_deref().ok_or_else(wrong)?;
        let token = self.mint.read(text).ok_or_else(wrong)?;
        if !roles.contains(&token.role) {
            return Err(wrong());
        }
        let now = self.world.clock.now();
        if token.expires.is_some_and(|end| end <= now) {
            return Err(wrong());
        }
        if lock(&self.revoked).contains(&token::fingerprint(text)) {
            return Err(match self.kind {
                SignerKind::HiveSigner => wrong(),
                SignerKind::SteemConnect => {
                    unauthorized("invalid_grant", "The access_token has been revoked")
                }
            });
        }
        if token.role == Role::Refresh && lock(&self.dead).contains(&token.user) {
            return Err(wrong());
        }
        if matches!(token.role, Role::Code | Role::Refresh) {
            // The real process dies without a string to hash.
            let Some(Value::String(secret)) = input.fields.get("client_secret") else {
                return Err(Reply::Crash);
            };
            if *secret != self.client_secret {
                let text = "The code or secret is not valid";
                return Err(unauthorized("invalid_grant", text));
            }
        }
        Ok(token)
    }

    /// The log entry of a request.
    fn log_entry(&self, input: &Input) -> Request {
        let token = input.token.as_deref();
        let voter = token.and_then(|token| self.mint.read(token));
        let path = input.path.trim_end_matches('/');
        Request {
            method: path.rsplit('/').next().unwrap_or_default().to_owned(),
            voter: voter.map(|token| token.user),
            vote: input.first_vote(),
            token: token.map(token::fingerprint),
            arrived: self.world.clock.exact(),
            ..Request::default()
        }
    }
}

async fn handle(
    State(signer): State<Arc<Signer>>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: HttpRequest<Body>,
) -> Response<Body> {
    let endpoint = Arc::clone(&signer.endpoint);
    let (head, body) = request.into_parts();
    if head.method == Method::OPTIONS {
        return preflight(&head.headers);
    }
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        let reply = html(413, "PayloadTooLargeError: request entity too large");
        return endpoint.deliver(&connection, reply).await;
    };
    let input = match Input::read(&head, &body) {
        Ok(input) => input,
        Err(reply) => return endpoint.deliver(&connection, reply).await,
    };
    let request = signer.log_entry(&input);
    let work = move |mode| signer.work(&input, mode);
    endpoint.answer(&connection, request, work).await
}

fn unauthorized(error: &str, description: &str) -> Reply {
    Reply::Answer(Answer::unauthorized(error, description))
}

/// The error page of the real server's framework.
fn html(status: u16, text: &str) -> Reply {
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error</title>\n</head>\n\
         <body>\n<pre>{text}</pre>\n</body>\n</html>\n"
    );
    Reply::Answer(Answer::new(status, "text/html; charset=utf-8", page))
}
