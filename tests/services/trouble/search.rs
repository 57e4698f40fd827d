//! Trouble with a cluster: what it refuses, when it is full or gone, and who else writes to it.

use proxy::{Fault, Match, Pick, Proxy, Rule};
use servers::{Options, Running, Server, shared, start};

use super::{Lab, plain, searched, things, told};
use crate::index::say;

async fn count(server: &Running, alias: &str) -> u64 {
    say(server, "POST", &format!("{alias}/_refresh"), "").await;
    say(server, "GET", &format!("{alias}/_count"), "").await["count"].as_u64().unwrap()
}

/// The concrete index an alias names.
async fn concrete(server: &Running, alias: &str) -> String {
    let said = say(server, "GET", alias, "").await;
    said.as_object().unwrap().keys().next().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_document_in_a_thousand_that_the_mapping_refuses_is_shown_with_the_engines_reason() {
    for engine in [Server::Opensearch, Server::Elasticsearch] {
        let server = shared(engine);
        let lab = Lab::new(&searched(server, &server.url(), "trouble-picky", ""));
        lab.place.write("rogues.index.json", r#"{"mappings":{"properties":{"n":{"type":"long"}}}}"#);
        lab.recipe("[run]", "[index.rogues]\ndefinition = \"rogues.index.json\"\n[run]");
        let number = |n: usize| if n % 1000 == 7 { ",\"n\":\"many\"".to_owned() } else { format!(",\"n\":{n}") };
        lab.load(&things(0..3000, 1, number), "plain");
        lab.reindex("run rogues").exits(3);
        let status = lab.reindex("status rogues").exits(0).seen();
        told().bind(|| insta::assert_snapshot!(format!("refused-by-{engine}"), status));
        assert_eq!(count(server, "trouble-picky").await, 2997);
        lab.load(&things(0..3000, 2, |n| format!(",\"n\":{n}")), "plain");
        lab.reindex("retry rogues").exits(0);
        assert_eq!(count(server, "trouble-picky").await, 3000);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_cluster_stops_the_run_which_goes_on_when_there_is_room() {
    for engine in [Server::Opensearch, Server::Elasticsearch] {
        let server = shared(engine);
        let lab = Lab::new(&searched(server, &server.url(), "trouble-full", ""));
        lab.load(&plain(0..100), "plain");
        lab.goes_on(100);
        lab.load(&plain(0..300), "plain");
        // What a disk above its flood stage does.
        let settings = format!("{}/_settings", concrete(server, "trouble-full").await);
        say(server, "PUT", &settings, r#"{"index.blocks.read_only_allow_delete":true}"#).await;
        let stopped = lab.reindex("run rogues").exits(5).seen();
        told().bind(|| insta::assert_snapshot!(format!("full-{engine}"), stopped));
        say(server, "PUT", &settings, r#"{"index.blocks.read_only_allow_delete":null}"#).await;
        lab.goes_on(300);
        assert_eq!(count(server, "trouble-full").await, 300);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_of_another_uuid_is_refused_before_anything_is_written() {
    let server = shared(Server::Opensearch);
    let lab = Lab::new(&searched(server, &server.url(), "trouble-uuid", "cluster = 'production'"));
    lab.load(&plain(0..5), "plain");
    let shown = ["check rogues --connect", "run rogues", "run rogues --rebuild", "retry rogues"]
        .map(|command| format!("$ reindex {command}\n{}", lab.reindex(command).exits(6).seen()));
    told().bind(|| insta::assert_snapshot!("uuid", shown.join("\n")));
    assert_eq!(say(server, "GET", "trouble-uuid", "").await["status"], 404, "nothing was made");
    let uuid = say(server, "GET", "", "").await["cluster_uuid"].as_str().unwrap().to_owned();
    lab.environment(&searched(server, &server.url(), "trouble-uuid", &format!("cluster = '{uuid}'")));
    let found = lab.reindex("check rogues --connect").exits(0);
    assert!(found.err.contains("as the environment says"), "{}", found.err);
    lab.goes_on(5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alias_that_names_two_indexes_is_refused_until_it_names_one() {
    let server = shared(Server::Opensearch);
    let lab = Lab::new(&searched(server, &server.url(), "trouble-two", ""));
    lab.load(&plain(0..5), "plain");
    lab.goes_on(5);
    say(server, "PUT", "trouble-two-other", r#"{"aliases":{"trouble-two":{}}}"#).await;
    let shown = ["check rogues --connect", "run rogues", "search rogues ''"]
        .map(|command| format!("$ reindex {command}\n{}", lab.reindex(command).seen()));
    told().bind(|| insta::assert_snapshot!("two-indexes", shown.join("\n")));
    say(server, "DELETE", "trouble-two-other", "").await;
    lab.load(&plain(0..9), "plain");
    lab.goes_on(9);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_that_lost_to_a_foreign_version_is_counted_and_stays() {
    let server = shared(Server::Opensearch);
    let lab = Lab::new(&searched(server, &server.url(), "trouble-foreign", ""));
    lab.load(&plain(0..5), "plain");
    lab.goes_on(5);
    let theirs =
        format!("{}/_doc/t0002?version=99&version_type=external_gte", concrete(server, "trouble-foreign").await);
    say(server, "PUT", &theirs, r#"{"theirs":true}"#).await;
    lab.load(&things(0..5, 2, |_| String::new()), "plain");
    let ran = lab.reindex("run rogues").exits(0);
    assert!(ran.err.contains("1 newer already there"), "{}", ran.err);
    let kept = say(server, "GET", &theirs.replace("?version=99&version_type=external_gte", ""), "").await;
    assert_eq!(kept["_source"]["theirs"], true, "{kept}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_disappears_half_way_and_a_document_above_its_limit_cost_nothing_else() {
    let server = start(Server::Opensearch, &Options::default().set("http.max_content_length", "1mb")).unwrap();
    let proxy = Proxy::http(&server.url());
    let lab = Lab::new(&searched(&server, &proxy.url(), "trouble-gone", ""));
    lab.load(&plain(0..500), "plain");
    proxy.add(Rule::new(Match::any().contains("_bulk"), Fault::Down(None)).turn(Pick::At(vec![3])));
    let stopped = lab.reindex("run rogues").exits(5).seen();
    assert!(proxy.fired() > 0);
    // Several batches are on their way: one may have been written, and its alias is what cannot be looked up.
    let mut unlike = told();
    unlike
        .add_filter(r"(documents cannot be written|the alias cannot be looked up): it", "SOMETHING CANNOT BE DONE: it");
    unlike.add_filter(r"\(http://SERVER/[^)]*\)", "(URL)");
    unlike.bind(|| insta::assert_snapshot!("gone", stopped));
    server.kill();
    lab.reindex("run rogues").exits(5);
    server.restart().unwrap();
    proxy.clear();
    proxy.up();
    lab.goes_on(500);
    assert_eq!(count(&server, "trouble-gone").await, 500);
    lab.recipe("[run]", "[limits]\nmemory = \"512MiB\"\n[run]");
    lab.load(&plain(0..1).replace("\"v\":1,\"do\":\"good\"", "\"v\":2,\"do\":\"large\",\"with\":\"2000000\""), "plain");
    let refused = lab.reindex("run rogues --fresh");
    assert_eq!(refused.code, Some(3), "{}", refused.err);
    told().bind(|| insta::assert_snapshot!("above-the-limit", lab.reindex("status rogues").exits(0).seen()));
    assert_eq!(count(&server, "trouble-gone").await, 500);
}
