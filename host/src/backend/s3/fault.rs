//! Turns an error of a bucket into an error that the user can act on. Errors that are not specific to S3 are in
//! `backend/aws`.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use crate::{
    backend::aws,
    error::{Error, Kind, Retry},
};

/// The codes of other servers than AWS for a quota.
const FULL: [&str; 4] = ["QuotaExceeded", "XMinioAdminBucketQuotaExceeded", "XMinioStorageFull", "InsufficientStorage"];

/// A failed call.
pub(super) trait Fault {
    /// Explains what failed; `operation` is a fragment such as `the object cannot be read`.
    fn explain(&self, operation: &str, bucket: &str) -> Error;
}

impl<E> Fault for SdkError<E, HttpResponse>
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    fn explain(&self, operation: &str, bucket: &str) -> Error {
        let all = |what: &str| Error::new(Kind::Unavailable, format!("{operation}: {what}")).retry(Retry::Never);
        let raw = self.raw_response();
        let error = match (self.code(), raw.and_then(region)) {
            (Some("NoSuchBucket"), _) => all("there is no such bucket")
                .hint("check `bucket`, `region` and `endpoint` in the environment file, and the account"),
            (Some(code), _) if FULL.contains(&code) => all("the bucket has no room")
                .hint("raise its quota, or make room; then run the same command again"),
            (Some(code), _) if code.starts_with("KMS.") => all("the key that encrypts the bucket cannot be used")
                .hint("look at the state of the KMS key, and at who may use it"),
            (Some("XAdminUserNotFound"), _) => Error::new(Kind::Denied, format!("{operation}: the server does not know these credentials"))
                .hint("check the profile, the keys and the endpoint they are for"),
            (code, Some(region)) if raw.is_some_and(|raw| is_elsewhere(raw, code)) => {
                all(&format!("the bucket is in the region `{region}`"))
                    .hint(format!("write in the environment file: region = \"{region}\""))
            }
            (Some(code), None) if raw.is_some_and(|raw| is_elsewhere(raw, Some(code))) => {
                all("the bucket is in another region").with("answer", self.message().unwrap_or(code).to_owned())
                    .hint("write the bucket's own region in the environment file: region = \"…\"")
            }
            (Some("AccessDenied"), _) => aws::fault(operation, self)
                .hint("`reindex iam RECIPE` prints the policy that is needed; without s3:ListBucket an object that does not exist is denied, too"),
            _ => aws::fault(operation, self),
        };
        error.with("bucket", bucket)
    }
}

fn is_elsewhere(raw: &HttpResponse, code: Option<&str>) -> bool {
    const ELSEWHERE: [&str; 4] = [
        "PermanentRedirect",
        "TemporaryRedirect",
        "AuthorizationHeaderMalformed",
        "IllegalLocationConstraintException",
    ];
    matches!(raw.status().as_u16(), 301 | 307) || code.is_some_and(|code| ELSEWHERE.contains(&code))
}

/// The region of the bucket, from the answer.
fn region(raw: &HttpResponse) -> Option<String> {
    let said = raw.headers().get("x-amz-bucket-region").map(str::to_owned);
    said.or_else(|| between(std::str::from_utf8(raw.body().bytes()?).ok()?, "<Region>", "</Region>"))
}

fn between(text: &str, start: &str, end: &str) -> Option<String> {
    let rest = &text[text.find(start)? + start.len()..];
    let inner = &rest[..rest.find(end)?];
    (!inner.is_empty()).then(|| inner.to_owned())
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::operation::get_object::GetObjectError;
    use aws_smithy_types::{body::SdkBody, error::ErrorMetadata};

    use super::*;

    fn answer(status: u16, code: &str, body: &str) -> Error {
        let raw = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body.to_owned()));
        let metadata = ErrorMetadata::builder().code(code).message("said").build();
        SdkError::service_error(GetObjectError::generic(metadata), raw).explain("it cannot be read", "b")
    }

    #[test]
    fn what_is_wrong_with_the_whole_bucket_ends_a_run_and_names_the_way_out() {
        let region = "<Error><Region>eu-central-1</Region></Error>";
        let cases = [
            (404, "NoSuchBucket", "", "check `bucket`"),
            (400, "XMinioAdminBucketQuotaExceeded", "", "quota"),
            (400, "KMS.DisabledException", "", "KMS key"),
            (301, "PermanentRedirect", region, "region = \"eu-central-1\""),
            (400, "AuthorizationHeaderMalformed", region, "region = \"eu-central-1\""),
            (400, "AuthorizationHeaderMalformed", "<Region>", "the bucket's own region"),
        ];
        for (status, code, body, hint) in cases {
            let error = answer(status, code, body);
            assert_eq!((error.kind(), error.may_retry()), (Kind::Unavailable, false), "{code}");
            assert!(!error.concerns_item(), "{code}");
            assert!(error.hint_text().unwrap().contains(hint), "{error:?}");
        }
    }

    #[test]
    fn what_every_aws_service_says_is_left_to_the_words_for_all() {
        assert_eq!(answer(403, "AccessDenied", "").kind(), Kind::Denied);
        assert_eq!(answer(404, "XAdminUserNotFound", "").kind(), Kind::Denied);
        assert!(answer(503, "SlowDown", "").may_retry());
        assert!(answer(403, "RequestTimeTooSkewed", "").report().contains("clock"));
        assert!(answer(400, "ExpiredToken", "").report().contains("expired"));
    }
}
