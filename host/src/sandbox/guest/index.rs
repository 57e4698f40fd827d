//! The bridge to search indexes.

use super::{Guest, reindex::plugin::index};
use crate::sandbox::reads::Refused;
use index::{Document, IndexError};

impl index::Host for Guest {
    async fn get_many(
        &mut self,
        index: String,
        ids: Vec<String>,
    ) -> wasmtime::Result<Result<Vec<Option<Document>>, IndexError>> {
        Ok(Err(match self.reads.documents(&self.services, &index, &ids).await {
            Ok(found) => return Ok(Ok(found.into_iter().map(|found| found.map(document)).collect())),
            Err(Refused::Denied(text)) => IndexError::Denied(text),
            Err(Refused::Unavailable(text)) => IndexError::Unavailable(text),
            Err(Refused::TooLarge(text)) => IndexError::TooLarge(text),
            Err(Refused::Other(text)) => IndexError::Other(text),
            Err(Refused::Call(exceeded)) => return Err(exceeded.into()),
        }))
    }
}

fn document(found: crate::capability::index::Document) -> Document {
    Document { id: found.id, version: found.version, body: found.body }
}
