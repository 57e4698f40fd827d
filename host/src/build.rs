//! Turns the source directory of a plugin into a component, by running cargo.
//!
//! Cargo decides what is up to date. Building runs a stranger's code outside the sandbox, so only a directory
//! inside the recipe's own workspace is built on demand. Blocks while cargo works.

use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
};

use serde::Deserialize;

use crate::error::{Error, Result};

/// The target of a component with the WASI interfaces that the sandbox answers.
const TARGET: &str = "wasm32-wasip2";
/// Defined here too, so that a workspace which does not know the profile can build.
const PROFILE: [&str; 4] = ["--profile", "plugin", "--config", "profile.plugin.inherits=\"release\""];

/// What cargo made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The component.
    pub wasm: PathBuf,
    /// Whether it was up to date already.
    pub fresh: bool,
}

/// The command that builds a plugin, for a person to read and to repeat.
pub fn command(source: &Path) -> String {
    format!("cargo build --manifest-path {} --target {TARGET} --profile plugin", source.join("Cargo.toml").display())
}

/// Builds a plugin; `say` is handed each line cargo writes while it works.
///
/// *Errors*: a directory that is no package, a missing cargo, or cargo's own error in full.
pub fn plugin(source: &Path, say: &mut dyn FnMut(&str)) -> Result<Built> {
    if !source.join("Cargo.toml").is_file() {
        return Err(Error::usage(format!("{} holds no plugin's source: no Cargo.toml", source.display()))
            .hint("`reindex plugin new NAME` makes a directory to start from"));
    }
    let mut cargo = start(source)?;
    let stdout = cargo.stdout.take();
    let artifacts = thread::spawn(move || artifacts(stdout));
    let mut words = String::new();
    for line in cargo.stderr.take().map(BufReader::new).into_iter().flat_map(BufRead::lines).map_while(Result::ok) {
        say(line.trim());
        words.push_str(&line);
        words.push('\n');
    }
    let status = cargo.wait().map_err(|error| Error::bug("cannot wait for cargo").because(error))?;
    if !status.success() {
        return Err(failed(source, &words));
    }
    let artifacts = artifacts.join().unwrap_or_default();
    component(source, &artifacts)
}

/// Refuses a source directory that the recipe's workspace does not hold.
pub fn check_inside(source: &Path, recipe: &Path) -> Result<()> {
    let real = |path: &Path| {
        let error = |error| Error::usage(format!("cannot find {}", path.display())).because(error);
        path.canonicalize().map_err(error)
    };
    let workspace = workspace(&real(recipe)?);
    if real(source)?.starts_with(&workspace) {
        return Ok(());
    }
    Err(Error::usage("a plugin's source is built only inside the recipe's own workspace")
        .with("source", source.display().to_string())
        .with("workspace", workspace.display().to_string())
        .hint(format!(
            "look at the source, build it with `reindex plugin build {}`, and name the .wasm file in the recipe",
            source.display()
        )))
}

/// The nearest directory above a recipe that is a cargo workspace or a git repository, else the recipe's own.
fn workspace(recipe: &Path) -> PathBuf {
    let own = recipe.parent().unwrap_or(recipe);
    let is_root = |directory: &&Path| directory.join(".git").exists() || is_workspace(directory);
    own.ancestors().find(is_root).unwrap_or(own).to_owned()
}

fn is_workspace(directory: &Path) -> bool {
    let manifest = std::fs::read_to_string(directory.join("Cargo.toml"));
    manifest.is_ok_and(|text| text.lines().any(|line| line.trim_start().starts_with("[workspace")))
}

fn start(source: &Path) -> Result<Child> {
    Command::new("cargo")
        .current_dir(source)
        .args(["build", "--target", TARGET])
        .args(PROFILE)
        .args(["--message-format", "json-render-diagnostics"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| {
            Error::usage("cannot run cargo, which builds plugins from source")
                .because(error)
                .hint("install Rust from https://rustup.rs, or name a .wasm file in the recipe")
        })
}

#[derive(Debug, Deserialize)]
struct Artifact {
    manifest_path: PathBuf,
    filenames: Vec<PathBuf>,
    fresh: bool,
}

/// The artifacts among cargo's messages; other messages have other fields.
fn artifacts(stdout: Option<impl Read>) -> Vec<Artifact> {
    let lines = stdout.map(BufReader::new).into_iter().flat_map(BufRead::lines).map_while(Result::ok);
    lines.filter_map(|line| serde_json::from_str(&line).ok()).collect()
}

fn component(source: &Path, artifacts: &[Artifact]) -> Result<Built> {
    let manifest = source.join("Cargo.toml").canonicalize().ok();
    let own = artifacts.iter().filter(|artifact| artifact.manifest_path.canonicalize().ok() == manifest);
    let component = own.flat_map(|artifact| artifact.filenames.iter().map(|name| (name, artifact.fresh)));
    let is_wasm = |(name, _): &(&PathBuf, bool)| name.extension().is_some_and(|extension| extension == "wasm");
    let (wasm, fresh) = component.into_iter().find(is_wasm).ok_or_else(|| {
        Error::usage(format!("{} built, but made no component", source.display()))
            .hint("add `crate-type = [\"cdylib\", \"lib\"]` under `[lib]` in its Cargo.toml")
    })?;
    Ok(Built { wasm: wasm.clone(), fresh })
}

fn failed(source: &Path, words: &str) -> Error {
    let error = Error::usage("the plugin does not build")
        .with("plugin", source.display().to_string())
        .with("cargo", words.trim_end());
    if words.contains(&format!("`{TARGET}` target may not be installed")) {
        return error.hint(format!("rustup target add {TARGET}"));
    }
    error.hint(format!("mend the source; `{}` says the same", command(source)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_a_source_inside_the_recipes_own_workspace_is_built() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        for directory in ["house/recipes", "house/plugins/own", "stranger"] {
            fs::create_dir_all(path(directory)).unwrap();
        }
        fs::write(path("house/Cargo.toml"), "[workspace]\nmembers = []\n").unwrap();
        fs::write(path("house/recipes/r.toml"), "").unwrap();
        check_inside(&path("house/plugins/own"), &path("house/recipes/r.toml")).unwrap();
        let trick = path("house/recipes/../../stranger");
        for source in [path("stranger"), trick] {
            let error = check_inside(&source, &path("house/recipes/r.toml")).unwrap_err();
            assert!(error.report().contains("only inside the recipe's own workspace"), "{error:?}");
        }
        std::os::unix::fs::symlink(path("stranger"), path("house/plugins/link")).unwrap();
        assert!(check_inside(&path("house/plugins/link"), &path("house/recipes/r.toml")).is_err());
    }

    #[test]
    fn a_directory_without_a_package_is_refused_before_cargo_runs() {
        let root = tempfile::tempdir().unwrap();
        let error = plugin(root.path(), &mut |line| panic!("{line}")).unwrap_err();
        assert!(error.report().contains("no Cargo.toml"));
    }

    #[test]
    fn what_cargo_says_against_the_source_is_kept_in_full() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("Cargo.toml"), "[package]\nname = 3\n[workspace]\n").unwrap();
        let mut lines = 0;
        let error = plugin(root.path(), &mut |_| lines += 1).unwrap_err();
        assert!(error.report().contains("name = 3") && lines > 0, "{error:?}");
    }
}
