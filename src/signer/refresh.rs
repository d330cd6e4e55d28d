//! One refresh of one voter's tokens, from the lease to the row in the table.

use std::time::Duration;

use chrono::TimeDelta;

use crate::clock::Clock;
use crate::signer::client::{FreshTokens, RefreshError, SignerClient};
use crate::signer::refresh_time::USUAL_LIFE;
use crate::store::{NewToken, Store, TokenRow};

/// Length of the lease on a refresh. Longer than any refresh, and the time that a daemon that dies
/// during one blocks the others.
pub(super) const LEASE: TimeDelta = TimeDelta::seconds(60);

/// The outcome of a refresh.
pub(super) enum Refreshed {
    /// The signer gave new tokens.
    Fresh {
        row: TokenRow,
        life: Duration,
        /// The old row and its new tokens, if the database was unavailable.
        unsaved: Option<(TokenRow, NewToken)>,
    },
    /// Another program refreshes or has changed the row.
    Superseded,
    Failed(RefreshError),
}

/// Requests new tokens from the signer and stores them, unless the row has changed since.
pub(super) async fn refresh(
    store: &Store,
    signer: &SignerClient,
    clock: &Clock,
    owner: &str,
    row: TokenRow,
) -> Refreshed {
    let name = format!("refresh:{}", row.voter);
    let now = clock.now();
    // If the database is unavailable, the token is refreshed without a lease.
    if let Ok(false) = store.acquire_lease(&name, owner, now, now + LEASE).await {
        return Refreshed::Superseded;
    }
    let refreshed = match &row.refresh_token {
        Some(token) => signer.refresh(&row.voter, token).await,
        None => Err(RefreshError::Dead("there is no refresh token".to_owned())),
    };
    let refreshed = match refreshed {
        Ok(fresh) => store_fresh(store, clock, row, fresh).await,
        Err(error) => Refreshed::Failed(error),
    };
    if let Err(error) = store.release_lease(&name, owner).await {
        tracing::debug!(%error, "the lease on a refresh was not released");
    }
    refreshed
}

async fn store_fresh(store: &Store, clock: &Clock, row: TokenRow, fresh: FreshTokens) -> Refreshed {
    let life = fresh.expires_in.unwrap_or(USUAL_LIFE);
    let Some(refresh_token) = fresh.refresh_token.or_else(|| row.refresh_token.clone()) else {
        return Refreshed::Failed(RefreshError::Dead("there is no refresh token".to_owned()));
    };
    let new = NewToken {
        access_token: fresh.access_token,
        refresh_token,
        expires_at: clock.now() + life,
    };
    let refreshed = TokenRow {
        voter: row.voter.clone(),
        access_token: new.access_token.clone(),
        refresh_token: Some(new.refresh_token.clone()),
        expires_at: Some(new.expires_at),
    };
    match store.store_refreshed(&row, &new).await {
        Ok(true) => Refreshed::Fresh {
            row: refreshed,
            life,
            unsaved: None,
        },
        Ok(false) => Refreshed::Superseded,
        Err(error) => {
            tracing::warn!(voter = row.voter.as_str(), %error, "a new token was not stored yet");
            Refreshed::Fresh {
                row: refreshed,
                life,
                unsaved: Some((row, new)),
            }
        }
    }
}
