//! What the AWS backends share: credentials, region and endpoint, one HTTP client, and the words for what goes wrong.
//!
//! The standard chain reads the process's environment and files, so only whoever owns the process starts a
//! [`Session`] by it. Retries beyond the SDK's own few are the caller's affair.

mod fault;

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_smithy_http_client::{Builder, tls};

pub(super) use fault::fault;

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
            .retry_config(RetryConfig::standard())
            .load()
            .await;
        Self { config }
    }

    /// Takes what an embedder put together.
    pub fn new(config: SdkConfig) -> Self {
        Self { config }
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
