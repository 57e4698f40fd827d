//! Replaces the AWS session in a build without any AWS backend.

use crate::error::{Error, Result};

/// No session: this build contains no AWS backend.
#[derive(Debug, Clone, Copy)]
pub struct Session;

impl Session {
    /// Does nothing.
    pub async fn standard() -> Self {
        Self
    }

    /// Does nothing.
    #[must_use]
    pub fn within(self, _region: Option<&str>, _endpoint: Option<&str>) -> Self {
        self
    }

    /// Refuses: this build cannot call AWS.
    pub async fn account(&self) -> Result<String> {
        Err(Error::usage("this build of reindex contains no AWS backend").hint("build it with `--features aws`"))
    }
}
