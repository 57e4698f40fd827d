//! The result of each write of a bulk request, classified by the type of its error. Pure.
//!
//! A write counts as done only if its own answer shows it in full: the operation, the id, the status and the result
//! have to match each other and the request. Any other answer is unusable.

use std::borrow::Cow;

use serde::Deserialize;

use super::body::Asked;
use crate::capability::index::Written;

/// The parts that an answer must have; every other part costs time on both sides.
pub(super) const FILTER: &str = "items.*._id,items.*.status,items.*.result,items.*.error.type,items.*.error.reason,\
    items.*.error.caused_by.reason,items.*.error.caused_by.caused_by.reason";

/// The meaning of one write's answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is settled.
    Settled(Written),
    /// The cluster is overloaded: retry, with fewer requests at a time.
    Slower(String),
    /// A temporary failure: retry.
    Again(String),
    /// The index accepts no writes at present.
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
#[serde(rename_all = "lowercase")]
enum Item<'a> {
    #[serde(borrow)]
    Index(Said<'a>),
    #[serde(borrow)]
    Delete(Said<'a>),
}

#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow)]
    _id: Cow<'a, str>,
    status: u16,
    #[serde(borrow, default)]
    result: Option<Cow<'a, str>>,
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
/// *Errors*: a text that is no such answer, is cut off, or contradicts the request or itself: nothing is known then.
pub(super) fn verdicts(text: &[u8], asked: &[Asked<'_>]) -> Result<Vec<Verdict>, String> {
    let answer: Answer<'_> =
        serde_json::from_slice(text).map_err(|error| format!("the answer to a bulk request is not one: {error}"))?;
    if answer.items.len() != asked.len() {
        return Err(format!("{} of {} writes were answered", answer.items.len(), asked.len()));
    }
    answer.items.iter().zip(asked).map(|(item, asked)| item.verdict(asked)).collect()
}

impl Item<'_> {
    fn verdict(&self, asked: &Asked<'_>) -> Result<Verdict, String> {
        let (deletes, said) = match self {
            Self::Index(said) => (false, said),
            Self::Delete(said) => (true, said),
        };
        if deletes != asked.deletes || said._id != asked.id {
            let verb = |deletes| if deletes { "delete" } else { "index" };
            let (asked_for, answered) = (verb(asked.deletes), verb(deletes));
            return Err(format!(
                "asked to {asked_for} `{}`, the answer is about `{}` ({answered})",
                asked.id, said._id
            ));
        }
        let verdict = match &said.error {
            Some(fault) => said.failed(fault),
            None => said.succeeded(deletes),
        };
        verdict.ok_or_else(|| said.contradiction(deletes))
    }
}

impl Said<'_> {
    /// The meaning of an answer without an error; none if it is inconsistent.
    fn succeeded(&self, deletes: bool) -> Option<Verdict> {
        match (deletes, self.status, self.result.as_deref()) {
            (false, 200 | 201, Some("created" | "updated")) => Some(Verdict::Settled(Written::Done)),
            (true, 200, Some("deleted")) | (true, 404, Some("not_found")) => Some(Verdict::Settled(Written::Done)),
            (false, 200 | 201, Some("noop")) => Some(Verdict::Settled(Written::Refused(DROPPED.to_owned()))),
            (_, 429, None) => Some(Verdict::Slower(String::new())),
            (_, 500..600, None) => Some(Verdict::Again(String::new())),
            _ => None,
        }
    }

    /// The meaning of an answer with an error; none if its status does not fit.
    fn failed(&self, fault: &Fault<'_>) -> Option<Verdict> {
        let reason = reason(fault);
        match (self.status, fault.kind.as_ref()) {
            (..400 | 600.., _) => None,
            (409, "version_conflict_engine_exception") => Some(Verdict::Settled(Written::NewerThere)),
            (_, "version_conflict_engine_exception") => None,
            (_, kind) if is_pushing_back(kind) => Some(Verdict::Slower(reason)),
            (_, "cluster_block_exception") => Some(Verdict::Blocked(reason)),
            (_, "index_not_found_exception" | "index_closed_exception" | "security_exception") => {
                Some(Verdict::Hopeless(fault.kind.to_string(), reason))
            }
            (429, _) => Some(Verdict::Slower(reason)),
            (500.., _) => Some(Verdict::Again(reason)),
            _ => Some(Verdict::Settled(Written::Refused(reason))),
        }
    }

    fn contradiction(&self, deletes: bool) -> String {
        let verb = if deletes { "delete" } else { "index" };
        let error = self.error.as_ref().map(|fault| format!(", error `{}`", fault.kind)).unwrap_or_default();
        let result = self.result.as_deref().unwrap_or("none");
        format!(
            "the answer to {verb} `{}` contradicts itself: status {}, result `{result}`{error}",
            self._id, self.status
        )
    }
}

/// Why a write that was accepted and not carried out failed.
const DROPPED: &str = "it was dropped on its way in (`result: noop`), as an ingest pipeline of the index does";

