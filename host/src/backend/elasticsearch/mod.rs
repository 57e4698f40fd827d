//! Indexes in Elasticsearch (8 and 9) and OpenSearch (2 and 3), whose APIs are nearly the same.
//!
//! A concrete index is behind an alias; the stamp of its versions is in its mapping (`_meta.reindex`). [`bulk`] writes.
//! Nothing here retries a call that the caller can repeat, except single writes within a bulk request.

mod alias;
mod answer;
mod body;
mod bulk;
mod client;
mod concrete;
mod config;
mod definition;
mod documents;
mod fault;
mod list;
mod load;
mod pace;
mod request;
mod search;
mod sign;

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use bytesize::ByteSize;
use serde_json::Value;

use self::{
    bulk::Bulk,
    client::{Client, Method, Reply},
    concrete::no_index,
    fault::Said,
};
pub use config::{Config, Service, Sign};

use crate::{
    backend::{self, aws},
    capability::index::{self, Alias, List, Stamp, Tune},
    error::{Error, Result},
};

/// The engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Elasticsearch, by Elastic.
    Elasticsearch,
    /// OpenSearch, and Amazon's service of that name.
    Opensearch,
}

/// The engine and its configuration, if a backend is one.
pub(super) fn of(config: &backend::Config) -> Option<(Engine, &Config)> {
    match config {
        backend::Config::Elasticsearch(config) => Some((Engine::Elasticsearch, config)),
        backend::Config::Opensearch(config) => Some((Engine::Opensearch, config)),
        _ => None,
    }
}

impl Engine {
    /// Its usual name.
    fn name(self) -> &'static str {
        match self {
            Self::Elasticsearch => "Elasticsearch",
            Self::Opensearch => "OpenSearch",
        }
    }

    /// The versions that are supported.
    fn versions(self) -> [&'static str; 2] {
        match self {
            Self::Elasticsearch => ["8", "9"],
            Self::Opensearch => ["2", "3"],
        }
    }

    /// Compares a server's answer to `GET /` with the configuration.
    fn check(self, said: &Value) -> Result<()> {
        let version = said["version"]["number"].as_str().unwrap_or_default();
        let found = match said["version"]["distribution"].as_str() {
            Some("opensearch") => Self::Opensearch,
            None if !version.is_empty() => Self::Elasticsearch,
            _ => {
                return Err(Error::usage("this is neither Elasticsearch nor OpenSearch")
                    .hint("check `url` in the environment file"));
            }
        };
        if found != self {
            return Err(Error::usage(format!("this is {}, not {}", found.name(), self.name())).hint(format!(
                "write `{}` instead of `{}` in the environment file",
                found.name().to_lowercase(),
                self.name().to_lowercase()
            )));
        }
        let major = version.split('.').next().unwrap_or_default();
        if self.versions().contains(&major) {
            return Ok(());
        }
        let [old, new] = self.versions();
        Err(Error::usage(format!("{} {version} is not supported", self.name()))
            .hint(format!("use version {old} or {new}")))
    }
}

/// The index behind one alias in a cluster.
#[derive(Debug)]
pub struct Index {
    client: Arc<Client>,
    bulk: Arc<Bulk>,
    alias: String,
    /// The cached properties of each concrete index that was read.
    known: Mutex<HashMap<String, Known>>,
}

/// The cached properties of a concrete index.
#[derive(Debug, Clone)]
struct Known {
    /// Where its versions come from.
    stamp: Option<Stamp>,
    /// The target of writes to it.
    write_alias: String,
}

impl Index {
    /// Opens an index; makes no request before the first call. Paths are relative to `beside`.
    ///
    /// *Errors*: those that the user can fix in the environment file.
    pub(super) fn open(
        engine: Engine,
        name: &str,
        config: &Config,
        beside: &Path,
        session: Option<&aws::Session>,
    ) -> Result<Self> {
        let within = |error: Error| error.with("resource", format!("backend.{name}.{}", engine.name().to_lowercase()));
        let alias = config.alias.as_deref().unwrap_or(name);
        concrete::check_name(alias).map_err(within)?;
        let client = Arc::new(Client::open(engine, config, beside, session).map_err(within)?);
        let ByteSize(enough) = config.bulk_bytes;
        let enough = usize::try_from(enough).unwrap_or(usize::MAX);
        let bulk = Arc::new(Bulk::new(client.clone(), enough, config.bulk_parallel));
        Ok(Self { client, bulk, alias: alias.to_owned(), known: Mutex::default() })
    }

    /// Returns the cached properties of a concrete index.
    ///
    /// *Errors*: there is no such index.
    async fn known(&self, concrete: &str) -> Result<Known> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner).get(concrete).cloned();
        match known() {
            Some(known) => Ok(known),
            None => {
                self.describe(concrete).await?;
                known().ok_or_else(|| Error::bug("an index that was found is not known"))
            }
        }
    }

    /// Makes a request about a concrete index that has to exist.
    async fn on(
        &self,
        concrete: &str,
        operation: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Reply> {
        let reply = self.client.call(operation, method, path, body).await?;
        match reply.status {
            200 => Ok(reply),
            404 if Said::of(&reply).is_no_index() => Err(no_index(concrete)),
            _ => Err(fault::answered(operation, self.client.engine(), &reply).with("index", concrete)),
        }
    }

    fn keep(&self, concrete: &str, known: Known) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(concrete.to_owned(), known);
    }

    fn forget(&self, concrete: &str) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(concrete);
    }
}

impl index::Index for Index {
    fn lists(&self) -> Option<&dyn List> {
        Some(self)
    }

    fn tunes(&self) -> Option<&dyn Tune> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn another_product_or_an_unknown_version_is_refused_with_what_to_write() {
        let says = |distribution: Option<&str>, number: &str| json!({ "version": { "number": number, "distribution": distribution } });
        for (engine, said) in [
            (Engine::Elasticsearch, says(None, "8.19.21")),
            (Engine::Elasticsearch, says(None, "9.1.0")),
            (Engine::Opensearch, says(Some("opensearch"), "2.19.6")),
            (Engine::Opensearch, says(Some("opensearch"), "3.0.0")),
        ] {
            engine.check(&said).unwrap();
        }
        for (engine, said, expected) in [
            (Engine::Elasticsearch, says(Some("opensearch"), "2.19.6"), "this is OpenSearch, not Elasticsearch"),
            (Engine::Opensearch, says(None, "8.1.0"), "this is Elasticsearch, not OpenSearch"),
            (Engine::Elasticsearch, says(None, "7.17.0"), "Elasticsearch 7.17.0 is not supported"),
            (Engine::Opensearch, says(Some("opensearch"), "1.3.0"), "OpenSearch 1.3.0 is not supported"),
            (Engine::Opensearch, json!({ "hello": "world" }), "this is neither Elasticsearch nor OpenSearch"),
        ] {
            let error = engine.check(&said).unwrap_err();
            assert_eq!(error.message(), expected);
            assert!(error.hint_text().is_some());
        }
    }
}
