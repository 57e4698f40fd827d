//! Requests to one cluster: who asks, whom to trust, and whether it is the product that was configured.

use std::{fmt, path::Path, time::Duration};

use bytes::Bytes;
use elasticsearch::{
    cert::{Certificate, CertificateValidation},
    http::{
        Method, Url,
        headers::{CONTENT_TYPE, HeaderMap, HeaderValue},
        transport::{SingleNodeConnectionPool, Transport, TransportBuilder},
    },
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::{Config, Engine, fault, sign::Signer};
use crate::{
    backend::aws,
    error::{Error, Kind, Result},
};

/// How long an answer may take. A cluster under load may well need most of it for a bulk request.
const PATIENCE: Duration = Duration::from_secs(120);

/// A cluster. Its `Debug` shows no credentials.
pub(super) struct Client {
    engine: Engine,
    url: Url,
    transport: Transport,
    signer: Option<Signer>,
    known: OnceCell<Option<String>>,
}

/// An answer of any status.
#[derive(Debug)]
pub(super) struct Reply {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Bytes,
}

impl Reply {
    /// Reads the body.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Error::new(Kind::Unavailable, "the cluster's answer is not the JSON it should be").because(error)
        })
    }
}

impl Client {
    pub(super) fn open(engine: Engine, config: &Config, beside: &Path, session: Option<&aws::Session>) -> Result<Self> {
        let url = config.address()?;
        let mut builder = TransportBuilder::new(SingleNodeConnectionPool::new(url.clone()))
            .enable_meta_header(false)
            .disable_proxy()
            .timeout(PATIENCE);
        if let Some(credentials) = config.credentials()? {
            builder = builder.auth(credentials);
        }
        if let Some(ca) = &config.ca {
            builder = builder.cert_validation(CertificateValidation::Full(certificates(&beside.join(ca))?));
        }
        let transport = builder.build().map_err(|error| {
            Error::usage("the connection to the cluster cannot be set up")
                .because(std::io::Error::other(error.to_string()))
        })?;
        let signer = match (&config.sign, session) {
            (Some(sign), Some(session)) => Some(Signer::new(sign, session)?),
            _ => None,
        };
        Ok(Self { engine, url, transport, signer, known: OnceCell::new() })
    }

    pub(super) fn engine(&self) -> Engine {
        self.engine
    }

    /// The cluster's uuid, once it is known to be of the right product and version. A serverless collection has none.
    pub(super) async fn cluster(&self) -> Result<Option<String>> {
        self.known.get_or_try_init(|| self.introduce()).await.cloned()
    }

    async fn introduce(&self) -> Result<Option<String>> {
        if self.signer.as_ref().is_some_and(Signer::is_serverless) {
            return Ok(None);
        }
        let operation = "the cluster does not introduce itself";
        let reply = self.send(operation, Method::Get, "", None).await?;
        if reply.status != 200 {
            return Err(fault::answered(operation, self.engine, &reply));
        }
        let said: Value = reply.json().unwrap_or_default();
        self.engine.check(&said).map_err(|error| error.with("cluster", self.url.to_string()))?;
        if let Some(uuid) = said["cluster_uuid"].as_str() {
            return Ok(Some(uuid.to_owned()));
        }
        let reply = self.ask(Method::Get, "_cluster/state/version?filter_path=cluster_uuid", None).await?;
        Ok(reply.json::<Value>()?["cluster_uuid"].as_str().map(str::to_owned))
    }

    /// Sends JSON and answers whatever comes, once the cluster has introduced itself.
    pub(super) async fn call(
        &self,
        operation: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Reply> {
        self.cluster().await?;
        let body = body.map(|body| Bytes::from(body.to_string()));
        self.send(operation, method, path, body.map(|body| (body, "application/json"))).await
    }

    /// Sends lines of JSON.
    pub(super) async fn lines(&self, operation: &str, path: &str, lines: Bytes) -> Result<Reply> {
        self.cluster().await?;
        self.send(operation, Method::Post, path, Some((lines, "application/x-ndjson"))).await
    }

    /// Asks for what is there in every cluster.
    async fn ask(&self, method: Method, path: &str, body: Option<Bytes>) -> Result<Reply> {
        let operation = "the cluster does not say what it is";
        let reply = self.send(operation, method, path, body.map(|body| (body, "application/json"))).await?;
        if reply.status == 200 { Ok(reply) } else { Err(fault::answered(operation, self.engine, &reply)) }
    }

    async fn send(
        &self,
        operation: &str,
        method: Method,
        path: &str,
        body: Option<(Bytes, &'static str)>,
    ) -> Result<Reply> {
        let mut headers = HeaderMap::new();
        let (body, kind) = body.map_or((None, "application/json"), |(body, kind)| (Some(body), kind));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        if let Some(signer) = &self.signer {
            signer.sign(method, &self.url, path, body.as_deref().unwrap_or_default(), &mut headers).await?;
        }
        let silent = |error| fault::silent(operation, self.url.as_str(), &error);
        let reply = self.transport.send(method, path, headers, None::<&()>, body, None).await.map_err(silent)?;
        let status = reply.status_code().as_u16();
        let body = reply.bytes().await.map_err(silent)?;
        Ok(Reply { status, body })
    }

    /// What the cluster takes in one request, or its usual default where it does not say.
    pub(super) async fn longest(&self) -> Result<usize> {
        const DEFAULT: u64 = 100 * 1024 * 1024;
        self.cluster().await?;
        let path = "_nodes/http?filter_path=nodes.*.http.max_content_length_in_bytes";
        let said: Value = match self.ask(Method::Get, path, None).await {
            Ok(reply) => reply.json().unwrap_or_default(),
            Err(error) if error.may_retry() => return Err(error),
            Err(_) => Value::Null,
        };
        let nodes = said["nodes"].as_object().into_iter().flat_map(serde_json::Map::values);
        let least = nodes.filter_map(|node| node["http"]["max_content_length_in_bytes"].as_u64()).min();
        Ok(usize::try_from(least.unwrap_or(DEFAULT)).unwrap_or(usize::MAX))
    }
}

fn certificates(path: &Path) -> Result<Certificate> {
    let unfit = |what: &str| {
        Error::usage(format!("the file of authorities to trust {what}")).with("ca", path.display().to_string())
    };
    let text = std::fs::read(path).map_err(|error| unfit("cannot be read").because(error))?;
    Certificate::from_pem(&text)
        .map_err(|error| unfit("holds no certificate in PEM form").because(std::io::Error::other(error.to_string())))
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("engine", &self.engine).field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}
