//! The servers behind the proxy: an HTTP server that echoes bodies, answers bulks and batches in their shape, and
//! remembers what reached it.

use std::{
    net::SocketAddr,
    sync::{Arc, Condvar, LazyLock, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{net::TcpListener, runtime::Runtime};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// A request as it reached the server, as far as it did.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub body: Vec<u8>,
    pub whole: bool,
    /// Whether nothing more of it comes, whole or not.
    is_over: bool,
}

#[derive(Clone, Default)]
pub struct Origin {
    seen: Arc<(Mutex<Vec<Seen>>, Condvar)>,
}

/// One request while it is read.
struct Reading {
    origin: Origin,
    number: usize,
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.seen(|seen| seen.is_over = true);
        self.origin.seen.1.notify_all();
    }
}

impl Reading {
    fn begin(origin: &Origin) -> Self {
        let mut seen = origin.seen.0.lock().unwrap();
        seen.push(Seen::default());
        Self { origin: origin.clone(), number: seen.len() - 1 }
    }

    fn seen<T>(&self, change: impl FnOnce(&mut Seen) -> T) -> T {
        change(&mut self.origin.seen.0.lock().unwrap()[self.number])
    }
}

impl Origin {
    /// Starts a server for as long as the tests run.
    pub fn start() -> (Self, SocketAddr) {
        let origin = Self::default();
        let listener = RUNTIME.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        RUNTIME.spawn(origin.clone().accept(listener));
        (origin, address)
    }

    /// What has reached it so far. A request that was answered is whole; for any other ask [`Origin::over`].
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.0.lock().unwrap().clone()
    }

    /// What reached it once it has read so many requests to their end, which for one that was cut no answer tells.
    pub fn over(&self, count: usize) -> Vec<Seen> {
        let is_awaited = |seen: &mut Vec<Seen>| seen.iter().filter(|seen| seen.is_over).count() < count;
        let seen = self.seen.0.lock().unwrap();
        let (seen, waited) = self.seen.1.wait_timeout_while(seen, Duration::from_secs(60), is_awaited).unwrap();
        assert!(!waited.timed_out(), "of {count} requests some never ended: {:?}", seen.len());
        seen.clone()
    }

    async fn accept(self, listener: TcpListener) {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let origin = self.clone();
            tokio::spawn(async move {
                let service = service_fn(|request| origin.clone().answer(request));
                http1::Builder::new().serve_connection(TokioIo::new(stream), service).await
            });
        }
    }

    async fn answer(self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
        let (parts, mut body) = request.into_parts();
        let reading = Reading::begin(&self);
        while let Some(frame) = body.frame().await.transpose()? {
            let data = frame.into_data().unwrap_or_default();
            reading.seen(|seen| seen.body.extend_from_slice(&data));
        }
        let body = reading.seen(|seen| {
            seen.whole = true;
            seen.body.clone()
        });
        let target = parts.headers.get("x-amz-target").map(|target| target.to_str().unwrap());
        Ok(match (parts.method, parts.uri.path(), target) {
            (Method::HEAD, ..) => Response::builder().header("content-length", 1000).body(Full::default()).unwrap(),
            (_, path, _) if path.ends_with("/_bulk") => Response::new(bulk(&body).into()),
            (_, _, Some(target)) if target.ends_with(".BatchGetItem") => Response::new(batch(&body).into()),
            _ => Response::new(body.into()),
        })
    }
}

/// Every item was indexed.
fn bulk(body: &[u8]) -> String {
    let text = str::from_utf8(body).unwrap();
    let actions = text.lines().step_by(2).map(|line| serde_json::from_str::<Value>(line).unwrap());
    let items = actions.map(|action| json!({ "index": { "_id": action["index"]["_id"], "status": 201 } }));
    json!({ "took": 1, "errors": false, "items": items.collect::<Vec<_>>() }).to_string()
}

/// Every item is there and consists of its key.
fn batch(body: &[u8]) -> String {
    let asked: Value = serde_json::from_slice(body).unwrap();
    let tables = asked["RequestItems"].as_object().unwrap().iter();
    let found: serde_json::Map<_, _> = tables.map(|(table, asked)| (table.clone(), asked["Keys"].clone())).collect();
    json!({ "Responses": found, "UnprocessedKeys": {} }).to_string()
}
