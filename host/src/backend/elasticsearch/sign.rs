//! Signatures of AWS (version 4), which Amazon's managed search domains require.

use std::time::SystemTime;

use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider},
};
use aws_sigv4::{
    http_request::{PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use reqwest::{
    Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use tokio::sync::Mutex;

use super::{
    client::Method,
    config::{Service, Sign},
};
use crate::{
    backend::aws,
    clock::{Clock, System},
    error::{Error, Kind, Result},
};

/// How long before they expire credentials are renewed.
const MARGIN: std::time::Duration = std::time::Duration::from_secs(120);

/// Signs requests for one domain.
pub(super) struct Signer {
    region: String,
    service: Service,
    provider: SharedCredentialsProvider,
    kept: Mutex<Option<Credentials>>,
}

impl Signer {
    pub(super) fn new(config: &Sign, session: &aws::Session) -> Result<Self> {
        let provider = session.at(Some(&config.region), None).credentials_provider().ok_or_else(|| {
            Error::usage("`sign` needs AWS credentials, and this session has none")
                .hint("an embedder gives its session a credentials provider")
        })?;
        Ok(Self { region: config.region.clone(), service: config.service, provider, kept: Mutex::default() })
    }

    /// Whether the server is a serverless collection, which lacks much of a cluster's information.
    pub(super) fn is_serverless(&self) -> bool {
        self.service == Service::Aoss
    }

    /// Adds the headers of a signature.
    pub(super) async fn sign(&self, method: Method, url: &Url, body: &[u8], headers: &mut HeaderMap) -> Result<()> {
        let now = SystemTime::from(System.now());
        let identity = self.credentials(now).await?.into();
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(self.service.word())
            .time(now)
            .settings(settings)
            .build()
            .map_err(|error| unsigned(&error.to_string()))?
            .into();
        let request = SignableRequest::new(method.word(), url.as_str(), std::iter::empty(), SignableBody::Bytes(body))
            .map_err(|error| unsigned(&error.to_string()))?;
        let (signature, _) = sign(request, &params).map_err(|error| unsigned(&error.to_string()))?.into_parts();
        for (name, value) in signature.headers() {
            let name = HeaderName::try_from(name).map_err(|error| unsigned(&error.to_string()))?;
            let mut value = HeaderValue::try_from(value).map_err(|error| unsigned(&error.to_string()))?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(())
    }

    async fn credentials(&self, now: SystemTime) -> Result<Credentials> {
        let mut kept = self.kept.lock().await;
        let lasts = |credentials: &Credentials| credentials.expiry().is_none_or(|end| now + MARGIN < end);
        if let Some(credentials) = kept.as_ref().filter(|credentials| lasts(credentials)) {
            return Ok(credentials.clone());
        }
        let fresh = self.provider.provide_credentials().await.map_err(|error| {
            Error::new(Kind::Denied, "there are no usable AWS credentials to sign with")
                .because(error)
                .hint("sign in (`aws sso login`), set AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        })?;
        Ok(kept.insert(fresh).clone())
    }
}

fn unsigned(why: &str) -> Error {
    Error::bug(format!("a request cannot be signed: {why}"))
}

#[cfg(test)]
mod tests {
    use aws_config::SdkConfig;

    use super::*;

    async fn signed(service: Service, body: &[u8]) -> HeaderMap {
        let credentials = Credentials::new("AKIDEXAMPLE", "hush", Some("token".to_owned()), None, "test");
        let provider = SharedCredentialsProvider::new(credentials);
        let session = aws::Session::new(SdkConfig::builder().credentials_provider(provider).build());
        let signer = Signer::new(&Sign { region: "eu-west-2".to_owned(), service }, &session).unwrap();
        let mut headers = HeaderMap::new();
        let url = Url::parse("https://search.example.org/base/persons/_bulk?filter_path=a,b").unwrap();
        signer.sign(Method::Post, &url, body, &mut headers).await.unwrap();
        headers
    }

    #[tokio::test]
    async fn a_signature_names_region_and_service_and_holds_for_one_body() {
        let first = signed(Service::Es, b"a").await;
        let text = first["authorization"].to_str().unwrap();
        assert!(text.contains("/eu-west-2/es/aws4_request"), "{text}");
        assert!(text.contains("x-amz-content-sha256"), "{text}");
        assert_eq!(first["x-amz-security-token"], "token");
        let other = signed(Service::Es, b"b").await;
        assert_ne!(first["x-amz-content-sha256"], other["x-amz-content-sha256"]);
        assert!(!format!("{first:?}").contains("hush"));
        let serverless = signed(Service::Aoss, b"a").await;
        assert!(serverless["authorization"].to_str().unwrap().contains("/aoss/"));
    }
}
