//! Indexes and aliases that others made, and clusters that are not what the environment says.

use reindex::{capability::index::Written, error::Kind};
use servers::{Server, shared};

use super::{documents, open, opened, put, say, stamp};

const ENGINES: [Server; 2] = [Server::Opensearch, Server::Elasticsearch];

#[tokio::test]
async fn an_alias_that_names_two_indexes_is_refused_by_their_names() {
    for engine in ENGINES {
        let server = shared(engine);
        let index = open(server, "twofold", "").unwrap();
        for name in ["twofold_a", "twofold_b"] {
            index.create(name, "{}", &stamp()).await.unwrap();
            say(server, "PUT", &format!("{name}/_alias/twofold"), "").await;
        }
        let error = index.current().await.unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
        assert!(error.report().contains("twofold_a, twofold_b") && error.hint_text().is_some(), "{error:?}");
        for error in [index.swap(Some("twofold_a"), "twofold_b").await.unwrap_err(), index.route().await.unwrap_err()] {
            assert!(error.report().contains("twofold_a, twofold_b") && error.hint_text().is_some(), "{error:?}");
        }
    }
}

#[tokio::test]
async fn an_index_of_the_aliass_own_name_is_used_and_cannot_be_swapped() {
    for engine in ENGINES {
        let server = shared(engine);
        say(server, "PUT", "owned", r#"{"mappings":{"properties":{"n":{"type":"long"}}}}"#).await;
        let index = open(server, "recipes-name", "alias = 'owned'").unwrap();
        let current = index.current().await.unwrap().unwrap();
        assert_eq!((current.name.as_str(), &current.stamp), ("owned", &None));
        assert_eq!(index.contradictions(&current, r#"{"mappings":{"properties":{"n":{"type":"long"}}}}"#), [""; 0]);
        index.write("owned", documents(0, 2)).await.unwrap();
        assert_eq!(index.get_many(None, &["d-1".to_owned()]).await.unwrap()[0].as_ref().unwrap().version, Some(1));
        index.create("owned_2", "{}", &stamp()).await.unwrap();
        let error = index.swap(Some("owned"), "owned_2").await.unwrap_err();
        assert!(error.message().contains("is an index itself") && error.hint_text().is_some(), "{error:?}");
        assert!(index.create("owned", r#"{"mappings":{"properties":{"n":{"type":"date"}}}}"#, &stamp()).await.is_err());
        let name = open(server, "owned_alias", "").unwrap();
        name.swap(None, "owned_2").await.unwrap();
        let error = name.create("owned_alias", "{}", &stamp()).await.unwrap_err();
        assert!(error.message().contains("is an alias"), "{error:?}");
    }
}

#[tokio::test]
async fn a_document_of_a_stranger_wins_by_its_version_and_is_told() {
    for engine in ENGINES {
        let server = shared(engine);
        let index = open(server, "foreign", "").unwrap();
        index.create("foreign_1", "{}", &stamp()).await.unwrap();
        for _ in 0..3 {
            say(server, "PUT", "foreign_1/_doc/d-1", r#"{"theirs":true}"#).await;
        }
        assert_eq!(
            index.write("foreign_1", documents(0, 3)).await.unwrap(),
            [Written::Done, Written::NewerThere, Written::Done]
        );
        assert_eq!(index.write("foreign_1", vec![put("d-1", 3, "{}")]).await.unwrap(), [Written::Done]);
    }
}

#[tokio::test]
async fn a_cluster_that_is_not_what_it_should_be_says_what_to_write() {
    let (opensearch, elasticsearch) = (shared(Server::Opensearch), shared(Server::Elasticsearch));
    let index = opened(Server::Elasticsearch, &opensearch.url(), "x", "").unwrap();
    let error = index.current().await.unwrap_err();
    assert_eq!(error.message(), "this is OpenSearch, not Elasticsearch");
    let index = opened(Server::Opensearch, &elasticsearch.url(), "x", "").unwrap();
    assert_eq!(index.current().await.unwrap_err().message(), "this is Elasticsearch, not OpenSearch");
    let tls = opensearch.url().replace("http:", "https:");
    let error = opened(Server::Opensearch, &tls, "x", "").unwrap().current().await.unwrap_err();
    assert!(error.report().contains("http://"), "{error:?}");
    let error = opened(Server::Opensearch, "http://127.0.0.1:1", "x", "").unwrap().current().await.unwrap_err();
    assert_eq!((error.kind(), error.may_retry()), (Kind::Unavailable, true), "{error:?}");
    for (alias, more) in [("x", "username = 'u'"), ("X", ""), ("x", "alias = 'a*'"), ("x", "ca = 'not-there.pem'")] {
        let error = opened(Server::Opensearch, "http://127.0.0.1:1", alias, more).err().unwrap();
        assert_eq!(error.kind(), Kind::Usage, "{error:?}");
    }
}

#[tokio::test]
async fn a_cluster_is_known_by_its_uuid() {
    for engine in ENGINES {
        let first = open(shared(engine), "x", "").unwrap().cluster().await.unwrap().unwrap();
        assert_eq!(open(shared(engine), "y", "").unwrap().cluster().await.unwrap(), Some(first));
    }
}

#[tokio::test]
async fn a_definition_the_engine_refuses_is_refused_with_its_reason() {
    for engine in ENGINES {
        let index = open(shared(engine), "wrong", "").unwrap();
        let definition = r#"{"mappings":{"properties":{"n":{"type":"numbr"}}}}"#;
        let error = index.create("wrong_1", definition, &stamp()).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Usage);
        assert!(error.report().contains("numbr") && error.report().contains("index.json"), "{error:?}");
    }
}
