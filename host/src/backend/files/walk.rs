//! Going through a directory in the order of its keys.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{key, object::is_absent};

/// Collects keys in their order, going only where the asked ones can be.
#[derive(Default)]
pub(super) struct Walk {
    pub(super) prefix: String,
    pub(super) after: String,
    pub(super) limit: usize,
    /// What was asked for.
    pub(super) keys: Vec<String>,
    /// What came in the way and is no object.
    pub(super) strangers: Vec<PathBuf>,
}

impl Walk {
    /// Adds the keys under a directory, whose own begin with `above`.
    pub(super) fn directory(&mut self, directory: &Path, above: &str) -> io::Result<()> {
        for (key, path) in self.entries(directory, above)? {
            if self.keys.len() >= self.limit {
                break;
            }
            if key.ends_with('/') && path.is_dir() {
                if self.leads_on(&key) {
                    self.directory(&path, &key)?;
                }
            } else if key.starts_with(&self.prefix) && key > self.after {
                self.keys.push(key);
            }
        }
        Ok(())
    }

    /// What lies in a directory, in the order of the keys.
    fn entries(&mut self, directory: &Path, above: &str) -> io::Result<Vec<(String, PathBuf)>> {
        let read = match fs::read_dir(directory) {
            Err(error) if is_absent(&error) => return Ok(Vec::new()),
            read => read?,
        };
        let mut entries = Vec::new();
        for entry in read {
            let entry = entry?;
            if key::is_strange(&entry.file_name()) {
                self.strangers.push(entry.path());
            }
            entries.extend(named(&entry, above)?);
        }
        entries.sort();
        Ok(entries)
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
