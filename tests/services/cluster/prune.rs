//! Documents whose item is gone go, and no others.

use std::time::Duration;

use proxy::{Fault, Match, Proxy, Rule};
use servers::shared;

use super::{
    ENGINES,
    yard::{INVALID, INVALID_EVERY, PERSONS, Yard, id},
};
use crate::{dynamodb, index::say};

async fn delete(yard: &Yard, person: usize) {
    let key = aws_sdk_dynamodb::types::AttributeValue::S(id(person));
    let request = dynamodb::client().delete_item().table_name(format!("people-{}", yard.name)).key("id", key);
    request.send().await.unwrap();
}

/// Every person can be mapped: a run with failures prunes nothing.
async fn yard(engine: servers::Server, name: &str, prune: &str) -> Yard {
    let yard = Yard::new(engine, name, &format!("[index.persons.prune]\n{prune}\n")).await;
    for person in (0..PERSONS).filter(|person| person % INVALID_EVERY == 7) {
        delete(&yard, person).await;
    }
    assert_eq!(yard.start("run persons").end().code, Some(0));
    assert_eq!(yard.documents().await.len(), PERSONS - INVALID);
    yard
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_gone_from_the_table_goes_and_what_strangers_write_meanwhile_stays() {
    for engine in ENGINES {
        let yard = yard(engine, "pruned", "max-share = 0.1").await;
        let concrete = yard.concrete().await;
        // Long there, and nobody's: it has no item, so it goes. Written during the run: it stays.
        say(shared(engine), "PUT", &format!("{concrete}/_doc/old-stranger"), "{}").await;
        for person in [1, 2, 3] {
            delete(&yard, person).await;
        }
        yard.put([10, 11].into_iter(), 2).await;
        let proxy = Proxy::http(&shared(engine).url());
        proxy.add(Rule::new(Match::any().contains("_bulk"), Fault::Delay(Duration::from_millis(50))));
        yard.environment(&proxy.url(), "");
        let mut worker = yard.start("run persons");
        assert!(worker.hear_progress());
        say(shared(engine), "PUT", &format!("{concrete}/_doc/new-stranger"), "{}").await;
        let ended = worker.end();
        assert_eq!(ended.code, Some(0), "{}", ended.log);
        let left = yard.documents().await;
        assert!(left.contains_key("new-stranger") && !left.contains_key("old-stranger"), "{}", ended.log);
        assert!([1, 2, 3].iter().all(|person| !left.contains_key(&id(*person))));
        assert_eq!(left[&id(10)].0, Some(2));
        assert_eq!(left.len(), PERSONS - INVALID - 3 + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_go_than_may_and_a_dry_run_only_says_which() {
    for engine in ENGINES {
        let yard = yard(engine, "share", "max-share = 0.01").await;
        for person in 20..30 {
            delete(&yard, person).await;
        }
        let ended = yard.start("run persons").end();
        assert_eq!(ended.code, Some(0), "{}", ended.log);
        assert!(ended.log.contains("max-share"), "{}", ended.log);
        assert_eq!(yard.documents().await.len(), PERSONS - INVALID);
        let dry = yard.reindex("prune persons --dry-run --json");
        assert!(dry.out.contains("\"gone\":10") && dry.out.contains("\"removed\":0"), "{}{}", dry.out, dry.err);
        assert_eq!(yard.reindex("prune persons").code, Some(2));
        assert_eq!(yard.documents().await.len(), PERSONS - INVALID);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_says_which_documents_may_go() {
    for engine in ENGINES {
        let query = format!("max-share = 0.5\nquery = {{ ids = {{ values = ['{}'] }} }}", id(40));
        let yard = yard(engine, "query", &query).await;
        for person in [40, 41] {
            delete(&yard, person).await;
        }
        yard.reindex("prune persons").exits(0);
        let left = yard.documents().await;
        assert!(!left.contains_key(&id(40)) && left.contains_key(&id(41)), "{}", left.len());
    }
}
