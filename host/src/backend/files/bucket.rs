//! Objects as files of a directory.
//!
//! Keeps no media types: a file's name tells. An etag is the digest of the content. A key cannot be stored when
//! another one uses it as a directory (`a` beside `a/b`): that is refused in words, not renamed.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use async_trait::async_trait;

use super::{blocking, explain, key};
use crate::{
    capability::storage::{self, ObjectInfo},
    error::{Error, Result},
};

/// Where objects are written before they get their name; no key is stored there, for its name is none of `key.rs`.
const UNFINISHED: &str = "%unfinished";

/// A bucket in a directory.
#[derive(Debug, Clone)]
pub struct Bucket {
    directory: PathBuf,
}

impl Bucket {
    /// Serves a directory, which is made with its first object.
    pub fn open(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }
}

#[async_trait]
impl storage::Bucket for Bucket {
    async fn get_many(&self, keys: &[String], max_bytes: u64) -> Result<Vec<Option<Vec<u8>>>> {
        let (directory, keys) = (self.directory.clone(), keys.to_vec());
        blocking(move || keys.iter().map(|key| get(&directory, key, max_bytes)).collect()).await
    }

    async fn head_many(&self, keys: &[String]) -> Result<Vec<Option<ObjectInfo>>> {
        let (directory, keys) = (self.directory.clone(), keys.to_vec());
        blocking(move || keys.iter().map(|key| head(&directory, key)).collect()).await
    }

    async fn put(&self, key: &str, bytes: Vec<u8>, _content_type: Option<&str>) -> Result<()> {
        let (directory, key) = (self.directory.clone(), key.to_owned());
        blocking(move || {
            let path = key::path(&directory, &key)?;
            put(&directory, &path, &bytes).map_err(|error| not_stored(error, &key, &path))
        })
        .await
    }

    async fn delete(&self, key: &str) -> Result<()> {
        let (directory, key) = (self.directory.clone(), key.to_owned());
        blocking(move || {
            // A key that cannot be stored is not there.
            let Ok(path) = key::path(&directory, &key) else { return Ok(()) };
            delete(&directory, &path).map_err(|error| explain(error, &path))
        })
        .await
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Vec<ObjectInfo>> {
        let directory = self.directory.clone();
        let (prefix, after) = (prefix.to_owned(), after.unwrap_or_default().to_owned());
        blocking(move || {
            let mut keys = Vec::new();
            let walk = Walk { prefix, after, limit };
            walk.directory(&directory, "", &mut keys).map_err(|error| explain(error, &directory))?;
            let infos = keys.iter().map(|key| head(&directory, key));
            // One that went away while the directory was read is not listed.
            infos.filter_map(Result::transpose).collect()
        })
        .await
    }
}

fn open(directory: &Path, key: &str) -> Result<Option<(fs::File, u64, PathBuf)>> {
    let Ok(path) = key::path(directory, key) else { return Ok(None) };
    let opened = fs::File::open(&path).and_then(|file| file.metadata().map(|found| (file, found)));
    match opened {
        Ok((_, found)) if found.is_dir() => Ok(None),
        Ok((file, found)) => Ok(Some((file, found.len(), path))),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(explain(error, &path)),
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn get(directory: &Path, key: &str, max_bytes: u64) -> Result<Option<Vec<u8>>> {
    let Some((file, size, path)) = open(directory, key)? else { return Ok(None) };
    let refuse = |size: u64| {
        Error::usage(format!("the object has {size} bytes, more than the limit of {max_bytes}")).with("key", key)
    };
    if size > max_bytes {
        return Err(refuse(size));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
    // A file may grow while it is read.
    io::Read::read_to_end(&mut io::Read::take(file, max_bytes.saturating_add(1)), &mut bytes)
        .map_err(|error| explain(error, &path))?;
    if bytes.len() as u64 > max_bytes { Err(refuse(bytes.len() as u64)) } else { Ok(Some(bytes)) }
}

fn head(directory: &Path, key: &str) -> Result<Option<ObjectInfo>> {
    let Some((file, size, path)) = open(directory, key)? else { return Ok(None) };
    let mut digest = blake3::Hasher::new();
    digest.update_reader(file).map_err(|error| explain(error, &path))?;
    let etag = digest.finalize().to_hex().to_string();
    Ok(Some(ObjectInfo { key: key.to_owned(), size, etag, content_type: None }))
}

/// Writes beside, makes it last, and only then gives it its name.
fn put(directory: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let unfinished = directory.join(UNFINISHED);
    fs::create_dir_all(&unfinished)?;
    let mut file = tempfile::Builder::new().permissions(usual_permissions()).tempfile_in(&unfinished)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    let parent = path.parent().unwrap_or(directory);
    let mut file = file.into_temp_path();
    // A deletion may take the empty directory away in between.
    for _ in 0..8 {
        fs::create_dir_all(parent)?;
        match file.persist(path) {
            Ok(()) => return fs::File::open(parent)?.sync_all(),
            Err(failed) if failed.error.kind() == io::ErrorKind::NotFound => file = failed.path,
            Err(failed) => return Err(failed.error),
        }
    }
    Err(io::Error::other("the directory goes away again and again"))
}

fn usual_permissions() -> fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o666)
}

fn not_stored(error: io::Error, key: &str, path: &Path) -> Error {
    let clashes = [io::ErrorKind::IsADirectory, io::ErrorKind::NotADirectory, io::ErrorKind::AlreadyExists];
    if clashes.contains(&error.kind()) {
        Error::usage("the key is also a directory of other keys, and a file cannot be both")
            .with("key", key)
            .hint("use keys of which none is another one's beginning up to a `/`")
            .because(error)
    } else {
        explain(error, path)
    }
}

fn delete(directory: &Path, path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if is_absent(&error) || error.kind() == io::ErrorKind::IsADirectory => return Ok(()),
        removed => removed?,
    }
    // Directories that hold nothing any more go too, so that their names are free.
    let inside = |parent: &&Path| parent.starts_with(directory) && *parent != directory;
    for parent in path.ancestors().skip(1).take_while(inside) {
        if fs::remove_dir(parent).is_err() {
            break;
        }
    }
    Ok(())
}

/// Collects keys in their order, going only where the asked ones can be.
struct Walk {
    prefix: String,
    after: String,
    limit: usize,
}

impl Walk {
    fn directory(&self, directory: &Path, above: &str, keys: &mut Vec<String>) -> io::Result<()> {
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
