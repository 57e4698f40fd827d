//! Two services that keep one recipe going, and share the ledger that says what is due.

use reindex::{
    backend::Mode,
    ledger::Phase,
    run::{Project, backends},
};
use servers::{Server, shared};

use crate::{
    place::Place,
    service::{Kept, Turned, project},
    session::session,
};

const RECIPE: &str = r#"
recipe = 1
default-env = "shared"
[plugin]
file = "rogue.wasm"
[source.scan]
table = "things"
key = "id"
version = "v"
[schedule]
cron = "30 5 * * *"
[grant.read]
storage = ["people"]
[grant.write]
index = ["rogues"]
[run]
lease = "2s"
batch-records = 10
"#;

fn place() -> Place {
    let place = Place::with_rogue();
    place.write("rogues.toml", RECIPE);
    let url = shared(Server::Dynamodb).url();
    place.write(
        "environments/shared.toml",
        format!(
            "environment = 1\n[backend.things.sqlite]\n[backend.people.sqlite]\n[backend.rogues.sqlite]\n\
             [ledger.dynamodb]\ntable = 'served'\nregion = 'eu-west-2'\nendpoint = '{url}'\ncreate = true\n"
        ),
    );
    let things: String = (0..60).map(|n| format!("{{\"id\":\"t-{n}\",\"v\":1}}\n")).collect();
    place.reindex_with("load people - --env shared", "{\"id\":\"p\"}\n").exits(0);
    place.reindex_with("load things - --env shared", &things).exits(0);
    place
}

fn shared_project(place: &Place) -> Project {
    project(place, "rogues").with_aws(session())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_time_is_worked_off_once_by_both_together() {
    let (place, clock) = (place(), Turned::at("2026-11-25T05:00:00Z"));
    let mut services = Vec::new();
    for _ in 0..2 {
        services.push(Kept::with(vec![shared_project(&place)], &clock).await);
    }
    for time in ["2026-11-25T05:30:00Z", "2026-11-26T05:30:00Z", "2026-11-27T05:30:00Z"] {
        for kept in &mut services {
            assert_eq!(kept.due("rogues").await, time);
        }
        clock.to(time);
    }
    for mut kept in services {
        assert_eq!(kept.due("rogues").await, "2026-11-28T05:30:00Z");
        kept.stop().await;
    }
    let backends = backends(&shared_project(&place).environment, Mode::ReadWrite).with_aws(session());
    let runs = backends.ledger().unwrap().runs("rogues", 100).await.unwrap();
    assert_eq!(runs.len(), 3, "{runs:?}");
    assert!(runs.iter().all(|run| run.phase == Phase::Finished && run.counts.unwrap().done == 60), "{runs:?}");
    assert_eq!(place.documents("rogues", "--env shared").len(), 60);
}
