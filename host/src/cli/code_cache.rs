//! Where this user keeps compiled plugins.

use std::{env, path::PathBuf};

use crate::{
    error::{Kind, Result},
    sandbox::CodeCache,
};

/// This user's directory of compiled plugins; none where there is no home directory that can be written to.
///
/// *Errors*: other users can change it.
pub(super) fn open() -> Result<Option<CodeCache>> {
    let Some(directory) = directory() else { return Ok(None) };
    match CodeCache::open(&directory) {
        Ok(cache) => Ok(Some(cache)),
        Err(error) if error.kind() == Kind::Unavailable => Ok(None),
        Err(error) => Err(error),
    }
}

/// As the XDG base directory specification says: a relative path is ignored.
fn directory() -> Option<PathBuf> {
    let path = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = path("XDG_CACHE_HOME").or_else(|| Some(path("HOME")?.join(".cache")))?;
    Some(caches.join("reindex").join("compiled"))
}
