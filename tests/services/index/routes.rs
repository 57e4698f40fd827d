//! Aliases with properties, and what a swap makes of them.

use reindex::{capability::index::Written, error::Kind};
use servers::{Server, shared};

use super::{open, put, say, stamp};

const ENGINES: [Server; 2] = [Server::Opensearch, Server::Elasticsearch];

#[tokio::test]
async fn a_swap_keeps_the_filter_and_the_other_properties_of_the_alias() {
    for engine in ENGINES {
        let server = shared(engine);
        let index = open(server, "kept", "").unwrap();
        for name in ["kept_1", "kept_2"] {
            index.create(name, r#"{"mappings":{"properties":{"public":{"type":"boolean"}}}}"#, &stamp()).await.unwrap();
            let documents = vec![put("seen", 1, r#"{"public":true}"#), put("hidden", 1, r#"{"public":false}"#)];
            assert_eq!(index.write(name, documents).await.unwrap(), [Written::Done, Written::Done]);
            index.refresh(name).await.unwrap();
        }
        let add = r#"{"index":"kept_1","alias":"kept","filter":{"term":{"public":true}},"is_write_index":true,"is_hidden":true}"#;
        say(server, "POST", "_aliases", &format!(r#"{{"actions":[{{"add":{add}}}]}}"#)).await;
        let before = say(server, "GET", "_alias/kept", "").await["kept_1"]["aliases"]["kept"].clone();
        assert_eq!(before.as_object().map(serde_json::Map::len), Some(3), "{before}");
        index.announce("kept_2").await.unwrap();
        index.swap(Some("kept_1"), "kept_2").await.unwrap();
        let after = say(server, "GET", "_alias/kept", "").await;
        assert_eq!(after, serde_json::json!({ "kept_2": { "aliases": { "kept": before } } }));
        assert_eq!(index.search("", 10).await.unwrap().0, 1, "what the filter hid stays hidden");
    }
}

#[tokio::test]
async fn an_alias_that_routes_is_refused_before_anything_is_filled() {
    for engine in ENGINES {
        let server = shared(engine);
        let index = open(server, "routed", "").unwrap();
        for name in ["routed_1", "routed_2"] {
            index.create(name, "{}", &stamp()).await.unwrap();
        }
        for routing in ["routing", "index_routing", "search_routing"] {
            let add = format!(r#"{{"add":{{"index":"routed_1","alias":"routed","{routing}":"1"}}}}"#);
            say(server, "POST", "_aliases", &format!(r#"{{"actions":[{add}]}}"#)).await;
            for refused in [index.announce("routed_2").await, index.swap(Some("routed_1"), "routed_2").await] {
                let error = refused.unwrap_err();
                assert!(error.kind() == Kind::Usage && error.hint_text().is_some(), "{error:?}");
                assert!(error.message().contains("routing"), "{error:?}");
            }
            assert_eq!(index.current().await.unwrap().unwrap().name, "routed_1");
            say(server, "DELETE", "routed_1/_alias/routed", "").await;
        }
    }
}
