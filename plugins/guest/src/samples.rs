//! Runs a plugin's `samples/` natively, for the tests of the plugin's own crate.
//!
//! `samples/<name>.json` holds `items`, and `samples/<name>.expected.json` the `outcomes` they must have; the
//! document of an effect is compared as text. Does not answer reads: a sample with `tables`, `indexes`, `buckets` or
//! `images` needs `reindex plugin test`, which runs the same files in the sandbox.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::{Effect, Item, Outcome, Plugin};

/// What a sample says of reads.
const HOST_ONLY: [&str; 5] = ["tables", "indexes", "buckets", "images", "settings"];

/// Runs every sample of a directory and compares the outcomes with the expected ones.
///
/// # Panics
///
/// An outcome differs, a file cannot be read or is not a sample, a sample has something to read, or there is no sample at
/// all.
pub fn check<P: Plugin>(directory: impl AsRef<Path>) {
    let samples = sample_files(directory.as_ref());
    assert!(!samples.is_empty(), "no samples in {}", directory.as_ref().display());
    for sample in samples {
        let outcomes: Vec<_> = P::transform(items(&sample)).iter().map(outcome).collect();
        let expected = read(&sample.with_extension("expected.json"));
        let expected = expected["outcomes"].as_array().expect("`outcomes` is a list");
        for (n, (outcome, expected)) in outcomes.iter().zip(expected).enumerate() {
            assert_eq!(outcome.to_string(), expected.to_string(), "item {n} of {}", sample.display());
        }
        assert_eq!(outcomes.len(), expected.len(), "outcomes of {}", sample.display());
    }
}

fn sample_files(directory: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(directory).expect("the samples' directory can be read");
    let mut samples: Vec<_> = files
        .map(|file| file.expect("the samples' directory can be read").path())
        .filter(|path| path.to_str().is_some_and(|path| path.ends_with(".json") && !path.ends_with(".expected.json")))
        .collect();
    samples.sort();
    samples
}

fn items(sample: &Path) -> Vec<Item> {
    let file = sample.display();
    let sample = read(sample);
    // A read would abort the test, and say nothing of why.
    let of_the_host = HOST_ONLY.iter().find(|name| sample.get(**name).is_some());
    assert!(
        of_the_host.is_none(),
        "{file} has `{}`, which only the host answers: run `reindex plugin test` instead",
        of_the_host.unwrap_or(&"")
    );
    let items = sample["items"].as_array().expect("`items` is a list");
    items
        .iter()
        .map(|item| Item {
            id: item["id"].as_str().expect("an item has an `id`").to_owned(),
            version: item["version"].as_u64(),
            body: canonical(&item["body"]),
        })
        .collect()
}

fn read(file: &Path) -> Value {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The canonical text of a body as the host hands it to a plugin: names sorted by bytes, no white space.
pub fn canonical(body: &Value) -> String {
    let mut body = body.clone();
    body.sort_all_objects();
    body.to_string()
}

fn outcome(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Effects(effects) => json!({ "effects": effects.iter().map(effect).collect::<Vec<_>>() }),
        Outcome::Skip(reason) => json!({ "skip": reason }),
        Outcome::NotFound(reason) => json!({ "not-found": reason }),
        Outcome::Invalid(reason) => json!({ "invalid": reason }),
        Outcome::TooBig(reason) => json!({ "too-big": reason }),
        Outcome::Retry(reason) => json!({ "retry": reason }),
    }
}

fn effect(effect: &Effect) -> Value {
    match effect {
        Effect::PutDocument(write) => {
            let mut fields = json!({ "index": write.index, "id": write.id });
            if let Some(version) = write.version {
                fields["version"] = version.into();
            }
            fields["body"] = document(&write.body);
            json!({ "put-document": fields })
        }
        other => panic!("a sample cannot state this effect yet: {other:?}"),
    }
}

/// The document as a value, if nothing of its text is lost by that.
fn document(body: &str) -> Value {
    let document: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error} in the document {body}"));
    assert_eq!(document.to_string(), body, "a document is written without white space");
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "run `reindex plugin test` instead")]
    fn a_sample_with_something_to_read_says_what_runs_it() {
        let file = std::env::temp_dir().join(format!("reindex-guest-sample-{}.json", std::process::id()));
        fs::write(&file, r#"{"items":[],"tables":{"people":{}}}"#).expect("a temporary file can be written");
        items(&file);
    }
}
