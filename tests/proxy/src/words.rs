//! How each service says that it is too much. Which one was asked shows in the request's headers.

use bytes::Bytes;
use http_body_util::Full;
use hyper::{HeaderMap, Response, header::CONTENT_TYPE};

const DYNAMODB: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"The level of configured provisioned throughput for the table was exceeded."}"#;
const SQS: &str = r#"{"__type":"com.amazon.coral.availability#ThrottlingException","message":"Rate exceeded"}"#;
const S3: &str = r#"<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"#;
const ELASTICSEARCH: &str = r#"{"error":{"root_cause":[{"type":"es_rejected_execution_exception","reason":"rejected execution: the queue is full"}],"type":"es_rejected_execution_exception","reason":"rejected execution: the queue is full"},"status":429}"#;

/// Too much, in the words of the service these headers are meant for; Elasticsearch's, if it is none of Amazon's.
pub(crate) fn throttle(asked: &HeaderMap) -> Response<Full<Bytes>> {
    let text = |name: &str| asked.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let target = text("x-amz-target");
    if target.starts_with("DynamoDB") {
        answer(400, DYNAMODB)
    } else if target.starts_with("AmazonSQS") {
        answer(400, SQS)
    } else if text("authorization").contains("/s3/aws4_request") {
        answer(503, S3)
    } else {
        answer(429, ELASTICSEARCH)
    }
}

/// An answer of ours, with the kind of content its first character shows.
pub(crate) fn answer(status: u16, text: &str) -> Response<Full<Bytes>> {
    let kind = match text.as_bytes().first() {
        Some(b'{' | b'[') => "application/json",
        Some(b'<') => "application/xml",
        _ => "text/plain",
    };
    reply(status, &[(CONTENT_TYPE.to_string(), kind.to_owned())], text.as_bytes())
}

/// An answer of ours, to the letter.
pub(crate) fn reply(status: u16, headers: &[(String, String)], body: &[u8]) -> Response<Full<Bytes>> {
    let answer = Response::builder().status(status);
    let answer = headers.iter().fold(answer, |answer, (name, value)| answer.header(name, value));
    answer.body(Full::from(body.to_vec())).expect("a status and the headers a test asks for are some")
}
