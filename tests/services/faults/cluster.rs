//! DynamoDB on one side, OpenSearch or Elasticsearch on the other.

use proxy::{Fault, Match, Pick, Rule};
use servers::Server;

use super::{Case, bear, case, common, lab::Scene, persons};

fn scene(name: &'static str, servers: &'static [Server], environment: fn(&str, &[String]) -> String) -> Scene {
    let recipe = persons::recipe().replace("key = \"id\"\n", "key = \"id\"\nsegments = 8\n");
    Scene { name, servers, plugin: persons::plugin, recipe, environment, load: persons::load, reads_again: false }
}

/// The same cases by other names.
fn called(prefix: &str, cases: Vec<Case>) -> impl Iterator<Item = Case> {
    cases.into_iter().map(move |case| Case { name: format!("{prefix} {}", case.name), ..case })
}

/// What only a cluster can do: refuse single documents of a request.
fn refusals() -> Vec<Case> {
    let bulk = Match::any().contains("_bulk");
    let some = Fault::RejectItems(Pick::Chance { share: 0.2, seed: 5 });
    vec![
        case("some refused", [Rule::new(bulk.clone(), some)]),
        case("all refused", [Rule::new(bulk.clone(), Fault::RejectItems(Pick::All)).turn(Pick::Every(2))]),
        case("first refused", [Rule::new(bulk, Fault::RejectItems(Pick::At(vec![0]))).turn(Pick::Every(2))]),
    ]
}

fn index(engine: &str, name: &str, url: &str) -> String {
    format!("[backend.persons.{engine}]\nurl = '{url}'\nalias = '{name}'\nbulk-bytes = '20 kB'\n")
}

#[test]
fn opensearch_has_every_person_of_dynamodb_whatever_either_does() {
    let scene = scene("opensearch", &[Server::Dynamodb, Server::Opensearch], |name, urls| {
        persons::table(&urls[0]) + &index("opensearch", name, &urls[1])
    });
    let mut cases = common(&Match::any());
    cases.extend(called("scan", common(&Match::any().target("Scan"))));
    cases.extend(called("bulk", common(&Match::any().contains("_bulk"))));
    cases.extend(refusals());
    bear(&scene, &cases);
}

#[test]
fn elasticsearch_has_every_person_whatever_it_does() {
    let scene = scene("elasticsearch", &[Server::Dynamodb, Server::Elasticsearch], |name, urls| {
        persons::table(&urls[0]) + &index("elasticsearch", name, &urls[1])
    });
    let mut cases = refusals();
    cases.extend(called("bulk", common(&Match::any().contains("_bulk"))));
    bear(&scene, &cases);
}
