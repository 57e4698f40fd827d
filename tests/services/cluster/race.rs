//! What strangers do meanwhile: another recipe that makes the same index, somebody who removes it.

use std::{collections::BTreeMap, time::Duration};

use proxy::{Fault, Match, Proxy, Rule};
use reindex::{
    capability::index::{Stamp, Written},
    error::Kind,
};
use servers::shared;

use super::{
    ENGINES,
    yard::{INVALID, PERSONS, Worker, Yard},
};
use crate::index::{documents, open, say};

fn stamp() -> Stamp {
    Stamp { version: "v".to_owned() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_recipes_that_begin_at_one_moment_fill_one_index() {
    for engine in ENGINES {
        let yard = Yard::new(engine, "two-recipes", "").await;
        yard.recipe("others", "", "[plugin.settings]\nother = true\n");
        let workers = ["persons", "others", "persons", "others"].map(|recipe| yard.start(&format!("run {recipe}")));
        for ended in workers.map(Worker::end) {
            assert_eq!(ended.code, Some(3), "{}", ended.log);
        }
        assert_eq!(yard.indexes().await.len(), 1);
        assert_eq!(yard.documents().await.len(), PERSONS - INVALID);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_claim_an_alias_at_one_moment_at_most_one_is_told_that_it_has_it() {
    for engine in ENGINES {
        // Everybody looks before anybody has it.
        let proxy = Proxy::http(&shared(engine).url());
        proxy.add(Rule::new(Match::any().method("POST").contains("_aliases"), Fault::Delay(Duration::from_millis(20))));
        for round in 0..5 {
            let alias = format!("claimed-{round}");
            let claims = (0..4).map(|n| {
                let (name, index) = (format!("{alias}_{n}"), open_at(engine, &proxy.url(), &alias));
                tokio::spawn(async move {
                    index.create(&name, "{}", &stamp()).await.unwrap();
                    (name.clone(), index.claim(&name).await.unwrap())
                })
            });
            let mut claimed = BTreeMap::new();
            for claim in claims.collect::<Vec<_>>() {
                let (name, has) = claim.await.unwrap();
                claimed.insert(name, has);
            }
            let index = open(shared(engine), &alias, "").unwrap();
            let winners: Vec<_> = claimed.into_iter().filter(|(_, has)| *has).map(|(name, _)| name).collect();
            let current = index.current().await.unwrap().map(|current| current.name);
            assert!(winners.len() < 2 && current.as_ref() == winners.first(), "{winners:?} {current:?}");
            let again = format!("{alias}_0");
            let has = index.claim(&again).await.unwrap();
            assert_eq!(has, current.is_none_or(|current| current == again));
        }
    }
}

fn open_at(engine: servers::Server, url: &str, alias: &str) -> std::sync::Arc<dyn reindex::capability::index::Index> {
    crate::index::opened(engine, url, alias, "").unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_somebody_removes_is_never_made_again_by_a_write() {
    for engine in ENGINES {
        let index = open(shared(engine), "removed", "").unwrap();
        index.create("removed_1", "{}", &stamp()).await.unwrap();
        assert!(index.claim("removed_1").await.unwrap());
        assert_eq!(index.write("removed_1", documents(0, 1)).await.unwrap(), [Written::Done]);
        say(shared(engine), "DELETE", "removed_1", "").await;
        let error = index.write("removed_1", documents(1, 3)).await.unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound, "{error:?}");
        assert!(error.message().contains("`removed_1`"), "{error:?}");
        let deletion = reindex::capability::index::Write { id: "d-1".into(), version: Some(7), body: None };
        assert!(index.write("removed_1", vec![deletion]).await.is_err());
        assert_eq!(index.current().await.unwrap(), None);
        let found = say(shared(engine), "GET", "removed_1", "").await;
        assert_eq!(found["status"], 404, "{found}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_whose_index_is_removed_stops_and_leaves_none_behind() {
    for engine in ENGINES {
        let yard = Yard::new(engine, "taken-away", "").await;
        let proxy = Proxy::http(&shared(engine).url());
        proxy.add(Rule::new(Match::any().contains("_bulk"), Fault::Delay(Duration::from_millis(50))));
        yard.environment(&proxy.url(), "");
        let mut worker = yard.start("run persons");
        assert!(worker.hear_progress());
        let concrete = yard.concrete().await;
        say(shared(engine), "DELETE", &concrete, "").await;
        let ended = worker.end();
        assert!(!matches!(ended.code, Some(0 | 3)), "{}", ended.log);
        assert!(yard.indexes().await.is_empty());
        assert_eq!(yard.start("run persons --fresh").end().code, Some(3));
        assert_eq!(yard.documents().await.len(), PERSONS - INVALID);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_whose_index_is_made_anew_under_its_name_is_not_finished() {
    for engine in ENGINES {
        let yard = Yard::new(engine, "made-anew", "").await;
        let proxy = Proxy::http(&shared(engine).url());
        proxy.add(Rule::new(Match::any().contains("_bulk"), Fault::Delay(Duration::from_millis(50))));
        yard.environment(&proxy.url(), "");
        let mut worker = yard.start("run persons");
        assert!(worker.hear_progress());
        let (concrete, alias) = (yard.concrete().await, yard.alias());
        let found = say(shared(engine), "GET", &concrete, "").await;
        let aliases = format!(r#"{{"{alias}":{{}},"{concrete}.reindex-writes":{{}}}}"#);
        let body = format!(r#"{{"aliases":{aliases},"mappings":{}}}"#, found[&concrete]["mappings"]);
        say(shared(engine), "DELETE", &concrete, "").await;
        say(shared(engine), "PUT", &concrete, &body).await;
        let ended = worker.end();
        assert!(!matches!(ended.code, Some(0 | 3)), "{}", ended.log);
        let again = yard.start("run persons").end();
        assert!(again.code == Some(2) && again.log.contains("made or restored again"), "{}", again.log);
        assert!(again.log.contains("--fresh"), "{}", again.log);
        assert_eq!(yard.start("run persons --fresh").end().code, Some(3));
        assert_eq!(yard.documents().await.len(), PERSONS - INVALID);
    }
}
