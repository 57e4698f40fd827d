//! What the AWS backends share: credentials, region and endpoint, one HTTP client, and the words for what goes wrong.
//!
//! The standard chain reads the process's environment and files, so only whoever owns the process starts a
//! [`Session`] by it. The SDK makes a call [`TRIES`] times, which its error says, so that each layer above counts them.

mod fault;
mod wire;

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_smithy_http_client::{Builder, tls};

use crate::error::{Error, Kind, Result};
pub(super) use fault::{fault, incomplete};

/// How often the SDK makes a call that fails for the moment.
pub(super) const TRIES: u32 = 3;

const CONNECT: Duration = Duration::from_secs(5);
const READ: Duration = Duration::from_secs(60);

/// Who calls AWS, and from where. Its `Debug` shows no credentials.
#[derive(Debug, Clone)]
pub struct Session {
    config: SdkConfig,
}

impl Session {
    /// Finds credentials and region as every AWS tool does: environment, profile, web identity, container, instance.
    /// Without a region in the environment or the profile, the machine's own metadata service is asked for one.
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

    /// Takes what an embedder put together.
    pub fn new(config: SdkConfig) -> Self {
        let guarded = config.http_client().map(wire::guarded);
        let mut builder = config.into_builder();
        builder.set_http_client(guarded);
        Self { config: builder.build() }
    }

    /// The same caller, in the region and at the endpoint an environment names for all its resources.
    #[must_use]
    pub fn within(self, region: Option<&str>, endpoint: Option<&str>) -> Self {
        Self { config: self.at(region, endpoint) }
    }

    /// Asks AWS whose account the credentials belong to.
    pub async fn account(&self) -> Result<String> {
        let asked = "AWS cannot be asked whose account this is";
        let identity = aws_sdk_sts::Client::new(&self.config).get_caller_identity().send().await;
        let account = identity.map_err(|error| fault(asked, &error))?.account;
        account.ok_or_else(|| Error::new(Kind::Unavailable, format!("{asked}: the answer names none")))
    }

    /// The configuration for one resource, whose environment may name its region and its endpoint.
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
