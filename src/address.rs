//! Addresses of servers: how messages name them, and whether they lead to another machine.

use std::net::IpAddr;

use url::Url;

/// The host, with the port where that is not the scheme's own. Messages name a server this way, because the rest of
/// its address can hold secrets: a user, a password, a key in the path or in the query.
pub fn name(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// Whether the address has a user or a password.
pub fn has_userinfo(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// Whether `host`, as an address writes it, is this machine, so that nobody can listen on the way.
pub fn is_loopback(host: &str) -> bool {
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    if name == "localhost" || name.ends_with(".localhost") {
        return true;
    }
    let number = name.trim_start_matches('[').trim_end_matches(']');
    match number.parse::<IpAddr>() {
        Ok(address) => {
            let address = address.to_canonical();
            // A connection to 0.0.0.0 stays on this machine too.
            address.is_loopback() || address.is_unspecified()
        }
        Err(_) => false,
    }
}

/// Whether the address has this machine as its host.
pub fn is_local(url: &Url) -> bool {
    url.host_str().is_some_and(is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_by_its_host_and_by_a_port_that_is_not_the_schemes_own() {
        for (address, called) in [
            ("https://api.hive.blog", "api.hive.blog"),
            ("https://api.hive.blog:443/", "api.hive.blog"),
            ("http://api.hive.blog:443/", "api.hive.blog:443"),
            ("http://node.example:80/rpc/SECRET", "node.example"),
            (
                "https://me:SECRET@node.example:8443/rpc/SECRET?key=SECRET#SECRET",
                "node.example:8443",
            ),
            (
                "https://SECRET@[2001:db8::1]:444/SECRET",
                "[2001:db8::1]:444",
            ),
            ("https://[2001:db8::1]/", "[2001:db8::1]"),
        ] {
            assert_eq!(name(&Url::parse(address).unwrap()), called);
        }
    }

    #[test]
    fn loopback_is_known_by_name_and_by_number() {
        for host in [
            "localhost",
            "LOCALHOST",
            "localhost.",
            "node.localhost",
            "127.0.0.1",
            "127.8.9.10",
            "[::1]",
            "::1",
            "[::ffff:127.0.0.1]",
            "0.0.0.0",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "",
            "localhost.example.org",
            "notlocalhost",
            "127.0.0.1.example.org",
            "10.0.0.1",
            "192.168.0.1",
            "[2001:db8::1]",
            "db",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
