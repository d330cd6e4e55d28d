//! The keys of each section and their defaults.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use chrono_tz::Tz;
use secrecy::SecretString;
use toml::de::DeValue;
use url::Url;

use crate::address;
use crate::config::layers::Section;
use crate::config::{Casting, Database, Http, Network, Signer, Start, Tokens};
use crate::database_url::{DatabaseUrl, Mistake};
use crate::diagnostic::Finding;
use crate::diagnostic::report::Reported;
use crate::network::{ChainKind, Follow};
use crate::toml_reader::item::{Item, Wanted, quoted};
use crate::toml_reader::{duration, timezone};

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

type Reading<T> = Result<T, Reported>;

fn duration(range: RangeInclusive<Duration>) -> impl FnOnce(&Item<'_>) -> Reading<Duration> {
    move |item| duration::read(item, range)
}

/// `[database]`.
pub(super) fn database(mut section: Section<'_, '_>) -> Reading<Database> {
    let url = database_url(&mut section);
    let timezone = section.find("timezone", timezone::read);
    section.refuse_the_rest();
    Ok(Database {
        url: url?,
        timezone: timezone?.unwrap_or(Tz::UTC),
    })
}

const DATABASE_URL: Wanted = Wanted {
    what: "the address of a database",
    example: "\"sqlite://curatord.db\"",
};

/// The checked address, with the path of an SQLite file resolved against the folder of the configuration.
fn database_url(section: &mut Section<'_, '_>) -> Reading<SecretString> {
    let given = section.secret(["url", "url_file"], DATABASE_URL, |url, item, folder| {
        check_database_url(url, item, folder).map_err(|mistake| {
            let message = format!("`{}` {}", item.key, mistake.what);
            item.refuse(message, mistake.help)
        })
    })?;
    Ok(given
        .unwrap_or_else(|| format!("sqlite://{}", beside(section.folder(), "curatord.db")).into()))
}

/// Checks the address, and warns of a connection that others can listen to. Messages never quote it, because it may
/// hold a password.
fn check_database_url(text: &str, item: &Item<'_>, folder: &Path) -> Result<String, Mistake> {
    let Some(rest) = text.strip_prefix("sqlite:") else {
        for (what, help) in DatabaseUrl::parse(text)?.doubts() {
            let finding = Finding::at(item.span.clone(), what).help(help);
            item.report.warning(finding);
        }
        return Ok(text.to_owned());
    };
    let mistake = |what| {
        Err(Mistake {
            what,
            help: "write \"sqlite://curatord.db\"",
        })
    };
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let (file, options) = rest
        .split_once('?')
        .map_or((rest, None), |(file, options)| (file, Some(options)));
    if file.is_empty() {
        return mistake("names no file");
    }
    if file == ":memory:" {
        return mistake("must name a file: an in-memory database is lost when the process ends");
    }
    let options = options
        .map(|options| format!("?{options}"))
        .unwrap_or_default();
    Ok(format!("sqlite://{}{options}", beside(folder, file)))
}

/// The path `file`, which is percent-encoded as in all addresses, relative to `folder`.
fn beside(folder: &Path, file: &str) -> String {
    if Path::new(file).is_absolute() {
        return file.to_owned();
    }
    let folder = folder
        .to_string_lossy()
        .replace('%', "%25")
        .replace('?', "%3F");
    Path::new(&folder).join(file).to_string_lossy().into_owned()
}

const KINDS: [(&str, ChainKind); 2] = [("hive", ChainKind::Hive), ("steem", ChainKind::Steem)];

const FOLLOW: [(&str, Follow); 2] = [
    ("head", Follow::Head),
    ("irreversible", Follow::Irreversible),
];

