//! A simulated chain with its node API and a simulated signer, in one process. Knows nothing of the
//! daemon.
//!
//! | module | holds |
//! | --- | --- |
//! | [`chain`] | blocks, accounts, posts and votes, with the chain's rules; no I/O |
//! | [`node`] | the node's JSON-RPC API |
//! | [`signer`] | the API of HiveSigner or SteemConnect |
//! | [`endpoint`], [`faults`], [`requests`] | a listening address, the trouble it can be in, what it was asked |
//! | [`scenario`] | people who post and vote, for `demo` and `sandbox` |
//! | [`settings`] | the `curatord.toml` and the tokens that fit a sandbox |
//!
//! [`Sandbox::start`] runs it all. A test publishes, makes blocks, switches faults on and waits:
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
pub mod endpoint;
pub mod faults;
mod line;
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
pub use self::running::{Blocks, Sandbox, SandboxConfig};
pub use self::signer::IssuedTokens;

/// Locks, also after a panic elsewhere: what the lock guards is never left half changed.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
