//! Who calls the servers that stand in for AWS.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_http_client::{Builder, tls};
use reindex::backend::aws::Session;

/// Somebody whom the servers believe.
pub fn session() -> Session {
    Session::new(config(None))
}

/// The same for a client of the test's own.
pub fn config(endpoint: Option<&str>) -> SdkConfig {
    let http = Builder::new().tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring)).build_https();
    let by = servers::Credentials::TESTS;
    let somebody = Credentials::new(by.access_key, by.secret_key, None, None, "test");
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http)
        .region(Region::new(by.region))
        .credentials_provider(SharedCredentialsProvider::new(somebody));
    config.set_endpoint_url(endpoint.map(str::to_owned));
    config.build()
}
