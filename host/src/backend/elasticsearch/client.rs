//! Requests to one cluster: credentials, trusted certificates, and the check that it is the configured product.

use std::{fmt, path::Path, time::Duration};

use bytes::{Bytes, BytesMut};
use reqwest::{
    Certificate, Response, Url,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION},
    redirect::Policy,
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::{Config, Engine, fault, sign::Signer};
use crate::{
    backend::{aws, reply},
    error::{Error, Kind, Result},
};

/// How long an answer may take. A loaded cluster may need most of it for a bulk request.
const PATIENCE: Duration = Duration::from_secs(120);

/// The largest reply by default, such as the mapping of an index with very many fields.
const MOST: usize = 16 << 20;

/// How much of an error answer is read.
const REFUSAL: usize = 1 << 20;

/// The method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Put,
    Post,
    Delete,
}

impl Method {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

impl From<Method> for reqwest::Method {
    fn from(method: Method) -> Self {
        match method {
            Method::Get => Self::GET,
            Method::Put => Self::PUT,
            Method::Post => Self::POST,
            Method::Delete => Self::DELETE,
        }
    }
}

/// A cluster. Its `Debug` shows no credentials.
pub(super) struct Client {
    engine: Engine,
    url: Url,
    http: reqwest::Client,
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
        let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        headers.extend(config.credentials()?.map(|credentials| (AUTHORIZATION, credentials)));
        // Requests go only to the server that was checked: no redirect is followed, and no proxy is used.
        let builder = reqwest::Client::builder().redirect(Policy::none()).no_proxy().timeout(PATIENCE);
        let mut builder = builder.user_agent("reindex").default_headers(headers);
        for authority in config.ca.iter().map(|ca| certificates(&beside.join(ca))).collect::<Result<Vec<_>>>()?.concat()
        {
            builder = builder.add_root_certificate(authority);
        }
        let http = builder
            .build()
            .map_err(|error| Error::usage("the connection to the cluster cannot be set up").because(error))?;
        let signer = match (&config.sign, session) {
            (Some(sign), Some(session)) => Some(Signer::new(sign, session)?),
            _ => None,
        };
        Ok(Self { engine, url, http, signer, known: OnceCell::new() })
    }

    pub(super) fn engine(&self) -> Engine {
        self.engine
    }

    /// The cluster's uuid, once its product and version are checked. A serverless collection has none.
    pub(super) async fn cluster(&self) -> Result<Option<String>> {
        self.known.get_or_try_init(|| self.introduce()).await.cloned()
    }

    async fn introduce(&self) -> Result<Option<String>> {
        if self.signer.as_ref().is_some_and(Signer::is_serverless) {
            return Ok(None);
        }
        let operation = "the cluster does not introduce itself";
        let reply = self.send(operation, Method::Get, "", None, MOST).await?;
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

    /// Sends JSON and returns the answer of any status, once the cluster is checked.
    pub(super) async fn call(
        &self,
        operation: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Reply> {
        self.call_within(operation, method, path, body, MOST).await
    }

    /// The same for an answer of at most `most` bytes, unpacked.
    pub(super) async fn call_within(
        &self,
        operation: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
        most: usize,
    ) -> Result<Reply> {
        self.cluster().await?;
        let body = body.map(|body| Bytes::from(body.to_string()));
        self.send(operation, method, path, body.map(|body| (body, "application/json")), most).await
    }

    /// Sends lines of JSON; the answer has at most `most` bytes, unpacked.
    pub(super) async fn lines(&self, operation: &str, path: &str, lines: Bytes, most: usize) -> Result<Reply> {
        self.cluster().await?;
        self.send(operation, Method::Post, path, Some((lines, "application/x-ndjson")), most).await
    }

    /// Requests a path that every cluster has.
    async fn ask(&self, method: Method, path: &str, body: Option<Bytes>) -> Result<Reply> {
        let operation = "the cluster does not say what it is";
        let reply = self.send(operation, method, path, body.map(|body| (body, "application/json")), MOST).await?;
        if reply.status == 200 { Ok(reply) } else { Err(fault::answered(operation, self.engine, &reply)) }
    }

    async fn send(
        &self,
        operation: &str,
        method: Method,
        path: &str,
        body: Option<(Bytes, &'static str)>,
        most: usize,
    ) -> Result<Reply> {
        let address = self.address(path)?;
        let mut headers = HeaderMap::new();
        let (body, kind) = body.map_or((None, "application/json"), |(body, kind)| (Some(body), kind));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        if let Some(signer) = &self.signer {
            signer.sign(method, &address, body.as_deref().unwrap_or_default(), &mut headers).await?;
        }
        let mut request = self.http.request(method.into(), address).headers(headers);
        if let Some(body) = body {
            request = request.body(body);
        }
        let silent = |error: reqwest::Error| fault::silent(operation, self.url.as_str(), error);
        let response = request.send().await.map_err(silent)?;
        let status = response.status().as_u16();
        if response.status().is_redirection() {
            let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
            return Err(reply::redirected(operation, status, location).with("cluster", self.url.to_string()));
        }
        let success = response.status().is_success();
        match read(response, if success { most } else { REFUSAL }).await.map_err(silent)? {
            (body, true) => Ok(Reply { status, body }),
            // The beginning of an error answer is enough.
            (body, false) if !success => Ok(Reply { status, body }),
            _ => Err(reply::too_long(operation, most).with("cluster", self.url.to_string())),
        }
    }

    /// The address of a path, below the cluster's own address.
    fn address(&self, path: &str) -> Result<Url> {
        let mut base = self.url.clone();
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", self.url.path()));
        }
        base.join(path).map_err(|error| Error::bug("the path of a request is none").because(error))
    }

    /// The largest request that the cluster accepts, or its usual default if it does not report it.
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

/// Reads a body until it ends or has more than `most` bytes; returns whether it ended.
async fn read(mut response: Response, most: usize) -> Result<(Bytes, bool), reqwest::Error> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > most {
            return Ok((body.freeze(), false));
        }
        body.extend_from_slice(&chunk);
    }
    Ok((body.freeze(), true))
}

fn certificates(path: &Path) -> Result<Vec<Certificate>> {
    let unfit = |what: &str| {
        Error::usage(format!("the file of authorities to trust {what}")).with("ca", path.display().to_string())
    };
    let text = std::fs::read(path).map_err(|error| unfit("cannot be read").because(error))?;
    match Certificate::from_pem_bundle(&text) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(unfit("holds no certificate in PEM form")),
        Err(error) => Err(unfit("holds no certificate in PEM form").because(error)),
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("engine", &self.engine).field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}
