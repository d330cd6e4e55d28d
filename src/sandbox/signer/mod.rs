//! The signer's API as HiveSigner and SteemConnect answer it: tokens, `me`, broadcast, revoke.
//!
//! Texts and statuses are those of the real servers. Where a real server's process dies, all
//! connections of this one are cut.

mod broadcast;
mod input;
mod oauth;
mod token;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{Request as HttpRequest, Response};
use chrono::Duration;
use serde_json::json;

use self::input::Input;
use self::token::{Mint, Role, Token};
use super::endpoint::{Endpoint, Mode, Reply};
use super::faults::Answer;
use super::line::Line;
use super::lock;
use super::requests::Request;
use super::world::World;
use crate::account::Account;

/// Which server's manners the signer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignerKind {
    /// Tokens do not expire; refusals of the chain come with a `response`.
    HiveSigner,
    /// Tokens expire and can be revoked; the answer to a broadcast holds the whole transaction.
    SteemConnect,
}

/// Tokens of a voter, as the authorisation page would have got them.
#[derive(Debug, Clone, PartialEq)]
pub struct IssuedTokens {
    pub access: String,
    pub refresh: String,
    /// In seconds.
    pub expires_in: i64,
    /// The name of the access token in [`Request::token`].
    pub access_name: String,
}

/// The signer.
#[derive(Debug)]
pub struct Signer {
    endpoint: Arc<Endpoint>,
    world: Arc<World>,
    kind: SignerKind,
    /// `client_id`: the application's account.
    app: Account,
    client_secret: String,
    /// The signer's own account, which the application trusts.
    account: Account,
    mint: Mint,
    token_life: Mutex<Duration>,
    /// Names of revoked tokens.
    revoked: Mutex<HashSet<String>>,
    /// Voters whose refresh tokens are not accepted any more.
    dead: Mutex<HashSet<Account>>,
}

/// A larger body is refused with 413.
const LARGEST_BODY: usize = 20 * 1024 * 1024;

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

    /// Its listener: address, faults, log, stop and start.
    pub fn endpoint(&self) -> &Arc<Endpoint> {
        &self.endpoint
    }

    /// How long tokens issued from now on last; 7 days at first.
    pub fn set_token_life(&self, life: Duration) {
        *lock(&self.token_life) = life;
    }

    /// Refuses the voter's refresh tokens from now on, or takes them again.
    pub fn set_refresh_dead(&self, voter: &Account, is_dead: bool) {
        let mut dead = lock(&self.dead);
        match is_dead {
            true => dead.insert(voter.clone()),
            false => dead.remove(voter),
        };
    }

    /// Refuses this very token from now on.
    pub fn revoke(&self, token: &str) {
        lock(&self.revoked).insert(token::name_of(token));
    }

    /// New tokens for a voter.
    pub fn issue_tokens(&self, voter: &Account) -> IssuedTokens {
        let now = self.world.clock.now();
        let life = *lock(&self.token_life);
        let issue = |role, life| self.mint.issue(role, &self.app, voter, now, now + life);
        let access = issue(Role::Access, life);
        IssuedTokens {
            access_name: token::name_of(&access),
            access,
            // SteemConnect's refresh tokens have no end in practice.
            refresh: issue(Role::Refresh, Duration::days(3650)),
            expires_in: life.num_seconds(),
        }
    }

    /// A token of another role, such as the code that the authorisation page sends back.
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
        match (input.method.as_str(), path) {
            (_, "/api/oauth2/token") => self.token(input),
            ("POST", "/api/oauth2/token/revoke") => self.revoke_token(input),
            ("GET" | "POST" | "PUT", "/api/me") => self.me(input),
            ("POST", "/api/broadcast") => self.broadcast(input, mode),
            ("GET", _) => Reply::Answer(Answer {
                status: 302,
                content_type: "text/plain; charset=utf-8",
                retry_after: None,
                body: format!("Found. Redirecting to the web site, {}", input.path),
            }),
            _ => html(404, &format!("Cannot {} {}", input.method, input.path)),
        }
    }

    /// The token of a request, if it is one of ours with one of these roles that still holds.
    fn authenticate(&self, input: &Input, roles: &[Role]) -> Result<Token, Reply> {
        let wrong = || unauthorized("invalid_grant", "The token has invalid role");
        let text = input.token.as_deref().ok_or_else(wrong)?;
        let token = self.mint.read(text).ok_or_else(wrong)?;
        if !roles.contains(&token.role) {
            return Err(wrong());
        }
        if token
            .expires
            .is_some_and(|end| end <= self.world.clock.now())
        {
            return Err(wrong());
        }
        if lock(&self.revoked).contains(&token::name_of(text)) {
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
        Ok(token)
    }

    fn note(&self, input: &Input) -> Request {
        let token = input.token.as_deref();
        let voter = token.and_then(|token| self.mint.read(token));
        let path = input.path.trim_end_matches('/');
        Request {
            method: path.rsplit('/').next().unwrap_or_default().to_owned(),
            voter: voter.map(|token| token.user),
            vote: input.first_vote(),
            token: token.map(token::name_of),
            arrived: self.world.clock.exact(),
            in_flight: 0,
        }
    }
}

async fn handle(
    State(signer): State<Arc<Signer>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: HttpRequest<Body>,
) -> Response<Body> {
    let endpoint = Arc::clone(&signer.endpoint);
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        let reply = html(413, "PayloadTooLargeError: request entity too large");
        return endpoint.deliver(&line, reply).await;
    };
    let input = match Input::read(&head, &body) {
        Ok(input) => input,
        Err(reply) => return endpoint.deliver(&line, reply).await,
    };
    let note = signer.note(&input);
    let work = move |mode| signer.work(&input, mode);
    endpoint.answer(&line, note, work).await
}

fn unauthorized(error: &str, description: &str) -> Reply {
    Reply::json(
        401,
        json!({"error": error, "error_description": description}),
    )
}

/// The error page of the server's framework.
fn html(status: u16, text: &str) -> Reply {
    Reply::Answer(Answer {
        status,
        content_type: "text/html; charset=utf-8",
        retry_after: None,
        body: format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error</title>\n</head>\n\
             <body>\n<pre>{text}</pre>\n</body>\n</html>\n"
        ),
    })
}
