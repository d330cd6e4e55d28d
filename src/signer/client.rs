//! The two calls to the signer: broadcast a vote and refresh a token.

use std::error::Error as _;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::account::Account;
use crate::config::Config;
use crate::http_client::retry_after;
use crate::moment::LONGEST_LIFE;
use crate::post::VoteKey;
use crate::signer::answer::{excerpt_of, judge, shorten};
use crate::votes::answer::Answer;
use crate::weight::Weight;

/// Most bytes read of an answer, 256 KiB.
const MAX_ANSWER: usize = 256 * 1024;
/// Time limit for a refresh. It may take longer than a broadcast, which is due at a moment.
const REFRESH_TIMEOUT: Duration = Duration::from_secs(30);

/// A client of HiveSigner or SteemConnect. Cheap to clone.
#[derive(Clone)]
pub struct SignerClient {
    http: reqwest::Client,
    broadcast_url: String,
    token_url: String,
    /// Name and secret of the application and the timeout may change at any time. The address does not.
    config: watch::Receiver<Arc<Config>>,
}

/// The tokens of a refresh.
#[derive(Debug)]
pub struct FreshTokens {
    /// The new access token.
    pub access_token: SecretString,
    /// `None` if the signer gives no new one; the old one stays valid then.
    pub refresh_token: Option<SecretString>,
    /// Life of the access token from now; `None` if the signer omits it.
    pub expires_in: Option<Duration>,
}

/// An error of a refresh.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RefreshError {
    /// The signer refuses the refresh token. A retry cannot help.
    #[error("the signer refuses to refresh: {0}")]
    Dead(String),
    /// The signer refuses the application, so that no voter's token can be refreshed.
    #[error(
        "the signer refuses the application {client_id}: {text}: check `signer.client_id` and `signer.client_secret`, \
         and from where the application may be used"
    )]
    Application {
        /// The `signer.client_id` that was sent.
        client_id: String,
        /// What the signer says.
        text: String,
    },
    /// An error that has nothing to do with the token, so that a retry can help.
    #[error("{text}")]
    Passing {
        /// What happened, for people.
        text: String,
        /// How long the signer asks to wait, where it says so.
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

/// The request for new tokens. Without `client_secret` as a string, the HiveSigner process dies.
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
    access_token: SecretString,
    refresh_token: Option<SecretString>,
    expires_in: Option<serde_json::Value>,
    username: Option<serde_json::Value>,
}

#[derive(Deserialize, Default)]
struct ErrorAnswer {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
}

impl SignerClient {
    /// A client of the signer at the current `signer.url` of `config`.
    pub fn new(http: reqwest::Client, config: watch::Receiver<Arc<Config>>) -> Self {
        let url = config.borrow().signer.url.clone();
        Self {
            http,
            broadcast_url: format!("{url}/api/broadcast"),
            token_url: format!("{url}/api/oauth2/token"),
            config,
        }
    }

    /// The current configuration.
    fn config(&self) -> Arc<Config> {
        self.config.borrow().clone()
    }

