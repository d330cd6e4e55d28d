//! The two calls we make: broadcast a vote, and refresh a token.

use std::error::Error as _;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::account::Account;
use crate::config::Config;
use crate::http_client::retry_after;
use crate::post::VoteKey;
use crate::signer::answer::{excerpt_of, judge};
use crate::votes::answer::Answer;
use crate::weight::Weight;

/// More of an answer is not read.
const LARGEST_ANSWER: usize = 256 * 1024;
/// A refresh may take longer than a broadcast: nothing is due meanwhile.
const REFRESH_TIMEOUT: Duration = Duration::from_secs(30);

/// HiveSigner or SteemConnect, seen from here. Cheap to clone.
#[derive(Clone)]
pub struct SignerClient {
    http: reqwest::Client,
    broadcast_url: String,
    token_url: String,
    /// Names and secret of the application, and patience, may change at any time; the address does not.
    config: watch::Receiver<Arc<Config>>,
}

/// A pair of tokens as the signer hands them out.
#[derive(Debug)]
pub struct FreshTokens {
    pub access_token: SecretString,
    /// The old one goes on where the signer names no new one.
    pub refresh_token: Option<SecretString>,
    /// Counts from now; `None` where the signer does not say.
    pub expires_in: Option<Duration>,
}

/// Why a token was not refreshed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RefreshError {
    /// The refresh token, or our secret, is refused: trying the same again brings the same.
    #[error("the signer refuses to refresh: {0}")]
    Dead(String),
    /// Not the token's fault, as far as one can tell.
    #[error("{text}")]
    Passing {
        text: String,
        retry_after: Option<Duration>,
    },
}

#[derive(Serialize)]
struct Broadcast<'a> {
    operations: [(&'static str, VoteOperation<'a>); 1],
}

#[derive(Serialize)]
struct VoteOperation<'a> {
    voter: &'a Account,
    author: &'a Account,
    permlink: &'a str,
    weight: Weight,
}

/// `client_secret` always goes along, as a string: without it the server's process dies.
#[derive(Serialize)]
struct Refresh<'a> {
    grant_type: &'static str,
    refresh_token: &'a str,
    client_id: &'a str,
    client_secret: &'a str,
    scope: &'static str,
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    refresh_token: Option<String>,
    expires_in: Option<serde_json::Value>,
}

#[derive(Deserialize, Default)]
struct ErrorAnswer {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
}

impl SignerClient {
    /// A client of the signer that `config` names now, over the connections of `http`.
    pub fn new(http: reqwest::Client, config: watch::Receiver<Arc<Config>>) -> Self {
        let url = config.borrow().signer.url.clone();
        Self {
            http,
            broadcast_url: format!("{url}/api/broadcast"),
            token_url: format!("{url}/api/oauth2/token"),
            config,
        }
    }

    /// As it stands now.
    fn config(&self) -> Arc<Config> {
        self.config.borrow().clone()
    }

    /// Casts one vote. One request holds one vote: one bad vote would refuse all in the same request.
    pub async fn broadcast(&self, token: &SecretString, key: &VoteKey, weight: Weight) -> Answer {
        let Ok(mut authorization) = HeaderValue::from_str(token.expose_secret()) else {
            return Answer::Token(
                "the access token holds characters that no token holds".to_owned(),
            );
        };
        authorization.set_sensitive(true);
        let config = &self.config().signer;
        let operation = VoteOperation {
            voter: &key.voter,
            author: &key.post.author,
            permlink: &key.post.permlink,
            weight,
        };
        let request = self
            .http
            .post(&self.broadcast_url)
            .timeout(config.timeout)
            .header(AUTHORIZATION, authorization)
            .json(&Broadcast {
                operations: [("vote", operation)],
            });
        match request.send().await {
            Ok(response) => {
                let (status, retry_after) =
                    (response.status().as_u16(), retry_after(response.headers()));
                match read(response).await {
                    Ok(body) => {
                        let secrets = [token, &config.client_secret];
                        judge_without(secrets, status, retry_after, &body)
                    }
                    Err(error) => {
                        Answer::Unknown(format!("the signer's answer broke off: {}", cause(&error)))
                    }
                }
            }
            Err(error) if error.is_connect() => Answer::Passing {
                text: format!("the signer cannot be reached: {}", cause(&error)),
                retry_after: None,
            },
            Err(error) if error.is_timeout() => Answer::Unknown(format!(
                "the signer did not answer within {} s",
                config.timeout.as_secs_f32()
            )),
            Err(error) => Answer::Unknown(format!(
                "the connection to the signer broke: {}",
                cause(&error)
            )),
        }
    }

