//! What becomes of an item when a read is not answered: it is to be tried again.
//!
//! None of these reasons lies in the item. A missing grant is mended in the recipe: the host knows its text, ends the
//! run with it and says which line to add. The flaw of an image is the item's own, though: it will be there again next
//! time.

use crate::{
    Outcome,
    image::{Flaw, ImageError},
    index::IndexError,
    queue::QueueError,
    storage::StorageError,
};

impl From<StorageError> for Outcome {
    fn from(error: StorageError) -> Self {
        let (StorageError::Denied(reason)
        | StorageError::Unavailable(reason)
        | StorageError::TooLarge(reason)
        | StorageError::Other(reason)) = error;
        Self::Retry(reason)
    }
}

impl From<IndexError> for Outcome {
    fn from(error: IndexError) -> Self {
        let (IndexError::Denied(reason)
        | IndexError::Unavailable(reason)
        | IndexError::TooLarge(reason)
        | IndexError::Other(reason)) = error;
        Self::Retry(reason)
    }
}

impl From<ImageError> for Outcome {
    fn from(error: ImageError) -> Self {
        let (ImageError::Denied(reason)
        | ImageError::Unavailable(reason)
        | ImageError::TooLarge(reason)
        | ImageError::Other(reason)) = error;
        Self::Retry(reason)
    }
}

impl From<Flaw> for Outcome {
    fn from(flaw: Flaw) -> Self {
        match flaw {
            Flaw::Missing => Self::NotFound("there is no such image".to_owned()),
            Flaw::Refused(reason) | Flaw::Unreadable(reason) => Self::Invalid(reason),
            Flaw::Other(reason) => Self::Retry(reason),
        }
    }
}

impl From<QueueError> for Outcome {
    fn from(error: QueueError) -> Self {
        let (QueueError::Denied(reason) | QueueError::Unavailable(reason) | QueueError::Other(reason)) = error;
        Self::Retry(reason)
    }
}
