//! One listening address with its faults and its log: a node or the signer.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::faults::{Answer, Fault, Faults};
use super::line::{CuttableListener, Line};
use super::lock;
use super::requests::{Request, Requests};
use super::tasks::Tasks;

/// A listener of the sandbox. Stopped and started again it keeps its address.
#[derive(Debug)]
pub struct Endpoint {
    address: SocketAddr,
    /// Switch trouble on and off here.
    pub faults: Faults,
    /// What was asked.
    pub requests: Requests,
    router: OnceLock<Router>,
    /// Ends every open connection when cancelled; replaced then.
    connections: Mutex<CancellationToken>,
    /// Ends the accepting of new ones; `None` while stopped.
    accepting: Mutex<Option<CancellationToken>>,
    tasks: Tasks,
}

impl Endpoint {
    /// Binds an address: port 0 takes any free one.
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

    /// `http://127.0.0.1:12345`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers with `router` from now on.
    pub(super) fn serve(self: &Arc<Self>, listener: TcpListener, router: Router) {
        let router = self.router.get_or_init(|| router).clone();
        let stop = CancellationToken::new();
        *lock(&self.accepting) = Some(stop.clone());
        let endpoint = Arc::clone(self);
        let listener = CuttableListener {
            inner: listener,
            all: Arc::new(move || lock(&endpoint.connections).clone()),
        };
        let service = router.into_make_service_with_connect_info::<Line>();
        let server = async move { axum::serve(listener, service).await };
        self.tasks.spawn(async move {
            stop.run_until_cancelled(server).await;
        });
    }

    /// Refuses connections from now on and cuts the open ones, as a machine that is down.
    pub fn stop(&self) {
        if let Some(accepting) = lock(&self.accepting).take() {
            accepting.cancel();
        }
        self.cut_all();
    }

    /// Listens again after [`Endpoint::stop`], on the same address.
    ///
    /// # Errors
    /// The address was taken by somebody else meanwhile.
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

    /// The task that accepted may need a moment to let go of the address.
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

    /// Cuts every open connection, whatever is on it.
    pub fn cut_all(&self) {
        let old = std::mem::take(&mut *lock(&self.connections));
        old.cancel();
    }

    /// Notes a request, lets the fault strike that is switched on for it, else does the `work`.
    pub(super) async fn answer(
        self: &Arc<Self>,
        line: &Line,
        request: Request,
        work: impl FnOnce(Mode) -> Reply + Send + 'static,
    ) -> Response<Body> {
        let _busy = line.busy();
        let fault = self.faults.strike(&request.method, request.voter.as_ref());
        let _in_flight = self.requests.arrive(request);
        let reply = match fault {
            None => work(Mode::Normal),
            Some(Fault::FailedToLoad) => work(Mode::FailedToLoad),
            Some(Fault::Swallowed) => work(Mode::Swallowed),
            Some(Fault::Answer(answer)) => Reply::Answer(answer),
            Some(Fault::DoneThenAnswer(answer)) => {
                work(Mode::Normal);
                Reply::Answer(answer)
            }
            Some(Fault::Delay(wait)) => {
                // Goes on when the client has given up, as the real server does.
                let late = self.tasks.spawn(async move {
                    tokio::time::sleep(wait).await;
                    work(Mode::Normal)
                });
                late.await.ok().flatten().unwrap_or(Reply::Cut)
            }
            Some(Fault::Hang) => pending().await,
            Some(Fault::DoneThenHang) => {
                work(Mode::Normal);
                pending().await
            }
            Some(Fault::LandsLate(wait)) => {
                self.tasks.spawn(async move {
                    tokio::time::sleep(wait).await;
                    work(Mode::Normal);
                });
                pending().await
            }
            Some(Fault::Cut) => Reply::Cut,
            Some(Fault::DoneThenCut) => {
                work(Mode::Normal);
                Reply::Cut
            }
            Some(Fault::Crash) => Reply::Crash,
        };
        self.deliver(line, reply).await
    }

    /// Sends the reply, or cuts the connection instead.
    pub(super) async fn deliver(&self, line: &Line, reply: Reply) -> Response<Body> {
        match reply {
            Reply::Answer(answer) => http(answer),
            Reply::Cut => {
                line.cut();
                pending().await
            }
            Reply::Crash => {
                self.cut_all();
                pending().await
            }
        }
    }
}

/// How a request is worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Normal,
    /// The signer's node does not tell it of accounts.
    FailedToLoad,
    /// Accepted, and never handed on.
    Swallowed,
}

/// What comes of a request.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reply {
    Answer(Answer),
    Cut,
    /// The process died and takes all connections with it.
    Crash,
}

impl Reply {
    pub fn json(status: u16, body: impl ToString) -> Self {
        Self::Answer(Answer::json(status, body))
    }
}

fn http(answer: Answer) -> Response<Body> {
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(answer.content_type),
    );
    if let Some(seconds) = answer.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
