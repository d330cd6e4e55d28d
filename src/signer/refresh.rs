//! One refresh of one token: from the lease to the row in the table.

use std::time::Duration;

use chrono::TimeDelta;

use crate::clock::Clock;
use crate::signer::client::{FreshTokens, RefreshError, SignerClient};
use crate::signer::refresh_time::USUAL_LIFE;
use crate::store::{NewToken, Store, TokenRow};

/// No refresh takes longer than this; a daemon that dies over one blocks the others no longer.
pub(super) const LEASE: TimeDelta = TimeDelta::seconds(60);

/// What came of a refresh.
pub(super) enum Refreshed {
    /// `saved` is false while the database is away.
    Fresh {
        row: TokenRow,
        life: Duration,
        unsaved: Option<(TokenRow, NewToken)>,
    },
    /// Somebody else has written the row meanwhile: theirs counts.
    Overtaken,
    Failed(RefreshError),
}

/// One refresh: asks the signer and stores what comes, if the row is still the one that was used.
pub(super) async fn refresh(
    store: &Store,
    signer: &SignerClient,
    clock: &Clock,
    owner: &str,
    row: TokenRow,
) -> Refreshed {
    let name = format!("refresh:{}", row.voter);
    let now = clock.now();
    // Without the database there is nobody to agree with; the token is needed all the same.
    if let Ok(false) = store.acquire_lease(&name, owner, now, now + LEASE).await {
        return Refreshed::Overtaken;
    }
    let refreshed = match &row.refresh_token {
        Some(token) => signer.refresh(token).await,
        None => Err(RefreshError::Dead("there is no refresh token".to_owned())),
    };
    let refreshed = match refreshed {
        Ok(fresh) => store_fresh(store, clock, row, fresh).await,
        Err(error) => Refreshed::Failed(error),
    };
    if let Err(error) = store.release_lease(&name, owner).await {
        tracing::debug!(%error, "a lease was left to run out");
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
        Ok(false) => Refreshed::Overtaken,
        Err(error) => {
            tracing::warn!(voter = row.voter.as_str(), %error, "a new token waits for the database");
            Refreshed::Fresh {
                row: refreshed,
                life,
                unsaved: Some((row, new)),
            }
        }
    }
}
