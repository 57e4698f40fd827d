//! The text of an answer as it was received, instead of the tree of values that the SDK makes of it.
//!
//! Items are used as JSON text in any case, so parsing them into maps and writing them again would take most of a run's
//! CPU, for nothing. The SDK still signs, sends, retries, and reads errors.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::operation::{
    batch_get_item::{BatchGetItemError, BatchGetItemOutput},
    scan::{ScanError, ScanOutput},
};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{
            Intercept,
            context::{BeforeSerializationInterceptorContextRef, Error as Failure, Output},
            dyn_dispatch_hint,
        },
        orchestrator::{HttpResponse, OrchestratorError},
        ser_de::{DeserializeResponse, SharedResponseDeserializer},
    },
};
use aws_smithy_types::{config_bag::ConfigBag, error::ErrorMetadata};
use serde::Deserialize;

/// Receives the text of one call's answer.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    text: Arc<Mutex<Vec<u8>>>,
    empty: fn() -> Output,
    failure: fn(ErrorMetadata) -> Failure,
}

impl Answer {
    /// Of a scan.
    pub fn of_scan() -> Self {
        Self {
            text: Arc::default(),
            empty: || Output::erase(ScanOutput::builder().build()),
            failure: |said| Failure::erase(ScanError::generic(said)),
        }
    }

    /// Of a read of many keys.
    pub fn of_batch_get() -> Self {
        Self {
            text: Arc::default(),
            empty: || Output::erase(BatchGetItemOutput::builder().build()),
            failure: |said| Failure::erase(BatchGetItemError::generic(said)),
        }
    }

    /// Returns the text, once the call has succeeded.
    pub fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.text.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[dyn_dispatch_hint]
impl Intercept for Answer {
    fn name(&self) -> &'static str {
        "the text of the answer"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        config.interceptor_state().store_put(SharedResponseDeserializer::new(self.clone()));
        Ok(())
    }
}

impl DeserializeResponse for Answer {
    fn deserialize_nonstreaming_with_config(
        &self,
        response: &HttpResponse,
        _: &ConfigBag,
    ) -> Result<Output, OrchestratorError<Failure>> {
        let body = response.body().bytes().unwrap_or_default();
        if !response.status().is_success() {
            return Err(OrchestratorError::operation((self.failure)(said(body))));
        }
        *self.text.lock().unwrap_or_else(PoisonError::into_inner) = body.to_vec();
        Ok((self.empty)())
    }
}

/// The answer to a refused call.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    __type: String,
    #[serde(alias = "Message")]
    message: String,
}

fn said(body: &[u8]) -> ErrorMetadata {
    let refusal: Refusal = serde_json::from_slice(body).unwrap_or_default();
    let code = refusal.__type.rsplit('#').next().unwrap_or_default();
    let builder = ErrorMetadata::builder().message(&refusal.message);
    if code.is_empty() { builder.build() } else { builder.code(code).build() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_by_its_code_without_the_space_before_it() {
        let said = said(br#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"slow"}"#);
        assert_eq!((said.code(), said.message()), (Some("ThrottlingException"), Some("slow")));
        assert_eq!(super::said(b"<html>").code(), None);
    }
}
