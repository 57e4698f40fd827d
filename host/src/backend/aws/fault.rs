//! Turns an error of an AWS SDK into an error that the user can act on.

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::{TRIES, wire::Unfit};
use crate::{
    backend::reply::{self, redirected, too_long},
    error::{Error, Kind},
};

/// The codes of throttling, of all services.
const THROTTLED: [&str; 9] = [
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "Throttling",
    "ThrottledException",
    "RequestThrottled",
    "RequestLimitExceeded",
    "SlowDown",
    "LimitExceededException",
    "TransactionInProgressException",
];
const EXPIRED: [&str; 4] = ["ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"];
const UNKNOWN: [&str; 6] = [
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "IncompleteSignature",
];
const SKEWED: [&str; 2] = ["RequestTimeTooSkewed", "RequestInTheFuture"];
/// The texts of DynamoDB and SQS for a wrong clock, under the code of a wrong signature.
const SKEWED_WORDS: [&str; 2] = ["Signature expired", "Signature not yet current"];
/// The text for a signature for another region.
const ELSEWHERE: &str = "Credential should be scoped to a valid region";
const DENIED: [&str; 4] = ["AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"];
const MISSING: [&str; 7] = [
    "ResourceNotFoundException",
    "NoSuchBucket",
    "NoSuchKey",
    "NotFound",
    "QueueDoesNotExist",
    "AWS.SimpleQueueService.NonExistentQueue",
    "TableNotFoundException",
];

/// Makes an error of a failed call; `operation` is a fragment such as `the table cannot be scanned`.
pub(in crate::backend) fn fault<E>(operation: &str, error: &SdkError<E, HttpResponse>) -> Error
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    match error {
        SdkError::ServiceError(service) => {
            let (raw, said) = (service.raw(), service.err());
            let status = raw.status().as_u16();
            if (300..400).contains(&status) {
                return redirected(operation, status, raw.headers().get("location"));
            }
            answered(operation, status, said.code().unwrap_or_default(), said.message().unwrap_or_default())
        }
        other if is_about_credentials(other) => {
            Error::new(Kind::Denied, format!("{operation}: there are no usable AWS credentials"))
                .because(std::io::Error::other(chain(other)))
                .hint("sign in (`aws sso login`), set AWS_PROFILE, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
        }
        SdkError::ConstructionFailure(_) => Error::usage(format!("{operation}: the request cannot be made"))
            .of_place()
            .because(std::io::Error::other(chain(error)))
            .hint("set the region: `region` in the environment file, or AWS_REGION"),
        other if let Some(Unfit::TooLong(most)) = unfit(other) => {
            too_long(operation, usize::try_from(*most).unwrap_or(usize::MAX))
        }
        other => Error::new(Kind::Unavailable, format!("{operation}: the endpoint does not answer as it should"))
            .tried(TRIES)
            .because(std::io::Error::other(chain(other)))
            .hint("check the endpoint, the region and the network; what was done is kept"),
    }
}

