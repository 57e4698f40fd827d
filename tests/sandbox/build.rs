//! Builds the rogue plugin from its source, once for a run of the tests.

use std::{path::Path, process::Command, sync::OnceLock};

/// The rogue's bytes.
pub fn rogue() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(build)
}

/// Cargo's own lock keeps several processes apart.
fn build() -> Vec<u8> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target directory");
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/sandbox/rogue/Cargo.toml");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--target", "wasm32-wasip2", "--manifest-path"])
        .arg(&manifest)
        .arg("--target-dir")
        .arg(target)
        .status()
        .expect("cargo runs");
    assert!(built.success(), "the rogue plugin does not build");
    std::fs::read(target.join("wasm32-wasip2/release/rogue.wasm")).expect("the rogue was built")
}
