//! What may be loaded, and in which words the rest is refused.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use reindex::{
    capability::{
        Capability,
        grant::{Access, Grant},
    },
    error::{Error, Kind},
    sandbox::{CodeCache, Engine, Plugin},
};

use super::{build, items};

async fn load(bytes: &[u8]) -> Result<Plugin, Error> {
    Plugin::load(&Engine::new().expect("an engine"), "stranger", bytes).await
}

/// Why bytes do not load, as one report.
async fn refusal(bytes: &[u8]) -> String {
    let Err(error) = load(bytes).await else { panic!("it was loaded") };
    assert_eq!(error.kind(), Kind::Usage);
    error.report()
}

#[tokio::test]
async fn a_plugin_says_who_it_is_what_it_asks_for_and_what_it_fills() {
    let plugin = load(build::rogue()).await.expect("the rogue loads");
    let said = plugin.description();
    assert_eq!((said.entity.as_str(), said.api_version.as_str()), ("rogues", "0.1.0"));
    let grant = |capability, name: &str, access| Grant { capability, name: name.into(), access };
    assert_eq!(
        said.asks,
        [grant(Capability::Storage, "people", Access::Read), grant(Capability::Index, "rogues", Access::Write)]
    );
    assert_eq!(said.indexes[0].index, "rogues");
    assert_eq!(plugin.digest(), blake3::hash(build::rogue()).to_hex().as_str());
}

#[tokio::test]
async fn what_is_not_wasm_or_not_a_component_is_refused() {
    for bytes in [&b""[..], b"#!/bin/sh", b"\0as"] {
        assert!(refusal(bytes).await.contains("the plugin is not WASM"));
    }
    let module = refusal(b"\0asm\x01\0\0\0").await;
    assert!(module.contains("is a WASM module and not a component") && module.contains("wasm32-wasip2"), "{module}");
    let cut = refusal(&build::rogue()[..1000]).await;
    assert!(cut.contains("the plugin is damaged"), "{cut}");
}

#[tokio::test]
async fn a_component_that_is_no_plugin_is_told_what_it_misses() {
    let empty = refusal(b"\0asm\x0d\0\x01\0").await;
    assert!(empty.contains("it has no mapping") && empty.contains("reindex:plugin/mapping@0.1.0"), "{empty}");
}

#[tokio::test]
async fn another_api_version_is_refused_with_both_versions() {
    let mut bytes = build::rogue().to_vec();
    replace(&mut bytes, b"reindex:plugin/mapping@0.1.0", b"reindex:plugin/mapping@0.2.0");
    let report = refusal(&bytes).await;
    assert!(report.contains("the plugin speaks API version 0.2.0, and this host 0.1.0"), "{report}");
}

#[tokio::test]
async fn imports_outside_wasi_and_reindex_are_refused_by_name() {
    let mut bytes = build::rogue().to_vec();
    replace(&mut bytes, b"reindex:plugin/queue@0.1.0", b"somebody:other/queue@0.1.0");
    let report = refusal(&bytes).await;
    assert!(report.contains("somebody:other/queue@0.1.0"), "{report}");
}

#[tokio::test]
async fn what_the_room_does_not_offer_traps_when_it_is_called_in_our_words() {
    let mut bytes = build::rogue().to_vec();
    replace(&mut bytes, b"wasi:clocks/wall-clock@0.2.", b"wasi:clocks/mars-clock@0.2.");
    let plugin = load(&bytes).await.expect("it loads");
    let mapper = plugin.start(super::room(reindex::event::Events::ignore()));
    let answers = mapper.transform(&items(&["good", "clock"])).await.expect("not broken");
    assert!(answers[0].is_ok());
    let failure = answers[1].as_ref().expect_err("a trap");
    assert!(failure.reason.contains("which the sandbox does not offer"), "{}", failure.reason);
    assert!(failure.reason.contains("wasi:clocks/mars-clock@0.2."), "{}", failure.reason);
}

