//! The connection to a server, opened when it is first needed, and the stream behind a queue.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use async_nats::{
    ConnectOptions,
    jetstream::{
        self, Context, ErrorCode,
        response::Response,
        stream::{Config as StreamConfig, DeleteStatus, Info, RetentionPolicy},
    },
};
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;

use super::{Config, fault};
use crate::error::{Error, Result};

const CONNECT: Duration = Duration::from_secs(5);
const REQUEST: Duration = Duration::from_secs(10);
/// The duplicate window of a stream that this program creates.
const DUPLICATES: Duration = Duration::from_secs(10 * 60);

/// The client of the server.
pub(super) struct Session {
    name: String,
    config: Config,
    beside: PathBuf,
    context: OnceCell<Context>,
    stream: OnceCell<()>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Session {
    pub fn new(name: &str, config: &Config, beside: &Path) -> Self {
        let (context, stream) = (OnceCell::new(), OnceCell::new());
        Self { name: name.to_owned(), config: config.clone(), beside: beside.to_owned(), context, stream }
    }

    /// The stream's name.
    pub fn name(&self) -> &str {
        &self.config.stream
    }

    /// JetStream over a connection, which reconnects by itself.
    pub async fn context(&self) -> Result<&Context> {
        let connect = async || {
            let servers = self.servers()?;
            let client = self.options().await?.connect(servers).await;
            client.map(jetstream::new).map_err(|error| self.place(fault::connect(error)))
        };
        self.context.get_or_try_init(connect).await
    }

    fn servers(&self) -> Result<Vec<async_nats::ServerAddr>> {
        let parsed = self.config.url.reveal().split(',').map(|url| url.trim().parse());
        parsed.collect::<Result<_, _>>().map_err(|_| {
            self.place(Error::usage("`url` is no address of a NATS server").hint("write it like nats://127.0.0.1:4222"))
        })
    }

    async fn options(&self) -> Result<ConnectOptions> {
        let Config { user, password, token, credentials, tls_ca, .. } = &self.config;
        let mut options =
            ConnectOptions::new().name("reindex").connection_timeout(CONNECT).request_timeout(Some(REQUEST));
        if let (Some(user), Some(password)) = (user, password) {
            options = options.user_and_password(user.clone(), password.reveal().to_owned());
        }
        if let Some(token) = token {
            options = options.token(token.reveal().to_owned());
        }
        if let Some(file) = credentials {
            options = options.credentials_file(self.beside.join(file)).await.map_err(|error| {
                self.place(Error::usage("the credentials file cannot be read"))
                    .with("file", file.display().to_string())
                    .because(error)
            })?;
        }
        if let Some(file) = tls_ca {
            options = options.add_root_certificates(self.beside.join(file)).require_tls(true);
        }
        Ok(options)
    }

    fn place(&self, error: Error) -> Error {
        error.with("resource", format!("backend.{}.nats", self.name))
    }

    /// Makes a request to JetStream; the inner error is an error answer.
    pub async fn ask<T: DeserializeOwned>(
        &self,
        operation: &str,
        subject: String,
    ) -> Result<std::result::Result<T, jetstream::Error>> {
        let asked = self.context().await?.request(subject, &serde_json::json!({})).await;
        match asked.map_err(|error| self.place(fault::silent(operation, error)))? {
            Response::Ok(answer) => Ok(Ok(answer)),
            Response::Err { error } => Ok(Err(error)),
        }
    }

    pub fn answered(&self, operation: &str, error: &jetstream::Error) -> Error {
        self.place(fault::answered(operation, self.name(), error))
    }

    /// Whether the stream exists; false is possible only if the environment allows to create it.
    pub async fn is_made(&self) -> Result<bool> {
        if self.stream.initialized() {
            return Ok(true);
        }
        let operation = "the stream cannot be found";
        match self.ask::<Info>(operation, format!("STREAM.INFO.{}", self.name())).await? {
            Ok(_) => Ok(true),
            Err(error) if self.config.create && error.error_code() == ErrorCode::STREAM_NOT_FOUND => Ok(false),
            Err(error) => Err(self.answered(operation, &error)),
        }
    }

    /// Checks that the stream exists, and creates it if the environment allows it.
    pub async fn stream(&self) -> Result<()> {
        let ensure = async || if self.is_made().await? { Ok(()) } else { self.create().await };
        self.stream.get_or_try_init(ensure).await.copied()
    }

    /// Removes the stream; it is not an error if there is none.
    pub async fn remove(&self) -> Result<()> {
        let operation = "the stream cannot be removed";
        match self.ask::<DeleteStatus>(operation, format!("STREAM.DELETE.{}", self.name())).await? {
            Err(error) if error.error_code() != ErrorCode::STREAM_NOT_FOUND => Err(self.answered(operation, &error)),
            _ => Ok(()),
        }
    }

    async fn create(&self) -> Result<()> {
        let config = StreamConfig {
            name: self.name().to_owned(),
            subjects: self.config.lanes(&self.name)?.into_iter().map(|(subject, _)| subject).collect(),
            retention: RetentionPolicy::WorkQueue,
            duplicate_window: DUPLICATES,
            ..StreamConfig::default()
        };
        let made = self.context().await?.create_stream(config).await;
        made.map(drop).map_err(|error| self.place(fault::creation(&error)).with("stream", self.name()).because(error))
    }
}
