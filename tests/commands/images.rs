//! Who opens images, as people see it before a run.

use std::fs;

use crate::{
    place::{Place, Ran},
    plugins::{component, root},
};

/// Persons, whose plugin may open images without asking for it.
fn check() -> Ran {
    let place = Place::new();
    place.write("persons.wasm", component("persons"));
    let recipe = fs::read_to_string(root().join("recipes/persons.toml")).unwrap();
    let recipe = recipe.replace("source = \"../plugins/persons\"", "file = \"persons.wasm\"");
    let recipe = recipe.replace("[grant.write]", "[grant.read]\nimage = [\"masters\"]\n\n[grant.write]");
    place.write("persons.toml", recipe);
    let people = fs::read_to_string(root().join("recipes/sample/people.jsonl")).unwrap();
    place.reindex_with("load people - --format dynamodb-json", &people).exits(0);
    place.reindex("check persons --connect")
}

#[cfg(feature = "vips")]
#[test]
fn a_check_says_who_opens_images() {
    let seen = check().exits(0).seen();
    assert!(seen.contains("images  opened by libvips 8."), "{seen}");
}

#[cfg(not(feature = "vips"))]
#[test]
fn without_libvips_a_recipe_that_opens_images_says_what_to_build() {
    let seen = check().exits(2).seen();
    assert!(seen.contains("decodes images is not there") && seen.contains("--features vips"), "{seen}");
}
