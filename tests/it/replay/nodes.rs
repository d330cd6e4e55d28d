//! Blocks fetched from a node.

use curatord::network::ChainKind;
use curatord::sandbox::{Sandbox, SandboxConfig};
use serde_json::Value;

use super::recording::{printed, replay};
use crate::harness::command::folder;

const RULES: &str = "[[author]]\nvoters = ['alice']\nauthors = ['bob']\nweight = '50%'\n";

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_fetched_from_the_configured_nodes() {
    for kind in [ChainKind::Hive, ChainKind::Steem] {
        let sandbox = Sandbox::start(SandboxConfig::manual(kind)).await.unwrap();
        let mut numbers = Vec::new();
        // More than one range of maximum size.
        for index in 0..130 {
            sandbox.publish("bob", &format!("post-{index}"));
            numbers.push(sandbox.produce_block());
        }
        let config = sandbox.curatord_toml("rules", "sqlite://not-used.db");
        let folder = folder(&[("rules/a.toml", RULES), ("curatord.toml", &config)]);
        let run = |from: u32, to: u32| {
            let (from, to) = (from.to_string(), to.to_string());
            replay(
                folder.path(),
                &["--format", "json", "--from", &from, "--to", &to],
            )
        };

        let output = run(numbers[3], numbers[128]);
        let blocks: Vec<u32> = printed(&output)
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["block"].to_string())
            .map(|number| number.parse().unwrap())
            .collect();
        assert_eq!(blocks, numbers[3..=128]);
        assert!(!folder.path().join("not-used.db").exists());

        let output = run(numbers[129], numbers[129] + 1);
        assert_eq!(output.status.code(), Some(1));
        let message = format!("the nodes have no block {}", numbers[129] + 1);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains(&message), "{stderr}");
        sandbox.shutdown().await;
    }
}
