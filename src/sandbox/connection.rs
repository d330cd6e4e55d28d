//! Connections that can be cut at any moment, and that close when they idle, as the real signer's do.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, Sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

/// Connections without a request close after this long.
const IDLE: Duration = Duration::from_secs(5);

/// One connection, as a request handler knows it.
#[derive(Debug, Clone)]
pub(super) struct Line {
    cut: CancellationToken,
    requests: Arc<AtomicUsize>,
}

impl Line {
    /// Closes the connection, whatever is on it.
    pub fn cut(&self) {
        self.cut.cancel();
    }

    /// Keeps the connection from counting as idle.
    pub fn busy(&self) -> Busy {
        self.requests.fetch_add(1, Ordering::Relaxed);
        Busy(Arc::clone(&self.requests))
    }
}

/// A request on a connection.
pub(super) struct Busy(Arc<AtomicUsize>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Accepts connections that end when `all` is cancelled.
pub(super) struct CuttableListener {
    pub inner: TcpListener,
    /// Asked for each new connection, since it is replaced when all open ones were cut.
    pub all: Arc<dyn Fn() -> CancellationToken + Send + Sync>,
}

impl Listener for CuttableListener {
    type Io = CuttableStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (inner, address) = Listener::accept(&mut self.inner).await;
        // A sandbox without it would be 40 ms slow for nothing; failing to set it is harmless.
        let _ = inner.set_nodelay(true);
        let line = Line {
            cut: (self.all)().child_token(),
            requests: Arc::new(AtomicUsize::new(0)),
        };
        let stream = CuttableStream {
            inner,
            cut: Box::pin(line.cut.clone().cancelled_owned()),
            idle: Box::pin(tokio::time::sleep(IDLE)),
            last_use: Instant::now(),
            line,
        };
        (stream, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

impl Connected<IncomingStream<'_, CuttableListener>> for Line {
    fn connect_info(stream: IncomingStream<'_, CuttableListener>) -> Self {
        stream.io().line.clone()
    }
}

/// A connection.
pub(super) struct CuttableStream {
    inner: TcpStream,
    line: Line,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    idle: Pin<Box<Sleep>>,
    last_use: Instant,
}

impl CuttableStream {
    fn is_idle(&mut self, context: &mut Context<'_>) -> bool {
        while self.idle.as_mut().poll(context).is_ready() {
            let unused = self.last_use.elapsed();
            if unused >= IDLE && self.line.requests.load(Ordering::Relaxed) == 0 {
                return true;
            }
            let wait = IDLE.saturating_sub(unused).max(Duration::from_millis(50));
            self.idle.as_mut().reset(Instant::now() + wait);
        }
        false
    }
}

impl AsyncRead for CuttableStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.cut.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let read = Pin::new(&mut self.inner).poll_read(context, buffer);
        if read.is_ready() {
            self.last_use = Instant::now();
            return read;
        }
        match self.is_idle(context) {
            // The end of the stream, as if the other side had closed it.
            true => Poll::Ready(Ok(())),
            false => Poll::Pending,
        }
    }
}

impl AsyncWrite for CuttableStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.line.cut.is_cancelled() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        self.last_use = Instant::now();
        Pin::new(&mut self.inner).poll_write(context, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
