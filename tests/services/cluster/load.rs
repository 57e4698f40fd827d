//! Settings for a load: there during it, and afterwards as they were, whatever becomes of the run.

use std::time::Duration;

use proxy::{Fault, Match, Proxy, Rule};
use rustix::process::Signal;
use serde_json::{Value, json};
use servers::shared;

use super::{
    ENGINES,
    yard::{Yard, agree},
};
use crate::index::say;

fn tuned() -> Value {
    json!(["-1", "0", "false"])
}

/// A yard whose index has settings of its own, and whose cluster takes its time.
async fn yard(engine: servers::Server, name: &str) -> (Yard, Proxy) {
    let yard = Yard::new(engine, name, "").await;
    yard.define(r#"{"index":{"refresh_interval":"7s","number_of_replicas":"2"}}"#);
    let proxy = Proxy::http(&shared(engine).url());
    proxy.add(Rule::new(Match::any().contains("_bulk"), Fault::Delay(Duration::from_millis(50))));
    yard.environment(&proxy.url(), "");
    (yard, proxy)
}

fn own() -> Value {
    json!(["7s", "2", null])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_is_set_up_while_it_is_filled_and_as_before_when_it_is_full() {
    for engine in ENGINES {
        let (yard, _proxy) = yard(engine, "settings").await;
        let mut worker = yard.start("run persons");
        assert!(worker.hear_progress());
        let concrete = yard.concrete().await;
        assert_eq!(yard.settings(&concrete).await, tuned());
        worker.signal(Signal::INT);
        assert_eq!(worker.end().code, Some(4));
        assert_eq!(yard.settings(&concrete).await, own(), "nobody may go on with it");
        let mut worker = yard.start("run persons");
        assert!(worker.hear_progress());
        assert_eq!(yard.settings(&concrete).await, tuned(), "it goes on");
        agree(&[worker.end()]);
        assert_eq!(yard.settings(&concrete).await, own());
        // It is there before the next run, so that its settings are nobody's to change.
        let refresh = json!({ "index": { "refresh_interval": "3s" } }).to_string();
        say(shared(engine), "PUT", &format!("{concrete}/_settings"), &refresh).await;
        yard.put(0..100, 2).await;
        let mut worker = yard.start("run persons");
        assert!(worker.hear_progress());
        assert_eq!(yard.settings(&concrete).await, json!(["3s", "2", null]));
        agree(&[worker.end()]);
        assert_eq!(yard.settings(&concrete).await, json!(["3s", "2", null]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_was_killed_and_given_up_leaves_no_settings_behind() {
    for engine in ENGINES {
        let (yard, _proxy) = yard(engine, "given-up").await;
        let mut worker = yard.start("run persons");
        assert!(worker.hear_progress());
        worker.kill();
        let concrete = yard.concrete().await;
        assert_eq!(yard.settings(&concrete).await, tuned());
        // Another sort of run of this recipe finds it without a living worker.
        yard.reindex("run persons --limit 1").exits(0);
        assert_eq!(yard.settings(&concrete).await, own());
        let mut worker = yard.start("run persons");
        assert!(worker.hear_progress());
        assert_eq!(yard.settings(&concrete).await, tuned());
        worker.kill();
        agree(&[yard.start("run persons --fresh").end()]);
        assert_eq!(yard.settings(&concrete).await, own());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_goes_while_others_work_leaves_the_settings_to_them() {
    let (yard, _proxy) = yard(ENGINES[0], "others").await;
    let mut first = yard.start("run persons");
    assert!(first.hear_progress());
    let mut second = yard.start("run persons");
    assert!(second.hear_progress());
    first.signal(Signal::INT);
    assert_eq!(first.end().code, Some(4));
    let concrete = yard.concrete().await;
    assert_eq!(yard.settings(&concrete).await, tuned());
    agree(&[second.end()]);
    assert_eq!(yard.settings(&concrete).await, own());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_are_as_before_after_a_kill_at_any_event() {
    for (engine, odd) in ENGINES.into_iter().zip([0, 1]) {
        let (yard, _proxy) = yard(engine, "any-event").await;
        // Few and large batches make few events.
        let source = "[source.scan]\ntable = 'people'\nkey = 'id'\nversion = 'versionNumber'\nsegments = 2\n";
        yard.recipe_from("persons", source, "batch-records = 100\n", "");
        for event in (1..).step_by(2).map(|event| event + odd) {
            // Each time a new index, since only that is set up.
            let mut worker = yard.start("run persons --rebuild --waive 10 --drop-old");
            let killed = worker.hear_lines(event);
            if !killed {
                agree(&[worker.end()]);
                break;
            }
            worker.kill();
            let status = yard.status();
            if status["run"]["phase"] != "finished" {
                agree(&[yard.start("run persons --rebuild --waive 10 --drop-old").end()]);
            }
            assert_eq!(yard.settings(&yard.concrete().await).await, own(), "killed after event {event}");
        }
    }
}