    /// Casts one vote. Each vote has a request of its own, since one bad vote makes the chain refuse the
    /// whole transaction.
    pub async fn broadcast(&self, token: &SecretString, key: &VoteKey, weight: Weight) -> Answer {
        let Ok(mut authorization) = HeaderValue::from_str(token.expose_secret()) else {
            return Answer::Token(
                "the access token holds characters that are invalid in a token".to_owned(),
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
                    Err(error) => Answer::Unknown(format!(
                        "the signer's answer is incomplete: {}",
                        cause(&error)
                    )),
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

    /// Exchanges a refresh token of `voter` for new tokens.
    ///
    /// # Errors
    /// See [`RefreshError`]. The message never holds a token or a secret.
    pub async fn refresh(
        &self,
        voter: &Account,
        refresh_token: &SecretString,
    ) -> Result<FreshTokens, RefreshError> {
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
                format!("the signer's answer is incomplete: {}", cause(&error)),
                None,
            )
        })?;
        if status == 200
            && let Ok(answer) = serde_json::from_slice::<TokenAnswer>(&body)
            && !answer.access_token.expose_secret().is_empty()
        {
            if let Some(other) = answer
                .username
                .as_ref()
                .and_then(|name| other_than(voter, name))
            {
                return Err(RefreshError::Dead(format!(
                    "it answered with the tokens of {other}: @{voter} must log in again"
                )));
            }
            return Ok(FreshTokens {
                access_token: answer.access_token,
                refresh_token: answer
                    .refresh_token
                    .filter(|token| !token.expose_secret().is_empty()),
                expires_in: answer.expires_in.as_ref().and_then(seconds),
            });
        }
        let said: ErrorAnswer = serde_json::from_slice(&body).unwrap_or_default();
        if let Some(of) = refused(status, &said) {
            let text = match &*said.error_description {
                "" => &said.error,
                description => description,
            };
            let text = shorten(&without([refresh_token, &config.client_secret], text));
            return Err(match of {
                Refused::Token => RefreshError::Dead(text),
                Refused::Application => RefreshError::Application {
                    client_id: config.client_id.clone(),
                    text,
                },
            });
        }
        let what = describe(status, &body);
        Err(passing(
            format!("the signer answered {status}: {what}"),
            wait,
        ))
    }
}

/// What the signer refuses at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    Token,
    Application,
}

/// Values of `error` that are about the application: of both signers and of RFC 6749.
const APPLICATION_ERRORS: [&str; 7] = [
    "invalid_client",
    "unauthorized_client",
    "unauthorized_access",
    "application_disabled",
    "unsupported_grant_type",
    "invalid_request",
    "invalid_scope",
];

/// What an answer of the token endpoint refuses for good; `None` if a retry can help. RFC 6749 uses 400, both signers 401.
fn refused(status: u16, said: &ErrorAnswer) -> Option<Refused> {
    let text = said.error_description.to_lowercase();
    let passing = ["server_error", "temporarily_unavailable"].contains(&&*said.error)
        || text.contains("failed to load");
    if !matches!(status, 400 | 401 | 403) || said.error.is_empty() || passing {
        return None;
    }
    // HiveSigner says `invalid_grant` of a wrong secret, too.
    let of_application = APPLICATION_ERRORS.contains(&&*said.error) || text.contains("secret");
    Some(match of_application {
        true => Refused::Application,
        false => Refused::Token,
    })
}

/// The account in the signer's answer, if it is not `voter`.
fn other_than(voter: &Account, username: &serde_json::Value) -> Option<String> {
    let name = username.as_str().filter(|name| !name.is_empty())?;
    match Account::parse(name.trim()) {
        Ok(account) if account == *voter => None,
        Ok(account) => Some(format!("@{account}")),
        Err(_) => Some("an account that cannot exist".to_owned()),
    }
}

/// Describes an answer of the token endpoint without quoting it, since it may hold tokens.
fn describe(status: u16, body: &[u8]) -> String {
    match body.trim_ascii_start().first() {
        _ if status == 200 => "the answer cannot be read".to_owned(),
        None | Some(b'<') => excerpt_of(body),
        Some(_) => "the answer holds no tokens".to_owned(),
    }
}

/// Whole seconds, as a number or a text.
fn seconds(value: &serde_json::Value) -> Option<Duration> {
    let seconds: i64 = value.as_i64().or_else(|| value.as_str()?.parse().ok())?;
    if (1..=LONGEST_LIFE.num_seconds()).contains(&seconds) {
        return Some(Duration::from_secs(seconds.unsigned_abs()));
    }
    tracing::warn!(
        "the signer says that a new token expires in {seconds} s, which cannot be: taken as unknown"
    );
    None
}

/// The body, which may hold new tokens.
async fn read(mut response: reqwest::Response) -> Result<Zeroizing<Vec<u8>>, reqwest::Error> {
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ANSWER {
            body.truncate(MAX_ANSWER);
            break;
        }
    }
    Ok(body)
}

/// The innermost cause. The message of reqwest itself only names the URL of the failed request.
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

