//! A TCP proxy that a test can cut and restore, to simulate the outage of a server.

use std::net::SocketAddr;
use std::sync::Arc;

use secrecy::ExposeSecret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

use super::Database;

/// How the proxy treats the connections of its clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// Bytes pass both ways.
    Whole,
    /// Connections are closed, and new ones are closed at once.
    Cut,
    /// Connections stay open, but no bytes pass, as if the server hung.
    Silent,
    /// A statement that begins with this text is answered with this error and does not reach the server.
    Refuses(&'static str, u16),
    /// Commits are carried out, but the connection is closed before their answer.
    LosesCommits,
}

/// A proxy on a loopback port, until it is dropped.
pub struct Proxy {
    wire: Arc<watch::Sender<Wire>>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// In front of the server of `database`; also the address of the database by this way.
    pub async fn before(database: &Database) -> (Self, Url) {
        let mut url = Url::parse(database.url.expose_secret()).unwrap();
        let server = url.socket_addrs(|| Some(3306)).unwrap()[0];
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        // The proxy reads statements.
        url.set_query(Some("ssl-mode=DISABLED"));
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(port)).unwrap();
        let wire = Arc::new(watch::Sender::new(Wire::Whole));
        let mut tasks = JoinSet::new();
        let changes = Arc::clone(&wire);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                connections.spawn(forward(client, server, changes.subscribe()));
            }
        });
        let proxy = Self {
            wire,
            _tasks: tasks,
        };
        (proxy, url)
    }

    pub fn set(&self, wire: Wire) {
        self.wire.send_replace(wire);
    }
}

/// Forwards one connection until it ends or is cut.
async fn forward(mut client: TcpStream, server: SocketAddr, mut wire: watch::Receiver<Wire>) {
    let Ok(mut server) = TcpStream::connect(server).await else {
        return;
    };
    let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        let now = *wire.borrow_and_update();
        match now {
            Wire::Cut => return,
            Wire::Silent => {
                if wire.changed().await.is_err() {
                    return;
                }
                continue;
            }
            Wire::Whole | Wire::Refuses(..) | Wire::LosesCommits => {}
        }
        let passed = tokio::select! {
            read = client.read(&mut asked) => match read {
                Ok(length) if length > 0 => {
                    let asked = &asked[..length];
                    match now {
                        Wire::Refuses(text, number) if states(asked, text) => {
                            client.write_all(&error(number)).await
                        }
                        Wire::LosesCommits if states(asked, "COMMIT") => {
                            let _ = server.write_all(asked).await;
                            let _ = server.read(&mut answered).await;
                            return;
                        }
                        _ => server.write_all(asked).await,
                    }
                }
                _ => return,
            },
            read = server.read(&mut answered) => match read {
                Ok(length) if length > 0 => client.write_all(&answered[..length]).await,
                _ => return,
            },
            _ = wire.changed() => Ok(()),
        };
        if passed.is_err() {
            return;
        }
    }
}

/// Whether a packet runs or prepares a statement that begins with this text. The client sends one at a time.
fn states(packet: &[u8], text: &str) -> bool {
    const QUERY: u8 = 3;
    const PREPARE: u8 = 22;
    matches!(packet.get(4), Some(&(QUERY | PREPARE))) && packet[5..].starts_with(text.as_bytes())
}

/// The server's answer that a statement failed.
fn error(number: u16) -> Vec<u8> {
    let [low, high] = number.to_le_bytes();
    let text = b"#HY000the proxy says no";
    let length = 3 + text.len() as u8;
    [&[length, 0, 0, 1, 0xff, low, high][..], &text[..]].concat()
}
