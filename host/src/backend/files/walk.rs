//! Going through a directory in the order of its keys.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{key, object::is_absent};

/// Collects keys in their order, going only where the asked ones can be.
pub(super) struct Walk {
    pub(super) prefix: String,
    pub(super) after: String,
    pub(super) limit: usize,
}

impl Walk {
    /// Adds the keys under a directory, whose own begin with `above`.
    pub(super) fn directory(&self, directory: &Path, above: &str, keys: &mut Vec<String>) -> io::Result<()> {
        let mut entries = match fs::read_dir(directory) {
            Err(error) if is_absent(&error) => return Ok(()),
            read => read?
                .filter_map(|entry| entry.and_then(|entry| named(&entry, above)).transpose())
                .collect::<io::Result<Vec<_>>>()?,
        };
        entries.sort();
        for (key, name) in entries {
            if keys.len() >= self.limit {
                break;
            }
            if key.ends_with('/') && name.is_dir() {
                if self.leads_on(&key) {
                    self.directory(&name, &key, keys)?;
                }
            } else if key.starts_with(&self.prefix) && key > self.after {
                keys.push(key);
            }
        }
        Ok(())
    }

    fn leads_on(&self, above: &str) -> bool {
        let asked = above.starts_with(&self.prefix) || self.prefix.starts_with(above);
        asked && (above > self.after.as_str() || self.after.starts_with(above))
    }
}

/// The key of a file, or what the keys in a directory begin with; none for what is no object.
fn named(entry: &fs::DirEntry, above: &str) -> io::Result<Option<(String, PathBuf)>> {
    let Some(part) = entry.file_name().to_str().and_then(key::part) else { return Ok(None) };
    let path = entry.path();
    let is_directory = match fs::metadata(&path) {
        Ok(found) => found.is_dir(),
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(Some((format!("{above}{part}{}", if is_directory { "/" } else { "" }), path)))
}
