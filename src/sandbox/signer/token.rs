//! Tokens: those of HiveSigner are signed messages that do not expire, those of SteemConnect are JWTs
//! that do.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::SignerKind;
use crate::account::Account;
use crate::sandbox::chain::block::digest;

/// The purpose of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Acts for the voter.
    Access,
    /// Is exchanged for new tokens.
    Refresh,
    /// Comes from the authorisation page and is exchanged for the first tokens.
    Code,
    /// Only identifies the voter.
    Login,
}

impl Role {
    /// The name in tokens.
    fn name(self, kind: SignerKind) -> &'static str {
        match (self, kind) {
            (Self::Access, SignerKind::HiveSigner) => "posting",
            (Self::Access, SignerKind::SteemConnect) => "app",
            (Self::Refresh, _) => "refresh",
            (Self::Code, _) => "code",
            (Self::Login, SignerKind::HiveSigner) => "login",
            (Self::Login, SignerKind::SteemConnect) => "user",
        }
    }

    fn parse(name: &str, kind: SignerKind) -> Option<Self> {
        let mut roles = [Self::Access, Self::Refresh, Self::Code, Self::Login].into_iter();
        roles.find(|role| role.name(kind) == name)
    }
}

/// The contents of a token.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub role: Role,
    pub app: Account,
    pub user: Account,
    pub expires: Option<DateTime<Utc>>,
}

/// Issues and reads tokens.
#[derive(Debug)]
pub(super) struct Mint {
    kind: SignerKind,
    /// The secret of the signatures.
    secret: String,
    /// The number of the next token, which makes each token unique.
    serial: AtomicU64,
}

impl Mint {
    pub fn new(kind: SignerKind, secret: &str) -> Self {
        Self {
            kind,
            secret: secret.to_owned(),
            serial: AtomicU64::new(1),
        }
    }

    /// Issues a new token. Only SteemConnect uses `expires`.
    pub fn issue(
        &self,
        role: Role,
        app: &Account,
        user: &Account,
        now: DateTime<Utc>,
        expires: DateTime<Utc>,
    ) -> String {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let role = role.name(self.kind);
        match self.kind {
            SignerKind::HiveSigner => {
                let (app, user) = (app.as_str(), user.as_str());
                let signature = self.sign(&(role, app, user, now.timestamp(), serial));
                let message = json!({
                    "signed_message": {"type": role, "app": app},
                    "authors": [user],
                    "timestamp": now.timestamp(),
                    "signatures": [format!("20{serial:016x}{signature}")],
                });
                URL_SAFE.encode(message.to_string()).replace('=', ".")
            }
            SignerKind::SteemConnect => {
                let payload = json!({
                    "role": role,
                    "proxy": app,
                    "user": user,
                    "scope": ["vote", "offline"],
                    "iat": now.timestamp(),
                    "exp": expires.timestamp(),
                    "jti": serial,
                });
                let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
                let payload = URL_SAFE_NO_PAD.encode(payload.to_string());
                let signature = URL_SAFE_NO_PAD.encode(self.sign(&payload));
                format!("{header}.{payload}.{signature}")
            }
        }
    }

    /// The contents of a token; `None` if this sandbox did not issue it.
    pub fn read(&self, token: &str) -> Option<Token> {
        match self.kind {
            SignerKind::HiveSigner => self.read_hivesigner(token),
            SignerKind::SteemConnect => self.read_steemconnect(token),
        }
    }

    fn read_hivesigner(&self, token: &str) -> Option<Token> {
        let text = URL_SAFE.decode(token.replace('.', "=")).ok()?;
        let message: Value = serde_json::from_slice(&text).ok()?;
        let kind = message["signed_message"]["type"].as_str()?;
        let app = message["signed_message"]["app"].as_str()?;
        let user = message["authors"][0].as_str()?;
        let timestamp = message["timestamp"].as_i64()?;
        let signature = message["signatures"][0].as_str()?.strip_prefix("20")?;
        let (serial, signature) = signature.split_at_checked(16)?;
        let serial = u64::from_str_radix(serial, 16).ok()?;
        let role = Role::parse(kind, self.kind)?;
        (signature == self.sign(&(kind, app, user, timestamp, serial))).then(|| Token {
            role,
            app: Account::from_chain(app),
            user: Account::from_chain(user),
            expires: None,
        })
    }

