//! One HTTP/1.1 connection of a client: every request is passed on as it came, `Host` and the case of header names
//! included, unless the book gives it a fault. It neither follows redirects nor retries what reached the server.

use std::{
    error::Error,
    io::{self, Read},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http_body_util::{BodyExt, Full, combinators::UnsyncBoxBody};
use hyper::{
    HeaderMap, Request, Response, StatusCode,
    body::{Body, Incoming},
    client::conn::http1 as client,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING},
    http::{request::Parts, response},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo, TokioTimer},
};
use tokio::{net::TcpStream, time::sleep};

use crate::{
    batch::Batch,
    book::{Book, Entry},
    bulk::Bulk,
    cutoff::{Cutoff, broken},
    door::Gate,
    endless::Endless,
    rule::Fault,
    wire::{Flushes, Wire},
    withheld::{Unfit, Withheld},
    words,
};

type Stream = UnsyncBoxBody<Bytes, io::Error>;

/// Shorter than any server's own limit, so that no request meets a connection the server just gave up.
const IDLE: Duration = Duration::from_secs(2);

/// The way to the server.
pub(crate) struct Origin {
    address: String,
    client: Client<HttpConnector, Stream>,
}

impl Origin {
    pub(crate) fn new(address: String) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let mut client = Client::builder(TokioExecutor::new());
        client.http1_preserve_header_case(true).set_host(false).pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE);
        Self { address, client: client.build(connector) }
    }

    async fn ask(&self, mut parts: Parts, body: Stream) -> Result<Response<Incoming>, io::Error> {
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = format!("http://{}{path}", self.address).parse().map_err(io::Error::other)?;
        self.client.request(Request::from_parts(parts, body)).await.map_err(io::Error::other)
    }

    /// Sends the first bytes of a request over a connection of its own, which closes in the middle of the body.
    async fn cut<B>(&self, parts: Parts, body: B, bytes: u64) -> Result<(), io::Error>
    where
        B: Body<Data = Bytes, Error = hyper::Error> + Send + Unpin + 'static,
    {
        let stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        let (wire, flushes) = Wire::new(stream);
        let mut client = client::Builder::new();
        client.preserve_header_case(true);
        let (mut sender, connection) = client.handshake(TokioIo::new(wire)).await.map_err(io::Error::other)?;
        let request = Request::from_parts(parts, Cutoff::new(body, bytes, flushes));
        // It is broken off, whatever the server says to the half it sees.
        let _ = tokio::join!(async { drop(sender.send_request(request).await) }, connection);
        Ok(())
    }
}

/// Serves a client's connection until either side closes it or a fault does.
pub(crate) async fn serve(stream: TcpStream, origin: Arc<Origin>, book: Arc<Book>, gate: Gate) {
    let (stream, flushes) = Wire::new(stream);
    let exchange = service_fn(|request: Request<Incoming>| {
        let (origin, gate, flushes) = (Arc::clone(&origin), gate.clone(), flushes.clone());
        let entry = arrives(&request, &book);
        async move {
            let log = entry.clone();
            let answer = Exchange { origin, entry, gate, flushes }.answer(request).await?;
            log.answered(answer.status().as_u16());
            Ok::<_, io::Error>(answer)
        }
    });
    let mut server = http1::Builder::new();
    server.preserve_header_case(true).auto_date_header(false);
    // A connection that ends in an error is what most faults are for; the log has the cause.
    let _ = server.serve_connection(TokioIo::new(stream), exchange).await;
}

fn arrives(request: &Request<Incoming>, book: &Arc<Book>) -> Entry {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
    book.arrives(request.method().as_str(), path, target)
}

/// One request on its way.
struct Exchange {
    origin: Arc<Origin>,
    entry: Entry,
    gate: Gate,
    flushes: Flushes,
}

impl Exchange {
    /// The answer for the client; an error closes its connection without one.
    async fn answer(self, request: Request<Incoming>) -> Result<Response<Stream>, io::Error> {
        let (parts, body) = request.into_parts();
        let log = self.entry.clone();
        let body = body.inspect_frame(move |frame| log.read(frame.data_ref().map_or(0, Bytes::len)));
        let Some(fault) = self.entry.fault().cloned() else {
            return self.pass(parts, stream(body)).await;
        };
        match fault {
            Fault::Throttle => self.instead(body, words::throttle(&parts.headers)).await,
            Fault::Status(status, text) => self.instead(body, words::answer(status, &text)).await,
            Fault::Reply(status, headers, text) => self.instead(body, words::reply(status, &headers, &text)).await,
            Fault::Endless(status) => {
                let answer = self.instead(body, words::reply(status, &[], b"")).await?;
                Ok(answer.map(|_| stream(Endless)))
            }
            Fault::RejectItems(pick) => {
                let index = index(parts.uri.path());
                self.withhold(parts, body, |body, place| {
                    Bulk::part(body, index.as_deref(), |item| pick.picks(item, place))
                })
                .await
            }
            Fault::AnswerItems(pick, status, result) => {
                let index = index(parts.uri.path());
                self.withhold(parts, body, |body, place| {
                    let bulk = Bulk::part(body, index.as_deref(), |item| pick.picks(item, place))?;
                    Ok(bulk.answered(status, result))
                })
                .await
            }
            Fault::Unprocessed(pick) => {
                self.withhold(parts, body, |body, place| Batch::part(body, |key| pick.picks(key, place))).await
            }
            Fault::Delay(time) => {
                self.entry.bit();
                sleep(time).await;
                self.pass(parts, stream(body)).await
            }
            Fault::Truncate(bytes) => self.truncate(parts, stream(body), bytes).await,
            Fault::Cut | Fault::CutAfter(_) | Fault::LostReply | Fault::Down(_) => {
                self.unanswered(parts, body, &fault).await
            }
        }
    }

