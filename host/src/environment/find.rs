//! Where environments lie, `environments/<name>.toml`, and where `local` keeps its state, `.reindex`: in the nearest
//! directory that has one, from the recipe's upwards.

use std::path::{Component, Path, PathBuf};

use super::LOCAL;
use crate::{backend::state, document, error::Error};

const DIRECTORY: &str = "environments";

/// The directories in which environments and state are looked for.
pub(super) struct Around<'a> {
    /// The directory of the recipe.
    from: &'a Path,
    /// The directory that the person works in. The search goes up to it, also beyond a workspace within it, and makes
    /// the state there if there is none yet.
    home: &'a Path,
}

impl<'a> Around<'a> {
    pub(super) fn new(from: &'a Path, home: &'a Path) -> Self {
        Self { from, home }
    }

    /// The file of an environment, the nearest one first.
    pub(super) fn file(&self, name: &str) -> Option<PathBuf> {
        // A name is no path: `../prod` names nothing.
        let plain = Path::new(name).file_name().is_some_and(|file| file == name);
        self.environments()
            .map(|dir| dir.join(format!("{name}.toml")))
            .find(|path| plain && path.symlink_metadata().is_ok())
    }

    /// The directory in which `local` keeps its state.
    pub(super) fn base(&self) -> PathBuf {
        let marked = |dir: &PathBuf| [DIRECTORY, state::NAME].iter().any(|name| dir.join(name).is_dir());
        self.directories().into_iter().find(marked).unwrap_or_else(|| match self.is_at_home() {
            true => absolute(self.home),
            false => absolute(self.from),
        })
    }

    /// The names of all environments, `local` first, then by name.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .environments()
            .filter_map(|dir| std::fs::read_dir(dir).ok())
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.file_name().to_str()?.strip_suffix(".toml")?.to_owned()))
            .filter(|name| name != LOCAL)
            .collect();
        names.sort();
        names.dedup();
        names.insert(0, LOCAL.to_owned());
        names
    }

    pub(super) fn unknown(&self, name: &str) -> Error {
        let names = self.names();
        let error =
            Error::usage(format!("there is no environment `{name}`")).with("known", document::list(&names, "and"));
        match document::nearest(name, names.iter().map(String::as_str)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => {
                let place = self.from.join(DIRECTORY).join(format!("{name}.toml"));
                error.hint(format!("to make it, write {}", place.display()))
            }
        }
    }

    /// The `environments/` directories, nearest first.
    fn environments(&self) -> impl Iterator<Item = PathBuf> {
        self.directories().into_iter().map(|dir| dir.join(DIRECTORY)).filter(|dir| dir.is_dir())
    }

    /// The recipe's directory and those above it, up to its workspace's root and to the home if it is below that.
    fn directories(&self) -> Vec<PathBuf> {
        let from = absolute(self.from);
        let root = document::root(&from).unwrap_or_else(|| from.clone());
        let home = absolute(self.home);
        let above = from.ancestors();
        above
            .take_while(|dir| dir.starts_with(&root) || self.is_at_home() && dir.starts_with(&home))
            .map(Path::to_owned)
            .collect()
    }

    /// Whether the recipe is in the home or below it.
    fn is_at_home(&self) -> bool {
        absolute(self.from).starts_with(absolute(self.home))
    }
}

/// A directory by its absolute path, in which nothing leads upwards again.
fn absolute(dir: &Path) -> PathBuf {
    let dir = document::here(dir);
    let absolute = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let leads_up = absolute.components().any(|part| part == Component::ParentDir);
    if leads_up { absolute.canonicalize().unwrap_or(absolute) } else { absolute }
}
