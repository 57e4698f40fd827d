//! A service whose index another recipe rebuilds.

use std::{
    io::{BufRead, BufReader},
    sync::Arc,
};

use reindex::{
    backend::Mode,
    capability::queue::{Message, Queue},
    run::backends,
};

use super::{RECIPE, load, place, process::Serving, service::project};
use crate::place::{Place, Ran};

/// A place with three things in the index and a recipe that takes ids of things from a queue.
fn edited() -> Place {
    let place = place(3, "good");
    let (from, to) = (RECIPE.find("[source.scan]").unwrap(), RECIPE.find("[grant.read]").unwrap());
    let source = "[source.queue]\nqueue = \"edits\"\ntable = \"things\"\nkey = \"id\"\nversion = \"v\"\n";
    place.write("edits.toml", [&RECIPE[..from], source, &RECIPE[to..]].concat());
    place.reindex("run rogues").exits(0);
    place
}

fn queue(place: &Place) -> Arc<dyn Queue> {
    backends(&project(place, "edits").environment, Mode::ReadWrite).queue("edits", None).unwrap()
}

/// Says that a thing changed.
async fn send(place: &Place, id: &str, message: &str) {
    let message = Message { id: message.to_owned(), body: id.to_owned(), priority: 0 };
    assert!(queue(place).send(&[message]).await.unwrap().iter().all(Result::is_ok));
}

/// Waits until a service has done so many items.
fn done(serving: &mut Serving, count: u64) {
    serving.hear(|line| (line["event"] == "progress" && line["counts"]["done"] == count).then_some(()));
}

/// The version of a thing that a search finds.
fn version(place: &Place, id: &str) -> serde_json::Value {
    let hit: serde_json::Value = serde_json::from_str(&place.documents("rogues", "")[id]).unwrap();
    hit["version"].clone()
}

#[tokio::test]
async fn an_update_goes_to_the_index_that_a_rebuild_swapped_in() {
    let place = edited();
    let mut serving = Serving::start(&place, "edits");
    send(&place, "things-000", "before").await;
    done(&mut serving, 1);
    place.reindex("run rogues --rebuild --drop-old").exits(0);
    load(&place, "things", 2, 1, "good");
    send(&place, "things-000", "after").await;
    done(&mut serving, 2);
    assert_eq!(version(&place, "things-000"), 2);
    serving.stop();
    place.reindex("run rogues --rebuild").exits(0);
    load(&place, "things", 3, 1, "good");
    let mut serving = Serving::start(&place, "edits");
    send(&place, "things-000", "after a restart").await;
    done(&mut serving, 3);
    assert_eq!(version(&place, "things-000"), 3);
    let metrics = serving.get("/metrics").1;
    assert!(metrics.contains("reindex_errors_total{recipe=\"edits\"} 0"), "{metrics}");
    serving.stop();
}

/// The scan has read the record and still works on it when the record changes; the change is in the new index.
#[tokio::test]
async fn an_update_during_the_fill_is_in_the_new_index() {
    let place = edited();
    place.write(
        "slow.toml",
        RECIPE.replace("[run]", "[limits]\ncpu = \"10m\"\nwall = \"10m\"\n[run]\nsegments-at-once = 1\n"),
    );
    // The last thing keeps the plugin busy until the command is killed.
    place.reindex_with("load things -", "{\"id\":\"things-999\",\"v\":1,\"do\":\"spin\"}\n").exits(0);
    let mut serving = Serving::start(&place, "edits");
    let mut rebuild = place.start("run slow --rebuild --log json");
    let mut log = BufReader::new(rebuild.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(log.any(|line| line.contains("\"started\"")));
    load(&place, "things", 2, 1, "good");
    send(&place, "things-000", "during").await;
    done(&mut serving, 1);
    assert_eq!(version(&place, "things-000"), 2, "the old index has it as well");
    rebuild.kill().unwrap();
    rebuild.wait().unwrap();
    place.reindex_with("load things -", "{\"id\":\"things-999\",\"v\":2,\"do\":\"good\"}\n").exits(0);
    // An export of the source from before the change: the rebuild never sees the change by itself.
    load(&place, "things", 1, 1, "good");
    place.reindex("run slow --rebuild").exits(0);
    assert_eq!(version(&place, "things-000"), 2);
    serving.stop();
}

#[test]
fn of_two_rebuilds_the_second_to_end_is_refused() {
    let place = place(3, "good");
    place.reindex("run rogues").exits(0);
    place.write("others.toml", RECIPE.replace("[run]", "[limits]\ncpu = \"10m\"\nwall = \"10m\"\n[run]"));
    load(&place, "things", 2, 3, "spin");
    let mut first = place.start("run others --rebuild --log json");
    let mut log = BufReader::new(first.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(log.any(|line| line.contains("\"started\"")));
    first.kill().unwrap();
    first.wait().unwrap();
    load(&place, "things", 3, 3, "good");
    place.reindex("run rogues --rebuild").exits(0);
    let refused: Ran = place.reindex("run others --rebuild").exits(2);
    assert!(
        refused.err.contains("so it was not swapped") && refused.err.contains("--rebuild --fresh"),
        "{}",
        refused.err
    );
    place.reindex("run others --rebuild --fresh").exits(0);
}
