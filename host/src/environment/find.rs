//! Where environments lie: `environments/<name>.toml`, beside the recipe or above it.

use std::path::{Path, PathBuf};

use super::LOCAL;
use crate::{document, error::Error};

const DIRECTORY: &str = "environments";

/// The file of an environment, the nearest one first.
pub(super) fn file(recipe_dir: &Path, name: &str) -> Option<PathBuf> {
    // A name is no path: `../prod` names nothing.
    let plain = Path::new(name).file_name().is_some_and(|file| file == name);
    directories(recipe_dir)
        .into_iter()
        .map(|dir| dir.join(format!("{name}.toml")))
        .find(|path| plain && path.symlink_metadata().is_ok())
}

/// The directory beside whose environments `local` keeps its state: the recipe's own where there are none.
pub(super) fn base(recipe_dir: &Path) -> PathBuf {
    let nearest = directories(recipe_dir).into_iter().next();
    nearest.and_then(|dir| dir.parent().map(Path::to_owned)).unwrap_or_else(|| recipe_dir.to_owned())
}

/// The names of all environments, `local` first, then by name.
pub(super) fn names(recipe_dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = directories(recipe_dir)
        .iter()
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

pub(super) fn unknown(recipe_dir: &Path, name: &str) -> Error {
    let names = names(recipe_dir);
    let error = Error::usage(format!("there is no environment `{name}`")).with("known", document::list(&names, "and"));
    match document::nearest(name, names.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => {
            let place = recipe_dir.join(DIRECTORY).join(format!("{name}.toml"));
            error.hint(format!("to make it, write {}", place.display()))
        }
    }
}

/// The `environments/` directories from a recipe's directory up to its workspace's root, nearest first.
fn directories(recipe_dir: &Path) -> Vec<PathBuf> {
    let root = document::root(recipe_dir);
    above(document::here(recipe_dir))
        .into_iter()
        .scan(false, |ended, dir| {
            let last = std::mem::replace(ended, Some(&dir) == root.as_ref());
            (!last).then(|| dir.join(DIRECTORY))
        })
        .filter(|dir| dir.is_dir())
        .collect()
}

/// A directory and those above it, absolute.
fn above(dir: &Path) -> Vec<PathBuf> {
    let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    dir.ancestors().map(Path::to_owned).collect()
}
