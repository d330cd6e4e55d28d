//! A listening address of a node or the signer, with its faults and its log of requests.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, Response, StatusCode, header};
use axum::response::IntoResponse;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::connection::{Connection, CuttableListener};
use super::faults::{Answer, Fault, Faults};
use super::lock;
use super::requests::{Request, Requests};
use super::tasks::Tasks;

/// A listener of the sandbox. It keeps its address when stopped and started again.
#[derive(Debug)]
pub struct Endpoint {
    address: SocketAddr,
    /// The faults it simulates.
    pub faults: Faults,
    /// The requests it received.
    pub requests: Requests,
    router: OnceLock<Router>,
    /// Closes all open connections when cancelled. Then a new token replaces it.
    connections: Mutex<CancellationToken>,
    /// Stops accepting connections when cancelled; `None` while stopped.
    accepting: Mutex<Option<CancellationToken>>,
    tasks: Tasks,
}

impl Endpoint {
    /// Binds an address. Port 0 means any free port.
    pub(super) async fn bind(
        address: SocketAddr,
        tasks: &Tasks,
    ) -> io::Result<(Arc<Self>, TcpListener)> {
        let listener = TcpListener::bind(address).await?;
        let endpoint = Self {
            address: listener.local_addr()?,
            faults: Faults::default(),
            requests: Requests::default(),
            router: OnceLock::new(),
            connections: Mutex::default(),
            accepting: Mutex::default(),
            tasks: tasks.clone(),
        };
        Ok((Arc::new(endpoint), listener))
    }

    /// The address as `http://127.0.0.1:12345`, without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Starts to answer with `router`.
    pub(super) fn serve(self: &Arc<Self>, listener: TcpListener, router: Router) {
        let router = self.router.get_or_init(|| router).clone();
        let stop = CancellationToken::new();
        *lock(&self.accepting) = Some(stop.clone());
        let endpoint = Arc::clone(self);
        let listener = CuttableListener {
            inner: listener,
            all: Arc::new(move || lock(&endpoint.connections).clone()),
        };
        let service = router.into_make_service_with_connect_info::<Connection>();
        let server = async move { axum::serve(listener, service).await };
        self.tasks.spawn(async move {
            stop.run_until_cancelled(server).await;
        });
    }

    /// Closes all connections and refuses new ones, like a machine that is down.
    pub fn stop(&self) {
        if let Some(accepting) = lock(&self.accepting).take() {
            accepting.cancel();
        }
        self.cut_all();
    }

    /// Listens again after [`Endpoint::stop`], on the same address.
    ///
    /// # Errors
    /// If another program has taken the address.
    pub async fn start(self: &Arc<Self>) -> io::Result<()> {
        let Some(router) = self.router.get().cloned() else {
            return Ok(());
        };
        if lock(&self.accepting).is_none() {
            let listener = self.bind_again().await?;
            self.serve(listener, router);
        }
        Ok(())
    }

    /// Retries for a moment, since the task that accepted connections may still hold the address.
    async fn bind_again(&self) -> io::Result<TcpListener> {
        for _ in 0..100 {
            match TcpListener::bind(self.address).await {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                }
                done => return done,
            }
        }
        TcpListener::bind(self.address).await
    }

    /// Closes all open connections, also those with requests in flight.
    pub fn cut_all(&self) {
        let old = std::mem::take(&mut *lock(&self.connections));
        old.cancel();
    }

    /// Logs a request and answers it by its fault, or by `work` if it has none.
    pub(super) async fn answer(
        self: &Arc<Self>,
        connection: &Connection,
        request: Request,
        work: impl FnOnce(Mode) -> Reply + Send + 'static,
    ) -> Response<Body> {
        let _busy = connection.busy();
        let fault = self.faults.take(&request.method, request.voter.as_ref());
        let _in_flight = self.requests.arrive(request);
        let mode = match fault {
            Some(Fault::FailedToLoad) => Mode::FailedToLoad,
            Some(Fault::Swallowed) => Mode::Swallowed,
            _ => Mode::Normal,
        };
        let right = match fault {
            Some(Fault::Answer(_) | Fault::Hang | Fault::Cut | Fault::Crash) => None,
            Some(Fault::Delay(wait) | Fault::LandsLate(wait)) => {
                // A task of its own goes on after the client has given up, like the real server.
                let late = self.tasks.spawn(async move {
                    tokio::time::sleep(wait).await;
                    work(mode)
                });
                late.await.ok().flatten()
            }
            _ => Some(work(mode)),
        };
        let reply = match fault {
            Some(Fault::Answer(answer) | Fault::DoneThenAnswer(answer)) => Reply::Answer(answer),
            Some(Fault::Hang | Fault::DoneThenHang | Fault::LandsLate(_)) => pending().await,
            Some(Fault::Cut | Fault::DoneThenCut) => Reply::Cut,
            Some(Fault::Crash) => Reply::Crash,
            _ => right.unwrap_or(Reply::Cut),
        };
        self.deliver(connection, reply).await
    }

    /// Sends the reply or cuts the connection.
    pub(super) async fn deliver(&self, connection: &Connection, reply: Reply) -> Response<Body> {
        match reply {
            Reply::Answer(answer) => http(answer),
            Reply::Cut => {
                connection.cut();
                pending().await
            }
            Reply::Crash => {
                self.cut_all();
                pending().await
            }
        }
    }
}

/// How a request is processed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Normal,
    /// The signer cannot load accounts from its node.
    FailedToLoad,
    /// The signer accepts the vote but does not submit it.
    Swallowed,
}

/// The reaction to a request.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reply {
    Answer(Answer),
    /// The connection is cut.
    Cut,
    /// The process dies, which cuts all connections.
    Crash,
}

impl Reply {
    pub fn json(status: u16, body: impl ToString) -> Self {
        Self::Answer(Answer::json(status, body))
    }
}

fn http(answer: Answer) -> Response<Body> {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content_type = [(header::CONTENT_TYPE, answer.content_type)];
    let retry_after = answer.retry_after;
    let retry_after = retry_after.map(|seconds| [(header::RETRY_AFTER, seconds.to_string())]);
    let location = answer
        .location
        .map(|location| [(header::LOCATION, location)]);
    let headers = (FOR_ALL_ORIGINS, content_type, retry_after, location);
    (status, headers, answer.body).into_response()
}

/// Web pages of any origin may read the answers, as those of the real servers.
const FOR_ALL_ORIGINS: [(HeaderName, &str); 1] = [(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*")];

/// The answer to a browser that asks what a web page may send. It may send all headers that it asks for.
pub(super) fn preflight(headers: &HeaderMap) -> Response<Body> {
    let wanted = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS);
    let wanted = wanted.map(|wanted| [(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone())]);
    let methods = "GET,HEAD,PUT,PATCH,POST,DELETE";
    let others = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
        (header::VARY, "Access-Control-Request-Headers"),
        (header::CONTENT_LENGTH, "0"),
    ];
    (StatusCode::NO_CONTENT, FOR_ALL_ORIGINS, others, wanted, ()).into_response()
}
