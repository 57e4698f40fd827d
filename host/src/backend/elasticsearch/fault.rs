//! Turns an error answer of a cluster, or a missing answer, into an error that the user can act on.

use serde::Deserialize;
use serde_json::Value;

use super::{Engine, client::Reply};
use crate::{
    backend::reply::words,
    error::{Error, Kind, Result, Retry},
};

/// The error in an answer.
#[derive(Debug, Default, Clone)]
pub(super) struct Said {
    /// The error's type; empty if it has none.
    pub kind: String,
    /// Its reason, with the reasons behind it.
    pub reason: String,
    /// Whether a proxy gave the answer, which knows nothing of the cluster's contents.
    pub foreign: bool,
}

impl Said {
    /// Reads an answer, which may come from a proxy and not be JSON.
    pub(super) fn of(reply: &Reply) -> Self {
        let Ok(Value::Object(answer)) = serde_json::from_slice(&reply.body) else {
            let reason = words(&String::from_utf8_lossy(&reply.body));
            return Self { kind: String::new(), reason, foreign: true };
        };
        let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        match answer.get("error") {
            Some(Value::String(reason)) => Self { reason: words(reason), ..Self::default() },
            Some(error) => {
                let causes = std::iter::successors(error.get("caused_by"), |cause| cause.get("caused_by"));
                let mut reasons = vec![text(error, "reason")];
                reasons.extend(causes.map(|cause| text(cause, "reason")));
                reasons.dedup();
                reasons.retain(|reason| !reason.is_empty());
                Self { kind: words(&text(error, "type")), reason: words(&reasons.join(": ")), foreign: false }
            }
            // The format of Amazon's services.
            None => {
                let said = ["message", "Message"].iter().find_map(|key| answer.get(*key)).and_then(Value::as_str);
                Self { kind: String::new(), reason: words(said.unwrap_or_default()), foreign: said.is_none() }
            }
        }
    }

    /// Its reason, or its type if there is none.
    pub(super) fn words(&self) -> &str {
        if self.reason.is_empty() { &self.kind } else { &self.reason }
    }

    /// Whether the error means that there is no such index, or alias.
    pub(super) fn is_no_index(&self) -> bool {
        self.kind == "index_not_found_exception"
    }
}

/// Makes an error of an unexpected answer; `operation` is a fragment such as `the index cannot be made`.
pub(super) fn answered(operation: &str, engine: Engine, reply: &Reply) -> Error {
    let said = Said::of(reply);
    explain(operation, engine, reply.status, &said)
}

/// Makes an error of a status and its text.
pub(super) fn explain(operation: &str, engine: Engine, status: u16, said: &Said) -> Error {
    let error = |kind, what: &str| {
        let answer = [said.kind.as_str(), said.reason.as_str()].map(str::trim).join(" ");
        Error::new(kind, format!("{operation}: {what}")).with("answer", format!("{status} {}", answer.trim()))
    };
    let name = engine.name();
    match (status, said.kind.as_str()) {
        (_, "cluster_block_exception") => blocked(error(Kind::Unavailable, "the index takes no writes at present")),
        (_, "index_closed_exception") => {
            error(Kind::Usage, "the index is closed").of_place().hint("open it, or fill a new one with `--rebuild`")
        }
        (401, _) => error(Kind::Denied, &format!("{name} does not know who asks"))
            .hint("check `api-key`, `username` and `password`, or `sign`, in the environment file"),
        (403, _) | (_, "security_exception") => {
            error(Kind::Denied, &format!("{name} does not allow it")).hint(privileges(&said.reason))
        }
        (404, kind) if !kind.is_empty() => error(Kind::NotFound, "it does not exist there")
            .hint("check the index and the cluster in the environment file"),
        (413, _) => error(Kind::Usage, "the request is larger than the cluster takes")
            .hint("lower `bulk-bytes` in the environment file"),
        (429, _) => error(Kind::Unavailable, "the cluster has too much to do")
            .hint("it was tried again several times; run again later, or lower `bulk-parallel`; what was done is kept"),
        (502..=504, _) => error(Kind::Unavailable, "the cluster, or what stands before it, does not answer")
            .hint("run again when it does; what was done is kept"),
        (500.., _) => error(Kind::Unavailable, &format!("{name} failed"))
            .hint("its log says more; run again, what was done is kept"),
        _ if said.foreign || status < 400 => error(Kind::Unavailable, &format!("the answer is none of {name}'s"))
            .hint("check `url`, and what stands between here and the cluster; what was done is kept"),
        _ => error(Kind::Usage, &format!("{name} refuses it: {}", said.words())),
    }
}

/// Fails unless every shard completed its part of an answer.
pub(super) fn complete(operation: &str, timed_out: bool, shards: &Shards) -> Result<()> {
    if !timed_out && shards.failed == 0 {
        return Ok(());
    }
    let lacks = if timed_out { "it timed out".to_owned() } else { format!("{} shards failed", shards.failed) };
    Err(incomplete(operation, &lacks))
}

