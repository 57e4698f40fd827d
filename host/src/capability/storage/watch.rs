//! A bucket that notifies of new objects itself.

use std::time::Duration;

use async_trait::async_trait;

use super::ObjectInfo;
use crate::error::Result;

/// Notifies of objects that were stored or changed, at least once each, also of those from before it was opened.
///
/// *Shape*: an object is notified when it is complete: a file that is still being written waits.
#[async_trait]
pub trait Watch: Send + Sync {
    /// Waits until there are unacknowledged objects, at most for `wait`. Returns none when the time is over.
    async fn arrivals(&self, wait: Duration) -> Result<Vec<ObjectInfo>>;

    /// Acknowledges objects: they are not notified again until they change. Survives the death of this process.
    async fn acknowledge(&self, arrivals: &[ObjectInfo]) -> Result<()>;
}
