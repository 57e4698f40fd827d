//! What earlier versions wrote is read by this one.
//!
//! `tests/formats/VERSION/` holds one file of each format as that version wrote it: a database with a run that was
//! interrupted, a recipe, an environment, a compiled plugin. They are never changed; a version with another format adds
//! a directory of its own.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rusqlite::Connection;

use crate::{place::Place, plugins::root};

const PEOPLE: usize = 60;
const INVALID: usize = 4;

/// What each step of the database's schema before 0.1.0 had added, last step first. To take it away again makes a
/// database of the version before.
const STEPS: [&str; 3] = [
    "DROP TABLE watched",
    "DROP TABLE lists",
    "UPDATE runs SET record = json_remove(record, '$.revision'); DELETE FROM segments WHERE number >= 2;
     ALTER TABLE runs DROP COLUMN revision; ALTER TABLE segments DROP COLUMN owner;
     ALTER TABLE segments DROP COLUMN token; ALTER TABLE segments DROP COLUMN beat;
     ALTER TABLE segments DROP COLUMN lasting",
];

fn kept() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("tests/formats")).unwrap();
    let kept: Vec<_> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    assert!(kept.iter().any(|kept| kept.ends_with("0.1.0")));
    kept
}

/// A copy to work on.
fn copy(kept: &Path) -> Place {
    let place = Place::new();
    for name in ["people.toml", "environments/kept.toml", "persons.wasm", "stored.db"] {
        place.write(name, fs::read(kept.join(name)).unwrap());
    }
    place
}

fn database(place: &Place) -> Connection {
    Connection::open(place.path("stored.db")).unwrap()
}

fn runs(place: &Place) -> Vec<(String, String)> {
    let database = database(place);
    let mut runs = database.prepare("SELECT id, phase FROM runs ORDER BY id").unwrap();
    runs.query_map((), |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect()
}

/// The interrupted run is resumed, not begun anew, and comes to what an uninterrupted one comes to.
fn is_resumed(place: &Place, what: &str) {
    let before = runs(place);
    assert_eq!(before.len(), 2, "{what}: a finished run and an interrupted one");
    place.reindex("run people").exits(3);
    let ids = |runs: &[(String, String)]| runs.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>();
    let after = runs(place);
    assert_eq!(ids(&after), ids(&before), "{what}");
    assert_eq!((after[0].1.as_str(), after[1].1.as_str()), ("finished", "finished"), "{what}");
    let status = place.reindex("status people --json").exits(0).json();
    assert_eq!(status["run"]["id"], after[1].0, "{what}");
    assert_eq!(status["counts"]["read"], PEOPLE, "{what}");
    assert_eq!(status["counts"]["failed"], INVALID, "{what}");
    let documents = place.documents("persons", "--env kept");
    assert_eq!(documents.len(), PEOPLE - INVALID, "{what}");
    assert!(documents.values().all(|document| document.contains("second")), "{what}: every document is the newer one");
    place.reindex("retry people").exits(3);
}

#[test]
fn what_each_version_wrote_is_read_and_its_run_resumed() {
    for kept in kept() {
        let place = copy(&kept);
        let refused = place.reindex("check people").exits(2);
        assert!(refused.err.contains("may not change it"), "a reader leaves an older file as it is: {}", refused.err);
        is_resumed(&place, &kept.display().to_string());
        place.reindex("check people").exits(0);
        let ids = place.reindex("ids dump people").exits(0).out;
        assert_eq!(ids.lines().count(), 4, "{ids}");
        let message = place.reindex("queue peek work --env kept --json").exits(0).json();
        assert_eq!(message["body"], "{\"id\":\"p-001\"}");
    }
}

#[test]
fn databases_of_every_older_schema_are_brought_up_to_date() {
    let kept = root().join("tests/formats/0.1.0");
    for steps in 1..=STEPS.len() {
        let place = copy(&kept);
        let older = STEPS.len() + 1 - steps;
        database(&place).execute_batch(&STEPS[..steps].join(";")).unwrap();
        database(&place).pragma_update(None, "user_version", u32::try_from(older).unwrap()).unwrap();
        is_resumed(&place, &format!("schema {older}"));
    }
}
