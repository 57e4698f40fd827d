//! Where the program is that decodes images: beside this one.

use crate::backend::Program;

/// The program's name, as Cargo builds and installs it.
const NAME: &str = "reindex-image-worker";

/// The program, which may be missing. None if the system does not say where this one is.
pub(super) fn program() -> Option<Program> {
    let file = std::env::current_exe().ok()?.with_file_name(NAME);
    Some(Program { file, arguments: Vec::new() })
}