    /// Trades a refresh token for new tokens.
    ///
    /// # Errors
    /// Whether to try again; never holds a token.
    pub async fn refresh(&self, refresh_token: &SecretString) -> Result<FreshTokens, RefreshError> {
        let config = &self.config().signer;
        let form = Refresh {
            grant_type: "refresh_token",
            refresh_token: refresh_token.expose_secret(),
            client_id: &config.client_id,
            client_secret: config.client_secret.expose_secret(),
            scope: "vote,offline",
        };
        let passing = |text: String, retry_after| RefreshError::Passing { text, retry_after };
        let response = self
            .http
            .post(&self.token_url)
            .timeout(REFRESH_TIMEOUT)
            .json(&form)
            .send()
            .await
            .map_err(|error| {
                passing(
                    format!("the signer cannot be reached: {}", cause(&error)),
                    None,
                )
            })?;
        let (status, wait) = (response.status().as_u16(), retry_after(response.headers()));
        let body = read(response).await.map_err(|error| {
            passing(
                format!("the signer's answer broke off: {}", cause(&error)),
                None,
            )
        })?;
        if status == 200
            && let Ok(answer) = serde_json::from_slice::<TokenAnswer>(&body)
            && !answer.access_token.is_empty()
        {
            return Ok(FreshTokens {
                access_token: answer.access_token.into(),
                refresh_token: answer
                    .refresh_token
                    .filter(|token| !token.is_empty())
                    .map(Into::into),
                expires_in: answer.expires_in.as_ref().and_then(seconds),
            });
        }
        let said: ErrorAnswer = serde_json::from_slice(&body).unwrap_or_default();
        if status == 401
            && !said.error.is_empty()
            && !said.error_description.contains("failed to load")
        {
            let text = if said.error_description.is_empty() {
                said.error
            } else {
                said.error_description
            };
            let text = without([refresh_token, &config.client_secret], &text);
            return Err(RefreshError::Dead(text));
        }
        // Answers of this call hold tokens when all is well, so nothing of an odd one is repeated.
        let what = if status == 200 {
            "something that cannot be read".to_owned()
        } else {
            page_or_status(&body)
        };
        Err(passing(
            format!("the signer answered {status}: {what}"),
            wait,
        ))
    }
}

fn page_or_status(body: &[u8]) -> String {
    let text = excerpt_of(body);
    if body.trim_ascii_start().starts_with(b"<") || text == "nothing" {
        text
    } else {
        "not with tokens".to_owned()
    }
}

/// Whole seconds, as a number or as a text.
fn seconds(value: &serde_json::Value) -> Option<Duration> {
    let seconds = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
    // A century: more than that is a slip, and would overflow dates.
    (seconds < 3_200_000_000).then(|| Duration::from_secs(seconds))
}

async fn read(mut response: reqwest::Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > LARGEST_ANSWER {
            body.truncate(LARGEST_ANSWER);
            break;
        }
    }
    Ok(body)
}

/// The innermost cause: reqwest's own text only says that a request failed, and names its URL.
fn cause(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    if error.source().is_some() {
        innermost.to_string()
    } else {
        "no answer".to_owned()
    }
}

/// What an answer means, with none of the `secrets` in its text: a server may repeat in its error what it was sent.
fn judge_without(
    secrets: [&SecretString; 2],
    status: u16,
    retry_after: Option<Duration>,
    body: &[u8],
) -> Answer {
    let answer = judge(status, retry_after, body);
    let said = String::from_utf8_lossy(body);
    let cleaned = without(secrets, &said);
    if matches!(answer, Answer::Done(_)) || cleaned == said {
        return answer;
    }
    // Before anything is cut, because a part of a secret is not found any more. But a short one may stand in words
    // that decide what the answer means.
    let judged = judge(status, retry_after, cleaned.as_bytes());
    if mem::discriminant(&judged) == mem::discriminant(&answer) {
        judged
    } else {
        answer.map_text(|text| without(secrets, &text))
    }
}

fn without(secrets: [&SecretString; 2], text: &str) -> String {
    let mut text = text.to_owned();
    for secret in secrets {
        match secret.expose_secret() {
            "" => {}
            secret => text = text.replace(secret, "…"),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::votes::answer::Done;

    fn answer(secret: &str, status: u16, body: &str) -> Answer {
        let secrets = [&secret.into(), &SecretString::from("client-secret")];
        judge_without(secrets, status, None, body.as_bytes())
    }

    #[test]
    fn what_was_sent_is_taken_out_of_what_is_said() {
        let said = r#"{"error":"server_error","error_description":"bad client-secret for abcdef"}"#;
        let text = "the signer answered 500: bad … for …".to_owned();
        assert_eq!(answer("abcdef", 500, said), Answer::Unknown(text));
    }

    #[test]
    fn a_secret_that_is_a_word_by_chance_changes_nothing_but_the_text() {
        let id = Some("054f".to_owned());
        let accepted = Answer::Done(Done::Accepted { trx_id: id });
        let said = r#"{"result":{"id":"054f"}}"#;
        assert_eq!(answer("result", 200, said), accepted);
        let said = r#"{"error":"server_error","error_description":"Please wait to transact"}"#;
        let busy = answer("wait", 500, said);
        assert!(
            matches!(&busy, Answer::Passing { text, .. } if text.starts_with("Please … to")),
            "{busy:?}"
        );
    }
}
