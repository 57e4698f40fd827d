//! A bucket that tells by itself what came into it.

use std::time::Duration;

use async_trait::async_trait;

use super::ObjectInfo;
use crate::error::Result;

/// Tells of objects that came or changed, at least once each, also of those from before it was opened.
///
/// *Shape*: an object is told of when it is whole: one that somebody still writes waits.
#[async_trait]
pub trait Watch: Send + Sync {
    /// Waits until there are some that nobody acknowledged, at most so long. Answers nothing when the time is over.
    async fn arrivals(&self, wait: Duration) -> Result<Vec<ObjectInfo>>;

    /// Does not tell of these again until they change; survives the death of this process.
    async fn acknowledge(&self, arrivals: &[ObjectInfo]) -> Result<()>;
}