fn answered(operation: &str, status: u16, code: &str, said: &str) -> Error {
    let is = |codes: &[&str]| codes.contains(&code);
    let said = reply::words(said);
    let error =
        |kind, what: &str| Error::new(kind, format!("{operation}: {what}")).with("answer", answer(status, code, &said));
    if is(&THROTTLED) || status == 429 {
        error(Kind::Unavailable, "AWS asks to slow down")
            .tried(TRIES)
            .hint("it was tried again several times; lower the rate of the run, or raise the capacity")
    } else if is(&EXPIRED) {
        error(Kind::Denied, "the AWS credentials have expired")
            .hint("sign in again (`aws sso login`), then run again; what was done is kept")
    } else if is(&SKEWED) || SKEWED_WORDS.iter().any(|words| said.starts_with(words)) {
        error(Kind::Denied, "this machine's clock differs too much from AWS's")
            .hint("set the clock (NTP), then run again; what was done is kept")
    } else if said.contains(ELSEWHERE) {
        error(Kind::Denied, "the request is signed for another region than the endpoint's")
            .hint("write the endpoint's own region in the environment file: region = \"…\"")
    } else if is(&UNKNOWN) {
        error(Kind::Denied, "AWS does not know these credentials")
            .hint("check the profile, the keys and the endpoint they are for")
    } else if is(&DENIED) || status == 403 {
        error(Kind::Denied, "the credentials may not do this")
            .hint("`reindex iam RECIPE` prints the policy that is needed")
    } else if is(&MISSING) {
        error(Kind::NotFound, "it does not exist there").hint("check name, region and account in the environment file")
    } else if status >= 500 {
        error(Kind::Unavailable, "AWS failed")
            .tried(TRIES)
            .hint("it was tried again several times; run again later, what was done is kept")
    } else if code.is_empty() || status < 300 {
        error(Kind::Unavailable, "the answer is none of AWS's")
            .hint("check the endpoint, and what stands between here and there; what was done is kept")
    } else {
        error(Kind::Usage, &format!("AWS refuses the request: {}", if said.is_empty() { code } else { &said }))
    }
}

fn answer(status: u16, code: &str, said: &str) -> String {
    let code = if code.is_empty() { "without a code" } else { code };
    if said.is_empty() { format!("{status} {code}") } else { format!("{status} {code}: {said}") }
}

/// The error of an answer that lacks a part which every answer of its kind has: nothing can be concluded from it.
pub(in crate::backend) fn incomplete(operation: &str, lacks: &str) -> Error {
    Error::new(Kind::Unavailable, format!("{operation}: the answer is not complete: {lacks}"))
        .hint("check the endpoint, and what stands between here and there; what was done is kept")
}

/// The check of the wire that an answer failed.
fn unfit<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a Unfit> {
    std::iter::successors(Some(error), |error| error.source()).find_map(<dyn std::error::Error>::downcast_ref)
}

fn is_about_credentials(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(<dyn std::error::Error>::is::<CredentialsError>)
}

/// The text of an error and its causes, each once.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    for text in std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string) {
        if texts.last() != Some(&text) {
            texts.push(text);
        }
    }
    texts.join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_says_whether_to_try_again_and_what_to_do() {
        let cases = [
            (400, "ProvisionedThroughputExceededException", Kind::Unavailable, true),
            (503, "SlowDown", Kind::Unavailable, true),
            (400, "ExpiredTokenException", Kind::Denied, false),
            (403, "RequestTimeTooSkewed", Kind::Denied, false),
            (403, "SignatureDoesNotMatch", Kind::Denied, false),
            (400, "AccessDeniedException", Kind::Denied, false),
            (404, "NoSuchBucket", Kind::NotFound, false),
            (500, "InternalServerError", Kind::Unavailable, true),
            (400, "ValidationException", Kind::Usage, false),
            // A proxy answers in its own format, and knows nothing of the resources.
            (400, "", Kind::Unavailable, true),
            (404, "", Kind::Unavailable, true),
            (413, "", Kind::Unavailable, true),
            (200, "", Kind::Unavailable, true),
        ];
        for (status, code, kind, again) in cases {
            let error = answered("the table cannot be scanned", status, code, "said");
            assert_eq!((error.kind(), error.may_retry()), (kind, again), "{status} {code}");
            assert!(error.report().contains(code), "{error:?}");
        }
    }

    #[test]
    fn what_is_refused_says_why_in_one_line() {
        let said = "One or more parameter values were invalid:\n An number set  may not be empty";
        let error = answered("the table cannot be written", 400, "ValidationException", said);
        assert!(error.message().ends_with("invalid: An number set may not be empty"), "{error}");
        let error = answered("the table cannot be written", 400, "ItemCollectionSizeLimitExceededException", "");
        assert!(error.message().ends_with("ItemCollectionSizeLimitExceededException"), "{error}");
    }
}
