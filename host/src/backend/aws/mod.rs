//! Shared by the AWS backends: credentials, region and endpoint, one HTTP client, and error texts.
//!
//! The standard chain reads the process's environment and files, so only the owner of the process starts a [`Session`]
//! with it. The SDK tries a call [`TRIES`] times, which its error reports, so that each layer above counts them.

mod fault;
mod wire;

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_smithy_http_client::{Builder, tls};

use crate::error::{Error, Kind, Result};
pub(super) use fault::{fault, incomplete};

/// How often the SDK tries a call that fails temporarily.
pub(super) const TRIES: u32 = 3;

const CONNECT: Duration = Duration::from_secs(5);
const READ: Duration = Duration::from_secs(60);

/// The credentials and the place of calls to AWS. Its `Debug` shows no credentials.
#[derive(Debug, Clone)]
pub struct Session {
    config: SdkConfig,
}

impl Session {
    /// Finds credentials and region as every AWS tool does: environment, profile, web identity, container, instance. If
    /// neither the environment nor the profile sets a region, the machine's metadata service is asked for one.
    pub async fn standard() -> Self {
        let http =
            Builder::new().tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring)).build_https();
        let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).read_timeout(READ).build();
        let config = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http)
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(TRIES))
            .load()
            .await;
        Self::new(config)
    }

    /// Uses the configuration of an embedder.
    pub fn new(config: SdkConfig) -> Self {
        let guarded = config.http_client().map(wire::guarded);
        let mut builder = config.into_builder();
        builder.set_http_client(guarded);
        Self { config: builder.build() }
    }

    /// Returns the same session with the region and the endpoint that an environment sets for all its resources.
    #[must_use]
    pub fn within(self, region: Option<&str>, endpoint: Option<&str>) -> Self {
        Self { config: self.at(region, endpoint) }
    }

    /// Asks AWS for the account of the credentials.
    pub async fn account(&self) -> Result<String> {
        let asked = "AWS cannot be asked whose account this is";
        let identity = aws_sdk_sts::Client::new(&self.config).get_caller_identity().send().await;
        let account = identity.map_err(|error| fault(asked, &error))?.account;
        account.ok_or_else(|| Error::new(Kind::Unavailable, format!("{asked}: the answer names none")))
    }

    /// The configuration for one resource, which may have its own region and endpoint.
    pub(super) fn at(&self, region: Option<&str>, endpoint: Option<&str>) -> SdkConfig {
        let mut builder = self.config.to_builder();
        if let Some(region) = region {
            builder = builder.region(Region::new(region.to_owned()));
        }
        if let Some(endpoint) = endpoint {
            builder = builder.endpoint_url(endpoint);
        }
        builder.build()
    }
}
