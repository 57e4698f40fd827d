//! Reads a file written by a user, and finds the workspace it belongs to.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use bytesize::ByteSize;

use crate::error::{Error, Kind, Result};

/// The largest file that is read; files written by users are far smaller.
const MAX_BYTES: u64 = 1 << 20;

/// The files that mark the root of a workspace.
const MARKS: [&str; 3] = [".git", "Cargo.lock", "Cargo.toml"];

/// Reads a text file; `what` is the word that errors use for it.
pub(crate) fn read(what: &'static str, path: &Path) -> Result<String> {
    let shown = path.display().to_string();
    let refuse = |kind, message: String| Error::new(kind, message).with(what, shown.clone());
    if path.is_dir() {
        return Err(refuse(Kind::Usage, format!("the {what} is a directory")).hint("name the file itself"));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| unreadable(what, path, error))?;
    if bytes.len() as u64 > MAX_BYTES {
        let most = ByteSize(MAX_BYTES);
        return Err(refuse(Kind::Usage, format!("the {what} is larger than {most}"))
            .hint("is this the right file? records belong in a source, not here"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        Error::usage(format!("the {what} is not UTF-8"))
            .with(what, format!("{shown}:{line}"))
            .hint("save the file as UTF-8 text")
    })
}

fn unreadable(what: &'static str, path: &Path, error: std::io::Error) -> Error {
    let missing = error.kind() == std::io::ErrorKind::NotFound;
    let message = if missing { format!("there is no such {what}") } else { format!("the {what} cannot be read") };
    let refusal = Error::usage(message).with(what, path.display().to_string());
    if !missing {
        return refusal.because(error);
    }
    match siblings(path) {
        Some(near) => refusal.hint(format!("did you mean `{}`?", near.display())),
        None => refusal,
    }
}

/// The TOML file beside a missing one with the most similar name.
fn siblings(path: &Path) -> Option<PathBuf> {
    let names: Vec<String> = std::fs::read_dir(here(path.parent()?))
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".toml"))
        .collect();
    let near = super::nearest(path.file_name()?.to_str()?, names.iter().map(String::as_str))?;
    Some(path.with_file_name(near))
}

/// The workspace that a directory belongs to: the nearest one at or above it that holds `.git`, `Cargo.lock` or
/// `Cargo.toml`.
pub(crate) fn root(dir: &Path) -> Option<PathBuf> {
    let dir = std::path::absolute(here(dir)).ok()?;
    dir.ancestors().find(|dir| MARKS.iter().any(|mark| dir.join(mark).exists())).map(Path::to_owned)
}

/// A directory; an empty path is the current one.
pub(crate) fn here(dir: &Path) -> &Path {
    if dir.as_os_str().is_empty() { Path::new(".") } else { dir }
}
