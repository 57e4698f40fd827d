//! What a cluster says of each write of a bulk request, told apart by the error's type. Pure.

use std::borrow::Cow;

use serde::Deserialize;

use crate::capability::index::Written;

/// What has to be in an answer; everything else costs time on both sides.
pub(super) const FILTER: &str = "items.*.status,items.*.error.type,items.*.error.reason,\
    items.*.error.caused_by.reason,items.*.error.caused_by.caused_by.reason";

/// What one write's answer means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is settled.
    Settled(Written),
    /// The cluster has too much to do: again, and slower.
    Slower(String),
    /// Something passed it by: again.
    Again(String),
    /// The index takes no writes at present.
    Blocked(String),
    /// No write to this index can succeed: the error's type and reason.
    Hopeless(String, String),
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow, default)]
    items: Vec<Item<'a>>,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow, alias = "delete")]
    index: Said<'a>,
}

#[derive(Deserialize)]
struct Said<'a> {
    status: u16,
    #[serde(borrow, default)]
    error: Option<Fault<'a>>,
}

#[derive(Deserialize, Default)]
struct Fault<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    reason: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    caused_by: Option<Box<Fault<'a>>>,
}

/// The verdicts of an answer, in the order of the writes.
///
/// *Errors*: a text that is no such answer, or one of another length: it was cut off, so nothing is known.
pub(super) fn verdicts(text: &[u8], writes: usize) -> Result<Vec<Verdict>, String> {
    let answer: Answer<'_> =
        serde_json::from_slice(text).map_err(|error| format!("the answer to a bulk request is not one: {error}"))?;
    if answer.items.len() != writes {
        return Err(format!("{} of {writes} writes were answered", answer.items.len()));
    }
    Ok(answer.items.into_iter().map(|item| verdict(item.index.status, item.index.error.as_ref())).collect())
}

fn verdict(status: u16, fault: Option<&Fault<'_>>) -> Verdict {
    let Some(fault) = fault else {
        // A deletion of what is not there is answered 404, without an error.
        return if status < 300 || status == 404 {
            Verdict::Settled(Written::Done)
        } else {
            by_status(status, String::new())
        };
    };
    let reason = reason(fault);
    match fault.kind.as_ref() {
        "version_conflict_engine_exception" => Verdict::Settled(Written::NewerThere),
        kind if is_pushing_back(kind) => Verdict::Slower(reason),
        "cluster_block_exception" => Verdict::Blocked(reason),
        "index_not_found_exception" | "index_closed_exception" | "security_exception" => {
            Verdict::Hopeless(fault.kind.to_string(), reason)
        }
        _ => by_status(status, reason),
    }
}

/// Whether an error's type says that the cluster has too much to do.
pub(super) fn is_pushing_back(kind: &str) -> bool {
    // OpenSearch leaves the first letters out where it speaks of its own.
    matches!(kind, "es_rejected_execution_exception" | "rejected_execution_exception" | "circuit_breaking_exception")
}

fn by_status(status: u16, reason: String) -> Verdict {
    match status {
        429 => Verdict::Slower(reason),
        500.. => Verdict::Again(reason),
        _ => Verdict::Settled(Written::Refused(reason)),
    }
}

/// The reason with those that are behind it, since the first is often the least helpful.
fn reason(fault: &Fault<'_>) -> String {
    let mut reasons: Vec<&str> = Vec::new();
    for cause in std::iter::successors(Some(fault), |fault| fault.caused_by.as_deref()) {
        let reason = cause.reason.as_deref().unwrap_or_default();
        if !reason.is_empty() && !reasons.iter().any(|said| said.contains(reason)) {
            reasons.push(reason);
        }
    }
    if reasons.is_empty() { fault.kind.to_string() } else { reasons.join(": ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(status: u16, kind: &str) -> Verdict {
        let item = match kind {
            "" => format!("{{\"delete\":{{\"status\":{status}}}}}"),
            kind => {
                format!("{{\"index\":{{\"status\":{status},\"error\":{{\"type\":\"{kind}\",\"reason\":\"r\\n\"}}}}}}")
            }
        };
        verdicts(format!("{{\"errors\":true,\"items\":[{item}]}}").as_bytes(), 1).unwrap().remove(0)
    }

    #[test]
    fn answers_are_told_apart_by_the_type_of_the_error() {
        let r = || "r\n".to_owned();
        let cases = [
            (200, "", Verdict::Settled(Written::Done)),
            (404, "", Verdict::Settled(Written::Done)),
            (409, "version_conflict_engine_exception", Verdict::Settled(Written::NewerThere)),
            (429, "es_rejected_execution_exception", Verdict::Slower(r())),
            (429, "rejected_execution_exception", Verdict::Slower(r())),
            (429, "circuit_breaking_exception", Verdict::Slower(r())),
            (429, "cluster_block_exception", Verdict::Blocked(r())),
            (403, "cluster_block_exception", Verdict::Blocked(r())),
            (503, "unavailable_shards_exception", Verdict::Again(r())),
            (400, "document_parsing_exception", Verdict::Settled(Written::Refused(r()))),
            (404, "index_not_found_exception", Verdict::Hopeless("index_not_found_exception".into(), r())),
        ];
        for (status, kind, expected) in cases {
            assert_eq!(one(status, kind), expected, "{status} {kind}");
        }
    }

    #[test]
    fn causes_are_added_where_they_say_more() {
        let text = r#"{"items":[{"index":{"status":400,"error":{"type":"t","reason":"failed to parse","caused_by":
            {"reason":"Expected text","caused_by":{"type":"t"}}}}}]}"#;
        let refused = Verdict::Settled(Written::Refused("failed to parse: Expected text".into()));
        assert_eq!(verdicts(text.as_bytes(), 1), Ok(vec![refused]));
    }

    #[test]
    fn an_answer_of_another_length_answers_nothing() {
        assert!(verdicts(br#"{"items":[]}"#, 1).is_err());
        assert!(verdicts(br#"{"items":[{"index":{"sta"#, 1).is_err());
        assert!(verdicts(b"", 0).is_err());
    }
}
