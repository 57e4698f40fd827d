//! Plugins in JavaScript and Python start in the empty room, and fail as cheaply as any other.
//!
//! They are built by `tests/sandbox/languages/build`, which fetches two compilers; without its files these tests
//! say that they did not run, which is a failure where `CI` is set.

use std::path::Path;

use reindex::{
    record::{Effect, Outcome},
    sandbox::{CodeCache, Mapper, Plugin},
};

use super::{items, room};

async fn start(language: &str) -> Option<Mapper> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target directory");
    let Ok(bytes) = std::fs::read(target.join(format!("languages/{language}.wasm"))) else {
        say_aloud(language);
        return None;
    };
    // These plugins are large, so what was compiled is kept from one run of the tests to the next.
    let cache = CodeCache::open(&target.join("languages/cache")).expect("a directory");
    let plugin = Plugin::load_cached(&cache, language, &bytes).await.expect("it loads");
    let mut room = room(reindex::event::Events::ignore());
    room.limits.memory = bytesize::ByteSize::mib(256);
    Some(plugin.start(room))
}

#[expect(clippy::print_stderr, reason = "a test that did not run must say so")]
fn say_aloud(language: &str) {
    let missing = format!("NOT TESTED: no plugin in {language}; run tests/sandbox/languages/build");
    assert!(std::env::var_os("CI").is_none(), "{missing}");
    eprintln!("{missing}");
}

async fn maps_and_fails(language: &str) {
    let Some(mapper) = start(language).await else { return };
    let deeds = ["good ann", "good bob", "trap", "good cleo", "clock"];
    let answers = mapper.transform(&items(&deeds)).await.expect("not broken");
    for (place, name) in [(0, "ANN"), (1, "BOB"), (3, "CLEO")] {
        let Ok(Outcome::Effects(effects)) = &answers[place] else { panic!("{:?}", answers[place]) };
        assert!(matches!(effects.as_slice(), [Effect::PutDocument { body, .. }] if body.contains(name)));
    }
    let failure = answers[2].as_ref().expect_err("it threw");
    assert!(failure.reason.contains("thrown on request"), "{}", failure.reason);
    let Ok(Outcome::Skip(clock)) = &answers[4] else { panic!("{:?}", answers[4]) };
    assert!(clock.starts_with("1767323045000 "), "{clock}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_in_javascript_maps_and_costs_one_record_when_it_throws() {
    maps_and_fails("javascript").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_in_python_maps_and_costs_one_record_when_it_raises() {
    maps_and_fails("python").await;
}
