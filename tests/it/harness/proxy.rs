//! A TCP proxy that a test can cut and restore, to simulate the outage of a server.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

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
    address: SocketAddr,
    wire: Arc<watch::Sender<Wire>>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
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
        Self {
            address,
            wire,
            _tasks: tasks,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
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
