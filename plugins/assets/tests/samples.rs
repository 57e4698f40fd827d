//! The samples beside this plugin, run natively.

#[test]
fn every_sample_gives_the_expected_outcomes() {
    reindex_guest::samples::check::<assets::Assets>(concat!(env!("CARGO_MANIFEST_DIR"), "/samples"));
}
