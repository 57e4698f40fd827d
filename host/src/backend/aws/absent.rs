//! Stands in for the AWS session in a build without any AWS backend.

/// Nobody: this build contains no AWS backend.
#[derive(Debug, Clone, Copy)]
pub struct Session;

impl Session {
    /// Does nothing.
    pub async fn standard() -> Self {
        Self
    }
}
