//! `reindex rerun`: what it asks for, and what it says.

use crate::place::{Place, snapshots};

fn desk() -> Place {
    let place = Place::with_rogue();
    place.write(
        "pictures.toml",
        "recipe = 1\n[plugin]\nfile = \"rogue.wasm\"\n[source.requests]\nbucket = \"requests\"\nobjects = \"masters\"\n\
         prefixes = [\"digital/\"]\n[grant.read]\nstorage = [\"people\"]\n[grant.write]\nindex = [\"rogues\"]\n",
    );
    for key in ["digital/a.tif", "digital/ü b.JPG", "digital/notes.txt", "digital/.x.tif", "rbsc/c.png", "top.tif"] {
        place.write(&format!(".reindex/objects/masters/{key}"), key);
    }
    place
}

fn requests(place: &Place) -> Vec<serde_json::Value> {
    let Ok(files) = std::fs::read_dir(place.path(".reindex/objects/requests/requests")) else { return Vec::new() };
    let read = |file: std::fs::DirEntry| serde_json::from_slice(&std::fs::read(file.path()).unwrap()).unwrap();
    let mut requests: Vec<serde_json::Value> = files.map(|file| read(file.unwrap())).collect();
    requests.sort_by_key(|request| request["key"].to_string());
    requests
}

#[test]
fn a_rerun_asks_for_what_lies_under_its_prefixes_and_a_dry_one_only_says_so() {
    let place = desk();
    let dry = place.reindex("rerun pictures digital/ rbsc/ --dry-run").exits(0);
    assert_eq!(requests(&place), [serde_json::Value::Null; 0]);
    let ran = place.reindex("rerun pictures digital/ rbsc/").exits(0);
    let asked = serde_json::to_string_pretty(&requests(&place)).unwrap();
    snapshots().bind(|| insta::assert_snapshot!("rerun", format!("{}\n{}\n{asked}", dry.seen(), ran.seen())));
    place.reindex("rerun pictures digital/ rbsc/").exits(0);
    assert_eq!(requests(&place).len(), 3, "a second time changes nothing");
}

#[test]
fn what_is_no_object_is_counted_by_reason_and_costs_only_itself() {
    let place = desk();
    let masters = place.path(".reindex/objects/masters/digital");
    std::os::unix::fs::symlink("c.tif", masters.join("c.tif")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(masters.join("s.tif")).unwrap();
    std::fs::write(masters.join("line\nfeed.tif"), "x").unwrap();
    std::fs::write(masters.join("back\\slash.tif"), "x").unwrap();
    let ran = place.reindex("rerun pictures --all").exits(0);
    assert!(ran.err.contains("asked for 2 objects; 4 omitted\n"), "{}", ran.err);
    for line in [
        "1 omitted: a link, which is not followed (digital/c.tif)",
        "1 omitted: a pipe, a socket or a device (digital/s.tif)",
        "1 omitted: its name has a backslash (digital/back\\slash.tif)",
        "1 omitted: its name has a line feed or another control character (digital/line\\nfeed.tif)",
    ] {
        assert!(ran.err.contains(line), "{line}: {}", ran.err);
    }
    let json = place.reindex("rerun pictures --all --json").exits(0).json();
    assert_eq!(json["omitted"]["a link, which is not followed"]["examples"][0], "digital/c.tif");
}

#[test]
fn all_is_said_and_means_what_the_recipe_makes_requests_of() {
    let place = desk();
    let nothing = place.reindex("rerun pictures").exits(2);
    assert!(nothing.err.contains("PREFIX"), "{}", nothing.err);
    place.reindex("rerun pictures ''").exits(2);
    let all = place.reindex("rerun pictures --all --json").exits(0).json();
    assert_eq!((&all["asked"], &all["dry-run"]), (&2.into(), &false.into()));
    let keys: Vec<_> = requests(&place).iter().map(|request| request["key"].as_str().unwrap().to_owned()).collect();
    assert_eq!(keys, ["digital/a.tif", "digital/ü b.JPG"]);
    let other = place.path("other.toml");
    std::fs::write(other, "recipe = 1\n[plugin]\nfile = \"rogue.wasm\"\n[source.scan]\ntable = \"people\"\nkey = \"id\"\nversion = \"none\"\n[grant.write]\nindex = [\"rogues\"]\n").unwrap();
    let refused = place.reindex("rerun other a/").exits(2);
    assert!(refused.err.contains("[source.requests]"), "{}", refused.err);
}
