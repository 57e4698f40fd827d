//! Checks answers before an SDK reads them whole: none is longer than an answer to the request can be, and each answer
//! of DynamoDB matches its checksum. Objects pass as streams; their length is checked elsewhere.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        connector_metadata::ConnectorMetadata,
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
            SharedHttpConnector,
        },
        orchestrator::{HttpRequest, HttpResponse},
        runtime_components::{RuntimeComponents, RuntimeComponentsBuilder},
    },
};
use aws_smithy_types::{body::SdkBody, config_bag::ConfigBag};
use bytes::Bytes;
use flate2::Crc;
use hyper::body::{Body, Frame, SizeHint};

/// The largest error answer. The largest one contains the item that a condition was about.
const REFUSAL: u64 = 1 << 20;

/// The largest answer, by operation. DynamoDB measures a page, or a batch of items, in its own way: a list of nulls is
/// seven times as long in JSON. A message has up to 1 MiB, each byte escaped.
const MOST: [(&str, u64); 5] =
    [("Scan", 16 << 20), ("Query", 16 << 20), ("BatchGetItem", 128 << 20), ("ReceiveMessage", 64 << 20), ("", 8 << 20)];

/// Checks the answers that a client receives.
pub(super) fn guarded(client: SharedHttpClient) -> SharedHttpClient {
    SharedHttpClient::new(Guarded(client))
}

#[derive(Debug)]
struct Guarded(SharedHttpClient);

impl HttpClient for Guarded {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector(self.0.http_connector(settings, components)))
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        HttpClient::validate_base_client_config(&self.0, components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

#[derive(Debug)]
struct Connector(SharedHttpConnector);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let asked = Asked::of(&request);
        let answer = self.0.call(request);
        HttpConnectorFuture::new(async move { answer.await.map(|answer| asked.guard(answer)) })
    }
}

/// The operation of a request.
struct Asked {
    /// Service and operation, as in `DynamoDB_20120810.Scan`; empty for services with another protocol.
    target: String,
    is_object: bool,
}

impl Asked {
    fn of(request: &HttpRequest) -> Self {
        let target = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
        Self { target, is_object: request.uri().contains("x-id=GetObject") }
    }

    fn guard(&self, mut answer: HttpResponse) -> HttpResponse {
        let success = answer.status().is_success();
        if success && self.is_object {
            return answer;
        }
        let operation = self.target.rsplit('.').next().unwrap_or_default();
        let fitting = MOST.iter().find(|(name, _)| *name == operation || name.is_empty());
        let most = if success { fitting.map_or(REFUSAL, |(_, most)| *most) } else { REFUSAL };
        let checksum = answer.headers().get("x-amz-crc32").and_then(|text| text.parse().ok());
        // Every answer of DynamoDB is a JSON object; the SDK reads an empty answer as an empty object.
        let empty = !success || !self.target.starts_with("DynamoDB_");
        let inner = answer.take_body();
        *answer.body_mut() = SdkBody::from_body_1_x(Guard { inner, most, checksum, empty, seen: 0, crc: Crc::new() });
        answer
    }
}

/// A body that is checked while it is read.
struct Guard {
    inner: SdkBody,
    most: u64,
    checksum: Option<u32>,
    /// Whether it may be empty.
    empty: bool,
    seen: u64,
    crc: Crc,
}

impl Guard {
    fn add(&mut self, bytes: &[u8]) -> Result<(), Unfit> {
        self.seen += bytes.len() as u64;
        if self.checksum.is_some() {
            self.crc.update(bytes);
        }
        if self.seen > self.most { Err(Unfit::TooLong(self.most)) } else { Ok(()) }
    }

    fn end(&self) -> Result<(), Unfit> {
        match self.checksum {
            Some(checksum) if checksum != self.crc.sum() => Err(Unfit::Damaged),
            _ if self.seen == 0 && !self.empty => Err(Unfit::Empty),
            _ => Ok(()),
        }
    }
}

impl Body for Guard {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        let fit = match &frame {
            Some(Ok(frame)) => frame.data_ref().map_or(Ok(()), |bytes| self.add(bytes)),
            Some(Err(_)) => Ok(()),
            None => self.end(),
        };
        Poll::Ready(match fit {
            Ok(()) => frame,
            Err(unfit) => Some(Err(unfit.into())),
        })
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Why an answer as a whole is unusable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It is longer than this.
    TooLong(u64),
    /// Its checksum differs.
    Damaged,
    /// It is empty.
    Empty,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong(most) => write!(f, "the answer has more than {most} bytes"),
            Self::Damaged => f.write_str("the answer's checksum (x-amz-crc32) is not that of its bytes"),
            Self::Empty => f.write_str("the answer is empty"),
        }
    }
}

impl std::error::Error for Unfit {}

#[cfg(test)]
mod tests {
    use aws_smithy_types::byte_stream::ByteStream;

    use super::*;

    async fn read(
        target: &'static str,
        status: u16,
        body: impl Into<SdkBody>,
        crc: Option<&'static str>,
    ) -> Result<usize, String> {
        let mut request = HttpRequest::empty();
        request.headers_mut().insert("x-amz-target", target);
        let mut answer = HttpResponse::new(status.try_into().unwrap(), body.into());
        if let Some(crc) = crc {
            answer.headers_mut().insert("x-amz-crc32", crc);
        }
        let read = ByteStream::new(Asked::of(&request).guard(answer).into_body()).collect().await;
        read.map(|bytes| bytes.into_bytes().len()).map_err(|error| {
            let texts = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source());
            texts.map(ToString::to_string).collect::<Vec<_>>().join(": ")
        })
    }

    #[tokio::test]
    async fn an_answer_that_is_damaged_empty_or_too_long_is_an_error() {
        let scan = "DynamoDB_20120810.Scan";
        assert_eq!(read(scan, 200, "{}", Some("2745614147")).await, Ok(2));
        assert!(read(scan, 200, "{ }", Some("2745614147")).await.unwrap_err().contains("checksum"));
        assert!(read(scan, 200, "", None).await.unwrap_err().contains("empty"));
        assert_eq!(read(scan, 307, "", None).await, Ok(0));
        assert_eq!(read("AmazonSQS.DeleteQueue", 200, "", None).await, Ok(0));
        let long = |bytes: usize| "x".repeat(bytes);
        assert!(read(scan, 200, long(17 << 20), None).await.unwrap_err().contains("more than"));
        assert!(read(scan, 400, long(2 << 20), None).await.unwrap_err().contains("more than"));
        assert!(read("", 200, long(9 << 20), None).await.unwrap_err().contains("more than"));
    }

    #[tokio::test]
    async fn an_object_passes_whatever_its_length_and_what_refuses_it_does_not() {
        let mut request = HttpRequest::get("http://b.example/key?x-id=GetObject").unwrap();
        request.headers_mut().insert("range", "bytes=0-");
        for (status, passes) in [(200, true), (206, true), (404, false)] {
            let answer = HttpResponse::new(status.try_into().unwrap(), SdkBody::from("x".repeat(9 << 20)));
            let read = ByteStream::new(Asked::of(&request).guard(answer).into_body()).collect().await;
            assert_eq!(read.is_ok(), passes, "{status}");
        }
    }
}