/// `[network]`, and separately its kind, which the defaults of other sections depend on.
pub(super) fn network(mut section: Section<'_, '_>) -> (ChainKind, Reading<Network>) {
    let kind = section.find("kind", |item| item.choice(&KINDS));
    let chain = kind.ok().flatten().unwrap_or(ChainKind::Hive);
    let nodes = section.find("nodes", nodes);
    let follow = section.find("follow", |item| item.choice(&FOLLOW));
    let vote_interval = section.find("vote_interval", duration(Duration::ZERO..=HOUR));
    let block_interval = section.find("block_interval", duration(10 * MILLISECOND..=MINUTE));
    let start = section.find("start", start);
    section.refuse_the_rest();
    let network = || {
        kind?;
        Ok(Network {
            kind: chain,
            nodes: nodes?.unwrap_or_else(|| chain.nodes()),
            follow: follow?.unwrap_or(Follow::Head),
            vote_interval: vote_interval?.unwrap_or(chain.vote_interval()),
            block_interval: block_interval?.unwrap_or(3 * SECOND),
            start: start?.unwrap_or(Start::Last),
        })
    };
    (chain, network())
}

fn nodes(item: &Item<'_>) -> Reading<Vec<String>> {
    const WANTED: Wanted = Wanted {
        what: "a list of addresses",
        example: "[\"https://api.hive.blog\"]",
    };
    item.each(WANTED, |member| {
        let (node, url) = web_address(&member, "https://api.hive.blog")?;
        if is_open(&url) {
            let message = "the connection to this node is not encrypted: whoever is on the way can show a false chain";
            let help = "write https:// instead of http://";
            let finding = Finding::at(member.span.clone(), message).help(help);
            member.report.warning(finding);
        }
        Ok(node)
    })
}

/// Whether what is sent to `url` goes to another machine for everybody on the way to read.
fn is_open(url: &Url) -> bool {
    url.scheme() == "http" && !address::is_local(url)
}

/// An address that begins with `https://` or `http://`, without its final slash, and its parts. `example` is shown in
/// errors.
fn web_address(item: &Item<'_>, example: &str) -> Reading<(String, Url)> {
    const WANTED: Wanted = Wanted {
        what: "an address",
        example: "\"https://…\"",
    };
    let text = item.text(WANTED)?;
    let message = match Url::parse(text) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            "the address must begin with https:// or http://"
        }
        Ok(url) if url.host_str().is_none_or(str::is_empty) => "the address names no host",
        Ok(url) => return Ok((text.trim_end_matches('/').to_owned(), url)),
        Err(_) => "this is not an address: it must begin with https:// or http://",
    };
    let help = match item.as_text {
        true => format!("write it as in {example}"),
        false => format!("write it as in {}", quoted(example)),
    };
    Err(item.refuse(message, help))
}

fn start(item: &Item<'_>) -> Reading<Start> {
    let is_number = match item.value {
        DeValue::Integer(_) => true,
        DeValue::String(text) => !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()),
        _ => false,
    };
    if is_number {
        return item.integer(1..=u32::MAX).map(Start::Block);
    }
    match item.value {
        DeValue::String(text) if text == "last" => Ok(Start::Last),
        DeValue::String(text) if text == "head" => Ok(Start::Head),
        _ => {
            let message = format!(
                "`{}` must be \"last\", \"head\" or the number of a block",
                item.key
            );
            Err(item.refuse(message, item.write("\"last\"")))
        }
    }
}

/// The address of a signer, without `/api`, which the client adds.
fn signer_url(item: &Item<'_>, example: &str) -> Reading<String> {
    let (text, url) = web_address(item, example)?;
    if address::has_userinfo(&url) {
        let message = "the address of the signer must hold no user and no password";
        let help = "remove what stands before the `@`: the signer knows your application by `client_id` and \
                    `client_secret`";
        return Err(item.refuse(message, help));
    }
    if is_open(&url) {
        let message = "the tokens would go to another machine without encryption";
        return Err(item.refuse(message, "write https:// instead of http://"));
    }
    if text.ends_with("/api") {
        let message = "this is the address of the signer's API: `/api` is added to it";
        return Err(item.refuse(message, "remove `/api` from its end"));
    }
    Ok(text)
}

