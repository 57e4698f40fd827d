//! The configuration of an index in Elasticsearch or OpenSearch, and its checks. No I/O.

use std::path::PathBuf;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytesize::ByteSize;
use reqwest::{Url, header::HeaderValue};
use serde::{Deserialize, Serialize};

use crate::{
    backend::Secret,
    error::{Error, Result},
};

/// `[backend.<name>.elasticsearch]` and `[backend.<name>.opensearch]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The cluster's address, such as `https://search.example.org:9200`.
    pub url: String,
    /// The alias's name there; without it, the recipe's name of the index.
    pub alias: Option<String>,
    /// The cluster's uuid (`cluster_uuid` of `GET /`): nothing is written to another one.
    pub cluster: Option<String>,
    /// An API key, as the engine encodes it in base64.
    pub api_key: Option<Secret>,
    /// A user of the engine …
    pub username: Option<String>,
    /// … and the password.
    pub password: Option<Secret>,
    /// Signs requests with AWS credentials, for Amazon's managed domains.
    pub sign: Option<Sign>,
    /// A PEM file with the certificates of the authorities to trust besides the public ones.
    pub ca: Option<PathBuf>,
    /// Bytes of documents in one request, at most; a larger document is a request of its own.
    #[serde(default = "bulk_bytes")]
    #[schemars(with = "String", regex(pattern = crate::document::SIZE))]
    pub bulk_bytes: ByteSize,
    /// Requests that write at a time, at most; fewer are sent while the cluster pushes back.
    #[serde(default = "bulk_parallel")]
    pub bulk_parallel: u32,
}

/// The signature that the service requires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Sign {
    /// The AWS region of the domain.
    pub region: String,
    /// `es` for a managed domain, `aoss` for a serverless collection.
    #[serde(default = "managed")]
    pub service: Service,
}

/// Amazon's names for its two search services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// A managed domain.
    Es,
    /// A serverless collection.
    Aoss,
}

impl Service {
    /// The service name that a signature contains.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Es => "es",
            Self::Aoss => "aoss",
        }
    }
}

fn bulk_bytes() -> ByteSize {
    ByteSize::mb(5)
}

fn bulk_parallel() -> u32 {
    8
}

fn managed() -> Service {
    Service::Es
}

impl Config {
    /// Whether requests are signed for Amazon's managed domains.
    pub(in crate::backend) fn signs(&self) -> bool {
        self.sign.is_some()
    }

    /// The cluster's address.
    pub(super) fn address(&self) -> Result<Url> {
        let wrong = |what: &str| {
            Error::usage(format!("the address of the cluster {what}"))
                .hint("write `url = \"https://search.example.org\"`, and credentials as `api-key`, or `username` and `password`")
        };
        let url = Url::parse(&self.url).map_err(|error| wrong("is not a URL").because(error))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(wrong("is neither of http nor of https"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("holds credentials"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("has a `?` or a `#`"));
        }
        Ok(url)
    }

    /// The cluster's address for display, also of an address that is refused because it contains credentials.
    pub(in crate::backend) fn shown(&self) -> String {
        match self.url.split_once("://") {
            Some((scheme, rest)) => format!("{scheme}://{}", rest.rsplit('@').next().unwrap_or_default()),
            None => self.url.rsplit('@').next().unwrap_or_default().to_owned(),
        }
    }

    /// The header with the credentials, unless requests are signed or the cluster is open.
    ///
    /// *Errors*: more than one kind of credentials, or an incomplete one.
    pub(super) fn credentials(&self) -> Result<Option<HeaderValue>> {
        let header = |text: String| {
            let mut header = HeaderValue::try_from(text)
                .map_err(|error| Error::bug("credentials cannot stand in a header").because(error))?;
            header.set_sensitive(true);
            Ok(Some(header))
        };
        match (&self.api_key, &self.username, &self.password, &self.sign) {
            (Some(key), None, None, None) if key.reveal().bytes().all(|byte| byte.is_ascii_graphic()) => {
                header(format!("ApiKey {}", key.reveal()))
            }
            (Some(_), None, None, None) => Err(Error::usage("`api-key` holds signs that no key has")
                .hint("use the key's `encoded` form, one line of base64")),
            (None, Some(user), Some(password), None) => {
                header(format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.reveal()))))
            }
            (None, None, None, _) => Ok(None),
            _ => Err(Error::usage("the cluster is given more than one way to know who asks, or half of one").hint(
                "keep one of: `api-key`; `username` and `password`; `sign = { region = \"…\", service = \"es\" }`",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(rest: &str) -> Config {
        toml::from_str(&format!("url = 'https://search.example.org'\n{rest}")).unwrap()
    }

    #[test]
    fn one_way_to_authenticate_is_taken_and_two_or_a_half_are_refused() {
        for good in ["", "api-key = 'a'", "username = 'u'\npassword = 'p'", "sign = { region = 'r' }"] {
            assert!(config(good).credentials().is_ok(), "{good}");
        }
        let bad = [
            "username = 'u'",
            "password = 'p'",
            "api-key = 'a'\nusername = 'u'\npassword = 'p'",
            "api-key = 'a'\nsign = { region = 'r' }",
            "api-key = \"a\\nb\"",
        ];
        for bad in bad {
            let error = config(bad).credentials().err().unwrap();
            assert!(error.hint_text().is_some(), "{bad}");
        }
    }

    #[test]
    fn an_address_that_cannot_be_one_is_refused_and_its_password_is_not_shown() {
        for bad in ["search:9200", "ftp://x", "http://", "http://u:hush@x", "http://x?a=b", ""] {
            let said = Config { url: bad.to_owned(), ..config("") };
            let error = said.address().err().unwrap_or_else(|| panic!("{bad}"));
            assert!(!error.report().contains("hush") && !said.shown().contains("hush"));
        }
        assert!(config("").address().is_ok());
    }

    #[test]
    fn secrets_stay_out_of_debug_texts() {
        let shown = format!("{:?}", config("username = 'u'\npassword = 'hush'"));
        assert!(!shown.contains("hush"));
        assert!(toml::from_str::<Config>("url = 'x'\nurls = 'y'").is_err());
    }
}