/// The meaning of an answer, with the `secrets` removed from its text: a server may repeat in its error
/// what it received.
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
    // Secrets are removed before the text is shortened, since part of a secret would not be found. If
    // a short secret occurs in a sentence that decides the meaning, the first judgement counts.
    let judged = judge(status, retry_after, cleaned.as_bytes());
    if mem::discriminant(&judged) == mem::discriminant(&answer) {
        judged
    } else {
        answer.map_text(|text| without(secrets, &text))
    }
}

fn without(secrets: [&SecretString; 2], text: &str) -> String {
    let secrets = secrets.map(ExposeSecret::expose_secret).into_iter();
    secrets
        .filter(|secret| !secret.is_empty())
        .fold(text.to_owned(), |text, secret| text.replace(secret, "…"))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use proptest::prelude::{any, proptest};

    use super::*;
    use crate::votes::answer::Done;

    fn answer(secret: &str, status: u16, body: &str) -> Answer {
        let secrets = [&secret.into(), &SecretString::from("client-secret")];
        judge_without(secrets, status, None, body.as_bytes())
    }

    #[test]
    fn a_life_that_no_token_has_is_unknown() {
        let life = |value: &str| seconds(&serde_json::from_str(value).unwrap());
        let week = Some(Duration::from_secs(604_800));
        assert_eq!((life("604800"), life("\"604800\"")), (week, week));
        for value in [
            "0",
            "\"0\"",
            "-1",
            "315619201",
            "18446744073709551615",
            "1e300",
            "null",
        ] {
            assert_eq!(life(value), None, "{value}");
        }
    }

    #[test]
    fn a_refusal_is_about_the_token_or_about_the_application() {
        let (token, application) = (Some(Refused::Token), Some(Refused::Application));
        for (status, error, text, expected) in [
            (401, "invalid_grant", "The token has invalid role", token),
            (
                401,
                "invalid_grant",
                "The code or secret is not valid",
                application,
            ),
            (400, "invalid_grant", "", token),
            (400, "invalid_client", "", application),
            (
                401,
                "invalid_client",
                "Client authentication failed",
                application,
            ),
            (
                401,
                "unauthorized_access",
                "The IP ::ffff:127.0.0.1 is not authorized",
                application,
            ),
            (
                401,
                "unauthorized_client",
                "The app @my.app or user @ghost account failed to load",
                None,
            ),
            (400, "temporarily_unavailable", "", None),
            (401, "", "", None),
            (500, "server_error", "", None),
            (503, "invalid_grant", "", None),
        ] {
            let said = ErrorAnswer {
                error: error.to_owned(),
                error_description: text.to_owned(),
            };
            assert_eq!(refused(status, &said), expected, "{status} {error} {text}");
        }
    }

    #[test]
    fn tokens_of_another_account_are_noticed() {
        let alice = Account::from_chain("alice");
        for (name, other) in [
            ("\"alice\"", None),
            ("\" @Alice\"", None),
            ("\"\"", None),
            ("null", None),
            ("\"bob\"", Some("@bob")),
            ("\"a\\u202eb\"", Some("an account that cannot exist")),
        ] {
            let name = serde_json::from_str(name).unwrap();
            assert_eq!(other_than(&alice, &name).as_deref(), other, "{name}");
        }
    }

    proptest! {
        #[test]
        fn no_life_makes_a_date_overflow(value in any::<i64>()) {
            if let Some(life) = seconds(&value.into()) {
                assert!(DateTime::UNIX_EPOCH.checked_add_signed(TimeDelta::from_std(life).unwrap()).is_some());
            }
        }
    }

    #[test]
    fn secrets_are_removed_from_the_text_of_an_answer() {
        let said = r#"{"error":"server_error","error_description":"bad client-secret for abcdef"}"#;
        let text = "the signer answered 500: bad … for …".to_owned();
        assert_eq!(answer("abcdef", 500, said), Answer::Unknown(text));
    }

    #[test]
    fn a_secret_that_is_a_common_word_changes_only_the_text() {
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