/// `[signer]`, with the defaults for `chain`.
pub(super) fn signer(mut section: Section<'_, '_>, chain: ChainKind) -> Reading<Signer> {
    const CLIENT_ID: Wanted = Wanted {
        what: "the account of your application",
        example: "\"my.app\"",
    };
    const SECRET: Wanted = Wanted {
        what: "the secret of your application, a text in quotes",
        example: "\"…\"",
    };
    let url = section.find("url", |item| signer_url(item, chain.signer()));
    let client_id = section.find("client_id", |item| {
        let text = item.text(CLIENT_ID)?.trim();
        let of_account = |c: char| c.is_ascii_alphanumeric() || "@.-_".contains(c);
        if text.chars().all(of_account) {
            return Ok(text.to_owned());
        }
        let message = format!("`{}` is not the name of an account", item.key);
        let help = "write the account of your application, not its title, as in \"my.app\"";
        Err(item.refuse(message, help))
    });
    let client_secret = section.secret(
        ["client_secret", "client_secret_file"],
        SECRET,
        |secret, _, _| Ok(secret.to_owned()),
    );
    let max_in_flight = section.find("max_in_flight", |item| item.integer(1..=10_000));
    let requests_per_second = section.find("requests_per_second", |item| item.number(1e6));
    let timeout = section.find("timeout", duration(10 * MILLISECOND..=10 * MINUTE));
    section.refuse_the_rest();
    Ok(Signer {
        url: url?.unwrap_or_else(|| chain.signer().to_owned()),
        client_id: client_id?.unwrap_or_default(),
        client_secret: client_secret?.unwrap_or_else(|| "".into()),
        max_in_flight: max_in_flight?.unwrap_or(32) as usize,
        requests_per_second: requests_per_second?.unwrap_or(0.0),
        timeout: timeout?.unwrap_or(10 * SECOND),
    })
}

/// `[tokens]`.
pub(super) fn tokens(mut section: Section<'_, '_>) -> Reading<Tokens> {
    let refresh_ahead = section.find("refresh_ahead", duration(Duration::ZERO..=365 * DAY));
    section.refuse_the_rest();
    Ok(Tokens {
        refresh_ahead: refresh_ahead?.unwrap_or(2 * DAY + 8 * HOUR),
    })
}

/// `[casting]`.
pub(super) fn casting(mut section: Section<'_, '_>) -> Reading<Casting> {
    let retry_for = section.find("retry_for", duration(Duration::ZERO..=7 * DAY));
    let confirm_within = section.find("confirm_within", duration(10 * MILLISECOND..=7 * DAY));
    section.refuse_the_rest();
    Ok(Casting {
        retry_for: retry_for?.unwrap_or(10 * MINUTE),
        confirm_within: confirm_within?.unwrap_or(2 * MINUTE),
    })
}

/// `[http]`.
pub(super) fn http(mut section: Section<'_, '_>) -> Reading<Http> {
    let listen = section.find("listen", |item| {
        const WANTED: Wanted = Wanted {
            what: "an address with a port",
            example: "\"127.0.0.1:9393\"",
        };
        let text = item.text(WANTED)?;
        let host_and_port = |text: &str| {
            let (host, port) = text.rsplit_once(':')?;
            let is_name = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
            (!host.is_empty() && host.chars().all(is_name)).then_some(port.parse::<u16>().ok()?)
        };
        if text.is_empty() || text.parse::<SocketAddr>().is_ok() || host_and_port(text).is_some() {
            return Ok(text.to_owned());
        }
        let help = format!("{}, or \"\" to turn it off", item.write(WANTED.example));
        Err(item.refuse(
            format!("`{}` must be an address with a port", item.key),
            help,
        ))
    });
    section.refuse_the_rest();
    Ok(Http {
        listen: listen?.unwrap_or_else(|| "127.0.0.1:9393".to_owned()),
    })
}
