//! Full-text search through the alias, in the query syntax of all backends: words that must all occur, phrases,
//! prefixes.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Index,
    client::Method,
    documents::Found,
    fault::{self, Said, Shards},
};
use crate::{capability::index::Document, error::Result};

/// More hits than an index returns at once.
const MOST: usize = 10_000;

/// How many bytes the hits of one search may have together; the caller can ask for fewer.
const MOST_BYTES: usize = 256 << 20;

#[derive(Deserialize)]
struct Answer {
    hits: Hits,
    timed_out: bool,
    _shards: Shards,
}

#[derive(Deserialize)]
struct Hits {
    total: Total,
    hits: Vec<Found>,
}

#[derive(Deserialize)]
struct Total {
    value: u64,
}

/// The best hits, and the count of all.
pub(super) async fn search(index: &Index, query: &str, limit: usize) -> Result<(u64, Vec<Document>)> {
    let operation = "the index cannot be searched";
    let body = json!({ "query": meant(query), "size": limit.min(MOST), "track_total_hits": true, "version": true });
    let path = format!("{}/_search", index.alias);
    let reply = index.client.call_within(operation, Method::Post, &path, Some(&body), MOST_BYTES).await?;
    match reply.status {
        200 => {}
        404 if Said::of(&reply).is_no_index() => return Ok((0, Vec::new())),
        _ => return Err(fault::answered(operation, index.client.engine(), &reply).with("alias", index.alias.clone())),
    }
    let Answer { hits, timed_out, _shards } = reply.json()?;
    fault::complete(operation, timed_out, &_shards).map_err(|error| error.with("alias", index.alias.clone()))?;
    if hits.hits.iter().any(|hit| !hit.has_source()) {
        return Err(fault::incomplete(operation, "a hit has no source").with("alias", index.alias.clone()));
    }
    let documents = index.documents(hits.hits, |_| Ok(())).await?;
    Ok((hits.total.value, documents.into_iter().flatten().collect()))
}

/// Turns the text of a search into a query; each term once, since engines limit their number.
fn meant(typed: &str) -> Value {
    let mut terms: Vec<String> = Vec::new();
    for (n, part) in typed.split('"').enumerate() {
        let parts: Vec<_> = if n % 2 == 1 { vec![part] } else { part.split_whitespace().collect() };
        for part in parts.into_iter().filter(|part| part.contains(char::is_alphanumeric)) {
            let term = if n % 2 == 1 { format!("\"{}\"", plain(part)) } else { plain(part) };
            if !terms.contains(&term) {
                terms.push(term);
            }
        }
    }
    if matches!(typed.trim(), "" | "*") {
        return json!({ "match_all": {} });
    }
    if terms.is_empty() {
        return json!({ "match_none": {} });
    }
    json!({ "simple_query_string": {
        "query": terms.join(" "), "fields": ["*"], "default_operator": "and", "lenient": true,
        "flags": "PHRASE|PREFIX|WHITESPACE",
    } })
}

/// Removes the characters that have a meaning within a term.
fn plain(term: &str) -> String {
    term.replace(['\\', '\0'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(typed: &str) -> String {
        meant(typed)["simple_query_string"]["query"].as_str().unwrap_or_default().to_owned()
    }

    #[test]
    fn words_phrases_and_prefixes_reach_the_engine_once_each() {
        assert_eq!(query(r#"ada "of the sea" lov* ada"#), r#"ada "of the sea" lov*"#);
        assert_eq!(query(&"word ".repeat(1000)), "word");
        assert_eq!(query("a \"open"), "a \"open\"");
    }

    #[test]
    fn nothing_typed_finds_everything_and_signs_alone_find_nothing() {
        assert!(meant(" ").get("match_all").is_some() && meant("*").get("match_all").is_some());
        assert!(meant("-- \"*\"").get("match_none").is_some());
    }
}
