//! The plugins of this repository as components, built once per test run.

use std::{
    collections::HashMap,
    path::PathBuf,
    process::Command,
    sync::{Mutex, OnceLock},
};

/// The bytes of a plugin of `plugins/`, built like `reindex plugin build` does it.
pub fn component(name: &str) -> Vec<u8> {
    static BUILT: OnceLock<Mutex<HashMap<String, Vec<u8>>>> = OnceLock::new();
    let mut built = BUILT.get_or_init(Mutex::default).lock().unwrap();
    built.entry(name.to_owned()).or_insert_with(|| std::fs::read(build(name)).unwrap()).clone()
}

/// The root of the repository.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn build(name: &str) -> PathBuf {
    let status = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--profile", "plugin", "--target", "wasm32-wasip2", "--package", name])
        .current_dir(root())
        .status()
        .unwrap();
    assert!(status.success(), "plugin `{name}` does not build");
    root().join(format!("target/wasm32-wasip2/plugin/{name}.wasm"))
}