    async fn pass(&self, parts: Parts, body: Stream) -> Result<Response<Stream>, io::Error> {
        Ok(self.origin.ask(parts, body).await?.map(stream))
    }

    /// Reads the request to its end, as a server does that wants to keep the connection, and answers by itself.
    async fn instead<B>(&self, mut body: B, answer: Response<Full<Bytes>>) -> Result<Response<Stream>, io::Error>
    where
        B: Body<Error = hyper::Error> + Unpin,
    {
        while body.frame().await.transpose().map_err(io::Error::other)?.is_some() {}
        self.entry.bit();
        Ok(answer.map(stream))
    }

    /// Everything that ends without an answer.
    async fn unanswered<B>(&self, parts: Parts, body: B, fault: &Fault) -> Result<Response<Stream>, io::Error>
    where
        B: Body<Data = Bytes, Error = hyper::Error> + Send + Unpin + 'static,
    {
        match fault {
            // A server that is not there is as good as cut off.
            Fault::CutAfter(bytes) => drop(self.origin.cut(parts, body, *bytes).await),
            Fault::LostReply => drop(self.pass(parts, stream(body)).await?.into_body().collect().await?),
            Fault::Down(time) => self.gate.fall(*time),
            _ => {}
        }
        self.entry.bit();
        Err(broken())
    }

    async fn truncate(&self, parts: Parts, body: Stream, bytes: u64) -> Result<Response<Stream>, io::Error> {
        let answer = self.pass(parts, body).await?;
        if answer.body().is_end_stream() {
            return Ok(answer);
        }
        self.entry.bit();
        Ok(answer.map(|body| stream(Cutoff::new(body, bytes, self.flushes.clone()))))
    }

    /// Sends a part of the request to the server and answers the rest by itself.
    async fn withhold<W, B>(
        &self,
        parts: Parts,
        body: B,
        part: impl FnOnce(&[u8], u64) -> Result<W, Unfit>,
    ) -> Result<Response<Stream>, io::Error>
    where
        W: Withheld,
        B: Body<Data = Bytes, Error = hyper::Error>,
    {
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        let plain = unpacked(&parts.headers, &body)?;
        let withheld = match part(&plain, self.entry.place()) {
            Ok(withheld) => withheld,
            Err(unfit) => return Ok(complaint(&unfit)),
        };
        if withheld.is_nothing() {
            return self.pass(parts, stream(Full::new(body))).await;
        }
        let (head, answer) = match withheld.rest() {
            None => (Response::new(()).into_parts().0, None),
            Some(rest) => self.ask_for(parts, rest).await?,
        };
        if head.status != StatusCode::OK {
            return Ok(Response::from_parts(head, stream(Full::new(answer.unwrap_or_default()))));
        }
        Ok(self.joined(head, &withheld, answer.as_deref()).unwrap_or_else(|unfit| complaint(&unfit)))
    }

    /// Asks the server for a part only, and in words that can be read.
    async fn ask_for(&self, mut asked: Parts, rest: Vec<u8>) -> Result<(response::Parts, Option<Bytes>), io::Error> {
        resize(&mut asked.headers, rest.len());
        asked.headers.remove(ACCEPT_ENCODING);
        let (head, answer) = self.pass(asked, stream(Full::from(rest))).await?.into_parts();
        Ok((head, Some(answer.collect().await?.to_bytes())))
    }

    fn joined(
        &self,
        mut head: response::Parts,
        withheld: &impl Withheld,
        answer: Option<&[u8]>,
    ) -> Result<Response<Stream>, Unfit> {
        let joined = withheld.join(answer)?;
        self.entry.bit();
        resize(&mut head.headers, joined.len());
        // DynamoDB's check of the body that was replaced.
        head.headers.remove("x-amz-crc32");
        Ok(Response::from_parts(head, stream(Full::from(joined))))
    }
}

/// The index that `/index/_bulk` names.
fn index(path: &str) -> Option<String> {
    path.trim_matches('/').strip_suffix("/_bulk").map(str::to_owned)
}

/// A body as it was before the client compressed it.
fn unpacked(headers: &HeaderMap, body: &Bytes) -> Result<Bytes, io::Error> {
    if headers.get(CONTENT_ENCODING).is_none_or(|encoding| encoding != "gzip") {
        return Ok(body.clone());
    }
    let mut plain = Vec::new();
    MultiGzDecoder::new(&body[..]).read_to_end(&mut plain)?;
    Ok(plain.into())
}

/// Makes headers say the length of a body that replaced theirs.
fn resize(headers: &mut HeaderMap, length: usize) {
    headers.remove(CONTENT_ENCODING);
    headers.remove(TRANSFER_ENCODING);
    headers.insert(CONTENT_LENGTH, length.into());
}

/// A rule was put on requests it is not for: the test hears it from its client.
fn complaint(unfit: &Unfit) -> Response<Stream> {
    words::answer(500, &format!("the fault proxy cannot do this to this request: {}", unfit.0)).map(stream)
}

fn stream<B>(body: B) -> Stream
where
    B: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>> + Send + 'static,
{
    body.map_err(io::Error::other).boxed_unsync()
}
