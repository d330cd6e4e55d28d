//! The HTTP client for requests to nodes and to the signer.

use std::error::Error;
use std::sync::Once;
use std::time::Duration;

use chrono::DateTime;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};

/// Time limit for connecting, TLS included.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Time after which an idle connection is closed. The signer closes its side after 5 s, and a request
/// on a connection that is being closed fails.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// Upper limit for `Retry-After`.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3_600);

/// A client with the user agent and the connection limits of `curatord`. The caller sets the timeout
/// of each request. The client does not follow redirects, which would turn a POST into a GET, and
/// ignores proxies named in the environment.
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

/// Installs ring as the crypto provider of the process: reqwest is built without one.
fn use_ring() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // Fails only if a provider is installed already, which is used then.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// The innermost cause of an error. The message of reqwest itself only names the URL of the failed request.
pub fn innermost<'e>(mut error: &'e (dyn Error + 'static)) -> &'e (dyn Error + 'static) {
    while let Some(source) = error.source() {
        error = source;
    }
    error
}

/// The wait that a server asks for in `Retry-After`, at most an hour. A date there is compared with
/// the server's own clock in `Date`.
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
    Some(wait.min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use reqwest::header::{DATE, HeaderMap, HeaderValue, RETRY_AFTER};

    use super::retry_after;

    #[test]
    fn retry_after_holds_seconds_or_a_date_by_the_servers_clock() {
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
