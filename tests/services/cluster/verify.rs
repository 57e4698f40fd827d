//! An index that lost documents is not swapped in, whatever the cluster said of them.

use std::time::Duration;

use proxy::{Fault, Match, Pick, Proxy, Rule};
use servers::{Options, Server, shared, start};

use super::{
    ENGINES,
    yard::{INVALID, PERSONS, Yard, agree, id},
};
use crate::{
    index::{open, say},
    place::Place,
    plugins::component,
};

const REBUILD: &str = "run persons --rebuild --waive 10 --drop-old";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_that_a_cluster_only_claims_to_have_written_are_found_and_written_by_the_same_command() {
    for engine in ENGINES {
        let yard = Yard::new(engine, "claimed", "").await;
        let proxy = Proxy::http(&shared(engine).url());
        yard.environment(&proxy.url(), "");
        agree(&[yard.start("run persons").end()]);
        let (old, before) = (yard.concrete().await, yard.documents().await);
        yard.put(0..PERSONS, 2).await;
        let claims = |pick| {
            let fault = Fault::AnswerItems(pick, 201, "created".to_owned());
            proxy.add(Rule::new(Match::any().contains("_bulk"), fault));
        };
        claims(Pick::Every(4));
        let ran = yard.reindex(REBUILD).exits(4);
        assert!(ran.err.contains(" missing") && ran.err.contains("same command again"), "{}", ran.err);
        assert!(proxy.fired() > 0);
        assert_eq!((yard.concrete().await, yard.documents().await), (old.clone(), before.clone()));
        proxy.clear();
        claims(Pick::All);
        let ran = yard.reindex(REBUILD).exits(4);
        assert!(ran.err.contains("still differ"), "{}", ran.err);
        proxy.clear();
        agree(&[yard.start(REBUILD).end()]);
        let after = yard.documents().await;
        assert!(yard.concrete().await != old && after.len() == before.len());
        assert!(after.values().all(|(version, _)| *version == Some(2)));
        assert_eq!(yard.indexes().await.len(), 1, "the old one is gone");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_comparison_finds_what_somebody_did_to_an_index_and_changes_nothing() {
    for engine in ENGINES {
        let yard = Yard::new(engine, "compared", "").await;
        agree(&[yard.start("run persons").end()]);
        let documents = PERSONS - INVALID;
        let same = yard.reindex("verify persons --json").exits(0).json();
        assert_eq!((&same["compared"], &same["open"]), (&documents.into(), &INVALID.into()), "{same}");
        let some = yard.reindex("verify persons --sample 20").exits(0);
        assert!(some.err.contains("at 95 % confidence less than"), "{}", some.err);
        let concrete = yard.concrete().await;
        say(shared(engine), "DELETE", &format!("{concrete}/_doc/{}", id(1)), "").await;
        let altered = format!("{concrete}/_doc/{}?version=1&version_type=external_gte", id(2));
        say(shared(engine), "PUT", &altered, r#"{"altered":true}"#).await;
        say(shared(engine), "PUT", &format!("{concrete}/_doc/stranger"), "{}").await;
        yard.put([3].into_iter(), 5).await;
        let before = yard.documents().await;
        let found = yard.reindex("verify persons --json").exits(7).json();
        for (kind, id) in [("missing", &*id(1)), ("different", &*id(2)), ("older", &*id(3)), ("extra", "stranger")] {
            assert_eq!((&found[kind]["count"], &found[kind]["examples"][0]), (&1.into(), &id.into()), "{found}");
        }
        let all = yard.reindex("verify persons --sample 1000").exits(7);
        assert!(all.err.contains(", 3 differ, 1 missing"), "{}", all.err);
        assert_eq!(yard.documents().await, before);
    }
}

/// Persons in a file, and an index whose cluster writes its log of operations to disk only now and then.
fn forgetful(url: &str) -> Place {
    let place = Place::new();
    place.write("persons.wasm", component("persons"));
    let line = |n: usize| format!(r#"{{"id":"{}","versionNumber":1,"firstName":"Ada {n}","tenures":[]}}"#, id(n));
    place.write("people.jsonl", (0..PERSONS).map(line).collect::<Vec<_>>().join("\n"));
    let recipe = "recipe = 1\nname = 'persons'\ndefault-env = 'cluster'\n[plugin]\nfile = 'persons.wasm'\n\
        [source.file]\npath = 'people.jsonl'\nkey = 'id'\nversion = 'versionNumber'\n\
        [grant.write]\nindex = ['persons']\n[index.persons]\ndefinition = 'index.json'\n\
        [run]\nbatch-records = 5\nattempts = 2\n";
    place.write("persons.toml", recipe);
    let log = r#"{"settings":{"index":{"translog":{"durability":"async","sync_interval":"1h"}}}}"#;
    place.write("index.json", log);
    let environment = format!("environment = 1\n[backend.persons.opensearch]\nurl = '{url}'\nalias = 'forgetful'\n");
    place.write("environments/cluster.toml", environment);
    place
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_that_a_killed_server_forgot_are_found_before_the_swap() {
    let server = start(Server::Opensearch, &Options::default()).unwrap();
    let proxy = Proxy::http(&server.url());
    let place = forgetful(&proxy.url());
    place.reindex("run persons").exits(0);
    let finished = place.reindex("status persons --json").exits(0).json();
    say(&server, "POST", "forgetful/_flush", "").await;
    let index = open(&server, "forgetful", "").unwrap();
    let old = index.current().await.unwrap().unwrap().name;
    let bulk = Match::any().contains("_bulk");
    proxy.add(Rule::new(bulk, Fault::Delay(Duration::from_millis(300))));
    let rebuild = place.start("run persons --rebuild");
    // What the ledger does not have by then is written again after the kill, and lost by nobody.
    let status = || place.reindex("status persons --json").exits(0).json();
    while matches!(&status(), now if now["run"]["id"] == finished["run"]["id"] || now["counts"]["done"] == 0) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.kill();
    proxy.clear();
    let killed = crate::place::Ran::of(rebuild.wait_with_output().unwrap());
    server.restart().unwrap();
    let ran = place.reindex("run persons --rebuild").exits(4);
    assert!(ran.err.contains(" missing; `persons` still names the old index"), "{}{}", killed.err, ran.err);
    assert_eq!(index.current().await.unwrap().unwrap().name, old);
    place.reindex("run persons --rebuild").exits(0);
    let new = index.current().await.unwrap().unwrap().name;
    assert_ne!(new, old);
    assert_eq!(index.count(&new).await.unwrap(), PERSONS as u64);
}