/// Whether an error's type means that the cluster is overloaded.
pub(super) fn is_pushing_back(kind: &str) -> bool {
    // OpenSearch omits the prefix for its own errors.
    matches!(kind, "es_rejected_execution_exception" | "rejected_execution_exception" | "circuit_breaking_exception")
}

/// The reason with its causes, since the first one is often the least helpful.
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

    /// The verdict of an answer with one item for a write of the document `a`.
    fn heard(item: &str, deletes: bool) -> Result<Verdict, String> {
        let asked = [Asked { deletes, id: "a".into() }];
        verdicts(format!("{{\"errors\":true,\"items\":[{item}]}}").as_bytes(), &asked).map(|mut all| all.remove(0))
    }

    fn failing(status: u16, kind: &str) -> Result<Verdict, String> {
        let error = format!("{{\"type\":\"{kind}\",\"reason\":\"r\\n\"}}");
        heard(&format!("{{\"index\":{{\"_id\":\"a\",\"status\":{status},\"error\":{error}}}}}"), false)
    }

    fn succeeding(verb: &str, status: u16, result: &str) -> Result<Verdict, String> {
        let item = format!("{{\"{verb}\":{{\"_id\":\"a\",\"status\":{status},\"result\":\"{result}\"}}}}");
        heard(&item, verb == "delete")
    }

    #[test]
    fn errors_are_told_apart_by_their_type() {
        let r = || "r\n".to_owned();
        let cases = [
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
            assert_eq!(failing(status, kind), Ok(expected), "{status} {kind}");
        }
        for (status, kind) in
            [(200, "document_parsing_exception"), (200, "version_conflict_engine_exception"), (0, "t"), (600, "t")]
        {
            assert!(failing(status, kind).is_err(), "{status} {kind}");
        }
    }

    #[test]
    fn a_write_is_done_only_if_its_status_and_its_result_say_so() {
        let done = || Ok(Verdict::Settled(Written::Done));
        for (verb, status, result) in [
            ("index", 201, "created"),
            ("index", 200, "updated"),
            ("delete", 200, "deleted"),
            ("delete", 404, "not_found"),
        ] {
            assert_eq!(succeeding(verb, status, result), done(), "{verb} {status} {result}");
        }
        let refused = Ok(Verdict::Settled(Written::Refused(DROPPED.to_owned())));
        assert_eq!(succeeding("index", 200, "noop"), refused);
        for (verb, status, result) in [
            ("index", 404, "not_found"),
            ("index", 404, "created"),
            ("index", 100, "created"),
            ("index", 0, "updated"),
            ("index", 200, "deleted"),
            ("index", 429, "created"),
            ("delete", 404, "deleted"),
            ("delete", 200, "not_found"),
            ("delete", 200, "noop"),
            ("delete", 201, "created"),
        ] {
            let said = succeeding(verb, status, result).unwrap_err();
            assert!(said.contains("contradicts itself"), "{verb} {status} {result}: {said}");
        }
        for status in [0, 100, 200, 201, 404] {
            let said = heard(&format!("{{\"index\":{{\"_id\":\"a\",\"status\":{status}}}}}"), false);
            assert!(said.is_err(), "{status} without a result");
        }
    }

    #[test]
    fn an_answer_about_something_else_answers_nothing() {
        let done = "\"status\":200,\"result\":\"updated\"";
        assert!(heard(&format!("{{\"index\":{{\"_id\":\"a\",{done}}}}}"), false).is_ok());
        assert!(heard(&format!("{{\"index\":{{\"_id\":\"\\u0061\",{done}}}}}"), false).is_ok(), "spelt otherwise");
        assert!(heard(&format!("{{\"index\":{{\"_id\":\"b\",{done}}}}}"), false).is_err(), "another id");
        assert!(heard(&format!("{{\"index\":{{{done}}}}}"), false).is_err(), "no id");
        assert!(heard(&format!("{{\"index\":{{\"_id\":\"a\",{done}}}}}"), true).is_err(), "another operation");
        assert!(heard(&format!("{{\"create\":{{\"_id\":\"a\",{done}}}}}"), false).is_err(), "an unknown one");
        let error = "\"status\":400,\"error\":{\"type\":\"t\"}";
        assert!(heard(&format!("{{\"index\":{{\"_id\":\"b\",{error}}}}}"), false).is_err(), "another's failure");
    }

    #[test]
    fn causes_are_added_where_they_say_more() {
        let item = r#"{"index":{"_id":"a","status":400,"error":{"type":"t","reason":"failed to parse","caused_by":
            {"reason":"Expected text","caused_by":{"type":"t"}}}}}"#;
        let refused = Verdict::Settled(Written::Refused("failed to parse: Expected text".into()));
        assert_eq!(heard(item, false), Ok(refused));
    }

    #[test]
    fn an_answer_of_another_length_answers_nothing() {
        let asked = [Asked { deletes: false, id: "a".into() }];
        assert!(verdicts(br#"{"items":[]}"#, &asked).is_err());
        assert!(verdicts(br#"{"items":[{"index":{"sta"#, &asked).is_err());
        assert!(verdicts(b"", &[]).is_err());
    }
}
