//! Whole runs of the recipes of this repository into a cluster, against the embedded default.

use std::{collections::BTreeMap, fs};

use reindex::capability::index::Document;
use serde_json::Value;
use servers::{Running, Server, shared};

use super::{open, say};
use crate::{
    place::Place,
    plugins::{component, root},
};

/// Each recipe, its table, and the sample that fills it.
const RECIPES: [(&str, &str, &str); 3] =
    [("persons", "people", "people"), ("tenures", "tenancies", "tenancies"), ("assets", "properties", "properties")];

/// The recipes with their tables filled, and an environment whose indexes are in a cluster.
fn place(server: &Running) -> Place {
    let place = Place::new();
    let mut environment = "environment = 1\n".to_owned();
    for (recipe, table, sample) in RECIPES {
        place.write(&format!("{recipe}.wasm"), component(recipe));
        let text = fs::read_to_string(root().join(format!("recipes/{recipe}.toml"))).unwrap();
        let text = text.replace(&format!("source = \"../plugins/{recipe}\""), &format!("file = \"{recipe}.wasm\""));
        place.write(&format!("{recipe}.toml"), text);
        let rows = fs::read_to_string(root().join(format!("recipes/sample/{sample}.jsonl"))).unwrap();
        place.reindex_with(&format!("load {table} - --format dynamodb-json"), &rows).exits(0);
        let engine = server.server();
        environment += &format!(
            "[backend.{table}.sqlite]\nfile = '../.reindex/reindex.db'\n[backend.{recipe}.{engine}]\nurl = '{}'\nalias = 'whole-{recipe}'\n",
            server.url()
        );
    }
    place.write("environments/cluster.toml", environment);
    place
}

async fn documents(server: &Running, recipe: &str) -> BTreeMap<String, (Option<u64>, Value)> {
    let index = open(server, &format!("whole-{recipe}"), "").unwrap();
    let current = index.current().await.unwrap().unwrap().name;
    let listing = index.listed().unwrap().list(&current, None, None, None, 10_000).await.unwrap();
    let ids: Vec<_> = listing.documents.into_iter().map(|listed| listed.id).collect();
    let parsed = |document: Document| (document.id, (document.version, serde_json::from_str(&document.body).unwrap()));
    index.get_many(None, &ids).await.unwrap().into_iter().flatten().map(parsed).collect()
}

fn embedded(place: &Place, recipe: &str) -> BTreeMap<String, (Option<u64>, Value)> {
    let found = place.reindex(&format!("search {recipe} '' --limit 100000 --json")).exits(0);
    let parsed = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        (line["id"].as_str().unwrap().to_owned(), (line["version"].as_u64(), line["document"].clone()))
    };
    found.out.lines().map(parsed).collect()
}

async fn same_documents(engine: Server) {
    let server = shared(engine);
    let place = place(server);
    for (recipe, ..) in RECIPES {
        // Some persons of the sample cannot be mapped.
        let code = place.reindex(&format!("run {recipe}")).code.unwrap();
        place.reindex(&format!("run {recipe} --env cluster")).exits(code);
        let expected = embedded(&place, recipe);
        assert!(!expected.is_empty());
        assert_eq!(documents(server, recipe).await, expected, "{recipe}");
        let again = place.reindex(&format!("run {recipe} --env cluster")).exits(code);
        assert!(!again.err.contains("made index"), "its own definition fits: {}", again.err);
        let rebuilt = place.reindex(&format!("run {recipe} --env cluster --rebuild --waive 2 --drop-old")).exits(code);
        assert!(rebuilt.err.contains("now names"), "{}", rebuilt.err);
        assert_eq!(documents(server, recipe).await, expected, "{recipe}");
        let difference = place.reindex(&format!("diff {recipe} --env cluster")).exits(code);
        assert!(difference.err.contains(" 0 to add, 0 to change"), "{}", difference.err);
    }
    let (id, _) = embedded(&place, "persons").pop_first().unwrap();
    let got = place.reindex(&format!("get persons {id} --env cluster --json")).exits(0);
    assert_eq!(got.json()["id"], id);
    place.reindex("search persons '' --env cluster").exits(0);
    fields_that_would_be_lost_are_named(server, &place).await;
}

/// Another writer gives one asset a field that the plugin knows nothing of.
async fn fields_that_would_be_lost_are_named(server: &Running, place: &Place) {
    let (id, (version, mut document)) = embedded(place, "assets").pop_first().unwrap();
    document["lettings"] = serde_json::json!({ "band": "C" });
    let version = version.unwrap() + 1_000_000;
    let path = format!("/whole-assets/_doc/{id}?refresh=true&version_type=external_gte&version={version}");
    let written = say(server, "PUT", &path, &document.to_string()).await;
    assert_eq!(written["result"], "updated", "{written}");
    let checked = place.reindex("check assets --env cluster --connect").exits(0);
    let line = checked.err.lines().find(|line| line.contains("the definition lacks")).unwrap_or(&checked.err);
    assert!(line.starts_with("look index `assets`") && line.ends_with("would lose them: lettings"), "{line}");
    let told = place.reindex("diff assets --env cluster").exits(7);
    assert!(told.err.contains("lost: 1 documents of `assets` have the field `lettings`"), "{}", told.err);
    let told = place.reindex("diff assets --env cluster --json").exits(7);
    let last: Value = serde_json::from_str(told.out.lines().last().unwrap()).unwrap();
    assert_eq!(last, serde_json::json!({ "lost": { "assets": { "lettings": 1 } } }));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recipes_fill_opensearch_as_they_fill_the_embedded_index() {
    same_documents(Server::Opensearch).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recipes_fill_elasticsearch_as_they_fill_the_embedded_index() {
    same_documents(Server::Elasticsearch).await;
}
