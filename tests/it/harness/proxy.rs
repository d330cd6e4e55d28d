//! A TCP proxy that a test can cut and restore, to simulate the outage of a server.

use std::net::SocketAddr;
use std::sync::Arc;

use secrecy::ExposeSecret;
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
    loop {
        let now = *wire.borrow_and_update();
        match now {
            Wire::Cut => return,
            Wire::Silent => {
                if wire.changed().await.is_err() {
                    return;
                }
            }
            Wire::Whole => tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut client, &mut server) => return,
                _ = wire.changed() => {}
            },
        }
    }
}
