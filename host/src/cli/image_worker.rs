//! `reindex image-worker`: the process that decodes images for another `reindex`. Nobody calls it by hand.

use crate::{backend::Program, error::Result};

use super::exit::Exit;

/// The word that makes this program decode.
const COMMAND: &str = "image-worker";

/// This program, told to decode. None if the system does not say where it is.
pub(super) fn program() -> Option<Program> {
    let file = std::env::current_exe().ok()?;
    Some(Program { file, arguments: vec![COMMAND.to_owned()] })
}

/// Decodes until nobody wants more.
pub(super) fn run() -> Result<Exit> {
    #[cfg(feature = "vips")]
    crate::backend::vips::worker::work()?;
    Ok(Exit::Done)
}