#[tokio::test]
async fn a_description_with_a_broken_index_definition_is_the_plugins_fault() {
    let mut bytes = build::rogue().to_vec();
    replace(&mut bytes, br#"{"settings":{},"mappings":"#, br#"{"settings":{]},mappings":"#);
    let Err(error) = load(&bytes).await else { panic!("it was loaded") };
    assert_eq!(error.kind(), Kind::Plugin);
    assert_eq!(error.message(), "the definition of index `rogues` is not a JSON object");
}

/// Loads the rogue and a plugin with other bytes, which is kept apart from it.
async fn load_two(cache: &CodeCache) {
    let mut other = build::rogue().to_vec();
    replace(&mut other, b"rogues", b"rouges");
    Plugin::load_cached(cache, "rogue", build::rogue()).await.expect("the rogue loads");
    let other = Plugin::load_cached(cache, "other", &other).await.expect("the other loads");
    assert_eq!(other.description().indexes[0].index, "rouges");
}

#[tokio::test]
async fn compiled_code_is_kept_and_code_that_was_damaged_or_exchanged_is_compiled_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let cache = CodeCache::open(dir.path()).expect("a cache");
    load_two(&cache).await;
    let whole = contents(dir.path());
    let code: Vec<_> = whole.keys().filter(|file| file.ends_with("seal")).map(|seal| seal.parent().unwrap()).collect();
    let [one, other] = code.as_slice() else { panic!("{code:?}") };

    load_two(&cache).await;
    assert_eq!(contents(dir.path()), whole, "nothing was compiled again");

    whole.keys().for_each(|file| std::fs::write(file, b"damaged").expect("a file"));
    load_two(&cache).await;
    assert_eq!(contents(dir.path()), whole);

    exchange(one, other);
    load_two(&cache).await;
    assert_eq!(contents(dir.path()), whole);

    let module =
        |entry: &Path| files(&entry.join("code")).into_iter().max_by_key(|file| file.metadata().unwrap().len());
    exchange(&module(one).expect("code"), &module(other).expect("code"));
    load_two(&cache).await;
    assert_eq!(contents(dir.path()), whole);
}

#[tokio::test]
async fn a_directory_for_compiled_code_that_others_can_write_to_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("a directory");
    for mode in [0o777, 0o720, 0o702] {
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(mode)).expect("a mode");
        let error = CodeCache::open(dir.path()).expect_err("it is open to others");
        assert_eq!(error.kind(), Kind::Denied, "{mode:o}");
    }
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700)).expect("a mode");
    CodeCache::open(dir.path()).expect("it is the user's own");
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(dir.path(), &link).expect("a link");
    assert_eq!(CodeCache::open(&link).expect_err("it leads elsewhere").kind(), Kind::Denied);
}

fn exchange(one: &Path, other: &Path) {
    let aside = one.with_extension("aside");
    for (from, to) in [(one, aside.as_path()), (other, one), (&aside, other)] {
        std::fs::rename(from, to).expect("a rename");
    }
}

fn contents(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    files(dir).into_iter().map(|file| (file.clone(), std::fs::read(file).expect("a file"))).collect()
}

/// Every file of compiled code, and every seal; not those that a thread of the compiler's cache still writes.
fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").path());
    let all = entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] });
    let written = |file: &PathBuf| {
        let ending = file.extension().unwrap_or_default().to_string_lossy().into_owned();
        ending != "stats" && !ending.starts_with("wip-")
    };
    all.filter(written).collect()
}

/// Replaces every occurrence; both texts have the same length, so the component stays whole.
fn replace(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len());
    let mut found = false;
    for at in 0..bytes.len() - from.len() {
        if bytes[at..].starts_with(from) {
            bytes[at..at + from.len()].copy_from_slice(to);
            found = true;
        }
    }
    assert!(found, "the text to replace is not there");
}
