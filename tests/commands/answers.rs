//! What commands answer where nothing is, where nothing changed, and where a name or an id is unusual.

use std::fs;

use super::session::place;
use crate::plugins::root;

#[test]
fn a_message_that_is_sent_again_by_its_id_is_not_said_to_be_sent() {
    let place = place();
    let first = place.reindex("queue send work x --id -a").exits(0);
    assert!(first.err.contains("sent 1 message to `work`"), "{}", first.err);
    let again = place.reindex("queue send work y --id -a").exits(0);
    assert!(again.err.contains("sent 0 messages") && again.err.contains("seen this id before"), "{}", again.err);
    let json = place.reindex("queue send work y --id -a --json").exits(0);
    assert_eq!(json.out.trim(), r#"{"id":"-a","sent":false}"#);
    assert!(place.reindex("queue depth work").exits(0).out.contains("1 waiting"));
}

#[test]
fn a_message_without_text_or_with_an_empty_id_is_refused() {
    let place = place();
    for (line, says) in [("queue send work ''", "the message is empty"), ("queue send work x --id ''", "an empty id")] {
        let ran = place.reindex(line).exits(2);
        assert!(ran.err.contains(says), "{line}: {}", ran.err);
    }
    assert!(place.reindex("queue send work -").exits(2).err.contains("no line with a message"));
}

#[test]
fn a_misspelt_queue_or_bucket_is_an_error_and_an_empty_one_that_a_recipe_names_is_not() {
    let place = place();
    place.reindex("queue send work x").exits(0);
    for line in ["queue depth wrok", "queue peek wrok", "object ls imgaes"] {
        let ran = place.reindex(line).exits(2);
        assert!(ran.err.contains("there is no ") && ran.err.contains("reindex.db"), "{line}: {}", ran.err);
    }
    let recipe = fs::read_to_string(place.path("persons.toml")).unwrap();
    let recipe = recipe.replace("[grant.write]", "[grant.write]\nqueue = [\"changes\"]\nstorage = [\"images\"]");
    place.write("persons.toml", recipe);
    assert!(place.reindex("queue depth changes").exits(0).out.contains("0 waiting"));
    assert!(place.reindex("object ls images").exits(0).err.contains("0 objects"));
    let misspelt = place.reindex("object ls imges").exits(2);
    assert!(misspelt.err.contains("did you mean `images`?"), "{}", misspelt.err);
}

#[test]
fn a_retry_of_what_is_not_open_says_so() {
    let place = place();
    place.reindex("run persons").exits(3);
    let none = place.reindex("retry persons --state too-big").exits(3);
    assert!(none.err.contains("none is tried again"), "{}", none.err);
    let id = place.reindex("retry persons --id -nobody").exits(2);
    assert!(id.err.contains("left no such id open") && id.err.contains("-nobody"), "{}", id.err);
    assert!(!place.reindex("retry persons --id nobody").exits(3).err.contains("none is tried again"));
}

#[test]
fn after_its_source_changed_a_run_is_not_said_to_be_retried() {
    let place = place();
    let recipe = fs::read_to_string(place.path("persons.toml")).unwrap();
    let recipe =
        recipe.replace("[source.scan]\ntable = \"people\"\nsegments = 2\n", "[source.file]\npath = \"people.jsonl\"\n");
    place.write("persons.toml", recipe);
    let line = "{\"id\":\"a\",\"versionNumber\":1,\"tenures\":[{}]}\n";
    place.write("people.jsonl", line);
    place.reindex("run persons").exits(3);
    assert!(place.reindex("status persons").exits(0).out.contains("reindex retry persons"));
    place.write("people.jsonl", line.repeat(2));
    let status = place.reindex("status persons").exits(0).out;
    assert!(!status.contains("retry") && status.contains("reindex run persons --fresh"), "{status}");
    assert!(place.reindex("status persons --json").exits(0).json()["source-changed"].is_string());
}

#[test]
fn documents_without_a_record_are_not_said_to_go_by_a_run() {
    let place = place();
    place.reindex("run persons").exits(3);
    let people = fs::read_to_string(root().join("recipes/sample/people.jsonl")).unwrap();
    let people: Vec<serde_json::Value> =
        people.lines().take(10).map(|line| serde_json::from_str(line).unwrap()).collect();
    let id = people[0]["Item"]["id"]["S"].as_str().unwrap();
    place.reindex(&format!("table delete people {id}")).exits(0);
    let verified = place.reindex("verify persons").exits(7);
    let next = verified.err.lines().last().unwrap();
    assert_eq!(next, "next: reindex run persons --rebuild fills a new index without them");
}

#[test]
fn records_that_are_refused_and_that_no_run_has_seen_are_found_by_verify() {
    let place = place();
    place.reindex("run persons").exits(3);
    place.reindex("verify persons").exits(0);
    let refused = r#"{"Item":{"id":{"S":"refused"},"versionNumber":{"N":"1"},"tenures":{"L":[{"M":{}}]}}}"#;
    place.write("refused.jsonl", refused);
    place.reindex("load people refused.jsonl --format dynamodb-json").exits(0);
    let verified = place.reindex("verify persons --json").exits(7).json();
    assert_eq!(verified["refused"], serde_json::json!({ "count": 1, "examples": ["refused"] }), "{verified}");
    let shown = place.reindex("verify persons").exits(7);
    assert!(shown.out.contains("refused  refused by the mapping") && shown.err.contains("next: reindex run persons"));
    place.reindex("run persons").exits(3);
    place.reindex("verify persons").exits(0);
}

#[test]
fn ids_of_which_the_source_has_none_are_no_success_and_one_that_comes_again_counts_once() {
    let place = place();
    place.write("ids.txt", "stranger\nstranger\n other \n");
    for line in ["run persons --ids ids.txt", "diff persons --ids ids.txt", "run persons --dry-run --ids ids.txt"] {
        let ran = place.reindex(line).exits(3);
        assert!(ran.err.contains("2 read") && ran.err.contains("2 not found"), "{line}: {}", ran.err);
    }
    let ran = place.reindex("run persons --ids ids.txt").exits(3);
    assert!(ran.err.contains("are they keys of the source?"), "{}", ran.err);
}

#[test]
fn a_rebuild_from_a_source_that_was_emptied_keeps_the_old_index_until_the_loss_is_accepted() {
    let place = place();
    place.reindex("run persons").exits(3);
    let all: Vec<String> = place.documents("persons", "").into_keys().collect();
    place.reindex(&format!("table delete people nobody {}", all.join(" "))).exits(0);
    let refused = place.reindex("run persons --rebuild").exits(4);
    assert!(refused.err.contains("holds 10 documents") && refused.err.contains("--waive 10"), "{}", refused.err);
    assert_eq!(place.documents("persons", "").len(), 10);
    place.reindex("run persons --rebuild --waive 9").exits(4);
    place.reindex("run persons --rebuild --waive 10").exits(0);
    assert!(place.documents("persons", "").is_empty());
}

#[test]
fn the_guide_names_every_state_as_commands_print_it() {
    let guide = fs::read_to_string(root().join("recipes/README.md")).unwrap();
    let help = place().reindex("ids dump --help").exits(0).out;
    let words = help.split("possible values:").nth(1).unwrap().split(']').next().unwrap();
    for word in words.split(',').map(str::trim) {
        assert!(guide.contains(&format!("| {word}")) || guide.contains(&format!(", {word}")), "{word}");
    }
}

#[test]
fn a_check_names_every_mistake_at_once_with_its_line_and_its_key() {
    let place = place();
    let recipe = fs::read_to_string(place.path("persons.toml")).unwrap();
    place.reindex("check persons --json").exits(0);
    place.write(
        "persons.toml",
        recipe.clone() + "\n[run]\nworkers = 5000\nbatch-age = \"soon\"\n[limits]\nmemoy = \"1GiB\"\n",
    );
    place.write(
        "environments/dev.toml",
        "environment = 1\n[backend.people.sqlit]\n[backend.persons.sqlite]\nfil = \"x\"\n",
    );
    let ran = place.reindex("check persons --env dev --json").exits(2);
    let answer = ran.json();
    let mistakes = answer["mistakes"].as_array().unwrap();
    let keys: Vec<_> = mistakes.iter().map(|mistake| mistake["key"].as_str().unwrap()).collect();
    let wanted = ["run.workers", "run.batch-age", "limits.memoy", "backend.people.sqlit", "backend.persons.sqlite.fil"];
    assert_eq!((keys.as_slice(), &answer["sound"]), (wanted.as_slice(), &false.into()), "{answer:#}");
    assert!(mistakes.iter().all(|mistake| mistake["line"].is_u64() && mistake["place"].is_string()), "{answer:#}");
    for line in ["run persons --env dev", "check persons --env dev"] {
        let seen = place.reindex(line).exits(2).err;
        assert!(wanted.iter().all(|key| seen.contains(key.rsplit('.').next().unwrap())), "{line}: {seen}");
    }
    // What the plugin says of its settings comes with what it misses among its grants.
    place.write("persons.toml", recipe.replace("index = [\"persons\"]", "index = []"));
    let ran = place.reindex("check persons --json").exits(6);
    assert!(ran.json()["mistakes"][0]["message"].is_string(), "{}", ran.out);
}
