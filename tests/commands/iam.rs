//! What `reindex iam` prints for the recipes of this repository in an environment on AWS.

use std::fs;

use crate::{
    place::{Place, snapshots},
    plugins::root,
};

const PROD: &str = r#"
environment = 1
[aws]
account = "123456789012"
region = "eu-west-2"
[backend.people.dynamodb]
table = "Persons"
[backend.tenancies.dynamodb]
region = "eu-west-1"
[backend.properties.dynamodb]
[backend.persons.opensearch]
url = "https://search-people-abc123.eu-west-2.es.amazonaws.com"
sign = { region = "eu-west-2" }
[backend.tenures.elasticsearch]
url = "https://search.example.org:9200"
alias = "tenures-live"
api-key = "hush"
[backend.assets.opensearch]
url = "https://xyz.eu-west-2.aoss.amazonaws.com"
sign = { region = "eu-west-2", service = "aoss" }
[backend.exports.s3]
bucket = "people-exports"
prefix = "dynamodb/"
[backend.changes.sqs]
queues = ["urgent", "usual"]
[ledger.dynamodb]
create = true
"#;

fn place() -> Place {
    let place = Place::new();
    place.write("environments/prod.toml", PROD);
    for recipe in ["persons", "tenures", "assets"] {
        let file = format!("{recipe}.toml");
        place.write(&file, fs::read(root().join("recipes").join(&file)).unwrap());
    }
    let recipe = fs::read_to_string(place.path("persons.toml")).unwrap();
    let (before, after) = recipe.split_once("[source.scan]\ntable = \"people\"").unwrap();
    place.write("exported.toml", format!("{before}[source.export]\nbucket = \"exports\"{after}"));
    let queue = "[source.queue]\nqueue = \"changes\"\ntable = \"people\"";
    place.write("queued.toml", format!("{before}{queue}{after}"));
    place
}

#[test]
fn the_least_that_has_to_be_allowed_is_printed_for_each_recipe_without_asking_anybody() {
    let place = place();
    let shown = ["persons", "tenures", "assets", "exported", "queued"].map(|recipe| {
        let ran = place.reindex(&format!("iam {recipe} --env prod")).exits(0);
        assert!(!ran.seen().contains("hush"));
        format!("$ reindex iam {recipe} --env prod\n{}", ran.seen())
    });
    snapshots().bind(|| insta::assert_snapshot!("iam", shown.join("\n")));
    let only = place.reindex("iam persons --env prod --only aws").exits(0).json();
    assert_eq!(only["Version"], "2012-10-17");
    let local = place.reindex("iam persons").exits(0);
    assert_eq!((local.out.as_str(), local.err.contains("needs no permissions")), ("", true), "{}", local.err);
}
