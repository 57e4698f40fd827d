//! The recipe's settings for the plugin.

use super::{Guest, reindex::plugin::settings};

impl settings::Host for Guest {
    async fn get(&mut self) -> wasmtime::Result<String> {
        Ok(self.services.context.settings.clone())
    }
}
