//! Turns the source directory of a plugin into a component, by running cargo.
//!
//! Cargo decides what is up to date. Building runs the plugin's code outside the sandbox; who may be built on
//! demand is [`Recipe::plugin_source`](crate::recipe::Recipe::plugin_source)'s to say. Blocks while cargo works.

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
