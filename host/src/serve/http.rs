//! What a service answers over HTTP: whether it lives, whether it is ready, its metrics, and the routes of a program
//! that embeds it.
//!
//! A client that sends no request in time is disconnected. When too many connections are open, the oldest one without a
//! request is closed, so that silent clients keep no health check waiting.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::AbortHandle,
    time,
};

use super::Health;
use crate::{
    error::{Error, Result},
    observe::Metrics,
};

/// How long a connection may take to send the head of a request, also the next one.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many connections may be open.
const OPEN: usize = 64;
/// How long to wait where the system has no room for another connection.
const FULL: Duration = Duration::from_millis(200);

/// An address that a service listens on.
pub struct Listener {
    listener: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Listens on an address such as `127.0.0.1:9464`; port 0 takes one that is free.
    ///
    /// *Errors*: it is no address, or another process listens there.
    pub async fn open(address: &str) -> Result<Self> {
        let failed = |error| {
            Error::usage(format!("cannot listen on {address}")).because(error).hint(
                "another process may listen there: say a free address with `--listen`, such as `--listen 127.0.0.1:0`, or `--listen none`",
            )
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers for ever, on the [routes](routes) of a service or more.
    pub async fn answer(self, routes: Router) {
        let mut open = Connections::default();
        loop {
            let Ok((connection, _)) = self.listener.accept().await else {
                time::sleep(FULL).await;
                continue;
            };
            open.serve(connection, routes.clone());
        }
    }
}

/// The connections that are open, the oldest first. Dropping them closes them.
#[derive(Default)]
struct Connections(VecDeque<Connection>);

struct Connection {
    task: AbortHandle,
    /// Whether a request is being answered.
    busy: Arc<AtomicBool>,
}

impl Connections {
    fn serve(&mut self, connection: TcpStream, routes: Router) {
        self.0.retain(|open| !open.task.is_finished());
        if self.0.len() >= OPEN {
            let is_silent = |open: &Connection| !open.busy.load(Ordering::Relaxed);
            let victim = self.0.iter().position(is_silent).unwrap_or_default();
            drop(self.0.remove(victim));
        }
        let busy = Arc::<AtomicBool>::default();
        let task = tokio::spawn(converse(connection, routes, busy.clone())).abort_handle();
        self.0.push_back(Connection { task, busy });
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse(connection: TcpStream, routes: Router, busy: Arc<AtomicBool>) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (routes, busy) = (TowerToHyperService::new(routes.clone()), busy.clone());
        async move {
            busy.store(true, Ordering::Relaxed);
            let answer = hyper::service::Service::call(&routes, request).await;
            busy.store(false, Ordering::Relaxed);
            answer
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    // A client that hangs up in the middle is no fault of the service.
    let _ = http.serve_connection(TokioIo::new(connection), service).await;
}

/// The routes of a service: `/livez`, `/readyz` and `/metrics`.
pub fn routes(health: Health, metrics: Metrics) -> Router {
    let health = Router::new().route("/livez", get(livez)).route("/readyz", get(readyz)).with_state(health);
    health.merge(Router::new().route("/metrics", get(scrape)).with_state(metrics))
}

async fn livez(State(health): State<Health>) -> Response {
    answer(&health.lifeless(Instant::now()))
}

async fn readyz(State(health): State<Health>) -> Response {
    answer(&health.unready())
}

/// All is well, or what is not, a line each.
fn answer(troubles: &[String]) -> Response {
    if troubles.is_empty() {
        return (StatusCode::OK, "ok\n").into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, troubles.join("\n") + "\n").into_response()
}

async fn scrape(State(metrics): State<Metrics>) -> Response {
    ([(CONTENT_TYPE, Metrics::CONTENT_TYPE)], metrics.text()).into_response()
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        task::JoinSet,
    };

    use super::*;
    use crate::{clock::System, pipeline::Stop};

    /// A listener that answers, for as long as the set lives.
    async fn answering() -> (SocketAddr, Health, JoinSet<()>) {
        let (listener, health) = (Listener::open("127.0.0.1:0").await.unwrap(), Health::new(&Stop::new()));
        let (address, mut tasks) = (listener.address(), JoinSet::new());
        tasks.spawn(listener.answer(routes(health.clone(), Metrics::new(Arc::new(System)))));
        (address, health, tasks)
    }

    /// Sends these bytes, and answers all that comes back until the other side hangs up.
    async fn ask(address: SocketAddr, bytes: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(bytes.as_bytes()).await.unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer).await;
        answer
    }

    async fn get(address: SocketAddr, path: &str) -> (String, String) {
        let answer = ask(address, &format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
        let (head, body) = answer.split_once("\r\n\r\n").expect(&answer);
        (head.lines().next().unwrap().to_owned(), body.to_owned())
    }

    #[tokio::test]
    async fn it_says_whether_it_lives_and_is_ready_and_nothing_else_is_there() {
        let (address, health, _tasks) = answering().await;
        let pulse = health.pulse("masters".into(), "not open yet");
        let unready = get(address, "/readyz").await;
        assert_eq!(unready, ("HTTP/1.1 503 Service Unavailable".into(), "masters: not open yet\n".into()));
        pulse.ready();
        for path in ["/readyz", "/livez"] {
            assert_eq!(get(address, path).await, ("HTTP/1.1 200 OK".into(), "ok\n".into()));
        }
        assert!(get(address, "/metrics").await.1.contains("reindex_build_info"));
        assert_eq!(get(address, "/").await.0, "HTTP/1.1 404 Not Found");
        let post = "POST /livez HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 1000000\r\n\r\n";
        assert!(ask(address, post).await.starts_with("HTTP/1.1 405"), "it does not wait for the body");
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_refused_with_what_to_say_instead() {
        let (address, _, _tasks) = answering().await;
        let error = Listener::open(&address.to_string()).await.err().unwrap().report();
        assert!(error.contains(&format!("cannot listen on {address}")) && error.contains("--listen"), "{error}");
    }

    #[tokio::test]
    async fn clients_that_send_nothing_keep_no_health_check_waiting() {
        let (address, _, _tasks) = answering().await;
        let mut silent = Vec::new();
        for _ in 0..OPEN * 2 {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        let asked = time::timeout(PATIENCE / 2, get(address, "/livez"));
        assert_eq!(asked.await.expect("an answer in time").0, "HTTP/1.1 200 OK");
    }

    #[tokio::test]
    async fn a_connection_is_kept_for_the_next_request() {
        let (address, _, _tasks) = answering().await;
        let mut stream = TcpStream::connect(address).await.unwrap();
        for _ in 0..3 {
            stream.write_all(b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
            let mut answer = Vec::new();
            while !answer.ends_with(b"ok\n") {
                assert!(stream.read_buf(&mut answer).await.unwrap() > 0, "it hung up");
            }
        }
    }

    #[tokio::test]
    async fn a_program_that_embeds_the_service_adds_routes_of_its_own() {
        let (listener, health) = (Listener::open("127.0.0.1:0").await.unwrap(), Health::new(&Stop::new()));
        let (address, mut tasks) = (listener.address(), JoinSet::new());
        let more = Router::new().route("/hello", axum::routing::get(async || "hello"));
        tasks.spawn(listener.answer(routes(health, Metrics::new(Arc::new(System))).merge(more)));
        assert_eq!(get(address, "/hello").await.1, "hello");
        assert_eq!(get(address, "/livez").await.1, "ok\n");
    }
}
