//! Which changed settings take effect only at the next start.

use secrecy::{ExposeSecret, SecretString};

use crate::config::Config;

/// The keys that differ between `old` and `new` and only take effect at the next start. All others take effect at
/// once: `casting`, `tokens`, `network.vote_interval`, and all of `signer` except its address.
pub fn only_at_start(old: &Config, new: &Config) -> Vec<&'static str> {
    let secret =
        |old: &SecretString, new: &SecretString| old.expose_secret() != new.expose_secret();
    let differences = [
        ("rules", old.rules != new.rules),
        ("database.url", secret(&old.database.url, &new.database.url)),
        (
            "database.timezone",
            old.database.timezone != new.database.timezone,
        ),
        ("network.kind", old.network.kind != new.network.kind),
        ("network.nodes", old.network.nodes != new.network.nodes),
        ("network.follow", old.network.follow != new.network.follow),
        (
            "network.block_interval",
            old.network.block_interval != new.network.block_interval,
        ),
        ("signer.url", old.signer.url != new.signer.url),
        ("http.listen", old.http.listen != new.http.listen),
    ];
    differences
        .into_iter()
        .filter(|(_, differs)| *differs)
        .map(|(key, _)| key)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn config(text: &str) -> Config {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("curatord.toml");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        crate::config::load(Some(&path), []).unwrap()
    }

    #[test]
    fn what_needs_a_restart_is_named() {
        let old = config("[signer]\nclient_secret = \"a\"\n[network]\nkind = \"hive\"");
        let mut new = config(
            "[signer]\nclient_secret = \"b\"\nmax_in_flight = 7\n[network]\nkind = \"steem\"",
        );
        new.rules = old.rules.clone();
        new.database = old.database.clone();
        let keys = only_at_start(&old, &new);
        assert_eq!(keys, ["network.kind", "network.nodes", "signer.url"]);
    }

    #[test]
    fn limits_and_the_secret_need_none() {
        let old = config("");
        let mut new = old.clone();
        new.signer.max_in_flight = 7;
        new.signer.client_secret = "b".into();
        new.casting.retry_for = std::time::Duration::from_secs(1);
        new.tokens.refresh_ahead = std::time::Duration::from_secs(1);
        new.network.vote_interval = std::time::Duration::from_secs(1);
        assert_eq!(only_at_start(&old, &new), [""; 0]);
    }
}
