//! The samples beside this plugin, run natively.

#[test]
fn every_sample_gives_the_expected_outcomes() {
    reindex_guest::samples::check::<persons::Persons>(concat!(env!("CARGO_MANIFEST_DIR"), "/samples"));
}
