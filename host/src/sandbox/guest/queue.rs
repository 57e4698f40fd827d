//! The bridge to queues.

use super::{Guest, reindex::plugin::queue};
use crate::sandbox::reads::Refused;
use queue::QueueError;

impl queue::Host for Guest {
    async fn depth_many(&mut self, queues: Vec<String>) -> wasmtime::Result<Result<Vec<u64>, QueueError>> {
        Ok(Err(match self.reads.depths(&self.services, &queues).await {
            Ok(depths) => return Ok(Ok(depths)),
            Err(Refused::Denied(text)) => QueueError::Denied(text),
            Err(Refused::Unavailable(text)) => QueueError::Unavailable(text),
            Err(Refused::TooLarge(text) | Refused::Other(text)) => QueueError::Other(text),
            Err(Refused::Call(exceeded)) => return Err(exceeded.into()),
        }))
    }
}
