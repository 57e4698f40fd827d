//! Several processes that keep the same recipe going.

use std::sync::Arc;

use reindex::{
    backend::Mode,
    capability::queue::{Message, Queue},
    run::backends,
};
use rustix::process::Signal;

use super::{
    place,
    process::{Serving, queued},
    service::project,
};
use crate::place::Place;

fn queue(place: &Place) -> Arc<dyn Queue> {
    backends(&project(place, "queued").environment, Mode::ReadWrite).queue("work", None).unwrap()
}

async fn send(place: &Place, id: &str) {
    let body = format!("{{\"id\":\"{id}\",\"v\":1,\"do\":\"good\"}}");
    let sent = queue(place).send(&[Message { id: id.to_owned(), body, priority: 0 }]).await.unwrap();
    assert!(sent.iter().all(Result::is_ok), "{sent:?}");
}

#[tokio::test]
async fn one_works_while_the_other_waits_and_takes_over_when_it_dies() {
    let place = place(0, "good");
    queued(&place);
    send(&place, "first").await;
    let mut one = Serving::start(&place, "queued");
    one.hear(|line| (line["event"] == "progress" && line["counts"]["done"] == 1).then_some(()));
    let mut other = Serving::start(&place, "queued");
    other.says(&format!("already running as process {}; waiting for its end", one.pid()));
    assert_eq!(other.get("/readyz").0, 200, "whoever can take over is ready");
    one.signal(Signal::KILL);
    assert_eq!(one.ends().0, None);
    send(&place, "second").await;
    assert_eq!(other.event("started")["resumed"], true);
    other.hear(|line| (line["event"] == "progress" && line["counts"]["done"] == 2).then_some(()));
    other.stop();
    assert_eq!(place.documents("rogues", "").into_keys().collect::<Vec<_>>(), ["first", "second"]);
}
