//! Checks that there is a configuration and that it sets everything that `run` needs.

use std::path::Path;

use secrecy::ExposeSecret;

use crate::config::Config;
use crate::config::load::PLACES;
use crate::diagnostic::{Finding, PlainProblem};

/// There is no configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "no configuration found (looked for ./{} and {}): name it with `--config FILE`, or set CURATORD_DATABASE__URL \
     and what else it must say in the environment", PLACES[0], PLACES[1]
)]
pub struct NotFound;

/// Required settings of `curatord run` that are not set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {}", self.what(), self.help())]
pub struct NotSet {
    keys: Vec<&'static str>,
    signer: &'static str,
    file: String,
}

impl NotSet {
    fn what(&self) -> String {
        let are = if self.keys.len() == 1 { "is" } else { "are" };
        format!("{} {are} not set", self.keys.join(" and "))
    }

    fn help(&self) -> String {
        let them = if self.keys.len() == 1 { "it" } else { "them" };
        let variables: Vec<_> = self.keys.iter().map(|key| variable(key)).collect();
        format!(
            "get {them} from {}, and set {them} in `[signer]` of {} or as {}",
            self.signer,
            self.file,
            variables.join(" and ")
        )
    }

    /// The same as a warning: whoever starts the daemon may set it in the environment.
    pub fn problem(&self) -> PlainProblem {
        let finding = Finding::whole(self.what()).help(self.help());
        PlainProblem::warning_of_file(&self.file, finding)
    }
}

impl NotFound {
    /// The same as a warning.
    pub fn problem(self) -> PlainProblem {
        PlainProblem::warning_of_file(PLACES[0], Finding::whole(self.to_string()))
    }
}

/// `CURATORD_SIGNER__CLIENT_ID` for `signer.client_id`.
fn variable(key: &str) -> String {
    format!("CURATORD_{}", key.replace('.', "__").to_uppercase())
}

impl Config {
    /// Checks that a file or the environment names the database, so that none is created in the working directory by
    /// accident.
    ///
    /// # Errors
    /// The places where a configuration was looked for.
    pub fn is_found(&self) -> Result<(), NotFound> {
        match self.path.is_some() || self.names_database {
            true => Ok(()),
            false => Err(NotFound),
        }
    }

    /// Checks that everything is set that casting votes needs; rule files can be checked and replayed without it.
    ///
    /// # Errors
    /// The settings that are missing, and how to set them.
    pub fn ready_to_run(&self) -> Result<(), NotSet> {
        let signer = &self.signer;
        let needed = [
            ("signer.client_id", signer.client_id.trim().is_empty()),
            (
                "signer.client_secret",
                signer.client_secret.expose_secret().trim().is_empty(),
            ),
        ];
        let keys: Vec<_> = needed
            .into_iter()
            .filter(|(_, empty)| *empty)
            .map(|(key, _)| key)
            .collect();
        if keys.is_empty() {
            return Ok(());
        }
        let file = self.path.as_deref().unwrap_or(Path::new(PLACES[0]));
        Err(NotSet {
            keys,
            signer: match signer.url == self.network.kind.signer() {
                true => self.network.kind.signer(),
                // An address of the user's own may hold a password.
                false => "your signer",
            },
            file: file.display().to_string(),
        })
    }
}