/// The error of an answer that lacks a part, so that nothing can be concluded from it.
pub(super) fn incomplete(operation: &str, lacks: &str) -> Error {
    Error::new(Kind::Unavailable, format!("{operation}: the answer is not complete: {lacks}"))
        .hint("look at the cluster's health, and what stands between here and there; what was done is kept")
}

/// The failed shards of an answer.
#[derive(Debug, Deserialize)]
pub(super) struct Shards {
    failed: u64,
}

/// The error of an index that accepts no writes, after several retries.
pub(super) fn blocked(error: Error) -> Error {
    error.retry(Retry::Never).hint(
        "free or add disk space if the disk is full, or take the block off (`index.blocks.*`); then run again: it goes on where it stopped",
    )
}

fn privileges(reason: &str) -> String {
    // Both engines name the action in brackets or between `action` and `is`, and a user is granted the privilege.
    let needs = if reason.contains("data/write") {
        "`write` on the index"
    } else if reason.contains("data/read") {
        "`read` on the index"
    } else if reason.contains("indices:admin") {
        "`create_index`, `manage` and `view_index_metadata` on the index and its alias"
    } else if reason.contains("cluster:monitor") || reason.contains("cluster:") {
        "`monitor` on the cluster"
    } else {
        return "check what this user, key or role may do on the index".to_owned();
    };
    format!("grant {needs} to this user, key or role")
}

/// Makes an error of a request without an answer.
pub(super) fn silent(operation: &str, url: &str, error: reqwest::Error) -> Error {
    let timed_out = error.is_timeout();
    let texts = causes(&error.without_url());
    let has = |word: &str| texts.iter().any(|text| text.contains(word));
    let made = |what: &str| Error::new(Kind::Unavailable, format!("{operation}: {what}")).with("cluster", url);
    let error = if has("UnknownIssuer") || has("certificate") || has("CertificateUnknown") {
        made("its certificate cannot be trusted").retry(Retry::Never).hint(
            "name the PEM file of the authority that signed it: `ca = \"ca.pem\"` in the environment file, beside that file",
        )
    } else if has("InvalidContentType") || has("corrupt message") {
        made("it does not speak TLS").retry(Retry::Never).hint("try `http://` in its `url`")
    } else if timed_out {
        made("it does not answer in time").hint("run again when it has less to do; what was done is kept")
    } else if has("dns error") {
        made("its name is not known").hint("check `url` in the environment file")
    } else {
        made("it cannot be reached")
            .hint("check `url` in the environment file, and whether the cluster is up; what was done is kept")
    };
    error.because(std::io::Error::other(texts.join(": ")))
}

fn causes(error: &(dyn std::error::Error + 'static)) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for cause in std::iter::successors(Some(error), |error| error.source()) {
        let text = cause.to_string();
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_says_whether_to_try_again_and_what_to_do() {
        let cases = [
            (401, "security_exception", Kind::Denied, false),
            (403, "security_exception", Kind::Denied, false),
            (403, "cluster_block_exception", Kind::Unavailable, false),
            (429, "cluster_block_exception", Kind::Unavailable, false),
            (404, "index_not_found_exception", Kind::NotFound, false),
            (429, "circuit_breaking_exception", Kind::Unavailable, true),
            (503, "", Kind::Unavailable, true),
            (500, "", Kind::Unavailable, true),
            // A proxy answers in its own format, and knows nothing of the cluster's contents.
            (400, "", Kind::Unavailable, true),
            (404, "", Kind::Unavailable, true),
        ];
        for (status, kind, expected, again) in cases {
            let said = Said { kind: kind.to_owned(), reason: "said".to_owned(), foreign: kind.is_empty() };
            let error = explain("the index cannot be read", Engine::Opensearch, status, &said);
            assert_eq!((error.kind(), error.may_retry()), (expected, again), "{status} {kind}");
            assert!(error.hint_text().is_some() && error.report().contains("said"), "{error:?}");
        }
    }

    #[test]
    fn what_is_refused_says_why_in_one_line() {
        let reply = Reply { status: 400, body: r#"{"error":{"type":"t","reason":"a\nb"},"status":400}"#.into() };
        let error = answered("the index cannot be made", Engine::Opensearch, &reply);
        assert_eq!(error.message(), "the index cannot be made: OpenSearch refuses it: a b");
        assert_eq!(error.kind(), Kind::Usage);
    }

    #[test]
    fn an_answer_is_read_whoever_gave_it() {
        let said = |body: &str| Said::of(&Reply { status: 400, body: body.to_owned().into() }).reason;
        assert_eq!(said(r#"{"error":"alias [x] missing","status":404}"#), "alias [x] missing");
        assert_eq!(said(r#"{"error":{"type":"t","reason":"a","caused_by":{"reason":"b"}}}"#), "a: b");
        assert_eq!(said(r#"{"message":"Forbidden"}"#), "Forbidden");
        assert_eq!(said("<html>"), "<html>");
        let foreign = |body: &str| Said::of(&Reply { status: 404, body: body.to_owned().into() }).foreign;
        assert!(foreign("<html>") && foreign("{}") && foreign("") && !foreign(r#"{"error":"x"}"#));
    }
}
