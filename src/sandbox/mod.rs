//! A simulated chain with its node API and a simulated signer, in one process. Independent of the
//! daemon.
//!
//! | module | holds |
//! | --- | --- |
//! | [`chain`] | blocks, accounts, posts and votes, by the rules of the chain; no I/O |
//! | [`node`] | the node's JSON-RPC API |
//! | [`signer`] | the API of HiveSigner or SteemConnect |
//! | [`endpoint`], [`faults`], [`requests`] | a listening address, its simulated faults and its log of requests |
//! | [`scenario`] | simulated people who post and vote, for `demo` and `sandbox` |
//! | [`settings`] | the `curatord.toml` and the tokens for a sandbox |
//!
//! [`Sandbox::start`] runs all of it. A test publishes, produces blocks, adds faults and waits:
//!
//! ```ignore
//! let sandbox = Sandbox::start(SandboxConfig::manual(ChainKind::Hive)).await?;
//! sandbox.add_voter("alice");
//! let post = sandbox.publish("bob", "a-post");
//! sandbox.produce_block();
//! sandbox.signer().endpoint().faults.add(Fault::Cut.on("broadcast").times(1));
//! let vote = sandbox.wait_for_vote("alice", &post, Duration::from_secs(5)).await;
//! ```

pub mod chain;
mod connection;
pub mod endpoint;
pub mod faults;
pub mod node;
mod people;
pub mod requests;
mod running;
pub mod scenario;
pub mod settings;
pub mod signer;
mod tasks;
#[cfg(test)]
mod tests;
mod world;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use self::people::{NewPost, SeenVote};
pub use self::running::{REDIRECT_URI, Sandbox, SandboxConfig};
pub use self::signer::IssuedTokens;

/// Locks a mutex, also after a panic: no holder leaves its value half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
