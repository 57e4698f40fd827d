//! Lists the documents of an index, and removes those that were not written since.
//!
//! The order is that of the last write (`_seq_no`), which needs no open state on the server, survives a crash, and is
//! supported by every engine. It is unique only within a shard, so a part ends before the last number it saw, and the
//! next part begins there.

use async_trait::async_trait;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Index,
    body::{self, BulkChunk},
    client::Method,
    fault::{self, Shards},
};
use crate::{
    capability::index::{Documents as _, List, Listed, Listing, Written},
    error::{Error, Kind, Result},
};

/// The most documents that an index returns at once.
const MOST: usize = 10_000;

/// How many documents are removed in one request.
const TOGETHER: usize = 1_000;

#[derive(Deserialize)]
struct Answer {
    hits: Hits,
    timed_out: bool,
    _shards: Shards,
}

impl Answer {
    fn hits(self, operation: &str) -> Result<Vec<Hit>> {
        fault::complete(operation, self.timed_out, &self._shards).map(|()| self.hits.hits)
    }
}

#[derive(Deserialize)]
struct Hits {
    hits: Vec<Hit>,
}

#[derive(Deserialize)]
struct Hit {
    _id: String,
    _seq_no: u64,
    _primary_term: u64,
}

#[async_trait]
impl List for Index {
    async fn watermark(&self, concrete: &str) -> Result<Option<u64>> {
        self.refresh(concrete).await?;
        let body = json!({
            "sort": [{ "_seq_no": "desc" }], "size": 1, "_source": false, "seq_no_primary_term": true,
            "track_total_hits": false,
        });
        let path = format!("{concrete}/_search?allow_partial_search_results=false");
        let operation = "its last write cannot be told";
        let reply = self.on(concrete, operation, Method::Post, &path, Some(&body)).await?;
        Ok(reply.json::<Answer>()?.hits(operation)?.first().map(|hit| hit._seq_no))
    }

    async fn list(
        &self,
        concrete: &str,
        query: Option<&str>,
        until: Option<u64>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Listing> {
        self.known(concrete).await?;
        let mut query = query.map(selection).transpose()?.unwrap_or_else(|| json!({ "match_all": {} }));
        if let Some(until) = until {
            query = json!({ "bool": { "filter": [query, { "range": { "_seq_no": { "lte": until } } }] } });
        }
        let after = after.map(position).transpose()?;
        if after.is_none() {
            self.refresh(concrete).await?;
        }
        let mut size = limit.clamp(2, MOST);
        loop {
            let hits = self.hits(concrete, &query, after, size).await?;
            // Only an empty part is the end: a part may be short for other reasons.
            let Some(last) = hits.last().map(|hit| hit._seq_no) else { return Ok(Listing::default()) };
            // Documents of the last number may be cut off on other shards, unless the part was not full.
            let (is_full, is_whole) = (hits.len() >= size, |hit: &Hit| hit._seq_no < last);
            let whole: Vec<_> = hits.into_iter().take_while(|hit| !is_full || is_whole(hit)).collect();
            if !whole.is_empty() {
                let next = whole.last().map(|hit| hit._seq_no.to_string());
                return Ok(Listing { documents: listed(whole), next });
            }
            if size == MOST {
                return Err(Error::usage("the index has too many shards to list its documents").with("index", concrete));
            }
            size = (size * 2).min(MOST);
        }
    }

    async fn remove_listed(&self, concrete: &str, documents: &[Listed]) -> Result<Vec<bool>> {
        let write_alias = self.known(concrete).await?.write_alias;
        let mut removed = Vec::with_capacity(documents.len());
        for part in documents.chunks(TOGETHER) {
            let mut chunk = BulkChunk::default();
            for document in part {
                line(document, &mut chunk)?;
            }
            for written in self.bulk.alone(&write_alias, chunk).await? {
                removed.push(match written {
                    Written::Done => true,
                    Written::NewerThere => false,
                    Written::Refused(reason) | Written::Failed(reason) => return Err(kept(concrete, &reason)),
                });
            }
        }
        Ok(removed)
    }
}

impl Index {
    async fn hits(&self, concrete: &str, query: &Value, after: Option<u64>, size: usize) -> Result<Vec<Hit>> {
        let mut body = json!({
            "query": query, "sort": ["_seq_no"], "size": size, "_source": false,
            "seq_no_primary_term": true, "track_total_hits": false,
        });
        if let Some(after) = after {
            body["search_after"] = json!([after]);
        }
        // An answer without some of the shards would look complete.
        let path = format!("{concrete}/_search?allow_partial_search_results=false");
        let operation = "its documents cannot be listed";
        let reply = self.on(concrete, operation, Method::Post, &path, Some(&body)).await?;
        reply.json::<Answer>()?.hits(operation)
    }
}

fn listed(hits: Vec<Hit>) -> Vec<Listed> {
    let listed = |hit: Hit| Listed { id: hit._id, guard: format!("{} {}", hit._seq_no, hit._primary_term) };
    hits.into_iter().map(listed).collect()
}

/// A deletion under the condition of the guard; a version of its own would refuse the whole request.
fn line(document: &Listed, chunk: &mut BulkChunk) -> Result<()> {
    let parts =
        document.guard.split_once(' ').and_then(|(number, term)| Some((number.parse().ok()?, term.parse().ok()?)));
    let (number, term): (u64, u64) = parts.ok_or_else(|| Error::bug("the guard of a listed document is none"))?;
    chunk.lines.extend_from_slice(body::DELETE);
    body::quote(&document.id, &mut chunk.lines);
    chunk.lines.extend_from_slice(format!(",\"if_seq_no\":{number},\"if_primary_term\":{term}}}}}\n").as_bytes());
    chunk.ends.push(chunk.lines.len());
    Ok(())
}

fn kept(concrete: &str, reason: &str) -> Error {
    Error::new(Kind::Unavailable, format!("a document cannot be removed: {reason}")).with("index", concrete)
}

/// The query of a recipe for the documents to prune.
fn selection(query: &str) -> Result<Value> {
    let hint = "write it as the engine's own JSON, such as {\"term\":{\"kind\":\"person\"}}";
    let query: Value = serde_json::from_str(query)
        .map_err(|error| Error::usage("the query of the documents to prune is not JSON").because(error).hint(hint))?;
    if query.is_object() {
        Ok(query)
    } else {
        Err(Error::usage("the query of the documents to prune is no JSON object").hint(hint))
    }
}

fn position(after: &str) -> Result<u64> {
    after.parse().map_err(|error| Error::bug("the place in a listing is none").because(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removal_names_the_write_it_is_about() {
        let mut chunk = BulkChunk::default();
        line(&Listed { id: "a\"".into(), guard: "7 1".into() }, &mut chunk).unwrap();
        let text = std::str::from_utf8(&chunk.lines).unwrap();
        assert_eq!(text, "{\"delete\":{\"_id\":\"a\\\"\",\"if_seq_no\":7,\"if_primary_term\":1}}\n");
        assert!(line(&Listed { id: "a".into(), guard: "x".into() }, &mut chunk).is_err());
    }

    #[test]
    fn a_query_that_is_none_is_refused() {
        assert!(selection("[]").is_err() && selection("kind:person").is_err());
        assert!(selection(r#"{"match_all":{}}"#).is_ok());
    }
}
