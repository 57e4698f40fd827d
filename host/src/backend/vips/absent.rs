//! What a build without libvips answers to whoever wants an image opened.

use std::{path::PathBuf, sync::Arc};

use super::Program;
use crate::{
    capability::image::{Config, Images},
    error::{Error, Result},
};

/// Opens whoever opens images, which this build does not contain.
///
/// *Errors*: always.
pub fn open(_program: Option<&Program>, _config: &Config, _root: PathBuf) -> Result<Arc<dyn Images>> {
    Err(absent())
}

/// The process that decodes, which this build does not contain.
pub mod worker {
    use crate::error::Result;

    /// Decodes nothing.
    ///
    /// *Errors*: always.
    pub fn work() -> Result<()> {
        Err(super::absent())
    }
}

fn absent() -> Error {
    Error::usage("this build of reindex does not open images").hint(
        "build it with `--features vips`, which takes libvips 8.14 or newer: on Debian, `apt-get install libvips-dev`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_wants_images_hears_which_feature_to_switch_on() {
        let hint = worker::work().unwrap_err().report();
        assert!(hint.contains("--features vips") && hint.contains("libvips-dev"), "{hint}");
    }
}
