//! The address of a MySQL or MariaDB database: what is wrong with it, and how its connection is protected.

use std::str::FromStr;

use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use url::Url;

use crate::address;

/// How to write an address whose user or password holds characters with a meaning of their own.
const ENCODE: &str = "write \"mysql://user:password@host/name\", and in user and password `@` as %40, `/` as %2F, `#` \
     as %23, `?` as %3F and `%` as %25";

/// How to write an address.
const WRITE: &str = "write \"mysql://user:password@host/name\"";

/// The port where the address has none.
const PORT: u16 = 3306;

/// The parameters that have an effect.
const PARAMETERS: [&str; 14] = [
    "ssl-mode",
    "sslmode",
    "ssl-ca",
    "sslca",
    "ssl-cert",
    "sslcert",
    "ssl-key",
    "sslkey",
    "socket",
    "charset",
    "collation",
    "timezone",
    "time-zone",
    "statement-cache-capacity",
];

/// Why an address cannot be used, and what to write. Quotes nothing of it, because it can hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the address {what}: {help}")]
pub struct Mistake {
    /// `names no host`: completes a sentence that starts with the address.
    pub what: &'static str,
    /// What to write instead.
    pub help: &'static str,
}

/// How far the connection is protected from whoever is on the way, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// `VERIFY_IDENTITY`: the server has a certificate for its name.
    Verified,
    /// `VERIFY_CA`: it has a certificate for some name.
    AnyName,
    /// `REQUIRED`: it has any certificate.
    AnyCertificate,
    /// `PREFERRED`: encrypted if the server says that it can.
    IfOffered,
    /// `DISABLED`.
    Off,
}

const MODES: [(&str, Tls, MySqlSslMode); 5] = [
    (
        "verify_identity",
        Tls::Verified,
        MySqlSslMode::VerifyIdentity,
    ),
    ("verify_ca", Tls::AnyName, MySqlSslMode::VerifyCa),
    ("required", Tls::AnyCertificate, MySqlSslMode::Required),
    ("preferred", Tls::IfOffered, MySqlSslMode::Preferred),
    ("disabled", Tls::Off, MySqlSslMode::Disabled),
];

/// An address that can be used.
pub struct DatabaseUrl {
    url: Url,
    options: MySqlConnectOptions,
    tls: Tls,
}

impl DatabaseUrl {
    /// Takes the address apart. TLS with a verified certificate is the default unless the server is on this machine.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        let mistake = |what, help| Mistake { what, help };
        if hosts(text).contains(',') {
            let help = "write one host, or the address of a proxy before them";
            return Err(mistake("names several hosts", help));
        }
        let url = Url::parse(text)
            .map_err(|_| mistake("cannot be read as the address of a database", ENCODE))?;
        if !matches!(url.scheme(), "mysql" | "mariadb") {
            let help = "write \"sqlite://curatord.db\", or \"mysql://user:password@host/name\"";
            return Err(mistake(
                "must begin with sqlite://, mysql:// or mariadb://",
                help,
            ));
        }
        if is_cut_off(&url) {
            let what = "ends its host too early: a character of the user or the password has a meaning of its own";
            return Err(mistake(what, ENCODE));
        }
        let Some(host) = url.host_str().filter(|host| !host.is_empty()) else {
            return Err(mistake("names no host", WRITE));
        };
        if url.path().trim_matches('/').is_empty() {
            return Err(mistake("names no database: it ends with /name", WRITE));
        }
        let is_local = address::is_loopback(host) || parameter(&url, &["socket"]).is_some();
        let (tls, mode) = match parameter(&url, &["ssl-mode", "sslmode"]) {
            None if is_local => (Tls::IfOffered, MySqlSslMode::Preferred),
            None => (Tls::Verified, MySqlSslMode::VerifyIdentity),
            Some(mode) => {
                let known = MODES
                    .iter()
                    .find(|(name, ..)| mode.eq_ignore_ascii_case(name));
                let (_, tls, mode) = known.ok_or(mistake(
                    "has an unknown ssl-mode",
                    "write VERIFY_IDENTITY, VERIFY_CA, REQUIRED, PREFERRED or DISABLED",
                ))?;
                (*tls, *mode)
            }
        };
        let options = MySqlConnectOptions::from_str(text)
            .map_err(|_| mistake("cannot be read as the address of a database", ENCODE))?
            .host(host.trim_start_matches('[').trim_end_matches(']'))
            .ssl_mode(mode);
        Ok(Self { url, options, tls })
    }

    /// For the driver.
    pub fn options(&self) -> MySqlConnectOptions {
        self.options.clone()
    }

    /// The host with its port, or the socket: names the server in messages.
    pub fn place(&self) -> String {
        match parameter(&self.url, &["socket"]) {
            Some(socket) => socket,
            None => format!(
                "{}:{}",
                self.url.host_str().unwrap_or_default(),
                self.url.port().unwrap_or(PORT)
            ),
        }
    }

    /// How far the connection is protected.
    pub fn tls(&self) -> Tls {
        self.tls
    }

    /// Whether a password stands in the address.
    pub fn has_password(&self) -> bool {
        self.url
            .password()
            .is_some_and(|password| !password.is_empty())
    }

    /// The files that the address names for TLS, each with its parameter.
    pub fn tls_files(&self) -> Vec<(&'static str, String)> {
        let files = [
            ("ssl-ca", parameter(&self.url, &["ssl-ca", "sslca"])),
            ("ssl-cert", parameter(&self.url, &["ssl-cert", "sslcert"])),
            ("ssl-key", parameter(&self.url, &["ssl-key", "sslkey"])),
        ];
        let files = files.into_iter();
        let files = files.filter_map(|(name, value)| Some((name, value?)));
        // The certificates themselves may stand there.
        files
            .filter(|(_, value)| !value.trim_start().starts_with("-----BEGIN"))
            .collect()
    }

    /// What weakens the protection of the connection, and what to write instead. Names no host, since what stands in
    /// its place may be the end of a password.
    pub fn doubts(&self) -> Vec<(&'static str, String)> {
        let mut doubts = Vec::new();
        let is_local = self.url.host_str().is_some_and(address::is_loopback)
            || parameter(&self.url, &["socket"]).is_some();
        if !is_local && let Some(weakness) = self.tls.weakness() {
            let help = "write `ssl-mode=VERIFY_IDENTITY` in the address, and `ssl-ca=FILE` if an authority of your own \
                        signed the server's certificate";
            doubts.push((weakness, help.to_owned()));
        }
        let names = self.url.query_pairs();
        let unknown = names
            .map(|(name, _)| name)
            .find(|name| !PARAMETERS.contains(&&**name));
        if unknown.is_some() {
            let help = format!(
                "use ssl-mode, ssl-ca, ssl-cert, ssl-key, socket, charset or collation, as in {}",
                "`?ssl-mode=VERIFY_IDENTITY`"
            );
            doubts.push(("an unknown parameter of the address is ignored", help));
        }
        doubts
    }
}

