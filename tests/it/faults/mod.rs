//! The program in a world where things go wrong: a signer, nodes and a database that fail in every way
//! that is known of them. The real binary runs against a simulated chain and signer.

mod database_away;
mod database_errors;
mod database_files;
mod forks;
mod nodes;
mod signer;
mod signer_refusals;

use chrono::{DateTime, Utc};
use curatord::post::PostId;

use crate::harness::Installation;

/// A rule file with one author rule for posts of `@bob`, at 50 %.
fn rule(voters: &[&str], delay: &str) -> String {
    format!(
        "voters = {voters:?}\n[[author]]\nname = \"bob\"\nauthors = [\"bob\"]\nweight = \"50%\"\ndelay = \"{delay}\"\n"
    )
}

/// Asserts that no request for this vote arrived at the signer before it was due.
fn assert_not_early(site: &Installation<'_>, voter: &str, post: &PostId, due: DateTime<Utc>) {
    let requests = site.broadcasts(voter, post);
    let first = requests.first().unwrap_or_else(|| {
        panic!("no request for the vote of {voter} on {post}, which was due at {due}")
    });
    let arrived = first.arrived;
    assert!(arrived >= due, "{voter} on {post}: {arrived}, due {due}");
}
