//! What every HTTP request of ours has in common, to nodes and to the signer alike.

use std::sync::Once;
use std::time::Duration;

use chrono::DateTime;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// How long to wait for a connection, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The signer closes idle connections after 5 s, and a request on a connection that is just being
/// closed fails: ours are given up before.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// No server keeps us away for longer.
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

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

/// How long a server asks us to stay away: `Retry-After` in seconds, or as a date, which counts from the
/// server's own clock in `Date`. At most an hour: a server that says more is asked again by then.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    let asked = text(RETRY_AFTER)?;
    let wait = match asked.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let until = DateTime::parse_from_rfc2822(asked).ok()?;
            let now = DateTime::parse_from_rfc2822(text(DATE)?).ok()?;
            (until - now).to_std().unwrap_or_default()
        }
    };
    Some(wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use reqwest::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};

    use super::retry_after;

    #[test]
    fn a_wait_is_asked_for_in_seconds_or_until_a_date_by_the_servers_clock() {
        let date = "Sun, 22 Nov 2026 17:00:00 GMT";
        let cases = [
            ("5", Some(5)),
            (" 0 ", Some(0)),
            ("Sun, 22 Nov 2026 17:00:07 GMT", Some(7)),
            ("Sun, 22 Nov 2026 16:59:00 GMT", Some(0)),
            ("Mon, 23 Nov 2026 17:00:00 GMT", Some(3_600)),
            ("999999999999", Some(3_600)),
            ("soon", None),
            ("-1", None),
        ];
        for (asked, seconds) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(DATE, HeaderValue::from_static(date));
            headers.insert(RETRY_AFTER, HeaderValue::from_static(asked));
            assert_eq!(
                retry_after(&headers),
                seconds.map(Duration::from_secs),
                "{asked}"
            );
        }
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }

    #[test]
    fn a_client_can_be_built_more_than_once() {
        super::builder().build().unwrap();
        super::builder().build().unwrap();
    }
}