/// What stands between user and path in an address.
fn hosts(url: &str) -> &str {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default()
}

impl Tls {
    /// What is missing; `None` where nothing is.
    fn weakness(self) -> Option<&'static str> {
        Some(match self {
            Self::Verified => return None,
            Self::AnyName => {
                "the certificate of the database may be one for another name: whoever has one can read the password \
                 and the tokens"
            }
            Self::AnyCertificate => {
                "the certificate of the database is not checked: whoever is on the way can read the password and the \
                 tokens"
            }
            Self::IfOffered => {
                "the connection to the database is encrypted only if the server offers it: whoever is on the way can \
                 read the password and the tokens"
            }
            Self::Off => {
                "the connection to the database is not encrypted: whoever is on the way can read the password and the \
                 tokens"
            }
        })
    }
}

/// Whether an `@` stands behind the place where the host ended: then the host is a piece of the user or the password.
fn is_cut_off(url: &Url) -> bool {
    let known = |name: &str| PARAMETERS.contains(&name);
    let mut query = url.query_pairs();
    url.fragment().is_some()
        || url.path().contains('@')
        || query.any(|(name, value)| !known(&name) && (name.contains('@') || value.contains('@')))
}

/// The last value of a parameter, by any of its names.
fn parameter(url: &Url, names: &[&str]) -> Option<String> {
    let found = url
        .query_pairs()
        .filter(|(name, _)| names.contains(&&**name));
    found.last().map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls(address: &str) -> Tls {
        DatabaseUrl::parse(address)
            .unwrap_or_else(|mistake| panic!("{address}: {mistake}"))
            .tls()
    }

    fn doubts(address: &str) -> Vec<&'static str> {
        let url = DatabaseUrl::parse(address).ok().unwrap();
        url.doubts().into_iter().map(|(what, _)| what).collect()
    }

    #[test]
    fn another_machine_must_show_a_certificate_for_its_name() {
        for address in [
            "mysql://u:p@db.example.org/votes",
            "mariadb://u:p@10.0.0.7:3307/votes",
            "mysql://u:p@[2001:db8::1]/votes",
            "mysql://u:p@db/votes?charset=utf8mb4",
            "mysql://u:p@localhost.example.org/votes",
        ] {
            assert_eq!(tls(address), Tls::Verified, "{address}");
            assert_eq!(doubts(address), [""; 0], "{address}");
        }
    }

    #[test]
    fn this_machine_need_not() {
        for address in [
            "mysql://u:p@localhost/votes",
            "mysql://u:p@127.0.0.1:3307/votes",
            "mysql://u:p@[::1]/votes",
            "mysql://u:p@db.example.org/votes?socket=/run/mysqld/mysqld.sock",
        ] {
            assert_eq!(tls(address), Tls::IfOffered, "{address}");
            assert_eq!(doubts(address), [""; 0], "{address}");
        }
    }

    #[test]
    fn less_must_be_written_and_is_doubtful() {
        for (mode, means) in [
            ("ssl-mode=DISABLED", Tls::Off),
            ("sslmode=disabled", Tls::Off),
            ("ssl-mode=PREFERRED", Tls::IfOffered),
            ("ssl-mode=REQUIRED", Tls::AnyCertificate),
            ("ssl-mode=VERIFY_CA&ssl-ca=/ca.pem", Tls::AnyName),
            ("ssl-mode=VERIFY_IDENTITY&ssl-mode=DISABLED", Tls::Off),
        ] {
            let address = format!("mysql://u:p@db.example.org/votes?{mode}");
            assert_eq!(tls(&address), means, "{mode}");
            assert_eq!(doubts(&address).len(), 1, "{mode}");
            let address = format!("mysql://u:p@127.0.0.1/votes?{mode}");
            assert_eq!(tls(&address), means, "{mode}");
            assert_eq!(doubts(&address), [""; 0], "{mode}");
        }
        let strict = "mysql://u:p@db.example.org/votes?ssl-mode=verify_identity&ssl-ca=/ca.pem";
        assert_eq!(doubts(strict), [""; 0]);
    }

    #[test]
    fn the_driver_is_told_the_same() {
        for (address, mode) in [
            ("mysql://u:p@db.example.org/votes", "VerifyIdentity"),
            ("mysql://u:p@127.0.0.1/votes", "Preferred"),
            (
                "mysql://u:p@db.example.org/votes?ssl-mode=REQUIRED",
                "Required",
            ),
        ] {
            let options = DatabaseUrl::parse(address).ok().unwrap().options();
            assert_eq!(format!("{:?}", options.get_ssl_mode()), mode, "{address}");
        }
        let six = DatabaseUrl::parse("mysql://u:p@[::1]:3307/votes")
            .ok()
            .unwrap();
        assert_eq!(six.options().get_host(), "::1");
    }

    #[test]
    fn a_parameter_without_effect_is_doubtful() {
        for parameter in [
            "sslMode=VERIFY_IDENTITY",
            "useSSL=true",
            "ssl_ca=/ca.pem",
            "tls",
        ] {
            let address = format!("mysql://u:p@db.example.org/votes?{parameter}");
            let found = doubts(&address);
            assert_eq!(found, ["an unknown parameter of the address is ignored"]);
        }
    }

    #[test]
    fn characters_of_a_password_that_end_the_host_are_told_of() {
        for password in [
            "p@ss/w#rd",
            "p/w",
            "p#w",
            "p?w",
            "12/w",
            "12#w",
            "12?w",
            "p@s?s",
            "p@s?s=x",
            "p@s/s?x",
            "a@b#c",
            "#",
            "/",
            "?",
            "@/",
            "x@y/z",
            "100%ab",
        ] {
            let address = format!("mysql://user:{password}@db.example.org/votes");
            let Err(mistake) = DatabaseUrl::parse(&address) else {
                panic!("{password} is taken");
            };
            assert_eq!(mistake.help, ENCODE, "{password}: {mistake}");
        }
        for encoded in [
            "p%40ss%2Fw%23rd",
            "100%25ab",
            "p@ss",
            "p:ss",
            "p%3Fw",
            "50%",
        ] {
            let address = format!("mysql://user:{encoded}@db.example.org/votes");
            let url = DatabaseUrl::parse(&address).ok().unwrap();
            assert_eq!(url.place(), "db.example.org:3306", "{encoded}");
            assert!(url.has_password());
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        for (address, what) in [
            ("mysql:///votes", "names no host"),
            ("mysql://u:p@db", "names no database: it ends with /name"),
            ("mysql://u:p@db/", "names no database: it ends with /name"),
            ("mysql://db1,db2/votes", "names several hosts"),
            ("mysql://db/votes?ssl-mode=on", "has an unknown ssl-mode"),
            (
                "postgres://db/votes",
                "must begin with sqlite://, mysql:// or mariadb://",
            ),
            ("nonsense", "cannot be read as the address of a database"),
        ] {
            let mistake = DatabaseUrl::parse(address).err().unwrap();
            assert_eq!(mistake.what, what, "{address}");
        }
    }

    #[test]
    fn a_server_is_named_without_user_and_password() {
        for (address, place) in [
            ("mysql://u:hush@db.example.org/votes", "db.example.org:3306"),
            ("mysql://u:hush@127.0.0.1:3307/votes", "127.0.0.1:3307"),
            ("mysql://u:hush@[::1]/votes", "[::1]:3306"),
            (
                "mysql://u:hush@localhost/votes?socket=/run/db.sock",
                "/run/db.sock",
            ),
        ] {
            assert_eq!(DatabaseUrl::parse(address).ok().unwrap().place(), place);
        }
    }
}
