//! What every HTTP request of ours has in common, to nodes and to the signer alike.

use std::sync::Once;
use std::time::Duration;

/// How long to wait for a connection, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The signer closes idle connections after 5 s, and a request on a connection that is just being
/// closed fails: ours are given up before.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// A client with our user agent and our limits on connections. The caller sets how long a request
/// may take. Redirects are not followed (one would turn a POST into a GET), and proxies named in the
/// environment are not used.
pub fn builder() -> reqwest::ClientBuilder {
    use_ring();
    reqwest::Client::builder()
        .user_agent(concat!("curatord/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        .redirect(reqwest::redirect::Policy::none())
        .tcp_nodelay(true)
        .no_proxy()
}

/// reqwest is built without a crypto provider of its own: ring is the one of the whole process.
fn use_ring() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // Fails only where somebody installed one before: then that one is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_client_can_be_built_more_than_once() {
        super::builder().build().unwrap();
        super::builder().build().unwrap();
    }
}
