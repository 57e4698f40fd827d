//! `check --probe` on real servers: what it proves, that it cleans up, and that it finds an endpoint out that lies.

use proxy::{Fault, Match, Pick, Proxy, Rule};
use servers::{Server, shared};

use crate::dynamodb::server;

use super::{Lab, told};
use crate::index::say;

/// Everything the recipe names on a real server, each through a proxy of its own or itself.
fn environment(dynamodb: &str, opensearch: &str) -> String {
    let (s3, sqs, nats) = (shared(Server::S3).url(), shared(Server::Sqs).url(), shared(Server::Nats).url());
    format!(
        "[backend.things.dynamodb]\nendpoint = '{dynamodb}'\n[backend.rogues.opensearch]\nurl = '{opensearch}'\n\
         [backend.files.s3]\nbucket = 'trouble-probe'\nendpoint = '{s3}'\n\
         [backend.work.sqs]\nendpoint = '{sqs}'\n[backend.others.nats]\nurl = '{nats}'\nstream = 'unmade'\n"
    )
}

async fn lab(dynamodb: &str, opensearch: &str) -> Lab {
    crate::s3::make_bucket("trouble-probe").await;
    let lab = Lab::new(&environment(dynamodb, opensearch));
    lab.recipe("index = [\"rogues\"]", "index = [\"rogues\"]\nstorage = [\"files\"]\nqueue = [\"work\", \"others\"]");
    lab
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_endpoint_is_proven_on_scratch_that_is_gone_afterwards_and_what_lies_is_found_out() {
    let dynamodb = Proxy::http(&server().url());
    let (cluster, opensearch) = (shared(Server::Opensearch), Proxy::http(&shared(Server::Opensearch).url()));
    let lab = lab(&dynamodb.url(), &opensearch.url()).await;
    // The recipe's own table, which a probe must not touch.
    lab.load("{\"Item\":{\"id\":{\"S\":\"a\"},\"v\":{\"N\":\"1\"}}}\n", "dynamodb-json");
    let mut shown = format!("# as they are\n{}", lab.reindex("check rogues --probe").exits(0).seen());
    let denied =
        "{\"__type\":\"x#AccessDeniedException\",\"message\":\"not authorized to perform: dynamodb:CreateTable\"}";
    dynamodb.add(Rule::new(Match::any().target("CreateTable"), Fault::Status(400, denied.to_owned())));
    shown += &format!("\n# a table may not be made\n{}", lab.reindex("check rogues --probe").exits(0).seen());
    dynamodb.clear();
    // A server that forgets versions: the second write, an older one, is answered as done.
    let done =
        "{\"took\":1,\"errors\":false,\"items\":[{\"index\":{\"_id\":\"probe\",\"_version\":1,\"status\":200}}]}";
    opensearch
        .add(Rule::new(Match::any().contains("_bulk"), Fault::Status(200, done.to_owned())).turn(Pick::At(vec![1])));
    shown += &format!("\n# a cluster that forgets versions\n{}", lab.reindex("check rogues --probe").exits(5).seen());
    assert!(dynamodb.fired() > 0 && opensearch.fired() > 0);
    let mut settings = told();
    settings.add_filter(r"reindex-probe-[0-9a-f]{6}", "PROBE");
    settings.bind(|| insta::assert_snapshot!("probe", shown));
    let left = say(cluster, "GET", "_cat/indices/reindex-probe-*?format=json&h=index", "").await;
    assert_eq!(left.as_array().map(Vec::len), Some(0), "{left}");
    let tables = crate::dynamodb::tables().await;
    assert!(!tables.iter().any(|table| table.starts_with("reindex-probe")), "{tables:?}");
    let queues = crate::queue::sqs::queues().await;
    assert!(!queues.iter().any(|queue| queue.contains("reindex-probe")), "{queues:?}");
    assert_eq!(crate::s3::keys("trouble-probe").await, Vec::<String>::new());
}