    fn read_steemconnect(&self, token: &str) -> Option<Token> {
        let mut parts = token.split('.');
        let (_, payload, signature) = (parts.next()?, parts.next()?, parts.next()?);
        if signature != URL_SAFE_NO_PAD.encode(self.sign(&payload)) {
            return None;
        }
        let payload: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
        Some(Token {
            role: Role::parse(payload["role"].as_str()?, self.kind)?,
            app: Account::from_chain(payload["proxy"].as_str()?),
            user: Account::from_chain(payload["user"].as_str()?),
            expires: DateTime::from_timestamp(payload["exp"].as_i64()?, 0),
        })
    }

    /// A signature of 112 hex digits, as long as a real one. It is not cryptographically secure.
    fn sign(&self, of: &impl std::hash::Hash) -> String {
        let first = digest((&self.secret, of));
        let rest = format!("{}{}", digest(&first), digest((&first, 2)));
        format!("{first}{}", &rest[..72])
    }
}

/// The fingerprint of a token, 12 hex digits: identifies it without showing it.
pub(super) fn fingerprint(token: &str) -> String {
    let mut fingerprint = digest(token);
    fingerprint.truncate(12);
    fingerprint
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issue(mint: &Mint, role: Role) -> String {
        let (app, user) = (Account::from_chain("my.app"), Account::from_chain("alice"));
        let now = DateTime::UNIX_EPOCH;
        mint.issue(role, &app, &user, now, now + chrono::Duration::days(7))
    }

    #[test]
    fn a_token_is_read_with_its_role_and_user() {
        for kind in [SignerKind::HiveSigner, SignerKind::SteemConnect] {
            let mint = Mint::new(kind, "secret");
            for role in [Role::Access, Role::Refresh, Role::Code, Role::Login] {
                let token = mint.read(&issue(&mint, role)).unwrap();
                assert_eq!(
                    (token.role, token.user.as_str()),
                    (role, "alice"),
                    "{kind:?}"
                );
            }
        }
    }

    #[test]
    fn hivesigner_tokens_have_the_length_and_the_padding_of_real_ones() {
        let mint = Mint::new(SignerKind::HiveSigner, "secret");
        let tokens: Vec<String> = [Role::Access, Role::Refresh, Role::Code, Role::Login]
            .into_iter()
            .map(|role| issue(&mint, role))
            .collect();
        for token in &tokens {
            assert!((260..=360).contains(&token.len()), "{}", token.len());
            assert!(
                token
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
            );
        }
        assert!(
            tokens.iter().any(|token| token.ends_with('.')),
            "{tokens:?}"
        );
    }

    #[test]
    fn no_two_tokens_are_equal() {
        for kind in [SignerKind::HiveSigner, SignerKind::SteemConnect] {
            let mint = Mint::new(kind, "secret");
            assert_ne!(issue(&mint, Role::Access), issue(&mint, Role::Access));
        }
    }

    #[test]
    fn foreign_and_damaged_tokens_are_refused() {
        for kind in [SignerKind::HiveSigner, SignerKind::SteemConnect] {
            let mint = Mint::new(kind, "secret");
            let foreign = issue(&Mint::new(kind, "other"), Role::Access);
            let mut broken = issue(&mint, Role::Access);
            broken.replace_range(60..61, if &broken[60..61] == "A" { "B" } else { "A" });
            for token in [foreign.as_str(), &broken, "garbage", ""] {
                assert_eq!(mint.read(token), None, "{kind:?} {token}");
            }
        }
    }
}
