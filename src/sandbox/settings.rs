//! The configuration and the tokens for a daemon that uses a sandbox.

use serde_json::json;

use super::running::Sandbox;
use crate::network::ChainKind;

impl Sandbox {
    /// A complete `curatord.toml` with these values for the rules folder and the database.
    pub fn curatord_toml(&self, rules: &str, database_url: &str) -> String {
        let kind = match self.config.kind {
            ChainKind::Hive => "hive",
            ChainKind::Steem => "steem",
        };
        let nodes: Vec<String> = self.node_urls().iter().map(|url| quoted(url)).collect();
        let interval = match self.config.block_interval {
            Some(interval) if interval.subsec_millis() == 0 => {
                format!("{}s", interval.as_secs())
            }
            Some(interval) => format!("{}ms", interval.as_millis()),
            None => "3s".to_owned(),
        };
        format!(
            "rules = {rules}\n\
             \n\
             [database]\n\
             url = {database}\n\
             \n\
             [network]\n\
             kind = \"{kind}\"\n\
             nodes = [{nodes}]\n\
             block_interval = \"{interval}\"\n\
             \n\
             [signer]\n\
             url = {signer}\n\
             client_id = {client_id}\n\
             client_secret = {client_secret}\n",
            rules = quoted(rules),
            database = quoted(database_url),
            nodes = nodes.join(", "),
            signer = quoted(&self.signer_url()),
            client_id = quoted(&self.config.client_id),
            client_secret = quoted(self.client_secret()),
        )
    }

    /// New tokens for each voter, in the format of `curatord auth import`. Creates accounts as needed.
    pub fn tokens_json(&self, voters: &[&str]) -> String {
        let tokens: Vec<serde_json::Value> = voters
            .iter()
            .map(|voter| {
                let tokens = self.add_voter(voter);
                json!({
                    "voter": voter,
                    "access_token": tokens.access,
                    "refresh_token": tokens.refresh,
                    "expires_in": tokens.expires_in,
                })
            })
            .collect();
        format!("{:#}\n", serde_json::Value::Array(tokens))
    }
}

/// A TOML string, whose escapes are those of JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::sandbox::SandboxConfig;

    #[tokio::test]
    async fn the_configuration_is_toml_with_the_addresses_of_the_sandbox() {
        let config = SandboxConfig::every(ChainKind::Steem, Duration::from_millis(250));
        let sandbox = Sandbox::start(config.with_nodes(2)).await.unwrap();
        let text = sandbox.curatord_toml("a \"quoted\" folder", "sqlite://try.db");
        let read: toml::Value = toml::from_str(&text).unwrap();
        assert_eq!(read["rules"].as_str(), Some("a \"quoted\" folder"));
        assert_eq!(read["network"]["kind"].as_str(), Some("steem"));
        assert_eq!(read["network"]["block_interval"].as_str(), Some("250ms"));
        assert_eq!(
            read["network"]["nodes"][1].as_str(),
            Some(&*sandbox.node_urls()[1])
        );
        assert_eq!(read["signer"]["url"].as_str(), Some(&*sandbox.signer_url()));
        sandbox.shutdown().await;
    }

    #[tokio::test]
    async fn the_tokens_are_json_with_one_entry_per_voter() {
        let config = SandboxConfig::manual(ChainKind::Hive);
        let sandbox = Sandbox::start(config).await.unwrap();
        let read: serde_json::Value =
            serde_json::from_str(&sandbox.tokens_json(&["alice", "alice.art"])).unwrap();
        assert_eq!(read[1]["voter"], "alice.art");
        assert_eq!(read[1]["expires_in"], 604_800);
        assert_ne!(read[0]["access_token"], read[1]["access_token"]);
        sandbox.shutdown().await;
    }
}
